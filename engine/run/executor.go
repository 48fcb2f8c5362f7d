// Package run works runs off: it leases a run's key, does the flow's steps, keeps
// the journal, and turns every error into an outcome that a person can act on.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// Connections opens the connections of an instance.
type Connections interface {
	Connection(ctx context.Context, instance, name string) (connectors.Connection, error)
}

// Settings reads an instance's settings as typed values by name.
type Settings interface {
	Values(ctx context.Context, instance string) (map[string]any, error)
}

// Executor works runs. It is safe for concurrent use.
type Executor struct {
	App func() *flow.App
	// Version finds a flow as it was in an earlier version, so that a run in
	// flight goes on with what it began with; nil knows only the current ones.
	Version     func(name, version string) (*flow.Flow, bool)
	Store       store.Store
	Connections Connections
	Settings    Settings
	Log         *slog.Logger
	// Owner names this worker in leases.
	Owner string
	// LeaseTTL is how long a worker that fell silent keeps its key; 0 means
	// DefaultLease.
	LeaseTTL time.Duration
	// Backoff is the wait before each further attempt after a transient error;
	// nil means DefaultBackoff.
	Backoff []time.Duration
	// Observe, if set, is told of each run that ended its attempt.
	Observe func(store.Run, store.Outcome)
}

// DefaultLease forgives a worker a long pause, and costs a run whose worker died
// half a minute.
const DefaultLease = 30 * time.Second

// DefaultBackoff spreads the attempts over about a day: an ERP that is down for
// the night loses nothing.
var DefaultBackoff = []time.Duration{
	time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
	10 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour,
}

func (x *Executor) ttl() time.Duration {
	if x.LeaseTTL > 0 {
		return x.LeaseTTL
	}
	return DefaultLease
}

// Work works one run, if it is ready, and returns the next run of the same key
// that is ready, or 0. Errors are the store's: whatever goes wrong in the flow is
// in the run's outcome.
func (x *Executor) Work(ctx context.Context, runID int64) (next int64, err error) {
	run, lease, err := x.Store.Claim(ctx, runID, x.Owner, x.ttl())
	if errors.Is(err, store.ErrNotRunnable) || errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("claiming run %d: %w", runID, err)
	}
	log := x.Log.With("run", run.ID, "instance", run.Instance, "flow", run.Flow, "key", run.Key, "attempt", run.Attempt)

	working, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		x.keepLease(working, lease, lost)
	}()
	outcome := x.attempt(working, run, lease, log)
	cause := context.Cause(working)
	lost(nil)
	<-renewed
	if errors.Is(cause, store.ErrLeaseLost) {
		log.Warn("lease lost; another worker goes on with it")
		return 0, nil
	}

	// The outcome is recorded even while shutting down.
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if outcome.State != store.Succeeded {
		if err := x.Store.Unclaim(finish, lease); err != nil && !errors.Is(err, store.ErrLeaseLost) {
			return 0, fmt.Errorf("giving back the claims of run %d: %w", runID, err)
		}
	}
	next, err = x.Store.Finish(finish, lease, outcome)
	if errors.Is(err, store.ErrLeaseLost) {
		log.Warn("lease lost at the end; another worker goes on with it")
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("finishing run %d: %w", runID, err)
	}
	logOutcome(log, outcome)
	if x.Observe != nil {
		x.Observe(run, outcome)
	}
	return next, nil
}

func logOutcome(log *slog.Logger, outcome store.Outcome) {
	switch outcome.State {
	case store.Succeeded, store.Waiting:
		log.Debug("run "+string(outcome.State), "reason", outcome.Reason)
	case store.Skipped:
		log.Info("run skipped", "reason", outcome.Reason)
	case store.Retrying:
		log.Warn("run will be retried", "after", outcome.After, "code", outcome.Code, "reason", outcome.Reason)
	default:
		log.Error("run "+string(outcome.State), "code", outcome.Code, "reason", outcome.Reason, "advice", outcome.Advice)
	}
}

// keepLease renews the lease until ctx ends, and ends ctx when the lease is lost.
func (x *Executor) keepLease(ctx context.Context, lease store.Lease, lost context.CancelCauseFunc) {
	tick := time.NewTicker(x.ttl() / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err := x.Store.Renew(ctx, lease, x.ttl())
			if errors.Is(err, store.ErrLeaseLost) {
				lost(store.ErrLeaseLost)
				return
			}
			if err != nil && ctx.Err() == nil {
				x.Log.Warn("renewing a lease", "run", lease.RunID, "error", err)
			}
		}
	}
}

// attempt does the flow once and says what became of it.
func (x *Executor) attempt(ctx context.Context, run store.Run, lease store.Lease, log *slog.Logger) store.Outcome {
	f, ok := x.App().Flow(run.Flow)
	if !ok {
		return store.Outcome{State: store.Held, Code: "no_flow", Reason: fmt.Sprintf("there is no flow %q any more", run.Flow),
			Advice: "Put the flow back into app.yaml and retry, or ignore this run."}
	}
	e := &execution{executor: x, run: run, lease: lease, log: log,
		linker: link.Linker{Store: x.Store}, opened: map[string]connectors.Connection{}, journal: &journal{store: x.Store, lease: lease, log: log}}
	result, err := e.start(ctx, f)
	if flushErr := e.journal.flush(context.WithoutCancel(ctx)); flushErr != nil && err == nil {
		err = flushErr
	}
	if err != nil {
		return x.outcomeOf(ctx, run, err)
	}
	encoded, err := value.Encode(result)
	if err != nil {
		return x.outcomeOf(ctx, run, err)
	}
	return store.Outcome{State: store.Succeeded, Result: encoded}
}
