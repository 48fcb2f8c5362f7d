package queue_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/queue"
	"github.com/flowctl/flowctl/engine/store"
)

func TestWhatIsAcceptedIsWorked(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.start(t)
		b.accept(t, "main", keys("order:", 20)...)
		eventually(t, "20 runs worked", func() bool { return b.count() == 20 })
	})
}

func TestRingWithoutDispatcher(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.startWorkers(t, b.handle)
		b.accept(t, "main", "order:1")
		ready, err := b.store.Ready(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.queue.Ring(context.Background(), ready[0]); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the run is worked", func() bool { return b.count() == 1 })
	})
}

func TestRingingManyTimesWorksOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.accept(t, "main", "order:1")
		ready, err := b.store.Ready(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if err := b.queue.Ring(context.Background(), ready[0]); err != nil {
				t.Fatal(err)
			}
		}
		b.start(t)
		b.accept(t, "main", "order:2")
		eventually(t, "both runs are worked", func() bool { return b.count() == 2 })
	})
}

func TestRunsOfOneKeyFollowEachOther(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	ctx := context.Background()
	for i := range 30 { // of 30 flows, or they would fold
		if _, err := b.store.Accept(ctx, store.Arrival{
			Event:  store.Event{Instance: "main"},
			Starts: []store.Start{{Flow: keys("flow-", 30)[i], Key: "order:1"}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	b.start(t)
	eventually(t, "all runs of the key are worked", func() bool { return b.count() == 30 })
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := 1; i < len(b.worked); i++ {
		if b.worked[i].ID < b.worked[i-1].ID {
			t.Fatal("out of order:" + describe(b.worked))
		}
	}
}

func TestRetriesRingWhenDue(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	b.startWorkers(t, func(ctx context.Context, id int64) (int64, error) {
		run, lease, err := b.store.Claim(ctx, id, "test", time.Minute)
		if err != nil {
			return 0, err
		}
		b.note(run)
		if run.Attempt < 3 {
			return b.store.Finish(ctx, lease, store.Outcome{State: store.Retrying, After: 30 * time.Millisecond})
		}
		return b.store.Finish(ctx, lease, store.Outcome{State: store.Succeeded})
	})
	b.startDispatcher(t)
	b.accept(t, "main", "order:1")
	eventually(t, "three attempts", func() bool { return b.count() == 3 })
}

// A worker that dies leaves its run Running. When its lease ends the run is
// ready again, and nothing of the dead one's ring stands in the way.
func TestRunOfADeadWorkerIsTakenUp(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		died := make(chan struct{}, 1)
		b.startWorkers(t, func(ctx context.Context, id int64) (int64, error) {
			run, lease, err := b.store.Claim(ctx, id, "test", 300*time.Millisecond)
			if err != nil {
				return 0, err
			}
			if run.Attempt == 1 {
				died <- struct{}{}
				<-ctx.Done() // as good as dead: its task stays active in Redis
				return 0, ctx.Err()
			}
			b.note(run)
			return b.store.Finish(ctx, lease, store.Outcome{State: store.Succeeded})
		})
		b.startDispatcher(t)
		b.accept(t, "main", "order:1")
		<-died
		eventually(t, "the second attempt", func() bool { return b.count() == 1 })
		if err := b.workers.Stop(0); err != nil {
			t.Fatal(err)
		}
	})
}

// One instance's backlog does not stand before another's single event.
func TestABacklogOfOneInstanceDoesNotHoldUpAnother(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		arrivals := make([]store.Arrival, 600)
		for i, key := range keys("order:", len(arrivals)) {
			arrivals[i] = store.Arrival{Event: store.Event{Instance: "big"}, Starts: []store.Start{{Flow: "orders", Key: key}}}
		}
		// Some at a time: one commit has a time limit, and the race detector is slow.
		for some := range slices.Chunk(arrivals, 50) {
			if _, err := b.store.Accept(context.Background(), some...); err != nil {
				t.Fatal(err)
			}
		}
		b.startWorkers(t, func(ctx context.Context, id int64) (int64, error) {
			time.Sleep(time.Millisecond)
			return b.handle(ctx, id)
		})
		b.startDispatcher(t)
		eventually(t, "the backlog is being worked", func() bool { return b.count() > 100 })
		before := b.count()
		small := b.accept(t, "small", "order:1")[0]
		place := func() int {
			b.mu.Lock()
			defer b.mu.Unlock()
			for i, run := range b.worked {
				if run.ID == small {
					return i
				}
			}
			return -1
		}
		eventually(t, "the small instance's run is worked", func() bool { return place() >= 0 })
		// At most what was rung before it, and what the workers had in hand.
		if behind := place() - before; behind > 100 {
			t.Fatalf("%d runs of the backlog came first", behind)
		}
		eventually(t, "the backlog is done", func() bool { return b.count() == len(arrivals)+1 })
	})
}

func TestStopHandsBack(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		begun := make(chan int64, 1)
		b.startWorkers(t, func(ctx context.Context, id int64) (int64, error) {
			_, lease, err := b.store.Claim(ctx, id, "test", time.Minute)
			if err != nil {
				return 0, err
			}
			begun <- id
			<-ctx.Done()
			return b.store.Finish(context.WithoutCancel(ctx), lease, store.Outcome{State: store.Waiting})
		})
		b.startDispatcher(t)
		b.accept(t, "main", "order:1")
		id := <-begun
		stops := make(chan error)
		for range 2 {
			go func() { stops <- b.workers.Stop(10 * time.Millisecond) }()
		}
		for range 2 {
			if err := <-stops; err != nil {
				t.Fatal(err)
			}
		}
		run, err := b.store.Run(context.Background(), id)
		if err != nil || run.State != store.Waiting {
			t.Fatalf("the run is %s, %v; want it handed back", run.State, err)
		}
		// Another process works it.
		other := b.queue.Workers()
		if err := other.Start(context.Background(), 1, b.handle); err != nil {
			t.Fatal(err)
		}
		defer other.Stop(time.Second)
		eventually(t, "another worker does it", func() bool { return b.count() == 1 })
	})
}

func TestStopInAnyOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	b.dispatcher.Stop()
	if err := b.workers.Stop(time.Second); err != nil {
		t.Fatal(err)
	}
	if err := b.workers.Start(context.Background(), 1, b.handle); err == nil {
		t.Fatal("stopped workers started")
	}
	if err := b.dispatcher.Start(context.Background()); err == nil {
		t.Fatal("a stopped dispatcher started")
	}
	b.dispatcher.Stop()
	if err := b.workers.Stop(time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestAPanicEndsOneRunOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	b.startWorkers(t, func(ctx context.Context, id int64) (int64, error) {
		run, lease, err := b.store.Claim(ctx, id, "test", 50*time.Millisecond)
		if err != nil {
			return 0, err
		}
		if run.Attempt == 1 {
			panic("a mistake in a step")
		}
		b.note(run)
		return b.store.Finish(ctx, lease, store.Outcome{State: store.Succeeded})
	})
	b.startDispatcher(t)
	b.accept(t, "main", "order:1", "order:2")
	eventually(t, "both runs are worked at the second attempt", func() bool { return b.count() == 2 })
}

func TestDoorbellCrossesProcesses(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	b := setup(t, server.url())
	// A poll so slow that only the doorbell can be the cause.
	b.dispatcher = b.queue.Dispatcher(b.store, queue.DispatcherConfig{Poll: time.Hour})
	b.start(t)
	other, err := queue.Open(context.Background(), queue.Config{RedisURL: server.url(), Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	client := server.client()
	defer client.Close()
	eventually(t, "the dispatcher listens", func() bool {
		n, err := client.PubSubNumSub(context.Background(), "flowctl:doorbell:flowctl").Result()
		return err == nil && n["flowctl:doorbell:flowctl"] == 1
	})
	if _, err := b.store.Accept(context.Background(), store.Arrival{
		Event:  store.Event{Instance: "main"},
		Starts: []store.Start{{Flow: "orders", Key: "order:1"}},
	}); err != nil {
		t.Fatal(err)
	}
	other.Doorbell()
	eventually(t, "the run is worked", func() bool { return b.count() == 1 })
}
