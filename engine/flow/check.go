package flow

import (
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// checker resolves names, compiles expressions and checks types over a whole app.
type checker struct {
	app      *App
	docs     map[*Flow]*document
	findings *Diagnostics
	state    map[*Flow]checkState
}

type checkState int

const (
	unchecked checkState = iota
	checking
	checked
)

func newChecker(app *App, docs map[*Flow]*document, findings *Diagnostics) *checker {
	return &checker{app: app, docs: docs, findings: findings, state: map[*Flow]checkState{}}
}

// runSchema is the type of ${run}.
func runSchema() *connectors.Schema {
	return connectors.Object(map[string]*connectors.Schema{
		"id":       connectors.Integer(),
		"attempt":  connectors.Integer(),
		"at":       connectors.DateTime().Described("when this attempt of the run began"),
		"flow":     connectors.String(),
		"instance": connectors.String(),
	})
}

// settingsSchema is the type of ${settings}.
func (a *App) settingsSchema() *connectors.Schema {
	properties := map[string]*connectors.Schema{}
	for _, s := range a.Settings() {
		properties[s.Name] = s.Schema()
	}
	return connectors.Object(properties)
}

func (c *checker) checkApp(doc *document) {
	settings := c.app.settingsSchema()
	for _, connection := range c.app.Connections {
		env := expression.Env{
			"settings": settings,
			"env":      {Type: "object", Open: true, Description: "the process's environment"},
		}
		c.compile(doc, connection.Settings, env)
		c.compileCondition(doc, connection.Enabled, expression.Env{"settings": settings}, connectors.Boolean())
		c.checkFields(doc, connection.Settings, connection.Spec.Settings, connection.At, "setting of "+connection.Name)
		c.warnOfPlainSettings(doc, connection)
	}
	c.checkPanel(doc)
	c.checkFeeds(doc)
	for _, f := range c.app.Flows {
		c.checkFlow(f)
	}
	c.checkRebuilds(doc)
}

// checkFlow checks a flow after those it calls, whose results have to be known.
func (c *checker) checkFlow(f *Flow) {
	if c.state[f] != unchecked {
		return
	}
	c.state[f] = checking
	defer func() { c.state[f] = checked }()
	doc := c.docs[f]
	env := c.startEnv(doc, f)

	triggerEnv := expression.Env{"settings": env["settings"], "run": env["run"]}
	for _, name := range []string{"event", "input"} {
		if schema, ok := env[name]; ok {
			triggerEnv[name] = schema
		}
	}
	c.compileCondition(doc, f.Trigger.Enabled, triggerEnv, connectors.Boolean())
	c.compile(doc, f.Trigger.Key, triggerEnv)
	if f.Trigger.Key == nil && len(f.Trigger.Events) > 0 {
		doc.warn(f.Trigger.At, 1, "no-key", "for example key: order:${event.id}",
			"without a key two events about one record are worked at once")
	}

	later := map[string]bool{}
	for _, step := range f.Steps {
		later[step.Name] = true
	}
	for _, step := range f.Steps {
		c.checkName(doc, step.node, "name", step.Name, env)
		before := len(*c.findings)
		c.checkStep(doc, step, maps.Clone(env))
		c.hintAtLater(before, later)
		delete(later, step.Name)
		if step.Name != "" {
			env[step.Name] = step.Type
		}
	}
	c.compile(doc, f.Result, env)
	c.warnOfPlainFlow(doc, f)
	c.warnOfExposed(doc, f)
	if !c.findings.FailedIn(doc.src.file) {
		c.advise(doc, f)
	}
}

func (c *checker) startEnv(doc *document, f *Flow) expression.Env {
	env := expression.Env{"settings": c.app.settingsSchema(), "run": runSchema()}
	if f.Trigger.Input != nil {
		env["input"] = f.Trigger.Input
	}
	if len(f.Trigger.Events) > 0 {
		f.Trigger.Event = c.eventSchema(doc, f)
		env["event"] = f.Trigger.Event
	}
	return env
}

// eventSchema is the type of ${event}: the fields of all events that start the
// flow together.
func (c *checker) eventSchema(doc *document, f *Flow) *connectors.Schema {
	union := &connectors.Schema{Type: "object", Properties: map[string]*connectors.Schema{}}
	for i, name := range f.Trigger.Events {
		at := eventNode(get(get(doc.root, "trigger"), "event"), i)
		source, event, _ := strings.Cut(name, ".")
		announcer, ok := c.announcer(source)
		if !ok {
			doc.reportNode(at, "unknown-connection", didYouMean(source, c.eventSources()), "there is no connection %q in app.yaml", source)
			union.Open = true
			continue
		}
		spec, ok := announcer.Event(event)
		if !ok {
			var known []string
			for _, e := range announcer.Events {
				known = append(known, e.Name)
			}
			doc.reportNode(at, "unknown-event", didYouMean(event, known), "%s announces no %q", announcer.Title, event)
			union.Open = true
			continue
		}
		if spec.Payload == nil {
			union.Open = true
			continue
		}
		union.Open = union.Open || spec.Payload.Open
		maps.Copy(union.Properties, spec.Payload.Properties)
	}
	return union
}

// announcer is what announces the events of a source: a connection, or flowctl
// itself.
func (c *checker) announcer(source string) (connectors.Spec, bool) {
	switch source {
	case AppName:
		return c.app.OwnSpec(), true
	case FeedName:
		return c.app.feedSpec(), true
	case ScheduleName:
		return c.app.scheduleSpec(), true
	}
	connection, ok := c.app.Connection(source)
	if !ok {
		return connectors.Spec{}, false
	}
	return connection.Spec, true
}

func eventNode(n *yaml.Node, i int) *yaml.Node {
	if n.Kind == yaml.SequenceNode {
		return n.Content[i]
	}
	return n
}

func (c *checker) connectionNames() []string {
	var names []string
	for _, connection := range c.app.Connections {
		names = append(names, connection.Name)
	}
	return names
}

// checkName reports a name that is taken or reserved.
func (c *checker) checkName(doc *document, step *yaml.Node, key, name string, env expression.Env) {
	at := get(step, key)
	if at == nil {
		return
	}
	if expression.IsReserved(name) {
		doc.reportNode(at, "reserved-name", "", "%q is a function or word of the expression language", name)
		return
	}
	if _, taken := env[name]; taken {
		doc.reportNode(at, "duplicate-name", "", "%q names something else here already", name)
	}
}

// hintAtLater adds to unknown names that a later step makes why they are unknown.
func (c *checker) hintAtLater(before int, later map[string]bool) {
	for i := before; i < len(*c.findings); i++ {
		d := &(*c.findings)[i]
		if d.Code != expression.CodeUnknownName {
			continue
		}
		for name := range later {
			if strings.Contains(d.Message, `"`+name+`"`) {
				d.Hint = "the step " + name + " comes later, or is this one"
			}
		}
	}
}

// compile compiles the templates within a value and derives its type.
func (c *checker) compile(doc *document, v *Value, env expression.Env) {
	if v == nil {
		return
	}
	switch v.kind {
	case yaml.MappingNode:
		v.Type = connectors.Object(map[string]*connectors.Schema{})
		for _, field := range v.fields {
			c.compile(doc, field.Value, env)
			v.Type.Properties[field.Name] = field.Value.Type
		}
	case yaml.SequenceNode:
		var items *connectors.Schema
		for i, item := range v.items {
			c.compile(doc, item, env)
			if i == 0 {
				items = item.Type
			} else if items.String() != item.Type.String() {
				items = connectors.Any()
			}
		}
		v.Type = connectors.Array(items)
	default:
		s, isText := v.constant.(string)
		if !isText {
			v.Type = typeOfConstant(v.constant)
			return
		}
		template, problems := expression.CompileTemplate(s, env)
		hintAtEnvironment(problems)
		doc.expressionProblems(v.node, problems)
		v.template = template
		v.Type = connectors.Any()
		if template != nil {
			v.Type = template.Type()
		}
	}
}

func typeOfConstant(v any) *connectors.Schema {
	switch v.(type) {
	case nil:
		return connectors.Any().OrNull()
	case bool:
		return connectors.Boolean()
	case int64:
		return connectors.Integer()
	}
	return connectors.Decimal()
}

func (c *checker) compileCondition(doc *document, condition *Condition, env expression.Env, want *connectors.Schema) {
	if condition == nil {
		return
	}
	program, problems := expression.Compile(condition.Source, env, want)
	hintAtEnvironment(problems)
	doc.expressionProblems(condition.node, problems)
	condition.Program = program
}

func sortedCopy(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return out
}
