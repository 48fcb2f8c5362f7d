// Package woocommerce connects WooCommerce shops: it calls their REST API v3
// and reads the webhooks they send.
//
// What the API offers is data, in operations/*.yaml; the code knows how to reach
// a shop, prove who we are, and tell what went wrong.
package woocommerce

import (
	"net/http"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

// Name is how calls of this connector begin.
const Name = "woocommerce"

// DefaultTimeout bounds one request to the shop where the configuration brings
// no client of its own. A batch of 100 products took 4 s on a small machine
// (recording woo/900); slow hosts need ten times as long.
const DefaultTimeout = 90 * time.Second

func init() { connectors.Register(Connector{}) }

// Connector makes connections to WooCommerce shops. The zero value knows the
// operations of WooCommerce itself; Extend adds those of plugins.
type Connector struct{ extended *book }

var (
	_ connectors.Connector       = Connector{}
	_ connectors.Extender        = Connector{}
	_ connectors.Retyper         = Connector{}
	_ connectors.ResourceReader  = (*Connection)(nil)
	_ connectors.Connection      = (*Connection)(nil)
	_ connectors.WebhookReceiver = (*Connection)(nil)
)

// Spec describes the connector: settings, operations and events.
func (c Connector) Spec() connectors.Spec {
	if c.extended != nil {
		return specOf(c.extended)
	}
	return spec()
}

// Extend adds operations of the form of the files in operations/.
func (c Connector) Extend(operations []map[string]any) (connectors.Connector, error) {
	more, err := c.book().extended(operations)
	if err != nil {
		return nil, err
	}
	return Connector{extended: more}, nil
}

func (c Connector) book() *book {
	if c.extended != nil {
		return c.extended
	}
	return catalogue()
}

// Open returns a connection to the shop that the settings name. It touches no
// network; settings that cannot work are an *Error with CodeBadConfig.
func (c Connector) Open(config connectors.Config) (connectors.Connection, error) {
	base, err := CanonicalURL(config.String("url"))
	if err != nil {
		return nil, err
	}
	keys := keyPair{key: config.String("consumer_key"), secret: config.String("consumer_secret")}
	if keys.key == "" || keys.secret == "" {
		return nil, &connectors.Error{
			Class:   connectors.Permanent,
			Code:    connectors.CodeBadConfig,
			Message: "the shop's consumer key or consumer secret is not set",
			Advice:  "In the shop, WooCommerce > Settings > Advanced > REST API, add a key with read/write permission and enter both parts.",
		}
	}
	client := config.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: DefaultTimeout}
	}
	own := *client // the redirect policy is ours alone
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Connection{
		base:          base,
		keys:          keys,
		webhookSecret: config.String("webhook_secret"),
		client:        config.Politely(&own),
		signer:        newSigner(keys),
		book:          c.book(),
	}, nil
}

func settings() *connectors.Schema {
	secret := func(text string) *connectors.Schema {
		s := connectors.String().Described(text)
		s.Secret = true
		return s
	}
	return connectors.Object(map[string]*connectors.Schema{
		"url":             connectors.String().Described("Address of the shop, such as https://mystore.com"),
		"consumer_key":    secret("REST API consumer key, ck_…, with read/write permission"),
		"consumer_secret": secret("REST API consumer secret, cs_…"),
		"webhook_secret":  secret("Secret that signs the shop's webhooks"),
	}, "url", "consumer_key", "consumer_secret")
}
