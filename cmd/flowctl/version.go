package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/connectors"
)

// version is set by the build (-ldflags -X main.version=…).
var version = ""

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print what was built: version, commit, Go, connectors",
		Description: "Put its output into a report of a fault.\n\nExample: flowctl version --json",
		Flags:       []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			b := thisBuild()
			if c.Bool("json") {
				return jsonLines(c.App.Writer).Encode(b)
			}
			_, err := fmt.Fprintf(c.App.Writer, "flowctl %s\ncommit     %s\ngo         %s\nplatform   %s\nconnectors %v\n",
				b.Version, b.Commit, b.Go, b.Platform, b.Connectors)
			return err
		},
	}
}

// build is what a program was made from.
type build struct {
	Version    string   `json:"version"`
	Commit     string   `json:"commit"` // "unknown" outside a checkout; "+changed" where files differed from it
	Go         string   `json:"go"`
	Platform   string   `json:"platform"`
	Connectors []string `json:"connectors"`
}

func thisBuild() build {
	b := build{Version: versionText(), Commit: "unknown", Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Connectors: connectors.Names()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	changed := ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			b.Commit = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			changed = "+changed"
		}
	}
	b.Commit += changed
	return b
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "development"
}
