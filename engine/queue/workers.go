package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/flowctl/flowctl/engine/store"
)

// chainLength bounds how many runs of one key a worker takes one after the other
// before it lets other keys come first.
const chainLength = 8

// handBack is how long handlers whose context was cancelled by Stop get to hand
// their work back to the store.
const handBack = 5 * time.Second

// Handler works a run: claims it, does it, finishes it. It returns the next run
// of the same key as Finish gave it, 0 for none. Its errors are logged and
// otherwise the store's business.
//
// Its context ends with the one given to Start, or at the deadline of Stop, and
// not when Redis is lost: the store's lease says how long work may go on.
type Handler func(ctx context.Context, runID int64) (next int64, err error)

// Workers work rings.
type Workers struct {
	q *Queue

	mu       sync.Mutex
	state    workersState
	server   *asynq.Server
	handle   Handler
	ctx      context.Context
	cancel   context.CancelFunc
	slots    chan struct{}
	handling sync.WaitGroup
	release  func() error // what Start took of the queue
	stopped  chan struct{}
	stopErr  error
}

type workersState int

const (
	fresh workersState = iota
	working
	stopping
)

// Workers returns workers that have not started.
func (q *Queue) Workers() *Workers {
	return &Workers{q: q, stopped: make(chan struct{})}
}

// Start begins to work rings, up to concurrency at a time. Redis need not be
// there yet. Workers start once.
func (w *Workers) Start(ctx context.Context, concurrency int, handle Handler) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != fresh {
		return errors.New("starting workers: they were started or stopped before")
	}
	if concurrency < 1 {
		return fmt.Errorf("starting workers: a concurrency of %d", concurrency)
	}
	w.handle = handle
	w.ctx, w.cancel = context.WithCancel(ctx)
	w.slots = make(chan struct{}, concurrency)
	client, interval, release, err := w.q.workersClient()
	if err != nil {
		w.cancel()
		return fmt.Errorf("starting workers: %w", err)
	}
	w.release = release
	w.server = asynq.NewServerFromRedisClient(client, asynq.Config{
		Concurrency: concurrency,
		// The front queue first nine times of ten: not always, or many shops with a
		// little each would keep one with a lot waiting for ever.
		Queues:            map[string]int{w.q.front(): 9, w.q.config.Name: 1},
		TaskCheckInterval: interval,
		Logger:            asynqLog{w.q.logger},
		LogLevel:          asynq.WarnLevel,
		// Stop has waited for the handlers before asynq is asked to.
		ShutdownTimeout: time.Second,
	})
	if err := w.server.Start(asynq.HandlerFunc(w.process)); err != nil {
		w.cancel()
		return errors.Join(fmt.Errorf("starting workers: %w", err), release())
	}
	w.state = working
	return nil
}

// process works a task. It never returns an error: asynq would archive the task.
func (w *Workers) process(_ context.Context, task *asynq.Task) error {
	if !w.begin() {
		return nil // the store still has the run; another process is rung for it
	}
	defer w.handling.Done()

	var t ticket
	if err := json.Unmarshal(task.Payload(), &t); err != nil {
		w.q.logger.Error("a ring that is not ours", "type", task.Type(), "error", err)
		return nil
	}
	// asynq forgets its bound when a task's Redis lease ends while we work on.
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-w.ctx.Done():
		return nil
	}
	next := t.Run
	for i := 0; i < chainLength && next != 0 && w.goOn(); i++ {
		next = w.work(next)
	}
	// The dispatcher rings for what comes next, also of other keys: there is room.
	w.q.bell.local.send()
	if next != 0 {
		w.q.Doorbell()
	}
	return nil
}

func (w *Workers) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != working {
		return false
	}
	w.handling.Add(1)
	return true
}

func (w *Workers) goOn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state == working && w.ctx.Err() == nil
}

func (w *Workers) work(runID int64) (next int64) {
	logger := w.q.logger.With("run", runID)
	defer func() {
		if problem := recover(); problem != nil {
			logger.Error("a worker panicked; the run is taken up again when its lease ends",
				"panic", problem, "stack", string(debug.Stack()))
			next = 0
		}
	}()
	next, err := w.handle(w.ctx, runID)
	switch {
	case err == nil:
		return next
	case errors.Is(err, store.ErrNotRunnable), errors.Is(err, store.ErrNotFound):
		// Rung twice, or already worked by another: what doubled rings come to.
		logger.Debug("nothing to do for a ring", "reason", err)
	case errors.Is(err, store.ErrLeaseLost):
		logger.Warn("a run was taken over by another worker", "error", err)
	default:
		logger.Warn("a run could not be worked", "error", err)
	}
	return next
}

// Stop takes no more rings and waits up to timeout for the runs being worked.
// Then their contexts are cancelled, so that they are handed back, and it waits
// a little longer. It may be called twice, before Start, and from several
// goroutines; all return when the first is done.
func (w *Workers) Stop(timeout time.Duration) error {
	w.mu.Lock()
	was := w.state
	w.state = stopping
	w.mu.Unlock()
	switch was {
	case fresh:
		close(w.stopped)
		return nil
	case stopping:
		<-w.stopped
		return w.stopErr
	}
	defer close(w.stopped)
	defer w.cancel()

	done := make(chan struct{})
	go func() {
		defer close(done)
		// Stop waits for asynq's look into the queue, which may take long when
		// Redis is gone.
		w.server.Stop()
		w.handling.Wait()
		w.server.Shutdown()
		if err := w.release(); err != nil {
			w.q.logger.Warn("a worker's connection did not close well", "error", err)
		}
	}()
	w.q.rings.send() // whoever waits for one
	select {
	case <-done:
		return nil
	case <-time.After(timeout):
	}
	w.cancel()
	select {
	case <-done:
	case <-time.After(handBack):
		w.stopErr = fmt.Errorf("stopping workers: some runs did not end within %v; their leases will", timeout+handBack)
	}
	return w.stopErr
}
