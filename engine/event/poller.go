package event

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// The rhythm of a poller.
const (
	defaultTick = 500 * time.Millisecond
	// plansLive is how long a look at an instance's settings is good for.
	plansLive = 2 * time.Second
	// feedLease is how long a poller that fell silent keeps its feed.
	feedLease = time.Minute
	// maxPolls bounds the feeds that a process polls at once, maxPollsOf those of
	// one instance: a slow shop must not keep the others waiting.
	maxPolls, maxPollsOf = 12, 3
)

// Poller polls the feeds of app.yaml, for all instances. Many may run on many
// machines: the store gives each feed of an instance to one of them.
type Poller struct {
	App         func() *flow.App
	Connections Connections
	Router      *Router
	Store       store.Store
	Settings    Settings
	// Instances lists those to poll for.
	Instances func(ctx context.Context) ([]string, error)
	Owner     string // names this process in the store
	Log       *slog.Logger
	// Called, if set, is told of each call of a connection.
	Called func(instance, connection, operation string, err error, took time.Duration)
	// Tick is how often the store is asked what is due; 0 means half a second.
	Tick time.Duration

	background
	mu      sync.Mutex
	polling map[feedKey]bool
	plans   map[string]plan
	told    map[feedKey]string // the problem last logged
}

type feedKey struct{ instance, feed string }

// plan is which feeds of an instance are polled, and how often, by its settings.
type plan struct {
	until time.Time
	feeds []planned
}

type planned struct {
	feed  *flow.Feed
	every time.Duration
}

// Start begins to poll, until Stop or the end of ctx.
func (p *Poller) Start(ctx context.Context) error {
	p.polling, p.plans, p.told = map[feedKey]bool{}, map[string]plan{}, map[feedKey]string{}
	tick := p.Tick
	if tick <= 0 {
		tick = defaultTick
	}
	return p.begin(ctx, tick, "the feeds", p.Log, p.look)
}

// look begins the polls that are due.
func (p *Poller) look(ctx context.Context) error {
	if len(p.App().Feeds) == 0 {
		return nil
	}
	instances, err := p.Instances(ctx)
	if err != nil {
		return err
	}
	states, err := p.Store.Feeds(ctx, "")
	if err != nil {
		return err
	}
	known := make(map[feedKey]store.FeedState, len(states))
	for _, state := range states {
		known[feedKey{state.Instance, state.Name}] = state
	}
	for _, instance := range instances {
		for _, planned := range p.planOf(ctx, instance) {
			key := feedKey{instance, planned.feed.Name}
			state, ok := known[key]
			if ok && !state.Due(planned.every) || !p.enter(key) {
				continue
			}
			p.wait.Go(func() {
				defer p.leave(key)
				p.poll(ctx, instance, planned)
			})
		}
	}
	return nil
}

// planOf reads the settings that say which feeds are polled. What cannot be read
// is told, and polled when it can be.
func (p *Poller) planOf(ctx context.Context, instance string) []planned {
	p.mu.Lock()
	before, ok := p.plans[instance]
	p.mu.Unlock()
	if ok && time.Now().Before(before.until) {
		return before.feeds
	}
	fresh := plan{until: time.Now().Add(plansLive)}
	settings, err := p.Settings.Values(ctx, instance)
	p.tell(feedKey{instance, ""}, err)
	if err == nil {
		for _, feed := range p.App().Feeds {
			on, err := feed.On(ctx, settings)
			var every time.Duration
			if err == nil && on {
				every, err = feed.Interval(ctx, settings)
			}
			p.tell(feedKey{instance, feed.Name}, err)
			if err == nil && on {
				fresh.feeds = append(fresh.feeds, planned{feed, every})
			}
		}
	}
	p.mu.Lock()
	p.plans[instance] = fresh
	p.mu.Unlock()
	return fresh.feeds
}

// tell logs a problem when it comes and when it goes, not at every look.
func (p *Poller) tell(key feedKey, err error) {
	message := ""
	if err != nil {
		message = err.Error()
	}
	p.mu.Lock()
	before := p.told[key]
	p.told[key] = message
	p.mu.Unlock()
	switch {
	case message == before:
	case message == "":
		p.Log.Info("a feed is well again", "instance", key.instance, "feed", key.feed)
	default:
		p.Log.Warn("a feed cannot be polled", "instance", key.instance, "feed", key.feed, "error", message)
	}
}

// enter begins a poll in this process, unless it is under way or there are many.
func (p *Poller) enter(key feedKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.polling[key] || len(p.polling) >= maxPolls {
		return false
	}
	n := 0
	for other := range p.polling {
		if other.instance == key.instance {
			n++
		}
	}
	if n >= maxPollsOf {
		return false
	}
	p.polling[key] = true
	return true
}

func (p *Poller) leave(key feedKey) {
	p.mu.Lock()
	delete(p.polling, key)
	p.mu.Unlock()
}
