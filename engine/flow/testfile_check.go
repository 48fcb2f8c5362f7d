package flow

import (
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// testChecker resolves the names of a test file and checks its values against
// the app.
type testChecker struct {
	*checker
	doc  *document
	test *Test
	env  expression.Env // of what is given: settings, run, event or input
}

func (t *testChecker) check() {
	name := get(t.doc.root, "flow")
	found, ok := t.app.Flow(text(name))
	if !ok {
		if name != nil {
			t.doc.reportNode(name, "unknown-flow", didYouMean(text(name), t.flowNames()), "there is no flow %q in %s", text(name), AppFile)
		}
		return
	}
	t.test.Flow = found
	t.env = expression.Env{"settings": t.app.settingsSchema(), "run": runSchema()}
	t.checkGiven(t.test.Given)
	seen := map[string]bool{}
	for _, c := range t.test.Cases {
		if seen[c.Name] {
			t.doc.report(c.At, 1, "duplicate-name", "", "there are two cases named %q", c.Name)
		}
		seen[c.Name] = true
		t.checkGiven(c.Given)
		t.checkStart(c)
		if c.Expect != nil {
			t.checkExpect(c.Expect)
		}
	}
}

func (c *checker) flowNames() []string {
	var names []string
	for _, f := range c.app.Flows {
		names = append(names, f.Name)
	}
	return names
}

func (t *testChecker) checkGiven(g Given) {
	before := expression.Env{"settings": t.app.settingsSchema()}
	t.compile(t.doc, g.Now, expression.Env{})
	if g.Now != nil {
		if constant, ok := g.Now.Constant(); !ok {
			t.doc.report(g.Now.At, 1, "wrong-value", "", "now must be an instant")
		} else if _, err := connectors.DateTime().Convert(constant); err != nil {
			t.doc.report(g.Now.At, 1, "wrong-value", "for example 2026-01-31T12:00:00Z", "now: %v", err)
		}
	}
	t.compile(t.doc, g.Settings, expression.Env{})
	t.checkShape(g.Settings, t.app.settingsSchema(), "unknown-parameter", "setting of the app")
	trigger := t.test.Flow.Trigger
	t.compile(t.doc, g.Event, before)
	t.compile(t.doc, g.Input, before)
	switch {
	case g.Event != nil && trigger.Event == nil:
		t.doc.report(g.Event.At, 1, "misplaced-key", "give input instead", "no event starts the flow %s", t.test.Flow.Name)
	case g.Input != nil && trigger.Input == nil:
		t.doc.report(g.Input.At, 1, "misplaced-key", "give event instead", "the flow %s takes no input", t.test.Flow.Name)
	}
	if trigger.Event != nil {
		t.checkShape(g.Event, trigger.Event, "unknown-parameter", "field of the event")
		t.env["event"] = trigger.Event
	}
	if trigger.Input != nil {
		t.checkShape(g.Input, trigger.Input, "unknown-parameter", "input of the flow")
		t.env["input"] = trigger.Input
	}
	for _, l := range g.Links {
		l.Table = t.table(l.node)
		t.compile(t.doc, l.Local, t.env)
		t.compile(t.doc, l.Remote, t.env)
		t.compile(t.doc, l.Values, t.env)
	}
	for _, m := range g.Calls {
		t.checkMock(m)
	}
}

// checkStart checks that a case gives what starts its flow.
func (t *testChecker) checkStart(c *Case) {
	trigger := t.test.Flow.Trigger
	if trigger.Input == nil {
		if c.Event == nil && t.test.Event == nil {
			t.doc.report(c.At, 1, "missing-key", "event: {…}", "the case %q gives no event", c.Name)
		}
		return
	}
	given := c.Input
	if given == nil {
		given = t.test.Input
	}
	for _, name := range trigger.Input.Required {
		property, _ := trigger.Input.Property(name)
		if property != nil && property.Default != nil {
			continue
		}
		if !slices.ContainsFunc(given.Fields(), func(f Field) bool { return f.Name == name }) {
			t.doc.report(c.At, 1, "missing-parameter", "", "the case %q does not give the input %q", c.Name, name)
		}
	}
}

func (t *testChecker) table(n *yaml.Node) *Table {
	found, ok := t.app.Table(text(n))
	if !ok && n != nil {
		t.doc.reportNode(n, "unknown-table", didYouMean(text(n), t.tableNames()), "there is no link table %q in %s", text(n), AppFile)
	}
	return found
}

// checkMock resolves what is mocked, and checks that the answer is one that the
// operation gives.
func (t *testChecker) checkMock(m *Mock) {
	if m.node == nil {
		return
	}
	t.compile(t.doc, m.With, t.env)
	inner := maps.Clone(t.env)
	inner["params"] = connectors.Any()
	params, result, ok := t.resolve(m.node)
	if !ok {
		t.compile(t.doc, m.Result, inner)
		return
	}
	m.Operation, m.Flow = result.operation, result.flow
	t.checkShape(m.With, params, "unknown-parameter", "parameter of "+m.Call)
	inner["params"] = params
	t.compile(t.doc, m.Result, inner)
	t.checkShape(m.Result, result.typeFor(m.With), "unknown-field", "field of the answer of "+m.Call)
}

// resolved is what a call in a test file stands for.
type resolved struct {
	operation connectors.Operation
	flow      *Flow
}

// typeFor is the type of the answer to a call with these parameters.
func (r resolved) typeFor(with *Value) *connectors.Schema {
	if r.flow != nil {
		if r.flow.Result == nil {
			return nil
		}
		return r.flow.Result.Type
	}
	constants := map[string]any{}
	for _, field := range with.Fields() {
		if v, ok := field.Value.Constant(); ok {
			constants[field.Name] = v
		}
	}
	return r.operation.ResultType(constants)
}

// resolve finds the operation or flow that a call names, and its parameters.
func (t *testChecker) resolve(n *yaml.Node) (*connectors.Schema, resolved, bool) {
	first, rest, _ := strings.Cut(text(n), ".")
	var owner string
	var operations []connectors.Operation
	switch {
	case first == "flow":
		f, ok := t.app.Flow(rest)
		if !ok {
			t.doc.reportNode(n, "unknown-flow", didYouMean(rest, t.flowNames()), "there is no flow %q", rest)
			return nil, resolved{}, false
		}
		return f.Trigger.Input, resolved{flow: f}, true
	case first == "run":
		t.doc.reportNode(n, "unknown-operation", "expect it as outcome, code and reason", "%s ends the run itself; it is no call to answer", text(n))
		return nil, resolved{}, false
	case first == AppName:
		spec := t.app.OwnSpec()
		owner, operations = spec.Title, spec.Operations
	default:
		connection, ok := t.app.Connection(first)
		if !ok {
			t.doc.reportNode(n, "unknown-connection", didYouMean(first, append(t.connectionNames(), reservedConnections...)), "there is no connection %q in %s", first, AppFile)
			return nil, resolved{}, false
		}
		owner, operations = connection.Spec.Title, connection.Spec.Operations
	}
	i := slices.IndexFunc(operations, func(o connectors.Operation) bool { return o.Name == rest })
	if i < 0 {
		var known []string
		for _, o := range operations {
			known = append(known, o.Name)
		}
		t.doc.reportNode(n, "unknown-operation", didYouMean(rest, known), "%s has no operation %q", owner, rest)
		return nil, resolved{}, false
	}
	return operations[i].Params, resolved{operation: operations[i]}, true
}

func (t *testChecker) checkExpect(e *Expect) {
	env := maps.Clone(t.env)
	env["outcome"] = connectors.String()
	env["calls"] = connectors.Array(connectors.Object(map[string]*connectors.Schema{"call": connectors.String(), "with": connectors.Any()}))
	env["result"] = connectors.Any()
	if t.test.Flow.Result != nil {
		env["result"] = t.test.Flow.Result.Type
	}
	steps := map[string]*connectors.Schema{}
	for _, s := range t.test.Flow.Steps {
		steps[s.Name], env[s.Name] = s.Type, s.Type.OrNull()
	}
	for _, v := range []*Value{e.Outcome, e.Code, e.Reason, e.Advice, e.Key, e.Steps, e.Result} {
		t.compile(t.doc, v, env)
	}
	if e.Result != nil {
		t.checkShape(e.Result, env["result"], "unknown-field", "field of the flow's result")
	}
	t.checkShape(e.Steps, connectors.Object(steps), "unknown-field", "step of the flow, or field of what it makes")
	for _, call := range e.Calls {
		t.compile(t.doc, call.With, env)
		if call.node == nil {
			continue
		}
		if params, _, ok := t.resolve(call.node); ok {
			t.checkShape(call.With, params, "unknown-parameter", "parameter of "+call.Call)
		}
	}
	for _, l := range e.Links {
		l.Table = t.table(l.node)
		t.compile(t.doc, l.Local, env)
		t.compile(t.doc, l.Remote, env)
		if l.Local == nil && l.Remote == nil {
			t.doc.report(l.At, 1, "missing-key", "", "a link is known by its local or its remote side")
		}
	}
	for _, condition := range e.Holds {
		t.compileCondition(t.doc, condition, env, connectors.Boolean())
	}
}

// checkShape checks a value, compiled before, against a type: names that the
// type does not know, and constants of another type.
func (t *testChecker) checkShape(v *Value, want *connectors.Schema, code, what string) {
	if v == nil || want == nil {
		return
	}
	switch v.kind {
	case yaml.MappingNode:
		if want.Type != "object" {
			if !fits(v.Type, want) {
				t.doc.report(v.At, 1, "wrong-type", "", "%s was expected, not a record", want)
			}
			return
		}
		for _, field := range v.fields {
			property, ok := want.Property(field.Name)
			if !ok && !want.Open {
				t.doc.report(field.At, len(field.Name), code, didYouMean(field.Name, want.PropertyNames()), "%q is no %s", field.Name, what)
				continue
			}
			t.checkShape(field.Value, property, code, what)
		}
	case yaml.SequenceNode:
		if want.Type != "array" {
			if !fits(v.Type, want) {
				t.doc.report(v.At, 1, "wrong-type", "", "%s was expected, not a list", want)
			}
			return
		}
		for _, item := range v.items {
			t.checkShape(item, want.Items, code, what)
		}
	default:
		if v.Type != nil && v.Type.Nullable && v.constant == nil {
			return // nothing fits everywhere
		}
		if !fits(v.Type, want) {
			t.doc.report(v.At, nodeLength(v.node), "wrong-type", "", "%s was expected, not %s", want, v.Type)
		}
	}
}
