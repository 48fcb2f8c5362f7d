package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/store"
)

func runsCommand() *cli.Command {
	return group("runs", "look at what was done, and do it again",
		"A run is one flow worked for one record. Held runs wait for a person: runs show tells what for.\n\n"+
			"Example: flowctl runs list --state held,failed",
		runsListCommand(), runsShowCommand(), runsRetryCommand(), runsReplayCommand(), runsIgnoreCommand(), runsExportCommand())
}

func runsListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list runs, newest first",
		Description: "Example: flowctl runs list --state held --since 7d\n" +
			"         flowctl runs list --key order:1234 --json",
		Flags: slices.Concat(storeFlags(), filterFlags(), []cli.Flag{
			&cli.IntFlag{Name: "limit", Value: 50, Usage: "at most this many; 0 means all"},
			jsonFlag(),
		}),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			filter, err := readFilter(c)
			if err != nil {
				return err
			}
			return withStore(c, false, func(st store.Store) error {
				if c.Bool("json") {
					return listRunsAsJSON(c, st, filter)
				}
				return listRuns(c, st, filter)
			})
		},
	}
}

func noArguments(c *cli.Context) error {
	if c.NArg() > 0 {
		return failure(exitUsage, "%s takes no argument %q; see --help", c.Command.HelpName, c.Args().First())
	}
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }

// runView is a run as list, show and export print it.
type runView struct {
	Run      int64       `json:"run"`
	Instance string      `json:"instance"`
	Flow     string      `json:"flow"`
	Key      string      `json:"key"`
	State    store.State `json:"state"`
	Reason   string      `json:"reason,omitempty"`
	Code     string      `json:"code,omitempty"`
	Advice   string      `json:"advice,omitempty"`
	EventID  int64       `json:"event_id,omitempty"`
	Event    string      `json:"event,omitempty"`
	Attempt  int         `json:"attempt"`
	DueAt    time.Time   `json:"due_at,omitzero"` // of retrying runs
	Created  time.Time   `json:"created_at"`
	Updated  time.Time   `json:"updated_at"`
	Started  time.Time   `json:"started_at,omitzero"`
	Ended    time.Time   `json:"ended_at,omitzero"`
	// Only in show and export.
	Version string          `json:"version,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"` // ${event}
	Input   json.RawMessage `json:"input,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Steps   []stepView      `json:"steps,omitempty"`
}

func viewOf(run store.Run) runView {
	v := runView{
		Run: run.ID, Instance: run.Instance, Flow: run.Flow, Key: run.Key, State: run.State,
		Reason: run.Reason, Code: run.Code, Advice: run.Advice, EventID: run.EventID, Event: run.EventName,
		Attempt: run.Attempt, Created: run.CreatedAt, Updated: run.UpdatedAt, Started: run.StartedAt, Ended: run.EndedAt,
	}
	if run.State == store.Retrying {
		v.DueAt = run.DueAt
	}
	return v
}

func listRunsAsJSON(c *cli.Context, st store.Store, filter store.RunFilter) error {
	list := jsonArray{w: c.App.Writer}
	err := eachRun(c, st, filter, c.Int("limit"), func(runs []store.Run) error {
		for _, run := range runs {
			if err := list.add(viewOf(run)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return list.end()
}

func listRuns(c *cli.Context, st store.Store, filter store.RunFilter) error {
	listed := 0
	err := eachRun(c, st, filter, c.Int("limit"), func(runs []store.Run) error {
		// A page is a table of its own: the first is on the screen before the last
		// is read.
		header := listed == 0
		listed += len(runs)
		return printRuns(c.App.Writer, runs, header)
	})
	if err != nil {
		return err
	}
	if listed == 0 {
		fmt.Fprintln(c.App.ErrWriter, "no such runs")
		return nil
	}
	if limit := c.Int("limit"); limit > 0 && listed == limit {
		fmt.Fprintf(c.App.ErrWriter, "the newest %d; --limit 0 lists all\n", limit)
	}
	return nil
}

func printRuns(w io.Writer, runs []store.Run, header bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if header {
		fmt.Fprintln(table, "RUN\tSTATE\tFLOW\tKEY\tCHANGED\tREASON")
	}
	for _, run := range runs {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", run.ID, run.State, run.Flow, oneLine(run.Key, 40), clock(run.UpdatedAt), oneLine(run.Reason, 80))
	}
	return table.Flush()
}
