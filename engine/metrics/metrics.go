// Package metrics counts what the engine does, for Prometheus. Labels are names
// that app.yaml and the installation give: never a record's value or a secret.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

const namespace = "flowctl"

// scrapeTime bounds what one scrape asks of store and queue.
const scrapeTime = 10 * time.Second

// Metrics counts. A nil *Metrics counts nothing. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	// known tells whether an event is one that the app knows: what others send is
	// no label.
	known func(event string) bool

	runs     *prometheus.CounterVec
	duration *prometheus.HistogramVec
	wait     *prometheus.HistogramVec
	events   *prometheus.CounterVec
	calls    *prometheus.CounterVec
	callTime *prometheus.HistogramVec
	limited  *prometheus.HistogramVec
}

// New makes metrics that begin at nothing, with those of the Go runtime and the
// process. known tells whether an event's name is one of the app's.
func New(version string, known func(event string) bool) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		known:    known,
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: "runs_total",
			Help: "Attempts of runs that ended, by what became of the run."}, []string{"instance", "flow", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: "run_duration_seconds",
			Help: "How long an attempt of a run took.", Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800}}, []string{"flow", "outcome"}),
		wait: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: "run_wait_seconds",
			Help: "How long a run that was due waited for a worker.", Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}}, []string{"instance"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: "events_accepted_total",
			Help: "Events that were stored, by where they came from; other is a name that the app does not know."}, []string{"instance", "source", "event"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: "calls_total",
			Help: "Calls of connections, by how they ended."}, []string{"instance", "connection", "operation", "outcome"}),
		callTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: "call_duration_seconds",
			Help: "How long a call of a connection took, with all its requests and waits.", Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}, []string{"connection", "operation"}),
		limited: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: "limiter_wait_seconds",
			Help: "How long a request waited for the limit of its remote system.", Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}, []string{"connection"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info",
		Help: "1, with the version that runs.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		build, m.runs, m.duration, m.wait, m.events, m.calls, m.callTime, m.limited)
	return m
}

// Register adds a collector, such as that of the queue.
func (m *Metrics) Register(c prometheus.Collector) error {
	if m == nil {
		return nil
	}
	return m.registry.Register(c)
}

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		// What cannot be asked is left out; the rest is told.
		ErrorHandling: promhttp.ContinueOnError, Registry: m.registry, MaxRequestsInFlight: 2, Timeout: 2 * scrapeTime,
	})
}

// Run counts an attempt of a run that ended.
func (m *Metrics) Run(run store.Run, outcome store.Outcome, took time.Duration) {
	if m == nil {
		return
	}
	state := string(outcome.State)
	if outcome.State == store.Waiting {
		state = "handed_back"
	}
	m.runs.WithLabelValues(run.Instance, run.Flow, state).Inc()
	m.duration.WithLabelValues(run.Flow, state).Observe(took.Seconds())
	// Both are of the database's clock: a claim sets UpdatedAt.
	m.wait.WithLabelValues(run.Instance).Observe(max(run.UpdatedAt.Sub(run.DueAt), 0).Seconds())
}

// Event counts an event that was stored.
func (m *Metrics) Event(instance, source, event string) {
	if m == nil {
		return
	}
	if event == "" || !m.known(event) {
		event = "other"
	}
	m.events.WithLabelValues(instance, source, event).Inc()
}

// Call counts a call of a connection.
func (m *Metrics) Call(instance, connection, operation string, err error, took time.Duration) {
	if m == nil {
		return
	}
	m.calls.WithLabelValues(instance, connection, operation, outcomeOf(err)).Inc()
	m.callTime.WithLabelValues(connection, operation).Observe(took.Seconds())
}

// Limited counts how long a request waited for its remote system's limit.
func (m *Metrics) Limited(connection string, waited time.Duration) {
	if m == nil {
		return
	}
	m.limited.WithLabelValues(connection).Observe(waited.Seconds())
}

// outcomeOf is how a call ended, as one of few words: a remote system's own codes
// are no labels.
func outcomeOf(err error) string {
	if err == nil {
		return "ok"
	}
	for _, code := range []string{
		connectors.CodeRateLimited, connectors.CodeUnreachable, connectors.CodeNotFound, connectors.CodeUnauthorized,
		connectors.CodeForbidden, connectors.CodeBadAnswer, connectors.CodeBadConfig, connectors.CodeBadParams,
	} {
		if connectors.HasCode(err, code) {
			return code
		}
	}
	return string(connectors.ClassOf(err))
}
