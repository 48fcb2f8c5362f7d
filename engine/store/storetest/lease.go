package storetest

import (
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

var leaseTests = []test{
	{"a claim returns the run as it is now", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		run, lease, err := f.Claim(f.ctx, id, "worker-1", time.Minute)
		f.must(err)
		if run.State != store.Running || run.Attempt != 1 || run.Tries != 1 || run.StartedAt.IsZero() ||
			string(run.Event) != `{"id":1}` || run.EventName != "shop.order.updated" {
			f.Fatalf("got %+v", run)
		}
		if want := (store.Lease{Instance: instance, Key: "order:1", RunID: id, Epoch: 1, Owner: "worker-1"}); lease != want {
			f.Fatalf("got %+v, want %+v", lease, want)
		}
	}},
	{"a run whose lease has ended is ready again", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		dead := f.claimAndDie(id)
		f.wantIDs("ready", f.ready(10), id)
		f.wantState(id, store.Running)
		alive := f.claim(id)
		if alive.Epoch <= dead.Epoch {
			f.Fatalf("epochs %d, %d", dead.Epoch, alive.Epoch)
		}
		if run := f.run(id); run.Attempt != 2 {
			f.Fatalf("got %+v", run)
		}
	}},
	{"renewing keeps a lease", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		_, lease, err := f.Claim(f.ctx, id, "x", time.Minute)
		f.must(err)
		f.must(f.Renew(f.ctx, lease, time.Hour))
		f.wantIDs("ready", f.ready(10))
		f.must(f.Renew(f.ctx, lease, time.Microsecond))
		time.Sleep(3 * time.Millisecond)
		f.wantIDs("ready", f.ready(10), id)
		f.wantErr(f.Renew(f.ctx, lease, time.Hour), store.ErrLeaseLost)
	}},
	{"a lease that ended writes nothing, taken over or not", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		dead := f.claimAndDie(id)
		f.writesNothing(dead, id)
		f.claim(id)
		f.writesNothing(dead, id)
		f.wantState(id, store.Running)
	}},
	{"a finished lease writes nothing", func(f *fixture) {
		id := f.accept("order:1", "flow-a", "flow-b")[0]
		lease := f.claim(id)
		f.finish(lease, store.Retrying)
		f.writesNothing(lease, id)
		f.wantState(id, store.Retrying)
	}},
	{"a lease of another run of the key writes nothing", func(f *fixture) {
		ids := f.accept("order:1", "flow-a", "flow-b")
		old := f.claim(ids[0])
		f.finish(old, store.Succeeded)
		current := f.claim(ids[1])
		forged := current
		forged.RunID = ids[0]
		f.writesNothing(forged, ids[0])
		f.writesNothing(old, ids[0])
	}},
	{"outcomes that are none are refused", func(f *fixture) {
		lease := f.claim(f.accept("order:1", "flow-a")[0])
		for _, state := range []store.State{"", store.Running, "done"} {
			_, err := f.Finish(f.ctx, lease, store.Outcome{State: state})
			f.wantErr(err, store.ErrInvalid)
		}
	}},
	{"an outcome is kept", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		_, err := f.Finish(f.ctx, f.claim(id), store.Outcome{
			State: store.Held, Reason: "two customers match", Code: "ambiguous", Advice: "merge them", Result: []byte(`{"n":1}`),
		})
		f.must(err)
		run := f.run(id)
		if run.Reason != "two customers match" || run.Code != "ambiguous" || run.Advice != "merge them" || string(run.Result) != `{"n":1}` {
			f.Fatalf("got %+v", run)
		}
	}},
	{"a reopened run begins anew for people, and counts on", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		f.work(id, store.Failed)
		reopened, err := f.Reopen(f.ctx, false, id)
		f.must(err)
		f.wantIDs("reopened", reopened, id)
		run := f.run(id)
		if run.State != store.Waiting || run.Reason != "" || !run.EndedAt.IsZero() || run.Attempt != 1 || run.Tries != 0 {
			f.Fatalf("got %+v", run)
		}
		if again, err := f.Reopen(f.ctx, false, id); err != nil || len(again) != 0 {
			f.Fatal("an open run was reopened", again, err)
		}
		f.claim(id)
		if run := f.run(id); run.Attempt != 2 || run.Tries != 1 {
			f.Fatalf("got %+v", run)
		}
	}},
}

// writesNothing tries every write that is conditional on a lease.
func (f *fixture) writesNothing(lease store.Lease, runID int64) {
	f.Helper()
	before := f.run(runID)
	journal, err := f.Steps(f.ctx, runID)
	f.must(err)

	f.wantErr(f.Renew(f.ctx, lease, time.Hour), store.ErrLeaseLost)
	_, err = f.Finish(f.ctx, lease, store.Outcome{State: store.Succeeded})
	f.wantErr(err, store.ErrLeaseLost)
	f.wantErr(f.SaveSteps(f.ctx, lease, store.Step{Path: "late", State: store.StepDone}), store.ErrLeaseLost)
	_, err = f.ClaimLinks(f.ctx, lease, store.LinkKey{Table: "late", Side: store.Remote, Value: "1"})
	f.wantErr(err, store.ErrLeaseLost)
	f.wantErr(f.SaveLinks(f.ctx, lease, store.LinkWrite{Table: "late", Local: "1", Remote: "1"}), store.ErrLeaseLost)
	f.wantErr(f.Unclaim(f.ctx, lease), store.ErrLeaseLost)

	after := f.run(runID)
	if after.State != before.State || after.Attempt != before.Attempt || !after.UpdatedAt.Equal(before.UpdatedAt) {
		f.Fatalf("a lost lease changed %+v to %+v", before, after)
	}
	if steps, err := f.Steps(f.ctx, runID); err != nil || len(steps) != len(journal) {
		f.Fatalf("a lost lease wrote the journal: %+v, %v", steps, err)
	}
	if links, err := f.Links(f.ctx, store.LinkFilter{Table: "late"}); err != nil || len(links) != 0 {
		f.Fatalf("a lost lease wrote links: %+v, %v", links, err)
	}
}
