package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/flow"
)

func validateCommand() *cli.Command {
	return &cli.Command{
		Name:      "validate",
		Usage:     "find every mistake in flow files before anything runs",
		ArgsUsage: "[PATH...]",
		Description: "PATH is a folder with an app.yaml, or a flow file within one; without PATH the app in use is checked.\n\n" +
			"Example: flowctl validate flows",
		Flags: []cli.Flag{
			flowsFlag(),
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json or github"},
		},
		Action: func(c *cli.Context) error {
			format := c.String("format")
			if format != "text" && format != "json" && format != "github" {
				return failure(exitUsage, "unknown format %q: text, json or github", format)
			}
			var (
				all     flow.Diagnostics
				sources = map[string]string{}
				flows   int
			)
			for _, target := range validationTargets(c) {
				app, found, err := target.load()
				if err != nil {
					return failure(exitUsage, "%w", err)
				}
				for name, text := range app.Sources {
					sources[name] = text
				}
				all = append(all, found...)
				flows += len(app.Flows)
			}
			if err := all.Render(c.App.Writer, format, sources); err != nil {
				return err
			}
			errorCount := 0
			for _, d := range all {
				if d.Severity == flow.SeverityError {
					errorCount++
				}
			}
			if format == "text" {
				fmt.Fprintf(c.App.ErrWriter, "%d flows, %d errors, %d warnings\n", flows, errorCount, len(all)-errorCount)
			}
			if errorCount > 0 {
				return &exitError{code: exitInvalid}
			}
			return nil
		},
	}
}

// target is an app to validate, or one file of it.
type target struct {
	fsys fs.FS
	name string // of the folder, as shown
	file string // within the folder; "" for all
}

func validationTargets(c *cli.Context) []target {
	if c.NArg() == 0 {
		fsys, name := flowsFolder(c)
		return []target{{fsys: fsys, name: name}}
	}
	var targets []target
	for _, path := range c.Args().Slice() {
		targets = append(targets, targetOf(path))
	}
	return targets
}

// targetOf finds the app that a path belongs to: the nearest folder above it that
// has an app.yaml.
func targetOf(path string) target {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return target{fsys: os.DirFS(path), name: path}
	}
	for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, flow.AppFile)); err == nil {
			file, relErr := filepath.Rel(folder, path)
			if relErr == nil {
				return target{fsys: os.DirFS(folder), name: folder, file: filepath.ToSlash(file)}
			}
		}
		if parent := filepath.Dir(folder); parent == folder {
			return target{fsys: os.DirFS(filepath.Dir(path)), name: filepath.Dir(path), file: filepath.Base(path)}
		}
	}
}

func (t target) load() (*flow.App, flow.Diagnostics, error) {
	var extra []string
	if t.file != "" {
		extra = []string{t.file}
	}
	app, found, err := flow.Load(t.fsys, t.name, extra...)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w (a folder of flows has an %s)", err, flow.AppFile)
	}
	if err != nil || t.file == "" {
		return app, found, err
	}
	shown := filepath.ToSlash(filepath.Join(t.name, t.file))
	var own flow.Diagnostics
	for _, d := range found {
		if d.File == shown {
			own = append(own, d)
		}
	}
	return app, own, nil
}
