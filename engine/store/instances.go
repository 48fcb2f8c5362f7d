package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Instance is one shop that the installation serves.
type Instance struct {
	Name      string
	Title     string
	State     InstanceState
	CreatedAt time.Time
}

// InstanceState says whether an instance is worked.
type InstanceState string

// The states of instances.
const (
	InstanceActive InstanceState = "active"
	// InstancePaused accepts events and works none.
	InstancePaused InstanceState = "paused"
	// InstanceRemoving is being forgotten: it accepts nothing any more.
	InstanceRemoving InstanceState = "removing"
)

const instanceColumns = `name, title, state, created_at`

func scanInstance(row scanner) (Instance, error) {
	var i Instance
	var created int64
	err := row.Scan(&i.Name, &i.Title, &i.State, &created)
	i.CreatedAt = instant(created)
	return i, err
}

// Instances lists all instances by name, see [Store].
func (s *database) Instances(ctx context.Context) ([]Instance, error) {
	var all []Instance
	err := s.read(ctx, "listing instances", func(tx *tx) (err error) {
		all, err = collect(tx, scanInstance, `SELECT `+instanceColumns+` FROM instances ORDER BY name`)
		return err
	})
	return all, err
}

// Instance reads one instance, see [Store].
func (s *database) Instance(ctx context.Context, name string) (Instance, error) {
	var found []Instance
	err := s.read(ctx, "reading instance "+name, func(tx *tx) (err error) {
		found, err = collect(tx, scanInstance, `SELECT `+instanceColumns+` FROM instances WHERE name = $1`, name)
		if err == nil && len(found) == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return Instance{}, err
	}
	return found[0], nil
}

// AddInstance makes an instance, see [Store].
func (s *database) AddInstance(ctx context.Context, name, title string) error {
	return s.write(ctx, "adding instance "+name, func(tx *tx) error {
		if err := errors.Join(checkName("the instance", name), checkName("the title", title)); err != nil {
			return err
		}
		n, err := tx.exec(`INSERT INTO instances (name, title, state, created_at) VALUES ($1, $2, 'active', {now})
			ON CONFLICT (name) DO NOTHING`, name, title)
		if err == nil && n == 0 {
			return fmt.Errorf("%w: there is an instance %q already", ErrInvalid, name)
		}
		return err
	})
}

// SetInstance changes title and state, see [Store].
func (s *database) SetInstance(ctx context.Context, name, title string, state InstanceState) error {
	return s.write(ctx, "changing instance "+name, func(tx *tx) error {
		if err := checkName("the title", title); err != nil {
			return err
		}
		if state != InstanceActive && state != InstancePaused {
			return fmt.Errorf("%w: an instance cannot be set to %q", ErrInvalid, state)
		}
		n, err := tx.exec(`UPDATE instances SET title = $1, state = $2 WHERE name = $3 AND state <> 'removing'`, title, string(state), name)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
}

// instanceTables are the tables whose rows belong to an instance, each with a
// column that tells its rows apart, in the order in which they are emptied: what
// others point to goes after them. With a run go its steps and its ties to events.
var instanceTables = []struct{ name, column string }{
	{"steps", "id"}, {"runs", "id"}, {"events", "id"}, {"links", "id"}, {"leases", "key"}, {"cursors", "name"}, {"feeds", "name"}, {"feed_records", "key"}, {"schedules", "name"}, {"settings", "name"},
}

// removeBatch bounds a commit of RemoveInstance.
const removeBatch = 500

// RemoveInstance forgets an instance and all that belongs to it, see [Store].
func (s *database) RemoveInstance(ctx context.Context, name string) error {
	doing := "removing instance " + name
	err := s.write(ctx, doing, func(tx *tx) error {
		n, err := tx.exec(`UPDATE instances SET state = 'removing' WHERE name = $1 AND state <> 'active'`, name)
		switch {
		case err != nil:
			return err
		case n > 0:
			return workedNow(tx, name)
		}
		var state string
		if err := tx.row(`SELECT state FROM instances WHERE name = $1`, []any{name}, &state); errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		} else if err != nil {
			return err
		}
		return fmt.Errorf("%w: pause it first", ErrInvalid)
	})
	if err != nil {
		return err
	}
	for _, table := range instanceTables {
		for n := int64(removeBatch); n == removeBatch; {
			if err := s.write(ctx, doing, func(tx *tx) (err error) {
				n, err = tx.exec(`DELETE FROM `+table.name+` WHERE instance = $1 AND `+table.column+` IN (
					SELECT `+table.column+` FROM `+table.name+` WHERE instance = $1 LIMIT $2)`, name, removeBatch)
				return err
			}); err != nil {
				return err
			}
		}
	}
	// Events that were accepted in the last moment go with the rest.
	return s.write(ctx, doing, func(tx *tx) error {
		for _, table := range instanceTables {
			if _, err := tx.exec(`DELETE FROM `+table.name+` WHERE instance = $1`, name); err != nil {
				return err
			}
		}
		_, err := tx.exec(`DELETE FROM instances WHERE name = $1`, name)
		return err
	})
}

// workedNow refuses while a worker still holds a key of a paused instance.
func workedNow(tx *tx, name string) error {
	var key string
	err := tx.row(`SELECT key FROM leases WHERE instance = $1 AND run_id <> 0 AND expires_at > {now} LIMIT 1`, []any{name}, &key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: a run of %s is still being worked; try again in a moment", ErrInvalid, key)
}
