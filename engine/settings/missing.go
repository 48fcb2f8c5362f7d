package settings

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/engine/flow"
)

// Missing lists the settings without a value that a connection cannot do
// without: those that fill a field which the connector requires.
func (s *Settings) Missing(ctx context.Context, instance string, c *flow.Connection) ([]flow.Setting, error) {
	fed, err := s.empty(ctx, instance, c)
	if err != nil {
		return nil, err
	}
	var missing []flow.Setting
	for _, f := range fed {
		if slices.Contains(c.Spec.Settings.Required, f.field) && !slices.ContainsFunc(missing, f.same) {
			missing = append(missing, f.setting)
		}
	}
	return missing, nil
}

// Empty lists all settings without a value that would fill an empty field of a
// connection, required or not.
func (s *Settings) Empty(ctx context.Context, instance string, c *flow.Connection) ([]flow.Setting, error) {
	fed, err := s.empty(ctx, instance, c)
	if err != nil {
		return nil, err
	}
	var empty []flow.Setting
	for _, f := range fed {
		if !slices.ContainsFunc(empty, f.same) {
			empty = append(empty, f.setting)
		}
	}
	return empty, nil
}

// filling is a setting that would fill an empty field of a connection.
type filling struct {
	field   string
	setting flow.Setting
}

func (f filling) same(other flow.Setting) bool { return other.Name == f.setting.Name }

// empty tries, for each empty field of the connection, which empty setting
// would fill it. That holds for whatever expression stands between the two.
func (s *Settings) empty(ctx context.Context, instance string, c *flow.Connection) ([]filling, error) {
	values, err := s.Values(ctx, instance)
	if err != nil {
		return nil, err
	}
	environment := Environment()
	var found []filling
	for _, field := range c.Settings.Fields() {
		vars := map[string]any{"settings": values, "env": environment}
		now, err := field.Value.Eval(ctx, vars)
		if err != nil {
			return nil, fmt.Errorf("the settings of %s: %w", c.Name, err)
		}
		if !blank(now) {
			continue
		}
		for _, declared := range s.App().Settings() {
			if !blank(values[declared.Name]) {
				continue
			}
			before := values[declared.Name]
			values[declared.Name] = sample(declared)
			filled, err := field.Value.Eval(ctx, vars)
			values[declared.Name] = before
			if err == nil && !blank(filled) {
				found = append(found, filling{field.Name, declared})
			}
		}
	}
	return found, nil
}

// Environment is ${env}, which only app.yaml's connections may read.
func Environment() map[string]any {
	env := map[string]any{}
	for _, pair := range os.Environ() {
		if name, v, ok := strings.Cut(pair, "="); ok {
			env[name] = v
		}
	}
	return env
}

func blank(v any) bool { return v == nil || v == "" }

// sample is some value of the setting's type.
func sample(declared flow.Setting) any {
	switch declared.Type {
	case "switch":
		return true
	case "integer":
		return int64(1)
	case "decimal":
		return decimal.NewFromInt(1)
	case "list":
		return []any{"x"}
	case "table":
		return map[string]any{"x": "x"}
	}
	return "x"
}
