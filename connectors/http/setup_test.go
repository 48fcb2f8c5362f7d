package http

import (
	"errors"
	"io"
	"maps"
	nethttp "net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/flowctl/flowctl/connectors"
)

// record is a record of a flow.
type record = map[string]any

// bench is an API that answers as the test says, and a connection to it.
type bench struct {
	url  string
	conn *Connection

	mu   sync.Mutex
	seen []seen
}

// seen is a request as it reached the API.
type seen struct {
	method, uri, body string
	header            nethttp.Header
}

func serve(t *testing.T, answer nethttp.HandlerFunc, settings ...record) *bench {
	t.Helper()
	b := &bench{}
	server := httptest.NewTLSServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("reading a request: %v", err)
		}
		b.mu.Lock()
		b.seen = append(b.seen, seen{r.Method, r.RequestURI, string(body), r.Header})
		b.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	b.url = server.URL
	b.conn = open(t, server.Client(), append([]record{{"base_url": server.URL + "/v1", "allow_private": true}}, settings...)...)
	return b
}

func open(t *testing.T, client *nethttp.Client, settings ...record) *Connection {
	t.Helper()
	all := record{}
	for _, more := range settings {
		maps.Copy(all, more)
	}
	conn, err := Connector{}.Open(connectors.Config{Instance: "main", Settings: all, HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn.(*Connection)
}

func (b *bench) requests() []seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}

// call performs a call that must succeed.
func (b *bench) call(t *testing.T, operation string, params record) record {
	t.Helper()
	got, err := b.conn.Call(t.Context(), connectors.Call{Operation: operation, Params: params})
	if err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return got.(record)
}

// fail performs a call that must fail, with an error of the connector.
func fail(t *testing.T, conn *Connection, operation string, params record) *connectors.Error {
	t.Helper()
	got, err := conn.Call(t.Context(), connectors.Call{Operation: operation, Params: params})
	var told *connectors.Error
	if !errors.As(err, &told) {
		t.Fatalf("%s returned %v and %v, want an *Error", operation, got, err)
	}
	return told
}

// answers is a handler with one fixed answer.
func answers(status int, body string, header ...string) nethttp.HandlerFunc {
	return func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		// The client may have gone by intention of the test.
		_, _ = io.WriteString(w, body)
	}
}
