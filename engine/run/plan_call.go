package run

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/value"
)

// plannedEnd is the flow's own decision to end the run, as an error that stops
// the planning.
type plannedEnd struct {
	stop
	outcome PlannedOutcome
}

// As makes it a stop, where outcomes are told apart.
func (e *plannedEnd) As(target any) bool {
	if s, ok := target.(**stop); ok {
		*s = &e.stop
		return true
	}
	return false
}

// call plans a call: reads are made, as far as what they ask is known, and writes
// are written down.
func (p *planner) call(ctx context.Context, c *flow.Call, vars *scope, path string) (possible, error) {
	params, err := vars.eval(c.With.Names(), recordOf(ctx, c.With))
	if err != nil {
		return possible{}, err
	}
	switch {
	case c.Flow != nil:
		return p.callFlow(ctx, c.Flow, params, path)
	case c.Connection == "run":
		return possible{}, p.end(c.Operation.Name, params, path)
	case c.Operation.Effect == connectors.Read:
		return p.read(ctx, c, params, path)
	}
	return p.write(ctx, c, params, path)
}

func (p *planner) callFlow(ctx context.Context, f *flow.Flow, given possible, path string) (possible, error) {
	defer p.release(p.used)
	input := newScope(&p.inventor, map[string]any{})
	input.set("given", given)
	typed, err := input.eval([]string{"given"}, func(vars map[string]any) (any, error) {
		record, _ := vars["given"].(map[string]any)
		return f.TypedInput(record)
	})
	if err != nil {
		return possible{}, err
	}
	vars := newScope(&p.inventor, p.baseVars())
	vars.set("input", typed)
	return p.steps(ctx, f, vars, path+"/")
}

// end is the flow's decision to end the run.
func (p *planner) end(operation string, params possible, path string) error {
	example, _ := params.a.(map[string]any)
	outcome := endOf(operation, example)
	shown, _ := p.shown(params).(map[string]any)
	return &plannedEnd{stop{outcome}, PlannedOutcome{State: outcome.State, Step: path, Code: outcome.Code,
		Reason: shown["reason"], Advice: shown["advice"]}}
}

// read reads for real, unless what it asks is not known yet. A record that a
// write before it would have changed is known as it is now, not as it would be.
func (p *planner) read(ctx context.Context, c *flow.Call, params possible, path string) (possible, error) {
	of := strings.TrimPrefix(path, "/")
	if !params.isKnown() {
		p.plan.Unread = append(p.plan.Unread, UnreadStep{Path: path, Operation: c.Name, DependsOn: params.because})
		example, _ := params.a.(map[string]any)
		return p.invent(c.Operation.ResultType(example), of, params.because), nil
	}
	given, _ := params.v.(map[string]any)
	out, err := p.remote(ctx, c, given)
	if err != nil {
		return possible{}, err
	}
	if because := p.changedBefore(c, given); because != nil {
		p.plan.Unread = append(p.plan.Unread, UnreadStep{Path: path, Operation: c.Name, DependsOn: because})
		other := p.invent(c.Operation.ResultType(given), of, because)
		return possible{v: other.v, a: out, b: other.b, because: because}, nil
	}
	return known(out), nil
}

// plannedWrite is a write that would have been done.
type plannedWrite struct {
	path, connection, operation string
	params                      map[string]any
}

// changedBefore are the planned writes on the record that a read is about: of
// the same system and kind, with an id in common.
func (p *planner) changedBefore(c *flow.Call, params map[string]any) []string {
	var because []string
	for _, w := range p.written {
		if w.connection == c.Connection && kindOf(w.operation) == kindOf(c.Operation.Name) &&
			value.Equal(w.params["model"], params["model"]) && shareID(w.params, params) {
			because = union(because, []string{w.path})
		}
	}
	return because
}

// kindOf is what an operation is about: "orders" of "orders.get".
func kindOf(operation string) string {
	kind, _, dotted := strings.Cut(operation, ".")
	if !dotted {
		return ""
	}
	return kind
}

func shareID(a, b map[string]any) bool {
	return slices.ContainsFunc(idsOf(a), func(id any) bool {
		return slices.ContainsFunc(idsOf(b), func(other any) bool { return value.Equal(id, other) })
	})
}

func idsOf(params map[string]any) []any {
	ids, _ := params["ids"].([]any)
	if id := params["id"]; id != nil {
		ids = append(slices.Clip(ids), id)
	}
	return ids
}

// write writes down a write.
func (p *planner) write(ctx context.Context, c *flow.Call, params possible, path string) (possible, error) {
	step := PlannedStep{Path: path, Operation: c.Name, Effect: c.Operation.Effect, Params: p.shown(params),
		If: slices.Clone(p.under), DependsOn: union(params.because, p.why)}
	var err error
	if step.Changes, step.Compared, err = p.compare(ctx, c, params); err != nil {
		return possible{}, err
	}
	p.plan.Steps = append(p.plan.Steps, step)
	example, _ := params.a.(map[string]any)
	p.written = append(p.written, plannedWrite{path, c.Connection, c.Operation.Name, example})
	return p.invent(c.Operation.ResultType(example), path, []string{path}), nil
}

// compare reads the record that an update is about, and says what would be
// different.
func (p *planner) compare(ctx context.Context, c *flow.Call, params possible) ([]FieldChange, bool, error) {
	if c.Operation.Present == nil {
		return nil, false, nil
	}
	a, _ := params.a.(map[string]any)
	b, _ := params.b.(map[string]any)
	v, _ := params.v.(map[string]any)
	present, ok := c.Operation.Present(a)
	again, okAgain := c.Operation.Present(b)
	if !ok || !okAgain || !value.Equal(present.Read.Params, again.Read.Params) {
		return nil, false, nil
	}
	with, _ := c.Operation.Present(v)
	reading := *c
	reading.Operation = connectors.Operation{Name: present.Read.Operation, Effect: connectors.Read}
	out, err := p.remote(ctx, &reading, present.Read.Params)
	if err != nil && connectors.ClassOf(err) == connectors.Permanent {
		return nil, false, nil // the update may work all the same; only the diff is missing
	}
	if err != nil {
		return nil, false, err
	}
	record, ok := out.(map[string]any)
	if !ok {
		return nil, false, nil
	}
	changes := []FieldChange{}
	for _, field := range slices.Sorted(maps.Keys(present.Changes)) {
		next := possible{v: with.Changes[field], a: present.Changes[field], b: again.Changes[field], because: params.because}
		if !hasHoles(next.v) && sameField(record[field], next.v) {
			continue
		}
		changes = append(changes, FieldChange{Field: field, Old: p.scrubValue(record[field]), New: p.shown(next)})
	}
	return changes, true, nil
}

// sameField compares a field as it was read with what would be written: a
// reference is read as a record with an id, and written as that id.
func sameField(old, next any) bool {
	if reference, ok := old.(map[string]any); ok && reference["id"] != nil {
		if _, record := next.(map[string]any); !record {
			return value.Equal(reference["id"], next)
		}
	}
	return value.Equal(old, next)
}

// shown is a value as it stands in the plan, without secrets.
func (p *planner) shown(v possible) any { return p.scrubValue(p.show(v)) }

func (p *planner) scrubValue(v any) any {
	switch v := v.(type) {
	case string:
		return p.journal.scrubText(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[name] = p.scrubValue(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = p.scrubValue(item)
		}
		return out
	}
	return v
}
