package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// Bounds of an import, so that a wrong file does not eat the machine.
const (
	maxImportLinks = 1_000_000
	maxImportLine  = 1 << 20
	// importBatch is how many links are written in one commit.
	importBatch = 500
	// maxProblems is how many problems of a file are told.
	maxProblems = 50
)

func linksExportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write links as JSON lines",
		Description: "One link a line, to the standard output; flowctl links import reads it. Claims that are not filled yet are left out.\n\n" +
			"Example: flowctl links export --table product >product.jsonl",
		Flags: slices.Concat(storeFlags(), linkFlags(), []cli.Flag{flowsFlag()}),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			filter, err := readLinkFilter(c)
			if err != nil {
				return err
			}
			return withStore(c, false, func(st store.Store) error { return exportLinks(c, st, filter) })
		},
	}
}

func exportLinks(c *cli.Context, st store.Store, filter store.LinkFilter) error {
	w := bufio.NewWriter(c.App.Writer)
	lines, told, done := jsonLines(w), newProgress(c, "links written"), 0
	defer told.done()
	err := eachLink(c, st, filter, 0, func(links []store.Link) error {
		for _, l := range links {
			if l.State != store.Linked {
				continue
			}
			if err := lines.Encode(linkView{Table: l.Table, Local: l.Local, Remote: l.Remote, Fingerprints: rawJSON(l.Fingerprints)}); err != nil {
				return err
			}
			done++
		}
		told.at(done, 0)
		return nil
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

func linksImportCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "check links given as JSON lines, and write them",
		ArgsUsage: "FILE",
		Description: "Each line is {\"table\": \"partner\", \"local\": \"7\", \"remote\": \"25\"}; FILE - is the standard input. Every line is checked\n" +
			"first: its table, its keys, that both sides are free. Nothing is written without --write, and nothing at all when\n" +
			"there is a problem. It is not asked whether the records exist.\n\n" +
			"Example: flowctl links import product.jsonl\n" +
			"         flowctl links import product.jsonl --write",
		Flags: append(storeFlags(), flowsFlag(),
			&cli.BoolFlag{Name: "write", Usage: "write the links if all of them are right"},
			&cli.BoolFlag{Name: "replace", Usage: "let a link take over a side that is linked to something else"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return failure(exitUsage, "links import takes one file; - is the standard input")
			}
			app, err := loadApp(c)
			if err != nil {
				return err
			}
			return withStore(c, true, func(st store.Store) error { return importLinks(c, st, app) })
		},
	}
}

// importReport is what links import prints as JSON.
type importReport struct {
	New       int      `json:"new"`
	Unchanged int      `json:"unchanged"`
	Replaced  int      `json:"replaced"`
	Problems  []string `json:"problems"`
	Written   bool     `json:"written"`
}

func importLinks(c *cli.Context, st store.Store, app *flow.App) error {
	in, err := openInput(c, c.Args().First())
	if err != nil {
		return err
	}
	defer in.Close()
	check := linkCheck{app: app, store: st, instance: c.String("instance"), replace: c.Bool("replace"), seen: map[store.LinkKey]int{}}
	if err := check.file(c, in); err != nil {
		return err
	}
	report := check.report
	if len(report.Problems) == 0 && c.Bool("write") {
		told := newProgress(c, "links written")
		defer told.done()
		for done := 0; done < len(check.writes); done += importBatch {
			batch := check.writes[done:min(done+importBatch, len(check.writes))]
			if err := st.PutLinks(c.Context, check.instance, batch...); err != nil {
				return fmt.Errorf("%d of %d links were written, then: %w", done, len(check.writes), err)
			}
			told.at(done, len(check.writes))
		}
		report.Written = true
	}
	return reportImport(c, report)
}

func openInput(c *cli.Context, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(c.App.Reader), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return f, nil
}

func reportImport(c *cli.Context, report importReport) error {
	if c.Bool("json") {
		if report.Problems == nil {
			report.Problems = []string{}
		}
		if err := printJSON(c.App.Writer, report); err != nil {
			return err
		}
	} else {
		for _, problem := range report.Problems {
			fmt.Fprintln(c.App.ErrWriter, problem)
		}
		outcome := "nothing was written; --write does it"
		if report.Written {
			outcome = "written"
		}
		if len(report.Problems) > 0 {
			outcome = "nothing was written"
		}
		fmt.Fprintf(c.App.Writer, "%s new, %d unchanged, %d replaced, %s: %s\n",
			count(report.New, "link"), report.Unchanged, report.Replaced, count(len(report.Problems), "problem"), outcome)
	}
	if len(report.Problems) > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

// linkCheck reads a file of links and says what is wrong with it.
type linkCheck struct {
	app      *flow.App
	store    store.Store
	instance string
	replace  bool

	seen   map[store.LinkKey]int // the line that has this side
	writes []store.LinkWrite
	report importReport
}

func (k *linkCheck) file(c *cli.Context, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxImportLine)
	told := newProgress(c, "links checked")
	defer told.done()
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if len(k.writes) == maxImportLinks {
			return failure(exitUsage, "the file has more than %d links; split it", maxImportLinks)
		}
		problem, err := k.line(c, n, lines.Bytes())
		if err != nil {
			return err
		}
		if problem != "" {
			k.report.Problems = append(k.report.Problems, fmt.Sprintf("line %d: %s", n, problem))
		}
		if len(k.report.Problems) == maxProblems {
			k.report.Problems = append(k.report.Problems, fmt.Sprintf("line %d: and perhaps more; the rest was not checked", n))
			return nil
		}
		told.at(n, 0)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return failure(exitUsage, "a line is longer than %d bytes", maxImportLine)
	} else if err != nil {
		return fmt.Errorf("reading the links: %w", err)
	}
	return nil
}

// line checks one line and keeps what is to be written.
func (k *linkCheck) line(c *cli.Context, n int, data []byte) (problem string, err error) {
	var v linkView
	if err := json.Unmarshal(data, &v); err != nil {
		return "it is no link: " + err.Error(), nil
	}
	table, ok := k.app.Table(v.Table)
	if !ok {
		return fmt.Sprintf("there is no link table %q", v.Table), nil
	}
	if v.Instance != "" && v.Instance != k.instance {
		return fmt.Sprintf("it belongs to the instance %q, not to %q", v.Instance, k.instance), nil
	}
	if v.Local == "" || v.Remote == "" {
		return "both sides are needed", nil
	}
	pair, err := link.Table{Name: table.Name, Local: table.Local.Schema(), Remote: table.Remote.Schema()}.Pair(v.Local, v.Remote)
	if err != nil {
		return err.Error(), nil
	}
	if v.Fingerprints != nil {
		if err := json.Unmarshal(v.Fingerprints, new(map[string]string)); err != nil {
			return "its fingerprints are no record of texts: " + err.Error(), nil
		}
	}
	w := store.LinkWrite{Table: table.Name, Local: link.Text(pair.Local), Remote: link.Text(pair.Remote), Fingerprints: v.Fingerprints, Replace: k.replace}
	for _, key := range []store.LinkKey{{Table: w.Table, Side: store.Local, Value: w.Local}, {Table: w.Table, Side: store.Remote, Value: w.Remote}} {
		if before, twice := k.seen[key]; twice {
			return fmt.Sprintf("%s %s %s is in line %d already", key.Table, key.Side, key.Value, before), nil
		}
		k.seen[key] = n
	}
	return k.compare(c, w)
}

// compare looks what the store has on both sides.
func (k *linkCheck) compare(c *cli.Context, w store.LinkWrite) (problem string, err error) {
	taken := false
	for _, key := range []store.LinkKey{{Table: w.Table, Side: store.Local, Value: w.Local}, {Table: w.Table, Side: store.Remote, Value: w.Remote}} {
		row, err := k.store.FindLink(c.Context, k.instance, key)
		switch {
		case errors.Is(err, store.ErrInvalid):
			return err.Error(), nil
		case err != nil:
			return "", err
		case row == nil || row.State != store.Linked:
			continue
		case row.Local == w.Local && row.Remote == w.Remote:
			k.report.Unchanged++
			return "", nil
		case !k.replace:
			return fmt.Sprintf("%s has %s = %s already; --replace lets %s = %s take over", w.Table, row.Local, row.Remote, w.Local, w.Remote), nil
		}
		taken = true
	}
	if taken {
		k.report.Replaced++
	} else {
		k.report.New++
	}
	k.writes = append(k.writes, w)
	return "", nil
}
