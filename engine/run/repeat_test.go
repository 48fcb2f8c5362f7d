package run

import (
	"context"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// A write that cannot be repeated holds the run when its answer is lost, unless
// the flow says that it takes care of that.
func TestAFlowMakesAWriteRepeatable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, step string
		want       store.State
	}{
		{"an idempotent operation", `{name: it, call: fake.update, with: {id: 1, values: {name: Ada}}}`, store.Retrying},
		{"an unrepeatable operation", `{name: it, call: fake.post, with: {id: 1}}`, store.Held},
		{"one that the flow makes repeatable", `{name: it, call: fake.post, repeat: idempotent, with: {id: 1}}`, store.Retrying},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, map[string]string{"main": onChange + "steps: [" + test.step + "]"})
			b.world.before = func(context.Context, string, map[string]any) error { return failing(connectors.Unclear, "bad_answer") }
			if run := b.work(b.happens(1, "ada")[0]); run.State != test.want {
				t.Fatalf("the run is %s: %s", run.State, run.Reason)
			}
		})
	}
}

// A create that got no answer, and that only a look tells of, is not looked for
// while the other system may still be at it: what it makes late is found, and
// not made twice.
func TestALateCreateIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: person
    link: partner
    remote: 7
    match: {call: fake.search, with: {email: ada}}
    create: {call: fake.create, repeat: after looking, with: {email: ada}}
`})
	b.executor.LateWait = 5 * time.Second
	lost := false
	b.world.before = func(_ context.Context, operation string, _ map[string]any) error {
		if operation != "create" || lost {
			return nil
		}
		lost = true
		return failing(connectors.Unclear, "timeout")
	}
	id := b.happens(1, "ada")[0]
	if run := b.work(id); run.State != store.Retrying || run.Code != "timeout" {
		t.Fatalf("after the lost answer the run is %s: %s %s", run.State, run.Code, run.Reason)
	}
	time.Sleep(time.Until(b.run(id).DueAt))
	run := b.work(id)
	if run.State != store.Retrying || run.Code != "unclear_write" || b.world.with("ada") != 0 {
		t.Fatalf("while it may be at work the run is %s: %s %s; %d records", run.State, run.Code, run.Reason, b.world.with("ada"))
	}
	b.world.put(map[string]any{"email": "ada"}) // now it is through
	time.Sleep(time.Until(run.DueAt))
	if run := b.work(id); run.State != store.Succeeded || b.world.with("ada") != 1 {
		t.Errorf("after the wait the run is %s: %s; %d records", run.State, run.Reason, b.world.with("ada"))
	}
}
