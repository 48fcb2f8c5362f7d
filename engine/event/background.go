package event

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// background looks for work again and again until it is stopped.
type background struct {
	start   sync.Mutex
	cancel  context.CancelFunc
	stopped bool
	wait    sync.WaitGroup
}

// maxPause bounds the pause after failures, of the store mostly.
const maxPause = 10 * time.Second

// begin calls look every tick, until Stop or the end of ctx. After a failure it
// waits longer; it logs the first of several.
func (b *background) begin(ctx context.Context, tick time.Duration, what string, log *slog.Logger, look func(context.Context) error) error {
	b.start.Lock()
	defer b.start.Unlock()
	if b.cancel != nil || b.stopped {
		return errors.New("starting " + what + ": they were started or stopped before")
	}
	ctx, b.cancel = context.WithCancel(ctx)
	b.wait.Go(func() {
		failures := 0
		for {
			err := look(ctx)
			if ctx.Err() != nil {
				return
			}
			pause := tick
			switch {
			case err != nil:
				if failures++; failures == 1 {
					log.Warn(what+" cannot be looked after; trying on", "error", err)
				}
				pause = min(maxPause, tick<<min(failures, 10))
			case failures > 0:
				log.Info(what+" are looked after again", "failures", failures)
				failures = 0
			}
			timer := time.NewTimer(pause)
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
		}
	})
	return nil
}

// Stop ends it and waits for what it does now. It may be called twice, and before
// Start.
func (b *background) Stop() {
	b.start.Lock()
	b.stopped = true
	if b.cancel != nil {
		b.cancel()
	}
	b.start.Unlock()
	b.wait.Wait()
}
