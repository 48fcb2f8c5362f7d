package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// shownItems is how many items of one for_each are journaled with all that their
// steps read and shaped; of the others the journal keeps the writes and errors.
const shownItems = 20

// forEach does a step for each item of a list. An item that fails does not stop
// its neighbours: they are done, and then the step ends as its on_error says,
//
//	fail      the run is tried again, held or failed, naming the items
//	continue  the run goes on; the item's value is nothing, the failures are counted
//	hold      the run is held, naming the items
//
// A run.skip within an item skips that item, a run.hold or run.fail fails it.
// When the system itself does not answer, or refuses everything, the rest is not
// tried.
func (e *execution) forEach(ctx context.Context, s *flow.Step, vars map[string]any, path string, items []any) (any, error) {
	if limit := e.executor.bounds().Items; len(items) > limit {
		return nil, &stepError{path, &boundError{fmt.Sprintf("for_each has %d items; at most %d are worked in one run", len(items), limit)}}
	}
	defer e.release(e.used) // the list as a whole is counted by the caller
	l := &loop{execution: e, step: s, path: path, started: time.Now().UTC(), failures: &failures{total: len(items)}}
	var out []any
	var err error
	switch {
	case savesPairs(s):
		out, err = l.pairs(ctx, vars, items)
	case s.Batch > 0 && s.Link != nil:
		out, err = l.batchedLinks(ctx, vars, items)
	case s.Batch > 0 && s.Call != nil && s.Call.Take != nil:
		out, err = l.batchedCalls(ctx, vars, items)
	case s.Batch > 0:
		out, err = l.each(ctx, vars, batches(items, s.Batch))
	default:
		out, err = l.each(ctx, vars, items)
	}
	if err != nil {
		return nil, err
	}
	return out, l.end()
}

// loop is one for_each at work.
type loop struct {
	*execution
	step    *flow.Step
	path    string
	started time.Time
	// created is of a batched link step.
	created *createdItems
	*failures
}

// each does the step for each of the items.
func (l *loop) each(ctx context.Context, vars map[string]any, items []any) ([]any, error) {
	l.total = len(items)
	out := make([]any, len(items))
	paths := make([]string, len(items))
	names := newNamer()
	for i, item := range items {
		paths[i] = l.path + "[" + names.name(item) + "]"
	}
	begun, err := l.fan(vars, len(items), func(l *loop, inner map[string]any, i int) error {
		inner[l.step.As], inner["position"] = items[i], int64(i)
		result, err := l.item(ctx, i, paths[i], inner)
		if err != nil && l.fatal(ctx, err) {
			return err
		}
		if err != nil {
			if l.add(ctx, paths[i], 1, err) {
				return errStopTrying
			}
			return nil
		}
		out[i] = result
		return l.hold(paths[i], result)
	})
	l.untried = len(items) - begun
	return out, err
}

func (l *loop) item(ctx context.Context, i int, path string, vars map[string]any) (any, error) {
	if i >= shownItems {
		l.quiet++
		defer func() { l.quiet-- }()
	}
	result, err := l.guarded(ctx, l.step, vars, path)
	var stopped *stop
	if errors.As(err, &stopped) && stopped.outcome.State == store.Skipped {
		return nil, nil
	}
	return result, err
}

// fatal tells whether an error ends the loop and the run with it. A record that
// another run makes is one item's matter.
func (l *loop) fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || endsRun(err) && !errors.Is(err, store.ErrClaimed)
}

// end journals how the loop went, and says what its failures do to the run.
func (l *loop) end() error {
	entry := store.Step{Path: l.path, State: store.StepDone, Hash: l.step.Hash, Started: l.started, Ended: time.Now().UTC()}
	entry.Output = fmt.Appendf(nil, `{"items":%d,"failed":%d,"untried":%d}`, l.total, l.failed, l.untried)
	failure := l.itemsError(l.path)
	if failure != nil {
		entry.State, entry.Error = store.StepFailed, failure.Error()
	}
	l.journal.note(entry)
	switch {
	case failure == nil:
		return nil
	case l.step.OnError == flow.ContinueOnError && !l.waits:
		l.log.Warn("items failed, going on", "step", l.path, "failed", l.failed, "of", l.total)
		l.remark(failure.Error())
		return nil
	case l.step.OnError == flow.HoldOnError:
		failure.outcome.State, failure.outcome.After = store.Held, 0
	}
	return failure
}

// batches cuts a list into lists of at most size items.
func batches(items []any, size int) []any {
	var out []any
	for start := 0; start < len(items); start += size {
		out = append(out, items[start:min(start+size, len(items))])
	}
	return out
}

// namer names the items of a list by what they are, not by their place: a later
// attempt reads the list again, and may find it longer, shorter or in another
// order.
type namer map[string]int

func newNamer() namer { return namer{} }

// identifying are the fields by which records are usually told apart.
var identifying = []string{"id", "key", "sku", "code", "email", "name"}

const maxItemName = 60

func (n namer) name(item any) string {
	name := nameOf(item)
	n[name]++
	if times := n[name]; times > 1 {
		return fmt.Sprintf("%s#%d", name, times)
	}
	return name
}

func nameOf(item any) string {
	switch v := item.(type) {
	case map[string]any:
		for _, field := range identifying {
			if name := plainName(v[field]); name != "" {
				return name
			}
		}
	case []any:
		if len(v) > 0 {
			if name := nameOf(v[0]); name != "" {
				return name
			}
		}
	default:
		if name := plainName(v); name != "" {
			return name
		}
	}
	encoded, err := value.Encode(item)
	if err != nil {
		encoded = fmt.Appendf(nil, "%v", item)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:6])
}

// plainName is a name that is short and has no character which paths use.
func plainName(v any) string {
	switch v := v.(type) {
	case int64:
		return link.Text(v)
	case string:
		if len(v) <= maxItemName && !strings.ContainsAny(v, "[]/#$\x00\n") {
			return v
		}
	}
	return ""
}
