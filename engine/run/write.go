package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// write is a call that changes the other system.
type write struct {
	call   *flow.Call
	hash   string // of the step's definition
	params map[string]any
	path   string
	// about names what the write is about, where the path does not: the key of a
	// link step, the items of a batch.
	about []string
	// matched: a link step looked for the record before, and it is not there.
	matched bool
	// judged: the caller left out what earlier attempts did already.
	judged bool
}

// heals tells whether an unclear write is cleared by looking for the record,
// which the link step does before it comes here again.
func (w write) heals() bool {
	return w.matched && w.call.Operation.Repeat != connectors.Unrepeatable
}

// input is what the journal keeps of the parameters.
func (w write) input() ([]byte, error) {
	params, err := encode(w.params, maxInputBytes)
	if err != nil || w.about == nil {
		return params, err
	}
	return json.Marshal(aboutInput{w.about, params})
}

// aboutInput is the input of a write that is about something, as it is kept.
type aboutInput struct {
	For    []string        `json:"for"`
	Params json.RawMessage `json:"params"`
}

// aboutOf reads what a write was about; nil when its entry does not say.
func aboutOf(input []byte) []string {
	var kept aboutInput
	if err := json.Unmarshal(input, &kept); err != nil {
		return nil // an input of another form
	}
	return kept.For
}

// verdict is what becomes of a write in the light of what the journal knows.
type verdict int

const (
	do      verdict = iota
	reuse           // it was done: take its result
	unclear         // it may have been done, and must not be done twice
	changed         // it was done by another definition of the step
)

// judge decides whether a write is done. What the journal says of the same path:
//
//	nothing, or failed   it is done
//	begun, never ended   done again where that is safe, or where a person looked
//	                     and asked for it; otherwise a person has to look
//	done for another key it is done
//	done, once only      its result is taken, whatever the parameters are now
//	                     (a create), or while they are the same (others)
//	done, repeatable     its result is taken within this series of attempts,
//	                     while definition and parameters are the same
//
// Once only are creates, and whatever is declared unrepeatable. Their result is
// not taken when the step was changed since: it may be another thing's.
func (j *journal) judge(w write, input []byte) verdict {
	before, known := j.entry(w.path)
	op := w.call.Operation
	same := bytes.Equal(before.Input, input)
	once := op.OnceOnly()
	switch {
	case !known || before.Attempts == 0:
		return do
	case before.State == store.StepStarted:
		if op.Repeatable() || w.heals() || before.Attempts < j.since && j.asked {
			return do
		}
		return unclear
	case w.judged && before.Attempts < j.run.Attempt:
		return do
	case before.State != store.StepDone || w.about != nil && !slices.Equal(w.about, aboutOf(before.Input)):
		return do
	case w.matched && before.Attempts < j.since:
		// Done long ago, and a look at the other system shows that it is gone.
		return do
	case once && before.Hash != w.hash:
		return changed
	case once && (op.Effect == connectors.Create || same):
		return reuse
	case !once && before.Attempts >= j.since && !j.changed && before.Hash == w.hash && same:
		return reuse
	}
	return do
}

// write performs an operation that changes the other system, unless an earlier
// attempt did, between two journal entries.
func (e *execution) write(ctx context.Context, w write) (any, error) {
	input, err := w.input()
	if err != nil {
		return nil, err
	}
	input = e.journal.scrub(input)
	switch e.journal.judge(w, input) {
	case reuse:
		return e.reuse(w)
	case unclear:
		return nil, &unclearError{operation: w.call.Name}
	case changed:
		return nil, &changedError{w.call.Name}
	}
	if wait := e.tooEarly(w); wait > 0 {
		return nil, &earlyError{w.call.Name, wait}
	}
	return e.journaled(ctx, w, input)
}

// tooEarly is how long the other system may still be at what an earlier attempt
// sent without getting an answer, because its worker died or the line broke. The
// look that came before the write is worth nothing until then: the run ends its
// attempt, and the next one looks anew.
func (e *execution) tooEarly(w write) time.Duration {
	before, known := e.journal.entry(w.path)
	if !known || before.State != store.StepStarted || w.call.Operation.Repeat != connectors.AfterLooking {
		return 0
	}
	return time.Until(before.Started.Add(e.executor.lateWait()))
}

func (e *execution) reuse(w write) (any, error) {
	before, _ := e.journal.entry(w.path)
	output := before.Output
	if wasTooLarge(output) {
		return nil, &stop{store.Outcome{State: store.Held, Code: "result_not_kept",
			Reason: fmt.Sprintf("step %s: %s was done in an earlier attempt, and its answer was too long to be kept", w.path, w.call.Name),
			Advice: "Let the flow write fewer records at a time. What was written is in the other system; finish by hand, then ignore this run."}}
	}
	return value.Decode(output)
}

// journaled does a write between two journal entries.
func (e *execution) journaled(ctx context.Context, w write, input []byte) (any, error) {
	entry := store.Step{Path: w.path, State: store.StepStarted, Hash: w.hash, Input: input, Started: time.Now().UTC(), Attempts: e.run.Attempt}
	e.journal.note(entry)
	if err := e.journal.flush(ctx); err != nil {
		return nil, err
	}
	// The entry proved the lease a moment ago; this process may have slept since.
	if !e.held.holds() {
		return nil, store.ErrLeaseLost
	}
	out, err := e.remote(ctx, w.call, w.params)
	entry.Ended = time.Now().UTC()
	if err != nil {
		return nil, e.writeFailed(ctx, w, entry, err)
	}
	entry.State = store.StepDone
	if entry.Output, err = encode(out, maxWrittenBytes); err != nil {
		// The write is done, whatever its answer is.
		e.log.Error("journaling a write's answer", "step", w.path, "error", err)
	}
	e.journal.note(entry)
	return out, e.flushWritten(ctx)
}

// writeFailed journals how a write went wrong.
func (e *execution) writeFailed(ctx context.Context, w write, entry store.Step, err error) error {
	entry.Error = err.Error()
	entry.State = store.StepFailed
	if connectors.ClassOf(err) == connectors.Unclear {
		entry.State = store.StepStarted
		if !w.call.Operation.Repeatable() && !w.heals() {
			err = &unclearError{operation: w.call.Name, err: err}
		}
	}
	e.journal.note(entry)
	if flushErr := e.flushWritten(ctx); errors.Is(flushErr, store.ErrLeaseLost) {
		return flushErr
	}
	return err
}

// flushWritten writes down what a write came to, even when the step's time is
// over or the worker is shutting down: that it was done must not be forgotten.
func (e *execution) flushWritten(ctx context.Context) error {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	return e.journal.flush(last)
}
