package run

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
)

// halved does something for the items at these places. What is refused as a
// whole is cut in halves until the bad item stands alone; any other failure is
// one of all of them.
func halved[T any](ctx context.Context, b *linkBatch, at []int, do func(at []int) ([]T, error), failed func(error) T) ([]T, error) {
	out, err := do(at)
	if err == nil {
		return out, nil
	}
	if b.fatal(ctx, err) {
		return nil, err
	}
	if refusedAsAWhole(err) && len(at) > 1 {
		half := len(at) / 2
		first, err := halved(ctx, b, at[:half], do, failed)
		if err != nil {
			return nil, err
		}
		second, err := halved(ctx, b, at[half:], do, failed)
		return append(first, second...), err
	}
	out = make([]T, len(at))
	for i := range out {
		out[i] = failed(err)
	}
	return out, nil
}

// refusedAsAWhole tells whether nothing of a batch was done because of something
// in it.
func refusedAsAWhole(err error) bool {
	var remote *connectors.Error
	return errors.As(err, &remote) && remote.Class == connectors.Permanent && !isOutage(err)
}

// about sets the names that a call about some of the items reads.
func (b *linkBatch) about(at []int) map[string]any {
	inner := maps.Clone(b.vars)
	items, values := make([]any, len(at)), make([]any, len(at))
	for n, i := range at {
		items[n], values[n] = b.items[i].item, recordOrNil(b.items[i].Values)
	}
	inner["items"], inner["values"], inner[b.step.As] = items, values, items
	inner["position"] = int64(b.items[at[0]].at)
	return inner
}

// recordOrNil keeps a record that is not there from being an empty one.
func recordOrNil(record map[string]any) any {
	if record == nil {
		return nil
	}
	return record
}

// match looks for the records of items.
func (b *linkBatch) match(ctx context.Context, at []int) ([]link.Found, error) {
	c, inner := b.step.Link.Match, b.about(at)
	out, err := b.call(ctx, c, b.step.Hash, inner, b.path(at)+".match")
	if err != nil {
		return nil, err
	}
	inner["result"] = out
	taken, err := takeItems(ctx, c, inner, len(at))
	if err != nil {
		return nil, err
	}
	found := make([]link.Found, len(at))
	for n, candidates := range taken {
		switch v := candidates.(type) {
		case nil:
		case []any:
			found[n].Candidates = v
		default:
			if found[n].Err = itemRefused(v); found[n].Err == nil {
				found[n].Candidates = []any{v}
			}
		}
	}
	return found, nil
}

// update writes what changed of the records at these places of changed.
func (b *linkBatch) update(ctx context.Context, changed []link.Changed, places []int) ([]error, error) {
	c := b.step.Link.Update
	at, list := make([]int, len(places)), make([]any, len(places))
	for n, place := range places {
		one := changed[place]
		at[n] = one.At
		list[n] = map[string]any{
			"local": one.Local, "remote": one.Remote, "item": b.items[one.At].item,
			"values": b.items[one.At].Values, "changes": one.Changes,
		}
	}
	inner := b.about(at)
	inner["changed"] = list
	out, err := b.callAbout(ctx, c, inner, b.path(at), ".update", b.keys(at), false)
	if err != nil || c.Take == nil {
		return make([]error, len(places)), err
	}
	inner["result"] = out
	taken, err := takeItems(ctx, c, inner, len(places))
	if err != nil {
		return nil, err
	}
	refused := make([]error, len(places))
	for n, one := range taken {
		refused[n] = itemRefused(one)
	}
	return refused, nil
}

// callAbout does a call that changes the other system for the items of these
// keys.
func (b *linkBatch) callAbout(ctx context.Context, c *flow.Call, vars map[string]any, path, suffix string, keys []string, matched bool) (any, error) {
	if !isRemoteWrite(c) {
		return b.call(ctx, c, b.step.Hash, vars, path+suffix)
	}
	params, err := c.With.EvalRecord(ctx, vars)
	if err != nil {
		return nil, err
	}
	return b.write(ctx, write{call: c, hash: b.step.Hash, params: params,
		path: b.journal.free(path, suffix, keys), about: keys, matched: matched, judged: suffix == createSuffix && c.Operation.OnceOnly()})
}

// isRemoteWrite tells whether a call is itself one that changes another system.
func isRemoteWrite(c *flow.Call) bool {
	return c.Flow == nil && c.Connection != "run" && c.Operation.Effect != connectors.Read
}

func (b *linkBatch) keys(at []int) []string {
	keys := make([]string, len(at))
	for n, i := range at {
		keys[n] = link.Text(b.items[i].Key)
	}
	return keys
}

// made reads what a create took for an item: an id, or a record with its error.
func made(taken any) link.Made {
	if err := itemRefused(taken); err != nil {
		return link.Made{Err: err}
	}
	if _, ok := taken.(map[string]any); ok {
		return link.Made{Err: fmt.Errorf("create's take must give an id for each item, not a record")}
	}
	return link.Made{Key: taken}
}
