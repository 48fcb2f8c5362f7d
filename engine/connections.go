package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/limit"
	"github.com/flowctl/flowctl/engine/metrics"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/value"
)

// connections keeps one open connection for each instance and connection of the
// app, and opens it anew when its settings change.
type connections struct {
	app      func() *flow.App
	settings *settings.Settings
	client   *http.Client
	limiter  *limit.Limiter
	metrics  *metrics.Metrics
	// own gives the engine's own operations, as the connection app.
	own func(instance string) connectors.Connection

	mu   sync.Mutex
	open map[connectionKey]openConnection
}

type connectionKey struct{ instance, name string }

type openConnection struct {
	connection connectors.Connection
	configured map[string]any
	declared   *flow.Connection
}

// current tells whether the connection is still what the app declares. A folder
// that was saved anew may have given the connector other operations.
func (o openConnection) current(declared *flow.Connection, configured map[string]any) bool {
	return declared.Limits == o.declared.Limits && (o.declared == declared || !declared.Extended() && !o.declared.Extended()) && value.Equal(o.configured, configured)
}

func newConnections(app func() *flow.App, s *settings.Settings, client *http.Client, limiter *limit.Limiter) *connections {
	return &connections{app: app, settings: s, client: client, limiter: limiter, open: map[connectionKey]openConnection{}}
}

// Connection returns the instance's connection, opening it when needed.
func (c *connections) Connection(ctx context.Context, instance, name string) (connectors.Connection, error) {
	if name == flow.AppName {
		return c.own(instance), nil
	}
	declared, ok := c.app().Connection(name)
	if !ok {
		return nil, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig, "there is no connection %q in app.yaml", name)
	}
	configured, err := c.configuration(ctx, instance, declared)
	if err != nil {
		return nil, err
	}
	key := connectionKey{instance, name}
	c.mu.Lock()
	defer c.mu.Unlock()
	before, ok := c.open[key]
	if ok && before.current(declared, configured) {
		return before.connection, nil
	}
	connection, err := declared.Connector.Open(connectors.Config{Instance: instance, Settings: configured, HTTPClient: c.client, Polite: c.polite(instance, declared, configured)})
	if err != nil {
		return nil, err
	}
	c.open[key] = openConnection{connection, configured, declared}
	if ok {
		// Calls that still use the old connection end by themselves.
		if err := before.connection.Close(); err != nil {
			return nil, fmt.Errorf("closing the connection with the old settings: %w", err)
		}
	}
	return connection, nil
}

// polite makes a connection's requests keep to the limits of its account.
func (c *connections) polite(instance string, declared *flow.Connection, configured map[string]any) func(http.RoundTripper) http.RoundTripper {
	account := []string{declared.Spec.Name}
	names := declared.Spec.Login
	if len(names) == 0 { // nobody says what the account is: each instance has its own
		account = append(account, instance)
		names = slices.Sorted(maps.Keys(configured))
	}
	for _, name := range names {
		account = append(account, name, fmt.Sprint(configured[name]))
	}
	login := limit.Account(account...)
	rate := limit.Rate{PerSecond: declared.Limits.PerSecond, Burst: declared.Limits.Burst}
	if declared.Spec.Pace != nil && rate.PerSecond == 0 {
		perSecond, burst := declared.Spec.Pace(configured)
		rate.PerSecond = perSecond
		if rate.Burst == 0 {
			rate.Burst = burst
		}
	}
	polite := func(next http.RoundTripper) http.RoundTripper { return c.limiter.Transport(login, rate, next) }
	return metrics.Waits(polite, func(waited time.Duration) { c.metrics.Limited(declared.Name, waited) })
}

func (c *connections) configuration(ctx context.Context, instance string, declared *flow.Connection) (map[string]any, error) {
	values, err := c.settings.Values(ctx, instance)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	return declared.Settings.EvalRecord(ctx, map[string]any{"settings": values, "env": settings.Environment()})
}

func (c *connections) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for key, open := range c.open {
		errs = append(errs, open.connection.Close())
		delete(c.open, key)
	}
	return errors.Join(errs...)
}
