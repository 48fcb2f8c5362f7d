package event

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// Whatever changes, and whenever the poller dies, before or after it stored: each
// change is announced, by an event made after it, and once nothing changes any
// more nothing is announced any more.
func TestEveryChangeIsAnnounced(t *testing.T) {
	t.Parallel()
	for _, feed := range []string{"changed", "compared"} {
		t.Run(feed, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				f := newField(t)
				f.store.lease = shortLease // what the dead leave is taken up soon
				f.settle(feed)             // the first walk only learns
				present := map[int64]bool{}
				wantGone := map[int64]bool{}
				rt.Repeat(map[string]func(*rapid.T){
					"change": func(rt *rapid.T) {
						id := rapid.Int64Range(1, 9).Draw(rt, "id")
						f.ledger.change(id)
						present[id] = true
						delete(wantGone, id)
					},
					"remove": func(rt *rapid.T) {
						id := rapid.Int64Range(1, 9).Draw(rt, "id")
						// Only what was met can be missed, and never all of it at once.
						if !present[id] || len(present) < 2 || !slices.ContainsFunc(f.events("ledger.entry.updated"), func(e string) bool { return strings.HasPrefix(e, entry(id, 0)[:8]) }) {
							rt.Skip()
						}
						f.ledger.remove(id)
						delete(present, id)
						wantGone[id] = true
					},
					"poll": func(rt *rapid.T) { f.poll(feed) },
					"die": func(rt *rapid.T) {
						f.dying, f.saved = true, rapid.Bool().Draw(rt, "saved")
						f.poll(feed)
						f.dying = false
					},
					"push": func(rt *rapid.T) {
						if _, err := f.poller.Router.Accept(context.Background(), Incoming{Instance: "main", Source: "webhook", Name: "ledger.pushed", Payload: map[string]any{"id": int64(2)}}); err != nil {
							rt.Fatal(err)
						}
					},
				})
				f.settle(feed)
				if feed == "compared" {
					// A walk that was interrupted may have met a record before it changed or
					// was removed: then the next one finds that.
					f.settle(feed)
				}
				told := f.events("ledger.entry.updated")
				for id := range present {
					if want := entry(id, f.ledger.entries[id]); !slices.Contains(told, want) {
						rt.Fatalf("%s was not announced, only %v", want, told)
					}
				}
				gone := f.events("ledger.entry.deleted")
				if feed == "compared" {
					for id := range wantGone {
						if !slices.Contains(gone, deleted(id)) {
							rt.Fatalf("nobody said that %d is gone: %v", id, gone)
						}
					}
				}
				f.settle(feed)
				if again := len(f.events("ledger.entry.updated")) + len(f.events("ledger.entry.deleted")) - len(told) - len(gone); again != 0 {
					rt.Fatalf("%d events of nothing new", again)
				}
			})
		})
	}
}

func TestTheFirstWalk(t *testing.T) {
	t.Parallel()
	f := newField(t)
	for id := range int64(8) {
		f.ledger.change(id + 1)
	}
	for _, feed := range []string{"changed", "compared", "all"} {
		f.settle(feed)
	}
	if told := f.events("ledger.entry.updated"); len(told) != 0 {
		t.Errorf("what was there before was announced: %v", told)
	}
	if told := f.events("feed.all"); len(told) != 8 || told[0] != `{"id":1,"twice":2}` {
		t.Errorf("with start: all there are %v", told)
	}
	f.ledger.change(3)
	f.settle("compared")
	if told := f.events("ledger.entry.updated"); !slices.Equal(told, []string{entry(3, 9)}) {
		t.Errorf("announced were %v", told)
	}
}

// An answer that lost its records is no deletion, until a person says so.
func TestAnEmptyAnswerDeletesNothing(t *testing.T) {
	t.Parallel()
	f := newField(t)
	for id := range int64(50) {
		f.ledger.change(id + 1)
	}
	f.settle("compared")
	f.ledger.cut = true
	f.poll("compared")
	state := f.state("compared")
	if len(f.events("ledger.entry.deleted")) != 0 || !strings.Contains(state.LastError, "50 of 50") || state.Known != 50 {
		t.Fatalf("got %+v", state)
	}
	// It comes back by itself.
	f.ledger.cut = false
	f.urge("compared", store.FeedRequest{Urgent: true})
	if state := f.state("compared"); state.LastError != "" || len(f.events("ledger.entry.deleted")) != 0 || len(f.events("ledger.entry.updated")) != 0 {
		t.Fatalf("got %+v", state)
	}
	for id := range int64(40) {
		f.ledger.remove(id + 1)
	}
	f.poll("compared")
	if state := f.state("compared"); !strings.Contains(state.LastError, "40 of 50") {
		t.Fatalf("got %+v", state)
	}
	f.urge("compared", store.FeedRequest{Urgent: true, AcceptGone: true})
	if state := f.state("compared"); len(f.events("ledger.entry.deleted")) != 40 || state.LastError != "" || state.Known != 10 {
		t.Fatalf("got %+v", state)
	}
	f.ledger.remove(41)
	f.settle("compared")
	if gone := f.events("ledger.entry.deleted"); gone[len(gone)-1] != deleted(41) {
		t.Fatalf("got %v", gone)
	}
}

func (f *field) urge(feed string, request store.FeedRequest) {
	f.Helper()
	if err := f.store.AskFeed(context.Background(), "main", feed, request); err != nil {
		f.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond)
	f.poll(feed)
}

func TestAFailureIsKeptAndTriedAgainLater(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.settle("changed")
	f.ledger.broken = &connectors.Error{Class: connectors.Transient, Code: connectors.CodeRateLimited, Message: "too many", RetryAfter: time.Hour}
	f.poll("changed")
	state := f.state("changed")
	if state.LastError != "too many" || state.Failures != 1 || state.RetryAt.Sub(state.FailedAt) < 59*time.Minute {
		t.Fatalf("got %+v", state)
	}
	f.ledger.broken = nil
	calls := len(f.ledger.calls)
	f.poll("changed")
	if len(f.ledger.calls) != calls {
		t.Error("it was asked before its time")
	}
	f.urge("changed", store.FeedRequest{Urgent: true})
	if state := f.state("changed"); state.LastError != "" || len(f.ledger.calls) != calls+1 {
		t.Errorf("got %+v", state)
	}
}

// A sweep starts one flow for all that changed since, and moves nothing.
func TestSweep(t *testing.T) {
	t.Parallel()
	f := newField(t)
	for id := range int64(8) {
		f.ledger.change(id + 1)
	}
	f.settle("changed")
	before := f.state("changed").Cursor
	feed, _ := f.app.Feed("changed")
	listening, _ := f.app.Flow("changed")
	swept, err := f.poller.Sweep(t.Context(), "main", feed, listening, time.Unix(5, 0))
	if err != nil || swept.Records != 3 || len(swept.Runs) != 3 {
		t.Fatalf("got %+v, %v", swept, err)
	}
	if f.state("changed").Cursor != before {
		t.Error("the feed's own walk moved")
	}
	if run, err := f.store.Run(t.Context(), swept.Runs[0]); err != nil || run.Flow != "changed" || run.Key != "entry:6" {
		t.Errorf("got %+v, %v", run, err)
	}
}

// Asked from an older moment, a feed announces what it announced before.
func TestAskedFromAnOlderMoment(t *testing.T) {
	t.Parallel()
	f := newField(t)
	for id := range int64(8) {
		f.ledger.change(id + 1)
	}
	f.settle("changed")
	f.urge("changed", store.FeedRequest{Since: time.Unix(6, 0)})
	if told := f.events("ledger.entry.updated"); !slices.Equal(told, []string{entry(7, 7), entry(8, 8)}) {
		t.Errorf("announced were %v", told)
	}
	f.urge("compared", store.FeedRequest{Since: time.Unix(6, 0)})
	if told := f.events("ledger.entry.updated"); len(told) != 2+8 {
		t.Errorf("what cannot say what changed announced %d", len(told)-2)
	}
}

// A push asks for the polls of the feeds that it wakes, and is an event itself.
func TestWake(t *testing.T) {
	t.Parallel()
	f := newField(t)
	for _, c := range []struct {
		id   int64
		want bool
	}{{1, false}, {2, true}} {
		if _, err := f.poller.Router.Accept(t.Context(), Incoming{Instance: "main", Source: "webhook", Name: "ledger.pushed", Payload: map[string]any{"id": c.id}}); err != nil {
			t.Fatal(err)
		}
		if asked := !f.state("changed").AskedAt.IsZero(); asked != c.want {
			t.Errorf("after a push of %d, asked is %v", c.id, asked)
		}
	}
}

// The poller's own loop finds what is due, and the schedules fire each slot once
// however many look.
func TestPollersAndSchedulers(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.poller.Tick = 5 * time.Millisecond
	if err := f.poller.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var schedulers []*Scheduler
	for range 2 {
		s := &Scheduler{App: f.poller.App, Router: f.poller.Router, Store: f.store, Settings: f, Instances: f.poller.Instances, Log: f.poller.Log, Tick: 5 * time.Millisecond}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		schedulers = append(schedulers, s)
	}
	deadline := time.Now().Add(time.Minute)
	for len(f.events("schedule.often")) < 2 || f.state("all").LastSuccess.IsZero() || f.state("compared").LastSuccess.IsZero() {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute there are %v", f.events("schedule.often"))
		}
		time.Sleep(5 * time.Millisecond)
	}
	for _, s := range schedulers {
		s.Stop()
		s.Stop()
	}
	f.poller.Stop()
	f.poller.Stop()
	slots := f.events("schedule.often")
	if len(slices.Compact(slices.Clone(slots))) != len(slots) {
		t.Errorf("a slot fired twice: %v", slots)
	}
	if rested := f.events("schedule.rests"); len(rested) != 0 {
		t.Errorf("a schedule that is off made %v", rested)
	}
}

// A feed with batch tells of many records in one event. Its runs have one key and
// do not fold: none takes another's list.
func TestAFeedOfLists(t *testing.T) {
	t.Parallel()
	f := newField(t)
	for id := range int64(5) {
		f.ledger.change(id + 1)
	}
	f.poll("listed")
	want := []string{`{"ids":[1,2]}`, `{"ids":[3]}`, `{"ids":[4,5]}`} // pages of three
	if told := f.events("feed.listed"); !slices.Equal(told, want) {
		t.Errorf("announced were %v", told)
	}
	runs, err := f.store.Runs(t.Context(), store.RunFilter{Instance: "main", Flow: "lists"})
	if err != nil || len(runs) != len(want) {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	for _, r := range runs {
		if r.Key != "lists" {
			t.Errorf("a run has the key %s", r.Key)
		}
	}
}
