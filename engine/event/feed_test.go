package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

func init() { connectors.Register(ledgerConnector{}) }

// ledgerConnector is a system with records that change. It tells what changed,
// by a cursor that looks a little back, and walks through all there is.
type ledgerConnector struct{}

func (ledgerConnector) Spec() connectors.Spec {
	entry := connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "version": connectors.Integer()})
	page := connectors.Object(map[string]*connectors.Schema{"records": connectors.Array(entry), "cursor": connectors.String().OrNull(), "more": connectors.Boolean()})
	return connectors.Spec{
		Name: "ledger", Title: "Ledger", Settings: connectors.Object(nil),
		Operations: []connectors.Operation{
			{Name: "changed", Effect: connectors.Read, Result: page,
				Params: connectors.Object(map[string]*connectors.Schema{"cursor": connectors.String(), "since": connectors.DateTime()})},
			{Name: "walk", Effect: connectors.Read, Result: page, Params: connectors.Object(map[string]*connectors.Schema{"cursor": connectors.String()})},
		},
		Events: []connectors.Event{
			{Name: "entry.updated", Payload: entry}, {Name: "entry.deleted", Payload: entry},
			{Name: "pushed", Payload: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()})},
		},
	}
}

func (ledgerConnector) Open(connectors.Config) (connectors.Connection, error) { return &ledger{}, nil }

// ledger is the system itself. A record's version is the clock of its last
// change.
type ledger struct {
	mu      sync.Mutex
	clock   int64
	entries map[int64]int64
	broken  error
	cut     bool // walks answer nothing
	calls   []connectors.Call
}

const (
	ledgerPage    = 3
	ledgerOverlap = 4
)

func (l *ledger) change(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	l.entries[id] = l.clock
}

func (l *ledger) remove(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.entries, id)
}

func (l *ledger) Close() error { return nil }

func (l *ledger) Call(_ context.Context, call connectors.Call) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, call)
	if l.broken != nil {
		return nil, l.broken
	}
	cursor, _ := call.Params["cursor"].(string)
	n, err := strconv.ParseInt("0"+cursor, 10, 64)
	if err != nil {
		return nil, err
	}
	if since, ok := call.Params["since"].(time.Time); ok && cursor == "" {
		n = since.Unix() // its clock began in 1970
		n = min(n, l.clock)
	}
	order := func(id int64) int64 { return id }
	if call.Operation == "changed" {
		order = func(id int64) int64 { return l.entries[id] }
	}
	var found []int64
	for id := range l.entries {
		if order(id) > n && !l.cut {
			found = append(found, id)
		}
	}
	slices.SortFunc(found, func(a, b int64) int { return int(order(a) - order(b)) })
	more := len(found) > ledgerPage
	records := []any{}
	for _, id := range found[:min(len(found), ledgerPage)] {
		records = append(records, map[string]any{"id": id, "version": l.entries[id]})
		n = order(id)
	}
	if call.Operation == "changed" && !more {
		n = max(0, l.clock-ledgerOverlap)
	}
	next := any(strconv.FormatInt(n, 10))
	if call.Operation == "walk" && !more {
		next = nil
	}
	return map[string]any{"records": records, "cursor": next, "more": more}, nil
}

// fragileStore is a store whose process may die before or after it saved, and
// whose leases may be short.
type fragileStore struct {
	store.Store
	lease time.Duration
	die   func() (before, after bool)
}

var errDied = errors.New("the process died")

const shortLease = 30 * time.Millisecond

func (s *fragileStore) ClaimFeed(ctx context.Context, instance, name, owner string, since time.Time, every, _ time.Duration) (store.FeedState, store.FeedLease, error) {
	return s.Store.ClaimFeed(ctx, instance, name, owner, since, every, s.lease)
}

func (s *fragileStore) SaveFeed(ctx context.Context, lease store.FeedLease, page store.FeedPage) ([]store.Accepted, error) {
	page.TTL = s.lease
	before, after := s.die()
	if before {
		return nil, errDied
	}
	accepted, err := s.Store.SaveFeed(ctx, lease, page)
	if err == nil && after {
		return nil, errDied
	}
	return accepted, err
}

func (s *fragileStore) EndFeed(ctx context.Context, lease store.FeedLease, end store.FeedEnd) error {
	if strings.Contains(end.Err, errDied.Error()) {
		return errDied // the dead end nothing: the lease does
	}
	return s.Store.EndFeed(ctx, lease, end)
}

// field is a ledger, a poller on it and what they make.
type field struct {
	testing.TB
	ledger *ledger
	store  *fragileStore
	poller *Poller
	app    *flow.App
	dying  bool // the next save fails, before or after it happened
	saved  bool
}

func (f *field) Connection(context.Context, string, string) (connectors.Connection, error) {
	return f.ledger, nil
}
func (f *field) Values(context.Context, string) (map[string]any, error) {
	return map[string]any{"on": true}, nil
}

const ledgerApp = `
app: test
title: Test
connections: {ledger: {connector: ledger}}
settings: [{tab: all, title: All, fields: [{name: "on", title: "On", type: switch, default: true}]}]
feeds:
  changed:
    call: ledger.changed
    event: ledger.entry.updated
    content: ${record.version}
    every: 1h
    enabled: settings.on
    wake: {event: ledger.pushed, when: event.id > 1}
  all:
    call: ledger.changed
    payload: {id: "${record.id}", twice: "${record.version * 2}"}
    every: 1h
    start: all
  listed:
    call: ledger.changed
    batch: 2
    payload: {ids: "${map(records, .id)}"}
    every: 1h
    start: all
  compared:
    call: ledger.walk
    event: ledger.entry.updated
    content: ${record.version}
    deleted: ledger.entry.deleted
    every: 1h
schedules:
  often: {every: 1s}
  rests: {every: 1s, enabled: not settings.on}
flows: [changed, gone, all, lists, slots]
`

func newField(t testing.TB) *field {
	t.Helper()
	listen := func(name, event, key string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("flow: " + name + "\ntitle: T\ntrigger: {event: " + event + ", key: \"" + key + "\"}\nsteps: [{name: x, map: 1}]\n")}
	}
	app, found, err := flow.Load(fstest.MapFS{
		"app.yaml":     {Data: []byte(ledgerApp)},
		"changed.yaml": listen("changed", "ledger.entry.updated", "entry:${event.id}"),
		"gone.yaml":    listen("gone", "ledger.entry.deleted", "entry:${event.id}"),
		"all.yaml":     listen("all", "feed.all", "entry:${event.twice}"),
		"lists.yaml":   listen("lists", "feed.listed", "lists"),
		"slots.yaml":   listen("slots", "[schedule.often, schedule.rests]", "slot:${event.at}"),
	}, "")
	if err != nil || found.Failed() {
		t.Fatal(err, found)
	}
	st, err := store.Open(context.Background(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &field{TB: t, ledger: &ledger{entries: map[int64]int64{}}, app: app}
	f.store = &fragileStore{Store: st, lease: time.Minute, die: func() (bool, bool) {
		dying := f.dying
		f.dying = false
		return dying && !f.saved, dying && f.saved
	}}
	log := slog.New(slog.DiscardHandler)
	get := func() *flow.App { return app }
	f.poller = &Poller{
		App: get, Connections: f, Store: f.store, Settings: f, Owner: "tester", Log: log,
		Router:    &Router{App: get, Settings: f, Store: f.store, Log: log},
		Instances: func(context.Context) ([]string, error) { return []string{"main"}, nil },
		polling:   map[feedKey]bool{}, plans: map[string]plan{}, told: map[feedKey]string{},
	}
	return f
}

// poll polls a feed as if its time had come.
func (f *field) poll(name string) {
	f.Helper()
	feed, ok := f.app.Feed(name)
	if !ok {
		f.Fatalf("there is no feed %s", name)
	}
	f.poller.poll(context.Background(), "main", planned{feed: feed})
}

// settle polls until nobody dies.
func (f *field) settle(name string) {
	f.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		before := f.state(name).LastSuccess
		time.Sleep(2 * time.Millisecond) // SQLite's clock counts milliseconds
		f.poll(name)
		if after := f.state(name); after.LastSuccess.After(before) && !after.Walking && after.LastError == "" {
			return
		}
		if time.Now().After(deadline) {
			f.Fatalf("the feed does not get to its end: %+v", f.state(name))
		}
		time.Sleep(shortLease / 4)
	}
}

func (f *field) state(name string) store.FeedState {
	f.Helper()
	all, err := f.store.Feeds(context.Background(), "main")
	if err != nil {
		f.Fatal(err)
	}
	for _, state := range all {
		if state.Name == name {
			return state
		}
	}
	return store.FeedState{}
}

// events lists the payloads of events by name, oldest first.
func (f *field) events(name string) []string {
	f.Helper()
	var payloads []string
	for before := int64(0); ; {
		page, err := f.store.Events(context.Background(), "main", before, store.MaxPage)
		if err != nil {
			f.Fatal(err)
		}
		if len(page) == 0 {
			slices.Reverse(payloads)
			return payloads
		}
		for _, e := range page {
			before = e.ID
			if e.Name == name {
				payloads = append(payloads, string(e.Payload))
			}
		}
	}
}

func entry(id, version int64) string { return fmt.Sprintf(`{"id":%d,"version":%d}`, id, version) }

func deleted(id int64) string { return fmt.Sprintf(`{"id":%d,"version":null}`, id) }
