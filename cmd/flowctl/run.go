package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// maxInputBytes bounds what is read as a flow's input.
const maxInputBytes = 32 << 20

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run one flow now and tell what became of it",
		ArgsUsage: "FLOW",
		Description: "The input is the flow's ${input}, or ${event} where an event starts it.\n\n" +
			"Example: flowctl run webhook-order-created --set id=1234\n" +
			"         flowctl run webhook-order-updated --since 2026-01-31",
		Flags: append(engineFlags(),
			&cli.StringFlag{Name: "input", Usage: "JSON file with the input; - reads standard input"},
			&cli.StringSliceFlag{Name: "set", Usage: "one field of the input, `k=v`; may repeat"},
			&cli.StringFlag{Name: "since", Usage: "for everything that changed since: 24h, 7d, 2026-01-31; as the feeds tell whose events the flow listens to"},
			&cli.BoolFlag{Name: "dry-run", Usage: "read for real, write nothing, and print every write that would be done"},
			&cli.BoolFlag{Name: "json", Usage: "print the outcome as JSON"},
		),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return failure(exitUsage, "run takes one flow, as in: flowctl run webhook-order-created --set id=12")
			}
			config, err := engineConfig(c)
			if err != nil {
				return err
			}
			e, err := openEngine(c, config)
			if err != nil {
				return err
			}
			return errors.Join(runFlow(c, e), e.Close())
		},
	}
}

func runFlow(c *cli.Context, e *engine.Engine) error {
	f, ok := e.App().Flow(c.Args().First())
	if !ok {
		return failure(exitUsage, "there is no flow %q; there are: %s", c.Args().First(), strings.Join(flowNames(e.App()), ", "))
	}
	if c.String("since") != "" {
		if err := requireSettings(c, e, f); err != nil {
			return err
		}
		return runSince(c, e, f.Name)
	}
	input, err := readInput(c, e.InputType(f))
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if err := requireSettings(c, e, f); err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return planFlow(c, e, f.Name, input)
	}
	id, err := e.StartFlow(c.Context, f.Name, c.String("instance"), input)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if err := e.Work(c.Context, id); err != nil {
		return &exitError{exitStore, err}
	}
	run, err := e.Store().Run(c.Context, id)
	if err != nil {
		return &exitError{exitStore, err}
	}
	return reportRun(c, run)
}

func readInput(c *cli.Context, schema *connectors.Schema) (map[string]any, error) {
	raw := map[string]any{}
	if path := c.String("input"); path != "" {
		data, err := readAll(c, path)
		if err != nil {
			return nil, err
		}
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.UseNumber()
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
	}
	for _, pair := range c.StringSlice("set") {
		name, v, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("--set %s: write name=value", pair)
		}
		if property, known := schema.Property(name); known && property.Type != "string" {
			var typed any
			dec := json.NewDecoder(strings.NewReader(v))
			dec.UseNumber()
			if err := dec.Decode(&typed); err != nil {
				return nil, fmt.Errorf("--set %s: %s is no %s", pair, v, property)
			}
			raw[name] = typed
			continue
		}
		raw[name] = v
	}
	typed, err := schema.Convert(raw)
	if err != nil {
		return nil, fmt.Errorf("the input: %w", err)
	}
	return typed.(map[string]any), nil
}

func readAll(c *cli.Context, path string) ([]byte, error) {
	in := c.App.Reader
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxInputBytes+1))
	if err != nil {
		return nil, fmt.Errorf("--input: %w", err)
	}
	if len(data) > maxInputBytes {
		return nil, fmt.Errorf("--input: more than %d bytes", maxInputBytes)
	}
	return data, nil
}

// runReport is what run --json prints.
type runReport struct {
	Run    int64           `json:"run"`
	Flow   string          `json:"flow"`
	Key    string          `json:"key"`
	State  store.State     `json:"state"`
	Reason string          `json:"reason,omitempty"`
	Code   string          `json:"code,omitempty"`
	Advice string          `json:"advice,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

func reportRun(c *cli.Context, run store.Run) error {
	if c.Bool("json") {
		if err := printJSON(c.App.Writer, runReport{
			Run: run.ID, Flow: run.Flow, Key: run.Key, State: run.State, Reason: run.Reason, Code: run.Code, Advice: run.Advice, Result: rawJSON(run.Result),
		}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.App.Writer, "run %d of %s: %s\n", run.ID, run.Flow, run.State)
		for _, text := range []string{run.Reason, run.Advice, string(rawJSON(run.Result))} {
			if text != "" {
				fmt.Fprintf(c.App.Writer, "  %s\n", text)
			}
		}
	}
	if code := exitOf(run.State); code != exitDone {
		return &exitError{code: code}
	}
	return nil
}

// flowNames lists the flows of an app, in their order.
func flowNames(app *flow.App) []string {
	names := make([]string, len(app.Flows))
	for i, f := range app.Flows {
		names[i] = f.Name
	}
	return names
}
