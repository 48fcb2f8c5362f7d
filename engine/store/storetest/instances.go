package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// announceTests are about arrivals that share the commit of something else.
var announceTests = []test{
	{"what a finished run announces is accepted with it", func(f *fixture) {
		run := f.accept("order:1", "flow-a")[0]
		lease := f.claim(run)
		_, err := f.Finish(f.ctx, lease, store.Outcome{State: store.Failed, Reason: "broken"}, announcement("flow-z", "problems"))
		f.must(err)
		f.wantState(run, store.Failed)
		ready := f.ready(10)
		if len(ready) != 1 || f.run(ready[0]).Flow != "flow-z" || f.run(ready[0]).EventName != "app.told" {
			f.Fatalf("ready are %v", ready)
		}
	}},
	{"what a run announces to its own key is worked after it", func(f *fixture) {
		run := f.accept("order:1", "flow-a")[0]
		_, err := f.Finish(f.ctx, f.claim(run), store.Outcome{State: store.Held}, announcement("flow-z", "order:1"))
		f.must(err)
		if ready := f.ready(10); len(ready) != 1 || ready[0] == run {
			f.Fatalf("ready are %v", ready)
		}
	}},
	{"a run that lost its lease announces nothing", func(f *fixture) {
		lease := f.claimAndDie(f.accept("order:1", "flow-a")[0])
		_, err := f.Finish(f.ctx, lease, store.Outcome{State: store.Failed}, announcement("flow-z", "problems"))
		f.wantErr(err, store.ErrLeaseLost)
		events, err := f.Events(f.ctx, instance, 0, 10)
		f.must(err)
		if len(events) != 1 {
			f.Fatalf("there are %d events", len(events))
		}
	}},
	{"an announcement that cannot be stored leaves the run as it was", func(f *fixture) {
		run := f.accept("order:1", "flow-a")[0]
		_, err := f.Finish(f.ctx, f.claim(run), store.Outcome{State: store.Failed}, announcement("flow-z", ""))
		f.wantErr(err, store.ErrInvalid)
		f.wantState(run, store.Running)
	}},
	{"what saved settings announce is accepted with them", func(f *fixture) {
		accepted, err := f.SaveSettings(f.ctx, instance, map[string][]byte{"a": []byte("1")}, announcement("flow-z", "settings"))
		f.must(err)
		if len(accepted) != 1 || len(accepted[0].RunIDs) != 1 {
			f.Fatalf("accepted %+v", accepted)
		}
		f.wantIDs("ready", f.ready(10), accepted[0].RunIDs...)
		_, err = f.SaveSettings(f.ctx, instance, map[string][]byte{"a": []byte("2")}, announcement("flow-z", ""))
		f.wantErr(err, store.ErrInvalid)
		if saved, err := f.Settings(f.ctx, instance); err != nil || string(saved["a"]) != "1" {
			f.Fatalf("saved %q, %v", saved, err)
		}
	}},
}

func announcement(flow, key string) store.Arrival {
	return store.Arrival{Event: store.Event{Instance: instance, Source: "flow", Name: "app.told"}, Starts: []store.Start{start(flow, key)}}
}

var instanceTests = []test{
	{"main is there from the beginning, others are added once", func(f *fixture) {
		f.must(f.AddInstance(f.ctx, "second", "Second shop"))
		f.wantErr(f.AddInstance(f.ctx, "second", "Again"), store.ErrInvalid)
		f.wantErr(f.AddInstance(f.ctx, "", "Nameless"), store.ErrInvalid)
		all, err := f.Instances(f.ctx)
		f.must(err)
		if len(all) != 2 || all[0].Name != "main" || all[1].Title != "Second shop" || all[1].State != store.InstanceActive || time.Since(all[1].CreatedAt).Abs() > time.Hour {
			f.Fatalf("got %+v", all)
		}
		_, err = f.Instance(f.ctx, "third")
		f.wantErr(err, store.ErrNotFound)
		f.wantErr(f.SetInstance(f.ctx, "third", "Third", store.InstancePaused), store.ErrNotFound)
	}},
	{"a paused instance accepts and is not worked", func(f *fixture) {
		before := f.accept("order:1", "flow-a")[0]
		f.must(f.SetInstance(f.ctx, instance, "Main", store.InstancePaused))
		f.accept("order:2", "flow-a")
		f.wantIDs("ready while paused", f.ready(10))
		_, _, err := f.Claim(f.ctx, before, "eager", time.Hour)
		f.wantErr(err, store.ErrNotRunnable)
		f.must(f.SetInstance(f.ctx, instance, "Main", store.InstanceActive))
		if ready := f.ready(10); len(ready) != 2 {
			f.Fatalf("ready after it are %v", ready)
		}
	}},
	{"a run in hand is finished though its instance is paused", func(f *fixture) {
		run := f.accept("order:1", "flow-a")[0]
		lease := f.claim(run)
		f.must(f.SetInstance(f.ctx, instance, "Main", store.InstancePaused))
		f.must(f.Renew(f.ctx, lease, time.Hour))
		f.finish(lease, store.Succeeded)
		f.wantState(run, store.Succeeded)
	}},
	{"a removed instance leaves nothing, and the others alone", func(f *fixture) {
		f.must(f.AddInstance(f.ctx, "second", "Second shop"))
		fill := func(instance string) {
			for i := range 3 {
				accepted, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: instance, Payload: []byte("{}")},
					Starts: []store.Start{start("flow-a", fmt.Sprintf("order:%d", i))}})
				f.must(err)
				lease := f.claim(accepted[0].RunIDs[0])
				f.must(f.SaveSteps(f.ctx, lease, store.Step{Path: "a", State: store.StepDone}))
				f.must(f.SaveLinks(f.ctx, lease, store.LinkWrite{Table: "partner", Local: fmt.Sprint(i), Remote: fmt.Sprint(i)}))
				f.finish(lease, store.Held)
			}
			f.must(f.SetCursor(f.ctx, instance, "orders", "x"))
			f.saveSettings(instance, map[string][]byte{"a": []byte("1")})
		}
		fill(instance)
		fill("second")
		f.wantErr(f.RemoveInstance(f.ctx, "third"), store.ErrNotFound)
		f.wantErr(f.RemoveInstance(f.ctx, "second"), store.ErrInvalid) // active
		f.must(f.SetInstance(f.ctx, "second", "Second shop", store.InstancePaused))
		f.must(f.RemoveInstance(f.ctx, "second"))

		for name, want := range map[string]int{"second": 0, instance: 3} {
			runs, err := f.Runs(f.ctx, store.RunFilter{Instance: name})
			f.must(err)
			events, err := f.Events(f.ctx, name, 0, 10)
			f.must(err)
			links, err := f.Links(f.ctx, store.LinkFilter{Instance: name})
			f.must(err)
			settings, err := f.Settings(f.ctx, name)
			f.must(err)
			cursor, err := f.Cursor(f.ctx, name, "orders")
			f.must(err)
			if len(runs) != want || len(events) != want || len(links) != want || (len(settings) > 0) != (want > 0) || (cursor != "") != (want > 0) {
				f.Fatalf("%s has %d runs, %d events, %d links, settings %q, cursor %q", name, len(runs), len(events), len(links), settings, cursor)
			}
		}
		f.must(f.AddInstance(f.ctx, "second", "Anew"))
	}},
	{"an instance is not removed under a worker's hands", func(f *fixture) {
		lease := f.claim(f.accept("order:1", "flow-a")[0])
		f.must(f.SetInstance(f.ctx, instance, "Main", store.InstancePaused))
		f.wantErr(f.RemoveInstance(f.ctx, instance), store.ErrInvalid)
		if main, err := f.Instance(f.ctx, instance); err != nil || main.State != store.InstancePaused {
			f.Fatalf("it is %+v, %v", main, err)
		}
		f.finish(lease, store.Succeeded)
		f.must(f.RemoveInstance(f.ctx, instance))
	}},
}

var statusTests = []test{
	{"an instance is summed up", func(f *fixture) {
		empty, err := f.Status(f.ctx, instance)
		f.must(err)
		if !empty.OldestWaiting.IsZero() || !empty.OldestProblem.IsZero() || !empty.LastEvent.IsZero() || len(empty.Links) != 0 {
			f.Fatalf("of nothing: %+v", empty)
		}
		held := f.accept("order:1", "flow-a")[0]
		lease := f.claim(held)
		f.must(f.SaveLinks(f.ctx, lease, store.LinkWrite{Table: "partner", Local: "1", Remote: "2"}))
		f.finish(lease, store.Held)
		waits := f.accept("order:2", "flow-a")[0]
		_, err = f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: "other"}, Starts: []store.Start{start("flow-a", "order:1")}})
		f.must(err)
		got, err := f.Status(f.ctx, instance)
		f.must(err)
		if got.Runs[store.Held] != 1 || got.Runs[store.Waiting] != 1 || got.Links["partner"] != 1 ||
			!got.OldestWaiting.Equal(f.run(waits).DueAt) || !got.OldestProblem.Equal(f.run(held).UpdatedAt) || got.LastEvent.IsZero() {
			f.Fatalf("got %+v", got)
		}
	}},
	{"problems are listed, and none is lost between pages", func(f *fixture) {
		first, second := f.accept("order:1", "flow-a")[0], f.accept("order:2", "flow-a")[0]
		f.accept("order:3", "flow-a")
		f.work(second, store.Failed)
		f.work(first, store.Held) // often within one tick of the clock
		list := func(what string, filter store.ProblemFilter, want ...int64) []store.Run {
			f.Helper()
			filter.Instance = instance
			runs, err := f.Problems(f.ctx, filter)
			f.must(err)
			f.wantIDs(what, idsOf(runs), want...)
			return runs
		}
		list("by id", store.ProblemFilter{}, first, second)
		list("with a greater id", store.ProblemFilter{After: first, Limit: 1}, second)
		began, listed := f.run(second).CreatedAt, []int64{}
		for filter := (store.ProblemFilter{Instance: instance, Since: began, Limit: 1}); len(listed) < 5; {
			page, err := f.Problems(f.ctx, filter)
			f.must(err)
			if len(page) == 0 {
				break
			}
			listed = append(listed, page[0].ID)
			filter.Since, filter.After = page[0].UpdatedAt, page[0].ID
		}
		if f.run(first).UpdatedAt.Equal(f.run(second).UpdatedAt) {
			f.wantIDs("page by page, of one instant", listed, first, second)
		} else {
			f.wantIDs("page by page", listed, second, first)
		}
		list("from now on", store.ProblemFilter{Since: time.Now().Add(time.Hour)})
		none, err := f.Problems(f.ctx, store.ProblemFilter{Instance: "other"})
		f.must(err)
		f.wantIDs("elsewhere", idsOf(none))
	}},
	{"a link is forgotten by its sides, while the lease holds", func(f *fixture) {
		lease := f.claim(f.accept("order:1", "flow-a")[0])
		f.must(f.SaveLinks(f.ctx, lease, store.LinkWrite{Table: "t", Local: "1", Remote: "a"}, store.LinkWrite{Table: "t", Local: "2", Remote: "b"}))
		unlink := func(local, remote string, want bool) {
			f.Helper()
			removed, err := f.Unlink(f.ctx, lease, "t", local, remote)
			f.must(err)
			if removed != want {
				f.Fatalf("unlinking %q and %q removed: %v", local, remote, removed)
			}
		}
		unlink("1", "b", false)
		unlink("1", "a", true)
		unlink("1", "", false)
		unlink("", "b", true)
		_, err := f.Unlink(f.ctx, lease, "t", "", "")
		f.wantErr(err, store.ErrInvalid)
		f.finish(lease, store.Succeeded)
		_, err = f.Unlink(f.ctx, lease, "t", "1", "")
		f.wantErr(err, store.ErrLeaseLost)
	}},
	{"a link that another run is making is not forgotten", func(f *fixture) {
		maker := f.claim(f.accept("order:1", "flow-a")[0])
		_, err := f.ClaimLinks(f.ctx, maker, store.LinkKey{Table: "t", Side: store.Remote, Value: "a"})
		f.must(err)
		other := f.claim(f.accept("order:2", "flow-a")[0])
		_, err = f.Unlink(f.ctx, other, "t", "", "a")
		f.wantErr(err, store.ErrClaimed)
	}},
}

// announceTogether lets processes end runs that announce to one key, while others
// accept events for that key and theirs: nobody waits for ever, nothing is lost.
func announceTogether(t *testing.T, open func() store.Store) {
	const rounds = 15
	ctx := context.Background()
	var all sync.WaitGroup
	for p := range processes {
		s := open()
		all.Go(func() {
			for round := range rounds {
				// Keys on both sides of the announced one, in the order of the alphabet.
				key := fmt.Sprintf("%c:%d", "az"[round%2], p)
				accepted, err := s.Accept(ctx, store.Arrival{Event: store.Event{Instance: instance},
					Starts: []store.Start{{Flow: "flow", Key: key}, {Flow: fmt.Sprintf("other-%d-%d", p, round), Key: "problems"}}})
				if err != nil {
					t.Error(err)
					return
				}
				_, lease, err := s.Claim(ctx, accepted[0].RunIDs[0], "worker", time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Finish(ctx, lease, store.Outcome{State: store.Failed}, store.Arrival{Event: store.Event{Instance: instance, Name: "app.told"},
					Starts: []store.Start{{Flow: fmt.Sprintf("told-%d-%d", p, round), Key: "problems"}}})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	runs, err := open().Runs(ctx, store.RunFilter{Instance: instance, Key: "problems", Limit: store.MaxPage})
	if err != nil || len(runs) != 2*processes*rounds {
		t.Fatalf("%d runs of the key, want %d: %v", len(runs), 2*processes*rounds, err)
	}
}
