package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

var orderTests = []test{
	{"an event folds into the waiting run of the same flow and key", func(f *fixture) {
		first := f.accept("order:1", "flow-a", "flow-b")
		second := f.accept("order:1", "flow-a", "flow-b", "flow-c")
		f.wantIDs("folded", second[:2], first...)
		if second[2] == first[0] || second[2] == first[1] {
			f.Fatal("another flow's start folded too")
		}
		if other := f.accept("order:2", "flow-a"); other[0] == first[0] {
			f.Fatal("another key's start folded")
		}
		run := f.run(first[0])
		if events, _ := f.Events(f.ctx, instance, 0, 3); run.EventID != events[1].ID {
			f.Fatalf("the run shows event %d, not the newest", run.EventID)
		}
	}},
	{"what folded is found by each of its events", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		f.accept("order:1", "flow-a")
		events, err := f.Events(f.ctx, instance, 0, 2)
		f.must(err)
		for _, e := range events {
			runs, err := f.Runs(f.ctx, store.RunFilter{EventID: e.ID})
			f.must(err)
			f.wantIDs("runs of an event", idsOf(runs), id)
		}
	}},
	{"a fold takes the flow's version of its own time", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		s := start("flow-a", "order:1")
		s.Version = "v2"
		_, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: instance}, Starts: []store.Start{s}})
		f.must(err)
		if v := f.run(id).Version; v != "v2" {
			f.Fatalf("got version %s", v)
		}
	}},
	{"starts of different inputs do not fold", func(f *fixture) {
		ids := map[int64]bool{}
		for _, input := range [][]byte{nil, []byte(`{"a":1}`), []byte(`{"a":2}`), []byte(`{"a":2}`), nil} {
			s := start("flow-a", "k")
			s.Input = input
			accepted, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: instance}, Starts: []store.Start{s}})
			f.must(err)
			ids[accepted[0].RunIDs[0]] = true
		}
		if len(ids) != 3 {
			f.Fatalf("got %d runs for three inputs", len(ids))
		}
	}},
	{"nothing folds into a run that has begun", func(f *fixture) {
		for _, state := range []store.State{store.Running, store.Retrying, store.Succeeded, store.Skipped, store.Failed, store.Cancelled} {
			key := "order:" + string(state)
			id := f.accept(key, "flow-a")[0]
			lease := f.claim(id)
			if state != store.Running {
				f.finish(lease, state)
			}
			if again := f.accept(key, "flow-a")[0]; again == id {
				f.Errorf("folded into a %s run", state)
			}
		}
	}},
	{"an event wakes the held run, which keeps its place", func(f *fixture) {
		held := f.accept("order:1", "flow-a")[0]
		f.work(held, store.Held)
		other := f.accept("order:1", "flow-b")[0]
		f.wantIDs("while it is held", f.ready(10), other)
		if again := f.accept("order:1", "flow-a")[0]; again != held {
			f.Fatalf("made run %d instead of waking %d", again, held)
		}
		f.wantState(held, store.Waiting)
		f.wantIDs("after", f.ready(10), held)
		run := f.run(held)
		if run.Reason != "" || run.Attempt != 1 || run.Tries != 0 {
			f.Fatalf("got %+v", run)
		}
	}},
	{"what arrived while a run was worked folds into it when it is held", func(f *fixture) {
		held := f.accept("order:1", "flow-a")[0]
		lease := f.claim(held)
		f.must(f.SaveSteps(f.ctx, lease, store.Step{Path: "p", State: store.StepStarted, Attempts: 1}))
		waiting := f.accept("order:1", "flow-a", "flow-b")
		s := start("flow-a", "order:1")
		s.Input = []byte(`{"a":1}`)
		byHand, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: instance}, Starts: []store.Start{s}})
		f.must(err)
		if next := f.finish(lease, store.Held); next != held {
			f.Fatalf("next is run %d", next)
		}
		run := f.run(held)
		if run.State != store.Waiting || run.Tries != 0 || run.Attempt != 1 || run.Reason != "" || !run.EndedAt.IsZero() {
			f.Fatalf("got %+v", run)
		}
		gone := f.run(waiting[0])
		if gone.State != store.Skipped || gone.EventID != run.EventID || !strings.Contains(gone.Reason, "went to run") {
			f.Fatalf("got %+v", gone)
		}
		runs, err := f.Runs(f.ctx, store.RunFilter{EventID: run.EventID, Flow: "flow-a"})
		f.must(err)
		f.wantIDs("runs of the event", idsOf(runs), waiting[0], held)
		f.wantState(waiting[1], store.Waiting)          // another flow's
		f.wantState(byHand[0].RunIDs[0], store.Waiting) // another input's
		if steps, err := f.Steps(f.ctx, held); err != nil || len(steps) != 1 {
			f.Fatalf("its journal is %v, %v", steps, err)
		}
		f.work(held, store.Held) // nothing new has come
		f.wantState(held, store.Held)
	}},
	{"runs of a key go by event, then by the flow's place", func(f *fixture) {
		a := f.accept("order:1", "flow-c", "flow-a", "flow-b")
		b := f.accept("order:1", "flow-0")
		want := []int64{a[1], a[2], a[0], b[0]}
		var got []int64
		next := f.ready(10)[0]
		for next != 0 {
			got = append(got, next)
			next = f.work(next, store.Succeeded)
		}
		f.wantIDs("worked", got, want...)
	}},
	{"only the head of a key can be claimed", func(f *fixture) {
		ids := f.accept("order:1", "flow-a", "flow-b")
		_, _, err := f.Claim(f.ctx, ids[1], "x", time.Minute)
		f.wantErr(err, store.ErrNotRunnable)
		f.wantIDs("ready", f.ready(10), ids[0])
		f.claim(ids[0])
		f.wantIDs("ready while leased", f.ready(10))
		_, _, err = f.Claim(f.ctx, ids[0], "x", time.Minute)
		f.wantErr(err, store.ErrNotRunnable)
		_, _, err = f.Claim(f.ctx, ids[1], "x", time.Minute)
		f.wantErr(err, store.ErrNotRunnable)
	}},
	{"keys do not wait for each other", func(f *fixture) {
		one, two := f.accept("order:1", "flow-a")[0], f.accept("order:2", "flow-a")[0]
		f.claim(one)
		f.claim(two)
	}},
	{"a retrying run that is not due blocks its key", func(f *fixture) {
		ids := f.accept("order:1", "flow-a", "flow-b")
		next, err := f.Finish(f.ctx, f.claim(ids[0]), store.Outcome{State: store.Retrying, After: time.Hour})
		f.must(err)
		if next != 0 {
			f.Fatalf("next is %d", next)
		}
		f.wantIDs("ready", f.ready(10))
		_, _, err = f.Claim(f.ctx, ids[1], "x", time.Minute)
		f.wantErr(err, store.ErrNotRunnable)
		_, _, err = f.Claim(f.ctx, ids[0], "x", time.Minute)
		f.wantErr(err, store.ErrNotRunnable)
		wait, some, err := f.NextDue(f.ctx)
		f.must(err)
		if !some || wait > time.Hour || wait < 50*time.Minute {
			f.Fatalf("next due in %v, %v", wait, some)
		}
	}},
	{"a retrying run that is due goes first", func(f *fixture) {
		ids := f.accept("order:1", "flow-a", "flow-b")
		next, err := f.Finish(f.ctx, f.claim(ids[0]), store.Outcome{State: store.Retrying})
		f.must(err)
		f.wantIDs("next", []int64{next}, ids[0])
		if run := f.run(ids[0]); run.State != store.Retrying {
			f.Fatalf("got %+v", run)
		}
		if lease := f.claim(ids[0]); lease.Epoch != 2 {
			f.Fatalf("got %+v", lease)
		}
		if run := f.run(ids[0]); run.Attempt != 2 || run.Tries != 2 {
			f.Fatalf("got %+v", run)
		}
		if _, some, err := f.NextDue(f.ctx); err != nil || some {
			f.Fatal("no retry waits", some, err)
		}
	}},
	{"held and ended runs do not block their key", func(f *fixture) {
		for _, state := range []store.State{store.Held, store.Succeeded, store.Skipped, store.Failed, store.Cancelled} {
			ids := f.accept("order:"+string(state), "flow-a", "flow-b")
			if next := f.work(ids[0], state); next != ids[1] {
				f.Errorf("after %s the next is %d, want %d", state, next, ids[1])
			}
			run := f.run(ids[0])
			if run.EndedAt.IsZero() != (state == store.Held) || run.Reason != "because" {
				f.Errorf("got %+v", run)
			}
		}
	}},
	{"a run handed back waits again in its place", func(f *fixture) {
		ids := f.accept("order:1", "flow-a", "flow-b")
		if next := f.work(ids[0], store.Waiting); next != ids[0] {
			f.Fatalf("next is %d", next)
		}
		f.wantState(ids[0], store.Waiting)
		f.wantIDs("ready", f.ready(10), ids[0])
	}},
	{"reopened runs go before later ones", func(f *fixture) {
		first := f.accept("order:1", "flow-a")[0]
		f.work(first, store.Failed)
		later := f.accept("order:1", "flow-a")[0]
		lease := f.claim(later)
		reopened, err := f.Reopen(f.ctx, false, first, later, 999)
		f.must(err)
		f.wantIDs("reopened", reopened, first)
		f.wantIDs("ready while the later one is worked", f.ready(10))
		if next := f.finish(lease, store.Retrying); next != first {
			f.Fatalf("next is %d, want %d", next, first)
		}
		if next := f.work(first, store.Succeeded); next != later {
			f.Fatalf("next is %d, want %d", next, later)
		}
	}},
	{"instances take turns", func(f *fixture) {
		for _, name := range []string{"c", "a", "b"} {
			for _, key := range []string{"1", "2", "3", "4", "5"} {
				_, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: name}, Starts: []store.Start{start("flow-a", key)}})
				f.must(err)
			}
		}
		runs, err := f.Ready(f.ctx, 2)
		f.must(err)
		var got []string
		for _, run := range runs {
			got = append(got, run.Instance+run.Key)
		}
		if want := []string{"a1", "b1", "c1", "a2", "b2", "c2"}; !slices.Equal(got, want) {
			f.Fatalf("got %v, want %v", got, want)
		}
		if none := f.ready(0); len(none) != 0 {
			f.Fatalf("a limit of 0 gave %v", none)
		}
	}},
	{"the longest ready goes first", func(f *fixture) {
		var want []int64
		for _, key := range []string{"z", "a", "m"} {
			want = append(want, f.accept(key, "flow-a")[0])
			time.Sleep(2 * time.Millisecond)
		}
		f.wantIDs("ready", f.ready(10), want...)
		f.work(want[0], store.Waiting) // handed back now
		f.wantIDs("ready", f.ready(10), want[1], want[2], want[0])
	}},
}
