package event

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

func init() { connectors.Register(bellConnector{}) }

// bellConnector announces what the body of a delivery says.
type bellConnector struct{}

func (bellConnector) Spec() connectors.Spec {
	return connectors.Spec{Name: "bell", Title: "Bell", Settings: connectors.Object(nil), Events: []connectors.Event{
		{Name: "rang", Payload: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()})},
	}}
}

func (bellConnector) Open(connectors.Config) (connectors.Connection, error) { return bell{}, nil }

type bell struct{}

func (bell) Call(context.Context, connectors.Call) (any, error) { return nil, nil }
func (bell) Close() error                                       { return nil }

func (bell) Receive(d connectors.Delivery) (connectors.Receipt, error) {
	switch body := string(d.Body); body {
	case "forged":
		return connectors.Receipt{}, connectors.Errorf(connectors.Permanent, connectors.CodeBadSignature, "the signature is wrong")
	case "unset":
		return connectors.Receipt{}, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig, "no secret")
	case "broken":
		return connectors.Receipt{}, connectors.Errorf(connectors.Permanent, connectors.CodeBadDelivery, "no JSON")
	case "ping":
		return connectors.Receipt{}, nil
	case "strange":
		return connectors.Receipt{Event: "sang", Payload: map[string]any{}}, nil
	}
	return connectors.Receipt{Event: "rang", Payload: map[string]any{"id": int64(len(d.Body))}}, nil
}

// bench is a router and an ingress on a store of their own.
type bench struct {
	*testing.T
	store    store.Store
	broken   atomic.Bool
	rings    atomic.Int64
	settings map[string]any
	router   *Router
	ingress  http.Handler
}

// brokenStore accepts nothing while it is broken.
type brokenStore struct {
	store.Store
	broken *atomic.Bool
}

func (s brokenStore) Accept(ctx context.Context, arrivals ...store.Arrival) ([]store.Accepted, error) {
	if s.broken.Load() {
		return nil, store.ErrUnavailable
	}
	return s.Store.Accept(ctx, arrivals...)
}

func (b *bench) Values(context.Context, string) (map[string]any, error) { return b.settings, nil }
func (b *bench) Connection(_ context.Context, _, name string) (connectors.Connection, error) {
	if name != "bell" {
		return nil, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig, "no such connection")
	}
	return bell{}, nil
}

func newBench(t *testing.T) *bench {
	t.Helper()
	app, found, err := flow.Load(fstest.MapFS{
		"app.yaml": {Data: []byte(`
app: test
title: Test
connections: {bell: {connector: bell}}
settings: [{tab: all, title: All, fields: [{name: open, title: Open, type: switch, default: true}]}]
flows: [first, second, off, wrong, form]
`)},
		"first.yaml":  {Data: []byte("flow: first\ntitle: First\ntrigger: {event: bell.rang, key: \"bell:${event.id}\"}\nsteps: [{name: x, map: 1}]\n")},
		"second.yaml": {Data: []byte("flow: second\ntitle: Second\ntrigger: {event: bell.rang, key: \"bell:${event.id}\"}\nsteps: [{name: x, map: 1}]\n")},
		"off.yaml":    {Data: []byte("flow: off\ntitle: Off\ntrigger: {event: bell.rang, enabled: not settings.open, key: x}\nsteps: [{name: x, map: 1}]\n")},
		"wrong.yaml":  {Data: []byte("flow: wrong\ntitle: Wrong\ntrigger: {event: bell.rang, key: \"bell:${event.id > 4 ? text(event.id) : nil}\"}\nsteps: [{name: x, map: 1}]\n")},
		"form.yaml": {Data: []byte(`
flow: form
title: Form
trigger:
  manual:
    input: {type: object, properties: {name: {type: string}, times: {type: integer, default: 3}}, required: [name]}
  key: form:${input.name}:${input.times}
steps: [{name: x, map: 1}]
`)},
	}, "")
	if err != nil || found.Failed() {
		t.Fatal(err, found)
	}
	st, err := store.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{T: t, store: st, settings: map[string]any{"open": true}}
	b.router = &Router{App: func() *flow.App { return app }, Settings: b, Store: brokenStore{st, &b.broken}, Doorbell: func() { b.rings.Add(1) }}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/{instance}/{connection}", &Ingress{
		Connections: b, Router: b.router, Log: slog.New(slog.DiscardHandler), Exists: func(_ context.Context, name string) (bool, error) { return name == "main", nil }, BodyLimit: 100,
	})
	b.ingress = mux
	return b
}

func (b *bench) post(path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.ingress.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return w
}

func (b *bench) events() []store.Event {
	b.Helper()
	events, err := b.store.Events(b.Context(), "main", 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	return events
}

// What a sender is answered, and what is kept.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, path, body string
		status, kept     int
	}{
		{"an event is stored", "/hooks/main/bell", "hello", http.StatusOK, 1},
		{"an event that nobody knows is kept", "/hooks/main/bell", "strange", http.StatusOK, 1},
		{"a ping is only answered", "/hooks/main/bell", "ping", http.StatusOK, 0},
		{"a forged delivery is refused", "/hooks/main/bell", "forged", http.StatusUnauthorized, 0},
		{"without a secret nothing is taken", "/hooks/main/bell", "unset", http.StatusServiceUnavailable, 0},
		{"a broken body is kept for people", "/hooks/main/bell", "broken", http.StatusBadRequest, 1},
		{"a long body is refused", "/hooks/main/bell", strings.Repeat("x", 101), http.StatusRequestEntityTooLarge, 0},
		{"an unknown shop is not found", "/hooks/other/bell", "hello", http.StatusNotFound, 0},
		{"an unknown connection is not ready", "/hooks/main/gong", "hello", http.StatusServiceUnavailable, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			w := b.post(c.path, c.body)
			if w.Code != c.status {
				t.Errorf("answered %d: %s", w.Code, w.Body)
			}
			if events := b.events(); len(events) != c.kept {
				t.Errorf("%d events are kept", len(events))
			}
		})
	}
}

// An event that cannot be stored is not accepted, and sent again it is.
func TestAFullStoreRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.broken.Store(true)
	if w := b.post("/hooks/main/bell", "hello"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d", w.Code)
	}
	if len(b.events()) != 0 || b.rings.Load() != 0 {
		t.Error("something is left of it")
	}
	b.broken.Store(false)
	if w := b.post("/hooks/main/bell", "hello"); w.Code != http.StatusOK || b.rings.Load() != 1 {
		t.Errorf("answered %d, rang %d times", w.Code, b.rings.Load())
	}
}

// An event starts the flows that listen, in their order and with their keys. A
// flow whose key cannot be computed has a failed run, so that the event does not
// vanish.
func TestStarts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	accepted, err := b.router.Accept(t.Context(), Incoming{Instance: "main", Source: "feed", Name: "bell.rang", Payload: map[string]any{"id": int64(4)}})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		flow, key string
		state     store.State
	}{{"first", "bell:4", store.Waiting}, {"second", "bell:4", store.Waiting}, {"wrong", "", store.Failed}}
	if len(accepted.RunIDs) != len(want) {
		t.Fatalf("%d runs", len(accepted.RunIDs))
	}
	for i, id := range accepted.RunIDs {
		r, err := b.store.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if r.Flow != want[i].flow || r.State != want[i].state || want[i].key != "" && r.Key != want[i].key {
			t.Errorf("run %d is %s of %s, %s: %s", i, r.Flow, r.Key, r.State, r.Reason)
		}
	}
}

func TestStartManually(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	form, _ := b.router.App().Flow("form")
	id, err := b.router.StartManually(t.Context(), form, "main", map[string]any{"name": "ada"})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := b.store.Run(t.Context(), id); err != nil || r.Key != "form:ada:3" || string(r.Input) != `{"name":"ada","times":3}` {
		t.Errorf("the run has the key %s and the input %s (%v)", r.Key, r.Input, err)
	}
	for _, input := range []map[string]any{{}, {"name": "ada", "colour": "red"}, {"name": "ada", "times": "often"}} {
		if _, err := b.router.StartManually(t.Context(), form, "main", input); err == nil {
			t.Errorf("%v was taken", input)
		}
	}
}
