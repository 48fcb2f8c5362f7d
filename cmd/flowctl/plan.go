package main

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/run"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// planFlow is run --dry-run: it prints what the run would do.
func planFlow(c *cli.Context, e *engine.Engine, flow string, input map[string]any) error {
	if f, ok := e.App().Flow(flow); ok {
		if err := f.CheckInput(input); err != nil {
			return &exitError{exitUsage, err}
		}
	}
	plan, err := e.Plan(c.Context, flow, c.String("instance"), input)
	if err != nil {
		return failure(exitFailed, "planning %s: %w", flow, err)
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, plainPlan(plan))
	} else {
		err = plan.Render(c.App.Writer, isTerminal(c.App.Writer))
	}
	if err != nil {
		return err
	}
	switch plan.Outcome.State {
	case store.Succeeded, store.Skipped:
		return nil
	case store.Failed:
		return &exitError{code: exitFailed}
	}
	return &exitError{code: exitHeld}
}

// plainPlan writes amounts and instants as people and other programs read them.
func plainPlan(plan run.Plan) run.Plan {
	plan.Result = value.Plain(plan.Result)
	for i := range plan.Steps {
		step := &plan.Steps[i]
		step.Params = value.Plain(step.Params)
		for j := range step.Changes {
			step.Changes[j].Old, step.Changes[j].New = value.Plain(step.Changes[j].Old), value.Plain(step.Changes[j].New)
		}
	}
	return plan
}

// isTerminal tells whether colours can be shown, and are wanted (no-color.org).
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && isatty.IsTerminal(f.Fd())
}
