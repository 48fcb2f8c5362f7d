package flow

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
)

// decodeFlow reads a flow file; nothing is compiled or resolved yet. Structure
// was checked before; what does not fit is left out here.
func decodeFlow(d *document) *Flow {
	f := &Flow{
		At: d.at(d.root), Name: text(get(d.root, "flow")), Title: text(get(d.root, "title")),
		Summary: text(get(d.root, "summary")), Result: d.value(get(d.root, "result")),
	}
	f.Trigger = decodeTrigger(d, get(d.root, "trigger"))
	if steps := get(d.root, "steps"); steps != nil && steps.Kind == yaml.SequenceNode {
		for _, n := range steps.Content {
			if n.Kind == yaml.MappingNode {
				f.Steps = append(f.Steps, decodeStep(d, n))
			}
		}
	}
	return f
}

func decodeTrigger(d *document, n *yaml.Node) Trigger {
	if n == nil {
		return Trigger{}
	}
	t := Trigger{At: d.at(n), Enabled: decodeCondition(d, get(n, "enabled")), Key: d.value(get(n, "key"))}
	if events := get(n, "event"); events != nil {
		if events.Kind == yaml.ScalarNode {
			t.Events = []string{events.Value}
		}
		for _, e := range events.Content {
			t.Events = append(t.Events, e.Value)
		}
	}
	for _, kind := range []string{"manual", "called"} {
		if keyNode(n, kind) == nil {
			continue
		}
		t.Manual = t.Manual || kind == "manual"
		t.Called = t.Called || kind == "called"
		t.Input = connectors.Object(nil)
		if input := get(get(n, kind), "input"); input != nil {
			t.Input = decodeType(d, input)
		}
	}
	if len(t.Events) == 0 && !t.Manual && !t.Called {
		d.report(t.At, 1, "no-trigger", "event, manual or called", "nothing starts this flow")
	}
	return t
}

// decodeType reads a type as written in a trigger's input.
func decodeType(d *document, n *yaml.Node) *connectors.Schema {
	if n == nil || n.Kind != yaml.MappingNode {
		return connectors.Any()
	}
	if ref := get(n, "$ref"); ref != nil {
		found, ok := d.resources.find(ref.Value)
		if !ok {
			d.reportNode(ref, "unknown-type", didYouMean(ref.Value, d.resources.names()), "there is no resource %q", ref.Value)
			return connectors.Any()
		}
		return found
	}
	s := &connectors.Schema{
		Type: text(get(n, "type")), Format: text(get(n, "format")), Description: text(get(n, "description")),
		Nullable: text(get(n, "nullable")) == "true", Open: text(get(n, "open")) == "true",
	}
	if items := get(n, "items"); items != nil {
		s.Items = decodeType(d, items)
	}
	for key, property := range entries(get(n, "properties")) {
		if s.Properties == nil {
			s.Properties = map[string]*connectors.Schema{}
		}
		s.Properties[key.Value] = decodeType(d, property)
	}
	if required := get(n, "required"); required != nil {
		for _, name := range required.Content {
			s.Required = append(s.Required, name.Value)
		}
	}
	if enum := get(n, "enum"); enum != nil {
		for _, item := range enum.Content {
			s.Enum = append(s.Enum, d.scalar(item))
		}
	}
	if given := get(n, "default"); given != nil {
		if data, err := json.Marshal(plainNode(given)); err == nil {
			typed, err := s.Decode(data)
			if err != nil {
				d.reportNode(given, "wrong-type", "", "the default does not fit its type: %v", err)
			}
			s.Default = typed
		}
	}
	return s
}

func decodeCondition(d *document, n *yaml.Node) *Condition {
	if n == nil || n.Kind != yaml.ScalarNode {
		return nil
	}
	c := &Condition{At: d.at(n), Source: n.Value, node: n}
	if inner, ok := strings.CutPrefix(n.Value, "${"); ok {
		d.reportNode(n, "bare-expression", "write it as "+strings.TrimSuffix(inner, "}"), "when, for_each and enabled take an expression without ${ }")
		return nil
	}
	return c
}

func decodeStep(d *document, n *yaml.Node) *Step {
	s := &Step{
		At: d.at(n), Name: text(get(n, "name")), Hash: d.hash(n),
		When: decodeCondition(d, get(n, "when")), ForEach: decodeCondition(d, get(n, "for_each")),
		As: text(get(n, "as")), OnError: OnError(text(get(n, "on_error"))), Missing: OnMissing(text(get(n, "missing"))), node: n,
	}
	if s.Missing == "" {
		s.Missing = MissingHolds
	}
	if s.As == "" {
		s.As = "item"
	}
	if s.OnError == "" {
		s.OnError = FailOnError
	}
	s.Batch, _ = strconv.Atoi(text(get(n, "batch")))           // its form was checked
	s.Parallel, _ = strconv.Atoi(text(get(n, "parallel")))     // likewise
	s.Timeout, _ = time.ParseDuration(text(get(n, "timeout"))) // likewise; "" is none
	if retry := get(n, "retry"); retry != nil {
		s.Retry.Attempts, _ = strconv.Atoi(text(get(retry, "attempts")))
		s.Retry.Wait, _ = time.ParseDuration(text(get(retry, "wait")))
	}
	var kinds []string
	for _, kind := range []string{"map", "call", "link"} {
		if keyNode(n, kind) != nil {
			kinds = append(kinds, kind)
		}
	}
	switch {
	case len(kinds) == 0:
		d.report(s.At, 1, "no-action", "a step has one of map, call and link", "the step does nothing")
		return s
	case len(kinds) > 1:
		d.reportNode(keyNode(n, kinds[1]), "two-actions", "make two steps of it", "a step has one of map, call and link; this one has %s", strings.Join(kinds, " and "))
	}
	switch kinds[0] {
	case "map":
		s.Map = d.value(get(n, "map"))
	case "call":
		s.Call = decodeCall(d, n)
	case "link":
		s.Link = decodeLink(d, n)
	}
	reportMisplaced(d, n, kinds[0])
	return s
}

// stepKeys are the keys that belong to one kind of step only.
var stepKeys = map[string][]string{
	"call": {"with", "repeat", "take"},
	"link": {"remote", "local", "also", "values", "match", "create", "update", "recheck"},
}

func reportMisplaced(d *document, n *yaml.Node, kind string) {
	for owner, keys := range stepKeys {
		if owner == kind {
			continue
		}
		for _, key := range keys {
			if at := keyNode(n, key); at != nil {
				d.reportNode(at, "misplaced-key", "", "%q belongs to a %s step; this is a %s step", key, owner, kind)
			}
		}
	}
}

func decodeCall(d *document, n *yaml.Node) *Call {
	if n == nil {
		return nil
	}
	name := get(n, "call")
	if name == nil || name.Kind != yaml.ScalarNode {
		return nil
	}
	return &Call{
		At: d.at(name), Name: name.Value, With: d.value(get(n, "with")), Take: d.value(get(n, "take")),
		Repeat: connectors.Repeat(text(get(n, "repeat"))), node: name,
	}
}

func decodeLink(d *document, n *yaml.Node) *Link {
	l := &Link{
		At: d.at(get(n, "link")), Remote: d.value(get(n, "remote")), Local: d.value(get(n, "local")),
		Match: decodeCall(d, get(n, "match")), Create: decodeCall(d, get(n, "create")), Update: decodeCall(d, get(n, "update")),
		Values: d.value(get(n, "values")), Recheck: text(get(n, "recheck")) == "true", node: get(n, "link"),
	}
	for key, value := range entries(get(n, "also")) {
		l.Also = append(l.Also, Also{At: d.at(key), Value: d.value(value), node: key})
	}
	return l
}
