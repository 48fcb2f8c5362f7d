package flow

import (
	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
)

// TestSuffix ends the names of test files.
const TestSuffix = ".test.yaml"

// Test is a test file: cases that say what a flow does with what it is given.
type Test struct {
	At   Position
	Name string
	File string
	// Source is the file's text.
	Source string
	Flow   *Flow
	// Settings, Event, Input and Links are for all cases that say no other; Calls
	// come after a case's own.
	Given
	Cases []*Case
}

// Given is what a case begins with.
type Given struct {
	Now      *Value // when the run begins, nil for the test clock's own
	Settings *Value
	Event    *Value
	Input    *Value
	Links    []*GivenLink
	Calls    []*Mock
}

// Case is one case of a test file.
type Case struct {
	At   Position
	Name string
	Given
	// Attempts is how often the run is worked, at least 1.
	Attempts int
	// Expect is nil when the case expects nothing.
	Expect *Expect
}

// GivenLink is a link that is there before the run.
type GivenLink struct {
	At            Position
	Table         *Table
	Local, Remote *Value
	Values        *Value // what was last written, nil when nothing is known

	node *yaml.Node // the table's name
}

// Mock answers calls in place of a connection or a flow.
type Mock struct {
	At        Position
	Call      string
	Operation connectors.Operation // of connections and the engine
	Flow      *Flow                // of flow.<name>
	With      *Value               // nil answers any
	Times     int                  // 0 is without bound
	Result    *Value               // nil answers with an example
	Fill      bool
	Error     *MockError // nil answers with Result

	node *yaml.Node // the call's name
}

// MockError is how a mocked call fails.
type MockError struct {
	Class                 connectors.Class
	Code, Message, Advice string
	RetryAfter            string
}

// Expect is what a case expects. What is not said is not looked at.
type Expect struct {
	At      Position
	Outcome *Value
	Code    *Value
	Reason  *Value
	Advice  *Value
	Key     *Value
	// Calls are the writes, in their order; CallsAt is set when they were said, be
	// it that there are none.
	Calls   []*ExpectedCall
	CallsAt *Position
	Reads   bool
	Links   []*ExpectedLink
	Steps   *Value
	Result  *Value
	Holds   []*Condition
}

// ExpectedCall is a call that is expected.
type ExpectedCall struct {
	At   Position
	Call string
	With *Value

	node *yaml.Node
}

// ExpectedLink is a link that is expected, or, with a side that is nothing, is
// expected not to be there.
type ExpectedLink struct {
	At            Position
	Table         *Table
	Local, Remote *Value // nil when not said

	node *yaml.Node
}
