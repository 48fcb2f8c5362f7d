package flow_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

// depot is a connector with one kind of record, a crate.
type depot struct{ crate *connectors.Schema }

func (d depot) Spec() connectors.Spec {
	return connectors.Spec{
		Name: "depot", Title: "Depot", Settings: connectors.Object(nil),
		Operations: []connectors.Operation{{
			Name: "crates.get", Effect: connectors.Read,
			Params: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()}, "id"), Result: d.crate,
		}},
	}
}

func (d depot) Open(connectors.Config) (connectors.Connection, error) {
	panic("the checks open nothing")
}

func (d depot) Retype(resources map[string]*connectors.Schema) (connectors.Connector, error) {
	for name, crate := range resources {
		if name != "crate" {
			return nil, errors.New("only crates are known, not " + name)
		}
		d.crate = crate
	}
	return d, nil
}

func init() {
	connectors.Register(depot{crate: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "weight": connectors.Decimal()})})
}

// The types beside app.yaml come before the shipped ones: their fields are
// known, and others are not.
func TestTypesOfTheAppsOwnSystem(t *testing.T) {
	t.Parallel()
	const app = "app: test\ntitle: Test\nconnections:\n  depot: {connector: depot}\n  shelf: {connector: shelf, settings: {url: u}}\nflows: [it]\n"
	flowUsing := func(field string) string {
		return "flow: it\ntitle: It\ntrigger:\n  manual:\n    input: {type: object, properties: {crate: {$ref: depot/crate}}}\n" +
			"steps:\n  - name: crate\n    call: depot.crates.get\n    with: {id: 1}\n  - name: out\n    map: ${crate." + field + "}\n"
	}
	withInput := func(field string) string {
		return strings.Replace(flowUsing("id"), "${crate.id}", "${input.crate."+field+"}", 1)
	}
	const own = `{"type": "object", "properties": {"id": {"type": "integer"}, "x_shelf": {"type": "string"}}}`
	for name, test := range map[string]struct {
		flow  string
		files map[string]string
		want  string // code and place of a finding, "" for none at all
	}{
		"a shipped field":                {strings.Replace(flowUsing("weight"), "$ref: depot/crate", "$ref: odoo/uom.uom", 1), nil, ""},
		"a custom field, not pulled":     {strings.Replace(flowUsing("x_shelf"), "$ref: depot/crate", "$ref: odoo/uom.uom", 1), nil, "unknown-field flows/it.yaml:11"},
		"a custom field":                 {flowUsing("x_shelf"), map[string]string{"schemas/depot/crate.json": own}, ""},
		"a field that is not there":      {flowUsing("weight"), map[string]string{"schemas/depot/crate.json": own}, "unknown-field flows/it.yaml:11"},
		"a custom field of an input":     {withInput("x_shelf"), map[string]string{"schemas/depot/crate.json": own}, ""},
		"no such field of an input":      {withInput("weight"), map[string]string{"schemas/depot/crate.json": own}, "unknown-field flows/it.yaml:11"},
		"an input of no known type":      {flowUsing("id"), nil, "unknown-type flows/it.yaml:5"},
		"no JSON":                        {flowUsing("id"), map[string]string{"schemas/depot/crate.json": "{\n  \"type\": }"}, "bad-schema flows/schemas/depot/crate.json:2"},
		"a keyword that is not known":    {flowUsing("id"), map[string]string{"schemas/depot/crate.json": `{"minLength": 3}`}, "bad-schema flows/schemas/depot/crate.json:1"},
		"a record that is not known":     {flowUsing("id"), map[string]string{"schemas/depot/crate.json": own, "schemas/depot/pallet.json": own}, "bad-schema flows/app.yaml:4"},
		"a connector without such types": {flowUsing("id"), map[string]string{"schemas/depot/crate.json": own, "schemas/shelf/box.json": own}, "bad-schema flows/app.yaml:5"},
		"a connection that is not there": {flowUsing("id"), map[string]string{"schemas/depot/crate.json": own, "schemas/attic/box.json": own}, "unused-schema flows/schemas/attic/box.json:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := fstest.MapFS{"app.yaml": {Data: []byte(app)}, "it.yaml": {Data: []byte(test.flow)}}
			for file, text := range test.files {
				fsys[file] = &fstest.MapFile{Data: []byte(text)}
			}
			_, found, err := flow.Load(fsys, "flows")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range found {
				place, _, _ := strings.Cut(d.Position.String()[len(d.File)+1:], ":")
				got = append(got, d.Code+" "+d.File+":"+place)
			}
			if test.want == "" && len(got) > 0 || test.want != "" && !slices.Contains(got, test.want) {
				t.Errorf("found %v, want %q\n%v", got, test.want, found)
			}
		})
	}
}
