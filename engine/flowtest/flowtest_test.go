package flowtest_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/flowtest"
)

var update = flag.Bool("update", false, "write what is found as what is wanted")

// shelf is a system of boxes; tests never reach it.
type shelf struct{}

func (shelf) Spec() connectors.Spec {
	box := connectors.Object(map[string]*connectors.Schema{
		"id": connectors.Integer(), "label": connectors.String(), "price": connectors.Decimal(), "seen": connectors.DateTime(),
		"owner": connectors.Object(map[string]*connectors.Schema{"name": connectors.String()}), "gone": connectors.Boolean(),
		"tags": connectors.Array(connectors.String()), "note": connectors.String().OrNull(),
	})
	return connectors.Spec{
		Name: "shelf", Title: "Shelf", Settings: connectors.Object(map[string]*connectors.Schema{}),
		Operations: []connectors.Operation{
			{Name: "get", Effect: connectors.Read, Params: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()}, "id"), Result: box},
			{Name: "find", Effect: connectors.Read, Params: connectors.Object(map[string]*connectors.Schema{"label": connectors.String()}),
				Result: connectors.Object(map[string]*connectors.Schema{"ids": connectors.Array(connectors.Integer())})},
			{Name: "create", Effect: connectors.Create, Repeat: connectors.NaturalKey,
				Params: connectors.Object(map[string]*connectors.Schema{"label": connectors.String(), "price": connectors.Decimal()}, "label"), Result: box},
			{Name: "write", Effect: connectors.Update, Repeat: connectors.Idempotent,
				Params: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "values": {Type: "object", Open: true}}, "id"),
				Result: connectors.Object(map[string]*connectors.Schema{})},
		},
		Events: []connectors.Event{{Name: "changed", Payload: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "label": connectors.String()})}},
	}
}

func (shelf) Open(connectors.Config) (connectors.Connection, error) { panic("a test reached a system") }

func init() { connectors.Register(shelf{}) }

var took = regexp.MustCompile(`[\d.]+m?s\n`)

// Each file of testdata holds an app, a test file and what running it prints;
// where there is an "updated", that is the test file after --update, and it
// passes then.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			given := fstest.MapFS{}
			parts := map[string]int{}
			for i, f := range archive.Files {
				parts[f.Name] = i
				given[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			if _, own := parts["app.yaml"]; !own {
				common, err := os.ReadFile("testdata/app.yaml")
				if err != nil {
					t.Fatal(err)
				}
				given["app.yaml"] = &fstest.MapFile{Data: common}
			}
			app, found, err := flow.Load(given, "flows")
			if err != nil || found.Failed() {
				t.Fatal(err, found)
			}
			source := string(archive.Files[parts["it.test.yaml"]].Data)
			got, results := runText(t, app, source)
			check(t, archive, parts, "want", got)
			if _, wanted := parts["updated"]; wanted {
				text, err := flowtest.Update(source, results)
				if err != nil {
					t.Fatal(err)
				}
				check(t, archive, parts, "updated", text)
				again, results := runText(t, app, text)
				for _, r := range results {
					for _, f := range r.Failures {
						if !strings.HasPrefix(f.What, "this does not hold") {
							t.Errorf("after the update it fails still: %v\n%s", f, again)
						}
					}
				}
			}
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func check(t *testing.T, archive *txtar.Archive, parts map[string]int, name, got string) {
	t.Helper()
	i, ok := parts[name]
	switch {
	case *update && ok:
		archive.Files[i].Data = []byte(got)
	case *update:
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(got)})
	case !ok:
		t.Fatal("the file has no want; run with -update")
	case got != string(archive.Files[i].Data):
		t.Errorf("%s: got:\n%s\nwant:\n%s", name, got, archive.Files[i].Data)
	}
}

// runText runs a test file and returns what is printed of it.
func runText(t *testing.T, app *flow.App, source string) (string, []flowtest.Result) {
	t.Helper()
	test, found := flow.LoadTest(app, "flows/it.test.yaml", source)
	var out strings.Builder
	if len(found) > 0 {
		if err := found.Render(&out, "text", map[string]string{"flows/it.test.yaml": source}); err != nil {
			t.Fatal(err)
		}
	}
	if found.Failed() {
		return out.String(), nil
	}
	var results []flowtest.Result
	for _, c := range test.Cases {
		results = append(results, flowtest.RunCase(context.Background(), app, test, c))
	}
	if err := flowtest.WriteText(&out, results, true); err != nil {
		t.Fatal(err)
	}
	if err := flowtest.WriteCoverage(&out, flowtest.Coverage(app, results)); err != nil {
		t.Fatal(err)
	}
	var junit, report strings.Builder
	if err := flowtest.WriteJUnit(&junit, results); err != nil {
		t.Fatal(err)
	}
	var suites struct{}
	if err := xml.Unmarshal([]byte(junit.String()), &suites); err != nil {
		t.Errorf("the JUnit file cannot be read: %v", err)
	}
	if err := flowtest.WriteJSON(&report, flowtest.NewReport(results, nil)); err != nil {
		t.Fatal(err)
	}
	if !json.Valid([]byte(report.String())) {
		t.Error("the report is no JSON")
	}
	return took.ReplaceAllString(out.String(), "TIME\n"), results
}
