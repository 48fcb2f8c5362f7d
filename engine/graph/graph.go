// Package graph draws flows: one flow with its steps, or all flows of an app with
// what starts them, what they call and which systems they read and write.
package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

// Kind is what a node stands for.
type Kind string

// The kinds of nodes.
const (
	Event  Kind = "event" // what starts a flow
	Flow   Kind = "flow"
	Map    Kind = "map"
	Call   Kind = "call"
	Link   Kind = "link"
	End    Kind = "end" // where a run ends
	System Kind = "system"
)

// Node is something drawn.
type Node struct {
	ID   string // unique within the graph, of letters, digits and _
	Kind Kind
	// Lines of its label, the first being its name.
	Lines []string
}

// Edge leads from a node to another.
type Edge struct {
	From, To string
	Label    string
	// Maybe: it is taken only sometimes.
	Maybe bool
}

// Graph is nodes and edges, in the order they are drawn.
type Graph struct {
	Title string
	Nodes []Node
	Edges []Edge
}

func (g *Graph) node(id string, kind Kind, lines ...string) string {
	if !slices.ContainsFunc(g.Nodes, func(n Node) bool { return n.ID == id }) {
		g.Nodes = append(g.Nodes, Node{ID: id, Kind: kind, Lines: lines})
	}
	return id
}

func (g *Graph) edge(from, to, label string, maybe bool) {
	e := Edge{From: from, To: to, Label: label, Maybe: maybe}
	if !slices.Contains(g.Edges, e) {
		g.Edges = append(g.Edges, e)
	}
}

// id makes a node's id of a prefix and a name.
func id(prefix, name string) string {
	return prefix + "_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

// OfFlow draws a flow: its steps in their order, where they end the run, and the
// flows that they call.
func OfFlow(f *flow.Flow) *Graph {
	g := &Graph{Title: f.Title}
	var before []string
	for _, name := range starts(f) {
		before = append(before, g.node(id("on", name), Event, name))
	}
	label := ""
	if f.Trigger.Enabled != nil {
		label = "if " + f.Trigger.Enabled.Source
	}
	for _, s := range f.Steps {
		step := id("step", s.Name)
		g.node(step, kindOf(s), stepLines(s)...)
		for _, from := range before {
			g.edge(from, step, label, false)
		}
		label = ""
		for _, called := range calledFlows(s) {
			g.edge(step, g.node(id("flow", called), Flow, called), "calls", true)
		}
		before = []string{step}
		if s.Call != nil && s.Call.Connection == "run" {
			end := g.node(id("end", s.Call.Operation.Name), End, endWord(s.Call.Operation.Name))
			g.edge(step, end, "", s.When != nil || s.ForEach != nil)
			if s.When == nil && s.ForEach == nil {
				before = nil
			}
		}
	}
	for _, from := range before {
		g.edge(from, g.node("end_succeeded", End, "succeeded"), "", false)
	}
	return g
}

func endWord(operation string) string {
	return map[string]string{"hold": "held", "skip": "skipped", "fail": "failed"}[operation]
}

// starts are what starts a flow.
func starts(f *flow.Flow) []string {
	names := slices.Clone(f.Trigger.Events)
	if f.Trigger.Manual {
		names = append(names, "a person")
	}
	if f.Trigger.Called {
		names = append(names, "another flow")
	}
	return names
}

func kindOf(s *flow.Step) Kind {
	switch {
	case s.Map != nil:
		return Map
	case s.Link != nil:
		return Link
	}
	return Call
}

// stepLines say what a step does.
func stepLines(s *flow.Step) []string {
	lines := []string{s.Name, action(s)}
	if s.When != nil {
		lines = append(lines, "when "+oneLine(s.When.Source))
	}
	if s.ForEach != nil {
		each := "for each of " + oneLine(s.ForEach.Source)
		if s.Batch > 0 {
			each += fmt.Sprintf(", %d at a time", s.Batch)
		}
		lines = append(lines, each)
	}
	return lines
}

// action says in a few words what a step does.
func action(s *flow.Step) string {
	switch {
	case s.Map != nil:
		return "map"
	case s.Call != nil:
		return s.Call.Name
	case s.Link == nil || s.Link.Table == nil:
		return "link"
	}
	words := []string{"link " + s.Link.Table.Name}
	for _, part := range []struct {
		name string
		call *flow.Call
	}{{"match", s.Link.Match}, {"create", s.Link.Create}, {"update", s.Link.Update}} {
		if part.call != nil {
			words = append(words, part.name+" "+part.call.Name)
		}
	}
	return strings.Join(words, ", ")
}

// maxExpression is how much of an expression stands in a label.
const maxExpression = 70

func oneLine(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > maxExpression {
		return string(runes[:maxExpression-1]) + "…"
	}
	return string(runes)
}

// calledFlows are the flows that a step calls, by whatever action.
func calledFlows(s *flow.Step) []string {
	var names []string
	for _, action := range []string{"", "match", "create", "update"} {
		if called := s.Called(action); called != nil && !slices.Contains(names, called.Name) {
			names = append(names, called.Name)
		}
	}
	return names
}

// OfApp draws the flows of an app: what starts them, which flows they call, and
// which systems they read and write.
func OfApp(app *flow.App) *Graph {
	g := &Graph{Title: app.Title}
	for _, f := range app.Flows {
		to := g.node(id("flow", f.Name), Flow, f.Name, f.Title)
		for _, name := range f.Trigger.Events {
			g.edge(g.node(id("on", name), Event, name), to, "", f.Trigger.Enabled != nil)
		}
		if f.Trigger.Manual {
			g.edge(g.node("on_person", Event, "a person"), to, "", false)
		}
	}
	g.sources(app)
	for _, f := range app.Flows {
		from := id("flow", f.Name)
		for _, s := range f.Steps {
			for _, called := range calledFlows(s) {
				g.edge(from, id("flow", called), "calls", s.When != nil)
			}
		}
		for _, name := range systems(f) {
			system := g.node(id("system", name.connection), System, name.connection)
			g.edge(from, system, name.verb, false)
		}
	}
	return g
}

// sources draws the feeds, with the systems that they poll, and the schedules.
func (g *Graph) sources(app *flow.App) {
	for _, feed := range app.Feeds {
		system := g.node(id("system", feed.Call.Connection), System, feed.Call.Connection)
		for _, event := range []string{feed.Event, feed.Deleted} {
			if event != "" {
				g.edge(system, g.node(id("on", event), Event, event), "feed "+feed.Name, feed.Enabled != nil)
			}
		}
		for _, wake := range feed.Wake {
			g.edge(g.node(id("on", wake.Event), Event, wake.Event), id("on", feed.Event), "wakes feed "+feed.Name, true)
		}
	}
	for _, schedule := range app.Schedules {
		when := schedule.Cron
		if when == "" && schedule.Every != nil {
			when = "every " + oneLine(schedule.Every.Source())
		}
		clock := g.node(id("schedule", schedule.Name), System, schedule.Title, when)
		g.edge(clock, g.node(id("on", schedule.EventName()), Event, schedule.EventName()), "", schedule.Enabled != nil)
	}
}

// use is that a flow reads a connection or writes to it.
type use struct{ connection, verb string }

func systems(f *flow.Flow) []use {
	found := map[string]string{}
	for _, s := range f.Steps {
		for _, c := range s.Calls() {
			if c.Flow != nil || c.Connection == "run" || c.Connection == flow.AppName {
				continue
			}
			verb := "reads"
			if c.Operation.Effect != connectors.Read && c.Operation.Effect != "" {
				verb = "writes"
			}
			if found[c.Connection] != "writes" {
				found[c.Connection] = verb
			}
		}
	}
	var uses []use
	for connection, verb := range found {
		uses = append(uses, use{connection, verb})
	}
	slices.SortFunc(uses, func(a, b use) int { return strings.Compare(a.connection, b.connection) })
	return uses
}
