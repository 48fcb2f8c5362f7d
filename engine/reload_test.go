package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/run"
	"github.com/flowctl/flowctl/engine/store"
)

func init() { connectors.Register(gateConnector{}) }

// gateConnector lets nobody pass until it is opened, and sends the first one
// back.
type gateConnector struct{}

var (
	gateEntered = make(chan struct{}, 1)
	gateOpen    = make(chan struct{})
	gatePassed  atomic.Int32
)

func (gateConnector) Spec() connectors.Spec {
	return connectors.Spec{Name: "gate", Title: "Gate", Settings: connectors.Object(nil), Operations: []connectors.Operation{
		{Name: "pass", Effect: connectors.Read, Params: connectors.Object(nil), Result: connectors.Object(nil)},
	}}
}

func (g gateConnector) Open(connectors.Config) (connectors.Connection, error) { return g, nil }
func (gateConnector) Close() error                                            { return nil }

func (gateConnector) Call(ctx context.Context, _ connectors.Call) (any, error) {
	select {
	case gateEntered <- struct{}{}:
	default:
	}
	select {
	case <-gateOpen:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if gatePassed.Add(1) == 1 {
		return nil, connectors.Errorf(connectors.Transient, "sent_back", "come again")
	}
	return map[string]any{}, nil
}

const gateApp = `
app: gate
title: Gate
connections: {gate: {connector: gate}}
flows: [it]
`

func gateFlow(word string) string {
	return `
flow: it
title: It
trigger: {manual: {input: {type: object, properties: {gate: {type: boolean}}}}}
steps:
  - {name: passed, when: input.gate, call: gate.pass}
  - {name: word, map: ` + word + `}
result: ${word}
`
}

// A saved flow is used by the next run, a run in flight ends with what it began
// with, also in its next attempt, and a broken flow is refused.
func TestSavedFlowsAreTakenOver(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	save := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save("app.yaml", gateApp)
	save("it.yaml", gateFlow("one"))
	b := newBench(t, nil, func(c *engine.Config) { c.Flows, c.FlowsFolder, c.Workers = os.DirFS(folder), folder, 4 })
	b.must(b.Start(b.ctx))
	version := func() string {
		f, _ := b.App().Flow("it")
		return f.Version
	}
	finished := func(id int64) store.Run {
		t.Helper()
		var r store.Run
		eventually(t, "the run's end", func() bool {
			var err error
			r, err = b.Store().Run(b.ctx, id)
			b.must(err)
			return r.State == store.Succeeded || r.State == store.Failed || r.State == store.Held
		})
		return r
	}
	wants := func(r store.Run, word, version string) {
		t.Helper()
		steps, err := b.Store().Steps(b.ctx, r.ID)
		b.must(err)
		if string(r.Result) != `"`+word+`"` || run.WorkedVersion(steps) != version {
			t.Errorf("run %d is %s (%s) with %s by version %s; want %s by %s", r.ID, r.State, r.Reason, r.Result, run.WorkedVersion(steps), word, version)
		}
	}
	first := version()
	inFlight := b.start("it", map[string]any{"gate": true})
	select {
	case <-gateEntered:
	case <-time.After(time.Minute):
		t.Fatal("the run never came to the gate")
	}

	save("it.yaml", gateFlow("two"))
	eventually(t, "the saved flow", func() bool { return version() != first })
	second := version()
	wants(finished(b.start("it", map[string]any{"gate": false})), "two", second)

	save("it.yaml", strings.Replace(gateFlow("three"), "${word}", "${wrod}", 1))
	eventually(t, "the mistake", func() bool { return b.FlowProblems().Failed() })
	if problems := b.FlowProblems(); problems[0].Line != 8 || problems[0].Code != "unknown-name" {
		t.Errorf("the problems are %+v", problems)
	}
	wants(finished(b.start("it", map[string]any{"gate": false})), "two", second)

	close(gateOpen)
	ended := finished(inFlight)
	wants(ended, "one", first)
	if ended.Attempt != 2 {
		t.Errorf("the run had %d attempts; it was to be sent back once", ended.Attempt)
	}

	save("it.yaml", gateFlow("four"))
	eventually(t, "the mended flow", func() bool { return version() != second })
	if problems := b.FlowProblems(); len(problems) > 0 {
		t.Errorf("the problems are still %+v", problems)
	}
	wants(finished(b.start("it", map[string]any{"gate": false})), "four", version())

	if err := os.Remove(filepath.Join(folder, "app.yaml")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the folder without app.yaml", func() bool { return b.FlowProblems().Failed() })
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for ", what)
		}
	}
}
