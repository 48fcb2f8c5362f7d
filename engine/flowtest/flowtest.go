// Package flowtest runs the cases of test files: the real executor works the
// flow on a store in memory, while mocks answer its calls, and what became of
// the run is compared with what the case expects.
package flowtest

import (
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// Result is what a case came to.
type Result struct {
	Test *flow.Test
	Case *flow.Case
	// Failures are empty when all is as expected.
	Failures []Failure
	Outcome  Outcome
	// Calls are all calls that were made, in their order.
	Calls   []Call
	Elapsed time.Duration

	reached map[string]bool // branches, see Coverage
	steps   []stepTrace
	links   []store.Link
}

// Passed tells whether the case is as expected.
func (r Result) Passed() bool { return len(r.Failures) == 0 }

// NotStarted is the outcome of an event whose flow is not enabled.
const NotStarted = "not_started"

// Outcome is what became of the run.
type Outcome struct {
	State, Code, Reason, Advice, Key string
	Result                           any
}

// Call is a call that the flow made.
type Call struct {
	Name   string
	Params map[string]any
	// Writes tells whether it changes the other system.
	Writes bool
	Result any
	Err    error
}

// Failure is a difference between what a case expects and what happened.
type Failure struct {
	At flow.Position `json:"at"`
	// What differs: "outcome", "calls[1].with.values.amount".
	What string `json:"what"`
	// Want and Got as people read them; both "" where What says all.
	Want string `json:"want,omitempty"`
	Got  string `json:"got,omitempty"`
}

// stepTrace is what a step of the flow itself, or of one that it calls, came to.
type stepTrace struct {
	path    string
	skipped bool
	value   any
	err     error
}

func writes(op connectors.Operation) bool {
	return op.Effect != "" && op.Effect != connectors.Read
}
