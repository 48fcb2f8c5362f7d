package engine_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
)

// rebuilding makes the table letter be rebuilt by the flow first.
func rebuilding(c *engine.Config) {
	files := fstest.MapFS{}
	for name, file := range c.Flows.(fstest.MapFS) {
		files[name] = file
	}
	app := strings.Replace(string(files["app.yaml"].Data), "    title: Letters\n", "    title: Letters\n    rebuild: first\n", 1)
	files["app.yaml"] = &fstest.MapFile{Data: []byte(app)}
	c.Flows = files
}

const pagesOfLetters = `
trigger: {called: {input: {type: object, properties: {cursor: {type: string, nullable: true}}}}}
steps:
  - name: place
    map: ${int(coalesce(input.cursor, "0"))}
%s
result:
  pairs: '${[{"local": place + 1, "remote": "P" + text(place + 1)}, {"local": [7, 8], "remote": "P9"}]}'
  cursor: ${text(place + 1)}
  more: ${place < 4}
`

// A flow tells the links page by page; the engine writes those that are missing.
func TestLinksAreRebuiltByAFlow(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"first": strings.Replace(pagesOfLetters, "%s\n", "", 1)}, rebuilding)
	b.must(b.Store().PutLinks(b.ctx, "main", store.LinkWrite{Table: "letter", Local: "2", Remote: "P2"}))
	found := 0
	got, err := b.RebuildLinks(b.ctx, "main", "letter", engine.RebuildOptions{Progress: func(n int) { found = n }})
	b.must(err)
	if got.Found != 5 || got.Written != 4 || got.Unchanged != 1 || len(got.Doubtful) != 1 || found != 5 {
		t.Errorf("it says %+v, and %d on the way", got, found)
	}
	links, err := b.Store().Links(b.ctx, store.LinkFilter{Instance: "main", Table: "letter"})
	b.must(err)
	if len(links) != 5 {
		t.Errorf("the links are %v", links)
	}
}

// What cannot be rebuilt, and flows that would do more than look.
func TestRebuildsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"first": strings.Replace(pagesOfLetters, "%s\n", "  - {name: sent, call: post.letters.send, with: {text: x}}\n", 1)}, rebuilding)
	for table, says := range map[string]string{
		"letter":  "only reads",
		"stamp":   "does not say how to rebuild",
		"nothing": "no link table",
	} {
		if _, err := b.RebuildLinks(b.ctx, "main", table, engine.RebuildOptions{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", table, err)
		}
	}
	b = newBench(t, map[string]string{"first": strings.Replace(pagesOfLetters, "%s\n", "  - {name: failed, call: post.letters.fail}\n", 1)}, rebuilding)
	if _, err := b.RebuildLinks(b.ctx, "main", "letter", engine.RebuildOptions{}); err == nil || !strings.Contains(err.Error(), "the flow first, page") {
		t.Errorf("a system that fails: %v", err)
	}
}
