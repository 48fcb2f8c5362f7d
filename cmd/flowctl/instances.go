package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/instance"
	"github.com/flowctl/flowctl/engine/store"
)

func instancesCommand() *cli.Command {
	return group("instances", "the shops that this installation serves",
		"Each has its own settings, links, runs and webhook addresses; main is there from the beginning. A change holds at\n"+
			"once in all processes, without a restart.\n\n"+
			"Example: flowctl instances add acme \"Acme Ltd.\"",
		instancesListCommand(), instancesAddCommand(), instancesRenameCommand(),
		instanceChange("pause", "accept events and work none, until resumed", "paused", instance.Registry.Pause),
		instanceChange("resume", "work a paused instance again", "active", instance.Registry.Resume),
		instancesRemoveCommand())
}

// instanceView is an instance as it is printed.
type instanceView struct {
	Name    string              `json:"name"`
	Title   string              `json:"title"`
	State   store.InstanceState `json:"state"`
	Created time.Time           `json:"created_at"`
	Runs    map[store.State]int `json:"runs"`
}

func instancesListCommand() *cli.Command {
	return &cli.Command{
		Name:        "list",
		Usage:       "list all instances, and what waits or needs a person there",
		Description: "Example: flowctl instances list",
		Flags:       append(databaseFlags(), jsonFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return withStore(c, true, func(st store.Store) error {
				views, err := instanceViews(c, st)
				if err != nil {
					return err
				}
				if c.Bool("json") {
					return printJSON(c.App.Writer, views)
				}
				return printInstances(c.App.Writer, views)
			})
		},
	}
}

func instanceViews(c *cli.Context, st store.Store) ([]instanceView, error) {
	all, err := st.Instances(c.Context)
	if err != nil {
		return nil, err
	}
	views := []instanceView{}
	for _, i := range all {
		counts, err := st.Counts(c.Context, i.Name)
		if err != nil {
			return nil, err
		}
		views = append(views, instanceView{i.Name, i.Title, i.State, i.CreatedAt, counts})
	}
	return views, nil
}

func printInstances(w io.Writer, views []instanceView) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "INSTANCE\tSTATE\tOPEN\tHELD\tFAILED\tTITLE")
	for _, v := range views {
		open := v.Runs[store.Waiting] + v.Runs[store.Running] + v.Runs[store.Retrying]
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%s\n", v.Name, v.State, open, v.Runs[store.Held], v.Runs[store.Failed], v.Title)
	}
	return table.Flush()
}

func instancesAddCommand() *cli.Command {
	return &cli.Command{
		Name:      "add",
		Usage:     "make an instance",
		ArgsUsage: "NAME [TITLE]",
		Description: "The name stands in addresses: lower-case letters, digits and -. Give the shop its settings with\n" +
			"flowctl settings set --instance NAME.\n\n" +
			"Example: flowctl instances add acme \"Acme Ltd.\"",
		Flags: databaseFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() < 1 || c.NArg() > 2 {
				return failure(exitUsage, "instances add takes a name, and a title if you like")
			}
			name := c.Args().First()
			return changeInstance(c, func(r instance.Registry) error { return r.Add(c.Context, name, c.Args().Get(1)) },
				"%s is there; its webhooks go to /hooks/%s/<connection>\n", name, name)
		},
	}
}

func instancesRenameCommand() *cli.Command {
	return &cli.Command{
		Name:        "rename",
		Usage:       "change what an instance is called",
		ArgsUsage:   "NAME TITLE",
		Description: "Its name stays: records in both systems refer to it.\n\nExample: flowctl instances rename acme \"Acme Europe\"",
		Flags:       databaseFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 {
				return failure(exitUsage, "instances rename takes a name and a title")
			}
			name, title := c.Args().First(), c.Args().Get(1)
			return changeInstance(c, func(r instance.Registry) error { return r.Rename(c.Context, name, title) }, "%s is called %s\n", name, title)
		},
	}
}

// instanceChange is a command that changes the state of an instance.
func instanceChange(verb, usage, state string, change func(instance.Registry, context.Context, string) error) *cli.Command {
	return &cli.Command{
		Name: verb, Usage: usage, ArgsUsage: "NAME",
		Description: "Runs in hand are finished.\n\nExample: flowctl instances " + verb + " acme",
		Flags:       databaseFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return failure(exitUsage, "instances %s takes a name", verb)
			}
			name := c.Args().First()
			return changeInstance(c, func(r instance.Registry) error { return change(r, c.Context, name) }, "%s is %s\n", name, state)
		},
	}
}

func instancesRemoveCommand() *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "forget a paused instance: its settings, links, runs and events",
		ArgsUsage: "NAME",
		Description: "Nothing changes in the shop and in the ERP. flowctl links export keeps the links, without which a new instance for\n" +
			"the same shop has to match all records again.\n\n" +
			"Example: flowctl instances remove acme --yes",
		Flags: append(databaseFlags(), &cli.BoolFlag{Name: "yes", Usage: "really"}),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return failure(exitUsage, "instances remove takes a name")
			}
			name := c.Args().First()
			if !c.Bool("yes") {
				return failure(exitUsage, "this forgets all that is known of %s, and cannot be undone; --yes does it", name)
			}
			return changeInstance(c, func(r instance.Registry) error { return r.Remove(c.Context, name) }, "%s is removed\n", name)
		},
	}
}

// changeInstance makes a change and tells of it.
func changeInstance(c *cli.Context, change func(instance.Registry) error, done string, args ...any) error {
	return withStore(c, true, func(st store.Store) error {
		err := change(instance.Registry{Store: st})
		var (
			unknown *instance.UnknownError
			refused *instance.RefusedError
		)
		switch {
		case errors.As(err, &unknown):
			return &exitError{exitUsage, err}
		case errors.As(err, &refused):
			return &exitError{exitFailed, err}
		case err != nil:
			return err
		}
		fmt.Fprintf(c.App.ErrWriter, done, args...)
		return nil
	})
}
