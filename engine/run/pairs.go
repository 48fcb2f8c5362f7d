package run

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// pairsPerCommit is how many pairs are remembered in one commit.
const pairsPerCommit = 500

// savesPairs tells whether a step only remembers pairs, both sides known.
func savesPairs(s *flow.Step) bool {
	return s.Link != nil && s.Link.Local != nil && s.Link.Remote != nil
}

// pair is a link to remember, with the value that the step makes of it.
type pair struct {
	path  string
	at    int
	write store.LinkWrite
	// values are what the flow wrote to the record; their fingerprints are kept.
	values map[string]any
	value  any
}

// evalPair evaluates both sides of a step that remembers a pair.
func evalPair(ctx context.Context, s *flow.Step, vars map[string]any) (pair, error) {
	remote, err := s.Link.Remote.Eval(ctx, vars)
	if err != nil {
		return pair{}, err
	}
	local, err := s.Link.Local.Eval(ctx, vars)
	if err != nil {
		return pair{}, err
	}
	table := TableOf(s.Link.Table)
	w := store.LinkWrite{Table: table.Name, Local: link.Text(local), Remote: link.Text(remote), Replace: true}
	if w.Local == "" || w.Remote == "" {
		return pair{}, fmt.Errorf("link table %s: a pair with an empty side (%q, %q)", table.Name, w.Local, w.Remote)
	}
	typed, err := table.Pair(w.Local, w.Remote)
	if err != nil {
		return pair{}, err
	}
	p := pair{write: w, value: pairValue(link.Result{Pair: typed})}
	if s.Link.Values != nil {
		if p.values, err = s.Link.Values.EvalRecord(ctx, vars); err != nil {
			return pair{}, err
		}
	}
	return p, nil
}

// writes are the pairs' rows, with the fingerprints of what was written last:
// those of values that are not given this time still hold.
func (e *execution) writes(ctx context.Context, pairs []pair) ([][]store.LinkWrite, error) {
	var keys []store.LinkKey
	for _, p := range pairs {
		if p.values != nil {
			keys = append(keys, store.LinkKey{Table: p.write.Table, Side: store.Local, Value: p.write.Local})
		}
	}
	known, err := e.executor.Store.FindLinks(ctx, e.run.Instance, keys...)
	if err != nil {
		return nil, err
	}
	groups := make([][]store.LinkWrite, len(pairs))
	for i, p := range pairs {
		if p.values != nil {
			var last []byte
			if row := known[0]; row != nil && row.Remote == p.write.Remote {
				last = row.Fingerprints
			}
			known = known[1:]
			if p.write.Fingerprints, err = link.Merge(last, p.values); err != nil {
				return nil, err
			}
		}
		groups[i] = []store.LinkWrite{p.write}
	}
	return groups, nil
}

// savePair remembers one pair.
func (e *execution) savePair(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	started := time.Now().UTC()
	p, err := evalPair(ctx, s, vars)
	if err != nil {
		return nil, err
	}
	groups, err := e.writes(ctx, []pair{p})
	if err != nil {
		return nil, err
	}
	if err := e.executor.Store.SaveLinks(ctx, e.lease, groups[0]...); err != nil {
		return nil, err
	}
	e.noteDone(ctx, s, path, nil, p.value, started)
	return p.value, nil
}

// pairs remembers the pairs of all items, many in one commit.
func (l *loop) pairs(ctx context.Context, vars map[string]any, items []any) ([]any, error) {
	out := make([]any, len(items))
	inner := maps.Clone(vars)
	names := newNamer()
	var waiting []pair
	for i, item := range items {
		inner[l.step.As], inner["position"] = item, int64(i)
		path := l.path + "[" + names.name(item) + "]"
		p, err := evalPair(ctx, l.step, inner)
		if err != nil {
			if l.fatal(ctx, err) {
				return nil, err
			}
			l.add(ctx, path, 1, err)
			continue
		}
		p.path, p.at = path, i
		waiting = append(waiting, p)
		if len(waiting) == pairsPerCommit || i == len(items)-1 {
			if err := l.savePairs(ctx, waiting, out); err != nil {
				return nil, err
			}
			waiting = waiting[:0]
		}
	}
	return out, l.savePairs(ctx, waiting, out)
}

// savePairs remembers pairs in one commit; one that cannot be does not stop the
// others.
func (l *loop) savePairs(ctx context.Context, pairs []pair, out []any) error {
	if len(pairs) == 0 {
		return nil
	}
	groups, err := l.writes(ctx, pairs)
	if err != nil {
		return &stepError{l.path, err}
	}
	refused, err := l.executor.Store.SaveEach(ctx, l.lease, groups...)
	if err != nil {
		return &stepError{l.path, err}
	}
	for i, p := range pairs {
		if refused[i] != nil {
			l.add(ctx, p.path, 1, refused[i])
			continue
		}
		out[p.at] = p.value
	}
	return nil
}
