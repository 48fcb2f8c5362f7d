package flow

import (
	"maps"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// checkStep checks one step in its environment, which it may change, and sets
// the step's type.
func (c *checker) checkStep(doc *document, s *Step, env expression.Env) {
	s.Type = connectors.Any()
	c.compileCondition(doc, s.When, env, connectors.Boolean())
	var item *connectors.Schema
	if s.ForEach != nil {
		c.compileCondition(doc, s.ForEach, env, connectors.Array(nil))
		c.checkName(doc, s.node, "as", s.As, env)
		item = connectors.Any()
		if s.ForEach.Program != nil && s.ForEach.Program.Type() != nil && s.ForEach.Program.Type().Items != nil {
			item = s.ForEach.Program.Type().Items
		}
		env[s.As] = item
		if s.Batch > 0 {
			env[s.As] = connectors.Array(item)
		}
		env["position"] = connectors.Integer()
	} else {
		for _, key := range []string{"as", "batch", "parallel"} {
			if at := keyNode(s.node, key); at != nil {
				doc.reportNode(at, "misplaced-key", "", "%q needs for_each", key)
			}
		}
	}
	switch {
	case s.Map != nil:
		c.compile(doc, s.Map, env)
		s.Type = s.Map.Type
	case s.Call != nil:
		s.Type = c.checkCall(doc, s.Call, env)
		c.checkBatchedCall(doc, s, env)
		checkLateBatch(doc, s, s.Call)
	case s.Link != nil:
		s.Type = c.checkLink(doc, s, env, item)
		checkLateBatch(doc, s, s.Link.Create)
	}
	if s.Type == nil {
		s.Type = connectors.Any()
	}
	if s.OnError == ContinueOnError || s.Missing == MissingContinues {
		s.Type = s.Type.OrNull()
	}
	if s.ForEach != nil {
		s.Type = connectors.Array(s.Type)
	}
	if s.When != nil {
		s.Type = s.Type.OrNull()
	}
}

// checkLateBatch refuses a write in batches that is only safe after looking: what
// one left unclear may stand in another batch when it is done again.
func checkLateBatch(doc *document, s *Step, call *Call) {
	if s.Batch > 0 && call != nil && call.Repeat == connectors.AfterLooking {
		doc.report(call.At, 1, "late-batch", "leave out batch", "repeat: after looking is for one record at a time")
	}
}

// checkBatchedCall checks what a call with batch takes from its result: a list
// with a result for each item.
func (c *checker) checkBatchedCall(doc *document, s *Step, env expression.Env) {
	take := s.Call.Take
	switch {
	case take == nil && s.Batch > 0 && s.Call.Operation.OnceOnly():
		doc.report(s.Call.At, 1, "missing-take", "for example take: ${result.ids}",
			"a batch that creates needs take: which result belongs to which item, so that none is created twice")
		return
	case take == nil:
		return
	case s.Batch == 0:
		doc.reportNode(keyNode(s.node, "take"), "misplaced-key", "shape the result in a map step after it", "\"take\" needs for_each with batch here")
		return
	}
	inner := maps.Clone(env)
	inner["result"] = s.Type
	c.compile(doc, take, inner)
	if !fits(take.Type, connectors.Array(nil)) {
		doc.report(take.At, 1, "wrong-type", "", "take must give a list with a result for each item, not %s", take.Type)
	}
	s.Type = connectors.Any()
	if take.Type != nil && take.Type.Items != nil {
		s.Type = take.Type.Items
	}
}

// checkCall resolves a call, checks its parameters and returns its result's type.
func (c *checker) checkCall(doc *document, call *Call, env expression.Env) *connectors.Schema {
	c.compile(doc, call.With, env)
	name, operation, _ := strings.Cut(call.Name, ".")
	call.Connection = name
	switch name {
	case "flow":
		return c.checkFlowCall(doc, call, operation)
	case "run":
		return c.checkOperation(doc, call, operation, "the engine", engineOperations)
	case AppName:
		return c.checkOwnCall(doc, call, operation, env)
	}
	connection, ok := c.app.Connection(name)
	if !ok {
		hint := didYouMean(name, append(c.connectionNames(), reservedConnections...))
		doc.reportNode(call.node, "unknown-connection", hint, "there is no connection %q in app.yaml", name)
		return connectors.Any()
	}
	return c.checkOperation(doc, call, operation, connection.Spec.Title, connection.Spec.Operations)
}

func (c *checker) checkOperation(doc *document, call *Call, name, owner string, operations []connectors.Operation) *connectors.Schema {
	i := slices.IndexFunc(operations, func(o connectors.Operation) bool { return o.Name == name })
	if i < 0 {
		var known []string
		for _, o := range operations {
			known = append(known, o.Name)
		}
		doc.reportNode(call.node, "unknown-operation", didYouMean(name, known), "%s has no operation %q", owner, name)
		return connectors.Any()
	}
	call.Operation = operations[i]
	if call.Repeat != "" {
		if effect := call.Operation.Effect; effect == "" || effect == connectors.Read {
			doc.reportNode(call.node, "no-write", "", "%s writes nothing, so there is nothing to repeat", call.Name)
		}
		call.Operation.Repeat = call.Repeat
	}
	c.checkFields(doc, call.With, call.Operation.Params, call.At, "parameter of "+call.Name)
	constants := map[string]any{}
	for _, field := range call.With.Fields() {
		if v, ok := field.Value.Constant(); ok {
			constants[field.Name] = v
		}
	}
	return call.Operation.ResultType(constants)
}

func (c *checker) checkFlowCall(doc *document, call *Call, name string) *connectors.Schema {
	target, ok := c.app.Flow(name)
	if !ok {
		var known []string
		for _, f := range c.app.Flows {
			known = append(known, f.Name)
		}
		doc.reportNode(call.node, "unknown-flow", didYouMean(name, known), "there is no flow %q", name)
		return connectors.Any()
	}
	if c.state[target] == checking {
		doc.reportNode(call.node, "flow-cycle", "", "the flow %q ends up calling itself", name)
		return connectors.Any()
	}
	c.checkFlow(target)
	if call.Repeat != "" {
		doc.reportNode(call.node, "no-write", "say it at the writes of "+name, "a flow is not repeated, its steps are")
	}
	call.Flow = target
	call.Operation = connectors.Operation{Name: name}
	if target.Trigger.Input == nil {
		doc.reportNode(call.node, "not-callable", "give it a trigger with called: or manual:", "the flow %q takes no calls", name)
		return connectors.Any()
	}
	c.checkFields(doc, call.With, target.Trigger.Input, call.At, "input of "+call.Name)
	if target.Result == nil {
		return connectors.Any().OrNull()
	}
	return target.Result.Type
}

// checkFields checks a mapping against an object schema: unknown names, missing
// ones, and types where they are known.
func (c *checker) checkFields(doc *document, given *Value, want *connectors.Schema, at Position, what string) {
	if want == nil {
		return
	}
	var names []string
	for _, field := range given.Fields() {
		names = append(names, field.Name)
		property, ok := want.Property(field.Name)
		if !ok {
			if !want.Open {
				hint := didYouMean(field.Name, want.PropertyNames())
				if hint == "" {
					hint = "known: " + strings.Join(want.PropertyNames(), ", ")
				}
				doc.report(field.At, len(field.Name), "unknown-parameter", hint, "%q is no %s", field.Name, what)
			}
			continue
		}
		if !fits(field.Value.Type, property) {
			doc.report(field.Value.At, nodeLength(field.Value.node), "wrong-type", "", "%s takes %s, not %s", field.Name, property, field.Value.Type)
		}
	}
	for _, name := range want.Required {
		if !slices.Contains(names, name) {
			doc.report(at, 1, "missing-parameter", want.Properties[name].Description, "%q is missing: it is a required %s", name, what)
		}
	}
}

// fits tells whether a value of type got can stand where want is expected. What
// is not known fits; so does what may be null, which leaves a parameter out.
func fits(got, want *connectors.Schema) bool {
	if got == nil || want == nil || got.Type == "" || want.Type == "" {
		return true
	}
	switch {
	case want.IsDecimal():
		return got.IsDecimal() || got.Type == "integer" || got.Type == "string" && got.Format == ""
	case want.IsTime():
		return got.IsTime() || got.Type == "string"
	case want.Type == "string":
		return got.Type == "string" && !got.IsTime() || got.IsDecimal()
	case want.Type == "integer":
		return got.Type == "integer" || got.IsDecimal() && got.Type == "number"
	case want.Type == "array":
		return got.Type == "array" && fits(got.Items, want.Items)
	}
	return got.Type == want.Type
}
