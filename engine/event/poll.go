package event

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

const (
	// pageTimeout bounds one call of a feed.
	pageTimeout = 5 * time.Minute
	// turn bounds one poll: a walk that takes longer lets others go first.
	turn = time.Minute
	// startMargin is how far before now the first walk of a feed begins, for clocks
	// that differ.
	startMargin = 2 * time.Minute
	// A failed poll is tried again after firstRetry, then twice as long, up to
	// lastRetry, or up to lastMistake where trying alone does not help.
	firstRetry, lastRetry, lastMistake = 2 * time.Second, 2 * time.Minute, 10 * time.Minute
)

// poll polls one feed of an instance, if the store gives it to us.
func (p *Poller) poll(ctx context.Context, instance string, planned planned) {
	feed := planned.feed
	since := time.Time{}
	if !feed.StartAll {
		since = time.Now().Add(-startMargin)
	}
	state, lease, err := p.Store.ClaimFeed(ctx, instance, feed.Name, p.Owner, since, planned.every, feedLease)
	if err != nil {
		if !errors.Is(err, store.ErrNotRunnable) && ctx.Err() == nil {
			p.tell(feedKey{instance, feed.Name}, err)
		}
		return
	}
	ctx, held := p.keep(ctx, lease)
	defer held()
	w := &walk{poller: p, instance: instance, feed: feed, state: state, lease: lease, log: p.Log.With("instance", instance, "feed", feed.Name)}
	err = w.whole(ctx)
	end := store.FeedEnd{Walked: w.ended, Known: w.known}
	stopped := ctx.Err() != nil
	if err != nil && !stopped {
		end.Err, end.After = err.Error(), retryAfter(err, state.Failures, planned.every)
	}
	if !stopped {
		p.tell(feedKey{instance, feed.Name}, err)
	}
	// Also when we are told to stop: the next process goes on at once.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := p.Store.EndFeed(ending, lease, end); err != nil && !errors.Is(err, store.ErrLeaseLost) {
		w.log.Warn("the end of a poll was not stored; it is taken up again when its lease ends", "error", err)
	}
}

// retryAfter is how long a feed waits after a failure.
func retryAfter(err error, failures int, every time.Duration) time.Duration {
	var gone *goneError
	if errors.As(err, &gone) {
		return every
	}
	longest := lastRetry
	if connectors.ClassOf(err) == connectors.Permanent {
		longest = lastMistake
	}
	wait := min(longest, firstRetry<<min(failures, 20))
	var remote *connectors.Error
	if errors.As(err, &remote) {
		wait = max(wait, remote.RetryAfter)
	}
	return wait
}

// keep renews the lease until the returned function is called. The context ends
// when the lease is lost.
func (p *Poller) keep(ctx context.Context, lease store.FeedLease) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(feedLease / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := p.Store.RenewFeed(ctx, lease, feedLease); errors.Is(err, store.ErrLeaseLost) {
				cancel()
				return
			}
			// Any other error: the next one may succeed before the lease ends, and
			// after that nothing can be written.
		}
	}()
	return ctx, func() { cancel(); <-done }
}

// page calls the feed's operation once.
func (p *Poller) page(ctx context.Context, instance string, feed *flow.Feed, settings map[string]any, cursor string, since time.Time) (records []any, next string, more bool, err error) {
	params, err := feed.Call.With.EvalRecord(ctx, map[string]any{"settings": settings})
	if err != nil {
		return nil, "", false, err
	}
	if cursor != "" {
		params["cursor"] = cursor
	} else if !feed.Complete && !since.IsZero() {
		params["since"] = since
	}
	connection, err := p.Connections.Connection(ctx, instance, feed.Call.Connection)
	if err != nil {
		return nil, "", false, err
	}
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	defer func() {
		if problem := recover(); problem != nil {
			p.Log.Error("a connector panicked", "operation", feed.Call.Name, "panic", problem, "stack", string(debug.Stack()))
			err = fmt.Errorf("%s: the connector failed: %v", feed.Call.Name, problem)
		}
	}()
	began := time.Now()
	result, err := connection.Call(ctx, connectors.Call{Operation: feed.Call.Operation.Name, Params: params})
	if p.Called != nil {
		p.Called(instance, feed.Call.Connection, feed.Call.Operation.Name, err, time.Since(began))
	}
	if err != nil {
		return nil, "", false, err
	}
	records, next, more, err = feed.Records(result)
	if err == nil && more && (next == "" || next == cursor && len(records) == 0) {
		err = fmt.Errorf("%s says that there is more, and not where", feed.Call.Name)
	}
	return feed.Together(records), next, more, err
}
