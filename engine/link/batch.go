package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// Batch asks for the other sides of many records of one table. An item that
// fails does not stop its neighbours. The functions are told which items are
// meant by their places in Items, and answer with something for each of them, in
// that order; an error of their own ends the whole.
type Batch struct {
	Lease store.Lease
	// Side that is known: the items' keys are of this side.
	Side  store.Side
	Table Table
	Items []Item
	// Recheck matches even where a link exists.
	Recheck bool

	// Match finds candidates for the unknown sides; nil finds none.
	Match func(ctx context.Context, at []int) ([]Found, error)
	// Create makes the records; nil means that they must exist.
	Create func(ctx context.Context, at []int) ([]Made, error)
	// Update writes what changed to records that are there; nil writes nothing.
	Update func(ctx context.Context, changed []Changed) ([]error, error)
}

// Item is a record of a batch, by the key of its known side.
type Item struct {
	Key any
	// Also are rows of other tables for the same record, claimed with its own.
	Also []Row
	// Values are what the record should be; their fingerprints are kept.
	Values map[string]any
}

// Found are the records that may be an item's, or why it is not known.
type Found struct {
	Candidates []any
	Err        error
}

// Made is the key of a record that was created, or why it was not.
type Made struct {
	Key any
	Err error
}

// Changed is a record that is there and of which some values differ from those
// last written.
type Changed struct {
	At int // its place in the batch's items
	Pair
	Changes map[string]any
}

// Outcome is what became of an item.
type Outcome struct {
	Result
	Err error
}

// EnsureEach does for each item what Ensure does for one, with one call of the
// store for all claims and one for all rows. Each outcome's Err is as Ensure's.
// The error is one that ends the whole: the store's, or one of the functions'.
func (l *Linker) EnsureEach(ctx context.Context, batch Batch) ([]Outcome, error) {
	b := &ensuring{Batch: batch, store: l.Store, items: make([]ensured, len(batch.Items))}
	at := make([]int, len(batch.Items))
	for i := range at {
		at[i] = i
		b.items[i].rows = batch.rowsOf(batch.Items[i])
	}
	if l.Locks != nil {
		release, err := l.Locks.take(ctx, b.keys())
		if err != nil {
			return nil, err
		}
		defer release()
	}
	wait := l.ClaimWait
	if wait == 0 {
		wait = 5 * time.Second
	}
	deadline := time.Now().Add(wait)
	for pause := 10 * time.Millisecond; len(at) > 0; {
		again, err := b.round(ctx, at)
		if err != nil {
			return nil, err
		}
		if b.waits(again) {
			if time.Now().After(deadline) {
				// Those that wait for another run have waited long enough.
				again = slices.DeleteFunc(again, b.isClaimed)
			} else if err := sleep(ctx, pause); err != nil {
				return nil, err
			}
			pause = min(2*pause, 200*time.Millisecond)
		}
		slices.Sort(again) // of two items of one key the later one has the last word
		at = again
	}
	out := make([]Outcome, len(b.items))
	for i, item := range b.items {
		out[i] = Outcome{item.Result, item.err}
		if item.err != nil {
			out[i].Result = Result{}
		}
	}
	return out, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// rowsOf are an item's rows: its own, then those of other tables.
func (b *Batch) rowsOf(item Item) []Row {
	return append([]Row{{b.Table, item.Key}}, item.Also...)
}

// makes tells whether records that have no link may get one.
func (b *Batch) makes() bool { return b.Match != nil || b.Create != nil }

func (b *Batch) key(row Row) store.LinkKey {
	return store.LinkKey{Table: row.Table.Name, Side: b.Side, Value: Text(row.Key)}
}

// keys are those of all rows of all items.
func (b *ensuring) keys() []store.LinkKey {
	var keys []store.LinkKey
	for _, item := range b.items {
		for _, row := range item.rows {
			keys = append(keys, b.key(row))
		}
	}
	return keys
}

// ensuring is one EnsureEach at work.
type ensuring struct {
	Batch
	store store.Store
	items []ensured
}

// ensured is how far an item is.
type ensured struct {
	Result
	err   error
	rows  []Row
	links []store.Link // its rows as they were found
	other string       // the other side's key, once it is known
	old   map[string]string
}

// isClaimed tells whether another run is making an item's record.
func (b *ensuring) isClaimed(i int) bool { return errors.Is(b.items[i].err, store.ErrClaimed) }

func (b *ensuring) waits(at []int) bool { return slices.ContainsFunc(at, b.isClaimed) }

// round works items off, and returns those that have to be tried again: two of
// one key, of which the second must find what the first makes; those that another
// run is making; and those whose link was to a record that is gone.
func (b *ensuring) round(ctx context.Context, at []int) (again []int, err error) {
	now, again := b.distinct(at)
	if err := b.find(ctx, now); err != nil {
		return nil, err
	}
	var unknown, known []int
	for _, i := range now {
		switch item := &b.items[i]; {
		case b.isClaimed(i):
			again = append(again, i)
		case item.err != nil:
		case item.other == "":
			unknown = append(unknown, i)
		default:
			known = append(known, i)
		}
	}
	matched, unmatched, err := b.match(ctx, unknown)
	if err != nil {
		return nil, err
	}
	known = append(known, matched...)
	if known, err = b.update(ctx, known); err != nil {
		return nil, err
	}
	unmatched, gone, err := b.unlink(ctx, unmatched)
	if err != nil {
		return nil, err
	}
	again = append(again, gone...)
	made, err := b.create(ctx, unmatched)
	if err != nil {
		return nil, err
	}
	return again, b.save(ctx, append(known, made...))
}

// distinct sets aside the items that share a key with one before them.
func (b *ensuring) distinct(at []int) (now, later []int) {
	seen := map[store.LinkKey]bool{}
	for _, i := range at {
		shares := false
		for _, row := range b.items[i].rows {
			shares = shares || seen[b.key(row)]
		}
		b.items[i].err = nil
		if shares {
			later = append(later, i)
			continue
		}
		for _, row := range b.items[i].rows {
			seen[b.key(row)] = true
		}
		now = append(now, i)
	}
	return now, later
}

// match finds the records of items without a link.
func (b *ensuring) match(ctx context.Context, at []int) (matched, unmatched []int, err error) {
	if b.Match == nil || len(at) == 0 {
		return nil, at, nil
	}
	found, err := b.Match(ctx, at)
	if err == nil && len(found) != len(at) {
		err = fmt.Errorf("matching %d records of %s gave %d answers", len(at), b.Table.Name, len(found))
	}
	if err != nil {
		return nil, nil, err
	}
	for n, i := range at {
		item := &b.items[i]
		candidates := distinct(found[n].Candidates)
		switch {
		case found[n].Err != nil:
			item.err = found[n].Err
		case len(candidates) > 1:
			item.err = &AmbiguousError{Table: b.Table.Name, Key: b.Items[i].Key, Candidates: candidates}
		case len(candidates) == 1:
			b.settle(i, Text(candidates[0]))
			matched = append(matched, i)
		default:
			unmatched = append(unmatched, i)
		}
	}
	return matched, unmatched, nil
}

// settle fixes an item's other side.
func (b *ensuring) settle(i int, other string) {
	item := &b.items[i]
	item.other = other
	local, remote := other, Text(b.Items[i].Key)
	if b.Side == store.Local {
		local, remote = remote, local
	}
	if item.Pair, item.err = b.Table.Pair(local, remote); item.err != nil {
		return
	}
	item.old = map[string]string{}
	if main := item.links[0]; main.State == store.Linked && otherSide(b.Side, main) == other {
		// What was last written is of this record only.
		item.old, item.err = DecodeFingerprints(main.Fingerprints)
	}
}

// update writes what changed of records that are there.
func (b *ensuring) update(ctx context.Context, at []int) (fine []int, err error) {
	var changed []Changed
	for _, i := range at {
		if b.Update == nil || b.items[i].err != nil {
			continue
		}
		if changes := Changes(b.Items[i].Values, b.items[i].old); len(changes) > 0 {
			changed = append(changed, Changed{At: i, Pair: b.items[i].Pair, Changes: changes})
		}
	}
	if len(changed) > 0 {
		refused, err := b.Update(ctx, changed)
		if err == nil && len(refused) != len(changed) {
			err = fmt.Errorf("updating %d records of %s gave %d answers", len(changed), b.Table.Name, len(refused))
		}
		if err != nil {
			return nil, err
		}
		for n, c := range changed {
			b.items[c.At].err, b.items[c.At].Updated = refused[n], refused[n] == nil
		}
	}
	for _, i := range at {
		if b.items[i].err == nil {
			fine = append(fine, i)
		}
	}
	return fine, nil
}
