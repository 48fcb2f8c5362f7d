package flow

import (
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// checkOwnCall checks a call app.*: as that of a connector, and what its
// constant parameters name in app.yaml.
func (c *checker) checkOwnCall(doc *document, call *Call, operation string, env expression.Env) *connectors.Schema {
	spec := c.app.OwnSpec()
	result := c.checkOperation(doc, call, operation, spec.Title, spec.Operations)
	given := map[string]*Value{}
	for _, field := range call.With.Fields() {
		given[field.Name] = field.Value
	}
	switch operation {
	case "check", "webhook", "file":
		c.checkNamed(doc, given["connection"], "unknown-connection", "connection", c.connectionNames())
	case "links", "unlink":
		c.checkNamed(doc, given["table"], "unknown-table", "link table", c.tableNames())
		c.checkSides(doc, call, operation, given)
	case "save_settings":
		c.checkSavedSettings(doc, given["values"])
		c.checkGenerated(doc, given["generate"])
	case "save_choices":
		c.checkChoicesOf(doc, given["setting"])
	case "poll":
		c.checkNamed(doc, given["feed"], "unknown-feed", "feed", c.feedNames())
	case "emit":
		c.checkEmitted(doc, call, given["event"], given["payload"])
	}
	return result
}

// checkNamed reports a constant that names nothing in app.yaml. A name that is
// computed is looked up when the run comes there.
func (c *checker) checkNamed(doc *document, v *Value, code, what string, known []string) bool {
	constant, ok := v.Constant()
	name, isText := constant.(string)
	if !ok || !isText || v == nil {
		return false
	}
	if !slices.Contains(known, name) {
		doc.reportNode(v.node, code, didYouMean(name, known), "there is no %s %q in app.yaml", what, name)
		return false
	}
	return true
}

func (c *checker) tableNames() []string {
	names := make([]string, len(c.app.Tables))
	for i, t := range c.app.Tables {
		names[i] = t.Name
	}
	return names
}

// checkSides checks the sides of a link that are asked for.
func (c *checker) checkSides(doc *document, call *Call, operation string, given map[string]*Value) {
	if operation == "unlink" && given["local"] == nil && given["remote"] == nil {
		doc.report(call.At, 1, "missing-parameter", "local or remote, or both", "app.unlink needs a side of the link to forget")
	}
	constant, _ := given["table"].Constant()
	name, _ := constant.(string)
	table, ok := c.app.Table(name)
	if !ok {
		return
	}
	for side, key := range map[string]*connectors.Schema{"local": table.Local.Schema(), "remote": table.Remote.Schema()} {
		v := given[side]
		if v == nil {
			continue
		}
		want := key
		if operation == "links" {
			want = connectors.Array(key)
		}
		if !fits(v.Type, want) {
			doc.report(v.At, nodeLength(v.node), "wrong-type", "", "%s of %s takes %s, not %s", side, name, want, v.Type)
		}
	}
}

func (c *checker) checkSavedSettings(doc *document, values *Value) {
	known := c.settingNames()
	for _, field := range values.Fields() {
		declared, ok := c.app.Setting(field.Name)
		switch {
		case !ok:
			doc.report(field.At, len(field.Name), "unknown-setting", didYouMean(field.Name, known), "there is no setting %q in app.yaml", field.Name)
		case declared.Type == "secret":
			doc.report(field.At, len(field.Name), "secret-in-journal", "generate: ["+field.Name+"] makes one where there is none", "the setting %s is a secret, and what a flow saves is seen in its journal", field.Name)
		case !fits(field.Value.Type, declared.Schema()):
			doc.report(field.Value.At, nodeLength(field.Value.node), "wrong-type", "", "the setting %s takes %s, not %s", field.Name, declared.Schema(), field.Value.Type)
		}
	}
}

// checkGenerated checks the secrets that a call makes.
func (c *checker) checkGenerated(doc *document, names *Value) {
	for _, item := range names.Items() {
		constant, _ := item.Constant()
		name, ok := constant.(string)
		if !ok {
			continue
		}
		if declared, known := c.app.Setting(name); !known || declared.Type != "secret" {
			doc.reportNode(item.node, "unknown-setting", didYouMean(name, c.settingNames()), "there is no secret setting %q in app.yaml", name)
		}
	}
}

func (c *checker) settingNames() []string {
	var names []string
	for _, s := range c.app.Settings() {
		names = append(names, s.Name)
	}
	return names
}

// checkChoicesOf checks the setting, or the column of a table, that choices are
// kept for.
func (c *checker) checkChoicesOf(doc *document, v *Value) {
	constant, ok := v.Constant()
	name, isText := constant.(string)
	if !ok || !isText {
		return
	}
	if _, ok := c.app.ChoicesOf(name); ok {
		return
	}
	var known []string
	for _, s := range c.app.Settings() {
		known = append(known, s.ChoiceNames()...)
	}
	setting, _, _ := strings.Cut(name, ".")
	if declared, ok := c.app.Setting(setting); ok {
		doc.reportNode(v.node, "no-choices", "choices are kept for settings and columns with record:", "the setting %s (%s) names no records", name, declared.Type)
		return
	}
	doc.reportNode(v.node, "unknown-setting", didYouMean(name, known), "there is no setting %q in app.yaml", name)
}

// checkEmitted checks an event that a flow makes against its declaration.
func (c *checker) checkEmitted(doc *document, call *Call, event, payload *Value) {
	constant, ok := event.Constant()
	name, isText := constant.(string)
	if !ok || !isText {
		return
	}
	var known []string
	for _, e := range c.app.Events {
		known = append(known, e.Name)
	}
	i := slices.Index(known, name)
	switch {
	case name == EventSettingsSaved || name == EventRunProblem:
		doc.reportNode(event.node, "reserved-event", "declare one of another name under events:", "the event app.%s is made by the engine alone", name)
		return
	case i < 0:
		hint := didYouMean(strings.TrimPrefix(name, AppName+"."), known)
		if hint == "" {
			hint = "events are declared under events: in app.yaml"
		}
		doc.reportNode(event.node, "unknown-event", hint, "there is no event %q in app.yaml", name)
		return
	}
	at := call.At
	if payload != nil {
		at = payload.At
	}
	c.checkFields(doc, payload, c.app.Events[i].Payload, at, "field of the event app."+name)
}
