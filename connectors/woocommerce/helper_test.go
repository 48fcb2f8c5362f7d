package woocommerce

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// bundle is a simulated shop and a connection to it.
type bundle struct {
	shop *sandbox.Shop
	url  string
	conn *Connection
}

const (
	testKey    = "ck_sandbox"
	testSecret = "cs_sandbox"
)

// overTLS serves a shop over https, behind an optional front.
func overTLS(t *testing.T, front func(http.Handler) http.Handler, options sandbox.Options, settings ...map[string]any) *bundle {
	t.Helper()
	shop := sandbox.New(options)
	t.Cleanup(func() { shop.Close() })
	var handler http.Handler = shop
	if front != nil {
		handler = front(shop)
	}
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	return &bundle{shop: shop, url: server.URL, conn: open(t, server.URL, server.Client(), settings...)}
}

// overHTTP serves a shop over plain http, where only OAuth counts.
func overHTTP(t *testing.T, options sandbox.Options, settings ...map[string]any) *bundle {
	t.Helper()
	shop := sandbox.New(options)
	t.Cleanup(func() { shop.Close() })
	url, err := shop.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &bundle{shop: shop, url: url, conn: open(t, url, nil, settings...)}
}

func open(t *testing.T, url string, client *http.Client, settings ...map[string]any) *Connection {
	t.Helper()
	all := map[string]any{"url": url, "consumer_key": testKey, "consumer_secret": testSecret, "webhook_secret": "hush"}
	for _, more := range settings {
		for name, value := range more {
			all[name] = value
		}
	}
	conn, err := Connector{}.Open(connectors.Config{Instance: "main", Settings: all, HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*Connection)
}

func (b *bundle) call(t *testing.T, operation string, params map[string]any) map[string]any {
	t.Helper()
	result, err := b.conn.Call(context.Background(), connectors.Call{Operation: operation, Params: params})
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	record, ok := result.(map[string]any)
	if !ok {
		t.Fatalf("%s returned %T", operation, result)
	}
	return record
}

// fail performs a call that must fail, with an error of the connector.
func fail(t *testing.T, conn *Connection, operation string, params map[string]any) *connectors.Error {
	t.Helper()
	result, err := conn.Call(context.Background(), connectors.Call{Operation: operation, Params: params})
	var told *connectors.Error
	if !errors.As(err, &told) {
		t.Fatalf("%s returned %v and %v, want an *Error", operation, result, err)
	}
	return told
}

func addMugs(shop *sandbox.Shop) (blue, red int64) {
	shop.AddTaxRate(sandbox.TaxRate{Rate: "20.0000", Name: "VAT", Shipping: true})
	stock := int64(40)
	blue = shop.AddProduct(sandbox.Product{Name: "Blue mug", SKU: "MUG-BLUE", RegularPrice: "12.50", Stock: &stock})
	red = shop.AddProduct(sandbox.Product{Name: "Red mug", SKU: "MUG-RED", RegularPrice: "9.99"})
	return blue, red
}

// inProcess is a connection to a shop without a network between.
func inProcess(handler http.Handler) *Connection {
	conn, err := Connector{}.Open(connectors.Config{Instance: "main", HTTPClient: &http.Client{Transport: handled{handler}},
		Settings: map[string]any{"url": "https://shop.test", "consumer_key": testKey, "consumer_secret": testSecret}})
	if err != nil {
		panic(err)
	}
	return conn.(*Connection)
}

// handled answers requests by a handler.
type handled struct{ handler http.Handler }

func (h handled) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	served := r.Clone(r.Context())
	served.TLS = &tls.ConnectionState{}
	if served.Body == nil {
		served.Body = http.NoBody
	}
	h.handler.ServeHTTP(answer, served)
	return answer.Result(), nil
}

// call performs a call that answers a record.
func call(conn *Connection, operation string, params map[string]any) (map[string]any, error) {
	result, err := conn.Call(context.Background(), connectors.Call{Operation: operation, Params: params})
	record, _ := result.(map[string]any)
	return record, err
}
