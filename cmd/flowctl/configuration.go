package main

import (
	"embed"
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
	"github.com/flowctl/flowctl/engine/instance"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
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

// storeFlags are the flags of commands that open the store.
func storeFlags() []cli.Flag { return append([]cli.Flag{instanceFlag()}, databaseFlags()...) }

// databaseFlags are those of commands that are about no one instance.
func databaseFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "data", EnvVars: []string{"FLOWCTL_DATA"}, Value: "data", Usage: "folder for the database and the key"},
		&cli.StringFlag{Name: "database-url", EnvVars: []string{"FLOWCTL_DATABASE_URL"}, Usage: "postgres://…; without it SQLite in the data folder"},
	}
}

// engineFlags are the flags of commands that open an engine.
func engineFlags() []cli.Flag {
	return append(storeFlags(),
		flowsFlag(),
		&cli.StringFlag{Name: "redis-url", EnvVars: []string{"FLOWCTL_REDIS_URL"}, Usage: "redis://…; without it one within this process"},
		&cli.StringFlag{Name: "ca-file", EnvVars: []string{"FLOWCTL_CA_FILE"}, Usage: "PEM file of certificates to trust besides the machine's own"},
		&cli.StringFlag{Name: "log-level", EnvVars: []string{"FLOWCTL_LOG_LEVEL"}, Value: "info", Usage: "debug, info, warn or error"},
	)
}

// machineVariables configure the machine, not an instance's settings.
var machineVariables = map[string]bool{
	"FLOWS": true, "INSTANCE": true, "DATA": true, "DATABASE_URL": true, "REDIS_URL": true, "LOG_LEVEL": true,
	"LISTEN": true, "PUBLIC_URL": true, "SECRET_KEY": true, "CA_FILE": true,
	"METRICS_LISTEN": true, "METRICS_TOKEN": true,
	"LEASE": true, "RETRY_BACKOFF": true, "REQUEST_TIMEOUT": true, "UNCLEAR_WAIT": true, "LATE_WAIT": true, "ROLES": true,
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

// overriddenInstance is the one instance whose settings the environment
// overrides: that of FLOWCTL_INSTANCE, for the variables beside it are that
// shop's, or else that of the command.
func overriddenInstance(c *cli.Context) string {
	if name := os.Getenv("FLOWCTL_INSTANCE"); name != "" {
		return name
	}
	return c.String("instance")
}

// given are the settings that the environment overrides for the command's
// instance.
func given(c *cli.Context, app *flow.App) map[string]string {
	if overriddenInstance(c) != c.String("instance") {
		return nil
	}
	return settingsFromEnvironment(app)
}

func newLog(c *cli.Context) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return nil, failure(exitUsage, "--log-level: %q is none of debug, info, warn, error", c.String("log-level"))
	}
	return slog.New(slog.NewTextHandler(c.App.ErrWriter, &slog.HandlerOptions{Level: level})), nil
}

// loadApp loads the app in use, and tells what is wrong with its flows.
func loadApp(c *cli.Context) (*flow.App, error) {
	fsys, name := flowsFolder(c)
	app, found, err := flow.Load(fsys, name)
	if err != nil {
		return nil, failure(exitUsage, "%w", err)
	}
	if found.Failed() {
		if err := found.Render(c.App.ErrWriter, "text", app.Sources); err != nil {
			return nil, err
		}
		return nil, failure(exitInvalid, "the flows have errors; nothing was started")
	}
	return app, nil
}

// sqliteURL is the database in the data folder.
func sqliteURL(data string) string { return "sqlite:" + filepath.Join(data, "flowctl.db") }

// engineConfig is the engine's configuration by flags and environment.
func engineConfig(c *cli.Context) (engine.Config, error) {
	log, err := newLog(c)
	if err != nil {
		return engine.Config{}, err
	}
	config := engine.Config{
		DatabaseURL: c.String("database-url"), RedisURL: c.String("redis-url"), Log: log,
		Version: versionText(), OverrideInstance: overriddenInstance(c), PublicURL: os.Getenv("FLOWCTL_PUBLIC_URL"),
	}
	config.Flows, config.FlowsName = flowsFolder(c)
	if _, builtIn := config.Flows.(embed.FS); !builtIn {
		config.FlowsFolder = config.FlowsName
	}
	app, err := loadApp(c)
	if err != nil {
		return engine.Config{}, err
	}
	if config.HTTPClient, err = clientWithRoots(c.String("ca-file")); err != nil {
		return engine.Config{}, &exitError{exitSetting, err}
	}
	config.Overrides = settingsFromEnvironment(app)
	data := c.String("data")
	if config.DatabaseURL == "" {
		if err := os.MkdirAll(data, 0o700); err != nil {
			return engine.Config{}, failure(exitStore, "making the data folder: %w", err)
		}
		config.DatabaseURL = sqliteURL(data)
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

// withEngine opens an engine for a command and closes it after.
func withEngine(c *cli.Context, do func(*engine.Engine) error) error {
	config, err := engineConfig(c)
	if err != nil {
		return err
	}
	e, err := openEngine(c, config)
	if err != nil {
		return err
	}
	return errors.Join(do(e), e.Close())
}

// withStore opens the store alone, for commands that look at what was done: they
// work whatever the flows have become. A database that does not exist yet is
// made only where something is to be written into it.
func withStore(c *cli.Context, mayMake bool, do func(store.Store) error) error {
	url := c.String("database-url")
	if url == "" {
		url = sqliteURL(c.String("data"))
		if _, err := os.Stat(strings.TrimPrefix(url, "sqlite:")); errors.Is(err, fs.ErrNotExist) && !mayMake {
			return failure(exitStore, "nothing has run here: there is no database in the folder %q; name it by --data or FLOWCTL_DATA", c.String("data"))
		}
	}
	st, err := store.Open(c.Context, url)
	if err != nil {
		return failure(exitStore, "opening the store: %w", err)
	}
	err = requireInstance(c, instance.Registry{Store: st})
	if err == nil {
		err = do(st)
	}
	return errors.Join(asStoreError(err), st.Close())
}

// requireInstance fails when there is no instance of the command's --instance.
func requireInstance(c *cli.Context, registry instance.Registry) error {
	name := c.String("instance")
	if name == "" {
		return nil // a command that is about none
	}
	_, err := registry.Get(c.Context, name)
	var unknown *instance.UnknownError
	if errors.As(err, &unknown) {
		return &exitError{exitUsage, err}
	}
	return asStoreError(err)
}

// asStoreError gives errors of the database their exit code.
func asStoreError(err error) error {
	var exit *exitError
	if errors.Is(err, store.ErrUnavailable) && !errors.As(err, &exit) {
		return &exitError{exitStore, err}
	}
	return err
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
	if err := requireInstance(c, e.Instances()); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}
