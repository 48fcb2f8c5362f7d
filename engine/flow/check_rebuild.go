package flow

import (
	"slices"

	"github.com/flowctl/flowctl/connectors"
)

// checkRebuilds checks the flows that find a table's links again: called with a
// cursor, they give pairs, the next cursor, and whether there is more.
func (c *checker) checkRebuilds(doc *document) {
	for _, t := range c.app.Tables {
		if t.Rebuild == "" {
			continue
		}
		f, ok := c.app.Flow(t.Rebuild)
		if !ok {
			var known []string
			for _, f := range c.app.Flows {
				known = append(known, f.Name)
			}
			doc.reportNode(t.rebuildNode, "unknown-flow", didYouMean(t.Rebuild, known), "there is no flow %q", t.Rebuild)
			continue
		}
		c.checkRebuild(doc, t, f)
	}
}

func (c *checker) checkRebuild(doc *document, t *Table, f *Flow) {
	const hint = "trigger: {called: {input: {type: object, properties: {cursor: {type: string, nullable: true}}}}}"
	if cursor, ok := f.Trigger.Input.Property("cursor"); f.Trigger.Input == nil || !ok || !fits(connectors.String(), cursor) {
		doc.reportNode(t.rebuildNode, "no-rebuild", hint, "the flow %q takes no cursor: it cannot go on with the next page", t.Rebuild)
		return
	}
	var given []string
	if f.Result != nil && f.Result.Type != nil {
		if f.Result.Type.Type == "" || f.Result.Type.Open {
			return
		}
		given = f.Result.Type.PropertyNames()
	}
	for _, name := range []string{"pairs", "cursor", "more"} {
		if !slices.Contains(given, name) {
			doc.reportNode(t.rebuildNode, "no-rebuild", "result: {pairs: …, cursor: …, more: …}", "the result of the flow %q has no %q", t.Rebuild, name)
		}
	}
}
