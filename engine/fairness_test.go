package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"testing/fstest"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/store"
)

func init() { connectors.Register(clerkConnector{}) }

// clerkConnector takes a moment for each call, as a system over the network does.
type clerkConnector struct{}

func (clerkConnector) Spec() connectors.Spec {
	return connectors.Spec{
		Name: "clerk", Title: "Clerk", Settings: connectors.Object(nil),
		Operations: []connectors.Operation{{Name: "look", Effect: connectors.Read, Params: connectors.Object(nil), Result: connectors.Object(nil)}},
		Events:     []connectors.Event{{Name: "letter", Payload: connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()})}},
	}
}

func (clerkConnector) Open(connectors.Config) (connectors.Connection, error) { return clerk{}, nil }

type clerk struct{}

func (clerk) Close() error { return nil }
func (clerk) Call(ctx context.Context, _ connectors.Call) (any, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(20 * time.Millisecond):
		return map[string]any{}, nil
	}
}

// A shop with a long backlog does not keep the others waiting: their events are
// worked while it is still there. How long they wait is printed, with and without
// it, and not judged: on a machine that does other things too it says little.
// FLOWCTL_BACKLOG sets the length of the backlog, in events.
func TestABacklogOfOneShopIsNoWaitOfAnother(t *testing.T) {
	const letters = 25
	backlog := 4000
	if text := os.Getenv("FLOWCTL_BACKLOG"); text != "" {
		var err error
		if backlog, err = strconv.Atoi(text); err != nil {
			t.Fatal("FLOWCTL_BACKLOG: ", err)
		}
	}
	e, err := engine.Open(t.Context(), engine.Config{
		Flows: fstest.MapFS{
			"app.yaml": {Data: []byte("app: test\ntitle: Test\nconnections: {clerk: {connector: clerk}}\nflows: [read]\n")},
			"read.yaml": {Data: []byte("flow: read\ntitle: Read\ntrigger: {event: clerk.letter, key: \"letter:${event.id}\"}\n" +
				"steps:\n  - {name: first_look, call: clerk.look}\n  - {name: second_look, call: clerk.look}\n")},
		},
		DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "flowctl.db"), Instances: []string{"busy", "calm"},
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	letter := func(instance string, id int) int64 {
		accepted, err := e.Accept(t.Context(), event.Incoming{Instance: instance, Source: "webhook", Name: "clerk.letter", Payload: map[string]any{"id": int64(id)}})
		if err != nil {
			t.Fatal(err)
		}
		return accepted.RunIDs[0]
	}
	next := 0
	median := func() time.Duration {
		var waits []time.Duration
		for range letters {
			next++
			id := letter("calm", next)
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
				run, err := e.Store().Run(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				if run.State == store.Succeeded {
					waits = append(waits, run.StartedAt.Sub(run.CreatedAt))
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("after a minute the run is %s", run.State)
				}
			}
		}
		slices.Sort(waits)
		return waits[len(waits)/2]
	}
	alone := median()
	arrivals := make([]store.Arrival, backlog)
	for i := range arrivals {
		arrivals[i] = store.Arrival{
			Event:  store.Event{Instance: "busy", Source: "webhook", Name: "clerk.letter", Payload: fmt.Appendf(nil, `{"id":%d}`, i)},
			Starts: []store.Start{{Flow: "read", Key: fmt.Sprint("letter:", i), Version: e.App().Flows[0].Version}},
		}
	}
	for chunk := range slices.Chunk(arrivals, 500) {
		if _, err := e.Store().Accept(t.Context(), chunk...); err != nil {
			t.Fatal(err)
		}
	}
	beside := median()
	counts, err := e.Store().Counts(t.Context(), "busy")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("median wait of an event: %s alone, %s beside a backlog of %d of another shop (%d of it left)", alone, beside, backlog, counts[store.Waiting])
	// 25 events one after the other: had each waited its turn, all of it were gone.
	if counts[store.Waiting] == 0 {
		t.Error("the backlog was worked first")
	}
}
