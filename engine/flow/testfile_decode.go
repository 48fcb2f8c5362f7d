package flow

import (
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
)

// LoadTest reads and checks a test file of an app. file is what messages call it.
// A test with errors must not be run.
func LoadTest(app *App, file, source string) (*Test, Diagnostics) {
	var findings Diagnostics
	d := parseDocument(file, source, &findings)
	t := &Test{File: file, Source: source, At: Position{File: file, Line: 1, Column: 1}}
	if d.root == nil {
		return t, findings.Sorted()
	}
	d.checkStructure("test.schema.json")
	t.At = d.at(d.root)
	t.Name = text(get(d.root, "test"))
	t.Given = decodeGiven(d, d.root)
	for _, n := range elements(get(d.root, "cases")) {
		t.Cases = append(t.Cases, decodeCase(d, n))
	}
	(&testChecker{checker: newChecker(app, nil, &findings), doc: d, test: t}).check()
	return t, findings.Sorted()
}

// elements are the items of a list; none for other nodes.
func elements(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

func decodeGiven(d *document, n *yaml.Node) Given {
	g := Given{Now: d.value(get(n, "now")), Settings: d.value(get(n, "settings")), Event: d.value(get(n, "event")), Input: d.value(get(n, "input"))}
	for _, l := range elements(get(n, "links")) {
		g.Links = append(g.Links, &GivenLink{
			At: d.at(l), Local: d.value(get(l, "local")), Remote: d.value(get(l, "remote")), Values: d.value(get(l, "values")),
			node: get(l, "table"),
		})
	}
	for _, m := range elements(get(n, "calls")) {
		g.Calls = append(g.Calls, decodeMock(d, m))
	}
	return g
}

func decodeMock(d *document, n *yaml.Node) *Mock {
	m := &Mock{
		At: d.at(n), Call: text(get(n, "call")), With: d.value(get(n, "with")), Result: d.value(get(n, "result")),
		Fill: text(get(n, "fill")) != "false", node: get(n, "call"),
	}
	m.Times, _ = strconv.Atoi(text(get(n, "times"))) // its form was checked
	failing := get(n, "error")
	if failing == nil {
		return m
	}
	if m.Result != nil {
		d.reportNode(keyNode(n, "error"), "two-actions", "", "a call has a result or an error, not both")
	}
	m.Error = &MockError{
		Class: connectors.Class(text(get(failing, "class"))), Code: text(get(failing, "code")), Message: text(get(failing, "message")),
		Advice: text(get(failing, "advice")), RetryAfter: text(get(failing, "retry_after")),
	}
	return m
}

func decodeCase(d *document, n *yaml.Node) *Case {
	c := &Case{At: d.at(n), Name: text(get(n, "name")), Given: decodeGiven(d, n), Attempts: 1}
	if attempts, err := strconv.Atoi(text(get(n, "attempts"))); err == nil {
		c.Attempts = max(1, attempts)
	}
	expect := get(n, "expect")
	if expect == nil {
		return c
	}
	e := &Expect{
		At: d.at(keyNode(n, "expect")), Outcome: d.value(get(expect, "outcome")), Code: d.value(get(expect, "code")),
		Reason: d.value(get(expect, "reason")), Advice: d.value(get(expect, "advice")), Key: d.value(get(expect, "key")),
		Reads: text(get(expect, "reads")) == "true", Steps: d.value(get(expect, "steps")), Result: d.value(get(expect, "result")),
	}
	if key := keyNode(expect, "calls"); key != nil {
		at := d.at(key)
		e.CallsAt = &at
	}
	for _, call := range elements(get(expect, "calls")) {
		e.Calls = append(e.Calls, &ExpectedCall{At: d.at(call), Call: text(get(call, "call")), With: d.value(get(call, "with")), node: get(call, "call")})
	}
	for _, l := range elements(get(expect, "links")) {
		e.Links = append(e.Links, &ExpectedLink{At: d.at(l), Local: d.value(get(l, "local")), Remote: d.value(get(l, "remote")), node: get(l, "table")})
	}
	for _, condition := range elements(get(expect, "holds")) {
		if decoded := decodeCondition(d, condition); decoded != nil {
			e.Holds = append(e.Holds, decoded)
		}
	}
	c.Expect = e
	return c
}
