package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/builtin"
	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/store"
)

// newFeeds makes the poller and the scheduler. They rest until Start.
func (e *Engine) newFeeds() {
	e.poller = &event.Poller{
		App: e.App, Connections: e.connections, Router: e.router, Store: e.store, Settings: e.settings,
		Instances: e.Instances().Active, Owner: owner(), Log: e.config.Log, Called: e.metrics.Call,
	}
	e.scheduler = &event.Scheduler{
		App: e.App, Router: e.router, Store: e.store, Settings: e.settings, Instances: e.Instances().Active, Log: e.config.Log,
	}
}

// FeedStatus is how a feed of an instance stands.
type FeedStatus struct {
	Name, Title string
	Call        string
	Enabled     bool
	Every       time.Duration // 0 when it is not enabled
	// State is what the store knows; its Name is empty before the first poll.
	State store.FeedState
	// Problem is why it cannot be said how the feed is polled, "" for nothing.
	Problem string
}

// Feeds tells how the feeds of an instance stand, in the order of app.yaml.
func (e *Engine) Feeds(ctx context.Context, instance string) ([]FeedStatus, error) {
	states, err := e.store.Feeds(ctx, instance)
	if err != nil {
		return nil, err
	}
	settings, err := e.settings.Values(ctx, instance)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	var all []FeedStatus
	for _, feed := range e.App().Feeds {
		status := FeedStatus{Name: feed.Name, Title: feed.Title, Call: feed.Call.Name}
		if status.Title == "" {
			status.Title = feed.Name
		}
		status.Enabled, err = feed.On(ctx, settings)
		if err == nil && status.Enabled {
			status.Every, err = feed.Interval(ctx, settings)
		}
		if err != nil {
			status.Problem = err.Error()
		}
		for _, state := range states {
			if state.Name == feed.Name {
				status.State = state
			}
		}
		all = append(all, status)
	}
	return all, nil
}

// Poll asks for a poll of a feed without waiting for its time, by whatever
// process polls feeds. With since it begins again from there at the latest, and
// announces all that it meets; what was not announced yet is not passed over.
func (e *Engine) Poll(ctx context.Context, instance, feed string, since time.Time) error {
	return e.ask(ctx, instance, feed, store.FeedRequest{Urgent: true, Since: since})
}

// AcceptGone asks for a poll of a feed that walks through all records, and lets
// it announce as deleted whatever is missing, however much that is.
func (e *Engine) AcceptGone(ctx context.Context, instance, feed string) error {
	return e.ask(ctx, instance, feed, store.FeedRequest{Urgent: true, AcceptGone: true})
}

func (e *Engine) ask(ctx context.Context, instance, feed string, request store.FeedRequest) error {
	if err := e.knowsFeed(feed); err != nil {
		return err
	}
	if _, err := e.Instances().Get(ctx, instance); err != nil {
		return err
	}
	return e.store.AskFeed(ctx, instance, feed, request)
}

// ResetFeed forgets where a feed stands: it begins as it did the first time.
func (e *Engine) ResetFeed(ctx context.Context, instance, feed string) error {
	if err := e.knowsFeed(feed); err != nil {
		return err
	}
	return e.store.ResetFeed(ctx, instance, feed)
}

func (e *Engine) knowsFeed(name string) error {
	if _, ok := e.App().Feed(name); ok {
		return nil
	}
	var names []string
	for _, f := range e.App().Feeds {
		names = append(names, f.Name)
	}
	return fmt.Errorf("there is no feed %q; there are: %s", name, strings.Join(names, ", "))
}

// Sweep starts a flow for everything that changed since a moment, as the feeds
// tell whose events the flow listens to. The feeds' own walks stay where they are.
func (e *Engine) Sweep(ctx context.Context, instance, flowName string, since time.Time) (event.Swept, error) {
	f, ok := e.App().Flow(flowName)
	if !ok {
		return event.Swept{}, fmt.Errorf("there is no flow %q", flowName)
	}
	if _, err := e.Instances().Get(ctx, instance); err != nil {
		return event.Swept{}, err
	}
	var all event.Swept
	found := false
	for _, feed := range e.App().FeedsOf(f.Trigger.Events...) {
		if !f.ListensTo(feed.Event) {
			continue // only to what the feed misses
		}
		found = true
		swept, err := e.poller.Sweep(ctx, instance, feed, f, since)
		all.Records += swept.Records
		all.Runs = append(all.Runs, swept.Runs...)
		if err != nil {
			return all, fmt.Errorf("the feed %s: %w", feed.Name, err)
		}
	}
	if !found {
		return all, fmt.Errorf("no feed of app.yaml makes an event that the flow %s listens to", flowName)
	}
	return all, nil
}

// feedDesk is the feeds as the engine's own operations ask for them.
type feedDesk struct{ e *Engine }

var _ builtin.Feeds = feedDesk{}

// Feeds tells how the feeds stand.
func (d feedDesk) Feeds(ctx context.Context, instance string) ([]builtin.Feed, error) {
	all, err := d.e.Feeds(ctx, instance)
	if err != nil {
		return nil, err
	}
	feeds := make([]builtin.Feed, len(all))
	for i, f := range all {
		feeds[i] = builtin.Feed{Name: f.Name, Title: f.Title, Enabled: f.Enabled, LastSuccess: f.State.LastSuccess, LastError: f.State.LastError}
		if f.Problem != "" {
			feeds[i].LastError = f.Problem
		}
	}
	return feeds, nil
}

// Ask has a feed polled soon.
func (d feedDesk) Ask(ctx context.Context, instance, feed string, since time.Time) error {
	return d.e.Poll(ctx, instance, feed, since)
}
