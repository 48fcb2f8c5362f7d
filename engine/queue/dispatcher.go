package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// Source is what the dispatcher asks the store.
type Source interface {
	Ready(ctx context.Context, limit int) ([]store.Run, error)
	NextDue(ctx context.Context) (time.Duration, bool, error)
}

// DispatcherConfig configures a dispatcher; zero fields take the defaults.
type DispatcherConfig struct {
	// Window is how many ready runs of each instance are rung at a time. It is
	// what makes instances fair to each other: a backlog of one waits in the
	// store, not in front of the others in the queue. Default 32.
	Window int
	// Poll is how often the store is asked when nothing rings. It is how soon
	// rings lost by Redis are made up for. Default 1 s.
	Poll time.Duration
}

// The dispatcher's rhythm.
const (
	// gap keeps a burst of doorbells from becoming as many queries.
	gap = 10 * time.Millisecond
	// crowdedPoll is the poll while some instance fills its window: workers of
	// other processes make room without a word.
	crowdedPoll = 100 * time.Millisecond
	// ringAgain is when a ready run is rung again; Redis refuses a ring it still has.
	ringAgain = 2 * time.Second
	// lostAfter is when the ring of a run that is still ready is looked for in
	// Redis, and replaced unless it waits there for a worker.
	lostAfter = 10 * time.Second
	// publishAfter is how often the queue is published for asynqmon.
	publishAfter = 30 * time.Second
	// littleReady is how many ready runs of an instance are still no backlog.
	littleReady = 4
	maxBackOff  = 5 * time.Second
)

// Dispatcher rings for the runs that the store says are ready: new ones, due
// retries, runs whose worker died, and whatever rings Redis lost. Several may
// run at once; they ring the same, which is harmless.
type Dispatcher struct {
	q      *Queue
	source Source
	config DispatcherConfig
	logger *slog.Logger
	// lostAfter is the constant, but for tests.
	lostAfter time.Duration

	mu      sync.Mutex
	cancel  context.CancelFunc
	stopped bool
	wait    sync.WaitGroup

	rung      map[int64]rung // by run; only of runs that were ready at the last look
	published time.Time
}

// rung is what was done for a ready run.
type rung struct {
	attempt    int
	generation int
	queue      string
	at         time.Time // of the last ring
	since      time.Time // of the first ring of this generation
}

// Dispatcher returns a dispatcher that has not started.
func (q *Queue) Dispatcher(source Source, config DispatcherConfig) *Dispatcher {
	if config.Window <= 0 {
		config.Window = 32
	}
	if config.Poll <= 0 {
		config.Poll = time.Second
	}
	return &Dispatcher{q: q, source: source, config: config, logger: q.logger, lostAfter: lostAfter, rung: map[int64]rung{}}
}

// Start begins to ring, until Stop or the end of ctx. Neither the store nor Redis
// need be there yet. A dispatcher starts once.
func (d *Dispatcher) Start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil || d.stopped {
		return errors.New("starting the dispatcher: it was started or stopped before")
	}
	ctx, d.cancel = context.WithCancel(ctx)
	d.wait.Go(func() { d.q.bell.subscribe(ctx) })
	d.wait.Go(func() { d.loop(ctx) })
	return nil
}

// Stop ends the dispatcher. It may be called twice and before Start.
func (d *Dispatcher) Stop() {
	d.mu.Lock()
	d.stopped = true
	if d.cancel != nil {
		d.cancel()
	}
	d.mu.Unlock()
	d.wait.Wait()
}

func (d *Dispatcher) loop(ctx context.Context) {
	woken, done := d.q.bell.local.listen()
	defer done()
	failures := 0
	for {
		wait, err := d.dispatch(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			if failures > 0 {
				d.logger.Info("the dispatcher is back", "failures", failures)
			}
			failures = 0
			if !sleep(ctx, gap, nil) || !sleep(ctx, wait-gap, woken) {
				return
			}
			continue
		}
		// Once, not at every attempt.
		if failures++; failures == 1 {
			d.logger.Warn("the dispatcher cannot go on; it keeps trying", "error", err)
		}
		// No doorbell shortens this: the trouble is not a lack of work.
		if !sleep(ctx, min(maxBackOff, 50*time.Millisecond<<min(failures, 10)), nil) {
			return
		}
	}
}

// sleep waits, until woken if that is not nil; false when ctx ended.
func sleep(ctx context.Context, d time.Duration, woken <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-woken:
	}
	return true
}

// dispatch rings for what is ready and says how long nothing is to be done.
func (d *Dispatcher) dispatch(ctx context.Context) (wait time.Duration, err error) {
	wait = d.config.Poll
	// Before Ready, so that no retry becomes due between the two unseen.
	due, some, err := d.source.NextDue(ctx)
	if err != nil {
		return 0, err
	}
	if some {
		// A little later, or it would be looked at a moment too early.
		wait = min(wait, due+time.Millisecond)
	}
	runs, err := d.source.Ready(ctx, d.config.Window)
	if err != nil {
		return 0, err
	}
	now := time.Now()
	if now.Sub(d.published) > publishAfter {
		if err := d.q.publish(ctx); err != nil {
			return 0, err
		}
		d.published = now
	}
	ready := map[string]int{}
	for _, run := range runs {
		ready[run.Instance]++
	}
	before := d.rung
	d.rung = make(map[int64]rung, len(runs))
	ofInstance := map[string]int{}
	for _, run := range runs {
		ofInstance[run.Instance]++
		if ofInstance[run.Instance] >= d.config.Window {
			wait = min(wait, crowdedPoll)
		}
		last, known := before[run.ID]
		if known && last.attempt != run.Attempt {
			known = false
		}
		switch {
		case !known:
			last = rung{attempt: run.Attempt, since: now}
		case now.Sub(last.since) >= d.lostAfter:
			waiting, err := d.q.waiting(run, last.generation)
			if err != nil {
				return 0, err
			}
			if !waiting {
				last.generation++
				d.logger.Info("a ring was lost with its worker", "run", run.ID, "attempt", run.Attempt)
			}
			last.since = now
		case now.Sub(last.at) < ringAgain:
			d.rung[run.ID] = last
			continue
		}
		// Once in a queue, a ring stays in it.
		if !known {
			last.queue = d.q.config.Name
			if ready[run.Instance] <= littleReady {
				last.queue = d.q.front()
			}
		}
		if err := d.q.ring(ctx, run, last.generation, last.queue); err != nil {
			return 0, err
		}
		last.at = now
		d.rung[run.ID] = last
	}
	return wait, nil
}
