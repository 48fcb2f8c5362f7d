package link

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/flowctl/flowctl/engine/store"
)

// maxPairs bounds what one rebuild holds in memory.
const maxPairs = 2_000_000

// rebuildBatch is how many links a rebuild writes in one commit.
const rebuildBatch = 500

// Candidate is a link as the two systems tell it. Each side has the keys that it
// may be: one is a link, several are for a person, none says that the record of
// the other side has no counterpart. A weak one counts only where nothing else
// tells of the remote record.
type Candidate struct {
	Local, Remote []string
	Weak          bool
}

// Page is a part of what the systems tell.
type Page struct {
	Candidates []Candidate
	Cursor     string // where the next page begins
	More       bool
}

// Rebuild finds a table's links again, after the store was lost or is not
// trusted: Pages asks the two systems, page by page.
type Rebuild struct {
	Store    store.Store
	Instance string
	Table    Table
	Pages    func(ctx context.Context, cursor string) (Page, error)
	// Force lets what the systems tell replace what the store has.
	Force bool
	// DryRun only looks.
	DryRun bool
	// Progress, if set, is told how many pairs were found so far.
	Progress func(found int)
}

// Rebuilt says what a rebuild found and did.
type Rebuilt struct {
	Found     int // links that the systems tell, without those in doubt
	Written   int
	Unchanged int
	// Differs are those that the store has otherwise; replaced only by force.
	Differs []Difference
	// Doubtful are records that may be several, and are not linked.
	Doubtful []Doubt
	// Alone counts records without a counterpart.
	Alone int
	// Busy counts records that a run was making meanwhile.
	Busy int
	// Unconfirmed counts the store's links of which the systems tell nothing. They
	// stay.
	Unconfirmed int
}

// Difference is a link that the store has otherwise.
type Difference struct {
	Local, Remote string
	Stored        []store.Link
}

// Doubt is a record that may be several.
type Doubt struct {
	Side  store.Side
	Key   string
	Maybe []string
}

// Run rebuilds the table.
func (r *Rebuild) Run(ctx context.Context) (Rebuilt, error) {
	g := &gathered{table: r.Table}
	for cursor := ""; ; {
		page, err := r.Pages(ctx, cursor)
		if err != nil {
			return Rebuilt{}, err
		}
		if err := g.add(page.Candidates); err != nil {
			return Rebuilt{}, err
		}
		if r.Progress != nil {
			r.Progress(len(g.pairs))
		}
		if !page.More {
			break
		}
		if page.Cursor == cursor {
			return Rebuilt{}, fmt.Errorf("rebuilding %s: there is more, but the cursor %q does not move", r.Table.Name, cursor)
		}
		cursor = page.Cursor
	}
	pairs, report := g.resolve()
	report.Found = len(pairs)
	for batch := range slices.Chunk(pairs, rebuildBatch) {
		if err := r.batch(ctx, batch, &report); err != nil {
			return report, err
		}
	}
	return report, r.unconfirmed(ctx, pairs, &report)
}

// batch compares links with the store's, and writes those that are missing.
func (r *Rebuild) batch(ctx context.Context, pairs []pairOf, report *Rebuilt) error {
	keys := make([]store.LinkKey, 0, 2*len(pairs))
	for _, p := range pairs {
		keys = append(keys, store.LinkKey{Table: r.Table.Name, Side: store.Local, Value: p.local}, store.LinkKey{Table: r.Table.Name, Side: store.Remote, Value: p.remote})
	}
	rows, err := r.Store.FindLinks(ctx, r.Instance, keys...)
	if err != nil {
		return err
	}
	var writes []store.LinkWrite
	for i, p := range pairs {
		var differs []store.Link
		same := false
		for _, row := range rows[2*i : 2*i+2] {
			switch {
			case row == nil || row.State != store.Linked:
			case row.Local == p.local && row.Remote == p.remote:
				same = true
			default:
				differs = append(differs, *row)
			}
		}
		switch {
		case same:
			report.Unchanged++
			continue
		case len(differs) > 0:
			report.Differs = append(report.Differs, Difference{p.local, p.remote, differs})
			if !r.Force {
				continue
			}
		}
		writes = append(writes, store.LinkWrite{Table: r.Table.Name, Local: p.local, Remote: p.remote, Replace: r.Force})
	}
	return r.write(ctx, writes, report)
}

// write writes links in one commit, or each in its own when one of them cannot
// be: what a run is making right now is right without us.
func (r *Rebuild) write(ctx context.Context, writes []store.LinkWrite, report *Rebuilt) error {
	if len(writes) == 0 {
		return nil
	}
	if r.DryRun {
		report.Written += len(writes)
		return nil
	}
	err := r.Store.PutLinks(ctx, r.Instance, writes...)
	if err == nil {
		report.Written += len(writes)
		return nil
	}
	if busy := errors.Is(err, store.ErrClaimed) || errors.Is(err, store.ErrLinkTaken); !busy {
		return err
	} else if len(writes) == 1 {
		report.Busy++
		return nil
	}
	half := len(writes) / 2
	if err := r.write(ctx, writes[:half], report); err != nil {
		return err
	}
	return r.write(ctx, writes[half:], report)
}

// unconfirmed counts the links of which the systems tell nothing.
func (r *Rebuild) unconfirmed(ctx context.Context, pairs []pairOf, report *Rebuilt) error {
	known := make(map[pairOf]bool, len(pairs))
	locals, remotes := make(map[string]bool, len(pairs)), make(map[string]bool, len(pairs))
	for _, p := range pairs {
		known[p], locals[p.local], remotes[p.remote] = true, true, true
	}
	filter := store.LinkFilter{Instance: r.Instance, Table: r.Table.Name, Limit: store.MaxPage}
	for {
		rows, err := r.Store.Links(ctx, filter)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.State == store.Linked && !known[pairOf{row.Local, row.Remote}] && !locals[row.Local] && !remotes[row.Remote] {
				report.Unconfirmed++
			}
		}
		if len(rows) < store.MaxPage {
			return nil
		}
		filter.After = rows[len(rows)-1].ID
	}
}
