package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/cmd/flowctl/reference"
	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

func describeCommand() *cli.Command {
	return &cli.Command{
		Name:      "describe",
		Usage:     "documentation of connectors, operations, events, records, functions, links, settings and flows",
		ArgsUsage: "[NAME]",
		Description: "Without NAME it lists what there is. NAME is a connection or connector (odoo), an operation or event\n" +
			"(woocommerce.orders.get, woocommerce.order.created), a type of records (odoo/sale.order), functions or one of\n" +
			"them (truncate), links or one (links.partner), settings or one (settings.tax), flows or one (flow.order-lines), feeds,\n" +
			"schedules or one (feed.odoo_stock), events, or the engine's own calls (run, app).\n\n" +
			"Example: flowctl describe woocommerce.orders.get",
		Flags: []cli.Flag{flowsFlag(), jsonFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 {
				return failure(exitUsage, "describe takes one name, not %d", c.NArg())
			}
			m, err := openManual(c)
			if err != nil {
				return err
			}
			found, ok := m.find(c.Args().First())
			if !ok {
				return failure(exitUsage, "there is nothing named %q%s; flowctl describe lists what there is", c.Args().First(), m.near(c.Args().First()))
			}
			if c.Bool("json") {
				return printJSON(c.App.Writer, found)
			}
			text := reference.NewText(c.App.Writer, terminalWidth())
			show(text, found)
			return text.Err()
		},
	}
}

// terminalWidth is what the shell says of the terminal, in characters.
func terminalWidth() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return 100
}

// manual is all that can be described: the connections of the app in use and the
// connectors built in, under the names that calls begin with.
type manual struct {
	app        *flow.App // nil where there is none
	connectors []reference.Connector
}

// openManual reads the app as far as it can be read: a flow with mistakes is a
// reason to look things up.
func openManual(c *cli.Context) (*manual, error) {
	fsys, name := flowsFolder(c)
	app, _, err := flow.Load(fsys, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, failure(exitUsage, "%w", err)
	}
	m := &manual{app: app}
	add := func(name string, spec connectors.Spec) {
		if !slices.ContainsFunc(m.connectors, func(c reference.Connector) bool { return c.Name == name }) {
			m.connectors = append(m.connectors, reference.OfConnector(name, spec))
		}
	}
	if app != nil {
		for _, connection := range app.Connections {
			add(connection.Name, connection.Spec)
		}
	}
	for _, name := range connectors.Names() {
		connector, _ := connectors.Lookup(name)
		add(name, connector.Spec())
	}
	own := flow.EngineOperations()
	for i := range own {
		own[i].Effect = "" // on no system
	}
	add("run", connectors.Spec{Name: "run", Title: "The run itself", Summary: "Ends the run by the flow's own decision.", Operations: own})
	add(flow.AppName, app.OwnSpec())
	return m, nil
}

// find returns what a name stands for: a manual or a part of one of the types of
// package reference.
func (m *manual) find(name string) (any, bool) {
	switch name {
	case "":
		return m.overview(), true
	case "functions":
		return reference.Functions(), true
	}
	if part, found := m.ofApp(name); found {
		return part, true
	}
	for _, c := range m.connectors {
		if part, found := m.ofConnector(c, name); found {
			return part, true
		}
	}
	if part, found := m.ofFlows(name); found {
		return part, true
	}
	functions := reference.Functions()
	if i := slices.IndexFunc(functions, func(f reference.Function) bool { return f.Name == name }); i >= 0 {
		return functions[i], true
	}
	return nil, false
}

func (m *manual) ofConnector(c reference.Connector, name string) (any, bool) {
	if name == c.Name {
		return c, true
	}
	if record, ok := strings.CutPrefix(name, c.Name+"/"); ok {
		return m.record(c.Name, record)
	}
	for _, op := range c.Operations {
		if op.Name == name {
			return op, true
		}
	}
	for _, event := range c.Events {
		if event.Name == name {
			return event, true
		}
	}
	return nil, false
}

// record is a type of records: that of the app's own system where it was pulled.
func (m *manual) record(connection, name string) (any, bool) {
	app := m.app
	if app == nil {
		app = &flow.App{}
	}
	schema, ok := app.Resource(connection, name)
	if !ok {
		return nil, false
	}
	return reference.OfRecord(connection+"/"+name, schema), true
}

// near lists names that hold, or are held by, what was asked for.
func (m *manual) near(name string) string {
	var all []string
	for _, c := range m.connectors {
		all = append(all, c.Name)
		for _, op := range c.Operations {
			all = append(all, op.Name)
		}
		for _, event := range c.Events {
			all = append(all, event.Name)
		}
	}
	for _, f := range reference.Functions() {
		all = append(all, f.Name)
	}
	if m.app != nil {
		all = append(all, flowNames(m.app)...)
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	var found []string
	for _, candidate := range all {
		if len(found) < 5 && len(last) > 2 && strings.Contains(candidate, strings.TrimSuffix(last, "s")) {
			found = append(found, candidate)
		}
	}
	if len(found) == 0 {
		return ""
	}
	return fmt.Sprintf(" (near: %s)", strings.Join(found, ", "))
}
