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
	"github.com/flowctl/flowctl/engine/expression"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
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
	// UnclearWait is the least wait before a write that got no answer is tried
	// again: the other system may still be at it. 0 means 5 s.
	UnclearWait time.Duration
	// LateWait is how long the other system may be at a request that got no answer;
	// so long is waited before a write that is safe only after looking is looked
	// for. 0 means 150 s.
	LateWait time.Duration
	// ClaimWait is how long a step waits for another run that makes the same
	// record, before it fails and is tried again later; 0 means 5 s.
	ClaimWait time.Duration
	// Expressions bounds each evaluation; zero fields mean expression.DefaultLimits.
	Expressions expression.Limits
	// Bounds bounds a run; zero fields mean DefaultBounds.
	Bounds Bounds
	// Announce, if set, says what is accepted in the same commit as a run's outcome,
	// and Announced is told when it was.
	Announce  func(context.Context, store.Run, store.Outcome) ([]store.Arrival, error)
	Announced func([]store.Arrival)
	// Measure, if set, is told of each attempt that ended, and how long it took, and
	// Called of each call of a connection.
	Measure func(store.Run, store.Outcome, time.Duration)
	Called  func(instance, connection, operation string, err error, took time.Duration)
	// Observe, if set, is told of each run that ended its attempt.
	Observe func(store.Run, store.Outcome)
	// Trace, if set, is told what each step came to; of a for_each, once for all its
	// items.
	Trace func(Trace)
	// Sleep waits between the tries of one step; nil waits for real.
	Sleep func(context.Context, time.Duration) error
	// Now is when an attempt begins, as its flow reads it; nil is the clock.
	Now func() time.Time
}

// Trace is what a step came to.
type Trace struct {
	Path    string
	Step    *flow.Step
	Skipped bool // its when did not hold
	Value   any
	Err     error
}

// DefaultBackoff spreads the attempts over about a day: an ERP that is down for
// the night loses nothing.
var DefaultBackoff = []time.Duration{
	time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
	10 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour,
}

// DefaultLease forgives a worker a long pause, and costs a run whose worker died
// half a minute.
const DefaultLease = 30 * time.Second

// finishTime bounds what is written after a run was told to stop.
const finishTime = 10 * time.Second

func (x *Executor) now() time.Time {
	if x.Now != nil {
		return x.Now().UTC()
	}
	return time.Now().UTC()
}

func (x *Executor) ttl() time.Duration {
	if x.LeaseTTL > 0 {
		return x.LeaseTTL
	}
	return DefaultLease
}

func (x *Executor) backoff() []time.Duration {
	if x.Backoff == nil {
		return DefaultBackoff
	}
	return x.Backoff
}

// Work works one run, if it is ready, and returns the next run of the same key
// that is ready, or 0. Errors are the store's: whatever goes wrong in the flow is
// in the run's outcome.
func (x *Executor) Work(ctx context.Context, runID int64) (next int64, err error) {
	asked := time.Now()
	run, lease, err := x.Store.Claim(ctx, runID, x.Owner, x.ttl())
	if errors.Is(err, store.ErrNotRunnable) || errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("claiming run %d: %w", runID, err)
	}
	log := x.Log.With("run", run.ID, "instance", run.Instance, "flow", run.Flow, "key", run.Key, "attempt", run.Attempt)

	held := x.keepLease(ctx, lease, asked)
	e := x.begin(run, held, log)
	outcome, err := e.attempt(held.ctx)
	held.release()
	if held.lost() || errors.Is(err, store.ErrLeaseLost) {
		log.Warn("lease lost; another worker goes on with it")
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("working run %d: %w", runID, err)
	}

	// The outcome is recorded even while shutting down.
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	next, err = e.finish(finish, outcome)
	if errors.Is(err, store.ErrLeaseLost) {
		log.Warn("lease lost at the end; another worker goes on with it")
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("finishing run %d: %w", runID, err)
	}
	logOutcome(log, outcome)
	if x.Measure != nil {
		x.Measure(run, outcome, time.Since(asked))
	}
	if x.Observe != nil {
		x.Observe(run, outcome)
	}
	return next, nil
}

// finish gives back what the run still claims, wakes what waited for it, and
// records the outcome.
func (e *execution) finish(ctx context.Context, outcome store.Outcome) (next int64, err error) {
	st := e.executor.Store
	if outcome.State != store.Succeeded || e.remarks != nil {
		if err := st.Unclaim(ctx, e.lease); err != nil {
			return 0, fmt.Errorf("giving back its claims: %w", err)
		}
	}
	if outcome.State == store.Succeeded && e.journal.wasHeld {
		// Before the run is finished: a crash between the two repeats the run, and
		// nobody is forgotten.
		if err := e.wakeSkipped(ctx); err != nil {
			return 0, err
		}
	}
	var announce []store.Arrival
	if e.executor.Announce != nil {
		if announce, err = e.executor.Announce(ctx, e.run, outcome); err != nil {
			return 0, fmt.Errorf("announcing what became of it: %w", err)
		}
	}
	next, err = st.Finish(ctx, e.lease, outcome, announce...)
	if err == nil && len(announce) > 0 && e.executor.Announced != nil {
		e.executor.Announced(announce)
	}
	return next, err
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
