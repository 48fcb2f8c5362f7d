package engine

import (
	"context"
	"errors"
	"time"

	"github.com/flowctl/flowctl/engine/queue"
	"github.com/flowctl/flowctl/engine/store"
)

// working is what works runs off: the queue, its dispatcher and its workers.
type working struct {
	queue      *queue.Queue
	dispatcher *queue.Dispatcher
	workers    *queue.Workers
}

func startWorking(ctx context.Context, config Config, st store.Store, handle queue.Handler) (*working, error) {
	q, err := queue.Open(ctx, queue.Config{RedisURL: config.RedisURL, Logger: config.Log})
	if err != nil {
		return nil, err
	}
	w := &working{queue: q, dispatcher: q.Dispatcher(st, queue.DispatcherConfig{}), workers: q.Workers()}
	if err := w.workers.Start(ctx, config.Workers, handle); err != nil {
		return nil, errors.Join(err, w.stop(0))
	}
	if err := w.dispatcher.Start(ctx); err != nil {
		return nil, errors.Join(err, w.stop(0))
	}
	return w, nil
}

// stop gives runs in hand until the time limit and ends everything.
func (w *working) stop(limit time.Duration) error {
	w.dispatcher.Stop()
	return errors.Join(w.workers.Stop(limit), w.queue.Close())
}
