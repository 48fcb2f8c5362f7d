package odoo_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

const apiKey = "very-secret-api-key-0815"

// bench is a connection to a simulated Odoo of its own.
type bench struct {
	t          *testing.T
	erp        *sandbox.ERP
	url        string
	connection connectors.Connection
	// called notes the operations that were called, where somebody wants to know.
	called *sync.Map
}

// uncalled are the operations that nobody called.
func (b *bench) uncalled() []string {
	var missing []string
	for _, op := range (odoo.Connector{}).Spec().Operations {
		if _, ok := b.called.Load(op.Name); !ok {
			missing = append(missing, op.Name)
		}
	}
	return missing
}

func setup(t *testing.T, options sandbox.Options) *bench {
	t.Helper()
	options.APIKey = apiKey
	erp := sandbox.New(options)
	server := httptest.NewServer(erp)
	t.Cleanup(server.Close)
	b := &bench{t: t, erp: erp, url: server.URL}
	b.connection = b.open(nil)
	return b
}

// open makes another connection, with some settings changed.
func (b *bench) open(changed map[string]any) connectors.Connection {
	b.t.Helper()
	settings := map[string]any{"url": b.url, "database": "sandbox", "login": "admin", "api_key": apiKey}
	for name, value := range changed {
		settings[name] = value
	}
	connection, err := odoo.Connector{}.Open(connectors.Config{Settings: settings})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := connection.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return connection
}

type params = map[string]any

func (b *bench) try(operation string, p params) (map[string]any, error) {
	b.t.Helper()
	if b.called != nil {
		b.called.Store(operation, true)
	}
	result, err := b.connection.Call(context.Background(), connectors.Call{Operation: operation, Params: p})
	record, _ := result.(map[string]any)
	return record, err
}

func (b *bench) call(operation string, p params) map[string]any {
	b.t.Helper()
	result, err := b.try(operation, p)
	if err != nil {
		b.t.Fatalf("odoo.%s %v: %v", operation, p, err)
	}
	return result
}

// fails calls and gives the error, which must be an *Error.
func (b *bench) fails(operation string, p params) *connectors.Error {
	b.t.Helper()
	_, err := b.try(operation, p)
	var e *connectors.Error
	if !errors.As(err, &e) {
		b.t.Fatalf("odoo.%s %v gave %v, not an *Error", operation, p, err)
	}
	return e
}

// eachVersion runs a test against Odoo 18 and 19.
func eachVersion(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	for name, version := range map[string]int{"Odoo 18": 18, "Odoo 19": 19} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, setup(t, sandbox.Options{Version: version}))
		})
	}
}

func list(items ...any) []any { return items }

func amount(text string) decimal.Decimal { return decimal.RequireFromString(text) }

// seed makes a record behind the connection's back.
func (b *bench) seed(model string, values sandbox.Values) int64 {
	b.t.Helper()
	id, err := b.erp.Create(model, values)
	if err != nil {
		b.t.Fatalf("making a %s: %v", model, err)
	}
	return id
}

func wantAmount(t *testing.T, what string, got any, want string) {
	t.Helper()
	d, ok := got.(decimal.Decimal)
	if !ok || !d.Equal(amount(want)) {
		t.Errorf("%s is %v (%T), want %s", what, got, got, want)
	}
}
