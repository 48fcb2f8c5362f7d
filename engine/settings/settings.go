// Package settings reads and writes an instance's settings: declared in
// app.yaml, kept in the store with secrets sealed, and overridden by the
// environment for one instance.
package settings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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
}

// UnknownError says that app.yaml declares no such setting.
type UnknownError struct{ Name string }

// Error names the setting.
func (e *UnknownError) Error() string { return fmt.Sprintf("there is no setting %q", e.Name) }

// Values returns every declared setting as a typed value: overridden, stored, or
// its default; nil where there is none.
func (s *Settings) Values(ctx context.Context, instance string) (map[string]any, error) {
	stored, err := s.Store.Settings(ctx, instance)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for _, declared := range s.App().Settings() {
		values[declared.Name] = declared.Default
		if data, ok := stored[declared.Name]; ok {
			v, err := s.open(instance, declared, data)
			if err != nil {
				return nil, fmt.Errorf("setting %s of %s: %w", declared.Name, instance, err)
			}
			values[declared.Name] = v
		}
		if text, ok := s.Overrides[declared.Name]; ok && instance == s.OverrideInstance {
			v, err := Parse(declared, text)
			if err != nil {
				return nil, err
			}
			values[declared.Name] = v
		}
	}
	return values, nil
}

// Save writes settings given as typed values; nil removes one, so that its
// default holds again.
func (s *Settings) Save(ctx context.Context, instance string, values map[string]any) error {
	rows := make(map[string][]byte, len(values))
	for name, v := range values {
		declared, ok := s.App().Setting(name)
		if !ok {
			return &UnknownError{name}
		}
		if v == nil {
			rows[name] = nil
			continue
		}
		typed, err := declared.Schema().Convert(v)
		if err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
		data, err := value.Encode(typed)
		if err != nil {
			return fmt.Errorf("setting %s: %w", name, err)
		}
		if declared.Type == "secret" {
			if s.Sealer == nil {
				return fmt.Errorf("setting %s is a secret and there is no key to seal it with; set FLOWCTL_SECRET_KEY", name)
			}
			if data, err = s.Sealer.Seal(data, place(instance, name)); err != nil {
				return fmt.Errorf("sealing setting %s: %w", name, err)
			}
		}
		rows[name] = data
	}
	return s.Store.SaveSettings(ctx, instance, rows)
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

// Parse reads a setting's text as it comes from a flag or the environment:
// lists by comma, tables and lists also as JSON, switches as true or false.
func Parse(declared flow.Setting, text string) (any, error) {
	schema := declared.Schema()
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	var raw any = text
	switch declared.Type {
	case "switch":
		switch strings.ToLower(text) {
		case "true", "yes", "on", "1":
			raw = true
		case "false", "no", "off", "0":
			raw = false
		default:
			return nil, fmt.Errorf("setting %s: %q is neither true nor false", declared.Name, text)
		}
	case "list":
		if !strings.HasPrefix(text, "[") {
			var items []any
			for item := range strings.SplitSeq(text, ",") {
				items = append(items, strings.TrimSpace(item))
			}
			raw = items
			break
		}
		fallthrough
	case "table":
		if err := json.Unmarshal([]byte(text), &raw); err != nil {
			return nil, fmt.Errorf("setting %s: %w", declared.Name, err)
		}
	}
	typed, err := schema.Convert(raw)
	if err != nil {
		return nil, fmt.Errorf("setting %s: %w", declared.Name, err)
	}
	return typed, nil
}
