package woocommerce

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

// batchParts in the order in which the shop works on them.
var batchParts = []string{"create", "update", "delete"}

// batchItem is one item of a batch and where its answer goes.
type batchItem struct {
	part  string
	index int
	value any
	// unclear: it was sent in a batch that nobody answered.
	unclear bool
}

// batchSize is how many items a shop takes at once: less after it gave up on
// more, and slowly more again.
type batchSize struct{ limit atomic.Int64 }

func (b *batchSize) get() int {
	if n := b.limit.Load(); n > 0 {
		return int(n)
	}
	return MaxBatch
}

func (b *batchSize) shrink(sent int) { b.limit.Store(int64(max(1, sent/2))) }

// grow allows a little more after a batch of the full size went well.
func (b *batchSize) grow(sent int) {
	if n := b.get(); sent >= n && n < MaxBatch {
		b.limit.Store(int64(min(MaxBatch, n+max(1, n/4))))
	}
}

// batch sends the items that are in order, in as many requests as the shop needs.
// An item that is not, or that fails, holds its error; the others go on.
func (c *Connection) batch(ctx context.Context, op *operation, params map[string]any) (any, error) {
	run := &batchRun{c: c, op: op, params: params, results: map[string]any{}, started: time.Now()}
	queue, err := run.sort()
	if err != nil {
		return nil, err
	}
	if len(queue) == 0 && len(run.results) == 0 {
		return c.single(ctx, op, params) // the shop's own answer to nothing
	}
	for len(queue) > 0 {
		chunk := queue[:min(len(queue), c.batchSize.get())]
		failed := run.send(ctx, chunk)
		if failed == nil {
			c.batchSize.grow(len(chunk))
			queue = queue[len(chunk):]
			continue
		}
		if !shrinks(failed) || ctx.Err() != nil {
			return run.ended(queue, failed)
		}
		queue = run.settle(ctx, chunk, queue[len(chunk):], failed)
		if len(chunk) == 1 && len(queue) > 0 && queue[0] == chunk[0] {
			return run.ended(queue, failed) // one alone is too much
		}
		c.batchSize.shrink(len(chunk))
	}
	return run.results, nil
}

// shrinks tells whether an error may be one of size: the shop or a proxy gave up
// on the request. Where it is not, one item alone fails as well.
func shrinks(err error) bool {
	var told *connectors.Error
	return errors.As(err, &told) && (told.Class == connectors.Unclear || told.Code == codeTooLarge)
}

// batchRun is one batch on its way.
type batchRun struct {
	c       *Connection
	op      *operation
	params  map[string]any
	results map[string]any // part: []any
	done    int
	started time.Time
}

// sort puts the items in order and fails those that the shop would not check.
func (run *batchRun) sort() ([]*batchItem, error) {
	var queue []*batchItem
	total := 0
	for _, part := range batchParts {
		values, given := run.params[part].([]any)
		if !given {
			if run.params[part] != nil {
				return nil, badParams("%s: %s must be a list", run.op.Name, part)
			}
			continue
		}
		total += len(values)
		if len(values) > 0 {
			run.results[part] = make([]any, len(values))
		}
		schema, _ := run.op.Params.Property(part)
		for i, value := range values {
			item := &batchItem{part: part, index: i, value: value}
			problem := misfit(schema.Items, value, "")
			if record, ok := value.(map[string]any); ok && problem == "" {
				problem = run.op.rules[part].broken(record)
			}
			if problem != "" {
				run.fail(item, connectors.CodeBadParams, problem)
				continue
			}
			queue = append(queue, item)
		}
	}
	if total > MaxBatch {
		return nil, badParams("%s: %d items, but a batch takes %d over create, update and delete", run.op.Name, total, MaxBatch)
	}
	return queue, nil
}

func (run *batchRun) set(item *batchItem, answer any) {
	run.results[item.part].([]any)[item.index] = answer
}

func (run *batchRun) fail(item *batchItem, code, message string) {
	run.set(item, map[string]any{"id": run.idOf(item), "error": map[string]any{"code": code, "message": message}})
}

// idOf is the id that an item names: a record's, or itself.
func (run *batchRun) idOf(item *batchItem) any {
	if record, ok := item.value.(map[string]any); ok {
		if id := record["id"]; id != nil {
			return id
		}
		return int64(0)
	}
	return item.value
}

// send asks the shop once and keeps what it answers for each item.
func (run *batchRun) send(ctx context.Context, chunk []*batchItem) error {
	params := map[string]any{}
	for name, value := range run.params {
		if !slices.Contains(batchParts, name) {
			params[name] = value
		}
	}
	for _, item := range chunk {
		list, _ := params[item.part].([]any)
		params[item.part] = append(list, item.value)
	}
	result, err := run.c.single(ctx, run.op, params)
	if err != nil {
		return err
	}
	answers, _ := result.(map[string]any)
	next := map[string]int{}
	for _, part := range batchParts {
		given, _ := answers[part].([]any)
		sent, _ := params[part].([]any)
		if len(given) != len(sent) {
			return &connectors.Error{Class: connectors.Unclear, Code: connectors.CodeBadAnswer,
				Message: "the shop answered " + run.op.Name + " with other items than it was sent"}
		}
	}
	for _, item := range chunk {
		answer := answers[item.part].([]any)[next[item.part]]
		next[item.part]++
		if item.unclear && item.part == "delete" && isGone(answer) {
			answer = map[string]any{"id": item.value, "error": nil} // the batch before did it
		}
		run.set(item, answer)
		run.done++
	}
	return nil
}

// isGone tells whether a deletion failed because there is nothing to delete.
func isGone(answer any) bool {
	code, _ := lookup(map[string]any{"item": answer}, "item.error.code")
	text, _ := code.(string)
	return strings.HasSuffix(text, "_invalid_id") || strings.HasSuffix(text, "_already_trashed") || text == "woocommerce_rest_term_invalid"
}

// settle finds out which creates of a batch without an answer have happened, and
// returns what is still to be sent. Changes and deletions may be sent again.
func (run *batchRun) settle(ctx context.Context, chunk, rest []*batchItem, failed error) []*batchItem {
	if connectors.ClassOf(failed) != connectors.Unclear {
		return slices.Concat(chunk, rest) // refused for its size: nothing happened
	}
	var again []*batchItem
	for _, item := range chunk {
		item.unclear = true
		if item.part != "create" {
			again = append(again, item)
			continue
		}
		record, _ := item.value.(map[string]any)
		if run.op.readBack == nil || !run.op.readBack.knowable(record) {
			run.fail(item, codeUnclear, "whether it was created is not known: "+failed.Error())
			continue
		}
		found, err := run.c.found(ctx, run.op.readBack, record, run.asSingle(record), run.started)
		switch {
		case err != nil:
			run.fail(item, codeUnclear, "whether it was created is not known: "+failed.Error()+"; reading back failed too: "+err.Error())
		case found != nil:
			run.set(item, found)
			run.done++
		default:
			again = append(again, item)
		}
	}
	return slices.Concat(again, rest)
}

// asSingle are the parameters of a create of one, for reading back.
func (run *batchRun) asSingle(record map[string]any) map[string]any {
	params := map[string]any{"values": record}
	for name, value := range run.params {
		if run.op.Places[name] == inPath {
			params[name] = value
		}
	}
	return params
}

// ended is a batch that cannot go on: the error, where nothing has been done;
// else what has, and the error for each item that is left.
func (run *batchRun) ended(left []*batchItem, failed error) (any, error) {
	if run.done == 0 {
		return nil, failed
	}
	var told *connectors.Error
	code := codeUnclear
	if errors.As(failed, &told) {
		code = told.Code
	}
	for i, item := range left {
		message := failed.Error()
		if i > 0 && !item.unclear {
			message = "not sent: " + message
		}
		run.fail(item, code, message)
	}
	return run.results, nil
}

// Codes of errors of items.
const (
	codeUnclear  = "unclear"
	codeTooLarge = "too_large"
)
