package run

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

func tableOf(t *flow.Table) link.Table {
	return link.Table{Name: t.Name, Local: t.Local.Schema(), Remote: t.Remote.Schema(), KeyMayChange: t.KeyMayChange}
}

// link does a link step: the known side is given, the other is found or made.
func (e *execution) link(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	l := s.Link
	remote, err := l.Remote.Eval(ctx, vars)
	if err != nil {
		return nil, err
	}
	local, err := l.Local.Eval(ctx, vars)
	if err != nil {
		return nil, err
	}
	if l.Remote != nil && l.Local != nil {
		pairs, err := e.savePair(ctx, s, []link.Pair{{Local: local, Remote: remote}}, path)
		if err != nil {
			return nil, err
		}
		return pairs[0], nil
	}
	req := link.Request{Lease: e.lease, Side: store.Remote, Recheck: l.Recheck, Main: link.Row{Table: tableOf(l.Table), Key: remote}}
	if l.Local != nil {
		req.Side, req.Main.Key = store.Local, local
	}
	if link.Text(req.Main.Key) == "" {
		return nil, fmt.Errorf("the %s key for link table %s is empty", req.Side, l.Table.Name)
	}
	for _, also := range l.Also {
		key, err := also.Value.Eval(ctx, vars)
		if err != nil {
			return nil, err
		}
		if link.Text(key) != "" {
			req.Also = append(req.Also, link.Row{Table: tableOf(also.Table), Key: key})
		}
	}
	inner := maps.Clone(vars)
	if l.Values != nil {
		if req.Values, err = l.Values.EvalRecord(ctx, vars); err != nil {
			return nil, err
		}
		inner["values"] = req.Values
	}
	e.linkActions(&req, s, inner, path)
	started := time.Now().UTC()
	result, err := e.linker.Ensure(ctx, req)
	if err != nil {
		if _, missing := err.(*link.MissingError); missing && s.Missing == flow.MissingContinues {
			e.noteDone(s, path, req.Main.Key, nil, started)
			return nil, nil
		}
		return nil, err
	}
	out := pairValue(result)
	e.noteDone(s, path, map[string]any{string(req.Side): req.Main.Key, "values": req.Values}, out, started)
	return out, nil
}

// pairValue is what a link step makes.
func pairValue(r link.Result) map[string]any {
	return map[string]any{"local": r.Local, "remote": r.Remote, "created": r.Created, "updated": r.Updated}
}

// linkActions sets the request's match, create and update from the step's calls.
func (e *execution) linkActions(req *link.Request, s *flow.Step, vars map[string]any, path string) {
	l := s.Link
	if l.Match != nil {
		req.Match = func(ctx context.Context) ([]any, error) {
			out, err := e.call(ctx, l.Match, s.Hash, vars, path+".match")
			if err != nil {
				return nil, err
			}
			return taken[[]any](ctx, l.Match, out, "ids", vars)
		}
	}
	if l.Create != nil {
		req.Create = func(ctx context.Context) (any, error) {
			out, err := e.linkCreate(ctx, s, vars, path+".create")
			if err != nil {
				return nil, err
			}
			return taken[any](ctx, l.Create, out, "id", vars)
		}
	}
	if l.Update != nil {
		req.Update = func(ctx context.Context, pair link.Pair, changes map[string]any) error {
			inner := maps.Clone(vars)
			inner["local"], inner["remote"], inner["changes"] = pair.Local, pair.Remote, changes
			_, err := e.call(ctx, l.Update, s.Hash, inner, path+".update")
			return err
		}
	}
}

// linkCreate makes the record after nothing matched. An attempt that was
// interrupted while creating is no obstacle where there is a match: it looked,
// and the record is not there.
func (e *execution) linkCreate(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	c := s.Link.Create
	params, err := c.With.EvalRecord(ctx, vars)
	if err != nil {
		return nil, err
	}
	if c.Flow != nil || c.Operation.Effect == connectors.Read {
		return e.call(ctx, c, s.Hash, vars, path)
	}
	if s.Link.Match == nil {
		return e.write(ctx, c, s.Hash, params, path)
	}
	input, err := encode(params)
	if err != nil {
		return nil, err
	}
	healing := *c
	if healing.Operation.Repeat == connectors.NaturalKey {
		// An unclear create is tried again: the next attempt matches first.
		healing.Operation.Repeat = connectors.ReadBack
	}
	return e.journaled(ctx, &healing, s.Hash, params, input, path, e.journal.earlier[path].Attempts+1)
}

// taken picks what a call's result is about: by its take, or by property.
func taken[T any](ctx context.Context, c *flow.Call, result any, property string, vars map[string]any) (T, error) {
	var none T
	picked := any(nil)
	if c.Take != nil {
		inner := maps.Clone(vars)
		inner["result"] = result
		out, err := c.Take.Eval(ctx, inner)
		if err != nil {
			return none, err
		}
		picked = out
	} else if record, ok := result.(map[string]any); ok {
		picked = record[property]
	}
	if picked == nil {
		return none, nil
	}
	typed, ok := picked.(T)
	if !ok {
		return none, fmt.Errorf("%s gave %T where %T was expected", c.Name, picked, none)
	}
	return typed, nil
}

// savesPairs tells whether a step only remembers pairs, both sides known.
func savesPairs(s *flow.Step) bool {
	return s.Link != nil && s.Link.Local != nil && s.Link.Remote != nil
}

// savePairs remembers the pairs of all items in one commit.
func (e *execution) savePairs(ctx context.Context, s *flow.Step, vars map[string]any, path string, items []any) (any, error) {
	inner := maps.Clone(vars)
	pairs := make([]link.Pair, len(items))
	for i, item := range items {
		inner[s.As], inner["position"] = item, int64(i)
		remote, err := s.Link.Remote.Eval(ctx, inner)
		if err != nil {
			return nil, &stepError{path, err}
		}
		local, err := s.Link.Local.Eval(ctx, inner)
		if err != nil {
			return nil, &stepError{path, err}
		}
		pairs[i] = link.Pair{Local: local, Remote: remote}
	}
	out, err := e.savePair(ctx, s, pairs, path)
	if err != nil {
		return e.onError(s, path, &stepError{path, err})
	}
	return out, nil
}

func (e *execution) savePair(ctx context.Context, s *flow.Step, pairs []link.Pair, path string) ([]any, error) {
	started := time.Now().UTC()
	table := tableOf(s.Link.Table)
	out := make([]any, len(pairs))
	writes := make([]store.LinkWrite, len(pairs))
	for i, pair := range pairs {
		local, remote := link.Text(pair.Local), link.Text(pair.Remote)
		if local == "" || remote == "" {
			return nil, fmt.Errorf("link table %s: a pair with an empty side (%q, %q)", table.Name, local, remote)
		}
		typed, err := table.Pair(local, remote)
		if err != nil {
			return nil, err
		}
		out[i] = pairValue(link.Result{Pair: typed})
		writes[i] = store.LinkWrite{Table: table.Name, Local: local, Remote: remote, Replace: true}
	}
	if err := e.executor.Store.SaveLinks(ctx, e.lease, writes...); err != nil {
		return nil, err
	}
	e.noteDone(s, path, nil, out, started)
	return out, nil
}
