package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/store"
)

var runStates = []store.State{
	store.Waiting, store.Running, store.Retrying, store.Held, store.Succeeded, store.Skipped, store.Failed, store.Cancelled,
}

// filterFlags select runs.
func filterFlags() []cli.Flag {
	names := make([]string, len(runStates))
	for i, state := range runStates {
		names[i] = string(state)
	}
	return []cli.Flag{
		&cli.StringFlag{Name: "flow", Usage: "only runs of this flow"},
		&cli.StringSliceFlag{Name: "state", Usage: "only runs in this state, by comma: " + strings.Join(names, ", ")},
		&cli.StringFlag{Name: "key", Usage: "only runs of this key, such as order:1234"},
		&cli.StringFlag{Name: "since", Usage: "only runs that changed since: 90m, 24h, 7d, 2026-01-31 or 2026-01-31T08:00:00Z"},
	}
}

// readFilter is the filter that the flags name; states apply where --state says
// nothing.
func readFilter(c *cli.Context, states ...store.State) (store.RunFilter, error) {
	f := store.RunFilter{Instance: c.String("instance"), Flow: c.String("flow"), Key: c.String("key"), States: states}
	var named []store.State
	for _, text := range c.StringSlice("state") {
		state := store.State(strings.TrimSpace(text))
		if !slices.Contains(runStates, state) {
			return f, failure(exitUsage, "--state: there is no state %q; there are: %s", text, joined(runStates))
		}
		named = append(named, state)
	}
	if len(named) > 0 {
		f.States = named
	}
	var err error
	if f.Since, err = readSince(c.String("since"), time.Now()); err != nil {
		return f, failure(exitUsage, "--since: %w", err)
	}
	return f, nil
}

func joined(states []store.State) string {
	texts := make([]string, len(states))
	for i, state := range states {
		texts[i] = string(state)
	}
	return strings.Join(texts, ", ")
}

// readSince reads an instant, a day (its start in UTC), or how long ago.
func readSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 36500 {
			return now.UTC().AddDate(0, 0, -n), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.UTC().Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("%q is neither a time nor how long ago, such as 24h, 7d or 2026-01-31", text)
}

// eachRun visits the runs of a filter, newest first, up to limit (0: all),
// reading a page at a time.
func eachRun(c *cli.Context, st store.Store, filter store.RunFilter, limit int, visit func([]store.Run) error) error {
	const page = 200
	for left := limit; ; {
		filter.Limit = page
		if limit > 0 {
			filter.Limit = min(page, left)
		}
		runs, err := st.Runs(c.Context, filter)
		if err != nil || len(runs) == 0 {
			return err
		}
		if err := visit(runs); err != nil {
			return err
		}
		left -= len(runs)
		if limit > 0 && left <= 0 || len(runs) < filter.Limit {
			return nil
		}
		filter.Before = runs[len(runs)-1].ID
	}
}

// runIDs reads the ids of runs given as arguments.
func runIDs(c *cli.Context) ([]int64, error) {
	var ids []int64
	for _, text := range c.Args().Slice() {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id <= 0 {
			return nil, failure(exitUsage, "%q is no id of a run; flowctl runs list shows them", text)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// runOf reads a run of the instance.
func runOf(c *cli.Context, st store.Store, id int64) (store.Run, error) {
	run, err := st.Run(c.Context, id)
	if err != nil && !isNotFound(err) {
		return store.Run{}, err
	}
	if err != nil || run.Instance != c.String("instance") {
		return store.Run{}, failure(exitUsage, "there is no run %d of the instance %q", id, c.String("instance"))
	}
	return run, nil
}
