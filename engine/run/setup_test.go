package run

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

const appFile = `
app: test
title: Test
connections:
  fake: {connector: fake}
settings:
  - tab: all
    title: All
    fields:
      - {name: token, title: Token, type: secret}
      - {name: greeting, title: Greeting, type: text, default: hello}
      - {name: limit, title: Limit, type: decimal}
links:
  partner:
    title: Partner
    local: {record: record, key: id}
    remote: {record: guest, key: email, type: string}
  person:
    title: Person
    local: {record: record, key: id}
    remote: {record: customer, key: id}
flows:
`

// tb is what the harness needs of a test, so that rapid's own tests have it too.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// bench is an app on a store of its own.
type bench struct {
	tb
	ctx      context.Context
	world    *world
	store    store.Store
	versions *flow.Versions
	router   *event.Router
	executor *Executor
	settings map[string]any
}

// Connection is always the bench's world.
func (b *bench) Connection(context.Context, string, string) (connectors.Connection, error) {
	return b.world, nil
}

func (b *bench) Values(context.Context, string) (map[string]any, error) { return b.settings, nil }

// newBench makes an app of flow files by name, on a new SQLite store.
func newBench(t *testing.T, flows map[string]string) *bench {
	t.Helper()
	return newBenchAt(t, "sqlite:"+filepath.Join(t.TempDir(), "flowctl.db"), flows)
}

// inMemory is a store for tests that begin anew a hundred times.
const inMemory = "sqlite::memory:"

func newBenchAt(t *testing.T, url string, flows map[string]string) *bench {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	st, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{tb: t, ctx: ctx, world: newWorld(), store: st, versions: &flow.Versions{},
		settings: map[string]any{"token": nil, "greeting": "hello"}}
	b.use(flows)
	b.router = &event.Router{App: b.versions.Current, Settings: b, Store: st}
	b.executor = b.newExecutor(st)
	return b
}

// anew is the same app and store with an empty world, for another test.
func (b *bench) anew(t tb) *bench {
	c := &bench{tb: t, ctx: b.ctx, world: newWorld(), store: b.store, versions: b.versions, router: b.router, settings: b.settings}
	c.executor = c.newExecutor(c.store)
	return c
}

func (b *bench) newExecutor(st store.Store) *Executor {
	return &Executor{
		App: b.versions.Current, Version: b.versions.Flow, Store: st, Connections: b, Settings: b,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Owner: "test", UnclearWait: time.Millisecond, LateWait: time.Millisecond,
		Backoff: []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond, time.Millisecond, time.Millisecond, time.Millisecond},
	}
}

// use loads an app of these flows and makes it the current one.
func (b *bench) use(flows map[string]string) {
	b.Helper()
	files := fstest.MapFS{}
	app := appFile
	for _, name := range []string{"main", "first", "second", "third", "part"} { // in this order
		if text, ok := flows[name]; ok {
			app += "  - " + name + "\n"
			files[name+".yaml"] = &fstest.MapFile{Data: []byte("flow: " + name + "\ntitle: " + name + "\n" + text)}
		}
	}
	files["app.yaml"] = &fstest.MapFile{Data: []byte(app)}
	loaded, found, err := flow.Load(files, "")
	if err != nil {
		b.Fatalf("loading the flows: %v", err)
	}
	if found.Failed() {
		b.Fatalf("the flows have mistakes: %v", found)
	}
	b.versions.Use(loaded)
}

// happens announces a change and returns the runs it started.
func (b *bench) happens(id int64, email string) []int64 {
	b.Helper()
	return b.happensAt("main", id, email)
}

func (b *bench) happensAt(instance string, id int64, email string) []int64 {
	b.Helper()
	accepted, err := b.router.Accept(b.ctx, event.Incoming{Instance: instance, Source: "webhook", Name: "fake.changed",
		Payload: map[string]any{"id": id, "email": email}})
	if err != nil {
		b.Fatalf("accepting: %v", err)
	}
	return accepted.RunIDs
}

// work works a run once and returns it.
func (b *bench) work(id int64) store.Run {
	b.Helper()
	if _, err := b.executor.Work(b.ctx, id); err != nil {
		b.Fatalf("working run %d: %v", id, err)
	}
	return b.run(id)
}

func (b *bench) run(id int64) store.Run {
	b.Helper()
	r, err := b.store.Run(b.ctx, id)
	if err != nil {
		b.Fatalf("reading run %d: %v", id, err)
	}
	return r
}

// settle works whatever is ready until nothing is open any more.
func (b *bench) settle() {
	b.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		ready, err := b.store.Ready(b.ctx, 100)
		if err != nil {
			b.Fatalf("asking what is ready: %v", err)
		}
		for _, r := range ready {
			b.work(r.ID)
		}
		counts, err := b.store.Counts(b.ctx, "")
		if err != nil {
			b.Fatalf("counting: %v", err)
		}
		if counts[store.Waiting]+counts[store.Running]+counts[store.Retrying] == 0 {
			return
		}
		if len(ready) == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	b.Fatalf("the runs do not come to an end")
}

// wants checks how a run stands.
func (b *bench) wants(r store.Run, state store.State, code string) {
	b.Helper()
	if r.State != state || r.Code != code {
		b.Fatalf("run %d is %s (%s): %s; want %s (%s)", r.ID, r.State, r.Code, r.Reason, state, code)
	}
}

// step finds a journal entry.
func (b *bench) step(runID int64, path string) (store.Step, bool) {
	b.Helper()
	steps, err := b.store.Steps(b.ctx, runID)
	if err != nil {
		b.Fatalf("reading the journal: %v", err)
	}
	for _, s := range steps {
		if s.Path == path {
			return s, true
		}
	}
	return store.Step{}, false
}

// links counts the rows of a table by state.
func (b *bench) links(instance, table string) (linked, claimed int) {
	b.Helper()
	rows, err := b.store.Links(b.ctx, store.LinkFilter{Instance: instance, Table: table, Limit: store.MaxPage})
	if err != nil {
		b.Fatalf("reading links: %v", err)
	}
	for _, row := range rows {
		if row.State == store.Linked {
			linked++
		} else {
			claimed++
		}
	}
	return linked, claimed
}

// reopen is a person's retry.
func (b *bench) reopen(id int64) {
	b.Helper()
	if _, err := b.store.Reopen(b.ctx, false, id); err != nil {
		b.Fatalf("reopening: %v", err)
	}
}

const onChange = `
trigger:
  event: fake.changed
  key: guest:${event.email}
`

// guestLink finds or makes a record by its e-mail.
const guestLink = onChange + `
steps:
  - name: partner
    link: partner
    remote: ${event.email}
    match: {call: fake.search, with: {email: "${event.email}"}}
    create: {call: fake.create, with: {email: "${event.email}", name: Ada}}
`

func failing(class connectors.Class, code string) error {
	return connectors.Errorf(class, code, "the fake fails: %s", code)
}
