package run

import (
	"fmt"
	"time"

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

// earlyError is a write that got no answer and that the other system may still be
// at: a look now could miss what is made in a moment.
type earlyError struct {
	operation string
	wait      time.Duration
}

func (e *earlyError) Error() string {
	return fmt.Sprintf("%s got no answer in an earlier attempt; whether it took effect is looked at in %s, when the other system cannot be at it any more",
		e.operation, e.wait.Round(time.Second))
}

// changedError is a write that an earlier attempt did by another definition of
// its step, and that must not be done twice.
type changedError struct{ operation string }

func (e *changedError) Error() string {
	return "an earlier attempt did " + e.operation + " here, and the step was changed since"
}

// timeoutError is a step that took longer than its timeout, with nothing written
// that would be unclear.
type timeoutError struct {
	limit time.Duration
	err   error
}

func (e *timeoutError) Error() string { return fmt.Sprintf("no end within its timeout of %s", e.limit) }
func (e *timeoutError) Unwrap() error { return e.err }

// panicError is a mistake in the program, met while doing a flow.
type panicError struct{ problem string }

func (e *panicError) Error() string { return "the program failed: " + e.problem }
