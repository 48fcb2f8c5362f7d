package flow

import (
	"maps"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// checkLink resolves a link step and returns what it makes: {local, remote,
// created, updated}. item is the type of its items, nil without for_each.
func (c *checker) checkLink(doc *document, s *Step, env expression.Env, item *connectors.Schema) *connectors.Schema {
	l := s.Link
	l.Table = c.linkTable(doc, l.node)
	// In a batch the keys and values are those of one item; the calls are about
	// all of them.
	one := env
	if s.Batch > 0 {
		one = maps.Clone(env)
		one[s.As] = item
	}
	c.compile(doc, l.Remote, one)
	c.compile(doc, l.Local, one)
	c.compile(doc, l.Values, one)
	for i := range l.Also {
		also := &l.Also[i]
		also.Table = c.linkTable(doc, also.node)
		c.compile(doc, also.Value, one)
	}
	c.checkLinkSides(doc, s)
	defer c.warnOfDoubles(doc, l)
	local, remote := connectors.Any(), connectors.Any()
	if l.Table != nil {
		local, remote = l.Table.Local.Schema(), l.Table.Remote.Schema()
	}
	if s.Batch > 0 {
		c.checkBatchedLink(doc, s, env, item, local, remote)
	} else {
		c.checkLinkActions(doc, l, env, local, remote)
	}
	return connectors.Object(map[string]*connectors.Schema{
		"local": local, "remote": remote,
		"created": connectors.Boolean(), "updated": connectors.Boolean(),
	})
}

// checkLinkSides checks which sides of a link are given, and what is left to do then.
func (c *checker) checkLinkSides(doc *document, s *Step) {
	l := s.Link
	switch both := l.Remote != nil && l.Local != nil; {
	case l.Remote == nil && l.Local == nil:
		doc.report(l.At, 1, "missing-key", "", "a link needs remote or local, or both to be remembered as they are")
	case both && (l.Match != nil || l.Create != nil):
		doc.report(l.At, 1, "two-sides", "leave out the side that match and create find", "with remote and local both given there is nothing to match or create")
	case both:
		for _, key := range []string{"update", "also", "recheck", "parallel"} {
			if at := keyNode(s.node, key); at != nil {
				doc.reportNode(at, "two-sides", "leave out one side, or make a step of its own", "with remote and local both given the pair is only remembered; %q does nothing", key)
			}
		}
	}
}

// warnOfDoubles warns of a create that nothing keeps from being done twice after
// a crash.
func (c *checker) warnOfDoubles(doc *document, l *Link) {
	if l.Create == nil || l.Match != nil || l.Create.Flow != nil {
		return
	}
	if op := l.Create.Operation; op.Effect == connectors.Create && !op.Repeatable() {
		doc.warn(l.Create.At, 1, "no-match", "match: a call that finds what create makes",
			"without match, %s may make a second record when its answer is lost and another run comes for it", l.Create.Name)
	}
}

func (c *checker) checkLinkActions(doc *document, l *Link, env expression.Env, local, remote *connectors.Schema) {
	inner := maps.Clone(env)
	inner["values"] = valuesType(l)
	c.checkAction(doc, l.Match, inner, "ids", connectors.Array(nil), "the list of ids found")
	c.checkAction(doc, l.Create, inner, "id", connectors.Any(), "the new record's id")
	if l.Update == nil {
		return
	}
	inner["local"], inner["remote"] = local, remote
	inner["changes"] = &connectors.Schema{Type: "object", Open: true}
	c.checkCall(doc, l.Update, inner)
	c.needsValues(doc, l)
	if at := l.Update.Take; at != nil {
		doc.report(at.At, 1, "misplaced-key", "", "\"take\" needs for_each with batch here")
	}
}

// checkBatchedLink checks the calls of a link step with batch: each is about a
// list, and its take gives a list with something for each of it.
func (c *checker) checkBatchedLink(doc *document, s *Step, env expression.Env, item, local, remote *connectors.Schema) {
	l := s.Link
	inner := maps.Clone(env)
	inner["items"] = connectors.Array(item)
	inner["values"] = connectors.Array(valuesType(l))
	c.checkBatchAction(doc, l.Match, inner, "an id, a list of ids, or nothing", true)
	c.checkBatchAction(doc, l.Create, inner, "the new record's id, or a record with its error", true)
	if l.Update == nil {
		return
	}
	c.needsValues(doc, l)
	inner = maps.Clone(env)
	inner["changed"] = connectors.Array(connectors.Object(map[string]*connectors.Schema{
		"local": local, "remote": remote, "item": item, "values": valuesType(l),
		"changes": {Type: "object", Open: true},
	}))
	c.checkBatchAction(doc, l.Update, inner, "nothing, or a record with its error", false)
}

// checkBatchAction checks a call of a batched link step and what it takes.
func (c *checker) checkBatchAction(doc *document, call *Call, env expression.Env, what string, needed bool) {
	if call == nil {
		return
	}
	result := c.checkCall(doc, call, env)
	if call.Take == nil {
		if needed && call.Connection != "run" {
			doc.report(call.At, 1, "missing-take", "for example take: ${map(result.items, .id)}",
				"in a batch %s needs take: a list with, for each of the items, %s", call.Name, what)
		}
		return
	}
	inner := maps.Clone(env)
	inner["result"] = result
	c.compile(doc, call.Take, inner)
	if !fits(call.Take.Type, connectors.Array(nil)) {
		doc.report(call.Take.At, 1, "wrong-type", "", "take must give a list with, for each of the items, %s, not %s", what, call.Take.Type)
	}
}

func (c *checker) needsValues(doc *document, l *Link) {
	if l.Values == nil {
		doc.report(l.Update.At, 1, "missing-key", "values: what the record should be", "without values there are no changes to update")
	}
}

func valuesType(l *Link) *connectors.Schema {
	if l.Values == nil || l.Values.Type == nil {
		return connectors.Any()
	}
	return l.Values.Type
}

// checkAction checks a link's match or create, and what it takes from its result.
func (c *checker) checkAction(doc *document, call *Call, env expression.Env, property string, want *connectors.Schema, what string) {
	if call == nil {
		return
	}
	result := c.checkCall(doc, call, env)
	if call.Take != nil {
		inner := maps.Clone(env)
		inner["result"] = result
		c.compile(doc, call.Take, inner)
		if !fits(call.Take.Type, want) {
			doc.report(call.Take.At, 1, "wrong-type", "", "take must give %s, not %s", what, call.Take.Type)
		}
		return
	}
	if result == nil || result.Type == "" || result.Open {
		return
	}
	if _, ok := result.Property(property); !ok {
		doc.reportNode(call.node, "nothing-to-take", "say with take: what "+what+" is, for example take: ${map(result.items, .id)}",
			"the result of %s has no %q", call.Name, property)
	}
}

// linkTable finds the table that a node names.
func (c *checker) linkTable(doc *document, n *yaml.Node) *Table {
	table, ok := c.app.Table(text(n))
	if !ok && n.Kind == yaml.ScalarNode {
		doc.reportNode(n, "unknown-table", didYouMean(text(n), c.tableNames()), "there is no link table %q in app.yaml", text(n))
	}
	return table
}
