package run_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/run"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/store/storetest"
)

// ledger is a connector whose writes are the test's.
type ledger struct{}

func (ledger) Spec() connectors.Spec {
	id := connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()}, "id")
	return connectors.Spec{Name: "ledger", Title: "Ledger", Settings: connectors.Object(nil), Operations: []connectors.Operation{
		{Name: "book", Effect: connectors.Update, Repeat: connectors.Idempotent, Params: id, Result: id},
		{Name: "pay", Effect: connectors.Update, Repeat: connectors.Unrepeatable, Params: id, Result: id},
	}}
}

func (ledger) Open(connectors.Config) (connectors.Connection, error) {
	panic("the test brings its own connections")
}

func init() { connectors.Register(ledger{}) }

// books is a connection to a ledger, and what opens it.
type books func(ctx context.Context, call connectors.Call) (any, error)

func (b books) Call(ctx context.Context, call connectors.Call) (any, error) { return b(ctx, call) }
func (b books) Close() error                                                { return nil }
func (b books) Connection(context.Context, string, string) (connectors.Connection, error) {
	return b, nil
}

// noSettings is an app without settings.
type noSettings struct{}

func (noSettings) Values(context.Context, string) (map[string]any, error) {
	return map[string]any{}, nil
}

// desk is an executor of one flow, on a store of its own, with a run that waits.
type desk struct {
	executor *run.Executor
	store    store.Store
	run      int64
}

// atDesk loads a flow's steps; change, if not nil, stands before the store.
func atDesk(t *testing.T, steps string, b books, change func(store.Store) store.Store) *desk {
	t.Helper()
	app, found, err := flow.Load(fstest.MapFS{
		"app.yaml": {Data: []byte("app: test\ntitle: Test\nconnections: {ledger: {connector: ledger, settings: {}}}\nflows: [it]\n")},
		"it.yaml":  {Data: []byte("flow: it\ntitle: It\ntrigger: {manual: {}, key: one}\nsteps:\n" + steps)},
	}, "test")
	if err != nil || found.Failed() {
		t.Fatal(err, found)
	}
	s, err := store.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	accepted, err := s.Accept(t.Context(), store.Arrival{Event: store.Event{Instance: "main"}, Starts: []store.Start{{Flow: "it", Key: "one"}}})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{store: s, run: accepted[0].RunIDs[0]}
	seen := s
	if change != nil {
		seen = change(s)
	}
	d.executor = &run.Executor{
		App: func() *flow.App { return app }, Store: seen, Connections: b, Settings: noSettings{},
		Log: slog.New(slog.DiscardHandler), Owner: "test", LeaseTTL: 300 * time.Millisecond,
		Backoff: []time.Duration{time.Millisecond, time.Millisecond}, UnclearWait: time.Millisecond,
	}
	return d
}

// work works the run, once it is due.
func (d *desk) work(t *testing.T) store.Run {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		ready, err := d.store.Ready(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(ready) > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the run never became ready")
		}
	}
	if _, err := d.executor.Work(t.Context(), d.run); err != nil {
		t.Fatal(err)
	}
	return d.look(t)
}

func (d *desk) look(t *testing.T) store.Run {
	t.Helper()
	r, err := d.store.Run(t.Context(), d.run)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const twoBookings = `  - {name: begins, call: ledger.book, with: {id: 1}}
  - {name: goes_on, call: ledger.book, with: {id: 2}}
`

// A worker that cannot reach the store does not know whether its lease holds: when
// it may have passed to another, the request in hand ends.
func TestARequestEndsWithALeaseThatCannotBeRenewed(t *testing.T) {
	t.Parallel()
	var faulty *storetest.Faulty
	calls := 0
	d := atDesk(t, twoBookings, func(ctx context.Context, _ connectors.Call) (any, error) {
		calls++
		faulty.SetDown(true)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Second):
			return nil, errors.New("the request went on long after the lease had ended")
		}
	}, func(s store.Store) store.Store {
		faulty = &storetest.Faulty{Store: s}
		return faulty
	})
	if r := d.work(t); r.State != store.Running || calls != 1 {
		t.Fatalf("the run is %s after %d calls: %s", r.State, calls, r.Reason)
	}
	faulty.SetDown(false)
	if r := d.look(t); r.State != store.Running {
		t.Fatalf("a worker without a lease made the run %s", r.State)
	}
}

// standstill is a store after whose writes of the journal the worker stands still.
type standstill struct {
	store.Store
	for_ time.Duration
}

func (s *standstill) SaveSteps(ctx context.Context, lease store.Lease, steps ...store.Step) error {
	err := s.Store.SaveSteps(ctx, lease, steps...)
	time.Sleep(s.for_)
	return err
}

func (s *standstill) Renew(ctx context.Context, lease store.Lease, ttl time.Duration) error {
	time.Sleep(s.for_) // it stands still as a whole
	return s.Store.Renew(ctx, lease, ttl)
}

// Between the journal's word that a write begins and the write itself the lease
// may end.
func TestAWriteIsNotSentAfterItsLease(t *testing.T) {
	t.Parallel()
	calls := 0
	d := atDesk(t, twoBookings, func(context.Context, connectors.Call) (any, error) {
		calls++
		return map[string]any{"id": int64(1)}, nil
	}, func(s store.Store) store.Store { return &standstill{Store: s, for_: 500 * time.Millisecond} })
	if r := d.work(t); r.State != store.Running || calls != 0 {
		t.Fatalf("the run is %s after %d calls: %s", r.State, calls, r.Reason)
	}
}

// The limit on attempts counts from a person's retry, not from the beginning.
func TestARetriedRunHasAllItsAttemptsAgain(t *testing.T) {
	t.Parallel()
	d := atDesk(t, twoBookings, func(context.Context, connectors.Call) (any, error) {
		return nil, connectors.Errorf(connectors.Transient, connectors.CodeUnreachable, "down")
	}, nil)
	for range 2 { // the second round after a person's retry
		for range 2 {
			if r := d.work(t); r.State != store.Retrying {
				t.Fatalf("after attempt %d the run is %s: %s", r.Attempt, r.State, r.Reason)
			}
		}
		if r := d.work(t); r.State != store.Failed {
			t.Fatalf("after attempt %d the run is %s: %s", r.Attempt, r.State, r.Reason)
		}
		if _, err := d.store.Reopen(t.Context(), false, d.run); err != nil {
			t.Fatal(err)
		}
	}
}

// A call that cannot be repeated holds the run when its answer is lost, unless the
// flow says that it takes care of that.
func TestALostAnswer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, step string
		want       store.State
	}{
		{"of a write that is idempotent", `{name: it, call: ledger.book, with: {id: 1}}`, store.Retrying},
		{"of a write that is unrepeatable", `{name: it, call: ledger.pay, with: {id: 1}}`, store.Held},
		{"of one that the flow makes repeatable", `{name: it, call: ledger.pay, repeat: idempotent, with: {id: 1}}`, store.Retrying},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			d := atDesk(t, "  - "+test.step+"\n", func(context.Context, connectors.Call) (any, error) {
				if calls++; calls > 1 {
					return map[string]any{"id": int64(1)}, nil
				}
				return nil, connectors.Errorf(connectors.Unclear, connectors.CodeUnreachable, "no answer")
			}, nil)
			if r := d.work(t); r.State != test.want {
				t.Fatalf("the run is %s: %s", r.State, r.Reason)
			}
			if test.want == store.Held {
				return
			}
			if r := d.work(t); r.State != store.Succeeded || calls != 2 {
				t.Fatalf("the run is %s after %d calls: %s", r.State, calls, r.Reason)
			}
		})
	}
}
