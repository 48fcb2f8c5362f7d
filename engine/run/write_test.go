package run

import (
	"context"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// What becomes of a write in the light of what earlier attempts did.
func TestJudge(t *testing.T) {
	t.Parallel()
	create := connectors.Operation{Effect: connectors.Create, Repeat: connectors.NaturalKey}
	update := connectors.Operation{Effect: connectors.Update, Repeat: connectors.Idempotent}
	once := connectors.Operation{Effect: connectors.Update, Repeat: connectors.Unrepeatable}
	mail := connectors.Operation{Effect: connectors.Create, Repeat: connectors.Unrepeatable}
	done := func(attempt int, hash, input string) store.Step {
		return store.Step{State: store.StepDone, Attempts: attempt, Hash: hash, Input: []byte(input)}
	}
	begun := func(attempt int) store.Step {
		return store.Step{State: store.StepStarted, Attempts: attempt, Hash: "h", Input: []byte("in")}
	}
	const now, long = 5, 2 // attempts of this series, and of one before
	cases := []struct {
		name    string
		op      connectors.Operation
		before  store.Step
		matched bool
		about   []string
		asked   bool // by a person
		changed bool // a step before it
		want    verdict
	}{
		{name: "nothing is known", op: create, want: do},
		{name: "it failed", op: create, before: store.Step{State: store.StepFailed, Attempts: now}, want: do},

		{name: "a create was done", op: create, before: done(now, "h", "in"), want: reuse},
		{name: "a create was done long ago", op: create, before: done(long, "h", "in"), want: reuse},
		{name: "a create was done with other parameters", op: create, before: done(now, "h", "else"), want: reuse},
		{name: "a create was done by another definition", op: create, before: done(long, "old", "in"), want: changed},
		{name: "a create was done, and is not found any more in this series", op: create, before: done(now, "h", "in"), matched: true, want: reuse},
		{name: "a create was done long ago, and is not found any more", op: create, before: done(long, "h", "in"), matched: true, want: do},
		{name: "a create was done for another key", op: create, before: done(now, "h", `{"for":["ada"],"params":{}}`), about: []string{"eve"}, want: do},
		{name: "a create was done for this key", op: create, before: done(now, "h", `{"for":["ada"],"params":{}}`), about: []string{"ada"}, want: reuse},

		{name: "an update was done", op: update, before: done(now, "h", "in"), want: reuse},
		{name: "an update was done with other parameters", op: update, before: done(now, "h", "else"), want: do},
		{name: "an update was done long ago", op: update, before: done(long, "h", "in"), want: do},
		{name: "an update was done by another definition", op: update, before: done(now, "old", "in"), want: do},
		{name: "an update was done, and steps before it changed", op: update, before: done(now, "h", "in"), changed: true, want: do},

		{name: "an unrepeatable update was done", op: once, before: done(long, "h", "in"), want: reuse},
		{name: "an unrepeatable update was done with other parameters", op: once, before: done(now, "h", "else"), want: do},
		{name: "an unrepeatable update was done by another definition", op: once, before: done(now, "old", "in"), want: changed},

		{name: "an update was begun", op: update, before: begun(now), want: do},
		{name: "a create was begun", op: create, before: begun(now), want: unclear},
		{name: "a create was begun, and a look shows that it is not there", op: create, before: begun(now), matched: true, want: do},
		{name: "an unrepeatable create was begun, whatever a look shows", op: mail, before: begun(now), matched: true, want: unclear},
		{name: "it was begun long ago, and an event brought it back", op: once, before: begun(long), want: unclear},
		{name: "it was begun long ago, and a person asks for it", op: once, before: begun(long), asked: true, want: do},
		{name: "a person asked, and it was begun again since", op: once, before: begun(now), asked: true, want: unclear},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := &journal{since: 4, known: map[string]store.Step{}, asked: c.asked, changed: c.changed}
			if c.before.State != "" {
				j.known["p"] = c.before
			}
			w := write{call: &flow.Call{Operation: c.op}, hash: "h", path: "p", matched: c.matched, about: c.about}
			if got := j.judge(w, []byte("in")); got != c.want {
				t.Errorf("the verdict is %d, not %d", got, c.want)
			}
		})
	}
}

// Two items that are the same are two items.
func TestEqualItems(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: notes
    for_each: '["x", "x", {"sku": "x"}, {"sku": "[y]"}, nil, nil]'
    call: fake.note
    with: {email: same}
`})
	b.settleAfter(b.happens(1, "ada")[0])
	if n := b.world.with("same"); n != 6 {
		t.Errorf("%d notes", n)
	}
}

// Long parameters are compared whole, and long answers of writes are kept.
func TestLongValues(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: long
    map: ${repeat("x", 100000)}
  - name: named
    call: fake.update
    with: {id: 1, values: {name: "${long + (run.attempt == 1 ? 'a' : 'b')}"}}
  - name: copies
    for_each: '[1]'
    batch: 1
    call: fake.create_many
    with: {list: [{email: copy, name: "${long}"}]}
    take: ${result.items}
  - name: everyone
    call: fake.list
`})
	b.guests("ada")
	failing := true
	b.world.before = func(_ context.Context, op string, _ map[string]any) error {
		if op == "list" && failing {
			failing = false
			return transient()
		}
		return nil
	}
	b.settleAfter(b.happens(1, "ada")[0])
	if updates, copies := b.world.made("update"), b.world.with("copy"); updates != 2 || copies != 1 {
		t.Errorf("%d updates, %d copies", updates, copies)
	}
}
