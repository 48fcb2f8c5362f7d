package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// Faulty is a store that fails on command, as if its database were gone. Only
// what the engine calls while it works is covered.
type Faulty struct {
	store.Store
	down atomic.Bool
}

// SetDown makes the store fail, or work again.
func (f *Faulty) SetDown(down bool) { f.down.Store(down) }

func (f *Faulty) check() error {
	if f.down.Load() {
		return fmt.Errorf("%w: made to fail", store.ErrUnavailable)
	}
	return nil
}

// Accept fails on command.
func (f *Faulty) Accept(ctx context.Context, arrivals ...store.Arrival) ([]store.Accepted, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.Store.Accept(ctx, arrivals...)
}

// Ready fails on command.
func (f *Faulty) Ready(ctx context.Context, limit int) ([]store.Run, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.Store.Ready(ctx, limit)
}

// NextDue fails on command.
func (f *Faulty) NextDue(ctx context.Context) (time.Duration, bool, error) {
	if err := f.check(); err != nil {
		return 0, false, err
	}
	return f.Store.NextDue(ctx)
}

// Claim fails on command.
func (f *Faulty) Claim(ctx context.Context, runID int64, owner string, ttl time.Duration) (store.Run, store.Lease, error) {
	if err := f.check(); err != nil {
		return store.Run{}, store.Lease{}, err
	}
	return f.Store.Claim(ctx, runID, owner, ttl)
}

// Renew fails on command.
func (f *Faulty) Renew(ctx context.Context, lease store.Lease, ttl time.Duration) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.Store.Renew(ctx, lease, ttl)
}

// Finish fails on command.
func (f *Faulty) Finish(ctx context.Context, lease store.Lease, outcome store.Outcome, announce ...store.Arrival) (int64, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	return f.Store.Finish(ctx, lease, outcome, announce...)
}

// SaveSteps fails on command.
func (f *Faulty) SaveSteps(ctx context.Context, lease store.Lease, steps ...store.Step) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.Store.SaveSteps(ctx, lease, steps...)
}

// ClaimLinks fails on command.
func (f *Faulty) ClaimLinks(ctx context.Context, lease store.Lease, keys ...store.LinkKey) ([]store.Link, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.Store.ClaimLinks(ctx, lease, keys...)
}

// SaveLinks fails on command.
func (f *Faulty) SaveLinks(ctx context.Context, lease store.Lease, links ...store.LinkWrite) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.Store.SaveLinks(ctx, lease, links...)
}

// ClaimEach fails on command.
func (f *Faulty) ClaimEach(ctx context.Context, lease store.Lease, groups ...[]store.LinkKey) ([]store.LinkClaim, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.Store.ClaimEach(ctx, lease, groups...)
}

// SaveEach fails on command.
func (f *Faulty) SaveEach(ctx context.Context, lease store.Lease, groups ...[]store.LinkWrite) ([]error, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.Store.SaveEach(ctx, lease, groups...)
}
