package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/flowtest"
)

func testCommand() *cli.Command {
	return &cli.Command{
		Name:      "test",
		Usage:     "run flow tests: cases with mocked calls, and what must become of them",
		ArgsUsage: "[PATH...]",
		Description: "PATH is a file *" + flow.TestSuffix + ", or a folder that holds some; without PATH those of the app in use.\n\n" +
			"Example: flowctl test flows/tests --coverage",
		Flags: []cli.Flag{
			flowsFlag(),
			&cli.StringFlag{Name: "run", Usage: "only cases whose \"test/case\" matches this regular expression"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "name the cases that passed too"},
			&cli.BoolFlag{Name: "coverage", Usage: "tell which steps and which of their ways no case reached"},
			&cli.BoolFlag{Name: "update", Usage: "write what happened as what is expected, and read the difference after"},
			&cli.BoolFlag{Name: "watch", Usage: "run again whenever a file of the app or a test is saved"},
			&cli.PathFlag{Name: "junit", Usage: "write a JUnit XML file as well"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			only, err := regexp.Compile(c.String("run"))
			if err != nil {
				return failure(exitUsage, "--run: %w", err)
			}
			if c.Bool("watch") {
				return watchTests(c, only)
			}
			return runTests(c, only)
		},
	}
}

// testFile is a test file and the folder of the app that it belongs to.
type testFile struct{ folder, path string }

// testFiles finds the test files of the command line.
func testFiles(c *cli.Context) ([]testFile, error) {
	paths := c.Args().Slice()
	if len(paths) == 0 {
		folder := c.String("flows")
		if folder == "" {
			folder = "flows"
		}
		if _, err := os.Stat(filepath.Join(folder, flow.AppFile)); err != nil {
			return nil, failure(exitUsage, "there is no folder %s with an %s; name the tests, or the app by --flows", folder, flow.AppFile)
		}
		paths = []string{folder}
	}
	var files []testFile
	for _, path := range paths {
		found, err := testFilesIn(path)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	slices.SortFunc(files, func(a, b testFile) int { return strings.Compare(a.path, b.path) })
	return slices.Compact(files), nil
}

func testFilesIn(path string) ([]testFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, failure(exitUsage, "%w", err)
	}
	var files []testFile
	if !info.IsDir() {
		folder, err := folderOf(path)
		return append(files, testFile{folder, filepath.Clean(path)}), err
	}
	err = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, flow.TestSuffix) {
			return err
		}
		folder, err := folderOf(file)
		files = append(files, testFile{folder, file})
		return err
	})
	return files, err
}

// folderOf is the app that a test belongs to: the nearest folder above with an
// app.yaml.
func folderOf(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for folder, up := filepath.Dir(filepath.Clean(path)), filepath.Dir(absolute); ; {
		if _, err := os.Stat(filepath.Join(folder, flow.AppFile)); err == nil {
			return filepath.Clean(folder), nil
		}
		if filepath.Dir(up) == up {
			return "", failure(exitUsage, "%s belongs to no app: there is no %s in a folder above it", path, flow.AppFile)
		}
		folder, up = filepath.Join(folder, ".."), filepath.Dir(up)
	}
}

// testRun is what all tests came to.
type testRun struct {
	results  []flowtest.Result
	coverage []flowtest.FlowCoverage
	// invalid: a test could not be run, for mistakes in it or in its flow.
	invalid bool
}

// runTests runs the tests of the command line once and reports.
func runTests(c *cli.Context, only *regexp.Regexp) error {
	files, err := testFiles(c)
	if err != nil {
		return err
	}
	var all testRun
	byApp := map[string][]testFile{}
	var folders []string
	for _, file := range files {
		if byApp[file.folder] == nil {
			folders = append(folders, file.folder)
		}
		byApp[file.folder] = append(byApp[file.folder], file)
	}
	for _, folder := range folders {
		if err := testApp(c, folder, byApp[folder], only, &all); err != nil {
			return err
		}
	}
	if c.Bool("update") {
		if err := updateTests(c, all.results); err != nil {
			return err
		}
	}
	return reportTests(c, all, len(files))
}

// testApp runs the tests of one app. A test with mistakes in it, or in a flow that
// it needs, is not run; those of other flows are left to validate.
func testApp(c *cli.Context, folder string, files []testFile, only *regexp.Regexp, all *testRun) error {
	app, found, err := flow.Load(os.DirFS(folder), filepath.ToSlash(folder))
	if err != nil {
		return failure(exitUsage, "%w", err)
	}
	var tests []*flow.Test
	var problems flow.Diagnostics
	sources := app.Sources
	for _, file := range files {
		text, err := os.ReadFile(file.path)
		if err != nil {
			return failure(exitUsage, "%w", err)
		}
		name := filepath.ToSlash(file.path)
		sources[name] = string(text)
		test, findings := flow.LoadTest(app, name, string(text))
		problems = append(problems, findings...)
		tests = append(tests, test)
	}
	var sound []*flow.Test
	for _, t := range tests {
		needed := neededProblems(app, t, found)
		if !problems.FailedIn(t.File) && len(needed) == 0 {
			sound = append(sound, t)
		}
		problems = append(problems, needed...)
	}
	if problems.Failed() {
		all.invalid = true
		if err := problems.Sorted().Render(c.App.ErrWriter, "text", sources); err != nil {
			return err
		}
	}
	results := runCases(c.Context, app, sound, only)
	all.results = append(all.results, results...)
	if c.Bool("coverage") {
		all.coverage = append(all.coverage, flowtest.Coverage(app, results)...)
	}
	return c.Context.Err()
}

// neededProblems are the errors of app.yaml and of the flow that a test runs, with
// those that it calls.
func neededProblems(app *flow.App, t *flow.Test, found flow.Diagnostics) flow.Diagnostics {
	needed := map[string]bool{}
	for _, f := range app.Flows {
		needed[f.File] = false
	}
	if t.Flow != nil {
		for _, f := range t.Flow.WithCalled() {
			needed[f.File] = true
		}
	}
	var out flow.Diagnostics
	for _, d := range found {
		if of, isFlow := needed[d.File]; d.Severity == flow.SeverityError && (of || !isFlow) {
			out = append(out, d)
		}
	}
	return out
}

// testsAtOnce bounds the cases that run side by side.
const testsAtOnce = 4

func runCases(ctx context.Context, app *flow.App, tests []*flow.Test, only *regexp.Regexp) []flowtest.Result {
	type job struct {
		test *flow.Test
		c    *flow.Case
	}
	var jobs []job
	for _, t := range tests {
		for _, c := range t.Cases {
			if only.MatchString(t.Name + "/" + c.Name) {
				jobs = append(jobs, job{t, c})
			}
		}
	}
	results := make([]flowtest.Result, len(jobs))
	slots := make(chan struct{}, testsAtOnce)
	var wait sync.WaitGroup
	for i, j := range jobs {
		slots <- struct{}{}
		wait.Go(func() {
			results[i] = flowtest.RunCase(ctx, app, j.test, j.c)
			<-slots
		})
	}
	wait.Wait()
	return results
}

func reportTests(c *cli.Context, all testRun, files int) error {
	report := flowtest.NewReport(all.results, all.coverage)
	if path := c.Path("junit"); path != "" {
		if err := writeJUnit(path, all.results); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		if err := flowtest.WriteJSON(c.App.Writer, report); err != nil {
			return err
		}
	} else {
		if err := flowtest.WriteText(c.App.Writer, all.results, c.Bool("verbose")); err != nil {
			return err
		}
		if err := flowtest.WriteCoverage(c.App.Writer, all.coverage); err != nil {
			return err
		}
		fmt.Fprintf(c.App.ErrWriter, "%s in %s, %d failed\n", count(len(all.results), "case"), count(files, "file"), report.Failed)
	}
	if all.invalid {
		return failure(exitInvalid, "some tests, or flows that they need, have mistakes; those were not run")
	}
	if report.Failed > 0 {
		return &exitError{code: exitFailed}
	}
	if len(all.results) == 0 {
		return failure(exitUsage, "there is nothing to run")
	}
	return nil
}

func writeJUnit(path string, results []flowtest.Result) error {
	f, err := os.Create(path)
	if err != nil {
		return failure(exitUsage, "--junit: %w", err)
	}
	return errors.Join(flowtest.WriteJUnit(f, results), f.Close())
}
