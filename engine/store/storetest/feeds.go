package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// feed is the feed that tests use.
const feed = "orders"

func (f *fixture) claimFeed(every time.Duration) (store.FeedState, store.FeedLease) {
	f.Helper()
	state, lease, err := f.ClaimFeed(f.ctx, instance, feed, "tester", time.Time{}, every, time.Hour)
	f.must(err)
	return state, lease
}

func (f *fixture) wantBusy(every time.Duration) {
	f.Helper()
	_, _, err := f.ClaimFeed(f.ctx, instance, feed, "other", time.Time{}, every, time.Hour)
	f.wantErr(err, store.ErrNotRunnable)
}

func (f *fixture) feed() store.FeedState {
	f.Helper()
	all, err := f.Feeds(f.ctx, instance)
	f.must(err)
	if len(all) != 1 {
		f.Fatalf("there are %d feeds", len(all))
	}
	return all[0]
}

func told(key string) store.Arrival {
	return store.Arrival{Event: store.Event{Instance: instance, Source: "feed", Name: "shop.order.updated"}, Starts: []store.Start{start("flow-a", key)}}
}

func at(cursor string) *string { return &cursor }

var feedTests = []test{
	{"a feed is polled every so often", func(f *fixture) {
		state, lease := f.claimFeed(time.Hour)
		if !state.Walking || state.Walk != 1 || state.Started || state.Cursor != "" || state.Owner != "tester" || state.Due(time.Hour) {
			f.Fatalf("got %+v", state)
		}
		f.wantBusy(0)
		f.must(f.EndFeed(f.ctx, lease, store.FeedEnd{Walked: true}))
		f.wantBusy(time.Hour)
		state = f.feed()
		if state.Walking || !state.Started || state.LastSuccess.IsZero() || state.CoveredTo.IsZero() || state.Due(time.Hour) || !state.Due(0) {
			f.Fatalf("got %+v", state)
		}
		if state, _ = f.claimFeed(0); state.Walk != 2 {
			f.Fatalf("got %+v", state)
		}
	}},
	{"a page is stored with its cursor, or not at all", func(f *fixture) {
		_, lease := f.claimFeed(0)
		accepted, err := f.SaveFeed(f.ctx, lease, store.FeedPage{
			Arrivals: []store.Arrival{told("order:1"), told("order:2")}, Seen: map[string]string{"1": "a", "2": "b"}, Cursor: at("two"), TTL: time.Hour,
		})
		f.must(err)
		if len(accepted) != 2 || len(f.ready(10)) != 2 {
			f.Fatalf("got %+v", accepted)
		}
		_, err = f.SaveFeed(f.ctx, lease, store.FeedPage{Arrivals: []store.Arrival{told("order:3"), {}}, Cursor: at("three"), TTL: time.Hour})
		f.wantErr(err, store.ErrInvalid)
		_, err = f.SaveFeed(f.ctx, lease, store.FeedPage{Arrivals: []store.Arrival{told("order:3")}, Seen: map[string]string{"": "x"}, Cursor: at("three"), TTL: time.Hour})
		f.wantErr(err, store.ErrInvalid)
		if state := f.feed(); state.Cursor != "two" || state.Events != 2 || len(f.ready(10)) != 2 {
			f.Fatalf("got %+v", state)
		}
		known, err := f.FeedRecords(f.ctx, instance, feed, "1", "2", "3")
		f.must(err)
		if !maps.Equal(known, map[string]string{"1": "a", "2": "b"}) {
			f.Fatalf("got %v", known)
		}
	}},
	{"a walk that was left is gone on with at once", func(f *fixture) {
		_, lease := f.claimFeed(time.Hour)
		_, err := f.SaveFeed(f.ctx, lease, store.FeedPage{Cursor: at("here"), TTL: time.Hour})
		f.must(err)
		f.must(f.EndFeed(f.ctx, lease, store.FeedEnd{}))
		state, _ := f.claimFeed(time.Hour)
		if state.Cursor != "here" || state.Walk != 1 || state.Started {
			f.Fatalf("got %+v", state)
		}
	}},
	{"a poller that fell silent can write nothing more", func(f *fixture) {
		_, dead, err := f.ClaimFeed(f.ctx, instance, feed, "dead", time.Time{}, 0, time.Microsecond)
		f.must(err)
		time.Sleep(3 * time.Millisecond)
		_, err = f.SaveFeed(f.ctx, dead, store.FeedPage{Arrivals: []store.Arrival{told("order:1")}, Cursor: at("x"), TTL: time.Hour})
		f.wantErr(err, store.ErrLeaseLost)
		state, lease := f.claimFeed(time.Hour)
		if state.Cursor != "" || state.Walk != 1 {
			f.Fatalf("got %+v", state)
		}
		f.wantErr(f.RenewFeed(f.ctx, dead, time.Hour), store.ErrLeaseLost)
		f.wantErr(f.EndFeed(f.ctx, dead, store.FeedEnd{Walked: true}), store.ErrLeaseLost)
		f.must(f.RenewFeed(f.ctx, lease, time.Hour))
		if len(f.ready(10)) != 0 {
			f.Fatal("the dead poller's event is there")
		}
	}},
	{"after a failure the feed waits, and tells why", func(f *fixture) {
		_, lease := f.claimFeed(0)
		f.must(f.EndFeed(f.ctx, lease, store.FeedEnd{Err: "the shop is closed", After: time.Hour}))
		f.wantBusy(0)
		// A push does not shorten the wait, a person does.
		f.must(f.AskFeed(f.ctx, instance, feed, store.FeedRequest{}))
		f.wantBusy(0)
		if state := f.feed(); state.LastError != "the shop is closed" || state.Failures != 1 || state.FailedAt.IsZero() || state.RetryAt.Before(state.Now) || state.Due(0) {
			f.Fatalf("got %+v", state)
		}
		f.must(f.AskFeed(f.ctx, instance, feed, store.FeedRequest{Urgent: true}))
		_, lease = f.claimFeed(time.Hour)
		f.must(f.EndFeed(f.ctx, lease, store.FeedEnd{Walked: true}))
		if state := f.feed(); state.LastError != "" || state.Failures != 0 {
			f.Fatalf("got %+v", state)
		}
	}},
	{"one poll serves all who asked before it, and none who asked after", func(f *fixture) {
		_, lease := f.claimFeed(time.Hour)
		f.must(f.AskFeed(f.ctx, instance, feed, store.FeedRequest{}))
		f.must(f.AskFeed(f.ctx, instance, feed, store.FeedRequest{}))
		f.must(f.EndFeed(f.ctx, lease, store.FeedEnd{Walked: true}))
		time.Sleep(3 * time.Millisecond) // SQLite's clock counts milliseconds
		_, lease = f.claimFeed(time.Hour)
		f.must(f.EndFeed(f.ctx, lease, store.FeedEnd{Walked: true}))
		f.wantBusy(time.Hour)
		f.must(f.AskFeed(f.ctx, instance, feed, store.FeedRequest{After: time.Hour}))
		f.wantBusy(time.Hour)
		if f.feed().AskedAt.IsZero() {
			f.Fatal("the request is lost")
		}
	}},
	{"asked from an older moment, a feed begins again there, but not behind what it has not told yet", func(f *fixture) {
		now := time.Now().UTC().Truncate(time.Millisecond)
		_, lease, err := f.ClaimFeed(f.ctx, instance, feed, "tester", now, 0, time.Hour)
		f.must(err)
		_, err = f.SaveFeed(f.ctx, lease, store.FeedPage{Cursor: at("here"), TTL: time.Hour})
		f.must(err)
		f.must(f.EndFeed(f.ctx, lease, store.FeedEnd{Walked: true}))
		covered := f.feed().CoveredTo
		for _, c := range []struct{ asked, want time.Time }{
			{now.Add(-48 * time.Hour), now.Add(-48 * time.Hour)},
			{now.Add(48 * time.Hour), covered.Add(-10 * time.Minute)},
		} {
			f.must(f.AskFeed(f.ctx, instance, feed, store.FeedRequest{Since: c.asked}))
			state, lease := f.claimFeed(time.Hour)
			if state.Cursor != "" || !state.Since.Equal(c.want) || !state.Sweep {
				f.Fatalf("got %+v, want it to begin at %s", state, c.want)
			}
			f.must(f.EndFeed(f.ctx, lease, store.FeedEnd{}))
			// Its walk has not ended: what is covered stays what it was.
			if state := f.feed(); !state.Sweep || !state.CoveredTo.Equal(covered) {
				f.Fatalf("got %+v", state)
			}
		}
	}},
	{"who asks first does not say where the first walk begins", func(f *fixture) {
		now := time.Now().UTC().Truncate(time.Millisecond)
		f.must(f.AskFeed(f.ctx, instance, feed, store.FeedRequest{}))
		state, _, err := f.ClaimFeed(f.ctx, instance, feed, "tester", now, time.Hour, time.Hour)
		f.must(err)
		if !state.Since.Equal(now) || state.Sweep {
			f.Fatalf("got %+v", state)
		}
	}},
	{"what a walk did not meet is missing", func(f *fixture) {
		_, lease := f.claimFeed(0)
		_, err := f.SaveFeed(f.ctx, lease, store.FeedPage{Seen: map[string]string{"1": "", "2": "", "3": ""}, TTL: time.Hour})
		f.must(err)
		f.must(f.EndFeed(f.ctx, lease, store.FeedEnd{Walked: true, Known: 3}))
		state, lease := f.claimFeed(0)
		_, err = f.SaveFeed(f.ctx, lease, store.FeedPage{Seen: map[string]string{"2": "", "4": ""}, TTL: time.Hour})
		f.must(err)
		known, missing, err := f.FeedCounts(f.ctx, instance, feed, state.Walk)
		f.must(err)
		keys, err := f.FeedMissing(f.ctx, instance, feed, state.Walk, "1", 10)
		f.must(err)
		if known != 4 || missing != 2 || !slices.Equal(keys, []string{"3"}) {
			f.Fatalf("%d known, %d missing: %v", known, missing, keys)
		}
		_, err = f.SaveFeed(f.ctx, lease, store.FeedPage{Gone: []string{"1", "3"}, TTL: time.Hour})
		f.must(err)
		if _, missing, err = f.FeedCounts(f.ctx, instance, feed, state.Walk); err != nil || missing != 0 {
			f.Fatalf("%d missing, %v", missing, err)
		}
	}},
	{"a feed that is reset knows nothing", func(f *fixture) {
		_, lease := f.claimFeed(0)
		_, err := f.SaveFeed(f.ctx, lease, store.FeedPage{Seen: map[string]string{"1": ""}, Cursor: at("x"), TTL: time.Hour})
		f.must(err)
		f.must(f.ResetFeed(f.ctx, instance, feed))
		f.wantErr(f.EndFeed(f.ctx, lease, store.FeedEnd{Walked: true}), store.ErrLeaseLost)
		known, _, err := f.FeedCounts(f.ctx, instance, feed, 9)
		f.must(err)
		if state, _ := f.claimFeed(time.Hour); known != 0 || state.Cursor != "" || state.Walk != 1 || state.Started {
			f.Fatalf("got %+v, %d known", state, known)
		}
	}},
}

var scheduleTests = []test{
	{"a slot fires once, the first one never", func(f *fixture) {
		slot := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
		for _, c := range []struct {
			what     string
			slot     time.Time
			arrivals []store.Arrival
			want     bool
		}{
			{"the first one is only noted", slot, []store.Arrival{told("a")}, false},
			{"the same", slot, []store.Arrival{told("a")}, false},
			{"a new one", slot.Add(24 * time.Hour), []store.Arrival{told("a")}, true},
			{"the same again", slot.Add(24 * time.Hour), []store.Arrival{told("a")}, false},
			{"an older one", slot.Add(time.Hour), []store.Arrival{told("a")}, false},
			{"passed over", slot.Add(48 * time.Hour), nil, false},
			{"what was passed over", slot.Add(48 * time.Hour), []store.Arrival{told("a")}, false},
			{"what cannot be stored", slot.Add(72 * time.Hour), []store.Arrival{{}}, false},
			{"is not done with", slot.Add(72 * time.Hour), []store.Arrival{told("b")}, true},
		} {
			accepted, fired, err := f.Fire(f.ctx, instance, "daily", c.slot, c.arrivals...)
			if err != nil && !errors.Is(err, store.ErrInvalid) || fired != c.want || fired != (len(accepted) == 1) {
				f.Fatalf("%s: %v, %v, %v", c.what, accepted, fired, err)
			}
		}
		all, err := f.Schedules(f.ctx, "")
		f.must(err)
		if len(all) != 1 || !all[0].Slot.Equal(slot.Add(72*time.Hour)) || all[0].FiredAt.IsZero() || len(f.ready(10)) != 2 {
			f.Fatalf("got %+v", all)
		}
		now, err := f.Clock(f.ctx)
		if err != nil || time.Since(now).Abs() > time.Minute {
			f.Fatalf("the clock says %s, %v", now, err)
		}
	}},
}

// feedTogether lets several processes poll one feed and fire the same slots.
func feedTogether(t *testing.T, open func() store.Store) {
	const polls, slots = 20, 20
	ctx := context.Background()
	var busy, polled, fired atomic.Int64
	var all sync.WaitGroup
	for range processes {
		s := open()
		all.Go(func() {
			for polled.Load() < polls && !t.Failed() {
				_, lease, err := s.ClaimFeed(ctx, instance, feed, "poller", time.Time{}, 0, time.Minute)
				if errors.Is(err, store.ErrNotRunnable) {
					time.Sleep(time.Millisecond)
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if busy.Add(1) != 1 {
					t.Error("two poll at once")
				}
				if _, err := s.SaveFeed(ctx, lease, store.FeedPage{Arrivals: []store.Arrival{told("order:1"), told("order:2")}, Cursor: at("x"), TTL: time.Minute}); err != nil {
					t.Error(err)
				}
				polled.Add(1)
				busy.Add(-1)
				if err := s.EndFeed(ctx, lease, store.FeedEnd{Walked: true}); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for i := range slots {
				_, did, err := s.Fire(ctx, instance, "daily", time.UnixMilli(int64(i)+1), told("slot"))
				if err != nil {
					t.Error(err)
				}
				if did {
					fired.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := fired.Load(); n < 1 || n > slots-1 {
		t.Errorf("%d slots made events, of %d after the first", n, slots-1)
	}
	s := open()
	events, err := s.Events(ctx, instance, 0, store.MaxPage)
	if err != nil || int64(len(events)) != 2*polled.Load()+fired.Load() {
		t.Errorf("%d events for %d polls and %d slots, %v", len(events), polled.Load(), fired.Load(), err)
	}
}
