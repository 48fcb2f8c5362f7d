package run

import (
	"context"
	"errors"
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
	value any
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
	table := tableOf(s.Link.Table)
	w := store.LinkWrite{Table: table.Name, Local: link.Text(local), Remote: link.Text(remote), Replace: true}
	if w.Local == "" || w.Remote == "" {
		return pair{}, fmt.Errorf("link table %s: a pair with an empty side (%q, %q)", table.Name, w.Local, w.Remote)
	}
	typed, err := table.Pair(w.Local, w.Remote)
	if err != nil {
		return pair{}, err
	}
	return pair{write: w, value: pairValue(link.Result{Pair: typed})}, nil
}

// savePair remembers one pair.
func (e *execution) savePair(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	started := time.Now().UTC()
	p, err := evalPair(ctx, s, vars)
	if err != nil {
		return nil, err
	}
	if err := e.executor.Store.SaveLinks(ctx, e.lease, p.write); err != nil {
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

// savePairs remembers pairs in one commit, or each in its own when one of them
// cannot be.
func (l *loop) savePairs(ctx context.Context, pairs []pair, out []any) error {
	writes := make([]store.LinkWrite, len(pairs))
	for i, p := range pairs {
		writes[i] = p.write
	}
	err := l.executor.Store.SaveLinks(ctx, l.lease, writes...)
	if err != nil && (l.fatal(ctx, err) || !errors.Is(err, store.ErrClaimed) && !errors.Is(err, store.ErrInvalid) && !errors.Is(err, store.ErrLinkTaken)) {
		return &stepError{l.path, err}
	}
	for _, p := range pairs {
		one := err
		if err != nil {
			one = l.executor.Store.SaveLinks(ctx, l.lease, p.write)
		}
		if one != nil {
			if l.fatal(ctx, one) {
				return &stepError{p.path, one}
			}
			l.add(ctx, p.path, 1, one)
			continue
		}
		out[p.at] = p.value
	}
	return nil
}
