package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
)

// workersSince is how many runs of a sweep are worked at once.
const workersSince = 4

// sinceReport is what run --since --json prints.
type sinceReport struct {
	Flow    string              `json:"flow"`
	Since   time.Time           `json:"since"`
	Records int                 `json:"records"`
	Runs    map[store.State]int `json:"runs"`
}

// runSince is run --since: the flow for everything that changed since a moment.
func runSince(c *cli.Context, e *engine.Engine, name string) error {
	for _, other := range []string{"input", "set", "dry-run"} {
		if c.IsSet(other) {
			return failure(exitUsage, "--since finds the records by itself and takes no --%s", other)
		}
	}
	since, err := readSince(c.String("since"), time.Now())
	if err != nil {
		return failure(exitUsage, "--since: %w", err)
	}
	swept, err := e.Sweep(c.Context, c.String("instance"), name, since)
	if err != nil {
		return asStoreError(fmt.Errorf("finding what changed: %w", err))
	}
	if err := workAll(c, e, swept.Runs); err != nil {
		return asStoreError(err)
	}
	report := sinceReport{Flow: name, Since: since, Records: swept.Records, Runs: map[store.State]int{}}
	for _, id := range swept.Runs {
		run, err := e.Store().Run(c.Context, id)
		if err != nil {
			return &exitError{exitStore, err}
		}
		report.Runs[run.State]++
	}
	return reportSince(c, report)
}

// workAll works runs until none of them waits any more.
func workAll(c *cli.Context, e *engine.Engine, ids []int64) error {
	bar := newProgress(c, "runs")
	defer bar.done()
	total := len(ids)
	for c.Context.Err() == nil {
		var open []int64
		for _, id := range ids {
			run, err := e.Store().Run(c.Context, id)
			if err != nil {
				return err
			}
			if run.State == store.Waiting || run.State == store.Running {
				open = append(open, id)
			}
		}
		ids = open
		bar.at(total-len(ids), total)
		if len(ids) == 0 {
			return nil
		}
		if err := workOnce(c, e, ids); err != nil {
			return err
		}
	}
	return failure(exitHeld, "stopped; %s wait for the workers of flowctl serve", count(len(ids), "run"))
}

// workOnce tries each run once. Those that others work, or that come after others
// of their key, are not ready.
func workOnce(c *cli.Context, e *engine.Engine, ids []int64) error {
	jobs := make(chan int64)
	var mu sync.Mutex
	var failed error
	var all sync.WaitGroup
	for range min(workersSince, len(ids)) {
		all.Go(func() {
			for id := range jobs {
				if err := e.Work(c.Context, id); err != nil && c.Context.Err() == nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, id := range ids {
		jobs <- id
	}
	close(jobs)
	all.Wait()
	if failed == nil {
		select { // not to ask the store without a pause for what others work
		case <-time.After(100 * time.Millisecond):
		case <-c.Context.Done():
		}
	}
	return failed
}

func reportSince(c *cli.Context, report sinceReport) error {
	if c.Bool("json") {
		if err := printJSON(c.App.Writer, report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.App.Writer, "%s changed since %s\n", count(report.Records, "record"), clock(report.Since))
		for _, state := range runStates {
			if n := report.Runs[state]; n > 0 {
				fmt.Fprintf(c.App.Writer, "  %-9s %d\n", state, n)
			}
		}
	}
	code := exitDone
	for state := range report.Runs {
		code = max(code, exitOf(state)) // held is more than failed: some is done
	}
	if code != exitDone {
		return &exitError{code: code}
	}
	return nil
}
