package run

import (
	"context"
	"testing"

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
