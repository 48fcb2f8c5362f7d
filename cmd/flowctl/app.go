package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"
)

// Exit codes. Bands of ten leave room: 10 to 19 for what the user gave, 20 to 29
// for what the systems answered.
const (
	exitDone    = 0
	exitFailed  = 1 // the work failed
	exitUsage   = 2 // wrong flags or arguments
	exitHeld    = 3 // something is held for a person, or only partly done
	exitInvalid = 10
	exitSetting = 11 // a setting is missing or wrong
	exitStore   = 20 // the database cannot be used
	exitRemote  = 21 // a system cannot be reached or refuses
)

// exitError carries the exit code of what went wrong. An empty message was
// printed already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
func (e *exitError) Unwrap() error { return e.err }

func failure(code int, format string, args ...any) error {
	return &exitError{code, fmt.Errorf(format, args...)}
}

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name:  "flowctl",
		Usage: "keep a web shop and an ERP in step, by flows written in YAML",
		Description: "Try it: flowctl demo\n\n" +
			"Exit codes: 0 done, 1 the work failed, 2 usage, 3 held or partly done, 10 a flow file has errors, " +
			"11 a setting is missing or wrong, 20 the database cannot be used, 21 a system cannot be reached or refuses.",
		Version:                versionText(),
		Reader:                 stdin,
		Writer:                 stdout,
		ErrWriter:              stderr,
		HideHelpCommand:        true,
		UseShortOptionHandling: true,
		ExitErrHandler:         func(*cli.Context, error) {}, // told below
		Commands:               commands(),
		OnUsageError:           func(_ *cli.Context, err error, _ bool) error { return &exitError{exitUsage, err} },
		CommandNotFound: func(c *cli.Context, name string) {
			fmt.Fprintf(stderr, "flowctl: there is no command %q; see flowctl --help\n", name)
		},
	}
	eachCommand(app.Commands, func(command *cli.Command) { command.OnUsageError = app.OnUsageError })
	if len(args) > 1 && args[1] != "" && args[1][0] != '-' && app.Command(args[1]) == nil && args[1] != "help" && args[1] != "h" {
		app.CommandNotFound(nil, args[1])
		return exitUsage
	}
	err := app.RunContext(ctx, flagsFirst(app.Commands, args))
	if err == nil {
		return exitDone
	}
	code := codeOf(err)
	if message := err.Error(); message != "" {
		fmt.Fprintf(stderr, "flowctl: %s\n", message)
	}
	return code
}

// commands lists all commands, in the order of --help.
func commands() []*cli.Command {
	return []*cli.Command{
		demoCommand(), serveCommand(), runCommand(), runsCommand(), linksCommand(), feedsCommand(), settingsCommand(), instancesCommand(), usersCommand(),
		validateCommand(), testCommand(), graphCommand(), newCommand(), describeCommand(), schemaCommand(), doctorCommand(), sandboxCommand(), versionCommand(), docsCommand(),
	}
}

// codeOf is the exit code of an error.
func codeOf(err error) int {
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return exitFailed
}
