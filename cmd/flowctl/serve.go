package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/panel"
	"github.com/flowctl/flowctl/engine/store"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "accept webhooks, work flows and show the panel, until told to stop",
		Description: "Settings come from the store, over which FLOWCTL_<SETTING> wins: FLOWCTL_SHOP_URL, FLOWCTL_CONSUMER_KEY,\n" +
			"FLOWCTL_CONSUMER_SECRET, FLOWCTL_WEBHOOK_SECRET, FLOWCTL_ODOO_URL, FLOWCTL_ODOO_DB, FLOWCTL_ODOO_LOGIN,\n" +
			"FLOWCTL_ODOO_API_KEY and every other setting of app.yaml. Secrets are sealed with FLOWCTL_SECRET_KEY, or with\n" +
			"a key file in the data folder.\n\n" +
			"The panel is at http://<listen>/; the first start prints a link to make your account. Point the shop's\n" +
			"webhooks at http://<listen>/hooks/<instance>/woocommerce.\n\n" +
			"Example: FLOWCTL_SHOP_URL=https://shop.example flowctl serve --listen :8080",
		Flags: slices.Concat(engineFlags(), rhythmFlags(), []cli.Flag{
			&cli.StringFlag{Name: "listen", EnvVars: []string{"FLOWCTL_LISTEN"}, Value: "127.0.0.1:8080", Usage: "address for the panel, webhooks and health"},
			&cli.StringFlag{Name: "roles", EnvVars: []string{"FLOWCTL_ROLES"}, Usage: "what this process does, by comma: ingress, worker, scheduler, panel; without it all"},
			&cli.IntFlag{Name: "workers", Value: 8, Usage: "runs worked at once"},
			metricsFlag(),
		}),
		Action: func(c *cli.Context) error {
			config, err := engineConfig(c)
			if err != nil {
				return err
			}
			config.Workers = c.Int("workers")
			if err := setRhythm(c, &config); err != nil {
				return err
			}
			if config.Roles, err = engine.ParseRoles(c.String("roles")); err != nil {
				return failure(exitUsage, "--roles: %w", err)
			}
			e, err := openWhenThere(c, config)
			if err != nil {
				return err
			}
			if config.RedisURL == "" {
				config.Log.Info("the queue is within this process; the store remembers what is waiting. Set FLOWCTL_REDIS_URL to share work with other machines")
			}
			handler, p, err := withPanel(c, e, config, e.Handler())
			if err != nil {
				return errors.Join(err, e.Close())
			}
			handler, metrics, err := withMetrics(c, e.Metrics(), handler)
			if err != nil {
				return errors.Join(err, closePanel(p), e.Close())
			}
			return errors.Join(serve(c, handler, p, e.Start), metrics.close(), closePanel(p), e.Close())
		},
	}
}

// The pauses between looks for a database that is away.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
)

// openWhenThere opens the engine, waiting for a database server that is away: a
// machine that starts should not depend on the order in which its services do.
func openWhenThere(c *cli.Context, config engine.Config) (*engine.Engine, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		e, err := openEngine(c, config)
		remote := strings.HasPrefix(config.DatabaseURL, "postgres")
		if err == nil || !remote || !errors.Is(err, store.ErrUnavailable) || c.Context.Err() != nil {
			return e, err
		}
		config.Log.Warn("the database is not there; waiting for it", "next", pause, "error", err)
		select {
		case <-c.Context.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

// serve starts the engine and listens until the command is told to stop.
func serve(c *cli.Context, handler http.Handler, p *panel.Panel, start func(context.Context) error) error {
	listener, err := net.Listen("tcp", c.String("listen"))
	if err != nil {
		return failure(exitUsage, "--listen: %w", err)
	}
	// The workers end by Close, after requests in hand: not with the signal.
	if err := start(context.WithoutCancel(c.Context)); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	if p != nil {
		server.RegisterOnShutdown(p.EndStreams)
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Fprintf(c.App.ErrWriter, "flowctl %s listens on http://%s\n", versionText(), listener.Addr())
	if err := tellSetup(c, p, listener.Addr().String()); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-failed:
		return fmt.Errorf("listening: %w", err)
	case <-c.Context.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}
