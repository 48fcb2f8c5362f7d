package engine

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/metrics"
)

// newMetrics makes the engine's metrics, with what the store tells at a scrape.
func (e *Engine) newMetrics() (*metrics.Metrics, error) {
	m := metrics.New(e.config.Version, e.knowsEvent)
	return m, errors.Join(m.Register(&metrics.Stands{Store: e.store, Feeds: e.polledFeeds, Log: e.config.Log}), m.Register(queueMetrics{e}))
}

// Metrics answers a scrape of Prometheus. It asks nobody for a password.
func (e *Engine) Metrics() http.Handler { return e.metrics.Handler() }

// polledFeeds are the feeds that are switched on.
func (e *Engine) polledFeeds(ctx context.Context, instance string) ([]metrics.Feed, error) {
	all, err := e.Feeds(ctx, instance)
	if err != nil {
		return nil, err
	}
	var feeds []metrics.Feed
	for _, f := range all {
		if f.Enabled || f.Problem != "" {
			feeds = append(feeds, metrics.Feed{Name: f.Name, LastSuccess: f.State.LastSuccess, Failing: f.Problem != "" || f.State.LastError != ""})
		}
	}
	return feeds, nil
}

// knowsEvent tells whether the app knows an event of that name.
func (e *Engine) knowsEvent(name string) bool {
	app := e.App()
	source, event, _ := strings.Cut(name, ".")
	if connection, ok := app.Connection(source); ok {
		_, known := connection.Spec.Event(event)
		return known
	}
	switch source {
	case flow.FeedName:
		_, known := app.Feed(event)
		return known
	case flow.ScheduleName:
		for _, s := range app.Schedules {
			if s.Name == event {
				return true
			}
		}
	case flow.AppName:
		_, known := app.OwnSpec().Event(event)
		return known
	}
	return false
}

// queueMetrics tells of the queue as long as there is one: it is opened by Start.
type queueMetrics struct{ e *Engine }

var _ prometheus.Collector = queueMetrics{}

// Describe lists nothing: what is told depends on the queue.
func (q queueMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect asks the queue.
func (q queueMetrics) Collect(ch chan<- prometheus.Metric) {
	q.e.mu.Lock()
	w := q.e.work
	stopped := q.e.stopped
	q.e.mu.Unlock()
	if w != nil && !stopped {
		w.queue.Collector().Collect(ch)
	}
}
