package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/cmd/flowctl/doctor"
	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "check configuration, database, Redis and both systems, and say what to do",
		Description: "Reads settings and versions, asks the clock of both systems, and looks whether the shop's webhooks lead here.\n" +
			"It changes nothing in the systems. What is ok, warned of or failed is told line by line; the exit code is that of\n" +
			"the first failure: 10 flows, 11 settings, 20 database, 21 a system, 1 anything else. Warnings do not fail.\n\n" +
			"Example: flowctl doctor --public-url https://flows.example.com",
		Flags: append(engineFlags(),
			&cli.StringFlag{Name: "public-url", EnvVars: []string{"FLOWCTL_PUBLIC_URL"}, Usage: "address at which the other systems reach flowctl serve"},
			jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			fsys, name := flowsFolder(c)
			client, err := clientWithRoots(c.String("ca-file"))
			if err != nil {
				return &exitError{exitSetting, err}
			}
			subject := doctor.Subject{
				Config: engine.Config{
					Flows: fsys, FlowsName: name, DatabaseURL: c.String("database-url"), RedisURL: c.String("redis-url"),
					OverrideInstance: overriddenInstance(c), PublicURL: c.String("public-url"), Log: slog.New(slog.DiscardHandler), HTTPClient: client,
				},
				HTTPClient: client,
				Instance:   c.String("instance"), Overrides: settingsFromEnvironment, Data: c.String("data"),
				SecretKey: os.Getenv("FLOWCTL_SECRET_KEY"), PublicURL: c.String("public-url"),
				Variables: ownVariables(), Known: func(app *flow.App, name string) bool { return knownVariable(c, app, name) },
			}
			tell := func(f doctor.Finding) { printFinding(c.App.Writer, f) }
			if c.Bool("json") {
				tell = func(doctor.Finding) {}
			}
			found, err := doctor.Examine(c.Context, subject, tell)
			if err != nil {
				return err
			}
			return reportHealth(c, found)
		},
	}
}

// ownVariables are the environment's variables that are meant for flowctl.
func ownVariables() []string {
	var names []string
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "FLOWCTL_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// knownVariable tells whether a flag, the machine or a setting reads a variable.
func knownVariable(c *cli.Context, app *flow.App, name string) bool {
	short := strings.TrimPrefix(name, "FLOWCTL_")
	if _, ok := app.Setting(strings.ToLower(short)); ok || machineVariables[short] {
		return true
	}
	known := false
	eachCommand(c.App.Commands, func(command *cli.Command) {
		for _, flag := range command.Flags {
			if documented, ok := flag.(cli.DocGenerationFlag); ok && slices.Contains(documented.GetEnvVars(), name) {
				known = true
			}
		}
	})
	return known
}

func printFinding(w io.Writer, f doctor.Finding) {
	fmt.Fprintf(w, "%-4s  %-13s  %s: %s\n", f.Level, f.Area, f.Check, f.Message)
	if f.Advice != "" {
		fmt.Fprintf(w, "                       %s\n", f.Advice)
	}
}

// healthReport is what doctor --json prints.
type healthReport struct {
	OK       int              `json:"ok"`
	Warned   int              `json:"warned"`
	Failed   int              `json:"failed"`
	Findings []doctor.Finding `json:"findings"`
}

func reportHealth(c *cli.Context, found []doctor.Finding) error {
	report, code := healthReport{Findings: found}, exitDone
	for _, f := range found {
		switch f.Level {
		case connectors.OK:
			report.OK++
		case connectors.Warn:
			report.Warned++
		case connectors.Fail:
			report.Failed++
			if code == exitDone {
				code = exitOfFinding(f)
			}
		}
	}
	if c.Bool("json") {
		if err := printJSON(c.App.Writer, report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.App.Writer, "\n%d ok, %d to look at, %d failed\n", report.OK, report.Warned, report.Failed)
	}
	if code != exitDone {
		return &exitError{code: code}
	}
	return nil
}

func exitOfFinding(f doctor.Finding) int {
	switch {
	case f.Area == doctor.Flows:
		return exitInvalid
	case f.Area == doctor.Configuration, f.Check == "settings":
		return exitSetting
	case f.Area == doctor.Database:
		return exitStore
	case f.Area == doctor.Redis, f.Area == doctor.Runs, f.Area == doctor.Webhooks:
		return exitFailed
	}
	return exitRemote
}
