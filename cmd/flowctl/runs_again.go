package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
)

const selection = "Runs are named by their ids, or selected by --flow, --state, --key and --since and confirmed by --yes;\n" +
	"a selection without --state takes those that are held or have failed.\n\n"

// actFlags are the flags of commands that do something to runs.
func actFlags() []cli.Flag {
	return slices.Concat(engineFlags(), filterFlags(), []cli.Flag{
		&cli.BoolFlag{Name: "yes", Usage: "do it to all runs selected; without it they are only counted"},
		jsonFlag(),
	})
}

func nowFlag() cli.Flag {
	return &cli.BoolFlag{Name: "now", Usage: "work them here and wait; without it flowctl serve works them"}
}

func runsRetryCommand() *cli.Command {
	return &cli.Command{
		Name:      "retry",
		Usage:     "try runs again, from the step that failed",
		ArgsUsage: "[RUN...]",
		Description: "Steps that are done are not done again while the flow up to there is unchanged.\n" + selection +
			"Example: flowctl runs retry 12\n" +
			"         flowctl runs retry --state held --flow webhook-order-created --yes",
		Flags:  append(actFlags(), nowFlag()),
		Action: func(c *cli.Context) error { return reopen(c, "retried", false) },
	}
}

func runsReplayCommand() *cli.Command {
	return &cli.Command{
		Name:      "replay",
		Usage:     "do runs again from the start",
		ArgsUsage: "[RUN...]",
		Description: "What was linked stays linked, so records are found and not made twice. With --input the flow of one run is\n" +
			"started with another payload, as a new run of the same key. " + selection +
			"Example: flowctl runs replay 12 --now\n" +
			"         flowctl runs replay 12 --input edited.json",
		Flags: append(actFlags(), nowFlag(),
			&cli.StringFlag{Name: "input", Usage: "JSON file with another payload; - reads standard input"},
		),
		Action: func(c *cli.Context) error {
			if c.String("input") != "" {
				return replayEdited(c)
			}
			return reopen(c, "replayed", true)
		},
	}
}

func runsIgnoreCommand() *cli.Command {
	return &cli.Command{
		Name:      "ignore",
		Usage:     "set runs aside for good, with a reason",
		ArgsUsage: "[RUN...]",
		Description: "They become cancelled: no worker touches them, unless they are retried by hand.\n" + selection +
			"Example: flowctl runs ignore 12 --reason 'entered by hand'",
		Flags: append(actFlags(), &cli.StringFlag{Name: "reason", Usage: "why; kept with the run"}),
		Action: func(c *cli.Context) error {
			if c.String("reason") == "" {
				return failure(exitUsage, "runs ignore needs --reason: the next person wants to know")
			}
			return withStore(c, false, func(st store.Store) error {
				return act(c, st, "ignored", func(ids []int64) ([]int64, error) { return st.Cancel(c.Context, c.String("reason"), ids...) }, nil)
			})
		},
	}
}

// reopen makes runs waiting again, and works them where --now says so.
func reopen(c *cli.Context, done string, fresh bool) error {
	again := func(st store.Store, work func(int64) error) error {
		return act(c, st, done, func(ids []int64) ([]int64, error) { return st.Reopen(c.Context, fresh, ids...) }, work)
	}
	if !c.Bool("now") {
		return withStore(c, false, func(st store.Store) error { return again(st, nil) })
	}
	return withEngine(c, func(e *engine.Engine) error {
		return again(e.Store(), func(id int64) error { return e.Work(c.Context, id) })
	})
}

// actReport is what acting on runs prints as JSON.
type actReport struct {
	Done    []int64   `json:"done"`
	Refused []int64   `json:"refused"`        // in a state that does not allow it, or erased
	Runs    []runView `json:"runs,omitempty"` // as they are now, where --now worked them
}

// act does something to the runs named, or to those selected, a page at a time.
func act(c *cli.Context, st store.Store, done string, do func([]int64) ([]int64, error), work func(int64) error) error {
	report := actReport{Done: []int64{}, Refused: []int64{}}
	some := func(ids []int64) error {
		changed, err := do(ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if !slices.Contains(changed, id) {
				report.Refused = append(report.Refused, id)
			}
		}
		report.Done = append(report.Done, changed...)
		return nil
	}
	if err := named(c, st, done, some); err != nil {
		return err
	}
	if work != nil {
		if err := workNow(c, st, &report, work); err != nil {
			return err
		}
	}
	later := work == nil && len(report.Done) > 0 && c.Command.Name != "ignore"
	return reportActs(c, report, done, later)
}

// named calls do with the ids of the arguments, or of the selection.
func named(c *cli.Context, st store.Store, done string, do func([]int64) error) error {
	selected := c.IsSet("flow") || c.IsSet("state") || c.IsSet("key") || c.IsSet("since")
	switch {
	case c.NArg() > 0 && selected:
		return failure(exitUsage, "name runs by their ids or select them by flags, not both")
	case c.NArg() > 0:
		ids, err := runIDs(c)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := runOf(c, st, id); err != nil {
				return err
			}
		}
		return do(ids)
	case !selected:
		return failure(exitUsage, "which runs? Name their ids, or select them by --flow, --state, --key or --since")
	}
	filter, err := readFilter(c, store.Held, store.Failed)
	if err != nil {
		return err
	}
	told, n := newProgress(c, "runs"), 0
	defer told.done()
	err = eachRun(c, st, filter, 0, func(runs []store.Run) error {
		n += len(runs)
		told.at(n, 0)
		if !c.Bool("yes") {
			return nil
		}
		ids := make([]int64, len(runs))
		for i, run := range runs {
			ids[i] = run.ID
		}
		return do(ids)
	})
	if err == nil && n == 0 {
		fmt.Fprintln(c.App.ErrWriter, "no such runs")
	}
	if err == nil && n > 0 && !c.Bool("yes") {
		return failure(exitUsage, "%s would be %s; nothing was done. Add --yes to do it", count(n, "run"), done)
	}
	return err
}

// workNow works the runs that were reopened, oldest first: those of one key wait
// for each other.
func workNow(c *cli.Context, st store.Store, report *actReport, work func(int64) error) error {
	told := newProgress(c, "runs worked")
	defer told.done()
	slices.Sort(report.Done)
	for i, id := range report.Done {
		told.at(i, len(report.Done))
		if err := work(id); err != nil {
			return &exitError{exitStore, err}
		}
		run, err := st.Run(c.Context, id)
		if err != nil {
			return err
		}
		report.Runs = append(report.Runs, viewOf(run))
	}
	return nil
}

func reportActs(c *cli.Context, report actReport, done string, later bool) error {
	if c.Bool("json") {
		if err := printJSON(c.App.Writer, report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.App.Writer, "%s %s\n", count(len(report.Done), "run"), done)
		if later {
			fmt.Fprintln(c.App.ErrWriter, "flowctl serve works them now; --now works them here")
		}
		for _, run := range report.Runs {
			fmt.Fprintf(c.App.Writer, "run %d of %s: %s%s\n", run.Run, run.Flow, run.State, reasonOf(run))
		}
		for _, id := range report.Refused {
			fmt.Fprintf(c.App.Writer, "run %d was left alone: its state does not allow it; see flowctl runs show %d\n", id, id)
		}
	}
	return actsExit(report)
}

// actsExit is done when all is done, failed when nothing is, and held in between.
func actsExit(report actReport) error {
	var fine, failed int
	for _, run := range report.Runs {
		switch exitOf(run.State) {
		case exitDone:
			fine++
		case exitFailed:
			failed++
		}
	}
	if len(report.Runs) == 0 {
		fine = len(report.Done)
	}
	total := len(report.Done) + len(report.Refused)
	switch {
	case fine == total:
		return nil
	case failed+len(report.Refused) == total:
		return &exitError{code: exitFailed}
	}
	return &exitError{code: exitHeld}
}

func reasonOf(run runView) string {
	if run.Reason == "" {
		return ""
	}
	return ": " + run.Reason
}

// exitOf is the exit code of a command whose run ended so.
func exitOf(state store.State) int {
	switch state {
	case store.Succeeded, store.Skipped:
		return exitDone
	case store.Held, store.Retrying, store.Waiting, store.Running:
		return exitHeld
	}
	return exitFailed
}

// replayEdited starts the flow of a run anew with another payload.
func replayEdited(c *cli.Context) error {
	ids, err := runIDs(c)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return failure(exitUsage, "--input replays one run: name its id")
	}
	return withEngine(c, func(e *engine.Engine) error {
		run, err := runOf(c, e.Store(), ids[0])
		if err != nil {
			return err
		}
		f, ok := e.App().Flow(run.Flow)
		if !ok {
			return failure(exitUsage, "there is no flow %q any more", run.Flow)
		}
		input, err := readInput(c, e.InputType(f))
		if err != nil {
			return &exitError{exitUsage, err}
		}
		id, err := e.StartFlow(c.Context, f.Name, run.Instance, input)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		if c.Bool("now") {
			if err := e.Work(c.Context, id); err != nil {
				return &exitError{exitStore, err}
			}
		}
		started, err := e.Store().Run(c.Context, id)
		if err != nil {
			return err
		}
		err = reportRun(c, started)
		var waits *exitError
		if !c.Bool("now") && errors.As(err, &waits) && waits.err == nil {
			return nil // that it waits is what was asked for
		}
		return err
	})
}
