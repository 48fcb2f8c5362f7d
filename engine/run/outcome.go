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

// stop ends a run by the flow's own decision, or by a rule of the engine that
// needs a person.
type stop struct {
	outcome store.Outcome
}

func (s *stop) Error() string { return s.outcome.Reason }

// stepError says in which step an error happened.
type stepError struct {
	path string
	err  error
}

func (e *stepError) Error() string { return "step " + e.path + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// unclearError is a write of which it is not known whether it happened, and
// which must not simply be repeated.
type unclearError struct {
	operation string
	err       error // nil when an earlier attempt was interrupted
}

func (e *unclearError) Error() string {
	if e.err == nil {
		return "an earlier attempt was interrupted during " + e.operation
	}
	return e.err.Error()
}
func (e *unclearError) Unwrap() error { return e.err }

// claimRetry is how long a run waits for another run that makes the same record.
const claimRetry = time.Second

// outcomeOf turns an error into what becomes of the run.
func (x *Executor) outcomeOf(ctx context.Context, run store.Run, err error) store.Outcome {
	reason := err.Error()
	var (
		stopped   *stop
		unclear   *unclearError
		remote    *connectors.Error
		eval      *flow.EvalError
		ambiguous *link.AmbiguousError
		missing   *link.MissingError
		taken     *link.TakenError
	)
	switch {
	case errors.As(err, &stopped):
		return stopped.outcome
	case ctx.Err() != nil:
		// Shutting down: the run is handed back as it is.
		return store.Outcome{State: store.Waiting, Reason: "handed back: " + context.Cause(ctx).Error()}
	case errors.As(err, &unclear):
		return store.Outcome{State: store.Held, Code: "unclear_write", Reason: reason,
			Advice: "Look whether " + unclear.operation + " took effect in the other system. If it did, ignore this run; if not, retry it."}
	case errors.As(err, &ambiguous):
		return store.Outcome{State: store.Held, Code: "ambiguous", Reason: reason,
			Advice: "Merge the records or change the key of all but one, then retry."}
	case errors.As(err, &missing):
		return store.Outcome{State: store.Held, Code: "missing", Reason: reason,
			Advice: "Create the record, or give it this key, then retry."}
	case errors.As(err, &taken):
		return store.Outcome{State: store.Held, Code: "link_taken", Reason: reason,
			Advice: "Look at both records. Unlink the wrong one with flowctl links, then retry."}
	case errors.Is(err, store.ErrClaimed):
		return store.Outcome{State: store.Retrying, Code: "claimed", Reason: reason, After: claimRetry}
	case errors.Is(err, store.ErrUnavailable):
		return x.retry(run, "store_unavailable", reason, "", 0)
	case errors.As(err, &eval):
		return store.Outcome{State: store.Failed, Code: "expression", Reason: reason,
			Advice: "The flow met data that its expression cannot work with. Mend the flow, then replay."}
	case errors.As(err, &remote):
		if remote.Class == connectors.Transient || remote.Class == connectors.Unclear {
			return x.retry(run, remote.Code, reason, remote.Advice, remote.RetryAfter)
		}
		return store.Outcome{State: store.Failed, Code: remote.Code, Reason: reason, Advice: remote.Advice}
	case connectors.ClassOf(err) == connectors.Transient:
		return x.retry(run, "timeout", reason, "", 0)
	}
	return store.Outcome{State: store.Failed, Code: "internal", Reason: reason}
}

// retry tries again later, unless all attempts are used up.
func (x *Executor) retry(run store.Run, code, reason, advice string, after time.Duration) store.Outcome {
	backoff := x.Backoff
	if backoff == nil {
		backoff = DefaultBackoff
	}
	if run.Attempt > len(backoff) {
		return store.Outcome{State: store.Failed, Code: code, Advice: advice,
			Reason: fmt.Sprintf("after %d attempts: %s", run.Attempt, reason)}
	}
	wait := backoff[max(run.Attempt, 1)-1]
	// Runs that failed together do not come back together.
	wait += time.Duration(rand.Int64N(int64(wait)/4 + 1))
	return store.Outcome{State: store.Retrying, Code: code, Reason: reason, Advice: advice, After: max(wait, after)}
}
