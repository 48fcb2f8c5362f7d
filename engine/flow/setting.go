package flow

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// Setting is one setting, declared in app.yaml.
type Setting struct {
	At      Position
	Name    string
	Title   string
	Help    string
	Group   string // a heading within the tab
	Type    string // text, secret, switch, integer, decimal, choice, list, table
	Default any    // typed
	Choices []string
	// Record names the kind of record that the value is an id of, for choices
	// loaded from the system.
	Record string
	// Format of a text, or of a list's texts: url, email, or "" for any.
	Format string
	// Min and Max bound an integer or a decimal; nil bounds nothing.
	Min, Max *int64
	// Key and Value are the columns of a table.
	Key, Value Column
}

// Column is a column of a setting of type table.
type Column struct {
	Title   string
	Choices []string
	Record  string // cells are ids of such records
}

// Typed cells of a column.
func (c Column) schema() *connectors.Schema {
	if c.Record != "" {
		return connectors.Integer()
	}
	return connectors.String()
}

// Schema is the type of the setting's value.
func (s Setting) Schema() *connectors.Schema {
	var schema *connectors.Schema
	switch s.Type {
	case "switch":
		schema = connectors.Boolean()
	case "integer":
		schema = connectors.Integer()
	case "decimal":
		schema = connectors.Decimal()
	case "list":
		schema = connectors.Array(connectors.String())
	case "table":
		schema = &connectors.Schema{Type: "object", Open: true}
	default:
		schema = connectors.String()
	}
	schema.Nullable = s.Default == nil
	schema.Secret = s.Type == "secret"
	schema.Description = s.Help
	return schema
}

// The columns of a table, as app.save_choices names them behind its setting.
const (
	keyColumn   = "key"
	valueColumn = "value"
)

// ChoiceNames lists the names under which choices are kept for the setting: its
// own where it is the id of a record, those of its columns that are.
func (s Setting) ChoiceNames() []string {
	var names []string
	if s.Type != "table" {
		if s.Record != "" {
			names = append(names, s.Name)
		}
		return names
	}
	if s.Key.Record != "" {
		names = append(names, s.Name+"."+keyColumn)
	}
	if s.Value.Record != "" {
		names = append(names, s.Name+"."+valueColumn)
	}
	return names
}

// ChoicesOf finds the setting that choices of this name are kept for, and tells
// the kind of record they are.
func (a *App) ChoicesOf(name string) (record string, ok bool) {
	setting, column, ofTable := strings.Cut(name, ".")
	s, ok := a.Setting(setting)
	switch {
	case !ok || ofTable != (s.Type == "table"):
		return "", false
	case !ofTable:
		return s.Record, s.Record != ""
	case column == keyColumn:
		return s.Key.Record, s.Key.Record != ""
	case column == valueColumn:
		return s.Value.Record, s.Value.Record != ""
	}
	return "", false
}

// Check types a value and tells in words for people what is wrong with it. nil
// is no value, and fits everywhere.
func (s Setting) Check(v any) (any, error) {
	typed, err := s.Schema().Convert(v)
	if err != nil {
		return nil, err
	}
	if typed == nil || typed == "" {
		return nil, nil
	}
	switch s.Type {
	case "list":
		return s.checkList(typed)
	case "table":
		return s.checkTable(typed)
	case "switch":
		if _, ok := typed.(bool); !ok {
			return nil, fmt.Errorf("%v is neither on nor off", typed)
		}
		return typed, nil
	case "integer", "decimal":
		return typed, s.checkRange(typed)
	}
	text, ok := typed.(string)
	if !ok {
		return nil, errors.New("it is no text") // which may be a secret
	}
	return s.checkText(text)
}
