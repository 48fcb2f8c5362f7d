package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// metricsPath is where Prometheus scrapes.
const metricsPath = "/metrics"

// metricsToken is the variable of the token that a scrape has to bear. It is no
// flag: what stands on the command line is seen by others.
const metricsToken = "FLOWCTL_METRICS_TOKEN"

// minMetricsToken is the least length of a token that guards the metrics.
const minMetricsToken = 16

func metricsFlag() cli.Flag {
	return &cli.StringFlag{Name: "metrics-listen", EnvVars: []string{"FLOWCTL_METRICS_LISTEN"},
		Usage: "address of their own for Prometheus' metrics; without it they are at /metrics of --listen for those who bear " + metricsToken + ", and nowhere without that"}
}

// metricsServer serves the metrics at an address of their own, or beside what
// the handler serves. They tell names of shops and flows and how much is done, so
// the open address never has them without a token.
type metricsServer struct {
	server *http.Server // nil where they have no address of their own
	failed chan error
}

// withMetrics returns the handler with the metrics beside it where they belong.
func withMetrics(c *cli.Context, metrics, handler http.Handler) (http.Handler, *metricsServer, error) {
	token := os.Getenv(metricsToken)
	if token != "" && len(token) < minMetricsToken {
		return nil, nil, failure(exitSetting, "%s needs at least %d characters", metricsToken, minMetricsToken)
	}
	guarded := guardMetrics(metrics, token)
	mux := http.NewServeMux()
	address := c.String("metrics-listen")
	if address == "" {
		if token == "" {
			return handler, &metricsServer{}, nil
		}
		mux.Handle("GET "+metricsPath, guarded)
		mux.Handle("/", handler)
		return mux, &metricsServer{}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, failure(exitUsage, "--metrics-listen: %w", err)
	}
	mux.Handle("GET "+metricsPath, guarded)
	m := &metricsServer{failed: make(chan error, 1), server: &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}}
	go func() { m.failed <- m.server.Serve(listener) }()
	fmt.Fprintf(c.App.ErrWriter, "metrics at http://%s%s\n", listener.Addr(), metricsPath)
	return handler, m, nil
}

// close ends the server of the metrics. It returns why it ended before, if it did.
func (m *metricsServer) close() error {
	if m.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := m.server.Shutdown(ctx)
	if ended := <-m.failed; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serving the metrics: %w", ended))
	}
	return err
}

// guardMetrics asks for the token, if there is one.
func guardMetrics(metrics http.Handler, token string) http.Handler {
	if token == "" {
		return metrics
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(given)) // of one length, so that the time tells nothing
		if !ok || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a token is needed", http.StatusUnauthorized)
			return
		}
		metrics.ServeHTTP(w, r)
	})
}
