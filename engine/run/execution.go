package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// steps does a flow's steps and gives its result. prefix is the path of the step
// that called the flow, "" for the run's own.
func (e *execution) steps(ctx context.Context, f *flow.Flow, vars map[string]any, prefix string) (any, error) {
	for _, s := range f.Steps {
		out, err := e.step(ctx, s, vars, prefix+s.Name)
		if err != nil {
			return nil, err
		}
		if err := e.hold(prefix+s.Name, out); err != nil {
			return nil, err
		}
		vars[s.Name] = out
	}
	return f.Result.Eval(ctx, vars)
}

// step does one step, and tells who wants to know what it came to.
func (e *execution) step(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	out, skipped, err := e.maybe(ctx, s, vars, path)
	if e.executor.Trace != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.executor.Trace(Trace{Path: path, Step: s, Skipped: skipped, Value: out, Err: err})
	}
	return out, err
}

// maybe does a step with its when and for_each.
func (e *execution) maybe(ctx context.Context, s *flow.Step, vars map[string]any, path string) (out any, skipped bool, err error) {
	if s.When != nil {
		wanted, err := s.When.Eval(ctx, vars)
		if err != nil {
			return nil, false, &stepError{path, err}
		}
		if wanted != true {
			e.noteSkipped(s, path)
			return nil, true, nil
		}
	}
	if s.ForEach == nil {
		if out, err = e.guarded(ctx, s, vars, path); err != nil {
			out, err = e.onError(ctx, s, path, err)
		}
		return out, false, err
	}
	list, err := s.ForEach.Eval(ctx, vars)
	if err != nil {
		return nil, false, &stepError{path, err}
	}
	items, ok := list.([]any)
	if !ok && list != nil {
		return nil, false, &stepError{path, fmt.Errorf("for_each needs a list, not %T", list)}
	}
	out, err = e.forEach(ctx, s, vars, path, items)
	return out, false, err
}

// guarded does a step's action under its timeout, and again under its retry.
func (e *execution) guarded(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	return e.again(ctx, s, func() (any, error) {
		return e.timed(ctx, s, path, func(ctx context.Context) (any, error) { return e.act(ctx, s, vars, path) })
	})
}

// The waits between the tries of one step.
const (
	defaultStepWait = time.Second
	// maxStepWait is how long a worker sits on a key for a step's retry. What
	// takes longer is the run's own retry, which frees the worker.
	maxStepWait = time.Minute
)

// again does something as often as the step's retry says, while errors are safe
// to repeat.
func (e *execution) again(ctx context.Context, s *flow.Step, do func() (any, error)) (any, error) {
	wait := s.Retry.Wait
	if wait == 0 {
		wait = defaultStepWait
	}
	for try := 1; ; try++ {
		out, err := do()
		if err == nil || ctx.Err() != nil || try >= s.Retry.Attempts || !safeToRepeat(err) {
			return out, err
		}
		pause := max(wait, retryAfter(err))
		if pause > maxStepWait {
			return nil, err
		}
		if err := e.executor.sleep(ctx, pause); err != nil {
			return nil, err
		}
		wait = min(2*wait, maxStepWait)
	}
}

// safeToRepeat tells whether nothing happened, or whether what may have happened
// can be done again.
func safeToRepeat(err error) bool {
	var (
		stopped *stop
		unclear *unclearError
		early   *earlyError
		timeout *timeoutError
	)
	switch {
	case errors.As(err, &stopped), errors.As(err, &unclear), errors.As(err, &early), endsRun(err):
		return false
	case errors.As(err, &timeout):
		return true
	}
	class := connectors.ClassOf(err)
	return class == connectors.Transient || class == connectors.Unclear
}

func retryAfter(err error) time.Duration {
	var remote *connectors.Error
	if errors.As(err, &remote) {
		return remote.RetryAfter
	}
	return 0
}

func (x *Executor) sleep(ctx context.Context, d time.Duration) error {
	if x.Sleep != nil {
		return x.Sleep(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// timed does something under the step's timeout, and says in the error where it
// happened.
func (e *execution) timed(ctx context.Context, s *flow.Step, path string, do func(context.Context) (any, error)) (any, error) {
	bounded := ctx
	if s.Timeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, s.Timeout)
		defer cancel()
	}
	started := time.Now().UTC()
	out, err := do(bounded)
	if err == nil {
		return out, nil
	}
	if bounded.Err() != nil && ctx.Err() == nil {
		err = timedOut(s.Timeout, err)
	}
	var inner *stepError
	if !errors.As(err, &inner) {
		err = &stepError{path, err}
		e.noteFailed(s, path, err, started)
	}
	return nil, err
}

// timedOut says of an error that it came from the step's timeout, where it did.
// A connector's own error says more: whether a write was under way.
func timedOut(limit time.Duration, err error) error {
	var remote *connectors.Error
	switch {
	case errors.As(err, &remote):
		return err
	case errors.Is(err, store.ErrUnavailable) && errors.Is(err, context.DeadlineExceeded):
		// The store was only interrupted; nothing is wrong with it.
		return &timeoutError{limit, context.DeadlineExceeded}
	case endsRun(err):
		return err
	}
	return &timeoutError{limit, err}
}

// act does a step's action once.
func (e *execution) act(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	started := time.Now().UTC()
	switch {
	case s.Map != nil:
		out, err := s.Map.Eval(ctx, vars)
		if err == nil {
			e.noteDone(ctx, s, path, nil, out, started)
		}
		return out, err
	case s.Call != nil:
		out, err := e.call(ctx, s.Call, s.Hash, vars, path)
		if s.Missing == flow.MissingContinues && connectors.HasCode(err, connectors.CodeNotFound) {
			e.noteDone(ctx, s, path, nil, nil, started)
			return nil, nil
		}
		return out, err
	}
	return e.link(ctx, s, vars, path)
}

// onError goes on after a step's error as the step says.
func (e *execution) onError(ctx context.Context, s *flow.Step, path string, err error) (any, error) {
	var stopped *stop
	if ctx.Err() != nil || endsRun(err) || errors.As(err, &stopped) {
		return nil, err
	}
	switch s.OnError {
	case flow.ContinueOnError:
		e.log.Warn("step failed, going on", "step", path, "error", err)
		e.remark(err.Error())
		return nil, nil
	case flow.HoldOnError:
		return nil, &stop{holdFor(err)}
	}
	return nil, err
}

// holdFor makes a person decide about an error.
func holdFor(err error) store.Outcome {
	outcome := store.Outcome{State: store.Held, Reason: err.Error(), Code: "step_failed"}
	var remote *connectors.Error
	if errors.As(err, &remote) {
		outcome.Advice, outcome.Code = remote.Advice, remote.Code
	}
	return outcome
}

// endsRun tells whether an error is about the run itself, so that no on_error of
// a step applies: its lease, the store, another run that makes the same record,
// its bounds.
func endsRun(err error) bool {
	var bound *boundError
	return errors.Is(err, store.ErrLeaseLost) || errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrClaimed) ||
		errors.As(err, &bound)
}

// maxRemarks bounds what a run's reason tells of.
const maxRemarks = 10

// remark keeps what went wrong without stopping the run.
func (e *execution) remark(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case len(e.remarks) < maxRemarks:
		e.remarks = append(e.remarks, text)
	case len(e.remarks) == maxRemarks:
		e.remarks = append(e.remarks, "and more")
	}
}
