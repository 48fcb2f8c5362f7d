package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// TableOf is a link table as the linker knows it.
func TableOf(t *flow.Table) link.Table {
	return link.Table{Name: t.Name, Local: t.Local.Schema(), Remote: t.Remote.Schema(), KeyMayChange: t.KeyMayChange}
}

// link does a link step: the known side is given, the other is found or made.
func (e *execution) link(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	if savesPairs(s) {
		return e.savePair(ctx, s, vars, path)
	}
	req, inner, err := linkRequest(ctx, s, vars)
	if err != nil {
		return nil, err
	}
	req.Lease = e.lease
	e.linkActions(&req, s, inner, path)
	started := time.Now().UTC()
	result, err := e.linker.Ensure(ctx, req)
	var missing *link.MissingError
	if errors.As(err, &missing) && s.Missing == flow.MissingContinues {
		e.noteDone(ctx, s, path, req.Main.Key, nil, started)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := pairValue(result)
	e.noteDone(ctx, s, path, map[string]any{string(req.Side): req.Main.Key, "values": req.Values}, out, started)
	return out, nil
}

// linkRequest evaluates what a link step asks for, without its actions, and the
// names that those read.
func linkRequest(ctx context.Context, s *flow.Step, vars map[string]any) (link.Request, map[string]any, error) {
	l := s.Link
	req := link.Request{Side: store.Remote, Recheck: l.Recheck, Main: link.Row{Table: TableOf(l.Table)}}
	key := l.Remote
	if l.Local != nil {
		req.Side, key = store.Local, l.Local
	}
	var err error
	if req.Main.Key, err = key.Eval(ctx, vars); err != nil {
		return req, nil, err
	}
	if link.Text(req.Main.Key) == "" {
		return req, nil, fmt.Errorf("the %s key for link table %s is empty", req.Side, l.Table.Name)
	}
	for _, also := range l.Also {
		key, err := also.Value.Eval(ctx, vars)
		if err != nil {
			return req, nil, err
		}
		if link.Text(key) != "" {
			req.Also = append(req.Also, link.Row{Table: TableOf(also.Table), Key: key})
		}
	}
	inner := maps.Clone(vars)
	if l.Values != nil {
		if req.Values, err = l.Values.EvalRecord(ctx, vars); err != nil {
			return req, nil, err
		}
		inner["values"] = req.Values
	}
	return req, inner, nil
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
			out, err := e.linkCreate(ctx, s, vars, path+createSuffix, link.Text(req.Main.Key))
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
func (e *execution) linkCreate(ctx context.Context, s *flow.Step, vars map[string]any, path, key string) (any, error) {
	c := s.Link.Create
	if c.Flow != nil || c.Connection == "run" || c.Operation.Effect == connectors.Read {
		return e.call(ctx, c, s.Hash, vars, path)
	}
	params, err := c.With.EvalRecord(ctx, vars)
	if err != nil {
		return nil, err
	}
	w := write{call: c, hash: s.Hash, params: params, path: path, about: []string{key}, matched: s.Link.Match != nil}
	if !w.matched {
		w.path = e.journal.createPath(path, key)
	}
	return e.write(ctx, w)
}

// createPath is the path of the entry that tells of a key's create: of two items
// of one key, the second is judged by what was done for the first.
func (j *journal) createPath(path, key string) string {
	step, of := path, func(path string) string {
		if i := strings.LastIndex(path, "["); i >= 0 && strings.HasSuffix(path, "]"+createSuffix) {
			return path[:i]
		}
		return ""
	}
	if step = of(path); step == "" {
		return path
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.creates == nil {
		j.creates = map[string]string{}
		for path, entry := range j.known {
			if about := aboutOf(entry.Input); of(path) != "" && len(about) == 1 {
				j.creates[of(path)+"\x00"+about[0]] = path
			}
		}
	}
	name := step + "\x00" + key
	if j.creates[name] == "" {
		j.creates[name] = path
	}
	return j.creates[name]
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
