package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// spareTries is how often a run may be claimed beyond its retries, by workers
// that died or waited for others' claims, before it is held: a run that kills
// its worker would otherwise do so for ever.
const spareTries = 25

// execution is one attempt of one run.
type execution struct {
	executor *Executor
	run      store.Run
	lease    store.Lease
	held     *heldLease
	log      *slog.Logger
	linker   link.Linker
	journal  *journal
	settings map[string]any
	began    time.Time
	*shared
	// used counts the bytes that the values of this goroutine hold, see Bounds.
	used int
	// quiet, above 0, keeps steps that write nothing out of the journal.
	quiet int
}

// shared is what the goroutines of one attempt have in common.
type shared struct {
	mu sync.Mutex
	// opened keeps the connections for the attempt's time: settings do not change
	// under a run.
	opened map[string]connectors.Connection
	// remarks are what went wrong without stopping the run.
	remarks []string
	// failedNotes counts the failures journaled.
	failedNotes int
	// total counts the bytes that all values hold.
	total int
}

func newShared() *shared { return &shared{opened: map[string]connectors.Connection{}} }

func (x *Executor) begin(run store.Run, held *heldLease, log *slog.Logger) *execution {
	return &execution{
		executor: x, run: run, lease: held.Lease, held: held, log: log,
		began: x.now(), linker: link.Linker{Store: x.Store, ClaimWait: x.ClaimWait}, shared: newShared(),
		journal: newJournal(x.Store, held.Lease, run),
	}
}

// attempt does the flow once and says what became of it. The error is
// store.ErrLeaseLost, or nil.
func (e *execution) attempt(ctx context.Context) (outcome store.Outcome, err error) {
	outcome, err = e.protected(expression.WithLimits(ctx, e.executor.Expressions))
	if err != nil {
		outcome = e.outcomeOf(ctx, err)
	}
	if errors.Is(err, store.ErrLeaseLost) {
		return outcome, store.ErrLeaseLost
	}
	e.journal.noteEnd(outcome)
	e.journal.unpin(outcome)
	// What was done is written down even while shutting down.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	switch flushErr := e.journal.flush(last); {
	case errors.Is(flushErr, store.ErrLeaseLost):
		return outcome, store.ErrLeaseLost
	case flushErr != nil && err == nil:
		outcome = e.outcomeOf(ctx, flushErr)
	case flushErr != nil:
		e.log.Warn("the journal was not written", "error", flushErr)
	}
	return e.scrubbed(outcome), nil
}

// protected does the flow, and makes an error of a panic: it fails the run, not
// the worker.
func (e *execution) protected(ctx context.Context) (outcome store.Outcome, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			e.log.Error("a run panicked", "panic", problem, "stack", string(debug.Stack()))
			err = &panicError{fmt.Sprint(problem)}
		}
	}()
	if e.run.Tries > len(e.executor.backoff())+spareTries {
		return store.Outcome{}, &stop{store.Outcome{State: store.Held, Code: "interrupted",
			Reason: fmt.Sprintf("this run was begun %d times and never came to an end", e.run.Tries),
			Advice: "Look into the workers' log for what ends them while they work on this run, then retry."}}
	}
	if err := e.prepare(ctx); err != nil {
		return store.Outcome{}, err
	}
	f, ok := e.flow()
	if !ok {
		return store.Outcome{}, &stop{store.Outcome{State: store.Held, Code: "no_flow",
			Reason: fmt.Sprintf("there is no flow %q any more", e.run.Flow),
			Advice: "Put the flow back into app.yaml and retry, or ignore this run."}}
	}
	e.journal.begin(f)
	vars, err := e.startVars()
	if err != nil {
		return store.Outcome{}, err
	}
	result, err := e.steps(ctx, f, vars, "")
	if err != nil {
		return store.Outcome{}, err
	}
	encoded, err := value.Encode(result)
	if err != nil {
		return store.Outcome{}, err
	}
	return store.Outcome{State: store.Succeeded, Result: encoded, Reason: strings.Join(e.remarks, "; ")}, nil
}

// prepare reads what the attempt needs from the store.
func (e *execution) prepare(ctx context.Context) error {
	settings, err := e.executor.Settings.Values(ctx, e.run.Instance)
	if err != nil {
		return fmt.Errorf("reading the settings: %w", err)
	}
	e.settings = settings
	e.journal.secrets = secretsOf(e.executor.App(), settings)
	if e.run.Attempt > 1 {
		if err := e.journal.load(ctx); err != nil {
			return err
		}
	}
	return e.pin()
}

// flow is the flow in the version to be worked. A run in flight goes on with the
// version it began with, as long as that is remembered. A run that begins, or
// begins anew because it was retried by a person or by a later event, takes
// today's.
func (e *execution) flow() (*flow.Flow, bool) {
	if begun := e.journal.head; e.executor.Version != nil && begun.inSeries(e.run) {
		if f, ok := e.executor.Version(e.run.Flow, begun.Version); ok {
			return f, true
		}
	}
	return e.executor.App().Flow(e.run.Flow)
}

// startVars are the names that the flow's expressions read.
func (e *execution) startVars() (map[string]any, error) {
	vars := e.baseVars()
	for name, data := range map[string][]byte{"event": e.run.Event, "input": e.run.Input} {
		if len(data) == 0 {
			continue
		}
		record, err := value.DecodeRecord(data)
		if err != nil {
			return nil, fmt.Errorf("reading the %s: %w", name, err)
		}
		vars[name] = record
	}
	return vars, nil
}

func (e *execution) baseVars() map[string]any {
	return map[string]any{
		"settings": e.settings,
		"run": map[string]any{
			"id": e.run.ID, "attempt": int64(e.run.Attempt), "flow": e.run.Flow, "instance": e.run.Instance, "at": e.began,
		},
	}
}
