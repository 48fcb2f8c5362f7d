package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// SaveLinks writes links in one commit, see [Store]. With Replace they
// are written in the order given, so that two records can change places.
func (s *database) SaveLinks(ctx context.Context, lease Lease, links ...LinkWrite) error {
	if len(links) == 0 {
		return nil
	}
	replaces := slices.ContainsFunc(links, func(w LinkWrite) bool { return w.Replace })
	if !replaces {
		// Then the order says nothing, and one order for all waits least.
		links = slices.Clone(links)
		slices.SortFunc(links, func(a, b LinkWrite) int {
			return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Local, b.Local), cmp.Compare(a.Remote, b.Remote))
		})
	}
	return s.write(ctx, fmt.Sprintf("writing links for run %d", lease.RunID), func(tx *tx) error {
		if err := holdsLease(tx, lease); err != nil {
			return err
		}
		if err := lockLinks(tx, lease.Instance, replaces); err != nil {
			return err
		}
		for i := range links {
			if err := saveLink(tx, lease, &links[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutLinks writes links without a lease, see [Store]. Their rows name no run.
func (s *database) PutLinks(ctx context.Context, instance string, links ...LinkWrite) error {
	if err := checkName("the instance", instance); err != nil {
		return fmt.Errorf("importing links: %w", err)
	}
	return s.write(ctx, "importing links", func(tx *tx) error {
		for i := range links {
			if err := saveLink(tx, Lease{Instance: instance}, &links[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// lockLinks keeps a write that replaces, and so touches rows that nobody named,
// apart from all others. The others do well together: they lock rows in one
// order, and where two insert the same the later one tries again.
func lockLinks(tx *tx, instance string, alone bool) error {
	query := tx.dialect.shareLinks
	if alone {
		query = tx.dialect.lockLinks
	}
	if query == "" {
		return nil
	}
	_, err := tx.exec(query, instance)
	return err
}

func saveLink(tx *tx, lease Lease, w *LinkWrite) error {
	sides := [2]LinkKey{{w.Table, Local, w.Local}, {w.Table, Remote, w.Remote}}
	var rows [2]*Link
	for i, key := range sides {
		if err := checkLinkKey(key); err != nil {
			return err
		}
		row, err := findLink(tx, lease.Instance, key, `{lock}`)
		if err != nil {
			return err
		}
		if err := writable(tx, lease, w, row); err != nil {
			return err
		}
		rows[i] = row
	}

	// Of two rows one is filled and the other goes, before it, for both sides are
	// unique.
	keep, drop := rows[0], rows[1]
	if keep == nil {
		keep, drop = drop, nil
	}
	if drop != nil && drop.ID != keep.ID {
		if _, err := tx.exec(`DELETE FROM links WHERE id = $1`, drop.ID); err != nil {
			return err
		}
	}
	if keep == nil {
		_, err := tx.exec(`INSERT INTO links (instance, tbl, local, remote, state, fingerprints, epoch, run_id, updated_at)
			VALUES ($1, $2, $3, $4, 'linked', $5, $6, $7, {now})`,
			lease.Instance, w.Table, w.Local, w.Remote, blob(w.Fingerprints), lease.Epoch, lease.RunID)
		return err
	}
	fingerprints := w.Fingerprints
	if fingerprints == nil && keep.Local == w.Local && keep.Remote == w.Remote {
		fingerprints = keep.Fingerprints
	}
	_, err := tx.exec(`UPDATE links SET local = $1, remote = $2, state = 'linked', fingerprints = $3,
			epoch = $4, run_id = $5, updated_at = {now}
		WHERE id = $6`, w.Local, w.Remote, blob(fingerprints), lease.Epoch, lease.RunID, keep.ID)
	return err
}

// writable tells whether a row may become, or give way to, the pair of w.
func writable(tx *tx, lease Lease, w *LinkWrite, row *Link) error {
	switch {
	case row == nil:
		return nil
	case row.State == LinkClaimed:
		return claimable(tx, lease, row)
	case row.Local == w.Local && row.Remote == w.Remote, w.Replace:
		return nil
	}
	return fmt.Errorf("%w: %s links %s with %s, not %s with %s",
		ErrLinkTaken, w.Table, row.Local, row.Remote, w.Local, w.Remote)
}
