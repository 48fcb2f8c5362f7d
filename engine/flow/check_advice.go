package flow

import (
	"context"
	"regexp"
	"slices"

	"github.com/flowctl/flowctl/connectors"
)

// advise warns of what is no mistake of form, and mostly one of thought. It is
// about flows without errors only.
func (c *checker) advise(doc *document, f *Flow) {
	c.warnOfUnreachable(doc, f)
	c.warnOfUnused(doc, f)
	for _, s := range f.Steps {
		for _, v := range s.values() {
			v.eachValue(func(v *Value) { warnOfForeign(doc, v) })
		}
		c.warnOfConstant(doc, s.When)
		c.warnOfUnlinked(doc, f, s)
	}
	c.warnOfConstant(doc, f.Trigger.Enabled)
}

// warnOfUnreachable warns of steps behind one that always ends the run.
func (c *checker) warnOfUnreachable(doc *document, f *Flow) {
	for i, s := range f.Steps {
		if s.Call == nil || s.Call.Connection != "run" || s.When != nil || s.ForEach != nil || i+1 == len(f.Steps) {
			continue
		}
		next := f.Steps[i+1]
		doc.warn(next.At, 1, "unreachable", "give "+s.Name+" a when:", "nothing from here on is ever done: the step %s always ends the run", s.Name)
		return
	}
}

// warnOfUnused warns of values that nothing reads. Reads may be there for the
// error that they give, and the last step for those who look at the run.
func (c *checker) warnOfUnused(doc *document, f *Flow) {
	for i, s := range f.Steps {
		if s.Map == nil || i+1 == len(f.Steps) || slices.Contains(f.Result.Names(), s.Name) {
			continue
		}
		if !slices.ContainsFunc(f.Steps[i+1:], func(later *Step) bool { return slices.Contains(later.names(), s.Name) }) {
			doc.warnNode(get(s.node, "name"), "unused-step", "", "nothing reads what the step %s makes", s.Name)
		}
	}
}

// names lists what a step's expressions read.
func (s *Step) names() []string {
	var names []string
	for _, condition := range []*Condition{s.When, s.ForEach} {
		if condition != nil && condition.Program != nil {
			names = append(names, condition.Program.Names()...)
		}
	}
	for _, v := range s.values() {
		names = append(names, v.Names()...)
	}
	return names
}

// values lists the values of a step that hold expressions.
func (s *Step) values() []*Value {
	values := []*Value{s.Map}
	for _, call := range s.calls() {
		values = append(values, call.With, call.Take)
	}
	if l := s.Link; l != nil {
		values = append(values, l.Remote, l.Local, l.Values)
		for _, also := range l.Also {
			values = append(values, also.Value)
		}
	}
	return values
}

// warnOfConstant warns of a condition that is always the same.
func (c *checker) warnOfConstant(doc *document, condition *Condition) {
	if condition == nil || condition.Program == nil || len(condition.Program.Names()) > 0 {
		return
	}
	out, err := condition.Program.Eval(context.Background(), nil)
	if err != nil {
		return // it is told when it runs
	}
	word := "false: this is never done"
	if out == true {
		word = "true: leave it out"
	}
	doc.warn(condition.At, nodeLength(condition.node), "constant-condition", "", "this is always %s", word)
}

// foreignTemplate is how other tools write what is computed.
var foreignTemplate = regexp.MustCompile(`\{\{ *[\w.]+( *\|[^}]*)? *\}\}|^\$[a-z_]\w*(\.\w+)+$|^=[a-z_]\w*\.\w+`)

// warnOfForeign warns of a text that looks like an expression of another tool.
func warnOfForeign(doc *document, v *Value) {
	if text, ok := v.constant.(string); ok && !v.computed() && foreignTemplate.MatchString(text) {
		doc.warnNode(v.node, "foreign-template", "an expression stands in ${…}", "this is text, and nothing in it is computed")
	}
}

// warnOfUnlinked warns of a create that every event does and nothing remembers: a
// second event about the same record makes it once more. Where there is a when or
// a for_each the flow may have looked what is missing.
func (c *checker) warnOfUnlinked(doc *document, f *Flow, s *Step) {
	if len(f.Trigger.Events) == 0 || s.When != nil || s.ForEach != nil || s.Call == nil || s.Call.Flow != nil || s.Call.Operation.Effect != connectors.Create || s.Call.Operation.Repeat != connectors.NaturalKey {
		return
	}
	doc.warn(s.Call.At, len(s.Call.Name), "unlinked-create",
		"make it the create of a link step, which remembers the record; or say repeat: idempotent where the flow sees to it",
		"each event creates a record: nothing remembers that it is there")
}
