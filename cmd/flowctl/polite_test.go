package main

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

// refusing sends nothing: the other system is to be left alone.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	e := connectors.Errorf(connectors.Transient, connectors.CodeRateLimited, "left alone")
	e.RetryAfter = time.Minute
	return nil, e
}

// A request that politeness did not send is an error that may be tried again
// later, of a write too: every connector that speaks HTTP says so.
func TestWhatWasNotSentIsSaidSo(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		settings map[string]any
		call     connectors.Call
	}{
		"woocommerce": {
			map[string]any{"url": "http://127.0.0.1:1", "consumer_key": "ck_1", "consumer_secret": "cs_1"},
			connectors.Call{Operation: "orders.create", Params: map[string]any{"values": map[string]any{"status": "pending"}}},
		},
		"odoo": {
			map[string]any{"url": "http://127.0.0.1:1", "database": "d", "login": "l", "api_key": "k"},
			connectors.Call{Operation: "create", Params: map[string]any{"model": "res.partner", "values": map[string]any{"name": "x"}}},
		},
		"http": {
			map[string]any{"base_url": "http://127.0.0.1:1", "allow_private": true},
			connectors.Call{Operation: "post", Params: map[string]any{"path": "/x", "body": map[string]any{}}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connector, ok := connectors.Lookup(name)
			if !ok {
				t.Fatal("it is not registered")
			}
			connection, err := connector.Open(connectors.Config{
				Instance: "main", Settings: c.settings, Polite: func(http.RoundTripper) http.RoundTripper { return refusing{} },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = connection.Close() }()
			_, err = connection.Call(t.Context(), c.call)
			var told *connectors.Error
			if !errors.As(err, &told) || told.Class != connectors.Transient || told.Code != connectors.CodeRateLimited || told.RetryAfter != time.Minute {
				t.Errorf("it says %#v", err)
			}
		})
	}
}
