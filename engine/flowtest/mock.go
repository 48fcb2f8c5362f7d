package flowtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

// codeNoMock is the code of a call that no mock answers.
const codeNoMock = "no_mock"

// mocks answers the calls of one case and remembers them. It stands in for every
// connection of the app.
type mocks struct {
	app  *flow.App
	vars map[string]any        // that the mocks' values read
	own  connectors.Connection // the engine's own operations

	mu       sync.Mutex
	mocks    []*flow.Mock
	used     map[*flow.Mock]int
	calls    []Call
	failures []Failure
	at       flow.Position // of the case, for what belongs to no mock
}

func newMocks(app *flow.App, test *flow.Test, c *flow.Case, vars map[string]any) *mocks {
	m := &mocks{app: app, vars: vars, used: map[*flow.Mock]int{}, at: c.At}
	m.mocks = append(append(m.mocks, c.Calls...), test.Calls...)
	return m
}

// Connection implements run.Connections.
func (m *mocks) Connection(_ context.Context, _, name string) (connectors.Connection, error) {
	return &mockConnection{mocks: m, name: name}, nil
}

// mockConnection is one connection of the case.
type mockConnection struct {
	*mocks
	name string
}

// Call implements connectors.Connection.
func (c *mockConnection) Call(ctx context.Context, call connectors.Call) (any, error) {
	return c.answer(ctx, c.name+"."+call.Operation, call.Params)
}

// Close implements connectors.Connection.
func (c *mockConnection) Close() error { return nil }

// answer finds the mock of a call and answers with it.
func (m *mocks) answer(ctx context.Context, name string, params map[string]any) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	op, called := m.operation(name)
	made := Call{Name: name, Params: params, Writes: writes(op)}
	if called != nil {
		input, err := called.TypedInput(params)
		if err != nil {
			return nil, err
		}
		params = input
	}
	made.Result, made.Err = m.find(ctx, name, params, op, called)
	m.calls = append(m.calls, made)
	return made.Result, made.Err
}

// remembering are the engine's own operations that need no mock: they only read
// and write what the case itself keeps.
var remembering = []string{"links", "unlink", "recall", "remember"}

// operation is what a name stands for: an operation, or a flow that is mocked.
func (m *mocks) operation(name string) (connectors.Operation, *flow.Flow) {
	first, rest, _ := strings.Cut(name, ".")
	if first == "flow" {
		f, _ := m.app.Flow(rest)
		return connectors.Operation{}, f
	}
	if first == flow.AppName {
		op, _ := m.app.OwnSpec().Operation(rest)
		return op, nil
	}
	if connection, ok := m.app.Connection(first); ok {
		op, _ := connection.Spec.Operation(rest)
		return op, nil
	}
	return connectors.Operation{}, nil
}

func (m *mocks) find(ctx context.Context, name string, params map[string]any, op connectors.Operation, called *flow.Flow) (any, error) {
	var near []string
	for _, mock := range m.mocks {
		if mock.Call != name {
			continue
		}
		if mock.Times > 0 && m.used[mock] >= mock.Times {
			near = append(near, fmt.Sprintf("%s:%d has answered as often as its times says: %d", mock.At.File, mock.At.Line, mock.Times))
			continue
		}
		if mock.With != nil {
			if differences := compare(ctx, "with", mock.With, params, m.vars); len(differences) > 0 {
				d := differences[0]
				near = append(near, fmt.Sprintf("%s:%d wants %s to be %s, not %s", d.At.File, d.At.Line, d.What, d.Want, d.Got))
				continue
			}
		}
		m.used[mock]++
		return m.play(ctx, mock, params, op, called)
	}
	if operation, ok := strings.CutPrefix(name, flow.AppName+"."); ok && len(near) == 0 && slices.Contains(remembering, operation) {
		return m.own.Call(ctx, connectors.Call{Operation: operation, Params: params})
	}
	failure := Failure{At: m.at, What: name + " was called with " + show(params) + ", and nothing in calls answers it"}
	if len(near) > 0 {
		failure.What += ":\n" + strings.Join(near, "\n")
	}
	m.failures = append(m.failures, failure)
	return nil, connectors.Errorf(connectors.Permanent, codeNoMock, "nothing in the test's calls answers %s", name)
}

// play answers a call with a mock.
func (m *mocks) play(ctx context.Context, mock *flow.Mock, params map[string]any, op connectors.Operation, called *flow.Flow) (any, error) {
	if mock.Error != nil {
		return nil, mockedError(mock.Error, mock.Call)
	}
	schema := op.ResultType(params)
	if called != nil {
		schema = nil
		if called.Result != nil {
			schema = called.Result.Type
		}
	}
	var result any
	if mock.Result == nil {
		if mock.Fill && schema != nil {
			whole := *schema
			whole.Nullable = false
			result = example(&whole, 0)
		}
	} else {
		vars := maps.Clone(m.vars)
		vars["params"] = params
		var err error
		if result, err = mock.Result.Eval(ctx, vars); err != nil {
			return m.bad(mock, err)
		}
		if mock.Fill {
			result = fill(result, schema, 0)
		}
	}
	typed, err := schema.Convert(result)
	if err != nil {
		return m.bad(mock, err)
	}
	return typed, nil
}

// bad tells of an answer that cannot be made: a mistake in the test.
func (m *mocks) bad(mock *flow.Mock, err error) (any, error) {
	at := mock.At
	var eval *flow.EvalError
	if errors.As(err, &eval) {
		at = eval.At
	}
	m.failures = append(m.failures, Failure{At: at, What: fmt.Sprintf("the answer to %s: %v", mock.Call, err)})
	return nil, connectors.Errorf(connectors.Permanent, codeNoMock, "the test's answer to %s cannot be made", mock.Call)
}

func mockedError(e *flow.MockError, call string) error {
	err := &connectors.Error{Class: e.Class, Code: e.Code, Message: e.Message, Advice: e.Advice}
	if err.Code == "" {
		err.Code = "test"
	}
	if err.Message == "" {
		err.Message = call + " fails: " + err.Code
	}
	err.RetryAfter, _ = time.ParseDuration(e.RetryAfter) // its form was checked; "" is none
	return err
}

// unused lists the case's own mocks that no call asked for.
func (m *mocks) unused(c *flow.Case) []Failure {
	var failures []Failure
	for _, mock := range c.Calls {
		if m.used[mock] == 0 {
			failures = append(failures, Failure{At: mock.At, What: "nothing asked for this " + mock.Call})
		}
	}
	return failures
}
