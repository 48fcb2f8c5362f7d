package run

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
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
		return nil, &stop{endOf(c.Operation.Name, params)}
	case c.Operation.Effect == connectors.Read:
		return e.read(ctx, c, hash, params, path)
	}
	return e.write(ctx, write{call: c, hash: hash, params: params, path: path})
}

// callFlow does the steps of another flow, within this run's key and lease. Of
// its values only the result stays.
func (e *execution) callFlow(ctx context.Context, f *flow.Flow, given map[string]any, path string) (any, error) {
	input, err := f.TypedInput(given)
	if err != nil {
		return nil, err
	}
	defer e.release(e.used)
	vars := e.baseVars()
	vars["input"] = input
	return e.steps(ctx, f, vars, path+"/")
}

// endOf is the flow's own decision to end the run.
func endOf(operation string, params map[string]any) store.Outcome {
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
	return outcome
}

func (e *execution) read(ctx context.Context, c *flow.Call, hash string, params map[string]any, path string) (any, error) {
	started := time.Now().UTC()
	out, err := e.remote(ctx, c, params)
	if err != nil {
		return nil, err
	}
	e.noteDone(ctx, &flow.Step{Hash: hash}, path, params, out, started)
	return out, nil
}

// remote performs a connector's operation. Whatever goes wrong in it, the error
// says whether something may have been written.
func (e *execution) remote(ctx context.Context, c *flow.Call, params map[string]any) (out any, err error) {
	connection, err := e.connection(ctx, c.Connection)
	if err != nil {
		return nil, err
	}
	writes := c.Operation.Effect != connectors.Read
	defer func() {
		if problem := recover(); problem != nil {
			e.log.Error("a connector panicked", "operation", c.Name, "panic", problem, "stack", string(debug.Stack()))
			out, err = nil, &connectors.Error{Class: connectors.Permanent, Code: "panic",
				Message: fmt.Sprintf("%s: the connector failed: %v", c.Name, problem),
				Advice:  "This is a mistake in the connector; the workers' log has the details. Please report it."}
			if writes {
				err.(*connectors.Error).Class = connectors.Unclear
			}
		}
	}()
	began := time.Now()
	out, err = connection.Call(store.WithLease(ctx, e.lease), connectors.Call{Operation: c.Operation.Name, Params: params})
	if called := e.executor.Called; called != nil {
		called(e.run.Instance, c.Connection, c.Operation.Name, err, time.Since(began))
	}
	return out, unclearIfStopped(c, err)
}

// unclearIfStopped classes a write that was stopped, by its timeout or a
// shutdown, and of which the connector says no more: it may have happened.
func unclearIfStopped(c *flow.Call, err error) error {
	var known *connectors.Error
	stopped := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if !stopped || errors.As(err, &known) || c.Operation.Effect == connectors.Read {
		return err
	}
	return &connectors.Error{Class: connectors.Unclear, Code: "timeout", Err: err,
		Message: c.Name + " was stopped before its answer came; it is not known whether it was done"}
}

func (e *execution) connection(ctx context.Context, name string) (connectors.Connection, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if connection, ok := e.opened[name]; ok {
		return connection, nil
	}
	connection, err := e.executor.Connections.Connection(ctx, e.run.Instance, name)
	if err != nil {
		return nil, err
	}
	e.opened[name] = connection
	return connection, nil
}
