package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// execution is one attempt of one run.
type execution struct {
	executor *Executor
	run      store.Run
	lease    store.Lease
	log      *slog.Logger
	linker   link.Linker
	journal  *journal
	settings map[string]any
	// opened keeps the connections for the attempt's time: settings do not change
	// under a run.
	opened map[string]connectors.Connection
}

// start prepares the names that the flow's expressions read, and does its steps.
func (e *execution) start(ctx context.Context, f *flow.Flow) (any, error) {
	if e.run.Attempt > 1 {
		if err := e.journal.load(ctx, e.run.ID); err != nil {
			return nil, err
		}
	}
	settings, err := e.executor.Settings.Values(ctx, e.run.Instance)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	e.settings = settings
	vars := e.baseVars()
	if len(e.run.Event) > 0 {
		event, err := value.DecodeRecord(e.run.Event)
		if err != nil {
			return nil, fmt.Errorf("reading the event: %w", err)
		}
		vars["event"] = event
	}
	if len(e.run.Input) > 0 {
		input, err := value.DecodeRecord(e.run.Input)
		if err != nil {
			return nil, fmt.Errorf("reading the input: %w", err)
		}
		vars["input"] = input
	}
	return e.steps(ctx, f, vars, "")
}

func (e *execution) baseVars() map[string]any {
	return map[string]any{
		"settings": e.settings,
		"run": map[string]any{
			"id": e.run.ID, "attempt": int64(e.run.Attempt), "flow": e.run.Flow, "instance": e.run.Instance,
		},
	}
}

// steps does a flow's steps and gives its result. prefix is the path of the step
// that called the flow, "" for the run's own.
func (e *execution) steps(ctx context.Context, f *flow.Flow, vars map[string]any, prefix string) (any, error) {
	for _, s := range f.Steps {
		out, err := e.step(ctx, s, vars, prefix+s.Name)
		if err != nil {
			return nil, err
		}
		vars[s.Name] = out
	}
	return f.Result.Eval(ctx, vars)
}

// step does one step, with its when and for_each.
func (e *execution) step(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	if s.When != nil {
		hold, err := s.When.Eval(ctx, vars)
		if err != nil {
			return nil, &stepError{path, err}
		}
		if hold != true {
			e.journal.note(store.Step{Path: path, State: store.StepSkipped, Hash: s.Hash})
			return nil, nil
		}
	}
	if s.ForEach == nil {
		return e.guarded(ctx, s, vars, path)
	}
	list, err := s.ForEach.Eval(ctx, vars)
	if err != nil {
		return nil, &stepError{path, err}
	}
	items, ok := list.([]any)
	if !ok && list != nil {
		return nil, &stepError{path, fmt.Errorf("for_each needs a list, not %T", list)}
	}
	return e.forEach(ctx, s, vars, path, items)
}

func (e *execution) forEach(ctx context.Context, s *flow.Step, vars map[string]any, path string, items []any) (any, error) {
	if savesPairs(s) {
		return e.savePairs(ctx, s, vars, path, items)
	}
	if s.Batch > 0 {
		items = batches(items, s.Batch)
	}
	out := make([]any, 0, len(items))
	inner := maps.Clone(vars)
	for i, item := range items {
		inner[s.As] = item
		inner["position"] = int64(i)
		result, err := e.guarded(ctx, s, inner, fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, err
		}
		out = append(out, result)
	}
	return out, nil
}

// batches cuts a list into lists of at most size items.
func batches(items []any, size int) []any {
	var out []any
	for start := 0; start < len(items); start += size {
		out = append(out, items[start:min(start+size, len(items))])
	}
	return out
}

// guarded does a step's action under its timeout, retry and on_error.
func (e *execution) guarded(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	wait := s.Retry.Wait
	for attempt := 1; ; attempt++ {
		out, err := e.timed(ctx, s, vars, path)
		if err == nil || ctx.Err() != nil {
			return out, err
		}
		if attempt < s.Retry.Attempts && connectors.ClassOf(err) == connectors.Transient {
			if err := sleep(ctx, wait); err != nil {
				return nil, err
			}
			wait *= 2
			continue
		}
		return e.onError(s, path, err)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (e *execution) onError(s *flow.Step, path string, err error) (any, error) {
	var stopped *stop
	if errors.As(err, &stopped) || errors.Is(err, store.ErrLeaseLost) || errors.Is(err, store.ErrUnavailable) {
		return nil, err
	}
	switch s.OnError {
	case flow.ContinueOnError:
		e.journal.note(store.Step{Path: path, State: store.StepFailed, Hash: s.Hash, Error: err.Error(), Ended: time.Now().UTC()})
		e.log.Warn("step failed, going on", "step", path, "error", err)
		return nil, nil
	case flow.HoldOnError:
		reason, advice, code := err.Error(), "", "step_failed"
		var remote *connectors.Error
		if errors.As(err, &remote) {
			advice, code = remote.Advice, remote.Code
		}
		return nil, &stop{store.Outcome{State: store.Held, Reason: reason, Advice: advice, Code: code}}
	}
	return nil, err
}

func (e *execution) timed(ctx context.Context, s *flow.Step, vars map[string]any, path string) (any, error) {
	if s.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.Timeout)
		defer cancel()
	}
	var (
		out     any
		err     error
		started = time.Now().UTC()
	)
	switch {
	case s.Map != nil:
		out, err = s.Map.Eval(ctx, vars)
		if err == nil {
			e.noteDone(s, path, nil, out, started)
		}
	case s.Call != nil:
		out, err = e.call(ctx, s.Call, s.Hash, vars, path)
		if s.Missing == flow.MissingContinues && connectors.HasCode(err, connectors.CodeNotFound) {
			e.noteDone(s, path, nil, nil, started)
			out, err = nil, nil
		}
	case s.Link != nil:
		out, err = e.link(ctx, s, vars, path)
	}
	if err != nil {
		var inner *stepError
		if !errors.As(err, &inner) {
			err = &stepError{path, err}
			e.journal.note(store.Step{Path: path, State: store.StepFailed, Hash: s.Hash, Error: err.Error(), Started: started, Ended: time.Now().UTC()})
		}
		return nil, err
	}
	return out, nil
}

// noteDone journals a step that wrote nothing. What cannot be encoded is left
// out of the journal: a flow's values always can.
func (e *execution) noteDone(s *flow.Step, path string, input, output any, started time.Time) {
	entry := store.Step{Path: path, State: store.StepDone, Hash: s.Hash, Started: started, Ended: time.Now().UTC()}
	var err error
	if input != nil {
		if entry.Input, err = encode(input); err != nil {
			e.log.Warn("journaling a step's input", "step", path, "error", err)
		}
	}
	if entry.Output, err = encode(output); err != nil {
		e.log.Warn("journaling a step's output", "step", path, "error", err)
	}
	e.journal.note(entry)
}
