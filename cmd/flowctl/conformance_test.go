package main

import (
	"net"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/connectortest"
)

// subjects are the settings and waivers of the connectors that are built in.
var subjects = map[string]connectortest.Subject{
	"http": {Settings: func(a *net.TCPAddr) map[string]any {
		return map[string]any{"base_url": "http://" + a.String(), "allow_private": true}
	}},
	"mail": {Settings: func(a *net.TCPAddr) map[string]any {
		return map[string]any{"host": a.IP.String(), "port": int64(a.Port), "from": "shop@example.com", "encryption": "none"}
	}},
	"odoo": {Settings: func(a *net.TCPAddr) map[string]any {
		return map[string]any{"url": "http://" + a.String(), "database": "db", "login": "jo", "api_key": "key"}
	}},
	"woocommerce": {Settings: func(a *net.TCPAddr) map[string]any {
		return map[string]any{"url": "http://" + a.String(), "consumer_key": "ck", "consumer_secret": "cs"}
	}},
}

// Every connector that is built in passes the same bar.
func TestConnectorsConform(t *testing.T) {
	t.Parallel()
	for _, name := range connectors.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subject, ok := subjects[name]
			if !ok {
				t.Fatal("the test knows no settings for it; add them to subjects")
			}
			subject.Connector, _ = connectors.Lookup(name)
			connectortest.Run(t, subject)
		})
	}
}
