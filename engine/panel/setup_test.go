package panel

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
)

// paper is a system of one's own imagination: it answers what it is told to.
type paper struct{}

type paperConnection struct{ url string }

func (paper) Spec() connectors.Spec {
	thing := connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "name": connectors.String()})
	return connectors.Spec{
		Name: "paper", Title: "Paper", Summary: "A system for tests.",
		Settings: connectors.Object(map[string]*connectors.Schema{"url": connectors.String(), "key": connectors.String().OrNull()}, "url"),
		Operations: []connectors.Operation{
			{Name: "get", Title: "Get a thing", Effect: connectors.Read, Params: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()}, "id"), Result: thing},
			{Name: "changes", Title: "What changed", Effect: connectors.Read,
				Params: connectors.Object(map[string]*connectors.Schema{"cursor": connectors.String().OrNull(), "since": connectors.DateTime().OrNull()}),
				Result: connectors.Object(map[string]*connectors.Schema{"records": connectors.Array(thing), "cursor": connectors.String(), "more": connectors.Boolean()})},
			{Name: "write", Title: "Write a thing", Effect: connectors.Update, Repeat: connectors.Idempotent,
				Params: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "values": {Type: "object", Open: true}}, "id", "values"), Result: connectors.Object(nil)},
		},
		Events: []connectors.Event{{Name: "thing.changed", Payload: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "note": connectors.String().OrNull()}, "id")}},
	}
}

func (paper) Open(c connectors.Config) (connectors.Connection, error) {
	return &paperConnection{c.String("url")}, nil
}

func (c *paperConnection) Call(_ context.Context, call connectors.Call) (any, error) {
	switch call.Operation {
	case "get":
		return map[string]any{"id": call.Params["id"], "name": evil}, nil
	case "changes":
		if strings.Contains(c.url, "wrong") {
			return nil, &connectors.Error{Class: connectors.Transient, Code: connectors.CodeUnreachable, Message: "nobody answers", Advice: "Look at the address."}
		}
		records := []any{}
		for id := range int64(5) {
			records = append(records, map[string]any{"id": 20 + id, "name": "x"})
		}
		return map[string]any{"records": records, "cursor": "end", "more": false}, nil
	}
	return map[string]any{}, nil
}

func (c *paperConnection) Close() error { return nil }

// Check finds fault with an address that says so.
func (c *paperConnection) Check(context.Context, connectors.Wanted) []connectors.Finding {
	if strings.Contains(c.url, "wrong") {
		return []connectors.Finding{connectors.Failed("address", &connectors.Error{Message: "nobody answers", Advice: "Look at the address."})}
	}
	return []connectors.Finding{connectors.Found("address", "somebody answers")}
}

// Choices lists two boxes, one of them with a name that would like to act.
func (c *paperConnection) Choices(_ context.Context, record string, _ int) ([]connectors.Choice, error) {
	if record != "box" {
		return nil, connectors.Errorf(connectors.Permanent, connectors.CodeNotFound, "no such record")
	}
	return []connectors.Choice{{ID: 1, Label: "Red box"}, {ID: 2, Label: evil}}, nil
}

func init() { connectors.Register(paper{}) }

// evil is a text that acts where it is not escaped.
const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'{{.}}javascript:alert(3)`

// canary is a secret that must never be seen.
const canary = "canary-2718281828"

const testApp = `
app: paper
title: Paper
connections:
  paper:
    connector: paper
    settings: {url: "${settings.paper_url}", key: "${settings.paper_key}"}
links:
  thing:
    title: Thing
    local: {record: sheet, key: id, url: "${settings.paper_url}/sheet/${key}"}
    remote: {record: thing, key: id, type: string, url: "${settings.bad_url}${key}"}
    rebuild: rebuild-things
feeds:
  things:
    title: Things
    call: paper.changes
    event: paper.thing.changed
    payload: {id: "${record.id}", note: nothing}
    every: 1h
settings:
  - tab: connection
    title: Connection
    actions:
      - {flow: ask, title: Ask}
      - {flow: not-there, title: Not there}
    fields:
      - {name: paper_url, title: Address, type: text, format: url}
      - {name: paper_key, title: Key, type: secret}
      - {name: bad_url, title: Bad address, type: text}
  - tab: more
    title: More
    saved: after
    fields:
      - {name: listens, title: Listens, type: switch, default: true, group: Switches, help: "Help <b>bold</b>"}
      - {name: box, title: Box, type: integer, record: box}
      - {name: pages, title: Pages, type: integer, min: 1, max: 9, default: 3}
      - {name: size, title: Size, type: choice, choices: [small, large], default: small}
      - {name: names, title: Names, type: list, default: [a]}
      - {name: kinds, title: Kinds, type: list, choices: [x, y], default: [x]}
      - {name: boxes, title: Boxes, type: table, default: {}, columns: {key: {title: Name}, value: {title: Box, record: box}}}
      - {name: ours, title: Ours, type: text}
flows: [changed, ask, part, after, rebuild-things]
`

const changedFlow = `
flow: changed
title: Changed
summary: Notes what changed.
trigger:
  event: paper.thing.changed
  enabled: settings.listens
  key: thing:${event.id}
steps:
  - name: thing
    call: paper.get
    with: {id: "${event.id}"}
  - name: doubtful
    when: event.id == 13
    call: run.hold
    with: {code: doubtful, reason: "thing ${event.id} is ${event.note}", advice: "look at ${event.note}"}
  - name: written
    call: paper.write
    with: {id: "${event.id}", values: {name: "${thing.name}", note: "${event.note}"}}
`

const askFlow = `
flow: ask
title: Ask
trigger:
  manual:
    input:
      type: object
      required: [question]
      properties: {question: {type: string}, times: {type: integer, default: 1}, loud: {type: boolean}}
steps:
  - name: answer
    call: flow.part
    with: {text: "${input.question}"}
result:
  checks:
    - {name: question, ok: true, message: "${answer}", advice: ""}
`

const afterFlow = `
flow: after
title: After saving
trigger:
  manual: {}
steps:
  - name: said
    map: saved
result:
  checks: [{name: pages, ok: true, message: "${settings.pages} pages"}]
`

const rebuildFlow = `
flow: rebuild-things
title: Things again
trigger:
  called:
    input: {type: object, properties: {cursor: {type: string}}}
steps:
  - name: page
    call: paper.changes
result:
  pairs: '${map(page.records, {{"local": .id, "remote": .id}})}'
  more: false
  cursor: end
`

const partFlow = `
flow: part
title: Part
trigger:
  called: {input: {type: object, required: [text], properties: {text: {type: string}}}}
steps:
  - name: shaped
    map: ${input.text}
result: ${shaped}
`

// bench is a panel with its engine, served.
type bench struct {
	testing.TB
	engine *engine.Engine
	panel  *Panel
	server *httptest.Server
	logs   *lockedBuffer
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// setup serves a panel whose runs are worked. change changes its configuration.
func setup(t testing.TB, change func(*engine.Config, *Config)) *bench {
	t.Helper()
	sealer, err := settings.NewSealer("a key of enough characters")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{TB: t, logs: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(b.logs, nil))
	folder := t.TempDir()
	ours := engine.Config{
		Flows: fstest.MapFS{
			"app.yaml": {Data: []byte(testApp)}, "changed.yaml": {Data: []byte(changedFlow)},
			"ask.yaml": {Data: []byte(askFlow)}, "part.yaml": {Data: []byte(partFlow)}, "after.yaml": {Data: []byte(afterFlow)}, "rebuild-things.yaml": {Data: []byte(rebuildFlow)},
		},
		FlowsName: "flows", DatabaseURL: "sqlite:" + filepath.Join(folder, "panel.db"), Instances: []string{"main", "second"},
		Overrides: map[string]string{"ours": "given by the machine"}, OverrideInstance: "main", Sealer: sealer, Log: log,
		// Without a scheduler nothing runs by itself.
		Roles: []engine.Role{engine.RoleWorker, engine.RolePanel},
	}
	config := Config{Log: log, Version: "test"}
	if change != nil {
		change(&ours, &config)
	}
	if b.engine, err = engine.Open(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.engine.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := b.engine.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	config.Engine = b.engine
	if b.panel, err = New(config); err != nil {
		t.Fatal(err)
	}
	b.panel.live.every = 20 * time.Millisecond
	b.server = httptest.NewServer(b.panel.Handler())
	t.Cleanup(func() {
		b.panel.EndStreams()
		b.server.Close()
		if err := b.panel.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

const password = "a password of people"

// account makes an account, cheaply: a costly hash is tested once.
func (b *bench) account(name, role string) store.Account {
	b.Helper()
	account := store.Account{Name: name, Role: role, PasswordHash: cheapHash(b, password), Stamp: "1"}
	if err := b.engine.Store().SaveAccount(b.Context(), account); err != nil {
		b.Fatal(err)
	}
	return account
}

// browser is a client with a cookie jar that follows nothing by itself.
func (b *bench) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// as is a browser that is logged in.
func (b *bench) as(role string) *http.Client {
	b.Helper()
	b.account(role, role)
	c := b.browser()
	if got := b.post(c, "/login", url.Values{"name": {role}, "password": {password}}); got.status != http.StatusSeeOther {
		b.Fatalf("logging in gave %d: %s", got.status, got.body)
	}
	return c
}

type answer struct {
	status int
	body   string
	header http.Header
}

func (b *bench) do(c *http.Client, method, path, kind, body string, header map[string]string) answer {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for name, value := range header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	resp, err := c.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 10<<20))
	if err != nil {
		b.Fatal(err)
	}
	return answer{resp.StatusCode, string(data), resp.Header}
}

func (b *bench) get(c *http.Client, path string) answer {
	b.Helper()
	return b.do(c, http.MethodGet, path, "", "", nil)
}

func (b *bench) post(c *http.Client, path string, form url.Values) answer {
	b.Helper()
	return b.do(c, http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode(), nil)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// connect fills what the connection needs.
func (b *bench) connect(instance string) {
	b.Helper()
	b.must(b.engine.Settings().Save(b.Context(), instance, map[string]any{"paper_url": "https://paper.example", "paper_key": canary, "bad_url": "javascript:alert(1)//"}))
}

// run starts the flow of an event and waits until it ended.
func (b *bench) run(instance string, event map[string]any) store.Run {
	b.Helper()
	id, err := b.engine.StartFlow(b.Context(), "changed", instance, event)
	b.must(err)
	return b.ended(id)
}

func (b *bench) ended(id int64) store.Run {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		run, err := b.engine.Store().Run(b.Context(), id)
		b.must(err)
		if over(run.State) || run.State == store.Held {
			return run
		}
		if time.Now().After(deadline) {
			b.Fatalf("run %d is still %s: %s", id, run.State, run.Reason)
		}
	}
}
