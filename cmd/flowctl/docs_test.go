package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/flows"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func documents(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(files, "../../README.md")
}

// Every flow in the docs is loaded into the shipped app.
func TestFlowsInTheDocsAreCorrect(t *testing.T) {
	t.Parallel()
	blocks := 0
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(match[1], "connections:\n") {
				checkConnections(t, file, match[1])
				continue
			}
			if strings.HasPrefix(match[1], "feeds:\n") || strings.HasPrefix(match[1], "schedules:\n") {
				checkFeeds(t, file, match[1])
				continue
			}
			if strings.HasPrefix(match[1], "settings:\n") || strings.HasPrefix(match[1], "events:\n") {
				checkAppPart(t, file, match[1])
				continue
			}
			if strings.Contains(match[1], "\ncases:\n") {
				runDocumentedTest(t, file, match[1])
				continue
			}
			name, ok := strings.CutPrefix(strings.SplitN(match[1], "\n", 2)[0], "flow: ")
			if !ok {
				t.Errorf("%s: a YAML block that is no flow:\n%s", file, match[1])
				continue
			}
			blocks++
			fsys := shippedApp(t)
			fsys[name+".yaml"] = &fstest.MapFile{Data: []byte(match[1])}
			app, found, err := flow.Load(fsys, "flows", name+".yaml")
			if err != nil {
				t.Fatal(err)
			}
			if len(found) > 0 {
				var out strings.Builder
				if err := found.Render(&out, "text", app.Sources); err != nil {
					t.Fatal(err)
				}
				t.Errorf("%s:\n%s", file, out.String())
			}
		}
	}
	if blocks < 3 {
		t.Errorf("only %d flows were found in the docs", blocks)
	}
}

// runDocumentedTest runs a test file of the docs on the shipped app.
func runDocumentedTest(t *testing.T, file, block string) {
	t.Helper()
	app, _, err := flow.Load(shippedApp(t), "flows")
	if err != nil {
		t.Fatal(err)
	}
	test, found := flow.LoadTest(app, file, block)
	if len(found) > 0 {
		t.Errorf("%s: %s", file, found.Error())
		return
	}
	for _, r := range runCases(context.Background(), app, []*flow.Test{test}, regexp.MustCompile("")) {
		if !r.Passed() {
			t.Errorf("%s: %s: %v", file, r.Case.Name, r.Failures)
		}
	}
}

// checkConnections loads the shipped app with the operations that a block of
// connections adds to the shop's.
func checkConnections(t *testing.T, file, block string) {
	t.Helper()
	_, operations, ok := strings.Cut(block, "    operations:\n")
	if !ok {
		t.Errorf("%s: connections without operations:\n%s", file, block)
		return
	}
	fsys := shippedApp(t)
	shipped := string(fsys[flow.AppFile].Data)
	own := strings.Replace(shipped, "  odoo:\n    connector:", "    operations:\n"+operations+"\n  odoo:\n    connector:", 1)
	if own == shipped {
		t.Fatal("the shipped app has no place for them")
	}
	fsys[flow.AppFile] = &fstest.MapFile{Data: []byte(own)}
	if _, found, err := flow.Load(fsys, "flows"); err != nil || len(found) > 0 {
		t.Errorf("%s: %v %v", file, err, found)
	}
}

// checkFeeds loads the shipped app without its flows, with the feeds and
// schedules of a block in place of its own.
func checkFeeds(t *testing.T, file, block string) {
	t.Helper()
	fsys := shippedApp(t)
	app := map[string]any{}
	for _, text := range []string{string(fsys[flow.AppFile].Data), "feeds: {}\nschedules: {}\nlinks: {}\nflows: []\n", block} {
		if err := yaml.Unmarshal([]byte(text), &app); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	data, err := yaml.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	loaded, found, err := flow.Load(fstest.MapFS{flow.AppFile: {Data: data}}, "flows")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		var out strings.Builder
		if err := found.Render(&out, "text", loaded.Sources); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s:\n%s", file, out.String())
	}
}

// checkAppPart loads an app that has nothing but a block of the docs.
func checkAppPart(t *testing.T, file, block string) {
	t.Helper()
	app := "app: documented\ntitle: Documented\nconnections: {}\nflows: []\n" + block
	if _, found, err := flow.Load(fstest.MapFS{flow.AppFile: {Data: []byte(app)}}, "flows"); err != nil || len(found) > 0 {
		t.Errorf("%s: %v %v", file, err, found)
	}
}

func shippedApp(t *testing.T) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	err := fs.WalkDir(flows.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(flows.Files, path)
		fsys[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

var reportedCode = regexp.MustCompile(`(?m)(?:error|warning): .* \[([a-z-]+)\]$`)

// Every code that the validator's cases show is explained.
func TestDiagnosticCodesAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/diagnostics.md")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := filepath.Glob("../../engine/flow/testdata/diagnostics/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range cases {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range reportedCode.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(page), "`"+match[1]+"`") {
				t.Errorf("%s is not in docs/diagnostics.md", match[1])
			}
		}
	}
}

// Every example stands as it is.
func TestExamplesAreCorrect(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("../../examples/*/" + flow.AppFile)
	if err != nil || len(folders) == 0 {
		t.Fatal("no examples", err)
	}
	for _, file := range folders {
		folder := filepath.Dir(file)
		_, found, err := flow.Load(os.DirFS(folder), folder)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			t.Errorf("%s:\n%s", folder, found.Error())
		}
	}
}
