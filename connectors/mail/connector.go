// Package mail sends mail by SMTP: what flows tell people outside the panel.
package mail

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

// Name is how calls of this connector begin.
const Name = "mail"

// Timeout bounds the whole exchange of one mail: connecting, and then sending.
const Timeout = 30 * time.Second

func init() { connectors.Register(Connector{}) }

// Connector makes connections to mail servers.
type Connector struct{}

var (
	_ connectors.Connector  = Connector{}
	_ connectors.Connection = (*Connection)(nil)
)

// Spec describes the connector.
func (Connector) Spec() connectors.Spec {
	return connectors.Spec{
		Name: Name, Title: "Mail",
		Summary:    "Sends mail by an SMTP server.",
		Settings:   settingsSchema(),
		Operations: []connectors.Operation{sendOperation()},
	}
}

func sendOperation() connectors.Operation {
	addresses := func(text string) *connectors.Schema {
		return connectors.Array(connectors.String()).Described(text)
	}
	return connectors.Operation{
		Name: "send", Title: "Send a mail", Effect: connectors.Create, Repeat: connectors.Unrepeatable,
		Summary: "Sends one mail to all of its recipients or to none. A server cannot be asked whether it took a mail, so a connection that " +
			"breaks after the mail was sent holds the run for a person. Give a message_id of the record (order-12-held): mailboxes and " +
			"people then see that a second mail is the first again.",
		Params: connectors.Object(map[string]*connectors.Schema{
			"to":         addresses("Addresses, such as jo@example.com or Jo <jo@example.com>"),
			"cc":         addresses("Who gets a copy, seen by all"),
			"bcc":        addresses("Who gets a copy, seen by nobody"),
			"reply_to":   connectors.String().OrNull().Described("Address that an answer goes to, where it is not the sender's"),
			"subject":    connectors.String().Described("Subject; line breaks in it become spaces"),
			"text":       connectors.String().Described("The mail as plain text"),
			"html":       connectors.String().OrNull().Described("The same as HTML, for readers that show it"),
			"message_id": connectors.String().OrNull().Described("Names the mail for ever, such as order-12-held; the sender's domain is added where it has no @. Without it, a random one"),
		}, "to", "subject", "text"),
		Result: connectors.Object(map[string]*connectors.Schema{
			"message_id": connectors.String().Described("As in the mail, without the angle brackets"),
			"recipients": connectors.Integer().Described("To how many addresses the server took it"),
		}, "message_id", "recipients"),
	}
}

// Open returns a connection to the mail server that the settings name. It
// touches no network; settings that cannot work are an *Error with CodeBadConfig
// that names all of them. The roots of trust are those of the HTTP client.
func (Connector) Open(config connectors.Config) (connectors.Connection, error) {
	s, err := readSettings(config)
	if err != nil {
		return nil, err
	}
	trust := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	if config.HTTPClient != nil {
		if transport, ok := config.HTTPClient.Transport.(*http.Transport); ok && transport.TLSClientConfig != nil {
			trust.RootCAs = transport.TLSClientConfig.RootCAs
		}
	}
	return &Connection{settings: s, trust: trust}, nil
}

// Connection is a configured mail server. It is safe for concurrent use, and
// connects anew for every mail: flows send few, and far apart.
type Connection struct {
	settings settings
	trust    *tls.Config
}

// Close releases nothing.
func (c *Connection) Close() error { return nil }

// Call performs the one operation, send.
func (c *Connection) Call(ctx context.Context, call connectors.Call) (any, error) {
	if call.Operation != "send" {
		return nil, badParams("there is no operation %q", call.Operation)
	}
	l, err := c.letter(call.Params)
	if err != nil {
		return nil, err
	}
	if err := c.send(ctx, l); err != nil {
		return nil, err
	}
	return map[string]any{"message_id": l.id, "recipients": int64(l.recipients)}, nil
}
