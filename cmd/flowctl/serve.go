package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/urfave/cli/v2"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "accept webhooks and work flows, until told to stop",
		Description: "Settings come from the store, over which FLOWCTL_<SETTING> wins: FLOWCTL_SHOP_URL, FLOWCTL_CONSUMER_KEY,\n" +
			"FLOWCTL_CONSUMER_SECRET, FLOWCTL_WEBHOOK_SECRET, FLOWCTL_ODOO_URL, FLOWCTL_ODOO_DB, FLOWCTL_ODOO_LOGIN,\n" +
			"FLOWCTL_ODOO_API_KEY and every other setting of app.yaml. Secrets are sealed with FLOWCTL_SECRET_KEY, or with\n" +
			"a key file in the data folder.\n\n" +
			"Point the shop's webhooks at http://<listen>/hooks/<instance>/woocommerce.\n\n" +
			"Example: FLOWCTL_SHOP_URL=https://shop.example flowctl serve --listen :8080",
		Flags: slices.Concat(engineFlags(), rhythmFlags(), []cli.Flag{
			&cli.StringFlag{Name: "listen", EnvVars: []string{"FLOWCTL_LISTEN"}, Value: "127.0.0.1:8080", Usage: "address for webhooks and health"},
			&cli.IntFlag{Name: "workers", Value: 8, Usage: "runs worked at once"},
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
			e, err := openEngine(c, config)
			if err != nil {
				return err
			}
			if config.RedisURL == "" {
				config.Log.Info("the queue is within this process; the store remembers what is waiting. Set FLOWCTL_REDIS_URL to share work with other machines")
			}
			return errors.Join(serve(c, e.Handler(), e.Start), e.Close())
		},
	}
}

// serve starts the engine and listens until the command is told to stop.
func serve(c *cli.Context, handler http.Handler, start func(context.Context) error) error {
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
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Fprintf(c.App.ErrWriter, "flowctl %s listens on http://%s\n", versionText(), listener.Addr())
	select {
	case err := <-failed:
		return fmt.Errorf("listening: %w", err)
	case <-c.Context.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}
