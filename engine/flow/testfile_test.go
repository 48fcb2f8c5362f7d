package flow_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flowctl/flowctl/engine/flow"
)

// What a variable of the environment holds is a value and nothing else: neither
// YAML nor an expression, whatever it looks like.
func TestTheEnvironmentIsReadAsAValue(t *testing.T) {
	t.Parallel()
	app := strings.Replace(defaultApp, `{url: "${settings.url}"}`, `{url: "${env.SHELF_URL}", token: "${env.GONE}"}`, 1)
	fsys := fstest.MapFS{"app.yaml": {Data: []byte(app)}, "it.yaml": {Data: []byte("flow: it\ntitle: It\ntrigger: {manual: }\nsteps: [{name: a, map: 1}]\n")}}
	loaded, found, err := flow.Load(fsys, "flows")
	if err != nil || len(found) > 0 {
		t.Fatal(err, found)
	}
	connection, _ := loaded.Connection("shelf")
	for _, text := range []string{"https://x.test", "a: b\n- c", "${settings.url}", `"`, "*anchor", "~", "true", "# no comment"} {
		got, err := connection.Settings.EvalRecord(context.Background(), map[string]any{"settings": map[string]any{}, "env": map[string]any{"SHELF_URL": text}})
		if err != nil || got["url"] != text || got["token"] != nil {
			t.Errorf("%q became %v, %v", text, got, err)
		}
	}
}

func TestLargeFilesAreRefused(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"app.yaml": {Data: []byte(defaultApp)}, "it.yaml": {Data: []byte("flow: it # " + strings.Repeat("x", 1<<20))}}
	_, found, err := flow.Load(fsys, "flows")
	if err != nil || len(found) != 1 || found[0].Code != "file-too-large" {
		t.Error(err, found)
	}
}

// FuzzLoadTest: no test file makes the loader panic, and each finding has its
// place, code and words.
func FuzzLoadTest(f *testing.F) {
	files, err := filepath.Glob("../flowtest/testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, test, _ := strings.Cut(string(text), "-- it.test.yaml --\n")
		test, _, _ = strings.Cut(test, "\n-- ")
		f.Add(test)
	}
	fsys := fstest.MapFS{"app.yaml": {Data: []byte(defaultApp)}, "it.yaml": {Data: []byte("flow: it\ntitle: It\ntrigger: {event: shelf.box.created, key: a}\nsteps: [{name: a, map: 1}]\n")}}
	app, found, err := flow.Load(fsys, "flows")
	if err != nil || found.Failed() {
		f.Fatal(err, found)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, found := flow.LoadTest(app, "it.test.yaml", text)
		for _, d := range found {
			if d.Line < 1 || d.Column < 1 || d.Code == "" || d.Message == "" {
				t.Fatalf("a finding without place, code or words: %+v", d)
			}
		}
	})
}
