package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

func linksRebuildCommand() *cli.Command {
	return &cli.Command{
		Name:      "rebuild",
		Usage:     "find links again in the two systems, and write those that are missing",
		ArgsUsage: "[TABLE...]",
		Description: "After the store was lost, or when links were removed by mistake: both systems are read, and records are put together by\n" +
			"their natural keys, as the tables of app.yaml say under rebuild. Without TABLE, all tables that say so. Only links that are\n" +
			"missing are written; where the store has others, both are printed. A record that may be several is printed and not linked.\n\n" +
			"Example: flowctl links rebuild --dry-run\n" +
			"         flowctl links rebuild sale_order sale_order_line",
		Flags: append(engineFlags(),
			&cli.BoolFlag{Name: "dry-run", Usage: "only look, and print what would be written"},
			&cli.BoolFlag{Name: "force", Usage: "let what the systems tell replace what the store has"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			config, err := engineConfig(c)
			if err != nil {
				return err
			}
			e, err := openEngine(c, config)
			if err != nil {
				return err
			}
			err = rebuildLinks(c, e)
			if closeErr := e.Close(); err == nil {
				err = closeErr
			}
			return err
		},
	}
}

// rebuiltView is what became of a table.
type rebuiltView struct {
	Table       string           `json:"table"`
	Found       int              `json:"found"`
	Written     int              `json:"written"`
	Unchanged   int              `json:"unchanged"`
	Alone       int              `json:"alone"`
	Unconfirmed int              `json:"unconfirmed"`
	Busy        int              `json:"busy"`
	Differs     []differenceView `json:"differs"`
	Doubtful    []doubtView      `json:"doubtful"`
}

type differenceView struct {
	Local  string     `json:"local"`
	Remote string     `json:"remote"`
	Stored []linkView `json:"stored"`
}

type doubtView struct {
	Side  store.Side `json:"side"`
	Key   string     `json:"key"`
	Maybe []string   `json:"maybe"`
}

func rebuildLinks(c *cli.Context, e *engine.Engine) error {
	tables, err := tablesToRebuild(c, e.App())
	if err != nil {
		return err
	}
	var views []rebuiltView
	doubts := 0
	for _, name := range tables {
		told := newProgress(c, "links of "+name+" found")
		rebuilt, err := e.RebuildLinks(c.Context, c.String("instance"), name, engine.RebuildOptions{
			Force: c.Bool("force"), DryRun: c.Bool("dry-run"), Progress: func(found int) { told.at(found, 0) },
		})
		told.done()
		if err != nil {
			return fmt.Errorf("rebuilding %s: %w", name, err)
		}
		view := rebuiltViewOf(name, rebuilt)
		doubts += len(view.Doubtful) + view.Busy
		if !c.Bool("force") {
			doubts += len(view.Differs)
		}
		if !c.Bool("json") {
			printRebuilt(c.App.Writer, view, c.Bool("dry-run"), c.Bool("force"))
		}
		views = append(views, view)
	}
	if c.Bool("json") {
		if err := printJSON(c.App.Writer, views); err != nil {
			return err
		}
	}
	if doubts > 0 {
		return &exitError{code: exitHeld}
	}
	return nil
}

// tablesToRebuild are the tables named, or all that can be rebuilt.
func tablesToRebuild(c *cli.Context, app *flow.App) ([]string, error) {
	var able []string
	for _, t := range app.Tables {
		if t.Rebuild != "" {
			able = append(able, t.Name)
		}
	}
	if c.NArg() == 0 {
		if len(able) == 0 {
			return nil, failure(exitUsage, "no link table of app.yaml says how it is rebuilt")
		}
		return able, nil
	}
	for _, name := range c.Args().Slice() {
		if _, ok := app.Table(name); !ok {
			return nil, noTable(app, name)
		}
		if !slices.Contains(able, name) {
			return nil, failure(exitUsage, "app.yaml does not say how to rebuild %s: its records are matched anew when they are needed; these can be rebuilt: %s",
				name, strings.Join(able, ", "))
		}
	}
	return c.Args().Slice(), nil
}

func rebuiltViewOf(table string, r link.Rebuilt) rebuiltView {
	view := rebuiltView{Table: table, Found: r.Found, Written: r.Written, Unchanged: r.Unchanged, Alone: r.Alone,
		Unconfirmed: r.Unconfirmed, Busy: r.Busy, Differs: []differenceView{}, Doubtful: []doubtView{}}
	for _, d := range r.Differs {
		one := differenceView{Local: d.Local, Remote: d.Remote}
		for _, row := range d.Stored {
			one.Stored = append(one.Stored, linkViewOf(row))
		}
		view.Differs = append(view.Differs, one)
	}
	for _, d := range r.Doubtful {
		view.Doubtful = append(view.Doubtful, doubtView{d.Side, d.Key, d.Maybe})
	}
	return view
}

func printRebuilt(w io.Writer, view rebuiltView, dry, force bool) {
	verb := "written"
	if dry {
		verb = "would be written"
	}
	fmt.Fprintf(w, "%s: %s found; %d %s, %d there already\n", view.Table, count(view.Found, "link"), view.Written, verb, view.Unchanged)
	for _, d := range view.Differs {
		for _, row := range d.Stored {
			kept := "kept"
			if force {
				kept = "replaced"
			}
			if force && dry {
				kept = "would be replaced"
			}
			fmt.Fprintf(w, "  the systems say %s = %s, the store %s = %s (%s)\n", d.Local, d.Remote, row.Local, row.Remote, kept)
		}
	}
	for _, d := range view.Doubtful {
		fmt.Fprintf(w, "  %s %s may be %s: not linked\n", d.Side, d.Key, strings.Join(d.Maybe, " or "))
	}
	for _, line := range []struct {
		n    int
		says string
	}{
		{view.Alone, "without a counterpart"}, {view.Busy, "being made by a run; rebuild again"},
		{view.Unconfirmed, "in the store of which the systems tell nothing (kept)"},
	} {
		if line.n > 0 {
			fmt.Fprintf(w, "  %d %s\n", line.n, line.says)
		}
	}
}
