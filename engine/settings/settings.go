// Package settings reads and writes an instance's settings: declared in
// app.yaml, kept in the store with secrets sealed, and overridden by the
// environment for one instance.
package settings

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// Settings reads and writes settings. It is safe for concurrent use.
type Settings struct {
	App   func() *flow.App
	Store store.Store
	// Sealer seals secrets; nil refuses to save any.
	Sealer *Sealer
	// Overrides win over what is stored, for the instance OverrideInstance: raw
	// text by setting name, from flags and environment.
	Overrides        map[string]string
	OverrideInstance string
	// Announce, if set, says what is accepted in the same commit as settings that
	// changed: their names, and all values as they will be.
	Announce func(ctx context.Context, instance string, names []string, values map[string]any) ([]store.Arrival, error)
	// Announced, if set, is told of such arrivals when they are stored.
	Announced func([]store.Arrival)
}

// UnknownError says that app.yaml declares no such setting.
type UnknownError struct{ Name string }

// Error names the setting.
func (e *UnknownError) Error() string { return fmt.Sprintf("there is no setting %q", e.Name) }

// InvalidError says what is wrong with a setting's value, in words for people.
type InvalidError struct {
	Name  string
	Title string
	Err   error
}

// Error names the setting.
func (e *InvalidError) Error() string { return fmt.Sprintf("setting %s: %v", e.Name, e.Err) }

// Unwrap returns what is wrong.
func (e *InvalidError) Unwrap() error { return e.Err }

func invalid(declared flow.Setting, err error) error {
	return &InvalidError{declared.Name, declared.Title, err}
}

// Values returns every declared setting as a typed value: overridden, stored, or
// its default; nil where there is none.
func (s *Settings) Values(ctx context.Context, instance string) (map[string]any, error) {
	stored, err := s.Store.Settings(ctx, instance)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for _, declared := range s.App().Settings() {
		v, err := s.valueOf(instance, declared, stored[declared.Name])
		if err != nil {
			return nil, err
		}
		values[declared.Name] = v
	}
	return values, nil
}

// valueOf is a setting's value, given what is stored; nil data is nothing.
func (s *Settings) valueOf(instance string, declared flow.Setting, data []byte) (any, error) {
	if text, ok := s.Overrides[declared.Name]; ok && instance == s.OverrideInstance {
		return Parse(declared, text)
	}
	if data == nil {
		return declared.Default, nil
	}
	v, err := s.open(instance, declared, data)
	if err != nil {
		return nil, fmt.Errorf("setting %s of %s: %w", declared.Name, instance, err)
	}
	return v, nil
}

// open reads a stored setting.
func (s *Settings) open(instance string, declared flow.Setting, data []byte) (any, error) {
	if declared.Type != "secret" {
		return value.Decode(data)
	}
	if s.Sealer == nil {
		return nil, errors.New("it is sealed and there is no key; set FLOWCTL_SECRET_KEY")
	}
	opened, err := s.Sealer.Open(data, place(instance, declared.Name))
	if err != nil {
		return nil, err
	}
	return value.Decode(opened)
}

// Parse reads a setting's text as it comes from a flag or the environment and
// checks it: lists by comma, tables as key=value by comma, both also as JSON,
// switches as true or false. The error is an *InvalidError.
func Parse(declared flow.Setting, text string) (any, error) {
	raw, err := readText(declared, strings.TrimSpace(text))
	if err != nil {
		return nil, invalid(declared, err)
	}
	typed, err := declared.Check(raw)
	if err != nil {
		return nil, invalid(declared, err)
	}
	return typed, nil
}

func readText(declared flow.Setting, text string) (any, error) {
	if text == "" {
		return nil, nil
	}
	switch declared.Type {
	case "switch":
		switch strings.ToLower(text) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", text)
	case "list":
		if strings.HasPrefix(text, "[") {
			return readJSON(text)
		}
		items := []any{}
		for item := range strings.SplitSeq(text, ",") {
			items = append(items, strings.TrimSpace(item))
		}
		return items, nil
	case "table":
		if strings.HasPrefix(text, "{") {
			return readJSON(text)
		}
		rows := map[string]any{}
		for row := range strings.SplitSeq(text, ",") {
			key, cell, ok := strings.Cut(row, "=")
			if !ok {
				return nil, fmt.Errorf("%q is no row; one looks like key=value", strings.TrimSpace(row))
			}
			if _, twice := rows[strings.TrimSpace(key)]; twice {
				return nil, fmt.Errorf("there are two rows for %q", strings.TrimSpace(key))
			}
			rows[strings.TrimSpace(key)] = strings.TrimSpace(cell)
		}
		return rows, nil
	}
	return text, nil
}

// readJSON keeps whole numbers whole, and amounts exact.
func readJSON(text string) (any, error) {
	v, err := connectors.Any().Decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	return v, nil
}
