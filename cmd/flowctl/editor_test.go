package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/engine/editor"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/flows"
	"github.com/flowctl/flowctl/schemas"
)

// The schema that editors read is what the connectors say today.
func TestTheEditorsSchemaIsFresh(t *testing.T) {
	t.Parallel()
	want, err := editor.FlowSchema(editor.Connectors())
	if err != nil {
		t.Fatal(err)
	}
	got, err := schemas.Files.ReadFile(flowSchema)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("schemas/flow.schema.json is stale: change flow.base.json or the connectors, and run go generate ./cmd/flowctl")
	}
}

func compileSchema(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("flow.schema.json", bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("flow.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// What the validator takes, an editor does not mark: all shipped flows, by the
// schema of the connectors and by that of the app.
func TestEditorsTakeTheShippedFlows(t *testing.T) {
	t.Parallel()
	app, _, err := flow.Load(flows.Files, "flows")
	if err != nil {
		t.Fatal(err)
	}
	appSchema, err := editor.FlowSchema(editor.App(app))
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := schemas.Files.ReadFile(flowSchema)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"shipped": shipped, "app": appSchema} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema := compileSchema(t, text)
			eachFlowFile(t, func(path string, data []byte) {
				if err := schema.Validate(asJSON(t, data)); err != nil {
					t.Errorf("%s: %#v", path, err)
				}
			})
		})
	}
}

func eachFlowFile(t *testing.T, visit func(path string, data []byte)) {
	t.Helper()
	err := fs.WalkDir(flows.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == flow.AppFile || strings.HasSuffix(path, flow.TestSuffix) {
			return err
		}
		data, err := fs.ReadFile(flows.Files, path)
		if err == nil {
			visit(path, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// asJSON reads YAML into the values that a schema library takes.
func asJSON(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(encoded))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// What is wrong in a flow by its form is wrong for editors too.
func TestEditorsMarkMistakes(t *testing.T) {
	t.Parallel()
	text, err := schemas.Files.ReadFile(flowSchema)
	if err != nil {
		t.Fatal(err)
	}
	schema := compileSchema(t, text)
	const head = "flow: it\ntitle: It\ntrigger: {manual: }\nsteps:\n"
	for name, steps := range map[string]string{
		"a parameter that is none":        "  - {name: a, call: odoo.search, with: {modell: res.partner}}\n",
		"a parameter of the wrong type":   "  - {name: a, call: odoo.search, with: {model: res.partner, limit: many}}\n",
		"in the create of a link":         "  - {name: a, link: partner, remote: 1, create: {call: odoo.create, with: {model: res.partner, valus: {}}}}\n",
		"a key that is none":              "  - {name: a, cal: odoo.search}\n",
		"a parameter of the run's end":    "  - {name: a, call: run.skip, with: {raeson: none}}\n",
		"a parameter of flowctl's own":    "  - {name: a, call: app.links, with: {tabel: partner}}\n",
		"a record where a text is wanted": "  - {name: a, call: woocommerce.orders.get, with: {id: {a: 1}}}\n",
	} {
		if err := schema.Validate(asJSON(t, []byte(head+steps))); err == nil {
			t.Errorf("%s is not marked", name)
		}
	}
	for name, steps := range map[string]string{
		"a computed number":            "  - {name: a, call: odoo.search, with: {model: res.partner, limit: \"${1 + 1}\"}}\n",
		"a call of another connection": "  - {name: a, call: erp.search, with: {whatever: 1}}\n",
		"a flow":                       "  - {name: a, call: flow.other, with: {whatever: 1}}\n",
		"a computed record":            "  - {name: a, call: odoo.create, with: {model: res.partner, values: \"${given({})}\"}}\n",
	} {
		if err := schema.Validate(asJSON(t, []byte(head+steps))); err != nil {
			t.Errorf("%s is marked: %v", name, err)
		}
	}
}

// A real YAML language server completes and explains by the schema, and marks
// nothing in the shipped flows.
func TestARealLanguageServer(t *testing.T) {
	t.Parallel()
	server := startLanguageServer(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	const text = "# yaml-language-server: $schema=../schemas/flow.schema.json\nflow: it\ntitle: It\ntrigger: {manual: }\nsteps:\n" +
		"  - name: a\n    call: woocommerce.orders.get\n    with:\n      \n" +
		"  - name: b\n    call: odoo.search_read\n    with:\n      model: res.partner\n"
	uri := "file://" + filepath.ToSlash(filepath.Join(root, "flows", "it.yaml"))
	server.open(uri, text)
	for _, test := range []struct {
		what         string
		line, column int
		want         []string
	}{
		{"a call", 6, 10, []string{"woocommerce.orders.get", "odoo.search_read", "run.hold", "app.status", "mail.send"}},
		{"a parameter", 8, 6, []string{"id", "dp"}},
		{"a step", 9, 4, []string{"when", "for_each", "on_error"}},
	} {
		labels := server.complete(uri, test.line, test.column)
		for _, want := range test.want {
			if !strings.Contains(labels, "\n"+want+"\n") {
				t.Errorf("%s is not completed to %s, but to:\n%s", test.what, want, labels)
			}
		}
	}
	for _, test := range []struct {
		what         string
		line, column int
		want         string
	}{
		{"a call", 10, 15, "Search and read records"},
		{"a parameter", 12, 8, "model"},
		{"a key", 5, 5, "Later steps use"},
	} {
		if text := server.hover(uri, test.line, test.column); !strings.Contains(strings.ToLower(text), strings.ToLower(test.want)) {
			t.Errorf("%s is explained by %q, without %q", test.what, text, test.want)
		}
	}
	wrong := "file://" + filepath.ToSlash(filepath.Join(root, "flows", "wrong.yaml"))
	server.open(wrong, strings.Replace(text, "model:", "modell:", 1))
	if marks := server.marks(wrong); !strings.Contains(marks, "modell") {
		t.Errorf("a parameter that is none is not marked, but %q", marks)
	}
	// Of the flows those with the most in them: each takes the server a while.
	eachFlowFile(t, func(path string, data []byte) {
		if bytes.Count(data, []byte("\n")) < 150 {
			return
		}
		uri := "file://" + filepath.ToSlash(filepath.Join(root, "flows", path))
		server.open(uri, string(data))
		if marks := server.marks(uri); marks != "" && !strings.HasPrefix(marks, "Unused anchor") {
			t.Errorf("%s is marked: %s", path, marks)
		}
	})
}
