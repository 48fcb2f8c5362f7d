package run

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// linkItem is an item of a batched link step.
type linkItem struct {
	batchItem
	link.Item
}

// batchedLinks does a link step for lists of items: one call each to match, to
// create and to update those of a batch that need it, and one commit for their
// links.
func (l *loop) batchedLinks(ctx context.Context, vars map[string]any, items []any) ([]any, error) {
	out := make([]any, len(items))
	if err := l.earlierCreates(ctx, vars, items); err != nil {
		return nil, err
	}
	names := newNamer()
	all := make([]batchItem, len(items))
	for i, item := range items {
		all[i] = batchItem{name: names.name(item), at: i, item: item}
	}
	chunks := slices.Collect(slices.Chunk(all, l.step.Batch))
	begun, err := l.fan(vars, len(chunks), func(l *loop, inner map[string]any, i int) error {
		batch, err := l.linkItems(ctx, inner, chunks[i])
		if err != nil {
			return err
		}
		return l.linkBatch(ctx, vars, batch, out)
	})
	for _, chunk := range chunks[begun:] {
		l.untried += len(chunk)
	}
	return out, err
}

// linkItems evaluates what the step asks for each item. One of which that fails
// is left out, and counted.
func (l *loop) linkItems(ctx context.Context, inner map[string]any, items []batchItem) ([]linkItem, error) {
	var batch []linkItem
	for _, item := range items {
		inner[l.step.As], inner["position"] = item.item, int64(item.at)
		req, _, err := linkRequest(ctx, l.step, inner)
		if err != nil && l.fatal(ctx, err) {
			return nil, err
		}
		if err != nil {
			l.add(ctx, l.path+"["+item.name+"]", 1, err)
			continue
		}
		batch = append(batch, linkItem{item, link.Item{Key: req.Main.Key, Also: req.Also, Values: req.Values}})
	}
	return batch, nil
}

// linkBatch links one batch, again under the step's retry, and puts the results
// in their places.
func (l *loop) linkBatch(ctx context.Context, vars map[string]any, items []linkItem, out []any) error {
	wait := l.step.Retry.Wait
	if wait == 0 {
		wait = defaultStepWait
	}
	for try := 1; len(items) > 0; try++ {
		b := &linkBatch{loop: l, vars: vars, items: items}
		outcomes, err := b.ensure(ctx)
		if err != nil {
			return err
		}
		var again []linkItem
		for i, outcome := range outcomes {
			if outcome.Err != nil && try < l.step.Retry.Attempts && safeToRepeat(outcome.Err) && retryAfter(outcome.Err) <= maxStepWait {
				again = append(again, items[i])
				wait = max(wait, retryAfter(outcome.Err))
				outcomes[i].Err = errAgain
			}
		}
		if err := b.take(ctx, outcomes, out); err != nil {
			return err
		}
		if items = again; len(items) > 0 {
			if err := l.executor.sleep(ctx, wait); err != nil {
				return err
			}
			wait = min(2*wait, maxStepWait)
		}
	}
	return nil
}

// errAgain marks an item that the step's retry tries again.
var errAgain = errors.New("tried again")

// linkBatch is one batch of a link step at work.
type linkBatch struct {
	*loop
	vars  map[string]any
	items []linkItem
}

func (b *linkBatch) path(at []int) string {
	items := make([]batchItem, len(at))
	for n, i := range at {
		items[n] = b.items[i].batchItem
	}
	return batchPath(b.loop.path, items)
}

// ensure links the items. The error is one that ends the loop.
func (b *linkBatch) ensure(ctx context.Context) ([]link.Outcome, error) {
	if b.items[0].at >= shownItems {
		b.quiet++
		defer func() { b.quiet-- }()
	}
	l, s := b.step.Link, b.step
	batch := link.Batch{Lease: b.lease, Side: store.Remote, Table: TableOf(l.Table), Recheck: l.Recheck}
	if l.Local != nil {
		batch.Side = store.Local
	}
	for _, item := range b.items {
		batch.Items = append(batch.Items, item.Item)
	}
	if l.Match != nil {
		batch.Match = func(bounded context.Context, at []int) ([]link.Found, error) {
			return halved(ctx, b, at, func(at []int) ([]link.Found, error) { return b.match(bounded, at) },
				func(err error) link.Found { return link.Found{Err: err} })
		}
	}
	if l.Create != nil {
		batch.Create = b.creates(ctx)
	}
	if l.Update != nil {
		batch.Update = func(bounded context.Context, changed []link.Changed) ([]error, error) {
			places := make([]int, len(changed))
			for n := range places {
				places[n] = n
			}
			return halved(ctx, b, places, func(places []int) ([]error, error) { return b.update(bounded, changed, places) },
				func(err error) error { return err })
		}
	}
	bounded := ctx
	if s.Timeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, s.Timeout)
		defer cancel()
	}
	started := time.Now().UTC()
	outcomes, err := b.linker.EnsureEach(bounded, batch)
	late := bounded.Err() != nil && ctx.Err() == nil
	if err != nil && late {
		// What was done is found again by the next attempt.
		outcomes = make([]link.Outcome, len(b.items))
		for i := range outcomes {
			outcomes[i].Err = err
		}
		err = nil
	}
	if err != nil {
		return nil, &stepError{b.path(b.all()), err}
	}
	for i := range outcomes {
		if outcomes[i].Err != nil && late {
			outcomes[i].Err = timedOut(s.Timeout, outcomes[i].Err)
		}
	}
	b.note(ctx, batch.Side, outcomes, started)
	return outcomes, nil
}

func (b *linkBatch) all() []int {
	at := make([]int, len(b.items))
	for i := range at {
		at[i] = i
	}
	return at
}

// note journals which records the batch's items are.
func (b *linkBatch) note(ctx context.Context, side store.Side, outcomes []link.Outcome, started time.Time) {
	keys, pairs := make([]any, len(outcomes)), make([]any, len(outcomes))
	for i, outcome := range outcomes {
		keys[i] = b.items[i].Key
		if outcome.Err == nil {
			pairs[i] = pairValue(outcome.Result)
		}
	}
	b.noteDone(ctx, b.step, b.path(b.all()), map[string]any{string(side): keys}, pairs, started)
}

// take puts the outcomes in their places and counts the failures: items that
// failed by one error, as when a system does not answer, are one failure of many
// items.
func (b *linkBatch) take(ctx context.Context, outcomes []link.Outcome, out []any) error {
	var (
		stopTrying, outage bool
		counted            []error
	)
	for i, outcome := range outcomes {
		item, err := b.items[i], outcome.Err
		if err == nil {
			result := pairValue(outcome.Result)
			if err := b.hold(b.loop.path, result); err != nil {
				return err
			}
			out[item.at] = result
			continue
		}
		if errors.Is(err, errAgain) || b.passesOver(err) || slices.ContainsFunc(counted, func(c error) bool { return same(c, err) }) {
			continue
		}
		if b.fatal(ctx, err) {
			return err
		}
		counted = append(counted, err)
		at := []int{}
		for j := range outcomes {
			if outcomes[j].Err != nil && same(outcomes[j].Err, err) {
				at = append(at, j)
			}
		}
		path := b.path(at)
		var inner *stepError
		if !errors.As(err, &inner) {
			err = &stepError{path, err}
			b.noteFailed(b.step, path, err, time.Now().UTC())
		}
		outage = outage || isOutage(err)
		stopTrying = b.add(ctx, path, len(at), err) || stopTrying
	}
	if !outage {
		b.answered()
	}
	if stopTrying {
		return errStopTrying
	}
	return nil
}

// same tells whether two items failed by one and the same error.
func same(a, b error) bool {
	defer func() { _ = recover() }() // errors that cannot be compared are different ones
	return a == b
}

// passesOver tells whether an error only means that the item has no value.
func (b *linkBatch) passesOver(err error) bool {
	var missing *link.MissingError
	if errors.As(err, &missing) {
		return b.step.Missing == flow.MissingContinues
	}
	var stopped *stop
	return errors.As(err, &stopped) && stopped.outcome.State == store.Skipped
}
