package flow_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

var update = flag.Bool("update", false, "write what is found as what is wanted")

// shelf is a connector with a little of everything that the checks look at.
type shelf struct{}

func (shelf) Spec() connectors.Spec {
	box := connectors.Object(map[string]*connectors.Schema{
		"id": connectors.Integer(), "label": connectors.String(), "price": connectors.Decimal(),
		"owner": connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "name": connectors.String()}).OrNull(),
		"tags":  connectors.Array(connectors.String()),
	})
	page := connectors.Object(map[string]*connectors.Schema{"records": connectors.Array(box), "cursor": connectors.String(), "more": connectors.Boolean()})
	return connectors.Spec{
		Name: "shelf", Title: "Shelf", Summary: "A shelf of boxes.",
		Settings: connectors.Object(map[string]*connectors.Schema{"url": connectors.String(), "token": connectors.String()}, "url"),
		Operations: []connectors.Operation{
			{Name: "boxes.get", Effect: connectors.Read, Params: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()}, "id"), Result: box},
			{Name: "boxes.list", Effect: connectors.Read, Params: connectors.Object(map[string]*connectors.Schema{"label": connectors.String()}),
				Result: connectors.Object(map[string]*connectors.Schema{"items": connectors.Array(box), "ids": connectors.Array(connectors.Integer())})},
			{Name: "boxes.changed", Effect: connectors.Read,
				Params: connectors.Object(map[string]*connectors.Schema{"label": connectors.String(), "cursor": connectors.String(), "since": connectors.DateTime()}), Result: page},
			{Name: "boxes.walk", Effect: connectors.Read, Params: connectors.Object(map[string]*connectors.Schema{"cursor": connectors.String()}), Result: page},
			{Name: "boxes.create", Effect: connectors.Create, Repeat: connectors.NaturalKey,
				Params: connectors.Object(map[string]*connectors.Schema{"label": connectors.String(), "price": connectors.Decimal()}, "label"), Result: box},
		},
		Events: []connectors.Event{{Name: "box.created", Payload: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "label": connectors.String()})}},
	}
}

func (shelf) Open(connectors.Config) (connectors.Connection, error) {
	panic("the checks open nothing")
}

// Extend takes operations that read a box.
func (s shelf) Extend(operations []map[string]any) (connectors.Connector, error) {
	more := extendedShelf{}
	for _, declared := range operations {
		name, _ := declared["name"].(string)
		if !strings.HasPrefix(name, "boxes.") {
			return nil, fmt.Errorf("%s: only of boxes", name)
		}
		op, _ := s.Spec().Operation("boxes.get")
		op.Name = name
		more.operations = append(more.operations, op)
	}
	return more, nil
}

// extendedShelf is a shelf with an app's own operations.
type extendedShelf struct {
	shelf
	operations []connectors.Operation
}

func (s extendedShelf) Spec() connectors.Spec {
	spec := s.shelf.Spec()
	spec.Operations = append(spec.Operations, s.operations...)
	return spec
}

func init() { connectors.Register(shelf{}) }

const defaultApp = `app: test
title: Test
connections:
  shelf:
    connector: shelf
    settings: {url: "${settings.url}"}
links:
  box:
    local: {record: box, key: id}
    remote: {record: parcel, key: id}
settings:
  - tab: main
    title: Main
    fields:
      - {name: url, title: URL, type: text}
      - {name: import_boxes, title: Import, type: switch, default: true}
      - {name: labels, title: Labels, type: list, default: [a, b]}
flows: [it]
`

// Each file of testdata/diagnostics holds flow files, app.yaml if it matters, and
// what the loader says of them. Run with -update to write the latter anew, and
// read the difference.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/diagnostics/*.txtar")
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
			fsys := fstest.MapFS{"app.yaml": {Data: []byte(defaultApp)}}
			want := -1
			for i, f := range archive.Files {
				if f.Name == "want" {
					want = i
					continue
				}
				fsys[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			app, found, err := flow.Load(fsys, "flows")
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			if err := found.Render(&got, "text", app.Sources); err != nil {
				t.Fatal(err)
			}
			if *update {
				if want < 0 {
					archive.Files = append(archive.Files, txtar.File{Name: "want"})
					want = len(archive.Files) - 1
				}
				archive.Files[want].Data = []byte(got.String())
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want < 0 {
				t.Fatal("the file has no want; run with -update")
			}
			if string(archive.Files[want].Data) != got.String() {
				t.Errorf("got:\n%s\nwant:\n%s", got.String(), archive.Files[want].Data)
			}
		})
	}
}

func TestAliasBombsAreRefused(t *testing.T) {
	t.Parallel()
	var bomb strings.Builder
	bomb.WriteString("flow: it\ntitle: It\ntrigger: {manual: }\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		bomb.WriteString(strings.ReplaceAll("aN: &aN [*aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM]\n", "N", string(rune('0'+i))))
	}
	text := bomb.String()
	for i := 1; i < 9; i++ {
		text = strings.Replace(text, "*aM", "*aM", 1)
	}
	for i := 8; i >= 1; i-- {
		head, tail, _ := strings.Cut(text, "a"+string(rune('0'+i))+": ")
		text = head + "a" + string(rune('0'+i)) + ": " + strings.ReplaceAll(tail, "*aM", "*a"+string(rune('0'+i-1)))
	}
	fsys := fstest.MapFS{"app.yaml": {Data: []byte(defaultApp)}, "it.yaml": {Data: []byte(text)}}
	_, found, err := flow.Load(fsys, "flows")
	if err != nil {
		t.Fatal(err)
	}
	if !found.Failed() {
		t.Fatal("ten to the ninth values were read")
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/diagnostics/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if part.Name == "it.yaml" {
				f.Add(string(part.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		fsys := fstest.MapFS{"app.yaml": {Data: []byte(defaultApp)}, "it.yaml": {Data: []byte(text)}}
		app, found, err := flow.Load(fsys, "flows")
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			if d.Line < 1 || d.Column < 1 || d.Code == "" || d.Message == "" {
				t.Fatalf("a finding without place, code or words: %+v", d)
			}
		}
		var out strings.Builder
		if err := found.Render(&out, "text", app.Sources); err != nil {
			t.Fatal(err)
		}
	})
}
