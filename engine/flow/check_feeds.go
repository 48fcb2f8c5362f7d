package flow

import (
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// recordLists are the names under which operations give the records of a page.
var recordLists = []string{"records", "items"}

// checkFeeds checks feeds and schedules before the flows that listen to them.
func (c *checker) checkFeeds(doc *document) {
	for _, f := range c.app.Feeds {
		c.checkFeed(doc, f)
	}
	for _, s := range c.app.Schedules {
		env := expression.Env{"settings": c.app.settingsSchema()}
		c.compileCondition(doc, s.Enabled, env, connectors.Boolean())
		c.checkEvery(doc, s.Every, s.nodes.every, env)
	}
	// Once all feeds are known, for one may wake another.
	for _, f := range c.app.Feeds {
		for i := range f.Wake {
			c.checkWake(doc, f, &f.Wake[i])
		}
	}
}

func (c *checker) checkFeed(doc *document, f *Feed) {
	env := expression.Env{"settings": c.app.settingsSchema()}
	c.compileCondition(doc, f.Enabled, env, connectors.Boolean())
	c.checkEvery(doc, f.Every, f.nodes.every, env)
	before := len(*c.findings)
	result := c.checkCall(doc, f.Call, env)
	record := connectors.Any()
	if len(*c.findings) == before {
		record = c.checkFeedCall(doc, f, result)
	}
	inner := expression.Env{"settings": env["settings"], "record": record}
	c.compile(doc, f.Key, inner)
	c.compile(doc, f.Content, inner)
	if f.Batch > 0 {
		inner = expression.Env{"settings": env["settings"], "records": connectors.Array(record)}
		c.checkBatch(doc, f)
	}
	c.compile(doc, f.Payload, inner)
	if f.Key == nil && len(*c.findings) == before {
		if _, ok := record.Property("id"); !ok && record.Type == "object" && !record.Open {
			doc.reportNode(f.nodes.feed, "missing-key", "for example key: ${record.name}", "the records of %s have no id: key must say what they are known by", f.Call.Name)
		}
	}
	f.PayloadType = c.feedPayload(doc, f, record)
	c.checkDeleted(doc, f)
}

// checkBatch checks a feed whose events tell of many records.
func (c *checker) checkBatch(doc *document, f *Feed) {
	switch {
	case f.Payload == nil:
		doc.reportNode(f.nodes.feed, "missing-key", "for example payload: {ids: \"${map(records, .id)}\"}", "with batch, payload must say what the event tells of the records")
	case f.Complete || f.Content != nil || f.nodes.deleted != nil || f.Key != nil:
		doc.reportNode(f.nodes.feed, "misplaced-key", "", "with batch nothing is known of single records: key, content, deleted and walks through all records do not go with it")
	}
}

// checkFeedCall checks that the feed's call gives changes, and returns the type
// of a record.
func (c *checker) checkFeedCall(doc *document, f *Feed, result *connectors.Schema) *connectors.Schema {
	op := f.Call.Operation
	if f.Call.Flow != nil || op.Effect != connectors.Read {
		doc.reportNode(f.Call.node, "no-feed", "a feed reads, and its flows act on the events", "%s is not an operation that only reads", f.Call.Name)
		return connectors.Any()
	}
	for _, name := range recordLists {
		if list, ok := result.Property(name); ok && f.list == "" {
			f.list = name
			_, cursor := result.Property("cursor")
			_, more := result.Property("more")
			_, takes := op.Params.Property("cursor")
			if cursor && more && takes {
				_, since := op.Params.Property("since")
				f.Complete = !since
				for _, field := range f.Call.With.Fields() {
					if field.Name == "cursor" || field.Name == "since" {
						doc.report(field.At, len(field.Name), "misplaced-key", "", "%q is given by the engine: it remembers where the feed stands", field.Name)
					}
				}
				if list.Items == nil {
					return connectors.Any()
				}
				return list.Items
			}
		}
	}
	doc.reportNode(f.Call.node, "no-feed", "operations for feeds answer {records or items, cursor, more} and take a cursor, like *.changed and *.walk",
		"%s does not tell what changed since a cursor", f.Call.Name)
	return connectors.Any()
}

// feedPayload is the type of the feed's event, and reports what does not fit it.
func (c *checker) feedPayload(doc *document, f *Feed, record *connectors.Schema) *connectors.Schema {
	if f.nodes.event == nil {
		if f.Payload != nil {
			return f.Payload.Type
		}
		id, ok := record.Property("id")
		if !ok {
			id = connectors.Any()
		}
		return connectors.Object(map[string]*connectors.Schema{"id": id}, "id")
	}
	event, ok := c.connectionEvent(doc, f.nodes.event)
	if !ok || event.Payload == nil {
		return &connectors.Schema{Type: "object", Open: true}
	}
	if f.Payload != nil {
		// What is left out is null: a feed need not know all that a delivery says.
		known := *event.Payload
		known.Required = nil
		c.checkFields(doc, f.Payload, &known, f.Payload.At, "field of the event "+f.Event)
	}
	return event.Payload
}

// connectionEvent finds the event of a connection that a feed makes.
func (c *checker) connectionEvent(doc *document, n *yaml.Node) (connectors.Event, bool) {
	return c.sourceEvent(doc, n, func(source string) (connectors.Spec, bool) {
		connection, ok := c.app.Connection(source)
		if !ok {
			return connectors.Spec{}, false
		}
		return connection.Spec, true
	}, nil)
}

// sourceEvent finds an event by its name, among the sources that find knows:
// connections, and those named in more.
func (c *checker) sourceEvent(doc *document, n *yaml.Node, find func(string) (connectors.Spec, bool), more []string) (connectors.Event, bool) {
	source, name, _ := strings.Cut(n.Value, ".")
	spec, ok := find(source)
	if !ok {
		doc.reportNode(n, "unknown-connection", didYouMean(source, slices.Concat(c.connectionNames(), more)), "there is no connection %q in app.yaml", source)
		return connectors.Event{}, false
	}
	event, ok := spec.Event(name)
	if !ok {
		var known []string
		for _, e := range spec.Events {
			known = append(known, e.Name)
		}
		doc.reportNode(n, "unknown-event", didYouMean(name, known), "%s announces no %q", spec.Title, name)
	}
	return event, ok
}

func (c *checker) checkDeleted(doc *document, f *Feed) {
	if f.nodes.deleted == nil {
		return
	}
	if f.list != "" && !f.Complete {
		doc.reportNode(f.nodes.deleted, "misplaced-key", "use a walk through all records, like *.walk, in a feed of its own",
			"%s tells what changed, not what is there: nobody is missing from its answer", f.Call.Name)
	}
	event, ok := c.connectionEvent(doc, f.nodes.deleted)
	if !ok || event.Payload == nil {
		return
	}
	if _, hasID := event.Payload.Property("id"); !hasID {
		doc.reportNode(f.nodes.deleted, "unknown-field", "", "the event %s has no field id to tell which record is gone", f.Deleted)
	}
}

func (c *checker) checkWake(doc *document, f *Feed, w *Wake) {
	env := expression.Env{"settings": c.app.settingsSchema()}
	if w.node.event != nil {
		if w.Event == f.Event || w.Event == f.Deleted {
			doc.reportNode(w.node.event, "feed-cycle", "", "the feed %q would wake itself by its own event", f.Name)
		}
		event, ok := c.sourceEvent(doc, w.node.event, c.announcer, []string{AppName})
		env["event"] = &connectors.Schema{Type: "object", Open: true}
		if ok && event.Payload != nil {
			env["event"] = event.Payload
		}
	}
	c.compileCondition(doc, w.When, env, connectors.Boolean())
}

// checkEvery checks how often something is done: a duration, or an expression
// that gives one.
func (c *checker) checkEvery(doc *document, every *Value, n *yaml.Node, env expression.Env) {
	if every == nil {
		return
	}
	c.compile(doc, every, env)
	constant, ok := every.Constant()
	if !ok {
		if !fits(every.Type, connectors.String()) {
			doc.reportNode(n, "wrong-type", "", "every takes a duration like 5m as text, not %s", every.Type)
		}
		return
	}
	written, _ := constant.(string)
	d, err := time.ParseDuration(strings.TrimSpace(written))
	if err != nil || d < shortestEvery {
		doc.reportNode(n, "wrong-value", "a duration of at least 1s, like 30s, 5m, 1h", "every cannot be %q", text(n))
	}
}

func (c *checker) feedNames() []string {
	names := make([]string, len(c.app.Feeds))
	for i, f := range c.app.Feeds {
		names[i] = f.Name
	}
	return names
}

// feedSpec describes the events feed.*: those of feeds that make no event of a
// connection.
func (a *App) feedSpec() connectors.Spec {
	spec := connectors.Spec{Name: FeedName, Title: AppFile}
	for _, f := range a.Feeds {
		if f.Event == FeedName+"."+f.Name {
			spec.Events = append(spec.Events, connectors.Event{Name: f.Name, Summary: f.Title, Payload: f.PayloadType})
		}
	}
	return spec
}

// scheduleSpec describes the events schedule.*.
func (a *App) scheduleSpec() connectors.Spec {
	spec := connectors.Spec{Name: ScheduleName, Title: AppFile}
	for _, s := range a.Schedules {
		spec.Events = append(spec.Events, connectors.Event{Name: s.Name, Summary: s.Title, Payload: schedulePayload()})
	}
	return spec
}

func schedulePayload() *connectors.Schema {
	return connectors.Object(map[string]*connectors.Schema{"at": connectors.DateTime().Described("the time that the schedule names")}, "at")
}

// eventSources are the first parts that events may have.
func (c *checker) eventSources() []string {
	return slices.Concat(c.connectionNames(), []string{AppName, FeedName, ScheduleName})
}
