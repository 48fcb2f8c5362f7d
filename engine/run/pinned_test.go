package run

import (
	"bytes"
	"context"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// A run in flight goes on with the settings it began with; what a person or a
// later event tries again takes today's. Secrets are always today's.
func TestSettingsOfARunInFlight(t *testing.T) {
	t.Parallel()
	flow := map[string]string{"main": onChange + `
steps:
  - name: made
    call: fake.create
    with: {email: first}
  - name: asked
    call: fake.list
  - name: told
    call: fake.create
    with: {email: second, greeting: "${settings.greeting}", token: "${settings.token}", limit: "${settings.limit}"}
`}
	fails := func(b *bench, class connectors.Class) {
		b.world.before = func(_ context.Context, op string, _ map[string]any) error {
			if op == "list" {
				return failing(class, "wrong")
			}
			return nil
		}
	}
	cases := map[string]struct {
		interrupt func(b *bench, id int64)
		again     func(b *bench, id int64)
		want      string
	}{
		"tried again after a transient error": {
			func(b *bench, id int64) {
				fails(b, connectors.Transient)
				b.wants(b.work(id), store.Retrying, "wrong")
			}, nil, "hello"},
		"gone on with after a death": {func(b *bench, id int64) { b.dying(id, 5, false) }, nil, "hello"},
		"retried by a person": {
			func(b *bench, id int64) {
				fails(b, connectors.Permanent)
				b.wants(b.work(id), store.Failed, "wrong")
			}, (*bench).reopen, "good day"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, flow)
			limit := decimal.RequireFromString("1.50")
			b.settings = map[string]any{"token": "old-secret", "greeting": "hello", "limit": limit}
			id := b.happens(1, "ada")[0]
			c.interrupt(b, id)
			b.world.before = nil
			b.settings = map[string]any{"token": "new-secret", "greeting": "good day", "limit": limit}
			if c.again != nil {
				c.again(b, id)
			}
			b.settleAfter(id)
			made := b.world.records[2]
			if made["greeting"] != c.want || made["token"] != "new-secret" || !limit.Equal(made["limit"].(decimal.Decimal)) {
				t.Errorf("the second record is %v", made)
			}
			steps, err := b.store.Steps(b.ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range steps {
				// What the flow itself writes is scrubbed of today's secrets.
				if bytes.Contains(s.Output, []byte("-secret")) || bytes.Contains(s.Input, []byte("-secret")) {
					t.Errorf("%s keeps a secret: %s %s", s.Path, s.Input, s.Output)
				}
			}
		})
	}
}

// A run that ends at once keeps no settings.
func TestSettingsAreKeptWhereTheyAreNeeded(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + "steps: [{name: nothing, call: run.skip, with: {reason: no}}]"})
	id := b.happens(1, "ada")[0]
	b.wants(b.work(id), store.Skipped, "")
	if s, kept := b.step(id, SettingsPath); kept {
		t.Errorf("kept %s", s.Output)
	}
}
