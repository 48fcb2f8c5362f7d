package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// SaveLinks writes links in one commit, see [Store].
func (s *database) SaveLinks(ctx context.Context, lease Lease, links ...LinkWrite) error {
	if len(links) == 0 {
		return nil
	}
	refused, err := s.SaveEach(ctx, lease, links)
	if err == nil && refused[0] != nil {
		err = fmt.Errorf("writing links for run %d: %w", lease.RunID, refused[0])
	}
	return err
}

// SaveEach writes groups of links in one commit, see [Store]. With Replace they
// are written in the order given, so that two records can change places.
func (s *database) SaveEach(ctx context.Context, lease Lease, groups ...[]LinkWrite) ([]error, error) {
	var refused []error
	replaces := slices.ContainsFunc(groups, func(group []LinkWrite) bool {
		return slices.ContainsFunc(group, func(w LinkWrite) bool { return w.Replace })
	})
	err := s.write(ctx, fmt.Sprintf("writing links for run %d", lease.RunID), func(tx *tx) (err error) {
		if err := holdsLease(tx, lease); err != nil {
			return err
		}
		if err := lockLinks(tx, lease.Instance, replaces); err != nil {
			return err
		}
		refused, err = saveEach(tx, lease, groups, !replaces)
		return err
	})
	return refused, err
}

// PutLinks writes links without a lease, see [Store]. Their rows name no run.
func (s *database) PutLinks(ctx context.Context, instance string, links ...LinkWrite) error {
	if err := checkName("the instance", instance); err != nil {
		return fmt.Errorf("importing links: %w", err)
	}
	return s.write(ctx, "importing links", func(tx *tx) error {
		refused, err := saveEach(tx, Lease{Instance: instance}, [][]LinkWrite{links}, false)
		if err != nil {
			return err
		}
		return refused[0]
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

// saving is one SaveEach at work: what it would do is decided group by group on
// the rows as they would be by then, and done at the end.
type saving struct {
	tx    *tx
	lease Lease
	rows  *linkSet
	// undo takes back what the present group did to rows.
	undo  []func()
	steps []linkStep
}

// linkStep is a statement to come: the row that goes first, if any, and what
// becomes of the other, which has no id while it is not inserted.
type linkStep struct {
	drop, row *Link
	link      Link
}

// saveEach writes groups, each wholly or not at all, and says of each why not.
// With sorted the order of the groups says nothing, and one order for all
// transactions is taken, so that they wait least.
func saveEach(tx *tx, lease Lease, groups [][]LinkWrite, sorted bool) ([]error, error) {
	var keys []LinkKey
	refused := make([]error, len(groups))
	for i, group := range groups {
		for _, w := range group {
			for _, key := range w.keys() {
				if err := checkLinkKey(key); err != nil {
					refused[i] = err
				}
				keys = append(keys, key)
			}
		}
	}
	rows, err := readLinks(tx, lease.Instance, keys, `{lock}`)
	if err != nil {
		return nil, err
	}
	s := &saving{tx: tx, lease: lease, rows: rows}
	for i, group := range groups {
		if refused[i] != nil {
			continue
		}
		err := s.group(group)
		if err != nil && !own(err) {
			return nil, err
		}
		refused[i] = err
	}
	if sorted {
		slices.SortStableFunc(s.steps, func(a, b linkStep) int {
			return cmp.Or(cmp.Compare(a.link.Table, b.link.Table), cmp.Compare(a.link.Local, b.link.Local), cmp.Compare(a.link.Remote, b.link.Remote))
		})
	}
	for _, step := range s.steps {
		if err := s.do(step); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// group decides on a group's writes, or on none of them.
func (s *saving) group(group []LinkWrite) error {
	s.undo = s.undo[:0]
	before := len(s.steps)
	for i := range group {
		if err := s.save(&group[i]); err != nil {
			s.steps = s.steps[:before]
			for _, undo := range slices.Backward(s.undo) {
				undo()
			}
			return err
		}
	}
	return nil
}

func (w *LinkWrite) keys() [2]LinkKey {
	return [2]LinkKey{{w.Table, Local, w.Local}, {w.Table, Remote, w.Remote}}
}

func (s *saving) save(w *LinkWrite) error {
	var found [2]*Link
	for i, key := range w.keys() {
		found[i] = s.rows.find(key)
		if err := writable(s.tx, s.lease, w, found[i]); err != nil {
			return err
		}
	}
	// Of two rows one is filled and the other goes, before it, for both sides are
	// unique.
	keep, drop := found[0], found[1]
	if keep == nil {
		keep, drop = drop, nil
	}
	step := linkStep{row: keep, link: Link{Table: w.Table, Local: w.Local, Remote: w.Remote, State: Linked, Fingerprints: w.Fingerprints}}
	if drop != nil && drop != keep {
		step.drop = drop
		s.rows.drop(drop)
		s.undo = append(s.undo, func() { s.rows.index(drop) })
	}
	if keep == nil {
		step.row = &Link{}
	} else if w.Fingerprints == nil && keep.Local == w.Local && keep.Remote == w.Remote {
		step.link.Fingerprints = keep.Fingerprints
	}
	s.become(step.row, step.link)
	s.steps = append(s.steps, step)
	return nil
}

// become makes a row what it will be.
func (s *saving) become(row *Link, next Link) {
	before := *row
	next.ID = before.ID
	s.rows.drop(row)
	*row = next
	s.rows.index(row)
	s.undo = append(s.undo, func() {
		s.rows.drop(row)
		*row = before
		s.rows.index(row)
	})
}

func (s *saving) do(step linkStep) error {
	if step.drop != nil {
		if _, err := s.tx.exec(`DELETE FROM links WHERE id = $1`, step.drop.ID); err != nil {
			return err
		}
	}
	l := step.link
	if step.row.ID == 0 {
		return s.tx.row(`INSERT INTO links (instance, tbl, local, remote, state, fingerprints, epoch, run_id, updated_at)
			VALUES ($1, $2, $3, $4, 'linked', $5, $6, $7, {now}) RETURNING id`,
			[]any{s.lease.Instance, l.Table, l.Local, l.Remote, blob(l.Fingerprints), s.lease.Epoch, s.lease.RunID}, &step.row.ID)
	}
	_, err := s.tx.exec(`UPDATE links SET local = $1, remote = $2, state = 'linked', fingerprints = $3,
			epoch = $4, run_id = $5, updated_at = {now}
		WHERE id = $6`, l.Local, l.Remote, blob(l.Fingerprints), s.lease.Epoch, s.lease.RunID, step.row.ID)
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
