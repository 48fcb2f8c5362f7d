package run

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// heldLease is a lease that is renewed until it is released or lost.
type heldLease struct {
	store.Lease
	// ctx ends when the lease is lost; its cause is then store.ErrLeaseLost.
	ctx     context.Context
	stop    context.CancelCauseFunc
	renewed chan struct{}
	// until is when the lease ends unless it is renewed, by this process's
	// monotonic clock and counted from before the store was asked: never later
	// than the store's own time.
	until atomic.Pointer[time.Time]
}

// keepLease renews a lease that was asked for at the given time.
func (x *Executor) keepLease(ctx context.Context, lease store.Lease, asked time.Time) *heldLease {
	h := &heldLease{Lease: lease, renewed: make(chan struct{})}
	h.ctx, h.stop = context.WithCancelCause(ctx)
	h.extend(asked, x.ttl())
	go func() {
		defer close(h.renewed)
		x.renew(h)
	}()
	return h
}

func (h *heldLease) extend(asked time.Time, ttl time.Duration) {
	// A tenth is for what happens between a look at the clock and the deed.
	until := asked.Add(ttl - ttl/10)
	h.until.Store(&until)
}

// holds tells whether the lease can still be trusted without asking the store. A
// process that was stopped and goes on finds here that its time is over, before
// its timers have said so.
func (h *heldLease) holds() bool { return time.Now().Before(*h.until.Load()) }

func (h *heldLease) lost() bool {
	return errors.Is(context.Cause(h.ctx), store.ErrLeaseLost)
}

// release ends the renewing. What was lost stays lost.
func (h *heldLease) release() {
	h.stop(nil)
	<-h.renewed
}

func (x *Executor) renew(h *heldLease) {
	tick := time.NewTicker(x.ttl() / 3)
	defer tick.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		err := x.Store.Renew(h.ctx, h.Lease, x.ttl())
		switch {
		case err == nil:
			h.extend(asked, x.ttl())
		case errors.Is(err, store.ErrLeaseLost):
			h.stop(store.ErrLeaseLost)
			return
		case h.ctx.Err() != nil:
			return
		default:
			x.Log.Warn("renewing a lease", "run", h.RunID, "error", err)
		}
		if !h.holds() {
			// The store does not answer: to go on would be to write without a lease.
			h.stop(store.ErrLeaseLost)
			return
		}
	}
}
