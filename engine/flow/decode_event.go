package flow

import (
	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
)

// Event is an event of the app's own, which flows announce by app.emit and
// listen to as app.<name>.
type Event struct {
	At      Position
	Name    string
	Title   string
	Payload *connectors.Schema
}

func (l *loader) decodeEvents(d *document) {
	for key, n := range entries(get(d.root, "events")) {
		if key.Value == EventSettingsSaved || key.Value == EventRunProblem {
			d.reportNode(key, "reserved-name", "", "the event app.%s is the engine's own", key.Value)
			continue
		}
		l.app.Events = append(l.app.Events, Event{At: d.at(key), Name: key.Value, Title: text(get(n, "title")), Payload: decodePayload(d, get(n, "payload"))})
	}
}

// decodePayload reads the type of an event's payload; without one the event has
// no fields.
func decodePayload(d *document, n *yaml.Node) *connectors.Schema {
	if n == nil {
		return connectors.Object(map[string]*connectors.Schema{})
	}
	s := decodeType(d, n)
	if s.Type != "object" {
		d.reportNode(n, "wrong-type", "type: object, and its properties", "the payload of an event is a record, not %s", s)
		return connectors.Object(map[string]*connectors.Schema{})
	}
	return s
}
