package flowtest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"runtime/debug"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/builtin"
	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/run"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// instance is the shop that tests run in.
const instance = "main"

// maxCaseTime bounds one case: a flow that hangs must not hang its tests.
const maxCaseTime = time.Minute

// bench is one case at work.
type bench struct {
	app      *flow.App
	test     *flow.Test
	c        *flow.Case
	now      time.Time
	settings map[string]any
	given    map[string]any // the event or the input
	vars     map[string]any
	store    store.Store
	mocks    *mocks
	executor *run.Executor
	router   *event.Router
	steps    []stepTrace
	reached  map[string]bool
	linked   map[string]*flow.Step // link steps that found what was there, by path
}

// Values implements run.Settings.
func (b *bench) Values(context.Context, string) (map[string]any, error) { return b.settings, nil }

// RunCase runs one case. What it finds, also that the case cannot be run, is in
// the result.
func RunCase(ctx context.Context, app *flow.App, test *flow.Test, c *flow.Case) (result Result) {
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, maxCaseTime)
	defer cancel()
	b := &bench{app: stubbed(app, test, c), test: test, c: c, reached: map[string]bool{}, linked: map[string]*flow.Step{}}
	result = Result{Test: test, Case: c, reached: b.reached}
	defer func() {
		if problem := recover(); problem != nil {
			result.Failures = append(result.Failures, Failure{At: c.At, What: fmt.Sprintf("the program failed: %v\n%s", problem, debug.Stack())})
		}
		result.Elapsed = time.Since(started)
	}()
	if err := b.run(ctx, &result); err != nil {
		result.Failures = append(result.Failures, evalFailure(c.At, "the case cannot be run", err))
	}
	return result
}

func (b *bench) run(ctx context.Context, result *Result) (err error) {
	if err := b.prepare(ctx); err != nil {
		return err
	}
	memory, err := store.Open(ctx, "sqlite::memory:")
	if err != nil {
		return err
	}
	b.store = impatient{memory}
	defer func() {
		if closeErr := b.store.Close(); err == nil {
			err = closeErr
		}
	}()
	b.equip()
	b.mocks.own = (&builtin.Operations{App: b.executor.App, Store: b.store, Log: b.executor.Log}).Connection(instance)
	f, _ := b.app.Flow(b.test.Flow.Name)
	enabled, err := b.enabled(ctx, f)
	if err != nil {
		return err
	}
	if !enabled {
		result.Outcome = Outcome{State: NotStarted, Reason: "the trigger's enabled does not hold"}
		return b.end(ctx, result)
	}
	if err := b.putLinks(ctx); err != nil {
		return err
	}
	runID, err := b.router.StartManually(ctx, f, instance, b.given)
	if err != nil {
		return err
	}
	done, err := b.work(ctx, runID)
	if err != nil {
		return err
	}
	result.Outcome = Outcome{State: string(done.State), Code: done.Code, Reason: done.Reason, Advice: done.Advice, Key: done.Key}
	if result.Outcome.Result, err = value.Decode(done.Result); err != nil {
		return err
	}
	if result.links, err = b.store.Links(ctx, store.LinkFilter{Instance: instance, Limit: store.MaxPage}); err != nil {
		return err
	}
	if err := b.sawMatches(ctx, runID); err != nil {
		return err
	}
	return b.end(ctx, result)
}

// work works the run as often as the case says.
func (b *bench) work(ctx context.Context, runID int64) (store.Run, error) {
	for attempt := 1; ; attempt++ {
		b.steps = nil // those of the last attempt are shown and compared
		if _, err := b.executor.Work(ctx, runID); err != nil {
			return store.Run{}, err
		}
		r, err := b.store.Run(ctx, runID)
		if err != nil || attempt >= b.c.Attempts {
			return r, err
		}
		if r.State != store.Retrying {
			if _, err := b.store.Reopen(ctx, false, runID); err != nil {
				return r, err
			}
		}
	}
}

// prepare evaluates what the case gives.
func (b *bench) prepare(ctx context.Context) error {
	b.now = testClock
	for _, now := range []*flow.Value{b.test.Now, b.c.Now} {
		if now == nil {
			continue
		}
		text, err := now.Eval(ctx, nil)
		if err != nil {
			return err
		}
		at, err := connectors.DateTime().Convert(text)
		if err != nil {
			return err
		}
		b.now, _ = at.(time.Time)
	}
	if err := b.prepareSettings(ctx); err != nil {
		return err
	}
	b.vars = map[string]any{
		"settings": b.settings,
		"run":      map[string]any{"id": int64(1), "attempt": int64(1), "flow": b.test.Flow.Name, "instance": instance, "at": b.now},
	}
	if err := b.prepareStart(ctx); err != nil {
		return err
	}
	b.mocks = newMocks(b.app, b.test, b.c, b.vars)
	return nil
}

func (b *bench) prepareSettings(ctx context.Context) error {
	b.settings = map[string]any{}
	declared := map[string]flow.Setting{}
	for _, s := range b.app.Settings() {
		b.settings[s.Name], declared[s.Name] = s.Default, s
	}
	for _, given := range []*flow.Value{b.test.Settings, b.c.Settings} {
		record, err := given.EvalRecord(ctx, nil)
		if err != nil {
			return err
		}
		for name, v := range record {
			s := declared[name]
			typed, err := s.Schema().Convert(v)
			if err != nil {
				return fmt.Errorf("setting %s: %w", name, err)
			}
			b.settings[name] = typed
		}
	}
	return nil
}

// prepareStart makes the event or the input, the case's fields over the file's.
func (b *bench) prepareStart(ctx context.Context) error {
	name, schema := "event", b.test.Flow.Trigger.Event
	given := []*flow.Value{b.test.Event, b.c.Event}
	if b.test.Flow.Trigger.Input != nil {
		name, schema = "input", b.test.Flow.Trigger.Input
		given = []*flow.Value{b.test.Input, b.c.Input}
	}
	record := map[string]any{}
	for _, v := range given {
		fields, err := v.EvalRecord(ctx, map[string]any{"settings": b.settings})
		if err != nil {
			return err
		}
		maps.Copy(record, fields)
	}
	var filled any = fillGiven(record, schema)
	if name == "event" {
		filled = fill(record, schema, 0)
	}
	typed, err := schema.Convert(filled)
	if err != nil {
		return fmt.Errorf("the %s: %w", name, err)
	}
	b.given, _ = typed.(map[string]any)
	if name == "input" {
		if b.given, err = b.test.Flow.TypedInput(b.given); err != nil {
			return err
		}
	}
	b.vars[name] = b.given
	return nil
}

// fillGiven fills the records within an input, but not the input itself: what a
// caller leaves out is left out.
func fillGiven(record map[string]any, schema *connectors.Schema) map[string]any {
	out := make(map[string]any, len(record))
	for name, v := range record {
		property, _ := schema.Property(name)
		out[name] = fill(v, property, 1)
	}
	return out
}

// equip makes the router and the executor that work the case.
func (b *bench) equip() {
	b.router = &event.Router{App: func() *flow.App { return b.app }, Settings: b, Store: b.store}
	b.executor = &run.Executor{
		App: func() *flow.App { return b.app }, Store: b.store, Connections: b.mocks, Settings: b,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Owner: "test", UnclearWait: time.Nanosecond, LateWait: time.Nanosecond,
		// The next attempt is due at once.
		Backoff: make([]time.Duration, 20),
		Sleep:   func(context.Context, time.Duration) error { return nil },
		Now:     func() time.Time { return b.now },
		Trace:   b.trace,
	}
}

func (b *bench) enabled(ctx context.Context, f *flow.Flow) (bool, error) {
	if f.Trigger.Enabled == nil || len(f.Trigger.Events) == 0 {
		return true, nil
	}
	out, err := f.Trigger.Enabled.Eval(ctx, b.vars)
	return out == true, err
}

func (b *bench) putLinks(ctx context.Context) error {
	given := b.c.Links
	if given == nil {
		given = b.test.Links
	}
	for _, l := range given {
		local, err := l.Local.Eval(ctx, b.vars)
		if err != nil {
			return err
		}
		remote, err := l.Remote.Eval(ctx, b.vars)
		if err != nil {
			return err
		}
		w := store.LinkWrite{Table: l.Table.Name, Local: link.Text(local), Remote: link.Text(remote)}
		if l.Values != nil {
			values, err := l.Values.EvalRecord(ctx, b.vars)
			if err != nil {
				return err
			}
			if w.Fingerprints, err = value.Encode(fingerprints(values)); err != nil {
				return err
			}
		}
		if err := b.store.PutLinks(ctx, instance, w); err != nil {
			return fmt.Errorf("link %s %s - %s: %w", w.Table, w.Local, w.Remote, err)
		}
	}
	return nil
}

func fingerprints(values map[string]any) map[string]any {
	prints := map[string]any{}
	for name, print := range link.Fingerprints(values) {
		prints[name] = print
	}
	return prints
}

// impatient is a store in which no run has to wait for its next attempt.
type impatient struct{ store.Store }

// Finish implements store.Store.
func (s impatient) Finish(ctx context.Context, lease store.Lease, outcome store.Outcome, arrivals ...store.Arrival) (int64, error) {
	outcome.After = 0
	return s.Store.Finish(ctx, lease, outcome, arrivals...)
}
