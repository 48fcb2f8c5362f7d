// Package flow is what a flow is: its types, the loader that reads flow and app
// files with source positions, and the checks that find every mistake before
// anything runs.
package flow

import (
	"context"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// Flow is one flow file.
type Flow struct {
	At      Position
	Name    string // as in "call: flow.<name>"
	Title   string
	Summary string
	File    string
	// Version is a hash of the file's text and of the flows it calls.
	Version string
	// Order is the flow's place in app.yaml: runs of one key and event are worked
	// in this order.
	Order   int
	Trigger Trigger
	Steps   []*Step
	// Result is what a caller of this flow gets; nil when it gives nothing.
	Result *Value
}

// Trigger says what starts a flow.
type Trigger struct {
	At Position
	// Events by name, "<connection>.<event>"; empty for manual and called flows.
	Events []string
	// Manual flows are started by a person, Called ones only by other flows.
	Manual, Called bool
	// Input is the type of ${input}; nil for event flows.
	Input *connectors.Schema
	// Event is the type of ${event}, of all Events together; nil without any. It is
	// set by the check.
	Event *connectors.Schema
	// Enabled, when set, must hold for an event to start the flow.
	Enabled *Condition
	// Key names what must not be worked on twice at once; nil means that every
	// event is its own key.
	Key *Value
}

// Step is one step of a flow. Exactly one of Map, Call and Link is set.
type Step struct {
	At   Position
	Name string
	// Hash identifies the step's definition: a replay may reuse a journaled step
	// only while its definition is unchanged.
	Hash    string
	When    *Condition
	ForEach *Condition
	As      string // the item's name within for_each, "item" by default
	Batch   int    // items handed over together; 0 hands them over one by one
	// Parallel is how many items, or batches, are worked at once; 0 and 1 mean one
	// after the other.
	Parallel int
	Timeout  time.Duration
	Retry    Retry
	OnError  OnError
	// Missing says what a call step makes of a record that does not exist: an
	// error (the default) or nothing.
	Missing OnMissing

	Map  *Value
	Call *Call
	Link *Link

	// Type of what the step makes.
	Type *connectors.Schema

	node *yaml.Node
}

// Retry repeats a step within its run, for errors that are safe to repeat.
type Retry struct {
	Attempts int           // in all; 0 and 1 mean once
	Wait     time.Duration // before the second attempt, doubled for each further one
}

// OnError says what an error of a step does to its run.
type OnError string

// The ways to go on after an error.
const (
	FailOnError     OnError = "fail"     // by its class: retry later, hold or fail
	ContinueOnError OnError = "continue" // the step's value is nothing, the run goes on
	HoldOnError     OnError = "hold"     // a person decides
)

// Call is a call of a connector's operation, of the engine's own, or of a flow.
type Call struct {
	At   Position
	Name string // as written: "odoo.search_read"
	// Connection is the first part of the name: a connection of app.yaml, "flow"
	// or "run". Operation is the rest.
	Connection string
	Operation  connectors.Operation
	Flow       *Flow // for "flow.<name>"
	With       *Value
	// Repeat, if not "", says in place of the operation how the write is repeated:
	// the flow knows what a general operation cannot.
	Repeat connectors.Repeat
	// Take picks from ${result} what a link's match or create is about; nil picks
	// result.ids and result.id.
	Take *Value

	node *yaml.Node // the name
}

// Link is a step that remembers which record is which.
type Link struct {
	At     Position
	Table  *Table
	Remote *Value
	Local  *Value
	Also   []Also // other tables' rows, claimed and written together with this one
	Match  *Call
	Create *Call
	Update *Call
	// Values are what the record should be; Update runs when some of them differ
	// from what was last written.
	Values *Value
	// Recheck matches even when a link exists.
	Recheck bool

	node *yaml.Node // the table's name
}

// Also is a row of another table for the same record.
type Also struct {
	At    Position
	Table *Table
	Value *Value

	node *yaml.Node // the table's name
}

// OnMissing says what happens when a record does not exist, and nothing creates it.
type OnMissing string

// What to do about a missing record.
const (
	MissingHolds     OnMissing = "hold"
	MissingContinues OnMissing = "continue" // the step's value is nothing
)

// Condition is a bare expression.
type Condition struct {
	At      Position
	Source  string
	Program *expression.Program

	node *yaml.Node
}

// App is a folder of flows with its app.yaml.
type App struct {
	Name        string
	Title       string
	Summary     string
	Connections []*Connection
	Tables      []*Table
	Tabs        []Tab
	Feeds       []*Feed
	Schedules   []*Schedule
	Events      []Event // of the app's own, announced by app.emit
	Flows       []*Flow
	// Sources is the text of every file read, by name.
	Sources map[string]string

	resources resources // types of the app's own records
}

// Connection is a named, configured connector.
type Connection struct {
	At        Position
	Name      string
	Connector connectors.Connector
	Spec      connectors.Spec
	Settings  *Value
	Limits    Limits
	// Enabled, when set, must hold for the connection to be looked at and asked
	// for: one that a shop may do without.
	Enabled *Condition

	extended bool
}

// Extended tells whether the app gives the connector operations or types of its
// own.
func (c *Connection) Extended() bool { return c.extended }

// On tells whether the connection is used, by the settings of an instance.
func (c *Connection) On(ctx context.Context, settings map[string]any) (bool, error) {
	return switchedOn(ctx, c.Enabled, settings)
}

// Table is a link table.
type Table struct {
	At        Position
	Name      string
	Title     string
	Local     TableSide
	Remote    TableSide
	Direction string // incoming, outgoing, both: where a link is born
	// KeyMayChange: a record that gets another remote key keeps its row.
	KeyMayChange bool
	// Rebuild is the flow that finds the table's links in the two systems, page by
	// page; "" for none.
	Rebuild string

	rebuildNode *yaml.Node
}

// TableSide is one side of a link table.
type TableSide struct {
	Record string // res.partner, customer
	Key    string // id, email, sku
	Type   string // integer (default) or string
	// URL is where a person finds the record of ${key} in its system; nil when
	// nobody knows.
	URL *Value
}

// Schema is the type of this side's key.
func (s TableSide) Schema() *connectors.Schema {
	if s.Type == "string" {
		return connectors.String()
	}
	return connectors.Integer()
}

// Tab is a tab of the settings panel.
type Tab struct {
	Name, Title string
	Settings    []Setting
	Actions     []Action
	// Saved names the flow that is started when a person saved the tab; "" for none.
	Saved string
}

// Action is a button of a tab: a flow that a person starts there.
type Action struct {
	Flow  string
	Title string
	Help  string
}

// Flow finds a flow by name.
func (a *App) Flow(name string) (*Flow, bool) {
	for _, f := range a.Flows {
		if f.Name == name {
			return f, true
		}
	}
	return nil, false
}

// Table finds a link table by name.
func (a *App) Table(name string) (*Table, bool) {
	for _, t := range a.Tables {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}

// Connection finds a connection by name.
func (a *App) Connection(name string) (*Connection, bool) {
	for _, c := range a.Connections {
		if c.Name == name {
			return c, true
		}
	}
	return nil, false
}

// Settings lists all settings in their order.
func (a *App) Settings() []Setting {
	var all []Setting
	for _, tab := range a.Tabs {
		all = append(all, tab.Settings...)
	}
	return all
}

// Setting finds a setting by name.
func (a *App) Setting(name string) (Setting, bool) {
	for _, s := range a.Settings() {
		if s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}

// EventPayload is the type of an event that flows can listen to; false when
// nothing announces it.
func (a *App) EventPayload(name string) (*connectors.Schema, bool) {
	source, event, _ := strings.Cut(name, ".")
	announcer, ok := newChecker(a, nil, nil).announcer(source)
	if !ok {
		return nil, false
	}
	spec, ok := announcer.Event(event)
	return spec.Payload, ok
}

// Listening lists the flows that an event starts, in their order.
func (a *App) Listening(event string) []*Flow {
	var flows []*Flow
	for _, f := range a.Flows {
		for _, name := range f.Trigger.Events {
			if name == event {
				flows = append(flows, f)
				break
			}
		}
	}
	return flows
}
