package graph_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/graph"
)

var update = flag.Bool("update", false, "write what is drawn as what is wanted")

// shelf is a system of boxes that nobody reaches here.
type shelf struct{}

func (shelf) Spec() connectors.Spec {
	nothing := connectors.Object(nil)
	return connectors.Spec{
		Name: "shelf", Title: "Shelf", Settings: nothing,
		Operations: []connectors.Operation{
			{Name: "find", Effect: connectors.Read, Params: nothing, Result: connectors.Object(map[string]*connectors.Schema{"ids": connectors.Array(connectors.Integer())})},
			{Name: "create", Effect: connectors.Create, Repeat: connectors.NaturalKey, Params: nothing, Result: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()})},
		},
		Events: []connectors.Event{{Name: "changed", Payload: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "label": connectors.String()})}},
	}
}

func (shelf) Open(connectors.Config) (connectors.Connection, error) { panic("a drawing opens nothing") }

func init() { connectors.Register(shelf{}) }

// testdata/app.txtar holds an app and its drawings, by name of the flow (or all)
// and format. Run with -update to write them anew.
func TestDrawings(t *testing.T) {
	t.Parallel()
	const file = "testdata/app.txtar"
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	given := fstest.MapFS{}
	for _, f := range archive.Files {
		if filepath.Ext(f.Name) == ".yaml" {
			given[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	app, found, err := flow.Load(given, "flows")
	if err != nil || found.Failed() {
		t.Fatal(err, found)
	}
	for i, f := range archive.Files {
		name, format, _ := strings.Cut(f.Name, ".")
		if format == "yaml" {
			continue
		}
		drawn := graph.OfApp(app)
		if name != "all" {
			it, _ := app.Flow(name)
			drawn = graph.OfFlow(it)
		}
		var out strings.Builder
		if err := drawn.Render(&out, format); err != nil {
			t.Fatal(err)
		}
		if *update {
			archive.Files[i].Data = []byte(out.String())
		} else if out.String() != string(f.Data) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", f.Name, out.String(), f.Data)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := graph.OfApp(app).Render(&strings.Builder{}, "png"); err == nil {
		t.Error("a format that is none was drawn")
	}
}
