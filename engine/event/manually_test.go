package event

import (
	"strings"
	"testing"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// What a person starts is told apart: a flow that nothing starts is refused in
// words, one that listens to several events gets the name of the first.
func TestStartManuallyByTrigger(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	nothing := &flow.Flow{Name: "part", Trigger: flow.Trigger{Called: true}}
	if _, err := b.router.StartManually(t.Context(), nothing, "main", nil); err == nil || !strings.Contains(err.Error(), "the flow part cannot be started") {
		t.Errorf("a flow that nothing starts: %v", err)
	}
	several := &flow.Flow{Name: "several", Trigger: flow.Trigger{Events: []string{"bell.rang", "bell.sang"}}}
	id, err := b.router.StartManually(t.Context(), several, "main", map[string]any{"id": int64(4)})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := b.store.Run(t.Context(), id); err != nil || r.EventName != "bell.rang" || string(r.Event) != `{"id":4}` || r.State != store.Waiting {
		t.Errorf("the run is of %s with %s (%v)", r.EventName, r.Event, err)
	}
}
