package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
)

// Cursor reads where a feed stands, see [Store].
func (s *database) Cursor(ctx context.Context, instance, name string) (string, error) {
	var value string
	err := s.read(ctx, "reading cursor "+name, func(tx *tx) error {
		err := tx.row(`SELECT value FROM cursors WHERE instance = $1 AND name = $2`, []any{instance, name}, &value)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return value, err
}

// SetCursor moves a cursor.
func (s *database) SetCursor(ctx context.Context, instance, name, value string) error {
	return s.write(ctx, "moving cursor "+name, func(tx *tx) error {
		if err := errors.Join(checkName("the instance", instance), checkName("the cursor's name", name)); err != nil {
			return err
		}
		_, err := tx.exec(`INSERT INTO cursors (instance, name, value, updated_at) VALUES ($1, $2, $3, {now})
			ON CONFLICT (instance, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
			instance, name, text(value))
		return err
	})
}

// Settings reads an instance's settings.
func (s *database) Settings(ctx context.Context, instance string) (map[string][]byte, error) {
	settings := map[string][]byte{}
	err := s.read(ctx, "reading settings", func(tx *tx) error {
		_, err := collect(tx, func(row scanner) (struct{}, error) {
			var name string
			var value []byte
			err := row.Scan(&name, &value)
			if value == nil {
				value = []byte{} // empty: there are no rows of nothing
			}
			settings[name] = value
			return struct{}{}, err
		}, `SELECT name, value FROM settings WHERE instance = $1`, instance)
		return err
	})
	return settings, err
}

// SaveSettings writes some settings in one commit, see [Store].
func (s *database) SaveSettings(ctx context.Context, instance string, values map[string][]byte) error {
	return s.write(ctx, "saving settings", func(tx *tx) error {
		if err := checkName("the instance", instance); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(values)) { // sorted: two savers lock in one order
			if err := checkName("the setting's name", name); err != nil {
				return err
			}
			var err error
			if value := values[name]; value == nil {
				_, err = tx.exec(`DELETE FROM settings WHERE instance = $1 AND name = $2`, instance, name)
			} else {
				_, err = tx.exec(`INSERT INTO settings (instance, name, value, updated_at) VALUES ($1, $2, $3, {now})
					ON CONFLICT (instance, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
					instance, name, value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
