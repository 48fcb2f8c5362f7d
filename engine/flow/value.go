package flow

import (
	"context"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// Value is a YAML value whose strings may hold ${…}.
type Value struct {
	At   Position
	node *yaml.Node
	doc  *document

	template *expression.Template
	constant any
	items    []*Value
	fields   []Field
	kind     yaml.Kind

	// Type is set by the check.
	Type *connectors.Schema
}

// Field is one entry of a mapping.
type Field struct {
	At    Position
	Name  string
	Value *Value
}

// Fields lists the entries of a mapping in their order; nil for other values.
func (v *Value) Fields() []Field {
	if v == nil {
		return nil
	}
	return v.fields
}

// Items lists the items of a list; nil for other values.
func (v *Value) Items() []*Value {
	if v == nil || v.kind != yaml.SequenceNode {
		return nil
	}
	if v.items == nil {
		return []*Value{}
	}
	return v.items
}

// Eval evaluates the value. The error is an [*EvalError].
func (v *Value) Eval(ctx context.Context, vars map[string]any) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch v.kind {
	case yaml.MappingNode:
		out := make(map[string]any, len(v.fields))
		for _, field := range v.fields {
			item, err := field.Value.Eval(ctx, vars)
			if err != nil {
				return nil, err
			}
			out[field.Name] = item
		}
		return out, nil
	case yaml.SequenceNode:
		out := make([]any, len(v.items))
		for i, item := range v.items {
			value, err := item.Eval(ctx, vars)
			if err != nil {
				return nil, err
			}
			out[i] = value
		}
		return out, nil
	}
	if v.template == nil {
		return v.constant, nil
	}
	result, err := v.template.Eval(ctx, vars)
	if err != nil {
		return nil, v.doc.evalError(v.node, err)
	}
	return result, nil
}

// EvalRecord evaluates a mapping.
func (v *Value) EvalRecord(ctx context.Context, vars map[string]any) (map[string]any, error) {
	if v == nil {
		return map[string]any{}, nil
	}
	out, err := v.Eval(ctx, vars)
	if err != nil {
		return nil, err
	}
	record, ok := out.(map[string]any)
	if !ok {
		return nil, &EvalError{At: v.At, Message: fmt.Sprintf("a record was expected, not %T", out)}
	}
	return record, nil
}

// Source is a scalar's text as it stands in the file, without quotes; "" for
// other values.
func (v *Value) Source() string {
	if v == nil {
		return ""
	}
	return text(v.node)
}

// Constant returns the value when nothing in it is computed.
func (v *Value) Constant() (any, bool) {
	if v == nil {
		return nil, true
	}
	if names := v.Names(); len(names) > 0 || v.computed() {
		return nil, false
	}
	out, err := v.Eval(context.Background(), nil)
	return out, err == nil
}

func (v *Value) computed() bool {
	if v.template != nil {
		_, constant := v.template.Constant()
		return !constant
	}
	return slices.ContainsFunc(v.items, (*Value).computed) ||
		slices.ContainsFunc(v.fields, func(f Field) bool { return f.Value.computed() })
}

// Names lists what the value's expressions read, sorted.
func (v *Value) Names() []string {
	var names []string
	v.eachTemplate(func(t *expression.Template) { names = append(names, t.Names()...) })
	slices.Sort(names)
	return slices.Compact(names)
}

func (v *Value) eachTemplate(visit func(*expression.Template)) {
	if v == nil {
		return
	}
	if v.template != nil {
		visit(v.template)
	}
	for _, item := range v.items {
		item.eachTemplate(visit)
	}
	for _, field := range v.fields {
		field.Value.eachTemplate(visit)
	}
}

// EvalError is an expression that failed while a run used it.
type EvalError struct {
	At      Position
	Message string
	Err     error
}

// Error names the place and what went wrong there.
func (e *EvalError) Error() string { return e.At.String() + ": " + e.Message }

// Unwrap returns the expression's own error.
func (e *EvalError) Unwrap() error { return e.Err }

// Eval evaluates the condition's expression. The error is an [*EvalError].
func (c *Condition) Eval(ctx context.Context, vars map[string]any) (any, error) {
	out, err := c.Program.Eval(ctx, vars)
	if err != nil {
		return nil, &EvalError{At: c.At, Message: err.Error(), Err: err}
	}
	return out, nil
}
