package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/panel"
)

// withPanel puts the panel beside what the engine serves, where this process has
// that role; nil where it has not.
func withPanel(c *cli.Context, e *engine.Engine, config engine.Config, handler http.Handler) (http.Handler, *panel.Panel, error) {
	if !config.Has(engine.RolePanel) {
		return handler, nil, nil
	}
	p, err := panel.New(panel.Config{Engine: e, Log: config.Log, Version: versionText(), PublicURL: os.Getenv("FLOWCTL_PUBLIC_URL")})
	if err != nil {
		return nil, nil, &exitError{exitSetting, err}
	}
	mux := http.NewServeMux()
	for _, path := range enginePaths {
		mux.Handle(path, handler)
	}
	mux.Handle("/", p.Handler())
	return mux, p, nil
}

// enginePaths are what the engine serves; all others are the panel's.
var enginePaths = []string{"/hooks/", "/healthz", "/readyz", "/metrics"}

// tellSetup prints the link by which the first account is made, while there is
// none.
func tellSetup(c *cli.Context, p *panel.Panel, address string) error {
	if p == nil {
		return nil
	}
	path, err := p.SetupPath(c.Context)
	if err != nil {
		return &exitError{exitStore, err}
	}
	if path == "" {
		return nil
	}
	_, err = fmt.Fprintf(c.App.ErrWriter, "The panel has no account yet. Make yours, once, at:\n  http://%s%s\nor by: flowctl users add NAME\n", address, path)
	return err
}

func closePanel(p *panel.Panel) error {
	if p == nil {
		return nil
	}
	return p.Close()
}
