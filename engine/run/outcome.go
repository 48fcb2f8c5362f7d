package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// claimRetry is how long a run waits for another run that makes the same record.
const claimRetry = time.Second

// defaultUnclearWait is the least wait before an unclear write is tried again.
const defaultUnclearWait = 5 * time.Second

// defaultLateWait is longer than Odoo lets a request last (limit_time_real, 120 s
// unless its server is told otherwise), and than its connector waits for one.
const defaultLateWait = 150 * time.Second

// lateWait is how long another system may be at a request.
func (x *Executor) lateWait() time.Duration {
	if x.LateWait == 0 {
		return defaultLateWait
	}
	return x.LateWait
}

// outcomeOf turns an error into what becomes of the run.
func (e *execution) outcomeOf(ctx context.Context, err error) store.Outcome {
	var (
		stopped *stop
		items   *itemsError
	)
	switch {
	case errors.As(err, &stopped):
		return stopped.outcome
	case ctx.Err() != nil:
		// Shutting down: the run is handed back as it is.
		return store.Outcome{State: store.Waiting, Reason: "handed back: " + context.Cause(ctx).Error()}
	case errors.As(err, &items):
		return items.outcome
	}
	if outcome, ok := e.executor.needsPerson(err); ok {
		return outcome
	}
	return e.executor.byClass(e.run, err)
}

// needsPerson is the outcome of errors that only a person can clear.
func (x *Executor) needsPerson(err error) (store.Outcome, bool) {
	held := store.Outcome{State: store.Held, Reason: err.Error()}
	var (
		unclear   *unclearError
		changed   *changedError
		ambiguous *link.AmbiguousError
		missing   *link.MissingError
		taken     *link.TakenError
	)
	switch {
	case errors.As(err, &unclear):
		held.Code = "unclear_write"
		held.Advice = "Look whether " + unclear.operation + " took effect in the other system. If it did, ignore this run; if not, retry it."
	case errors.As(err, &changed):
		held.Code = "changed_step"
		held.Advice = "Look at what " + changed.operation + " did. If that is still right, change the step back and retry; if not, undo it there and replay the run from the start."
	case errors.As(err, &ambiguous):
		held.Code = "ambiguous"
		held.Advice = "Merge the records or change the key of all but one, then retry."
	case errors.As(err, &missing):
		held.Code = "missing"
		held.Advice = "Create the record, or give it this key, then retry."
	case errors.As(err, &taken):
		held.Code = "link_taken"
		held.Advice = "Look at both records. Unlink the wrong one with flowctl links, then retry."
	default:
		return store.Outcome{}, false
	}
	return held, true
}

// byClass is the outcome of errors that time clears, or nothing does.
func (x *Executor) byClass(run store.Run, err error) store.Outcome {
	reason := err.Error()
	var (
		remote  *connectors.Error
		eval    *flow.EvalError
		timeout *timeoutError
		bound   *boundError
		panics  *panicError
		early   *earlyError
	)
	switch {
	case errors.As(err, &early):
		return x.retry(run, "unclear_write", reason, "", early.wait)
	case errors.Is(err, store.ErrClaimed):
		return store.Outcome{State: store.Retrying, Code: "claimed", Reason: reason, After: jittered(claimRetry)}
	case errors.Is(err, store.ErrUnavailable):
		return x.retry(run, "store_unavailable", reason, "", 0)
	case errors.As(err, &bound):
		return store.Outcome{State: store.Failed, Code: "limit", Reason: reason,
			Advice: "Let the flow work on fewer records at a time, then replay."}
	case errors.As(err, &remote) && remote.Class == connectors.Unclear:
		wait := x.UnclearWait
		if wait == 0 {
			wait = defaultUnclearWait
		}
		return x.retry(run, remote.Code, reason, remote.Advice, max(wait, remote.RetryAfter))
	case errors.As(err, &remote) && remote.Class == connectors.Transient:
		return x.retry(run, remote.Code, reason, remote.Advice, remote.RetryAfter)
	case errors.As(err, &remote):
		return store.Outcome{State: store.Failed, Code: remote.Code, Reason: reason, Advice: remote.Advice}
	case errors.As(err, &timeout):
		return x.retry(run, "timeout", reason, "Give the step more time, or less to do.", 0)
	case errors.As(err, &eval):
		return store.Outcome{State: store.Failed, Code: "expression", Reason: reason,
			Advice: "The flow met data that its expression cannot work with. Mend the flow, then replay."}
	case errors.As(err, &panics):
		return store.Outcome{State: store.Failed, Code: "panic", Reason: reason,
			Advice: "This is a mistake in flowctl or in a connector; the workers' log has the details. Please report it."}
	case errors.Is(err, store.ErrInvalid):
		return store.Outcome{State: store.Failed, Code: "invalid", Reason: reason}
	case connectors.ClassOf(err) == connectors.Transient:
		return x.retry(run, "timeout", reason, "", 0)
	}
	return store.Outcome{State: store.Failed, Code: "internal", Reason: reason}
}

// retry tries again later, unless all attempts of this series are used up.
func (x *Executor) retry(run store.Run, code, reason, advice string, least time.Duration) store.Outcome {
	backoff := x.backoff()
	tries := max(run.Tries, 1)
	if tries > len(backoff) {
		return store.Outcome{State: store.Failed, Code: code, Advice: advice,
			Reason: fmt.Sprintf("after %d attempts: %s", tries, reason)}
	}
	return store.Outcome{State: store.Retrying, Code: code, Reason: reason, Advice: advice,
		After: max(jittered(backoff[tries-1]), least)}
}

// jittered lengthens a wait by up to a quarter: runs that failed together do not
// come back together.
func jittered(wait time.Duration) time.Duration {
	return wait + time.Duration(rand.Int64N(int64(wait)/4+1))
}
