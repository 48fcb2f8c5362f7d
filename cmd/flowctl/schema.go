package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/editor"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/schemas"
)

func schemaCommand() *cli.Command {
	return group("schema", "types of records: those of your own systems, and those that are shipped",
		"Flows are checked against types of records. The shipped ones know no custom fields; pull asks your own systems.\n\n"+
			"Example: flowctl schema pull --flows flows",
		schemaPullCommand(), schemaExportCommand())
}

func schemaExportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "write the shipped JSON Schemas of flow and app files, for editors, and the shipped types of records",
		Description: "An editor that reads the first line of a flow file finds flow.schema.json by it. It knows the connections, flows and\n" +
			"link tables of the app in use.\n\n" +
			"Example: flowctl schema export --out schemas",
		Flags: []cli.Flag{flowsFlag(), &cli.PathFlag{Name: "out", Value: "schemas", Usage: "folder that they go into"}},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			out := filepath.Clean(c.Path("out"))
			if _, err := os.Stat(filepath.Join(filepath.Dir(out), flow.AppFile)); err == nil && filepath.Base(out) == flow.ResourcesFolder {
				return failure(exitUsage, "%s stands beside an %s, which would take the shipped types for those of its own systems; choose another folder", out, flow.AppFile)
			}
			if err := exportSchemas(c, out, func(path string) bool { return !strings.HasSuffix(path, ".base.json") }); err != nil {
				return err
			}
			return exportAppSchema(c, out)
		},
	}
}

// exportAppSchema writes the schema of flow files as the app in use has them. An
// app with mistakes leaves the shipped one.
func exportAppSchema(c *cli.Context, out string) error {
	fsys, name := flowsFolder(c)
	app, found, err := flow.Load(fsys, name)
	if err != nil || found.Failed() {
		fmt.Fprintf(c.App.ErrWriter, "%s knows no names of your app: its flows have mistakes, see flowctl validate\n", flowSchema)
		return nil
	}
	schema, err := editor.FlowSchema(editor.App(app))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, flowSchema), schema, 0o644)
}

// exportEditorSchemas writes the schemas of flow, app and test files.
func exportEditorSchemas(c *cli.Context, out string) error {
	return exportSchemas(c, out, func(path string) bool { return !strings.Contains(path, "/") && !strings.HasSuffix(path, ".base.json") })
}

// exportSchemas writes the shipped schemas whose paths are wanted.
func exportSchemas(c *cli.Context, out string, wanted func(path string) bool) error {
	files := 0
	err := fs.WalkDir(schemas.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !wanted(path) {
			return err
		}
		data, err := fs.ReadFile(schemas.Files, path)
		if err != nil {
			return err
		}
		target := filepath.Join(out, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		files++
		return os.WriteFile(target, data, 0o644)
	})
	if err != nil {
		return fmt.Errorf("writing the schemas: %w", err)
	}
	fmt.Fprintf(c.App.ErrWriter, "%s written to %s\n", count(files, "file"), out)
	return nil
}
