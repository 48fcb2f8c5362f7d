package flowtest

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// end compares what happened with what is expected.
func (b *bench) end(ctx context.Context, result *Result) error {
	result.Calls, result.steps = b.mocks.calls, b.steps
	result.Failures = append(result.Failures, b.mocks.failures...)
	e := b.c.Expect
	if e == nil {
		e = &flow.Expect{At: b.c.At}
	}
	vars := b.expectVars(result)
	result.Failures = append(result.Failures, expectOutcome(ctx, e, result.Outcome, vars)...)
	if e.CallsAt != nil {
		result.Failures = append(result.Failures, expectCalls(ctx, e, result.Calls, vars)...)
	}
	for _, l := range e.Links {
		result.Failures = append(result.Failures, expectLink(ctx, l, result.links, vars)...)
	}
	for _, field := range e.Steps.Fields() {
		result.Failures = append(result.Failures, compare(ctx, "steps."+field.Name, field.Value, vars[field.Name], vars)...)
	}
	if e.Result != nil {
		result.Failures = append(result.Failures, compare(ctx, "result", e.Result, result.Outcome.Result, vars)...)
	}
	for _, condition := range e.Holds {
		out, err := condition.Eval(ctx, vars)
		switch {
		case err != nil:
			result.Failures = append(result.Failures, evalFailure(condition.At, "holds", err))
		case out != true:
			result.Failures = append(result.Failures, Failure{At: condition.At, What: "this does not hold: " + condition.Source})
		}
	}
	result.Failures = append(result.Failures, b.mocks.unused(b.c)...)
	return nil
}

// expectVars are the names that expectations read: what was given, and what came
// of it.
func (b *bench) expectVars(result *Result) map[string]any {
	vars := maps.Clone(b.vars)
	vars["outcome"], vars["result"] = result.Outcome.State, result.Outcome.Result
	calls := make([]any, len(result.Calls))
	for i, call := range result.Calls {
		calls[i] = map[string]any{"call": call.Name, "with": call.Params}
	}
	vars["calls"] = calls
	for _, s := range b.test.Flow.Steps {
		vars[s.Name] = nil
	}
	for _, s := range b.steps {
		if !strings.Contains(s.path, "/") {
			vars[s.path] = s.value
		}
	}
	return vars
}

// expectOutcome compares how the run ended. A run that ended otherwise says why.
func expectOutcome(ctx context.Context, e *flow.Expect, got Outcome, vars map[string]any) []Failure {
	var failures []Failure
	if e.Outcome != nil {
		if want, _ := e.Outcome.Eval(ctx, vars); want != got.State {
			why := got.State
			for _, text := range []string{got.Code, got.Reason} {
				if text != "" {
					why += ": " + text
				}
			}
			failures = append(failures, Failure{At: e.Outcome.At, What: "outcome", Want: fmt.Sprint(want), Got: why})
		}
	} else if e.Code == nil && e.Reason == nil && (got.State == string(store.Failed) || got.State == string(store.Retrying)) {
		failures = append(failures, Failure{At: e.At, What: "the run " + got.State + ": " + got.Reason})
	}
	for _, exact := range []struct {
		what string
		want *flow.Value
		got  string
	}{{"code", e.Code, got.Code}, {"key", e.Key, got.Key}} {
		if exact.want == nil {
			continue
		}
		want, err := exact.want.Eval(ctx, vars)
		switch {
		case err != nil:
			failures = append(failures, evalFailure(exact.want.At, exact.what, err))
		case link.Text(want) != exact.got:
			failures = append(failures, Failure{At: exact.want.At, What: exact.what, Want: link.Text(want), Got: exact.got})
		}
	}
	for _, part := range []struct {
		what string
		want *flow.Value
		got  string
	}{{"reason", e.Reason, got.Reason}, {"advice", e.Advice, got.Advice}} {
		if part.want == nil {
			continue
		}
		want, err := part.want.Eval(ctx, vars)
		switch {
		case err != nil:
			failures = append(failures, evalFailure(part.want.At, part.what, err))
		case !strings.Contains(part.got, link.Text(want)):
			failures = append(failures, Failure{At: part.want.At, What: part.what, Want: "… " + link.Text(want) + " …", Got: part.got})
		}
	}
	return failures
}

// expectCalls compares the writes, in their order, and those reads that are
// named.
func expectCalls(ctx context.Context, e *flow.Expect, made []Call, vars map[string]any) []Failure {
	var failures []Failure
	at := 0
	for i, want := range e.Calls {
		what := fmt.Sprintf("calls[%d]", i)
		for at < len(made) && !e.Reads && !made[at].Writes && made[at].Name != want.Call {
			at++
		}
		if at == len(made) {
			return append(failures, Failure{At: want.At, What: what, Want: want.Call, Got: "no further call"})
		}
		got := made[at]
		at++
		if got.Name != want.Call {
			return append(failures, Failure{At: want.At, What: what, Want: want.Call, Got: got.Name + " with " + show(got.Params)})
		}
		if want.With != nil {
			failures = append(failures, compare(ctx, what+".with", want.With, got.Params, vars)...)
		}
	}
	for _, more := range made[at:] {
		if more.Writes || e.Reads {
			failures = append(failures, Failure{At: *e.CallsAt, What: "calls", Want: "no further call", Got: more.Name + " with " + show(more.Params)})
		}
	}
	return failures
}

// expectLink looks for a link; for one with a side that is nothing, that there is
// none.
func expectLink(ctx context.Context, l *flow.ExpectedLink, rows []store.Link, vars map[string]any) []Failure {
	what := "links: " + l.Table.Name
	local, err := evalSide(ctx, l.Local, vars)
	if err != nil {
		return []Failure{evalFailure(l.At, what, err)}
	}
	remote, err := evalSide(ctx, l.Remote, vars)
	if err != nil {
		return []Failure{evalFailure(l.At, what, err)}
	}
	var near []string
	for _, row := range rows {
		if row.Table != l.Table.Name || row.State != store.Linked {
			continue
		}
		near = append(near, row.Local+" - "+row.Remote)
		if !local.fits(row.Local) || !remote.fits(row.Remote) {
			continue
		}
		if local.none || remote.none {
			return []Failure{{At: l.At, What: what, Want: "no link of " + local.text + remote.text, Got: row.Local + " - " + row.Remote}}
		}
		return nil
	}
	if local.none || remote.none {
		return nil
	}
	got := strings.Join(near, ", ")
	if got == "" {
		got = "no links"
	}
	return []Failure{{At: l.At, What: what, Want: local.shown() + " - " + remote.shown(), Got: got}}
}

// side is a side of an expected link: a key, anything, or nothing at all.
type side struct {
	text      string
	any, none bool
}

func evalSide(ctx context.Context, v *flow.Value, vars map[string]any) (side, error) {
	if v == nil {
		return side{any: true}, nil
	}
	key, err := v.Eval(ctx, vars)
	return side{text: link.Text(key), none: key == nil}, err
}

func (s side) fits(key string) bool { return s.any || s.none || s.text == key }

func (s side) shown() string {
	if s.any {
		return "anything"
	}
	return s.text
}
