package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// batchItem is an item of a batched call, with its place in the list.
type batchItem struct {
	name string
	at   int
	item any
}

// errStopTrying ends a loop whose system does not answer.
var errStopTrying = errors.New("the rest is not tried")

// batchedCalls hands the items over in lists, and takes a result for each item.
// A batch that is refused as a whole is cut in halves until the bad item stands
// alone. Items that an earlier attempt wrote, and that must not be written
// twice, are left out, whatever batch they would be in now.
func (l *loop) batchedCalls(ctx context.Context, vars map[string]any, items []any) ([]any, error) {
	names := newNamer()
	all := make([]batchItem, len(items))
	for i, item := range items {
		all[i] = batchItem{name: names.name(item), at: i, item: item}
	}
	out := make([]any, len(items))
	earlier := map[string]earlierItem{}
	if c := l.step.Call; c.Flow == nil && c.Operation.OnceOnly() {
		var err error
		if earlier, err = l.earlierItems(ctx, vars, all); err != nil {
			return nil, err
		}
	}
	var todo []batchItem
	for _, item := range all {
		before, known := earlier[item.name]
		switch {
		case !known:
			todo = append(todo, item)
		case before.err != nil:
			l.add(ctx, l.path+"["+item.name+"]", 1, before.err)
		default:
			out[item.at] = before.result
		}
	}
	chunks := slices.Collect(slices.Chunk(todo, l.step.Batch))
	begun, err := l.fan(vars, len(chunks), func(l *loop, inner map[string]any, i int) error {
		return l.batch(ctx, inner, chunks[i], out)
	})
	for _, chunk := range chunks[begun:] {
		l.untried += len(chunk)
	}
	return out, err
}

// batch does one batch and puts its results in their places.
func (l *loop) batch(ctx context.Context, vars map[string]any, items []batchItem, out []any) error {
	path := batchPath(l.path, items)
	results, err := l.again(ctx, l.step, func() (any, error) {
		return l.timed(ctx, l.step, path, func(ctx context.Context) (any, error) { return l.callBatch(ctx, vars, items, path) })
	})
	if err != nil {
		return l.batchFailed(ctx, vars, items, out, path, err)
	}
	l.answered()
	for i, result := range results.([]any) {
		if err := itemRefused(result); err != nil {
			l.add(ctx, l.path+"["+items[i].name+"]", 1, err)
			continue
		}
		if err := l.hold(path, result); err != nil {
			return err
		}
		out[items[i].at] = result
	}
	return nil
}

func (l *loop) batchFailed(ctx context.Context, vars map[string]any, items []batchItem, out []any, path string, err error) error {
	if l.fatal(ctx, err) {
		return err
	}
	if len(items) > 1 && refusedAsAWhole(err) {
		half := len(items) / 2
		if err := l.batch(ctx, vars, items[:half], out); err != nil {
			return err
		}
		return l.batch(ctx, vars, items[half:], out)
	}
	if l.add(ctx, path, len(items), err) {
		return errStopTrying
	}
	return nil
}

// callBatch makes the call and returns a list with a result for each item.
func (l *loop) callBatch(ctx context.Context, vars map[string]any, items []batchItem, path string) (any, error) {
	c := l.step.Call
	inner := maps.Clone(vars)
	list, names := make([]any, len(items)), make([]string, len(items))
	for i, item := range items {
		list[i], names[i] = item.item, item.name
	}
	inner[l.step.As], inner["position"] = list, int64(items[0].at)
	var (
		result any
		err    error
	)
	if c.Flow != nil || c.Connection == "run" || c.Operation.Effect == connectors.Read {
		result, err = l.call(ctx, c, l.step.Hash, inner, path)
	} else {
		var params map[string]any
		if params, err = c.With.EvalRecord(ctx, inner); err == nil {
			result, err = l.write(ctx, write{call: c, hash: l.step.Hash, params: params,
				path: l.journal.free(path, "", names), about: names, judged: c.Operation.OnceOnly()})
		}
	}
	if err != nil {
		return nil, err
	}
	inner["result"] = result
	return takeItems(ctx, c, inner, len(items))
}

// takeItems picks the results of a batch's items.
func takeItems(ctx context.Context, c *flow.Call, vars map[string]any, want int) ([]any, error) {
	taken, err := c.Take.Eval(ctx, vars)
	if err != nil {
		return nil, err
	}
	results, ok := taken.([]any)
	if !ok || len(results) != want {
		return nil, fmt.Errorf("%s was given %d items, and its take gives %s", c.Name, want, describeList(taken))
	}
	return results, nil
}

func describeList(v any) string {
	if list, ok := v.([]any); ok {
		return fmt.Sprintf("%d", len(list))
	}
	return fmt.Sprintf("%T", v)
}

// itemRefused is the error of an item whose result is a record with an error, as
// batch operations give it, in words or as a record of its own; nil for others.
func itemRefused(result any) error {
	record, _ := result.(map[string]any)
	switch problem := record["error"].(type) {
	case string:
		return connectors.Errorf(connectors.Permanent, codeRefused, "%s", problem)
	case map[string]any:
		word := func(name string) string {
			s, _ := problem[name].(string)
			return s
		}
		return connectors.Errorf(connectors.Permanent, word("code"), "%s (%s)", word("message"), word("code"))
	}
	return nil
}

// codeRefused is the code of an item's error that came without one.
const codeRefused = "refused"

// batchPath names a batch by its first item and how many follow.
func batchPath(path string, items []batchItem) string {
	if len(items) == 1 {
		return path + "[" + items[0].name + "]"
	}
	return fmt.Sprintf("%s[%s+%d]", path, items[0].name, len(items)-1)
}

// free is a batch's path that no batch of other items has in the journal: what
// an earlier attempt did with those must not be forgotten.
func (j *journal) free(path, suffix string, about []string) string {
	for n := 1; ; n++ {
		free := path + suffix
		if n > 1 {
			free = fmt.Sprintf("%s#%d]%s", strings.TrimSuffix(path, "]"), n, suffix)
		}
		known, _ := j.entry(free)
		if known.Attempts == 0 || slices.Equal(aboutOf(known.Input), about) {
			return free
		}
	}
}

// earlierItem is what an earlier attempt did about an item: its result, or why it
// must not be done again.
type earlierItem struct {
	result any
	err    error
}

// earlierItems finds the items that earlier attempts wrote, or may have written,
// in whatever batch.
func (l *loop) earlierItems(ctx context.Context, vars map[string]any, items []batchItem) (map[string]earlierItem, error) {
	byName := make(map[string]any, len(items))
	for _, item := range items {
		byName[item.name] = item.item
	}
	found := map[string]earlierItem{}
	for _, entry := range l.journal.entries() {
		path, about := entry.Path, aboutOf(entry.Input)
		if len(about) == 0 || !isItemOf(path, l.path) {
			continue
		}
		results, err := l.earlierBatch(ctx, vars, entry, about, byName)
		if err != nil {
			for _, name := range about {
				found[name] = earlierItem{err: &stepError{path, err}}
			}
			continue
		}
		for i, result := range results {
			if itemRefused(result) == nil {
				found[about[i]] = earlierItem{result: result}
			}
		}
	}
	return found, nil
}

// isItemOf tells whether a path is that of an item, or a batch of items, of a
// step, and not of a step within it.
func isItemOf(path, step string) bool {
	rest, ok := strings.CutPrefix(path, step+"[")
	return ok && strings.HasSuffix(rest, "]") && !strings.Contains(rest, "/")
}

// earlierBatch reads the results of a batch from the journal; none when it may be
// done again.
func (l *loop) earlierBatch(ctx context.Context, vars map[string]any, entry store.Step, about []string, byName map[string]any) ([]any, error) {
	c := l.step.Call
	w := write{call: c, hash: l.step.Hash, path: entry.Path, about: about}
	switch l.journal.judge(w, entry.Input) {
	case unclear:
		return nil, &unclearError{operation: c.Name}
	case changed:
		return nil, &changedError{c.Name}
	case do:
		return nil, nil
	}
	result, err := l.reuse(w)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(about))
	for i, name := range about {
		list[i] = byName[name]
	}
	inner := maps.Clone(vars)
	inner[l.step.As], inner["position"], inner["result"] = list, int64(0), result
	return takeItems(ctx, c, inner, len(about))
}

// stepAt finds the step that a journal entry's path names; nil when there is
// none any more.
func stepAt(f *flow.Flow, path string) *flow.Step {
	first, rest, _ := strings.Cut(path, "/")
	name, _, _ := strings.Cut(first, "[")
	name, action, _ := strings.Cut(name, ".")
	if i := strings.LastIndex(first, "]."); i >= 0 {
		action = first[i+2:]
	}
	for _, s := range f.Steps {
		if s.Name != name {
			continue
		}
		if rest == "" {
			return s
		}
		if called := s.Called(action); called != nil {
			return stepAt(called, rest)
		}
		return nil
	}
	return nil
}
