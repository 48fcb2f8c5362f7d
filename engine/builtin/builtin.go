// Package builtin is the engine's own side of flows: the operations app.*, by
// which a flow asks for the shop's state, settings, links and its own memory.
// To the executor it is one more connection.
package builtin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/files"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
)

// Connections opens the connections of an instance.
type Connections interface {
	Connection(ctx context.Context, instance, name string) (connectors.Connection, error)
}

// Feeds polls the feeds of app.yaml and knows how far they are.
type Feeds interface {
	// Feeds tells how the feeds of an instance stand, in the order of app.yaml.
	Feeds(ctx context.Context, instance string) ([]Feed, error)
	// Ask has a feed polled soon, from an older moment if since is not zero.
	Ask(ctx context.Context, instance, feed string, since time.Time) error
}

// Feed is how a feed stands.
type Feed struct {
	Name, Title string
	Enabled     bool
	LastSuccess time.Time // zero before the first
	LastError   string    // of the last poll; "" when it went well
}

// Operations are the engine's own operations.
type Operations struct {
	App         func() *flow.App
	Store       store.Store
	Settings    *settings.Settings
	Connections Connections
	Router      *event.Router
	Feeds       Feeds // nil where none are polled
	Files       *files.Desk
	// PublicURL is the address at which other systems reach this installation,
	// where the setting public_url does not say it; "" when nobody knows.
	PublicURL string
	Log       *slog.Logger
}

// Connection is the engine as a connection of an instance.
func (o *Operations) Connection(instance string) connectors.Connection {
	return &connection{Operations: o, instance: instance}
}

// connection does the operations for one instance.
type connection struct {
	*Operations
	instance string
}

var _ connectors.Connection = (*connection)(nil)

// Close releases nothing.
func (c *connection) Close() error { return nil }

// Call performs one operation.
func (c *connection) Call(ctx context.Context, call connectors.Call) (any, error) {
	operation, ok := c.App().OwnSpec().Operation(call.Operation)
	if !ok {
		return nil, badParams("there is no operation app.%s", call.Operation)
	}
	p, err := readParams(operation, call.Params)
	if err != nil {
		return nil, err
	}
	out, err := c.do(ctx, operation.Name, p)
	if err != nil {
		return nil, explained(err)
	}
	return out, nil
}

func (c *connection) do(ctx context.Context, operation string, p params) (any, error) {
	switch operation {
	case "check":
		return c.check(ctx, p.text("connection"))
	case "status":
		return c.status(ctx)
	case "problems":
		return c.problems(ctx, p)
	case "recall":
		return c.recall(ctx, p.text("name"))
	case "remember":
		return c.remember(ctx, p.text("name"), p["value"])
	case "links":
		return c.links(ctx, p)
	case "unlink":
		return c.unlink(ctx, p)
	case "save_settings":
		return c.saveSettings(ctx, p)
	case "save_choices":
		return c.saveChoices(ctx, p)
	case "webhook":
		return c.webhook(ctx, p.text("connection"))
	case "file":
		return c.file(ctx, p)
	case "poll":
		return c.poll(ctx, p)
	case "emit":
		return c.emit(ctx, p)
	}
	return nil, fmt.Errorf("app.%s is described and not there", operation)
}

// params are the parameters of a call, typed by the operation.
type params map[string]any

func readParams(operation connectors.Operation, given map[string]any) (params, error) {
	for name := range given {
		if _, known := operation.Params.Property(name); !known {
			return nil, badParams("app.%s has no parameter %q", operation.Name, name)
		}
	}
	typed, err := operation.Params.Convert(given)
	if err != nil {
		return nil, badParams("app.%s: %w", operation.Name, err)
	}
	p, _ := typed.(map[string]any)
	for _, name := range operation.Params.Required {
		if _, there := p[name]; !there || p[name] == nil && !operation.Params.Properties[name].Nullable {
			return nil, badParams("app.%s needs %q", operation.Name, name)
		}
	}
	return p, nil
}

func (p params) text(name string) string {
	s, _ := p[name].(string)
	return s
}

func (p params) integer(name string) int64 {
	n, _ := p[name].(int64)
	return n
}

func (p params) instant(name string) time.Time {
	t, _ := p[name].(time.Time)
	return t
}

func badParams(format string, args ...any) error {
	return connectors.Errorf(connectors.Permanent, connectors.CodeBadParams, format, args...)
}

// explained gives errors that a flow can do something about their code. Those of
// the store stay what they are: the executor knows them.
func explained(err error) error {
	var (
		invalid *settings.InvalidError
		unknown *settings.UnknownError
	)
	if errors.As(err, &invalid) || errors.As(err, &unknown) {
		return badParams("%w", err)
	}
	return err
}

// orNil is an instant, or nothing.
func orNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC()
}
