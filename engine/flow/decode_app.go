package flow

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
)

// flowList is the nodes of app.yaml's flows.
func (d *document) flowList() []*yaml.Node {
	if n := get(d.root, "flows"); n != nil && n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return nil
}

// decodeApp reads app.yaml and returns the names of its flows. Structure was
// checked before; what does not fit is left out here.
func (l *loader) decodeApp(d *document) []string {
	l.app.Name = text(get(d.root, "app"))
	l.app.Title = text(get(d.root, "title"))
	l.app.Summary = text(get(d.root, "summary"))
	for key, n := range entries(get(d.root, "connections")) {
		l.decodeConnection(d, key, n)
	}
	for key, n := range entries(get(d.root, "links")) {
		direction := text(get(n, "direction"))
		if direction == "" {
			direction = "both"
		}
		l.app.Tables = append(l.app.Tables, &Table{
			At: d.at(key), Name: key.Value, Title: text(get(n, "title")),
			Local: decodeSide(get(n, "local")), Remote: decodeSide(get(n, "remote")),
			Direction: direction, KeyMayChange: text(get(n, "key_may_change")) == "true",
			Rebuild: text(get(n, "rebuild")), rebuildNode: get(n, "rebuild"),
		})
	}
	if tabs := get(d.root, "settings"); tabs != nil {
		for _, n := range tabs.Content {
			l.app.Tabs = append(l.app.Tabs, l.decodeTab(d, n))
		}
	}
	l.decodeEvents(d)
	l.decodeFeeds(d)
	l.decodePanel(d)
	var names []string
	for _, n := range d.flowList() {
		if slices.Contains(names, n.Value) {
			d.reportNode(n, "duplicate-flow", "", "the flow %q is listed twice", n.Value)
			continue
		}
		names = append(names, n.Value)
	}
	return names
}

// entries walks a mapping's keys and values.
func entries(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

func decodeSide(n *yaml.Node) TableSide {
	return TableSide{Record: text(get(n, "record")), Key: text(get(n, "key")), Type: text(get(n, "type"))}
}

// reservedConnections are the first parts of calls that are no connection.
var reservedConnections = []string{"flow", "run", AppName, FeedName, ScheduleName}

func (l *loader) decodeConnection(d *document, key, n *yaml.Node) {
	if slices.Contains(reservedConnections, key.Value) {
		d.reportNode(key, "reserved-name", "", "%q cannot name a connection: calls like %s.… mean something else", key.Value, key.Value)
		return
	}
	name := text(get(n, "connector"))
	connector, ok := connectors.Lookup(name)
	if !ok {
		if at := get(n, "connector"); at != nil {
			d.reportNode(at, "unknown-connector", "known: "+strings.Join(connectors.Names(), ", "), "there is no connector %q", name)
		}
		return
	}
	connector = l.retype(d, key, connector)
	if declared := get(n, "operations"); declared != nil {
		connector = l.extend(d, connector, declared)
	}
	l.app.Connections = append(l.app.Connections, &Connection{
		At: d.at(key), Name: key.Value, Connector: connector, Spec: connector.Spec(),
		Settings: d.value(get(n, "settings")), Limits: decodeLimits(get(n, "limits")), Enabled: decodeCondition(d, get(n, "enabled")), extended: get(n, "operations") != nil || len(l.resources[key.Value]) > 0,
	})
}

// extend adds the operations that the app declares for a connection. Where they
// are refused the connector's own stay.
func (l *loader) extend(d *document, connector connectors.Connector, declared *yaml.Node) connectors.Connector {
	extender, ok := connector.(connectors.Extender)
	if !ok {
		d.reportNode(declared, "bad-operation", "", "the connector %q takes no more operations", connector.Spec().Name)
		return connector
	}
	var operations []map[string]any
	err := declared.Decode(&operations)
	if err == nil {
		var extended connectors.Connector
		if extended, err = extender.Extend(operations); err == nil {
			return extended
		}
	}
	d.reportNode(declared, "bad-operation", "the form is that of the connector's own operations", "%v", err)
	return connector
}
