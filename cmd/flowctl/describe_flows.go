package main

import (
	"strings"

	"github.com/flowctl/flowctl/cmd/flowctl/reference"
	"github.com/flowctl/flowctl/engine/flow"
)

// What starts flows, and the flows themselves, as describe shows them and --json
// prints them.
type (
	// flowPage is one flow.
	flowPage struct {
		Name    string            `json:"name"`
		Title   string            `json:"title"`
		Summary string            `json:"summary,omitempty"`
		File    string            `json:"file"`
		Version string            `json:"version"`
		Starts  []string          `json:"starts"`
		Enabled string            `json:"enabled,omitempty"`
		Key     string            `json:"key,omitempty"`
		Input   []reference.Field `json:"input,omitempty"`
		Result  string            `json:"result,omitempty"`
		Calls   []string          `json:"calls,omitempty"`
		Steps   []entry           `json:"steps"`
	}
	// source is a feed or a schedule.
	source struct {
		Name    string `json:"name"`
		Title   string `json:"title,omitempty"`
		Event   string `json:"event"`
		Every   string `json:"every,omitempty"`
		Cron    string `json:"cron,omitempty"`
		Call    string `json:"call,omitempty"`
		Enabled string `json:"enabled,omitempty"`
		// Flows that its event starts.
		Flows []string `json:"flows"`
	}
)

// ofFlows finds flows, feeds, schedules and events, and one of the first three.
func (m *manual) ofFlows(name string) (any, bool) {
	if m.app == nil {
		return nil, false
	}
	switch name {
	case "flows":
		entries := []entry{}
		for _, f := range m.app.Flows {
			entries = append(entries, entry{f.Name, f.Title, f.Summary})
		}
		return entries, true
	case "events":
		return m.events(), true
	case "feeds", "schedules":
		return m.sources(name), true
	}
	for _, kind := range []string{"feeds", "schedules"} {
		for _, s := range m.sources(kind) {
			if s.Name == name {
				return s, true
			}
		}
	}
	if f, ok := m.app.Flow(strings.TrimPrefix(name, "flow.")); ok {
		return flowPageOf(f), true
	}
	return nil, false
}

// events are all events that may start a flow, with what they are.
func (m *manual) events() []entry {
	entries := []entry{}
	for _, c := range m.connectors {
		for _, e := range c.Events {
			entries = append(entries, entry{Name: e.Name, Says: e.Summary})
		}
	}
	for _, kind := range []string{"feeds", "schedules"} {
		for _, s := range m.sources(kind) {
			if s.Event == s.Name {
				entries = append(entries, entry{Name: s.Name, Says: s.Title})
			}
		}
	}
	return entries
}

func (m *manual) sources(kind string) []source {
	all := []source{}
	if kind == "feeds" {
		for _, f := range m.app.Feeds {
			s := source{Name: flow.FeedName + "." + f.Name, Title: f.Title, Event: f.Event, Every: f.Every.Source(), Enabled: conditionText(f.Enabled), Call: f.Call.Name}
			all = append(all, m.withFlows(s))
		}
		return all
	}
	for _, d := range m.app.Schedules {
		s := source{Name: d.EventName(), Title: d.Title, Event: d.EventName(), Cron: d.Cron, Every: d.Every.Source(), Enabled: conditionText(d.Enabled)}
		all = append(all, m.withFlows(s))
	}
	return all
}

func (m *manual) withFlows(s source) source {
	s.Flows = []string{}
	for _, f := range m.app.Listening(s.Event) {
		s.Flows = append(s.Flows, f.Name)
	}
	return s
}

func conditionText(c *flow.Condition) string {
	if c == nil {
		return ""
	}
	return c.Source
}

func flowPageOf(f *flow.Flow) flowPage {
	page := flowPage{
		Name: f.Name, Title: f.Title, Summary: f.Summary, File: f.File, Version: f.Version, Starts: append([]string{}, f.Trigger.Events...),
		Enabled: conditionText(f.Trigger.Enabled), Key: f.Trigger.Key.Source(), Steps: []entry{},
	}
	if f.Trigger.Manual {
		page.Starts = append(page.Starts, "a person: flowctl run "+f.Name)
	}
	if f.Trigger.Input != nil {
		page.Starts = append(page.Starts, "another flow: call: flow."+f.Name)
		for _, field := range reference.FieldsOf(f.Trigger.Input) {
			// Of records within it, their name: an order has two hundred fields.
			if !strings.ContainsAny(field.Name, ".[") {
				page.Input = append(page.Input, field)
			}
		}
	}
	if f.Result != nil && f.Result.Type != nil {
		page.Result = f.Result.Type.String()
	}
	for _, called := range f.WithCalled()[1:] {
		page.Calls = append(page.Calls, called.Name)
	}
	for _, s := range f.Steps {
		page.Steps = append(page.Steps, entry{Name: s.Name, Title: stepAction(s), Says: conditionText(s.When)})
	}
	return page
}

func stepAction(s *flow.Step) string {
	switch {
	case s.Map != nil:
		return "map"
	case s.Call != nil:
		return s.Call.Name
	case s.Link != nil && s.Link.Table != nil:
		return "link " + s.Link.Table.Name
	}
	return ""
}

// showFlow writes what ofFlows found for people; false when it is none of that.
func showFlow(t *reference.Text, found any) bool {
	switch v := found.(type) {
	case []entry:
		var rows [][]string
		for _, e := range v {
			says := e.Says
			if says == "" {
				says = e.Title
			}
			rows = append(rows, []string{e.Name, says})
		}
		t.Table(rows)
	case []source:
		var rows [][]string
		for _, s := range v {
			rows = append(rows, []string{s.Name, sourceWords(s)})
		}
		t.Table(rows)
	case source:
		t.Paragraph(v.Name + ": " + v.Title)
		rows := [][]string{{"Event", v.Event}, {"When", strings.TrimSpace(v.Cron + " " + everyWords(v))}}
		for _, row := range [][]string{{"Call", v.Call}, {"Enabled", v.Enabled}, {"Flows", strings.Join(v.Flows, ", ")}} {
			if row[1] != "" {
				rows = append(rows, row)
			}
		}
		t.Table(rows)
	case flowPage:
		showFlowPage(t, v)
	default:
		return false
	}
	return true
}

func everyWords(s source) string {
	if s.Every == "" {
		return ""
	}
	return "every " + s.Every
}

func sourceWords(s source) string {
	words := s.Title
	if s.Cron != "" {
		words += ", at " + s.Cron
	}
	if s.Every != "" {
		words += ", " + everyWords(s)
	}
	if len(s.Flows) > 0 {
		words += "; starts " + strings.Join(s.Flows, ", ")
	}
	return words
}

func showFlowPage(t *reference.Text, p flowPage) {
	t.Paragraph("flow." + p.Name + ": " + p.Title)
	if p.Summary != "" {
		t.Paragraph(p.Summary)
	}
	t.Heading("Starts")
	var rows [][]string
	for _, start := range p.Starts {
		rows = append(rows, []string{start})
	}
	t.Table(rows)
	rows = nil
	for _, row := range [][]string{{"Enabled", p.Enabled}, {"Key", p.Key}, {"Result", p.Result}, {"Calls", strings.Join(p.Calls, ", ")}, {"File", p.File}, {"Version", p.Version}} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	t.Table(rows)
	if len(p.Input) > 0 {
		t.Fields("Input (* needed)", p.Input)
	}
	t.Heading("Steps")
	rows = nil
	for _, s := range p.Steps {
		does := s.Title
		if s.Says != "" {
			does += ", when " + strings.Join(strings.Fields(s.Says), " ")
		}
		rows = append(rows, []string{s.Name, does})
	}
	t.Table(rows)
}
