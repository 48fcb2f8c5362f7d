package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const linkColumns = `id, instance, tbl, local, remote, state, fingerprints, epoch, run_id, updated_at`

func scanLink(row scanner) (Link, error) {
	var l Link
	var updated int64
	err := row.Scan(&l.ID, &l.Instance, &l.Table, &l.Local, &l.Remote, &l.State, &l.Fingerprints,
		&l.Epoch, &l.RunID, &updated)
	l.UpdatedAt = instant(updated)
	return l, err
}

// column names the side's column; checkLinkKey has seen to it that there is one.
func (s Side) column() string {
	if s == Local {
		return "local"
	}
	return "remote"
}

func checkLinkKey(key LinkKey) error {
	if key.Side != Local && key.Side != Remote {
		return fmt.Errorf("%w: %q is no side of a link", ErrInvalid, key.Side)
	}
	if err := checkName("the link table", key.Table); err != nil {
		return err
	}
	return checkName("the "+string(key.Side)+" side of a link in "+key.Table, key.Value)
}

// FindLink finds a link by one side, see [Store].
func (s *database) FindLink(ctx context.Context, instance string, key LinkKey) (*Link, error) {
	if err := checkLinkKey(key); err != nil {
		return nil, fmt.Errorf("finding a link: %w", err)
	}
	links, err := s.FindLinks(ctx, instance, key)
	if err != nil {
		return nil, err
	}
	return links[0], nil
}

// FindLinks finds many links, each by one side, see [Store].
func (s *database) FindLinks(ctx context.Context, instance string, keys ...LinkKey) ([]*Link, error) {
	links := make([]*Link, len(keys))
	if len(keys) == 0 {
		return links, nil
	}
	err := s.read(ctx, "finding a link in "+keys[0].Table, func(tx *tx) error {
		// One that cannot be stored is not there.
		storable := slices.DeleteFunc(slices.Clone(keys), func(key LinkKey) bool { return checkLinkKey(key) != nil })
		set, err := readLinks(tx, instance, storable, "")
		if err != nil {
			return err
		}
		for i, key := range keys {
			if link := set.find(key); link != nil {
				own := *link
				links[i] = &own
			}
		}
		return nil
	})
	return links, err
}

// claimable gives ErrClaimed for a claim of another run that still holds its
// lease. An ended lease never comes back, so neither does a dead claim.
func claimable(tx *tx, lease Lease, link *Link) error {
	if link.RunID == lease.RunID {
		return nil
	}
	var flow, key string
	err := tx.row(`SELECT r.flow, r.key FROM runs r
		JOIN leases l ON l.instance = r.instance AND l.key = r.key
		WHERE r.id = $1 AND l.run_id = r.id AND l.epoch = $2 AND l.expires_at > {now}`,
		[]any{link.RunID, link.Epoch}, &flow, &key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: run %d (%s, %s) holds %s %s", ErrClaimed, link.RunID, flow, key, link.Table,
		strings.TrimSpace(link.Local+" "+link.Remote))
}

func (s Side) other() Side {
	if s == Local {
		return Remote
	}
	return Local
}

// Unclaim removes the run's unfilled claims, see [Store].
func (s *database) Unclaim(ctx context.Context, lease Lease) error {
	return s.write(ctx, fmt.Sprintf("giving up the claims of run %d", lease.RunID), func(tx *tx) error {
		if err := holdsLease(tx, lease); err != nil {
			return err
		}
		_, err := tx.exec(`DELETE FROM links WHERE run_id = $1 AND instance = $2 AND state = 'claimed'`,
			lease.RunID, lease.Instance)
		return err
	})
}

// Links lists links by id, see [Store].
func (s *database) Links(ctx context.Context, f LinkFilter) ([]Link, error) {
	var c conditions
	for _, term := range []struct{ column, value string }{
		{"instance", f.Instance}, {"tbl", f.Table}, {"local", f.Local}, {"remote", f.Remote},
	} {
		if term.value != "" {
			c.add(term.column+" = %s", term.value)
		}
	}
	if f.After > 0 {
		c.add("id > %s", f.After)
	}
	var links []Link
	err := s.read(ctx, "listing links", func(tx *tx) (err error) {
		links, err = collect(tx, scanLink, `SELECT `+linkColumns+` FROM links`+c.where()+
			fmt.Sprintf(` ORDER BY id LIMIT %d`, page(f.Limit)), c.args...)
		return err
	})
	return links, err
}

// DeleteLink removes a link by id.
func (s *database) DeleteLink(ctx context.Context, instance string, id int64) error {
	return s.write(ctx, fmt.Sprintf("deleting link %d", id), func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM links WHERE id = $1 AND instance = $2`, id, instance)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
}
