package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

func linksCommand() *cli.Command {
	return group("links", "see and mend which record is which",
		"A link says that a local record (Odoo's) and a remote one (the shop's) are the same thing.\n"+
			"Without its link, the next run that needs a record matches it again.\n\n"+
			"Example: flowctl links list --table partner",
		linksListCommand(), linksShowCommand(), linksRemoveCommand(), linksExportCommand(), linksImportCommand(), linksRebuildCommand())
}

// linkFlags select links.
func linkFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "table", Usage: "only this link table of app.yaml"},
		&cli.StringFlag{Name: "local", Usage: "only the link of this local record"},
		&cli.StringFlag{Name: "remote", Usage: "only the link of this remote record"},
	}
}

// readLinkFilter reads the flags. The name of a table is checked, where the app
// can be loaded: a wrong one would find nothing, and that would look like truth.
func readLinkFilter(c *cli.Context) (store.LinkFilter, error) {
	f := store.LinkFilter{Instance: c.String("instance"), Table: c.String("table"), Local: c.String("local"), Remote: c.String("remote")}
	if f.Table == "" {
		return f, nil
	}
	app, err := loadApp(c)
	if err != nil {
		return f, err
	}
	if _, ok := app.Table(f.Table); !ok {
		return f, noTable(app, f.Table)
	}
	return f, nil
}

func noTable(app *flow.App, name string) error {
	var names []string
	for _, t := range app.Tables {
		names = append(names, t.Name)
	}
	return failure(exitUsage, "there is no link table %q; there are: %s", name, strings.Join(names, ", "))
}

// linkView is a link as it is printed, exported and imported.
type linkView struct {
	ID           int64           `json:"id,omitempty"`
	Instance     string          `json:"instance,omitempty"`
	Table        string          `json:"table"`
	Local        string          `json:"local"`
	Remote       string          `json:"remote"`
	State        store.LinkState `json:"state,omitempty"`
	Fingerprints json.RawMessage `json:"fingerprints,omitempty"`
	Run          int64           `json:"run,omitempty"` // that wrote it last
	Updated      time.Time       `json:"updated_at,omitzero"`
}

func linkViewOf(l store.Link) linkView {
	return linkView{ID: l.ID, Instance: l.Instance, Table: l.Table, Local: l.Local, Remote: l.Remote, State: l.State,
		Fingerprints: rawJSON(l.Fingerprints), Run: l.RunID, Updated: l.UpdatedAt}
}

// eachLink visits links in the order they were made, up to limit (0: all).
func eachLink(c *cli.Context, st store.Store, filter store.LinkFilter, limit int, visit func([]store.Link) error) error {
	for left := limit; ; {
		filter.Limit = store.MaxPage
		if limit > 0 {
			filter.Limit = min(store.MaxPage, left)
		}
		links, err := st.Links(c.Context, filter)
		if err != nil || len(links) == 0 {
			return err
		}
		if err := visit(links); err != nil {
			return err
		}
		left -= len(links)
		if limit > 0 && left <= 0 || len(links) < filter.Limit {
			return nil
		}
		filter.After = links[len(links)-1].ID
	}
}

func linksListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list links, oldest first",
		Description: "Example: flowctl links list --table sale_order --remote 1234\n" +
			"         flowctl links list --table product --json",
		Flags: slices.Concat(storeFlags(), linkFlags(), []cli.Flag{
			flowsFlag(),
			&cli.IntFlag{Name: "limit", Value: 50, Usage: "at most this many; 0 means all"},
			jsonFlag(),
		}),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			filter, err := readLinkFilter(c)
			if err != nil {
				return err
			}
			return withStore(c, false, func(st store.Store) error { return listLinks(c, st, filter) })
		},
	}
}

func listLinks(c *cli.Context, st store.Store, filter store.LinkFilter) error {
	asJSON, list, listed := c.Bool("json"), jsonArray{w: c.App.Writer}, 0
	err := eachLink(c, st, filter, c.Int("limit"), func(links []store.Link) error {
		listed += len(links)
		if !asJSON {
			return printLinks(c.App.Writer, links, listed == len(links))
		}
		for _, l := range links {
			if err := list.add(linkViewOf(l)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		return list.end()
	}
	if listed == 0 {
		fmt.Fprintln(c.App.ErrWriter, "no such links")
	}
	if limit := c.Int("limit"); limit > 0 && listed == limit {
		fmt.Fprintf(c.App.ErrWriter, "the first %d; --limit 0 lists all\n", limit)
	}
	return nil
}

func printLinks(w io.Writer, links []store.Link, header bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if header {
		fmt.Fprintln(table, "ID\tTABLE\tLOCAL\tREMOTE\tSTATE\tCHANGED")
	}
	for _, l := range links {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.Table, orDash(l.Local), orDash(oneLine(l.Remote, 60)), l.State, clock(l.UpdatedAt))
	}
	return table.Flush()
}

func linksShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show one link with its fingerprints",
		ArgsUsage: "[ID]",
		Description: "A fingerprint stands for the value that a field had when it was written or read last.\n\n" +
			"Example: flowctl links show --table partner --remote 25",
		Flags: slices.Concat(storeFlags(), linkFlags(), []cli.Flag{flowsFlag(), jsonFlag()}),
		Action: func(c *cli.Context) error {
			filter, err := readLinkFilter(c)
			if err != nil {
				return err
			}
			return withStore(c, false, func(st store.Store) error {
				l, err := oneLink(c, st, filter)
				if err != nil {
					return err
				}
				if c.Bool("json") {
					return printJSON(c.App.Writer, linkViewOf(l))
				}
				printLink(c, linkViewOf(l))
				return nil
			})
		},
	}
}

// oneLink finds the link that an id names, or a table and one of its sides.
func oneLink(c *cli.Context, st store.Store, filter store.LinkFilter) (store.Link, error) {
	if c.NArg() > 1 || (c.NArg() == 1) == (filter.Table != "") {
		return store.Link{}, failure(exitUsage, "name one link by its id, or by --table with --local or --remote")
	}
	if c.NArg() == 1 {
		id, err := strconv.ParseInt(c.Args().First(), 10, 64)
		if err != nil || id <= 0 {
			return store.Link{}, failure(exitUsage, "%q is no id of a link; flowctl links list shows them", c.Args().First())
		}
		links, err := st.Links(c.Context, store.LinkFilter{Instance: filter.Instance, After: id - 1, Limit: 1})
		if err != nil {
			return store.Link{}, err
		}
		if len(links) == 0 || links[0].ID != id {
			return store.Link{}, failure(exitUsage, "there is no link %d of the instance %q", id, filter.Instance)
		}
		return links[0], nil
	}
	if filter.Local == "" && filter.Remote == "" {
		return store.Link{}, failure(exitUsage, "--table needs --local or --remote beside it")
	}
	links, err := st.Links(c.Context, filter)
	if err != nil {
		return store.Link{}, err
	}
	if len(links) == 0 {
		return store.Link{}, failure(exitFailed, "there is no such link in %s", filter.Table)
	}
	return links[0], nil
}

func printLink(c *cli.Context, v linkView) {
	w := c.App.Writer
	fmt.Fprintf(w, "link %d in %s: %s\n  local     %s\n  remote    %s\n  instance  %s\n  changed   %s",
		v.ID, v.Table, v.State, orDash(v.Local), orDash(v.Remote), v.Instance, clock(v.Updated))
	if v.Run != 0 {
		fmt.Fprintf(w, " by run %d", v.Run)
	}
	fmt.Fprintln(w)
	if len(v.Fingerprints) > 0 {
		fmt.Fprintf(w, "  fingerprints  %s\n", v.Fingerprints)
	}
}

func linksRemoveCommand() *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "forget one link",
		ArgsUsage: "[ID]",
		Description: "The records stay as they are. The next run that needs the link matches again, and where nothing matches it makes\n" +
			"a new record.\n\n" +
			"Example: flowctl links remove --table partner --remote 25",
		Flags: slices.Concat(storeFlags(), linkFlags(), []cli.Flag{flowsFlag(), jsonFlag()}),
		Action: func(c *cli.Context) error {
			filter, err := readLinkFilter(c)
			if err != nil {
				return err
			}
			return withStore(c, false, func(st store.Store) error {
				l, err := oneLink(c, st, filter)
				if err != nil {
					return err
				}
				err = st.DeleteLink(c.Context, l.Instance, l.ID)
				if errors.Is(err, store.ErrNotFound) {
					return failure(exitFailed, "link %d is gone already", l.ID)
				}
				if err != nil {
					return err
				}
				if c.Bool("json") {
					return printJSON(c.App.Writer, linkViewOf(l))
				}
				fmt.Fprintf(c.App.Writer, "removed link %d in %s: %s = %s\n", l.ID, l.Table, orDash(l.Local), orDash(l.Remote))
				return nil
			})
		},
	}
}
