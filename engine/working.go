package engine

import (
	"context"
	"errors"
	"time"

	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/queue"
	"github.com/flowctl/flowctl/engine/store"
)

// working is what works runs off, and what starts them by itself: the queue, its
// dispatcher and its workers, the feeds and the schedules. What the process's
// roles do not ask for is nil.
type working struct {
	queue      *queue.Queue
	dispatcher *queue.Dispatcher
	workers    *queue.Workers
	poller     *event.Poller
	scheduler  *event.Scheduler
}

func startWorking(ctx context.Context, config Config, st store.Store, handle queue.Handler, poller *event.Poller, scheduler *event.Scheduler) (*working, error) {
	q, err := queue.Open(ctx, queue.Config{RedisURL: config.RedisURL, Logger: config.Log})
	if err != nil {
		return nil, err
	}
	w := &working{queue: q}
	if err := w.start(ctx, config, st, handle, poller, scheduler); err != nil {
		return nil, errors.Join(err, w.stop(0))
	}
	return w, nil
}

func (w *working) start(ctx context.Context, config Config, st store.Store, handle queue.Handler, poller *event.Poller, scheduler *event.Scheduler) error {
	if config.Has(RoleWorker) {
		w.workers = w.queue.Workers()
		if err := w.workers.Start(ctx, config.Workers, handle); err != nil {
			return err
		}
	}
	if config.Has(RoleWorker) || config.Has(RoleScheduler) {
		w.dispatcher = w.queue.Dispatcher(st, queue.DispatcherConfig{})
		if err := w.dispatcher.Start(ctx); err != nil {
			return err
		}
	}
	if config.Has(RoleScheduler) {
		w.poller, w.scheduler = poller, scheduler
		return errors.Join(poller.Start(ctx), scheduler.Start(ctx))
	}
	return nil
}

// stop gives runs in hand until the time limit and ends everything.
func (w *working) stop(limit time.Duration) error {
	if w.poller != nil {
		w.poller.Stop()
		w.scheduler.Stop()
	}
	if w.dispatcher != nil {
		w.dispatcher.Stop()
	}
	var err error
	if w.workers != nil {
		err = w.workers.Stop(limit)
	}
	return errors.Join(err, w.queue.Close())
}
