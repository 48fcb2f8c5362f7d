package main

import (
	"fmt"
	"strings"

	"github.com/flowctl/flowctl/cmd/flowctl/reference"
	"github.com/flowctl/flowctl/engine/flow"
)

// The parts of an app as describe shows them and --json prints them.
type (
	// overview is what there is to describe.
	overview struct {
		Connectors []entry `json:"connectors"`
		Functions  int     `json:"functions"`
		App        string  `json:"app,omitempty"`
		Flows      []entry `json:"flows,omitempty"`
		Links      []entry `json:"links,omitempty"`
		Settings   int     `json:"settings"`
	}
	// entry is a name with what stands behind it.
	entry struct {
		Name  string `json:"name"`
		Title string `json:"title,omitempty"`
		Says  string `json:"says,omitempty"`
	}
	// linkTable is a link table of app.yaml.
	linkTable struct {
		Name         string `json:"name"`
		Title        string `json:"title,omitempty"`
		Local        side   `json:"local"`
		Remote       side   `json:"remote"`
		Direction    string `json:"direction"`
		KeyMayChange bool   `json:"key_may_change"`
	}
	side struct {
		Record string `json:"record"`
		Key    string `json:"key"`
		Type   string `json:"type"`
	}
	// setting is a setting of app.yaml.
	setting struct {
		reference.Field
		Title    string `json:"title"`
		Tab      string `json:"tab"`
		Group    string `json:"group,omitempty"`
		Record   string `json:"record,omitempty"`
		Variable string `json:"variable"`
		// Rule is what a value has to be besides its type, in words.
		Rule string `json:"rule,omitempty"`
	}
)

func (m *manual) overview() overview {
	o := overview{Functions: len(reference.Functions())}
	for _, c := range m.connectors {
		says := count(len(c.Operations), "operation")
		if len(c.Events) > 0 {
			says += ", " + count(len(c.Events), "event")
		}
		o.Connectors = append(o.Connectors, entry{c.Name, c.Summary, says})
	}
	if m.app == nil {
		return o
	}
	o.App, o.Settings = m.app.Title, len(m.app.Settings())
	for _, f := range m.app.Flows {
		o.Flows = append(o.Flows, entry{f.Name, f.Title, f.Summary})
	}
	for _, t := range m.app.Tables {
		o.Links = append(o.Links, entry{t.Name, t.Title, t.Local.Record + " - " + t.Remote.Record})
	}
	return o
}

// ofApp finds links, settings and one of either.
func (m *manual) ofApp(name string) (any, bool) {
	kind, one, single := strings.Cut(name, ".")
	if m.app == nil || kind != "links" && kind != "settings" {
		return nil, false
	}
	if kind == "links" {
		tables := []linkTable{}
		for _, t := range m.app.Tables {
			table := linkTable{t.Name, t.Title, sideOf(t.Local), sideOf(t.Remote), t.Direction, t.KeyMayChange}
			if single && t.Name == one {
				return table, true
			}
			tables = append(tables, table)
		}
		return tables, !single
	}
	all := []setting{}
	for _, tab := range m.app.Tabs {
		for _, s := range tab.Settings {
			described := settingOf(tab, s)
			if single && s.Name == one {
				return described, true
			}
			all = append(all, described)
		}
	}
	return all, !single
}

func sideOf(s flow.TableSide) side { return side{s.Record, s.Key, s.Schema().String()} }

func settingOf(tab flow.Tab, s flow.Setting) setting {
	out := setting{
		Field: reference.Field{Name: s.Name, Type: s.Type, Description: s.Help, Secret: s.Type == "secret", Default: s.Default},
		Title: s.Title, Tab: tab.Title, Group: s.Group, Record: s.Record, Variable: "FLOWCTL_" + strings.ToUpper(s.Name),
	}
	for _, choice := range s.Choices {
		out.Values = append(out.Values, choice)
	}
	out.Rule = ruleOf(s)
	return out
}

// ruleOf says what a value has to be besides its type.
func ruleOf(s flow.Setting) string {
	var rules []string
	if s.Format != "" {
		rules = append(rules, "as "+s.Format)
	}
	if s.Min != nil {
		rules = append(rules, fmt.Sprintf("at least %d", *s.Min))
	}
	if s.Max != nil {
		rules = append(rules, fmt.Sprintf("at most %d", *s.Max))
	}
	if s.Type == "table" && s.Key.Title != "" {
		rules = append(rules, s.Key.Title+" = "+s.Value.Title)
	}
	if len(s.Value.Choices) > 0 {
		rules = append(rules, "one of "+strings.Join(s.Value.Choices, ", "))
	}
	return strings.Join(rules, ", ")
}

// show writes what find returned for people.
func show(t *reference.Text, found any) {
	if showFlow(t, found) {
		return
	}
	switch v := found.(type) {
	case overview:
		showOverview(t, v)
	case reference.Connector:
		t.Connector(v)
	case reference.Operation:
		t.Operation(v)
	case reference.Event:
		t.Event(v)
	case reference.Record:
		t.Record(v)
	case reference.Function:
		t.Function(v)
	case []reference.Function:
		var rows [][]string
		for _, f := range v {
			rows = append(rows, []string{f.Name, f.Summary})
		}
		t.Table(rows)
	case []linkTable:
		var rows [][]string
		for _, l := range v {
			rows = append(rows, []string{"links." + l.Name, linkWords(l)})
		}
		t.Table(rows)
	case linkTable:
		t.Paragraph("links." + v.Name + ": " + v.Title)
		t.Paragraph(linkWords(v))
	case []setting:
		var rows [][]string
		for _, s := range v {
			rows = append(rows, []string{"settings." + s.Name, s.Type, settingWords(s)})
		}
		t.Table(rows)
	case setting:
		t.Paragraph("settings." + v.Name + ": " + v.Title + ", in the tab " + v.Tab)
		t.Paragraph(settingWords(v))
		t.Table([][]string{{"Type", v.Type}, {"Variable", v.Variable}})
	}
}

func showOverview(t *reference.Text, o overview) {
	t.Paragraph("flowctl describe NAME tells more of each.")
	section := func(heading string, entries []entry) {
		if len(entries) == 0 {
			return
		}
		t.Heading(heading)
		var rows [][]string
		for _, e := range entries {
			rows = append(rows, []string{e.Name, e.Says, e.Title})
		}
		t.Table(rows)
	}
	section("Connectors", o.Connectors)
	t.Heading("Functions")
	t.Table([][]string{{"functions", count(o.Functions, "function") + " that expressions may call"}})
	if o.App == "" {
		return
	}
	t.Heading("The app: " + o.App)
	rows := [][]string{{"settings", count(o.Settings, "setting")}}
	for _, l := range o.Links {
		rows = append(rows, []string{"links." + l.Name, l.Title + " (" + l.Says + ")"})
	}
	t.Table(rows)
	t.Heading("Flows")
	rows = nil
	for _, f := range o.Flows {
		rows = append(rows, []string{f.Name, f.Says})
	}
	t.Table(rows)
}

func linkWords(l linkTable) string {
	words := fmt.Sprintf("%s by %s (%s) to %s by %s (%s); born %s", l.Local.Record, l.Local.Key, l.Local.Type, l.Remote.Record, l.Remote.Key, l.Remote.Type, l.Direction)
	if l.KeyMayChange {
		words += "; the remote key may change"
	}
	return words
}

func settingWords(s setting) string {
	words := s.Title
	if s.Description != "" {
		words += ": " + s.Description
	}
	if len(s.Values) > 0 {
		words += fmt.Sprintf("; one of %v", s.Values)
	}
	if s.Rule != "" {
		words += "; " + s.Rule
	}
	if rows, table := s.Default.(map[string]any); table {
		if len(rows) > 0 {
			words += "; default " + tableText(rows)
		}
	} else if s.Default != nil {
		words += fmt.Sprintf("; default %v", s.Default)
	}
	return words
}
