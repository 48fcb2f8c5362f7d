package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/cmd/flowctl/scaffold"
	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/flowtest"
	"github.com/flowctl/flowctl/flows"
)

func newCommand() *cli.Command {
	return group("new", "make an app's folder, a flow, a test or a connector to begin with",
		"What it makes is valid and runs as it stands. Files that are there are never touched, but for app.yaml, to which a new flow is added.\n\n"+
			"Example: flowctl new flow order-note --event woocommerce.order.created",
		newAppCommand(), newFlowCommand(), newTestCommand(), newConnectorCommand())
}

// appFolder is the folder that new files go into.
func appFolder(c *cli.Context) (string, error) {
	folder := c.String("flows")
	if folder == "" {
		folder = "flows"
	}
	if _, err := os.Stat(filepath.Join(folder, flow.AppFile)); err != nil {
		return "", failure(exitUsage, "there is no folder %s with an %s; make one of the app built in by: flowctl new app %s", folder, flow.AppFile, folder)
	}
	return folder, nil
}

// writeNew writes a file that must not be there yet, and tells of it.
func writeNew(c *cli.Context, path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return failure(exitUsage, "%s is there already", path)
	}
	if err != nil {
		return failure(exitUsage, "%w", err)
	}
	if _, err := f.WriteString(text); err != nil {
		return errors.Join(err, f.Close())
	}
	fmt.Fprintln(c.App.Writer, filepath.ToSlash(path))
	return f.Close()
}

// schemaFrom is where a schema of the folder schemas, which stands beside the
// app's folder, is seen from a file.
func schemaFrom(file, folder, name string) string {
	relative, err := filepath.Rel(filepath.Dir(file), filepath.Join(filepath.Dir(filepath.Clean(folder)), "schemas", name))
	if err != nil {
		return "../schemas/" + name
	}
	return filepath.ToSlash(relative)
}

func newAppCommand() *cli.Command {
	return &cli.Command{
		Name:      "app",
		Usage:     "write the app that is built in into a folder, to change it",
		ArgsUsage: "[FOLDER]",
		Description: "The schemas for editors go into the folder schemas beside it.\n\n" +
			"Example: flowctl new app flows",
		Action: func(c *cli.Context) error {
			folder := "flows"
			if c.NArg() > 0 {
				folder = c.Args().First()
			}
			if c.NArg() > 1 {
				return failure(exitUsage, "new app takes one folder")
			}
			if _, err := os.Stat(filepath.Join(folder, flow.AppFile)); err == nil {
				return failure(exitUsage, "there is an %s in %s already", flow.AppFile, folder)
			}
			err := fs.WalkDir(flows.Files, ".", func(path string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				text, err := fs.ReadFile(flows.Files, path)
				if err != nil {
					return err
				}
				return writeNew(c, filepath.Join(folder, filepath.FromSlash(path)), string(text))
			})
			if err != nil {
				return err
			}
			return exportEditorSchemas(c, filepath.Join(filepath.Dir(filepath.Clean(folder)), "schemas"))
		},
	}
}

func newFlowCommand() *cli.Command {
	return &cli.Command{
		Name:      "flow",
		Usage:     "make a flow and add it to app.yaml",
		ArgsUsage: "NAME",
		Description: "Without --event a person starts it.\n\n" +
			"Example: flowctl new flow order-note --event woocommerce.order.created",
		Flags: []cli.Flag{flowsFlag(), &cli.StringFlag{Name: "event", Usage: "what starts it, <connection>.<event>; flowctl describe lists them"}},
		Action: func(c *cli.Context) error {
			name, err := newName(c, scaffold.FlowName, "lower-case letters, digits and -, as in order-note")
			if err != nil {
				return err
			}
			folder, err := appFolder(c)
			if err != nil {
				return err
			}
			return newFlow(c, folder, name)
		},
	}
}

func newFlow(c *cli.Context, folder, name string) error {
	app, err := loadApp(c)
	if err != nil {
		return err
	}
	if _, taken := app.Flow(name); taken {
		return failure(exitUsage, "there is a flow %q already", name)
	}
	var payload *connectors.Schema
	if event := c.String("event"); event != "" {
		known := false
		if payload, known = app.EventPayload(event); !known {
			return failure(exitUsage, "nothing announces %q; flowctl describe CONNECTION lists its events", event)
		}
	}
	path := filepath.Join(folder, name+".yaml")
	text, err := scaffold.Flow(name, c.String("event"), payload, schemaFrom(path, folder, "flow.schema.json"))
	if err != nil {
		return err
	}
	listed, err := os.ReadFile(filepath.Join(folder, flow.AppFile))
	if err != nil {
		return err
	}
	with, err := scaffold.AddFlow(string(listed), name)
	if err != nil {
		return failure(exitFailed, "%s: %w", filepath.Join(folder, flow.AppFile), err)
	}
	if err := writeNew(c, path, text); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, flow.AppFile), []byte(with), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "It is the last of the flows in %s; runs of one key are worked in that order.\n", filepath.Join(folder, flow.AppFile))
	return nil
}

func newTestCommand() *cli.Command {
	return &cli.Command{
		Name:      "test",
		Usage:     "make a test of a flow, with what happens now as what is expected",
		ArgsUsage: "FLOW",
		Description: "Its calls are answered with examples; give them the fields that matter.\n\n" +
			"Example: flowctl new test webhook-order-created",
		Flags: []cli.Flag{flowsFlag()},
		Action: func(c *cli.Context) error {
			name, err := newName(c, scaffold.FlowName, "the name of a flow")
			if err != nil {
				return err
			}
			folder, err := appFolder(c)
			if err != nil {
				return err
			}
			app, err := loadApp(c)
			if err != nil {
				return err
			}
			f, ok := app.Flow(name)
			if !ok {
				return failure(exitUsage, "there is no flow %q; there are: %s", name, strings.Join(flowNames(app), ", "))
			}
			path := filepath.Join(folder, "tests", name+flow.TestSuffix)
			if _, err := os.Stat(path); err == nil {
				return failure(exitUsage, "%s is there already", path)
			}
			text, err := flowtest.Scaffold(c.Context, app, f, filepath.ToSlash(path), schemaFrom(path, folder, "test.schema.json"))
			if err != nil {
				return failure(exitFailed, "%w", err)
			}
			return writeNew(c, path, text)
		},
	}
}

func newConnectorCommand() *cli.Command {
	return &cli.Command{
		Name:      "connector",
		Usage:     "make the Go package of a connector, with its tests",
		ArgsUsage: "NAME",
		Description: "For those who build flowctl themselves: it goes into the source tree's folder connectors.\n\n" +
			"Example: flowctl new connector acme",
		Flags: []cli.Flag{&cli.PathFlag{Name: "out", Value: "connectors", Usage: "the folder of connectors"}},
		Action: func(c *cli.Context) error {
			name, err := newName(c, scaffold.ConnectorName, "lower-case letters, digits and _, as in acme")
			if err != nil {
				return err
			}
			if _, taken := connectors.Lookup(name); taken {
				return failure(exitUsage, "there is a connector %q already", name)
			}
			files, err := scaffold.Connector(name, "github.com/flowctl/flowctl")
			if err != nil {
				return err
			}
			folder := filepath.Join(c.Path("out"), strings.ReplaceAll(name, "_", ""))
			for _, file := range []string{"connector.go", "connection.go", "connector_test.go"} {
				if err := writeNew(c, filepath.Join(folder, file), files[file]); err != nil {
					return err
				}
			}
			fmt.Fprintf(c.App.ErrWriter, "Import it in cmd/flowctl/main.go, and give cmd/flowctl/conformance_test.go settings for it.\nTest it: go test ./%s\n", filepath.ToSlash(folder))
			return nil
		},
	}
}

// newName is the one argument of a command that makes something.
func newName(c *cli.Context, form interface{ MatchString(string) bool }, words string) (string, error) {
	if c.NArg() != 1 {
		return "", failure(exitUsage, "it takes one name")
	}
	if name := c.Args().First(); form.MatchString(name) {
		return name, nil
	}
	return "", failure(exitUsage, "%q cannot be its name: %s", c.Args().First(), words)
}
