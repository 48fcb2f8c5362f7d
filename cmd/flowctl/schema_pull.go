package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
)

func schemaPullCommand() *cli.Command {
	return &cli.Command{
		Name:      "pull",
		Usage:     "write the types of the records that your own shop and Odoo have",
		ArgsUsage: "[CONNECTION...]",
		Description: "The types go into the folder schemas beside app.yaml, from where they come before the shipped ones: custom\n" +
			"fields are then known, and a field that Odoo does not have is a mistake that flowctl validate finds.\n" +
			"Odoo tells all the fields of a model. A shop does not know what plugins add, so the newest records of each kind\n" +
			"are looked at: what they have is added to the shipped type, and nothing is taken away. No values are kept.\n\n" +
			"Example: flowctl schema pull odoo --record fleet.vehicle",
		Flags: append(engineFlags(),
			&cli.StringSliceFlag{Name: "record", Usage: "one more `name` of a record, such as a model of Odoo; may repeat, with one CONNECTION"},
			jsonFlag(),
		),
		Action: pullSchemas,
	}
}

// pulled is what schema pull tells of a type.
type pulled struct {
	Record string `json:"record"` // "odoo/sale.order"
	File   string `json:"file,omitempty"`
	Note   string `json:"note"`
}

// recordName is what may be the name of a file.
var recordName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.]*$`)

func pullSchemas(c *cli.Context) error {
	folder := c.String("flows")
	if folder == "" {
		folder = "flows"
	}
	if _, err := os.Stat(filepath.Join(folder, flow.AppFile)); err != nil {
		return failure(exitUsage, "the types are written beside %s, and there is none in the folder %q; name the folder by --flows", flow.AppFile, folder)
	}
	records := c.StringSlice("record")
	if len(records) > 0 && c.NArg() != 1 {
		return failure(exitUsage, "--record needs the one connection that it is a record of, as in: flowctl schema pull odoo --record fleet.vehicle")
	}
	for _, name := range records {
		if !recordName.MatchString(name) {
			return failure(exitUsage, "--record: %q is no name of a record", name)
		}
	}
	app, err := appForPulling(c, folder)
	if err != nil {
		return err
	}
	targets, err := pullTargets(app, c.Args().Slice())
	if err != nil {
		return err
	}
	return withStore(c, true, func(st store.Store) error {
		var all []pulled
		for _, target := range targets {
			found, err := pullConnection(c, app, st, target, folder, records)
			if err != nil {
				return err
			}
			all = append(all, found...)
		}
		return reportPulled(c, all)
	})
}

// appForPulling loads the app without the types that were pulled before, which
// may be what is wrong. Mistakes in flows do not matter: they may be the reason
// to pull.
func appForPulling(c *cli.Context, folder string) (*flow.App, error) {
	app, found, err := flow.Load(withoutResources{os.DirFS(folder)}, folder)
	if err != nil {
		return nil, failure(exitUsage, "%w", err)
	}
	ofApp := slices.DeleteFunc(found, func(d flow.Diagnostic) bool { return filepath.Base(d.File) != flow.AppFile })
	if ofApp.Failed() {
		if err := ofApp.Render(c.App.ErrWriter, "text", app.Sources); err != nil {
			return nil, err
		}
		return nil, failure(exitInvalid, "%s has errors; nothing was asked", flow.AppFile)
	}
	return app, nil
}

// withoutResources hides the folder of pulled types.
type withoutResources struct{ fs.FS }

// Open opens a file that is no pulled type.
func (w withoutResources) Open(name string) (fs.File, error) {
	if name == flow.ResourcesFolder || strings.HasPrefix(name, flow.ResourcesFolder+"/") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return w.FS.Open(name)
}

// pullTargets are the connections that are named, or all whose connectors have
// records of named types.
func pullTargets(app *flow.App, names []string) ([]*flow.Connection, error) {
	var targets []*flow.Connection
	var able []string
	for _, connection := range app.Connections {
		if _, ok := connection.Connector.(connectors.Retyper); !ok {
			continue
		}
		able = append(able, connection.Name)
		if len(names) == 0 || slices.Contains(names, connection.Name) {
			targets = append(targets, connection)
		}
	}
	for _, name := range names {
		if !slices.Contains(able, name) {
			return nil, failure(exitUsage, "%q is no connection whose types can be asked for; those are: %s", name, strings.Join(able, ", "))
		}
	}
	return targets, nil
}

// pullConnection asks one system and writes what it tells: the shipped types,
// those pulled before, and those named.
func pullConnection(c *cli.Context, app *flow.App, st store.Store, target *flow.Connection, folder string, records []string) ([]pulled, error) {
	connection, err := openForPulling(c, app, st, target)
	if err != nil {
		return nil, err
	}
	reader, ok := connection.(connectors.ResourceReader)
	if !ok {
		return nil, errors.Join(failure(exitUsage, "%s cannot be asked for types", target.Name), connection.Close())
	}
	found, err := reader.ReadResources(c.Context, nil)
	if err == nil {
		into := filepath.Join(folder, flow.ResourcesFolder, target.Name)
		if more := notAmong(found, append(pulledBefore(into), records...)); len(more) > 0 {
			var others []connectors.Resource
			others, err = reader.ReadResources(c.Context, more)
			found = append(found, others...)
		}
		if err == nil {
			all, writeErr := writeResources(into, target.Name, found)
			return all, errors.Join(writeErr, connection.Close())
		}
	}
	return nil, errors.Join(&exitError{exitRemote, fmt.Errorf("%s: %w", target.Name, err)}, connection.Close())
}

// openForPulling opens a connection without an engine, which would not open with
// mistakes in the flows.
func openForPulling(c *cli.Context, app *flow.App, st store.Store, target *flow.Connection) (connectors.Connection, error) {
	client, err := clientWithRoots(c.String("ca-file"))
	if err != nil {
		return nil, &exitError{exitSetting, err}
	}
	seal, err := sealer(c.String("data"))
	if err != nil {
		return nil, &exitError{exitSetting, err}
	}
	stored := &settings.Settings{
		App: func() *flow.App { return app }, Store: st, Sealer: seal,
		Overrides: settingsFromEnvironment(app), OverrideInstance: c.String("instance"),
	}
	values, err := stored.Values(c.Context, c.String("instance"))
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	configured, err := target.Settings.EvalRecord(c.Context, map[string]any{"settings": values, "env": settings.Environment()})
	if err != nil {
		return nil, &exitError{exitSetting, err}
	}
	connection, err := target.Connector.Open(connectors.Config{Instance: c.String("instance"), Settings: configured, HTTPClient: client})
	if err != nil {
		return nil, &exitError{exitSetting, fmt.Errorf("%s: %w", target.Name, err)}
	}
	return connection, nil
}

// pulledBefore are the names of types in a folder.
func pulledBefore(folder string) []string {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil // the folder's name is a pattern of its own; then only the usual types are asked for
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

func notAmong(found []connectors.Resource, names []string) []string {
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		return slices.ContainsFunc(found, func(r connectors.Resource) bool { return r.Name == name })
	})
}

func writeResources(folder, connection string, found []connectors.Resource) ([]pulled, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of types: %w", err)
	}
	var all []pulled
	for _, resource := range found {
		p := pulled{Record: connection + "/" + resource.Name, Note: resource.Note}
		if resource.Type != nil {
			p.File = filepath.Join(folder, resource.Name+".json")
			var text bytes.Buffer
			enc := json.NewEncoder(&text)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			if err := enc.Encode(resource.Type); err != nil {
				return all, fmt.Errorf("writing %s: %w", p.File, err)
			}
			if err := os.WriteFile(p.File, text.Bytes(), 0o644); err != nil {
				return all, fmt.Errorf("writing %s: %w", p.File, err)
			}
		}
		all = append(all, p)
	}
	return all, nil
}

func reportPulled(c *cli.Context, all []pulled) error {
	if c.Bool("json") {
		return printJSON(c.App.Writer, all)
	}
	written := 0
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	for _, p := range all {
		state := "absent"
		if p.File != "" {
			state, written = "written", written+1
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", p.Record, state, oneLine(p.Note, 200))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "%s written; flowctl validate checks the flows against them\n", count(written, "type"))
	return nil
}
