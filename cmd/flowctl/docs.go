package main

//go:generate go run . docs --out ../../docs --schemas ../../schemas

import (
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/cmd/flowctl/reference"
	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/editor"
	"github.com/flowctl/flowctl/engine/flow"
)

// flowSchema is the file that editors read.
const flowSchema = "flow.schema.json"

// docsCommand writes the pages of docs/ that are made from the code. It is for
// those who build flowctl: everyone else has describe.
func docsCommand() *cli.Command {
	return &cli.Command{
		Name:        "docs",
		Usage:       "write the reference pages of connectors and functions",
		Hidden:      true,
		Description: "Example: flowctl docs --out docs",
		Flags: []cli.Flag{
			&cli.PathFlag{Name: "out", Required: true, Usage: "folder that they go into"},
			&cli.PathFlag{Name: "schemas", Usage: "folder that the schema for editors goes into"},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if folder := c.Path("schemas"); folder != "" {
				schema, err := editor.FlowSchema(editor.Connectors())
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(folder, flowSchema), schema, 0o644); err != nil {
					return err
				}
			}
			pages, err := allPages()
			if err != nil {
				return err
			}
			for name, text := range pages {
				path := filepath.Join(c.Path("out"), filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					return err
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// allPages are the reference pages and the one that only the source can tell.
func allPages() (map[string]string, error) {
	packages, err := reference.Packages(".")
	if err != nil {
		return nil, err
	}
	pages := referencePages()
	pages["packages.md"] = reference.PackagesPage(packages)
	return pages, nil
}

// referencePages are the generated pages by their path below docs.
func referencePages() map[string]string {
	pages := map[string]string{"functions.md": reference.FunctionsPage()}
	var none *flow.App // what every app has
	pages["connectors/"+flow.AppName+".md"] = reference.ConnectorPage(none.OwnSpec())
	for _, name := range connectors.Names() {
		connector, _ := connectors.Lookup(name)
		pages["connectors/"+name+".md"] = reference.ConnectorPage(connector.Spec())
	}
	return pages
}
