package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/flows"
)

func flowsFlag() cli.Flag {
	return &cli.StringFlag{Name: "flows", EnvVars: []string{"FLOWCTL_FLOWS"}, Usage: "folder with app.yaml; without it ./flows, or the app built in"}
}

// flowsFolder is the app in use: the folder named, ./flows if it is one, or the
// app built into the program.
func flowsFolder(c *cli.Context) (fs.FS, string) {
	if folder := c.String("flows"); folder != "" {
		return os.DirFS(folder), folder
	}
	if _, err := os.Stat(filepath.Join("flows", flow.AppFile)); err == nil {
		return os.DirFS("flows"), "flows"
	}
	return flows.Files, "flows"
}

func instanceFlag() cli.Flag {
	return &cli.StringFlag{Name: "instance", EnvVars: []string{"FLOWCTL_INSTANCE"}, Value: "main", Usage: "the shop"}
}

// engineFlags are the flags of commands that open an engine.
func engineFlags() []cli.Flag {
	return []cli.Flag{
		flowsFlag(),
		instanceFlag(),
		&cli.StringFlag{Name: "data", EnvVars: []string{"FLOWCTL_DATA"}, Value: "data", Usage: "folder for the database and the key"},
		&cli.StringFlag{Name: "database-url", EnvVars: []string{"FLOWCTL_DATABASE_URL"}, Usage: "postgres://…; without it SQLite in the data folder"},
		&cli.StringFlag{Name: "redis-url", EnvVars: []string{"FLOWCTL_REDIS_URL"}, Usage: "redis://…; without it one within this process"},
		&cli.StringFlag{Name: "log-level", EnvVars: []string{"FLOWCTL_LOG_LEVEL"}, Value: "info", Usage: "debug, info, warn or error"},
	}
}

// machineVariables configure the machine, not an instance's settings.
var machineVariables = map[string]bool{
	"FLOWS": true, "INSTANCE": true, "DATA": true, "DATABASE_URL": true, "REDIS_URL": true, "LOG_LEVEL": true,
	"LISTEN": true, "PUBLIC_URL": true, "SECRET_KEY": true, "CA_FILE": true,
	"LEASE": true, "RETRY_BACKOFF": true, "REQUEST_TIMEOUT": true,
}

// settingsFromEnvironment reads FLOWCTL_<NAME> for every setting that the app
// declares.
func settingsFromEnvironment(app *flow.App) map[string]string {
	values := map[string]string{}
	for _, s := range app.Settings() {
		name := strings.ToUpper(s.Name)
		if machineVariables[name] {
			continue
		}
		if v, ok := os.LookupEnv("FLOWCTL_" + name); ok {
			values[s.Name] = v
		}
	}
	return values
}

func newLog(c *cli.Context) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return nil, failure(exitUsage, "--log-level: %q is none of debug, info, warn, error", c.String("log-level"))
	}
	return slog.New(slog.NewTextHandler(c.App.ErrWriter, &slog.HandlerOptions{Level: level})), nil
}

// engineConfig is the engine's configuration by flags and environment.
func engineConfig(c *cli.Context) (engine.Config, error) {
	log, err := newLog(c)
	if err != nil {
		return engine.Config{}, err
	}
	config := engine.Config{
		DatabaseURL: c.String("database-url"), RedisURL: c.String("redis-url"), Log: log,
		Instances: []string{c.String("instance")}, OverrideInstance: c.String("instance"),
	}
	config.Flows, config.FlowsName = flowsFolder(c)
	app, found, err := flow.Load(config.Flows, config.FlowsName)
	if err != nil {
		return engine.Config{}, failure(exitUsage, "%w", err)
	}
	if found.Failed() {
		if err := found.Render(c.App.ErrWriter, "text", app.Sources); err != nil {
			return engine.Config{}, err
		}
		return engine.Config{}, failure(exitInvalid, "the flows have errors; nothing was started")
	}
	config.Overrides = settingsFromEnvironment(app)
	data := c.String("data")
	if config.DatabaseURL == "" {
		if err := os.MkdirAll(data, 0o700); err != nil {
			return engine.Config{}, failure(exitStore, "making the data folder: %w", err)
		}
		config.DatabaseURL = "sqlite:" + filepath.Join(data, "flowctl.db")
	}
	if config.Sealer, err = sealer(data); err != nil {
		return engine.Config{}, failure(exitSetting, "%w", err)
	}
	return config, nil
}

// sealer seals secrets with FLOWCTL_SECRET_KEY, or with a key file that is made
// in the data folder.
func sealer(data string) (*settings.Sealer, error) {
	if key := os.Getenv("FLOWCTL_SECRET_KEY"); key != "" {
		return settings.NewSealer(key)
	}
	return settings.SealerFromFile(filepath.Join(data, "secret.key"))
}

// openEngine opens an engine and gives its errors their exit codes.
func openEngine(c *cli.Context, config engine.Config) (*engine.Engine, error) {
	e, err := engine.Open(c.Context, config)
	var found flow.Diagnostics
	switch {
	case errors.As(err, &found):
		return nil, &exitError{exitInvalid, err}
	case err != nil:
		return nil, &exitError{exitStore, fmt.Errorf("opening the store: %w", err)}
	}
	return e, nil
}
