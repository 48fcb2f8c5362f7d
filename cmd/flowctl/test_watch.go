package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"github.com/flowctl/flowctl/engine/watch"
)

// watchTests runs the tests, and again after each saving, until it is told to
// stop. What goes wrong is told, and does not end it.
func watchTests(c *cli.Context, only *regexp.Regexp) error {
	files, err := testFiles(c)
	if err != nil {
		return err
	}
	var folders []string
	for _, file := range files {
		if !slices.Contains(folders, file.folder) {
			folders = append(folders, file.folder)
		}
	}
	saved := make(chan struct{}, 1)
	group, ctx := errgroup.WithContext(c.Context)
	for _, folder := range folders {
		group.Go(func() error {
			return watch.Folder(ctx, folder, isFlowFile, func() {
				select {
				case saved <- struct{}{}:
				default: // one more is waiting already
				}
			})
		})
	}
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-saved:
			}
			if err := runTests(c, only); err != nil && err.Error() != "" {
				fmt.Fprintf(c.App.ErrWriter, "flowctl: %v\n", err)
			}
			fmt.Fprintln(c.App.ErrWriter, "waiting for a file to be saved; end with Ctrl-C")
		}
	})
	return group.Wait()
}

// isFlowFile tells whether a file is part of an app or its tests.
func isFlowFile(path string) bool {
	return strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".json")
}
