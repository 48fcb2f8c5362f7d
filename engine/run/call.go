package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// call does a call: of a flow, of the engine, or of a connector's operation.
func (e *execution) call(ctx context.Context, c *flow.Call, hash string, vars map[string]any, path string) (any, error) {
	params, err := c.With.EvalRecord(ctx, vars)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Flow != nil:
		return e.callFlow(ctx, c.Flow, params, path)
	case c.Connection == "run":
		return nil, endRun(c.Operation.Name, params)
	case c.Operation.Effect == connectors.Read:
		return e.read(ctx, c, hash, params, path)
	}
	return e.write(ctx, c, hash, params, path)
}

func (e *execution) callFlow(ctx context.Context, f *flow.Flow, params map[string]any, path string) (any, error) {
	for name, property := range f.Trigger.Input.Properties {
		given, ok := params[name]
		if !ok || given == nil {
			params[name] = property.Default
			continue
		}
		typed, err := property.Convert(given)
		if err != nil {
			return nil, fmt.Errorf("input %s of flow %s: %w", name, f.Name, err)
		}
		params[name] = typed
	}
	vars := e.baseVars()
	vars["input"] = params
	return e.steps(ctx, f, vars, path+"/")
}

// endRun is the flow's own decision to end the run.
func endRun(operation string, params map[string]any) error {
	word := func(name string) string {
		s, _ := params[name].(string)
		return s
	}
	outcome := store.Outcome{Reason: word("reason"), Advice: word("advice"), Code: word("code")}
	switch operation {
	case "hold":
		outcome.State = store.Held
	case "skip":
		outcome.State = store.Skipped
	default:
		outcome.State = store.Failed
	}
	if outcome.Code == "" && outcome.State != store.Skipped {
		outcome.Code = "flow"
	}
	return &stop{outcome}
}

func (e *execution) read(ctx context.Context, c *flow.Call, hash string, params map[string]any, path string) (any, error) {
	started := time.Now().UTC()
	out, err := e.remote(ctx, c, params)
	if err != nil {
		return nil, err
	}
	e.noteDone(&flow.Step{Hash: hash}, path, params, out, started)
	return out, nil
}

// remote performs a connector's operation.
func (e *execution) remote(ctx context.Context, c *flow.Call, params map[string]any) (any, error) {
	connection, ok := e.opened[c.Connection]
	if !ok {
		var err error
		if connection, err = e.executor.Connections.Connection(ctx, e.run.Instance, c.Connection); err != nil {
			return nil, err
		}
		e.opened[c.Connection] = connection
	}
	return connection.Call(ctx, connectors.Call{Operation: c.Operation.Name, Params: params})
}

// write performs an operation that changes the other system, between two journal
// entries. A write that an earlier attempt has done is not done again: a create
// whatever its parameters are now, other writes unless their parameters changed.
func (e *execution) write(ctx context.Context, c *flow.Call, hash string, params map[string]any, path string) (any, error) {
	input, err := encode(params)
	if err != nil {
		return nil, err
	}
	attempts := 1
	if before, ok := e.journal.earlier[path]; ok {
		attempts = before.Attempts + 1
		same := bytes.Equal(before.Input, input)
		switch {
		case before.State == store.StepDone && before.Hash == hash && (same || c.Operation.Effect == connectors.Create):
			return value.Decode(before.Output)
		case before.State == store.StepStarted && !repeatable(c.Operation):
			return nil, &unclearError{operation: c.Name}
		}
	}
	return e.journaled(ctx, c, hash, params, input, path, attempts)
}

// journaled does a write between two journal entries, without asking what
// earlier attempts did.
func (e *execution) journaled(ctx context.Context, c *flow.Call, hash string, params map[string]any, input []byte, path string, attempts int) (any, error) {
	started := time.Now().UTC()
	if err := e.journal.begun(ctx, path, hash, input, started, attempts); err != nil {
		return nil, err
	}
	out, err := e.remote(ctx, c, params)
	entry := store.Step{Path: path, State: store.StepDone, Hash: hash, Input: input, Started: started, Attempts: attempts, Ended: time.Now().UTC()}
	if err != nil {
		entry.Error = err.Error()
		entry.State = store.StepFailed
		var remote *connectors.Error
		if errors.As(err, &remote) && remote.Class == connectors.Unclear {
			entry.State = store.StepStarted
		}
		e.journal.note(entry)
		if entry.State == store.StepStarted && !repeatable(c.Operation) {
			return nil, &unclearError{operation: c.Name, err: err}
		}
		return nil, err
	}
	if entry.Output, err = encode(out); err != nil {
		return nil, err
	}
	e.journal.note(entry)
	if err := e.journal.flush(ctx); err != nil {
		return nil, err
	}
	return out, nil
}

// repeatable tells whether an unclear write may simply be done again.
func repeatable(op connectors.Operation) bool {
	return op.Repeat == connectors.Idempotent || op.Repeat == connectors.ReadBack
}
