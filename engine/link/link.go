// Package link finds, makes and remembers which local record is which remote
// record: claim the row, match, create, fill the row. A crash anywhere between
// is healed by matching before creating.
package link

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// Linker ensures links in a store.
type Linker struct {
	Store store.Store
	// ClaimWait is how long to wait for another run that is making the same
	// record; 0 means 5 seconds.
	ClaimWait time.Duration
}

// Ensure returns the other side of the record that the request names, making it
// when it does not exist. Errors are AmbiguousError, MissingError, TakenError,
// those of the store, and those of the request's functions.
func (l *Linker) Ensure(ctx context.Context, req Request) (Result, error) {
	rows, err := l.rows(ctx, req)
	if err != nil {
		return Result{}, err
	}
	known := rows[0]
	adopted := ""
	for _, row := range rows {
		if row.State == store.Linked && adopted == "" && !(req.Recheck && req.Match != nil) {
			adopted = otherSide(req.Side, row)
		}
	}
	result := Result{}
	other := adopted
	if adopted == "" {
		other, result.Created, err = l.find(ctx, req, known)
		if errors.Is(err, errUnlinked) {
			// Begin again, this time with a claim.
			return l.Ensure(ctx, req)
		}
		if err != nil {
			return Result{}, err
		}
	}
	result.Pair, err = req.pair(other)
	if err != nil {
		return Result{}, err
	}
	old, err := DecodeFingerprints(known.Fingerprints)
	if err != nil {
		return Result{}, err
	}
	prints := Fingerprints(req.Values)
	if !result.Created && req.Update != nil {
		if changes := Changes(req.Values, old); len(changes) > 0 {
			if err := req.Update(ctx, result.Pair, changes); err != nil {
				return Result{}, err
			}
			result.Updated = true
		}
	}
	if req.Values == nil {
		prints = old
	}
	if known.State == store.Linked && !result.Updated && allLinked(rows, req.Side, other) {
		return result, nil
	}
	return result, l.save(ctx, req, other, prints)
}

// rows finds the request's rows, and claims them where there is something to
// make. A request that makes nothing is about its main row only.
func (l *Linker) rows(ctx context.Context, req Request) ([]store.Link, error) {
	if req.Match != nil || req.Create != nil {
		return l.claim(ctx, req)
	}
	row, err := l.Store.FindLink(ctx, req.Lease.Instance, req.mainKey())
	if err != nil {
		return nil, err
	}
	if row == nil || row.State != store.Linked {
		return nil, &MissingError{Table: req.Main.Table.Name, Key: req.Main.Key}
	}
	return []store.Link{*row}, nil
}

// claim claims the rows, waiting a while for another run that is at it.
func (l *Linker) claim(ctx context.Context, req Request) ([]store.Link, error) {
	keys := []store.LinkKey{req.mainKey()}
	for _, row := range req.Also {
		keys = append(keys, store.LinkKey{Table: row.Table.Name, Side: req.Side, Value: Text(row.Key)})
	}
	if links, done, err := l.lookUp(ctx, req.Lease.Instance, keys); err != nil || done {
		return links, err
	}
	wait := l.ClaimWait
	if wait == 0 {
		wait = 5 * time.Second
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	pause := 10 * time.Millisecond
	for {
		links, err := l.Store.ClaimLinks(ctx, req.Lease, keys...)
		if !errors.Is(err, store.ErrClaimed) {
			return links, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline.C:
			return nil, err
		case <-time.After(pause):
			pause = min(2*pause, 200*time.Millisecond)
		}
	}
}

// lookUp finds all rows without writing; done when all of them are linked.
func (l *Linker) lookUp(ctx context.Context, instance string, keys []store.LinkKey) ([]store.Link, bool, error) {
	links := make([]store.Link, 0, len(keys))
	for _, key := range keys {
		row, err := l.Store.FindLink(ctx, instance, key)
		if err != nil {
			return nil, false, err
		}
		if row == nil || row.State != store.Linked {
			return nil, false, nil
		}
		links = append(links, *row)
	}
	return links, true, nil
}

// errUnlinked says that a row was linked to a record that is gone, and is free
// to be claimed now.
var errUnlinked = errors.New("the link is gone")

// find matches, then creates. known is the main row, claimed or linked.
func (l *Linker) find(ctx context.Context, req Request, known store.Link) (other string, created bool, err error) {
	if req.Match != nil {
		candidates, err := req.Match(ctx)
		if err != nil {
			return "", false, err
		}
		candidates = distinct(candidates)
		if len(candidates) > 1 {
			return "", false, &AmbiguousError{Table: req.Main.Table.Name, Key: req.Main.Key, Candidates: candidates}
		}
		if len(candidates) == 1 {
			return Text(candidates[0]), false, nil
		}
	}
	if req.Create == nil {
		return "", false, &MissingError{Table: req.Main.Table.Name, Key: req.Main.Key}
	}
	if known.State == store.Linked {
		// A recheck found nothing. Without a claim two runs would both create.
		err := l.Store.DeleteLink(ctx, req.Lease.Instance, known.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", false, err
		}
		return "", false, errUnlinked
	}
	id, err := req.Create(ctx)
	if err != nil {
		return "", false, err
	}
	if Text(id) == "" {
		return "", false, fmt.Errorf("creating %s %v gave no id", req.Main.Table.Name, req.Main.Key)
	}
	return Text(id), true, nil
}

// distinct drops candidates that are nothing, or the same as one before.
func distinct(candidates []any) []any {
	var out []any
	seen := map[string]bool{"": true}
	for _, c := range candidates {
		if key := Text(c); !seen[key] {
			seen[key] = true
			out = append(out, c)
		}
	}
	return out
}

func (l *Linker) save(ctx context.Context, req Request, other string, prints map[string]string) error {
	encoded, err := encodePrints(prints)
	if err != nil {
		return err
	}
	writes := []store.LinkWrite{req.write(req.Main, other, encoded, req.Main.Table.KeyMayChange || req.Recheck)}
	for _, row := range req.Also {
		// A record that changed its second key (a customer's new e-mail) keeps
		// its row.
		writes = append(writes, req.write(row, other, nil, true))
	}
	err = l.Store.SaveLinks(ctx, req.Lease, writes...)
	if errors.Is(err, store.ErrLinkTaken) {
		return &TakenError{Table: req.Main.Table.Name, Key: req.Main.Key, Found: other}
	}
	return err
}

// Changes are the values whose fingerprint differs from the last one.
func Changes(values map[string]any, last map[string]string) map[string]any {
	changes := map[string]any{}
	for name, print := range Fingerprints(values) {
		if last[name] != print {
			changes[name] = values[name]
		}
	}
	return changes
}
