package flow

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// decodePanel reads what app.yaml says for people who look at the panel: where
// records are found, and the buttons of the settings tabs.
func (l *loader) decodePanel(d *document) {
	for key, n := range entries(get(d.root, "links")) {
		table, ok := l.app.Table(key.Value)
		if !ok {
			continue
		}
		for side, from := range map[*TableSide]*yaml.Node{&table.Local: get(n, "local"), &table.Remote: get(n, "remote")} {
			if given := get(from, "url"); given != nil {
				side.URL = d.value(given)
			}
		}
	}
	tabs := get(d.root, "settings")
	if tabs == nil {
		return
	}
	for _, n := range tabs.Content {
		actions := get(n, "actions")
		i := slices.IndexFunc(l.app.Tabs, func(t Tab) bool { return t.Name == text(get(n, "tab")) })
		if i < 0 {
			continue
		}
		l.app.Tabs[i].Saved = text(get(n, "saved"))
		if actions == nil {
			continue
		}
		for _, a := range actions.Content {
			l.app.Tabs[i].Actions = append(l.app.Tabs[i].Actions, Action{Flow: text(get(a, "flow")), Title: text(get(a, "title")), Help: text(get(a, "help"))})
		}
	}
}

// checkPanel compiles the addresses of records.
func (c *checker) checkPanel(doc *document) {
	env := expression.Env{"settings": c.app.settingsSchema(), "key": connectors.String().Described("the record's key, escaped for an address")}
	for _, table := range c.app.Tables {
		for _, side := range []TableSide{table.Local, table.Remote} {
			if side.URL != nil {
				c.compile(doc, side.URL, env)
			}
		}
	}
}

// Address is where a person finds the record with this key; "" when nobody
// knows, be it that the system's address is not set yet. Only addresses of the
// web are given.
func (s TableSide) Address(ctx context.Context, settings map[string]any, key string) string {
	if s.URL == nil || key == "" {
		return ""
	}
	made, err := s.URL.Eval(ctx, map[string]any{"settings": settings, "key": url.QueryEscape(key)})
	if err != nil {
		return "" // a setting that is missing, say: then there is no address
	}
	address, _ := made.(string)
	parsed, err := url.Parse(strings.TrimSpace(address))
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return ""
	}
	return parsed.String()
}
