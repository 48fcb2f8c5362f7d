package run

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// A process stands still past its lease at every point of a link step, while
// another takes its run: it writes nothing any more and creates nothing twice.
func TestStandstillAtEveryPoint(t *testing.T) {
	t.Parallel()
	const ttl = 200 * time.Millisecond
	b := newBench(t, map[string]string{"main": guestLink + `
  - name: named
    call: fake.update
    with: {id: "${partner.local}", values: {name: Ada Lovelace}}
`})
	var sleepers sync.WaitGroup
	done := make(chan struct{})
	var runs []int64
	for at := int64(1); at <= 12; at++ {
		for _, after := range []bool{false, true} {
			id := b.happens(at, fmt.Sprintf("guest-%d-%v", at, after))[0]
			runs = append(runs, id)
			m := &mortal{Store: b.store, dies: at, after: after, sleeps: func() { time.Sleep(2 * ttl) }}
			x := b.newExecutor(m)
			x.LeaseTTL = ttl
			sleepers.Go(func() {
				if _, err := x.Work(b.ctx, id); err != nil {
					t.Errorf("sleeping at %d (after: %v): %v", at, after, err)
				}
			})
		}
	}
	var other sync.WaitGroup
	other.Go(func() {
		for {
			ready, err := b.store.Ready(b.ctx, 100)
			if err != nil {
				t.Error(err)
				return
			}
			for _, r := range ready {
				if r.Attempt == 0 {
					continue // the sleeper has it
				}
				if _, err := b.executor.Work(b.ctx, r.ID); err != nil {
					t.Error(err)
				}
			}
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	sleepers.Wait()
	close(done)
	other.Wait()
	b.settle()
	taken := 0
	for _, id := range runs {
		r := b.run(id)
		b.wants(r, store.Succeeded, "")
		if r.Attempt > 1 {
			taken++
		}
		if n := b.world.with(r.Key[len("guest:"):]); n != 1 {
			t.Errorf("%s: %d records", r.Key, n)
		}
	}
	if taken < 10 {
		t.Errorf("only %d runs were taken over", taken)
	}
	if linked, claimed := b.links("main", "partner"); linked != len(runs) || claimed != 0 {
		t.Errorf("%d links, %d claims of %d", linked, claimed, len(runs))
	}
}
