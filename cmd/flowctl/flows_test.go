package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/flowtest"
)

// The shipped flows do what their tests say: flows/tests, as flowctl test runs
// them.
func TestShippedFlows(t *testing.T) {
	t.Parallel()
	app, found, err := flow.Load(os.DirFS("../../flows"), "flows")
	if err != nil {
		t.Fatal(err)
	}
	if found.Failed() {
		t.Fatal(found)
	}
	files := 0
	err = filepath.WalkDir("../../flows/tests", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, flow.TestSuffix) {
			return err
		}
		files++
		t.Run(strings.TrimSuffix(filepath.Base(path), flow.TestSuffix), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			test, found := flow.LoadTest(app, strings.TrimPrefix(filepath.ToSlash(path), "../../"), string(text))
			if len(found) > 0 {
				t.Fatal(found.Error())
			}
			results := runCases(context.Background(), app, []*flow.Test{test}, regexp.MustCompile(""))
			for _, r := range results {
				if !r.Passed() {
					var out strings.Builder
					if err := flowtest.WriteText(&out, []flowtest.Result{r}, false); err != nil {
						t.Fatal(err)
					}
					t.Error(out.String())
				}
			}
		})
		return nil
	})
	if err != nil || files == 0 {
		t.Fatal("no tests", err)
	}
}
