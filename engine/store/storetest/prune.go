package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

var pruneTests = []test{
	{"the zero policy keeps everything", func(f *fixture) {
		f.history(5)
		done, err := f.Prune(f.ctx, store.Retention{})
		f.must(err)
		if done != (store.Pruned{}) {
			f.Fatalf("got %+v", done)
		}
	}},
	{"old ended runs go with their journal, events and keys", func(f *fixture) {
		old := f.history(5)
		time.Sleep(5 * time.Millisecond)
		done, err := f.Prune(f.ctx, store.Retention{Age: time.Millisecond})
		f.must(err)
		if want := (store.Pruned{Runs: 5, Events: 5, Leases: 5}); done != want {
			f.Fatalf("got %+v, want %+v", done, want)
		}
		for _, id := range old {
			_, err := f.Run(f.ctx, id)
			f.wantErr(err, store.ErrNotFound)
			if steps, err := f.Steps(f.ctx, id); err != nil || len(steps) != 0 {
				f.Fatalf("got %v, %v", steps, err)
			}
		}
		young := f.history(5)
		done, err = f.Prune(f.ctx, store.Retention{Age: time.Hour})
		f.must(err)
		if done != (store.Pruned{}) {
			f.Fatalf("got %+v", done)
		}
		f.run(young[0])
	}},
	{"what is not over stays, and so do links, cursors and settings", func(f *fixture) {
		waiting := f.accept("waiting", "flow-a")[0]
		running := f.lease("running")
		retrying := f.accept("retrying", "flow-a")[0]
		f.work(retrying, store.Retrying)
		held := f.accept("held", "flow-a", "flow-b")
		f.work(held[0], store.Held)
		f.work(held[1], store.Succeeded) // its event is also the held one's
		f.must(f.SaveLinks(f.ctx, running, pair("77", "5")))
		_, err := f.ClaimLinks(f.ctx, running, remote("6"))
		f.must(err)
		f.must(f.SetCursor(f.ctx, instance, "orders", "x"))
		f.saveSettings(instance, map[string][]byte{"a": []byte("1")})
		time.Sleep(5 * time.Millisecond)

		done, err := f.Prune(f.ctx, store.Retention{Age: time.Millisecond, Runs: 1, Bytes: 1})
		f.must(err)
		if want := (store.Pruned{Runs: 1}); done != want {
			f.Fatalf("got %+v, want %+v", done, want)
		}
		for _, id := range []int64{waiting, running.RunID, retrying, held[0]} {
			if f.run(id).Event == nil {
				f.Fatalf("run %d lost its event", id)
			}
		}
		f.wantPairs("77=5", "=6?")
		f.must(f.SaveLinks(f.ctx, running, pair("78", "6")))
		f.finish(running, store.Succeeded)
		if cursor, err := f.Cursor(f.ctx, instance, "orders"); err != nil || cursor != "x" {
			f.Fatal(cursor, err)
		}
		if settings, err := f.Settings(f.ctx, instance); err != nil || len(settings) != 1 {
			f.Fatal(settings, err)
		}
		_, err = f.Reopen(f.ctx, false, held[0])
		f.must(err)
		f.work(held[0], store.Succeeded)
	}},
	{"a number of runs bounds them, oldest first", func(f *fixture) {
		ids := f.history(30)
		done, err := f.Prune(f.ctx, store.Retention{Runs: 12})
		f.must(err)
		if done.Runs != 18 {
			f.Fatalf("got %+v", done)
		}
		runs, err := f.Runs(f.ctx, store.RunFilter{})
		f.must(err)
		slices.Reverse(ids)
		f.wantIDs("kept", idsOf(runs), ids[:12]...)
	}},
	{"a number of bytes bounds them", func(f *fixture) {
		f.history(300) // 1 KB each, and a bit
		done, err := f.Prune(f.ctx, store.Retention{Bytes: 100_000})
		f.must(err)
		if kept := 300 - done.Runs; kept < 60 || kept > 100 {
			f.Fatalf("%d runs were kept", kept)
		}
		done, err = f.Prune(f.ctx, store.Retention{Bytes: 100_000})
		f.must(err)
		if done.Runs != 0 {
			f.Fatalf("a second time: %+v", done)
		}
	}},
	{"events that started nothing go by the same rules", func(f *fixture) {
		for range 20 {
			_, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: instance, Payload: make([]byte, 1000)}})
			f.must(err)
		}
		kept := f.accept("k", "flow-a")[0]
		for _, c := range []struct {
			policy store.Retention
			want   int
		}{
			{store.Retention{Runs: 15}, 5}, {store.Retention{Bytes: 10_000}, 15}, {store.Retention{Age: time.Millisecond}, 0},
		} {
			time.Sleep(3 * time.Millisecond)
			done, err := f.Prune(f.ctx, c.policy)
			f.must(err)
			// Bytes go in steps, so it may be all of them.
			if done.Events < c.want || done.Runs != 0 {
				f.Fatalf("%+v: got %+v", c.policy, done)
			}
		}
		events, err := f.Events(f.ctx, instance, 0, 100)
		f.must(err)
		if len(events) != 1 || events[0].ID != f.run(kept).EventID {
			f.Fatalf("got %d events", len(events))
		}
	}},
	{"a key that was forgotten can be used again", func(f *fixture) {
		old := f.accept("k", "flow-a")[0]
		lease := f.claim(old)
		f.finish(lease, store.Succeeded)
		time.Sleep(3 * time.Millisecond)
		_, err := f.Prune(f.ctx, store.Retention{Age: time.Millisecond})
		f.must(err)
		again := f.lease("k")
		if again.RunID == old {
			f.Fatal("a run's id was given out twice")
		}
		f.wantErr(f.Renew(f.ctx, lease, time.Hour), store.ErrLeaseLost)
		f.finish(again, store.Succeeded)
	}},
}

// history makes n succeeded runs with keys, events and a journal of their own,
// 1 KB of input each.
func (f *fixture) history(n int) []int64 {
	f.Helper()
	var ids []int64
	for i := range n {
		id := f.accept(fmt.Sprintf("history:%d:%d", time.Now().UnixNano(), i), "flow-a")[0]
		lease := f.claim(id)
		f.must(f.SaveSteps(f.ctx, lease, store.Step{Path: "a", State: store.StepDone, Input: make([]byte, 1000)}))
		f.finish(lease, store.Succeeded)
		ids = append(ids, id)
	}
	return ids
}
