package link

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// find finds the items' rows, and claims them where there is something to make.
// A batch that makes nothing is about its own table's rows only.
func (b *ensuring) find(ctx context.Context, at []int) error {
	var missing []int
	links, err := b.lookUp(ctx, at)
	if err != nil {
		return err
	}
	for n, i := range at {
		item := &b.items[i]
		if item.links = links[n]; item.links == nil {
			missing = append(missing, i)
		}
	}
	if !b.makes() {
		for _, i := range missing {
			b.items[i].err = &MissingError{Table: b.Table.Name, Key: b.Items[i].Key}
		}
	} else if err := b.claim(ctx, missing); err != nil {
		return err
	}
	for _, i := range at {
		b.adopt(i)
	}
	return nil
}

// lookUp finds rows without writing: for each item all of them, or nil when one
// is not linked.
func (b *ensuring) lookUp(ctx context.Context, at []int) ([][]store.Link, error) {
	out := make([][]store.Link, len(at))
	var keys []store.LinkKey
	for _, i := range at {
		for _, row := range b.wanted(i) {
			keys = append(keys, b.key(row))
		}
	}
	if len(keys) == 0 {
		return out, nil
	}
	found, err := b.store.FindLinks(ctx, b.Lease.Instance, keys...)
	if err != nil {
		return nil, err
	}
	for n, i := range at {
		count := len(b.wanted(i))
		rows := make([]store.Link, 0, count)
		for _, row := range found[:count] {
			if row != nil && row.State == store.Linked {
				rows = append(rows, *row)
			}
		}
		if len(rows) == count {
			out[n] = rows
		}
		found = found[count:]
	}
	return out, nil
}

// wanted are the rows that an item is about.
func (b *ensuring) wanted(i int) []Row {
	if b.makes() {
		return b.items[i].rows
	}
	return b.items[i].rows[:1]
}

// claim claims the rows of items, each item's all or none.
func (b *ensuring) claim(ctx context.Context, at []int) error {
	if len(at) == 0 {
		return nil
	}
	groups := make([][]store.LinkKey, len(at))
	for n, i := range at {
		for _, row := range b.items[i].rows {
			groups[n] = append(groups[n], b.key(row))
		}
	}
	claims, err := b.store.ClaimEach(ctx, b.Lease, groups...)
	if err != nil {
		return err
	}
	for n, i := range at {
		b.items[i].links, b.items[i].err = claims[n].Links, claims[n].Err
	}
	return nil
}

// adopt takes the other side from the first row that has one.
func (b *ensuring) adopt(i int) {
	item := &b.items[i]
	item.other = ""
	if item.err != nil || b.Recheck && b.Match != nil {
		return
	}
	for _, row := range item.links {
		if row.State == store.Linked {
			b.settle(i, otherSide(b.Side, row))
			return
		}
	}
}

// unlink prepares items for being created: one that is linked, and whose recheck
// found nothing, loses its row first. Without a claim two runs would both create.
func (b *ensuring) unlink(ctx context.Context, at []int) (claimed, gone []int, err error) {
	for _, i := range at {
		item := &b.items[i]
		switch {
		case b.Create == nil:
			item.err = &MissingError{Table: b.Table.Name, Key: b.Items[i].Key}
		case item.links[0].State == store.Linked:
			err := b.store.DeleteLink(ctx, b.Lease.Instance, item.links[0].ID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, nil, err
			}
			gone = append(gone, i)
		default:
			claimed = append(claimed, i)
		}
	}
	return claimed, gone, nil
}

// create makes the records that nothing matched.
func (b *ensuring) create(ctx context.Context, at []int) (fine []int, err error) {
	if len(at) == 0 {
		return nil, nil
	}
	made, err := b.Create(ctx, at)
	if err == nil && len(made) != len(at) {
		err = fmt.Errorf("creating %d records of %s gave %d answers", len(at), b.Table.Name, len(made))
	}
	if err != nil {
		return nil, err
	}
	for n, i := range at {
		item := &b.items[i]
		switch key := Text(made[n].Key); {
		case made[n].Err != nil:
			item.err = made[n].Err
		case key == "":
			item.err = fmt.Errorf("creating %s %v gave no id", b.Table.Name, b.Items[i].Key)
		default:
			if b.settle(i, key); item.err == nil {
				item.Created = true
				fine = append(fine, i)
			}
		}
	}
	return fine, nil
}

// saveTime bounds what is saved after a batch was told to stop.
const saveTime = 10 * time.Second

// save fills the rows of items, in one commit.
func (b *ensuring) save(ctx context.Context, at []int) error {
	var groups [][]store.LinkWrite
	var saved []int
	for _, i := range at {
		group, err := b.writes(i)
		if err != nil {
			return err
		}
		if group != nil {
			groups, saved = append(groups, group), append(saved, i)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	// What was created must not be forgotten because the time is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	refused, err := b.store.SaveEach(ctx, b.Lease, groups...)
	if err != nil {
		return err
	}
	for n, i := range saved {
		item := &b.items[i]
		item.err = refused[n]
		if errors.Is(item.err, store.ErrLinkTaken) {
			item.err = &TakenError{Table: b.Table.Name, Key: b.Items[i].Key, Found: item.other}
		}
	}
	return nil
}

// writes are the rows to write for an item; nil when they are right already.
func (b *ensuring) writes(i int) ([]store.LinkWrite, error) {
	item := &b.items[i]
	// Of values that are not given this time, what was last written still holds.
	// A record that was only found has not been written.
	prints := maps.Clone(item.old)
	if item.Created || item.Updated {
		maps.Copy(prints, Fingerprints(b.Items[i].Values))
	}
	right := !item.Created && !item.Updated
	for _, row := range item.links {
		right = right && row.State == store.Linked && otherSide(b.Side, row) == item.other
	}
	if right {
		return nil, nil
	}
	encoded, err := encodePrints(prints)
	if err != nil {
		return nil, err
	}
	group := []store.LinkWrite{b.write(item.rows[0], item.other, encoded, b.Table.KeyMayChange || b.Recheck)}
	if len(item.links) == len(item.rows) {
		for _, row := range item.rows[1:] {
			// A record that changed its second key (a customer's new e-mail) keeps
			// its row.
			group = append(group, b.write(row, item.other, nil, true))
		}
	}
	return group, nil
}

func (b *Batch) write(row Row, other string, prints []byte, replace bool) store.LinkWrite {
	w := store.LinkWrite{Table: row.Table.Name, Local: other, Remote: Text(row.Key), Fingerprints: prints, Replace: replace}
	if b.Side == store.Local {
		w.Local, w.Remote = w.Remote, w.Local
	}
	return w
}
