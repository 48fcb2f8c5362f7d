package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	runs "github.com/flowctl/flowctl/engine/run"
	"github.com/flowctl/flowctl/engine/store"
)

func runsShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show one run with its steps",
		ArgsUsage: "RUN",
		Description: "Long values are cut; --full shows them whole.\n\n" +
			"Example: flowctl runs show 12",
		Flags: append(storeFlags(),
			&cli.BoolFlag{Name: "full", Usage: "show values whole"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			ids, err := runIDs(c)
			if err != nil {
				return err
			}
			if len(ids) != 1 {
				return failure(exitUsage, "runs show takes one run")
			}
			return withStore(c, false, func(st store.Store) error {
				view, err := wholeRun(c, st, ids[0])
				if err != nil {
					return err
				}
				if c.Bool("json") {
					return printJSON(c.App.Writer, view)
				}
				return printRun(c.App.Writer, view, c.Bool("full"))
			})
		},
	}
}

// stepView is a step as show and export print it.
type stepView struct {
	Step     string          `json:"step"`
	State    store.StepState `json:"state"`
	Input    json.RawMessage `json:"input,omitempty"`
	Output   json.RawMessage `json:"output,omitempty"`
	Error    string          `json:"error,omitempty"`
	Started  time.Time       `json:"started_at,omitzero"`
	Duration int64           `json:"duration_ms"`
	Attempts int             `json:"attempts,omitempty"`
}

func stepViewOf(s store.Step) stepView {
	v := stepView{Step: s.Path, State: s.State, Input: rawJSON(s.Input), Output: rawJSON(s.Output), Error: s.Error, Started: s.Started, Attempts: s.Attempts}
	if !s.Started.IsZero() && s.Ended.After(s.Started) {
		v.Duration = s.Ended.Sub(s.Started).Milliseconds()
	}
	return v
}

// wholeRun reads a run with its journal.
func wholeRun(c *cli.Context, st store.Store, id int64) (runView, error) {
	run, err := runOf(c, st, id)
	if err != nil {
		return runView{}, err
	}
	return withSteps(c, st, run)
}

func withSteps(c *cli.Context, st store.Store, run store.Run) (runView, error) {
	steps, err := st.Steps(c.Context, run.ID)
	if err != nil {
		return runView{}, err
	}
	view := viewOf(run)
	view.Version, view.Payload, view.Input, view.Result = run.Version, rawJSON(run.Event), rawJSON(run.Input), rawJSON(run.Result)
	if worked := runs.WorkedVersion(steps); worked != "" {
		view.Version = worked
	}
	for _, s := range steps {
		view.Steps = append(view.Steps, stepViewOf(s))
	}
	return view, nil
}

// shownValue is how much of a value is shown without --full.
const shownValue = 160

func printRun(to io.Writer, v runView, full bool) error {
	w := bufio.NewWriter(to)
	value := func(data []byte) string {
		if full {
			return string(data)
		}
		return oneLine(string(data), shownValue)
	}
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %-8s  %s\n", name, text)
		}
	}
	fmt.Fprintf(w, "run %d of %s: %s\n", v.Run, v.Flow, v.State)
	line("reason", v.Reason)
	line("code", v.Code)
	line("advice", v.Advice)
	if !v.DueAt.IsZero() {
		line("next", "attempt at "+clock(v.DueAt))
	}
	line("instance", v.Instance)
	line("key", v.Key)
	line("version", v.Version)
	line("made", clock(v.Created))
	line("changed", fmt.Sprintf("%s, attempt %d", clock(v.Updated), v.Attempt))
	if v.Event != "" {
		line("event", fmt.Sprintf("%s (%d)", v.Event, v.EventID))
	}
	line("payload", value(v.Payload))
	line("input", value(v.Input))
	line("result", value(v.Result))
	if len(v.Steps) > 0 {
		fmt.Fprintln(w, "steps")
	}
	for _, s := range v.Steps {
		fmt.Fprintf(w, "  %-32s  %-8s %6d ms\n", s.Step, s.State, s.Duration)
		for _, part := range []struct{ name, text string }{
			{"input", value(s.Input)}, {"output", value(s.Output)}, {"error", s.Error},
		} {
			if part.text != "" && part.text != "null" {
				fmt.Fprintf(w, "      %-6s  %s\n", part.name, part.text)
			}
		}
	}
	return w.Flush()
}

func runsExportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write runs with their steps as JSON lines",
		Description: "One run a line, newest first, with payload, input, result and every step, to the standard output.\n\n" +
			"Example: flowctl runs export --since 30d >runs.jsonl",
		Flags: slices.Concat(storeFlags(), filterFlags(), []cli.Flag{
			&cli.IntFlag{Name: "limit", Usage: "at most this many; 0 means all"},
		}),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			filter, err := readFilter(c)
			if err != nil {
				return err
			}
			return withStore(c, false, func(st store.Store) error { return exportRuns(c, st, filter) })
		},
	}
}

func exportRuns(c *cli.Context, st store.Store, filter store.RunFilter) error {
	w := bufio.NewWriter(c.App.Writer)
	lines, told, done := jsonLines(w), newProgress(c, "runs written"), 0
	defer told.done()
	err := eachRun(c, st, filter, c.Int("limit"), func(runs []store.Run) error {
		for _, run := range runs {
			view, err := withSteps(c, st, run)
			if err != nil {
				return err
			}
			if err := lines.Encode(view); err != nil {
				return err
			}
			done++
			told.at(done, 0)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.Flush()
}
