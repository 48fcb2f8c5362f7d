package editor_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/editor"
	"github.com/flowctl/flowctl/engine/flow"
)

// shelf is a connector with a parameter of every type.
type shelf struct{}

func (shelf) Spec() connectors.Spec {
	kind := connectors.String()
	kind.Enum = []any{"small", "large"}
	return connectors.Spec{
		Name: "shelf", Title: "Shelf", Settings: connectors.Object(nil),
		Operations: []connectors.Operation{{
			Name: "put", Title: "Put a box", Summary: "Puts a box on the shelf.", Effect: connectors.Create, Repeat: connectors.NaturalKey,
			Params: connectors.Object(map[string]*connectors.Schema{
				"id": connectors.Integer().Described("Number of the box"), "label": connectors.String(), "price": connectors.Decimal(), "kind": kind,
				"fragile": connectors.Boolean(), "at": connectors.DateTime(), "tags": connectors.Array(connectors.String()), "any": connectors.Any(),
				"owner": connectors.Object(map[string]*connectors.Schema{"name": connectors.String()}),
				"open":  {Type: "object", Open: true},
			}, "id"),
			Result: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()}),
		}},
		Events: []connectors.Event{{Name: "changed", Summary: "A box was moved."}},
	}
}

func (shelf) Open(connectors.Config) (connectors.Connection, error) { panic("an editor opens nothing") }

func init() { connectors.Register(shelf{}) }

func compile(t *testing.T, names editor.Names) (*jsonschema.Schema, string) {
	t.Helper()
	text, err := editor.FlowSchema(names)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("flow.json", bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("flow.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema, string(text)
}

// What a parameter takes, and what may be computed, is never marked; another
// name, and another form of value, is.
func TestParameters(t *testing.T) {
	t.Parallel()
	schema, text := compile(t, editor.Connectors())
	for _, want := range []string{"Puts a box on the shelf.", "It writes (create); repeated: natural key.", "Number of the box", `"shelf.changed"`, `"run.hold"`, `"app.status"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the schema does not say %s", want)
		}
	}
	valid := func(with map[string]any) bool {
		return schema.Validate(map[string]any{
			"flow": "it", "title": "It", "trigger": map[string]any{"event": "shelf.changed"},
			"steps": []any{map[string]any{"name": "a", "call": "shelf.put", "with": with}},
		}) == nil
	}
	for name, values := range map[string][]any{
		"id":      {1, "${event.id}", nil},
		"label":   {"text", "text ${x}", 5, 1.5, nil},
		"price":   {1, 1.5, "1.50", "${x}", nil},
		"kind":    {"small", "${x}", "${x}e", nil},
		"fragile": {true, "${x}"},
		"at":      {"2026-01-01T00:00:00Z", "${x}"},
		"tags":    {[]any{"a", "${x}"}, "${x}", []any{}},
		"any":     {1, "a", []any{}, map[string]any{"a": 1}},
		"owner":   {map[string]any{"name": "Jo"}, "${x}"},
		"open":    {map[string]any{"whatever": 1}, "${x}"},
	} {
		for _, v := range values {
			if !valid(map[string]any{name: v}) {
				t.Errorf("%s: %v is marked", name, v)
			}
		}
	}
	for name, v := range map[string]any{
		"id": "many", "label": []any{}, "price": true, "kind": "huge", "fragile": "yes", "tags": "one", "owner": map[string]any{"nme": "Jo"}, "open": 1, "colour": "red",
	} {
		if valid(map[string]any{name: v}) {
			t.Errorf("%s: %v is not marked", name, v)
		}
	}
}

// The schema of an app knows its flows and link tables.
func TestNamesOfAnApp(t *testing.T) {
	t.Parallel()
	app, found, err := flow.Load(fstest.MapFS{
		"app.yaml": {Data: []byte("app: test\ntitle: Test\nconnections: {rack: {connector: shelf}}\nlinks:\n  box: {title: Boxes, local: {record: box, key: id}, remote: {record: parcel, key: id}}\nflows: [part]\n")},
		"part.yaml": {Data: []byte("flow: part\ntitle: Part\nsummary: Does a part.\ntrigger: {called: {input: {type: object, properties: {size: {type: integer}}}}}\n" +
			"steps: [{name: a, map: \"${input.size}\"}]\n")},
	}, "flows")
	if err != nil || len(found) > 0 {
		t.Fatal(err, found)
	}
	schema, text := compile(t, editor.App(app))
	for _, want := range []string{`"rack.put"`, `"flow.part"`, "Does a part.", "box by id to parcel by id"} {
		if !strings.Contains(text, want) {
			t.Errorf("the schema does not say %s", want)
		}
	}
	for size, right := range map[any]bool{1: true, "${x}": true, "big": false} {
		err := schema.Validate(map[string]any{"flow": "it", "title": "It", "trigger": map[string]any{"manual": nil},
			"steps": []any{map[string]any{"name": "a", "call": "flow.part", "with": map[string]any{"size": size}}}})
		if (err == nil) != right {
			t.Errorf("size %v: %v", size, err)
		}
	}
}
