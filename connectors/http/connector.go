// Package http connects any API that speaks JSON over HTTP: its records are
// read and written at paths below one address, and it may announce events by
// signed webhooks.
//
// It knows nothing of the API behind the address. So it is careful where a
// connector of one system can be clever: requests stay at the one address,
// writes follow no redirect, and what a write did is unclear whenever the API
// does not say.
package http

import (
	nethttp "net/http"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// Name is how calls of this connector begin, unless app.yaml gives the
// connection another name.
const Name = "http"

// The bounds of the setting timeout.
const (
	DefaultTimeout = 30 * time.Second
	MaxTimeout     = 10 * time.Minute
)

func init() { connectors.Register(Connector{}) }

// Connector makes connections to JSON APIs.
type Connector struct{}

var (
	_ connectors.Connector       = Connector{}
	_ connectors.Connection      = (*Connection)(nil)
	_ connectors.WebhookReceiver = (*Connection)(nil)
)

// Spec describes the connector: settings, operations and the one event.
func (Connector) Spec() connectors.Spec {
	return connectors.Spec{
		Name:  Name,
		Title: "HTTP",
		Summary: "Any API that speaks JSON over HTTP: reads and writes below one address, signed webhooks from it. " +
			"Connections go straight to the address, never through a proxy, so that it is known where they end.",
		Settings:   settingsSchema(),
		Login:      []string{"base_url", "auth", "token", "user"},
		Operations: operations(),
		Events: []connectors.Event{{
			Name: eventReceived,
			Summary: "The system delivered a webhook whose signature fits. A delivery may come twice and out of order: " +
				"let the flow's key name the record, and read it again.",
			Payload: connectors.Object(map[string]*connectors.Schema{
				"body":    connectors.Any().Described("The delivery's JSON"),
				"headers": openObject("The delivery's headers by lower-case name, as text, without those that hold secrets or addresses"),
			}, "body", "headers"),
		}},
	}
}

// Open returns a connection to the API that the settings name. It touches no
// network; settings that cannot work are an *Error with CodeBadConfig that names
// all of them.
func (Connector) Open(config connectors.Config) (connectors.Connection, error) {
	s, err := readSettings(config)
	if err != nil {
		return nil, err
	}
	client, err := guardedClient(config.HTTPClient, s)
	if err != nil {
		return nil, err
	}
	return &Connection{settings: s, client: config.Politely(client), scrubber: httpcall.NewScrubber(s.secrets()...)}, nil
}

// Connection is a configured API. It is safe for concurrent use.
type Connection struct {
	settings settings
	client   *nethttp.Client
	scrubber *httpcall.Scrubber
}

// Close lets idle connections go. It may be called twice.
func (c *Connection) Close() error {
	c.client.CloseIdleConnections()
	return nil
}
