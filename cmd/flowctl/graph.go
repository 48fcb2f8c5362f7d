package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/graph"
)

func graphCommand() *cli.Command {
	return &cli.Command{
		Name:      "graph",
		Usage:     "draw a flow with its steps, or all flows with the systems between them",
		ArgsUsage: "[FLOW]",
		Description: "Mermaid is drawn by GitHub, GitLab and most editors; dot by Graphviz.\n\n" +
			"Example: flowctl graph webhook-order-created --format mermaid",
		Flags: []cli.Flag{
			flowsFlag(),
			&cli.BoolFlag{Name: "all", Usage: "all flows: what starts them, what they call, which systems they read and write"},
			&cli.StringFlag{Name: "format", Value: "mermaid", Usage: strings.Join(graph.Formats, ", ")},
		},
		Action: func(c *cli.Context) error {
			if format := c.String("format"); !slices.Contains(graph.Formats, format) {
				return failure(exitUsage, "unknown format %q: %s", format, strings.Join(graph.Formats, ", "))
			}
			if c.Bool("all") == (c.NArg() == 1) || c.NArg() > 1 {
				return failure(exitUsage, "graph takes one flow, or --all")
			}
			app, err := loadApp(c)
			if err != nil {
				return err
			}
			if c.Bool("all") {
				return graph.OfApp(app).Render(c.App.Writer, c.String("format"))
			}
			f, ok := app.Flow(c.Args().First())
			if !ok {
				return failure(exitUsage, "there is no flow %q; there are: %s", c.Args().First(), strings.Join(flowNames(app), ", "))
			}
			return graph.OfFlow(f).Render(c.App.Writer, c.String("format"))
		},
	}
}
