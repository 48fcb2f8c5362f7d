package flow

import (
	"context"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

func (l *loader) decodeTab(d *document, n *yaml.Node) Tab {
	tab := Tab{Name: text(get(n, "tab")), Title: text(get(n, "title"))}
	fields := get(n, "fields")
	if fields == nil {
		return tab
	}
	for _, f := range fields.Content {
		s := decodeSetting(d, f)
		if _, taken := l.app.Setting(s.Name); taken || slices.ContainsFunc(tab.Settings, func(o Setting) bool { return o.Name == s.Name }) {
			d.reportNode(f, "duplicate-setting", "", "there are two settings named %q", s.Name)
			continue
		}
		tab.Settings = append(tab.Settings, s)
	}
	return tab
}

func decodeSetting(d *document, n *yaml.Node) Setting {
	s := Setting{
		At: d.at(n), Name: text(get(n, "name")), Title: text(get(n, "title")), Help: text(get(n, "help")),
		Group: text(get(n, "group")), Type: text(get(n, "type")), Record: text(get(n, "record")),
		Format: text(get(n, "format")), Min: decodeBound(get(n, "min")), Max: decodeBound(get(n, "max")),
		Choices: texts(get(n, "choices")),
		Key:     decodeColumn(get(get(n, "columns"), keyColumn)), Value: decodeColumn(get(get(n, "columns"), valueColumn)),
	}
	checkSettingKeys(d, n, s)
	if given := get(n, "default"); given != nil {
		constant, err := d.value(given).Eval(context.Background(), nil)
		if err == nil {
			constant, err = s.Check(constant)
		}
		if err != nil {
			d.reportNode(given, "wrong-type", "", "the default does not fit the type %s: %v", s.Type, err)
		}
		s.Default = constant
	}
	return s
}

// settingKeys are the keys of a setting that only some types know.
var settingKeys = []struct {
	key   string
	types []string
}{
	{"columns", []string{"table"}},
	{"format", []string{"text", "list"}},
	{"min", []string{"integer", "decimal"}},
	{"max", []string{"integer", "decimal"}},
	{"choices", []string{"choice", "list"}},
	{"record", []string{"integer"}},
}

func checkSettingKeys(d *document, n *yaml.Node, s Setting) {
	for _, k := range settingKeys {
		if at := keyNode(n, k.key); at != nil && !slices.Contains(k.types, s.Type) {
			hint := ""
			if s.Type == "table" {
				hint = "say it of a column: columns: {key: {…}, value: {…}}"
			}
			d.reportNode(at, "misplaced-key", hint, "a setting of type %s has no %q", s.Type, k.key)
		}
	}
	if s.Type == "choice" && len(s.Choices) == 0 {
		d.reportNode(get(n, "type"), "missing-key", "choices: [one, two]", "a choice needs choices")
	}
	if s.Min != nil && s.Max != nil && *s.Min > *s.Max {
		d.reportNode(get(n, "min"), "wrong-value", "", "min is more than max")
	}
}

func decodeBound(n *yaml.Node) *int64 {
	if n == nil {
		return nil
	}
	bound, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return nil // the structure was reported
	}
	return &bound
}

func decodeColumn(n *yaml.Node) Column {
	return Column{Title: text(get(n, "title")), Choices: texts(get(n, "choices")), Record: text(get(n, "record"))}
}

// texts are the scalars of a list.
func texts(n *yaml.Node) []string {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	var all []string
	for _, item := range n.Content {
		all = append(all, item.Value)
	}
	return all
}
