package engine_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
)

func init() { connectors.Register(postConnector{}) }

// postConnector is a post office with boxes: an account of it takes letters.
type postConnector struct{}

func (postConnector) Spec() connectors.Spec {
	return connectors.Spec{
		Name: "post", Title: "Post",
		Settings: connectors.Object(map[string]*connectors.Schema{"account": connectors.String(), "secret": connectors.String().OrNull()}, "account"),
		Operations: []connectors.Operation{
			{Name: "letters.send", Effect: connectors.Create, Repeat: connectors.NaturalKey,
				Params: connectors.Object(map[string]*connectors.Schema{"text": connectors.String()}, "text"),
				Result: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()})},
			{Name: "letters.fail", Effect: connectors.Read, Params: connectors.Object(nil), Result: connectors.Any()},
		},
		Events: []connectors.Event{{Name: "arrived", Payload: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "text": connectors.String()})}},
	}
}

func (postConnector) Open(c connectors.Config) (connectors.Connection, error) {
	if c.String("account") == "closed" {
		return nil, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig, "the account is closed")
	}
	return &box{instance: c.Instance, account: c.String("account"), secret: c.String("secret")}, nil
}

// sent is all letters that were sent, by account.
var sent = struct {
	sync.Mutex
	letters map[string][]string
	count   int64
}{letters: map[string][]string{}}

func lettersOf(account string) []string {
	sent.Lock()
	defer sent.Unlock()
	return append([]string(nil), sent.letters[account]...)
}

type box struct{ instance, account, secret string }

func (b *box) Call(_ context.Context, call connectors.Call) (any, error) {
	if call.Operation == "letters.fail" {
		return nil, connectors.Errorf(connectors.Permanent, "torn", "the letter is torn")
	}
	sent.Lock()
	defer sent.Unlock()
	text, _ := call.Params["text"].(string)
	sent.letters[b.account] = append(sent.letters[b.account], b.instance+": "+text)
	sent.count++
	return map[string]any{"id": sent.count}, nil
}

func (b *box) Close() error { return nil }

// Check finds the account, and a webhook where one is wanted.
func (b *box) Check(_ context.Context, want connectors.Wanted) []connectors.Finding {
	found := []connectors.Finding{connectors.Found("account", "the account %s is open", b.account)}
	if want.HooksURL == "" {
		return append(found, connectors.Warned("webhooks", "Say where we are.", "not looked at"))
	}
	return append(found, connectors.Found("webhooks", "%s gets %v", want.HooksURL, want.Events))
}

// Receive takes any delivery that names the secret.
func (b *box) Receive(d connectors.Delivery) (connectors.Receipt, error) {
	switch {
	case b.secret == "":
		return connectors.Receipt{}, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig, "no secret is set")
	case d.Header.Get("Secret") != b.secret:
		return connectors.Receipt{}, connectors.Errorf(connectors.Permanent, connectors.CodeBadSignature, "another secret")
	}
	return connectors.Receipt{Event: "arrived", Payload: map[string]any{"id": int64(len(d.Body)), "text": string(d.Body)}}, nil
}

const postApp = `
app: post
title: Post
connections:
  post: {connector: post, settings: {account: "${settings.account}", secret: "${settings.secret}"}}
links:
  letter:
    title: Letters
    local: {record: letter, key: id}
    remote: {record: parcel, key: code, type: string}
  stamp:
    title: Stamps
    local: {record: stamp, key: id}
    remote: {record: stamp, key: id}
settings:
  - tab: all
    title: All
    fields:
      - {name: account, title: Account, type: text}
      - {name: secret, title: Secret, type: secret}
      - {name: public_url, title: Public URL, type: text, format: url}
      - {name: on, title: "On", type: switch, default: true}
      - {name: shelf, title: Shelf, type: integer, record: shelf, min: 1}
      - {name: shelves, title: Shelves, type: table, default: {}, columns: {key: {title: Kind}, value: {title: Shelf, record: shelf}}}
events:
  moved: {title: The post moved, payload: {type: object, properties: {to: {type: string}, at: {type: string, format: date-time}}, required: [to]}}
flows:
`

// bench is an engine of the given flow files on a store of its own, whose runs
// are worked by the test.
type bench struct {
	*testing.T
	*engine.Engine
	ctx context.Context
}

func newBench(t *testing.T, flows map[string]string, change ...func(*engine.Config)) *bench {
	t.Helper()
	return openBench(t, "sqlite::memory:", flows, change...)
}

func openBench(t *testing.T, url string, flows map[string]string, change ...func(*engine.Config)) *bench {
	t.Helper()
	app := postApp
	files := fstest.MapFS{}
	for _, name := range []string{"first", "second", "third"} {
		if text, ok := flows[name]; ok {
			app += "  - " + name + "\n"
			files[name+".yaml"] = &fstest.MapFile{Data: []byte("flow: " + name + "\ntitle: The " + name + "\n" + text)}
		}
	}
	files["app.yaml"] = &fstest.MapFile{Data: []byte(app)}
	sealer, err := settings.NewSealer("a key for these tests")
	if err != nil {
		t.Fatal(err)
	}
	config := engine.Config{Flows: files, FlowsName: "flows", DatabaseURL: url, Sealer: sealer, Log: slog.New(slog.DiscardHandler),
		UnclearWait: time.Millisecond, LateWait: time.Millisecond, Backoff: []time.Duration{time.Millisecond, time.Millisecond}}
	for _, c := range change {
		c(&config)
	}
	e, err := engine.Open(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bench{T: t, Engine: e, ctx: context.Background()}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// start starts a flow by hand and returns its run.
func (b *bench) start(name string, input map[string]any) int64 {
	b.Helper()
	id, err := b.StartFlow(b.ctx, name, "main", input)
	b.must(err)
	return id
}

// settle works all that is ready, until nothing is.
func (b *bench) settle() {
	b.Helper()
	for range 1000 {
		ready, err := b.Store().Ready(b.ctx, 100)
		b.must(err)
		if len(ready) == 0 {
			if _, more, err := b.Store().NextDue(b.ctx); err != nil || !more {
				b.must(err)
				return
			}
			time.Sleep(time.Millisecond)
		}
		for _, r := range ready {
			b.must(b.Work(b.ctx, r.ID))
		}
	}
	b.Fatal("it never settles")
}

// run reads a run.
func (b *bench) run(id int64) store.Run {
	b.Helper()
	run, err := b.Store().Run(b.ctx, id)
	b.must(err)
	return run
}

// result is what a flow gave, which must have succeeded.
func (b *bench) result(name string, input map[string]any) map[string]any {
	b.Helper()
	id := b.start(name, input)
	b.settle()
	run := b.run(id)
	if run.State != store.Succeeded {
		b.Fatalf("%s is %s: %s (%s)", name, run.State, run.Reason, run.Code)
	}
	return decode(b.T, run.Result)
}

// runsOf lists a flow's runs, oldest first.
func (b *bench) runsOf(flow string) []store.Run {
	b.Helper()
	runs, err := b.Store().Runs(b.ctx, store.RunFilter{Flow: flow})
	b.must(err)
	for i, j := 0, len(runs)-1; i < j; i, j = i+1, j-1 {
		runs[i], runs[j] = runs[j], runs[i]
	}
	return runs
}
