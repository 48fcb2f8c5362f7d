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

// findLink reads the row of one side, nil when there is none. With lock it stays
// as it is until the commit.
func findLink(tx *tx, instance string, key LinkKey, lock string) (*Link, error) {
	links, err := collect(tx, scanLink, `SELECT `+linkColumns+` FROM links
		WHERE instance = $1 AND tbl = $2 AND `+key.Side.column()+` = $3 AND `+key.Side.column()+` <> ''`+lock,
		instance, key.Table, key.Value)
	if err != nil || len(links) == 0 {
		return nil, err
	}
	return &links[0], nil
}

// FindLink finds a link by one side, see [Store].
func (s *database) FindLink(ctx context.Context, instance string, key LinkKey) (*Link, error) {
	var link *Link
	err := s.read(ctx, "finding a link in "+key.Table, func(tx *tx) (err error) {
		if err := checkLinkKey(key); err != nil {
			return err
		}
		link, err = findLink(tx, instance, key, "")
		return err
	})
	return link, err
}

// ClaimLinks makes a claimed row for each key that has none, see [Store].
func (s *database) ClaimLinks(ctx context.Context, lease Lease, keys ...LinkKey) ([]Link, error) {
	// Rows are taken in one order by all, so that two runs which want the same two
	// do not wait for each other.
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareLinkKeys(keys[a], keys[b]) })

	var links []Link
	err := s.write(ctx, fmt.Sprintf("claiming links for run %d", lease.RunID), func(tx *tx) error {
		links = make([]Link, len(keys))
		if err := holdsLease(tx, lease); err != nil {
			return err
		}
		if err := lockLinks(tx, lease.Instance, false); err != nil {
			return err
		}
		for _, i := range order {
			if err := checkLinkKey(keys[i]); err != nil {
				return err
			}
			link, err := claimLink(tx, lease, keys[i])
			if err != nil {
				return err
			}
			links[i] = *link
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return links, nil
}

func compareLinkKeys(a, b LinkKey) int {
	return slices.Compare([]string{a.Table, string(a.Side), a.Value}, []string{b.Table, string(b.Side), b.Value})
}

func claimLink(tx *tx, lease Lease, key LinkKey) (*Link, error) {
	link, err := findLink(tx, lease.Instance, key, `{lock}`)
	if err == nil && link == nil {
		// A row that another transaction is inserting is waited for, and then found.
		_, err = tx.exec(`INSERT INTO links (instance, tbl, `+key.Side.column()+`, `+key.Side.other().column()+`,
				state, epoch, run_id, updated_at)
			VALUES ($1, $2, $3, '', 'claimed', $4, $5, {now}) ON CONFLICT DO NOTHING`,
			lease.Instance, key.Table, key.Value, lease.Epoch, lease.RunID)
		if err == nil {
			link, err = findLink(tx, lease.Instance, key, `{lock}`)
		}
	}
	if err != nil {
		return nil, err
	}
	if link == nil {
		// Deleted between the two statements; whoever did it is done now.
		return nil, fmt.Errorf("%w: %s %s %s is being removed", ErrClaimed, key.Table, key.Side, key.Value)
	}
	if link.State != LinkClaimed || link.RunID == lease.RunID && link.Epoch == lease.Epoch {
		return link, nil
	}
	if err := claimable(tx, lease, link); err != nil {
		return nil, err
	}
	if _, err := tx.exec(`UPDATE links SET epoch = $1, run_id = $2, updated_at = {now} WHERE id = $3`,
		lease.Epoch, lease.RunID, link.ID); err != nil {
		return nil, err
	}
	link.Epoch, link.RunID = lease.Epoch, lease.RunID
	return link, nil
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
