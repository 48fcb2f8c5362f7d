package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// maxPlannedItems bounds the items of one for_each that are planned one by one.
const maxPlannedItems = 1000

// planner walks a flow as an execution does, and writes down what that would
// write.
type planner struct {
	*execution // for its connections, settings and reads; its journal takes nothing
	inventor
	plan *Plan
	// links are the rows that would have been written so far, by either side.
	links   map[store.LinkKey]possible
	written []plannedWrite
	// under are the conditions we are under that are not known yet.
	under []string
	// why are the steps that decide those conditions.
	why []string
}

func (p *planner) steps(ctx context.Context, f *flow.Flow, vars *scope, prefix string) (possible, error) {
	for _, s := range f.Steps {
		out, err := p.step(ctx, s, vars, prefix+s.Name)
		if err != nil {
			return possible{}, err
		}
		if err := p.hold(prefix+s.Name, out.a); err != nil {
			return possible{}, err
		}
		vars.set(s.Name, out)
	}
	return vars.eval(f.Result.Names(), evalOf(ctx, f.Result))
}

// evalOf is a value's evaluation, as scopes want it.
func evalOf(ctx context.Context, v *flow.Value) func(map[string]any) (any, error) {
	return func(vars map[string]any) (any, error) { return v.Eval(ctx, vars) }
}

func recordOf(ctx context.Context, v *flow.Value) func(map[string]any) (any, error) {
	return func(vars map[string]any) (any, error) { return v.EvalRecord(ctx, vars) }
}

func conditionOf(ctx context.Context, c *flow.Condition) func(map[string]any) (any, error) {
	return func(vars map[string]any) (any, error) { return c.Eval(ctx, vars) }
}

// step plans one step. Under a condition that is not known it is planned as if
// the condition held, and its value may be nothing.
func (p *planner) step(ctx context.Context, s *flow.Step, vars *scope, path string) (possible, error) {
	if s.When == nil {
		return p.loop(ctx, s, vars, path)
	}
	wanted, err := vars.eval(s.When.Program.Names(), conditionOf(ctx, s.When))
	switch {
	case err != nil:
		return possible{}, &stepError{path, err}
	case wanted.isKnown() && wanted.v != true:
		return known(nil), nil
	case wanted.isKnown():
		return p.loop(ctx, s, vars, path)
	}
	under, why := p.under, p.why
	p.under, p.why = append(under[:len(under):len(under)], s.When.Source), union(why, wanted.because)
	out, err := p.loop(ctx, s, vars, path)
	p.under, p.why = under, why
	if err != nil {
		// It fails only if the condition holds, or because it does not.
		p.maybe(ctx, path, err, append(under[:len(under):len(under)], s.When.Source))
		return p.invent(s.Type, "", wanted.because), nil
	}
	return possible{v: holes(out.a, nil, true), a: out.a, b: nil, because: union(wanted.because, out.because)}, nil
}

// maybe notes an end that the run would come to under conditions.
func (p *planner) maybe(ctx context.Context, path string, err error, conditions []string) {
	outcome := p.outcomeOf(ctx, err)
	var end *plannedEnd
	if errors.As(err, &end) {
		end.outcome.If = conditions
		p.plan.Maybe = append(p.plan.Maybe, end.outcome)
		return
	}
	p.plan.Maybe = append(p.plan.Maybe, PlannedOutcome{State: outcome.State, Step: path, Code: outcome.Code,
		Reason: p.journal.scrubText(outcome.Reason), Advice: p.journal.scrubText(outcome.Advice), If: conditions})
}

// loop plans a step for each item, or once.
func (p *planner) loop(ctx context.Context, s *flow.Step, vars *scope, path string) (possible, error) {
	if s.ForEach == nil {
		out, err := p.act(ctx, s, vars, path)
		if err != nil && s.OnError == flow.ContinueOnError && !p.mustEnd(ctx, err) {
			return known(nil), nil
		}
		return out, atStep(path, err)
	}
	items, err := vars.eval(s.ForEach.Program.Names(), conditionOf(ctx, s.ForEach))
	if err != nil {
		return possible{}, &stepError{path, err}
	}
	list, ok := items.v.([]any)
	if !ok && !items.isKnown() {
		p.plan.Unread = append(p.plan.Unread, UnreadStep{Path: path, Operation: "for each of " + s.ForEach.Source, DependsOn: items.because})
		return p.invent(s.Type, "", items.because), nil
	}
	if len(list) > maxPlannedItems {
		return possible{}, &stepError{path, &boundError{fmt.Sprintf("for_each has %d items; a dry run plans at most %d", len(list), maxPlannedItems)}}
	}
	return p.each(ctx, s, vars, path, items)
}

// each plans a step for each item of a list whose length is known.
func (p *planner) each(ctx context.Context, s *flow.Step, vars *scope, path string, items possible) (possible, error) {
	out := possible{v: []any{}, a: []any{}, b: []any{}}
	names, failed := newNamer(), failures{}
	if s.Batch > 0 && s.Link != nil && !savesPairs(s) {
		return p.batchedLinks(ctx, s, vars, path, items)
	}
	if savesPairs(s) {
		s = unbatched(s)
	}
	for i, item := range split(items, s.Batch) {
		inner := vars.clone()
		inner.set(s.As, item)
		inner.set("position", known(int64(i*max(s.Batch, 1))))
		at := path + "[" + names.name(item.a) + "]"
		failed.total++
		one, err := p.act(ctx, s, inner, at)
		var end *plannedEnd
		switch {
		case err == nil:
		case errors.As(err, &end) && end.outcome.State == store.Skipped:
			one = known(nil)
		case p.mustEnd(ctx, err):
			return possible{}, atStep(at, err)
		default:
			failed.count(at, p.outcomeOf(ctx, err), err)
			one = known(nil)
		}
		if s.Batch > 0 && s.Call != nil && s.Call.Take != nil {
			out = p.appendItems(out, s, one, at, item)
			continue
		}
		out = possible{append(out.v.([]any), one.v), append(out.a.([]any), one.a), append(out.b.([]any), one.b), union(out.because, one.because)}
	}
	if failure := failed.itemsError(path); failure != nil && s.OnError != flow.ContinueOnError {
		return possible{}, failure
	}
	return out, nil
}

// unbatched is a step whose batch only says how many are saved at a time.
func unbatched(s *flow.Step) *flow.Step {
	one := *s
	one.Batch = 0
	return &one
}

// appendItems adds the results of a batch, one for each of its items.
func (p *planner) appendItems(out possible, s *flow.Step, batch possible, path string, items possible) possible {
	count := len(items.a.([]any))
	if results, ok := batch.v.([]any); ok && batch.isKnown() && len(results) == count {
		return possible{append(out.v.([]any), results...), append(out.a.([]any), results...), append(out.b.([]any), results...), out.because}
	}
	because := union(batch.because, []string{path})
	for range count {
		one := p.invent(s.Type.Items, "item of "+path, because)
		out = possible{append(out.v.([]any), one.v), append(out.a.([]any), one.a), append(out.b.([]any), one.b), union(out.because, because)}
	}
	return out
}

// split makes possible items of a possible list, batch of them at a time.
func split(list possible, batch int) []possible {
	v, _ := list.v.([]any)
	a, _ := list.a.([]any)
	b, _ := list.b.([]any)
	var out []possible
	for start := 0; start < len(v); start += max(batch, 1) {
		end := min(start+max(batch, 1), len(v))
		one := possible{v[start:end:end], a[start:end:end], b[start:end:end], list.because}
		if batch == 0 {
			one = possible{v[start], a[start], b[start], list.because}
		}
		if !hasHoles(one.v) {
			one = known(one.v)
		}
		out = append(out, one)
	}
	return out
}

// mustEnd tells whether an error ends the planning whatever on_error says.
func (p *planner) mustEnd(ctx context.Context, err error) bool {
	return ctx.Err() != nil || endsRun(err)
}

func atStep(path string, err error) error {
	var at *stepError
	if err == nil || errors.As(err, &at) {
		return err
	}
	return &stepError{path, err}
}

// act plans a step's action.
func (p *planner) act(ctx context.Context, s *flow.Step, vars *scope, path string) (possible, error) {
	switch {
	case s.Map != nil:
		return vars.eval(s.Map.Names(), evalOf(ctx, s.Map))
	case s.Call != nil:
		out, err := p.call(ctx, s.Call, vars, path)
		if s.Missing == flow.MissingContinues && connectors.HasCode(err, connectors.CodeNotFound) {
			return known(nil), nil
		}
		if err != nil || s.Batch == 0 || s.Call.Take == nil {
			return out, err
		}
		inner := vars.clone()
		inner.set("result", out)
		return inner.eval(s.Call.Take.Names(), evalOf(ctx, s.Call.Take))
	}
	return p.link(ctx, s, vars, path)
}
