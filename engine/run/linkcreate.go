package run

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"

	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// creates is the batch's create: items that an earlier attempt made, and forgot
// to link, are not made again.
func (b *linkBatch) creates(ctx context.Context) func(context.Context, []int) ([]link.Made, error) {
	return func(bounded context.Context, at []int) ([]link.Made, error) {
		out := make([]link.Made, len(at))
		var todo, places []int
		for n, i := range at {
			switch before, known := b.created.find(link.Text(b.items[i].Key)); {
			case !known:
				todo, places = append(todo, i), append(places, n)
			case before.err != nil:
				out[n] = link.Made{Err: before.err}
			default:
				out[n] = made(before.result)
			}
		}
		if len(todo) == 0 {
			return out, nil
		}
		made, err := halved(ctx, b, todo, func(at []int) ([]link.Made, error) { return b.create(bounded, at) },
			func(err error) link.Made { return link.Made{Err: err} })
		if err != nil {
			return nil, err
		}
		for n, one := range made {
			out[places[n]] = one
		}
		return out, nil
	}
}

// create makes records in one call.
func (b *linkBatch) create(ctx context.Context, at []int) ([]link.Made, error) {
	c, inner := b.step.Link.Create, b.about(at)
	out, err := b.callAbout(ctx, c, inner, b.path(at), createSuffix, b.keys(at), b.step.Link.Match != nil)
	var unclear *unclearError
	if errors.As(err, &unclear) {
		// Another item of the same key must not do it again.
		for _, key := range b.keys(at) {
			b.created.set(key, earlierItem{err: err})
		}
	}
	if err != nil {
		return nil, err
	}
	inner["result"] = out
	taken, err := takeItems(ctx, c, inner, len(at))
	if err != nil {
		return nil, err
	}
	records := make([]link.Made, len(at))
	for n, one := range taken {
		records[n] = made(one)
	}
	return records, nil
}

const createSuffix = ".create"

// createdItems is what is known by key of creates that were done, or may have
// been done, without being linked.
type createdItems struct {
	mu    sync.Mutex
	byKey map[string]earlierItem
}

func (c *createdItems) find(key string) (earlierItem, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	item, known := c.byKey[key]
	return item, known
}

func (c *createdItems) set(key string, item earlierItem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byKey[key] = item
}

// earlierCreates finds, by key, the items that earlier attempts created, or may
// have created, in whatever batch.
func (l *loop) earlierCreates(ctx context.Context, vars map[string]any, items []any) error {
	l.created = &createdItems{byKey: map[string]earlierItem{}}
	c := l.step.Link.Create
	if c == nil || !isRemoteWrite(c) || !c.Operation.OnceOnly() {
		return nil
	}
	var entries []store.Step
	for _, entry := range l.journal.entries() {
		whole, ok := strings.CutSuffix(entry.Path, createSuffix)
		if ok && isItemOf(whole, l.path) && len(aboutOf(entry.Input)) > 0 {
			entries = append(entries, entry)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	byKey, err := l.itemsByKey(ctx, vars, items)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		l.earlierCreate(ctx, vars, entry, byKey)
	}
	return nil
}

// itemsByKey evaluates the keys of all items. One whose key cannot be evaluated
// is left out: it fails when its turn comes.
func (l *loop) itemsByKey(ctx context.Context, vars map[string]any, items []any) (map[string]linkItem, error) {
	byKey := make(map[string]linkItem, len(items))
	inner := maps.Clone(vars)
	for i, item := range items {
		inner[l.step.As], inner["position"] = item, int64(i)
		req, _, err := linkRequest(ctx, l.step, inner)
		if err != nil && l.fatal(ctx, err) {
			return nil, err
		}
		if err == nil {
			byKey[link.Text(req.Main.Key)] = linkItem{batchItem: batchItem{at: i, item: item}, Item: link.Item{Key: req.Main.Key, Values: req.Values}}
		}
	}
	return byKey, nil
}

// earlierCreate reads from the journal what a batch that created gave its items.
func (l *loop) earlierCreate(ctx context.Context, vars map[string]any, entry store.Step, byKey map[string]linkItem) {
	c, about := l.step.Link.Create, aboutOf(entry.Input)
	w := write{call: c, hash: l.step.Hash, path: entry.Path, about: about, matched: l.step.Link.Match != nil}
	fail := func(err error) {
		for _, key := range about {
			l.created.set(key, earlierItem{err: &stepError{entry.Path, err}})
		}
	}
	switch l.journal.judge(w, entry.Input) {
	case do:
		return
	case unclear:
		fail(&unclearError{operation: c.Name})
		return
	case changed:
		fail(&changedError{c.Name})
		return
	}
	result, err := l.reuse(w)
	if err != nil {
		fail(err)
		return
	}
	b := &linkBatch{loop: l, vars: vars}
	at := make([]int, len(about))
	for i, key := range about {
		at[i] = i
		b.items = append(b.items, byKey[key])
	}
	inner := b.about(at)
	inner["result"] = result
	taken, err := takeItems(ctx, c, inner, len(about))
	if err != nil {
		fail(err)
		return
	}
	for i, one := range taken {
		// What was refused then may be taken now.
		if itemRefused(one) == nil {
			l.created.set(about[i], earlierItem{result: one})
		}
	}
}
