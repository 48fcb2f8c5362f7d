package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// RunShared runs the tests of several processes on one database. database makes
// an empty one and returns how to open it, again and again; every opened store
// stands for a process.
func RunShared(t *testing.T, database func(t *testing.T) (open func() store.Store)) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, open func() store.Store)
	}{
		{"runs of a key never overlap and keep their order", workTogether},
		{"one start of a key folds, whoever accepts it", foldTogether},
		{"one of many makes a record", claimTogether},
		{"links that cross end in one of two ways", crossTogether},
		{"a feed has one poller, a slot fires once", feedTogether},
		{"runs that announce to one key wait for nobody for ever", announceTogether},
		{"opening at once makes one schema", openTogether},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, database(t))
		})
	}
}

const processes = 4

// watch sees to it that the runs of a key never overlap and go in order.
type watch struct {
	mu     sync.Mutex
	busy   map[string]int64 // key → run
	last   map[string]int64 // key → the last run that ended
	worked int
}

func (w *watch) begin(run store.Run) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if other, busy := w.busy[run.Key]; busy {
		return fmt.Errorf("runs %d and %d of %s overlap", other, run.ID, run.Key)
	}
	if last := w.last[run.Key]; last > run.ID {
		return fmt.Errorf("run %d of %s came after %d", run.ID, run.Key, last)
	}
	w.busy[run.Key] = run.ID
	return nil
}

func (w *watch) end(run store.Run, ended bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.busy, run.Key)
	if ended {
		w.last[run.Key] = run.ID
		w.worked++
	}
}

func workTogether(t *testing.T, open func() store.Store) {
	const keys, events = 6, 20
	ctx := context.Background()
	w := &watch{busy: map[string]int64{}, last: map[string]int64{}}
	var all sync.WaitGroup
	for p := range processes {
		s := open()
		all.Go(func() { // accepts
			for e := range events {
				_, err := s.Accept(ctx, store.Arrival{
					Event: store.Event{Instance: instance},
					// A flow of its own for each, or they would fold.
					Starts: []store.Start{{Flow: fmt.Sprintf("flow-%d-%d", p, e), Key: fmt.Sprintf("key-%d", e%keys)}},
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
		for worker := range 3 {
			all.Go(func() {
				random := rand.New(rand.NewPCG(uint64(p), uint64(worker)))
				for done := false; !done && !t.Failed(); {
					done = workOnce(t, s, w, random, processes*events)
				}
			})
		}
	}
	all.Wait()
	if w.worked != processes*events {
		t.Fatalf("%d runs ended, want %d", w.worked, processes*events)
	}
}

// workOnce claims one run that is ready and does something with it.
func workOnce(t *testing.T, s store.Store, w *watch, random *rand.Rand, want int) (done bool) {
	ctx := context.Background()
	w.mu.Lock()
	done = w.worked == want
	w.mu.Unlock()
	ready, err := s.Ready(ctx, 10)
	if err != nil {
		t.Error(err)
		return true
	}
	if len(ready) == 0 {
		time.Sleep(time.Millisecond)
		return done
	}
	dies := random.IntN(10) == 0
	ttl := time.Minute
	if dies {
		ttl = 20 * time.Millisecond
	}
	run, lease, err := s.Claim(ctx, ready[random.IntN(len(ready))].ID, "worker", ttl)
	if errors.Is(err, store.ErrNotRunnable) {
		return done
	}
	if err != nil {
		t.Error(err)
		return true
	}
	if dies {
		// It does nothing more, but for one late write.
		time.Sleep(30 * time.Millisecond)
		if err := s.SaveSteps(ctx, lease, store.Step{Path: "late"}); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("a dead worker wrote: %v", err)
		}
		return done
	}
	if err := w.begin(run); err != nil {
		t.Error(err)
		return true
	}
	if err := s.SaveSteps(ctx, lease, store.Step{Path: "a", State: store.StepDone}); err != nil {
		t.Error(err)
	}
	state := []store.State{store.Succeeded, store.Succeeded, store.Failed, store.Retrying, store.Waiting}[random.IntN(5)]
	w.end(run, state == store.Succeeded || state == store.Failed)
	if _, err := s.Finish(ctx, lease, store.Outcome{State: state}); err != nil {
		t.Error(err)
	}
	return done
}

func foldTogether(t *testing.T, open func() store.Store) {
	const rounds = 10
	ctx := context.Background()
	stores := make([]store.Store, processes)
	for i := range stores {
		stores[i] = open()
	}
	for round := range rounds {
		var all sync.WaitGroup
		for _, s := range stores {
			all.Go(func() {
				_, err := s.Accept(ctx, store.Arrival{
					Event: store.Event{Instance: instance},
					Starts: []store.Start{
						{Flow: "a", Key: fmt.Sprintf("one-%d", round)},
						{Flow: "a", Key: fmt.Sprintf("two-%d", round)},
					},
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	counts, err := stores[0].Counts(ctx, "")
	if err != nil || counts[store.Waiting] != 2*rounds {
		t.Fatalf("got %v, %v; want %d waiting runs", counts, err, 2*rounds)
	}
	ready, err := stores[0].Ready(ctx, 100)
	if err != nil || len(ready) != 2*rounds {
		t.Fatalf("%d are ready, %v", len(ready), err)
	}
}

func claimTogether(t *testing.T, open func() store.Store) {
	ctx := context.Background()
	var all sync.WaitGroup
	var mu sync.Mutex
	makers := map[string]int{}
	for p := range processes {
		f := &fixture{TB: t, Store: open(), ctx: ctx}
		lease := f.lease(fmt.Sprintf("key-%d", p))
		all.Go(func() {
			for i := range 20 {
				// Two names of one person, asked for in either order.
				a, b := remote(fmt.Sprintf("id-%d", i)), local(fmt.Sprintf("mail-%d", i))
				if p%2 == 0 {
					a, b = b, a
				}
				links, err := f.ClaimLinks(ctx, lease, a, b)
				if errors.Is(err, store.ErrClaimed) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if links[0].RunID == lease.RunID {
					mu.Lock()
					makers[fmt.Sprint(i)]++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	for i := range 20 {
		if n := makers[fmt.Sprint(i)]; n != 1 {
			t.Errorf("%d runs may make record %d", n, i)
		}
	}
}

// crossTogether writes pairs that share sides, in orders that would deadlock.
func crossTogether(t *testing.T, open func() store.Store) {
	ctx := context.Background()
	var all sync.WaitGroup
	for p := range processes {
		f := &fixture{TB: t, Store: open(), ctx: ctx}
		lease := f.lease(fmt.Sprintf("key-%d", p))
		all.Go(func() {
			for i := range 10 {
				writes := []store.LinkWrite{
					{Table: "t", Local: "a", Remote: fmt.Sprint(i), Replace: true},
					{Table: "t", Local: "b", Remote: fmt.Sprint(i + 1), Replace: true},
				}
				if p%2 == 0 {
					writes[0], writes[1] = writes[1], writes[0]
				}
				if err := f.SaveLinks(ctx, lease, writes...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	s := open()
	links, err := s.Links(ctx, store.LinkFilter{Table: "t"})
	if err != nil || len(links) < 1 || len(links) > 2 {
		t.Fatalf("got %+v, %v", links, err)
	}
}

func openTogether(t *testing.T, open func() store.Store) {
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if err := open().Ping(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
