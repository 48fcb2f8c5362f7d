package woocommerce

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

const hooksURL = "https://flows.example.com/hooks/main/woocommerce"

func wantFinding(t *testing.T, found []connectors.Finding, level connectors.Level, name, words string) {
	t.Helper()
	if !slices.ContainsFunc(found, func(f connectors.Finding) bool {
		return f.Check == name && f.Level == level && strings.Contains(f.Message+" "+f.Advice, words)
	}) {
		t.Errorf("no %s of %q about %q in %+v", level, name, words, found)
	}
}

func TestCheckLooksAtTheShop(t *testing.T) {
	t.Parallel()
	atSubtotal, readOnly := sandbox.DefaultSettings(), sandbox.Key{Key: testKey, Secret: testSecret, Permission: "read"}
	atSubtotal.RoundAtSubtotal = true
	for name, test := range map[string]struct {
		options  sandbox.Options
		settings map[string]any
		level    connectors.Level
		check    string
		words    string
	}{
		"login":                 {sandbox.Options{}, nil, connectors.OK, "login", "its currency is"},
		"wrong secret":          {sandbox.Options{}, map[string]any{"consumer_secret": "cs_wrong"}, connectors.Fail, "login", "secret"},
		"version":               {sandbox.Options{}, nil, connectors.OK, "version", "WooCommerce 9"},
		"read and write":        {sandbox.Options{}, nil, connectors.OK, "permission", "read and write"},
		"a key that only reads": {sandbox.Options{Keys: []sandbox.Key{readOnly}}, nil, connectors.Fail, "permission", "may only read"},
		"tax per line":          {sandbox.Options{}, nil, connectors.OK, "tax rounding", "line by line"},
		"tax at the subtotal":   {sandbox.Options{Settings: &atSubtotal}, nil, connectors.Warn, "tax rounding", "once"},
		"no webhook secret":     {sandbox.Options{}, map[string]any{"webhook_secret": ""}, connectors.Fail, "webhook secret", "refused"},
		"webhook secret":        {sandbox.Options{}, nil, connectors.OK, "webhook secret", "set"},
		"clocks agree":          {sandbox.Options{}, nil, connectors.OK, "clock", "agree"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := overTLS(t, nil, test.options, test.settings)
			wantFinding(t, b.conn.Check(context.Background(), connectors.Wanted{}), test.level, test.check, test.words)
		})
	}
}

func TestCheckWebhooks(t *testing.T) {
	t.Parallel()
	hook := func(topic, status string) sandbox.Webhook {
		return sandbox.Webhook{Topic: topic, URL: hooksURL, Status: status, Secret: "hush"}
	}
	for name, test := range map[string]struct {
		hooks []sandbox.Webhook
		url   string
		level connectors.Level
		words string
	}{
		"all there":      {[]sandbox.Webhook{hook("order.created", "active"), hook("order.updated", "active")}, hooksURL, connectors.OK, "2 events"},
		"one missing":    {[]sandbox.Webhook{hook("order.created", "active")}, hooksURL, connectors.Fail, ": order.updated"},
		"one disabled":   {[]sandbox.Webhook{hook("order.created", "active"), hook("order.updated", "disabled")}, hooksURL, connectors.Fail, ": order.updated (disabled)"},
		"one made anew":  {[]sandbox.Webhook{hook("order.created", "active"), hook("order.updated", "disabled"), hook("order.updated", "active")}, hooksURL, connectors.OK, "2 events"},
		"someone else's": {[]sandbox.Webhook{{Topic: "order.created", URL: "https://elsewhere.example.com/", Status: "paused"}}, hooksURL, connectors.Fail, "order.created, order.updated"},
		"no address":     {nil, "", connectors.Warn, "not looked at"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := overTLS(t, nil, sandbox.Options{Client: &http.Client{Transport: accepting{}}})
			for _, h := range test.hooks {
				b.shop.Subscribe(h)
			}
			want := connectors.Wanted{HooksURL: test.url, Events: []string{"order.created", "order.updated"}}
			wantFinding(t, b.conn.Check(context.Background(), want), test.level, "webhooks", test.words)
		})
	}
}

func TestCheckTellsOfPortsThatWordPressRefuses(t *testing.T) {
	t.Parallel()
	for address, warned := range map[string]bool{
		"https://flows.example.com/hooks":      false,
		"http://flows.example.com:8080/hooks":  false,
		"https://flows.example.com:8443/hooks": true,
		"flows.example.com/hooks":              true,
	} {
		if _, got := checkDeliverable(address); got != warned {
			t.Errorf("%s: warned is %v", address, got)
		}
	}
}

func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	b.conn.Check(context.Background(), connectors.Wanted{HooksURL: hooksURL, Events: []string{"order.created"}})
	for _, r := range b.shop.Requests() {
		if r.Method != http.MethodGet && r.Status < 400 {
			t.Errorf("%s %s was answered %d", r.Method, r.Path, r.Status)
		}
	}
}

// accepting answers every delivery with 200.
type accepting struct{}

func (accepting) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}
