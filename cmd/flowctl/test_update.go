package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/flowtest"
)

// updateTests writes what happened as what is expected, into the test files.
func updateTests(c *cli.Context, results []flowtest.Result) error {
	byTest := map[*flow.Test][]flowtest.Result{}
	var tests []*flow.Test
	for _, r := range results {
		if byTest[r.Test] == nil {
			tests = append(tests, r.Test)
		}
		byTest[r.Test] = append(byTest[r.Test], r)
	}
	for _, test := range tests {
		text, err := flowtest.Update(test.Source, byTest[test])
		if err != nil {
			return failure(exitFailed, "--update: %w", err)
		}
		if text == test.Source {
			continue
		}
		if err := os.WriteFile(test.File, []byte(text), 0o644); err != nil {
			return failure(exitFailed, "--update: %w", err)
		}
		fmt.Fprintf(c.App.ErrWriter, "%s: updated; this report is of how it was\n", test.File)
	}
	return nil
}
