// Package engine puts the rooms together: an app of flows, the store, the queue,
// the executor and the ingress. It knows connectors only through their registry.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/builtin"
	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/files"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/instance"
	"github.com/flowctl/flowctl/engine/metrics"
	"github.com/flowctl/flowctl/engine/run"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
)

// Config says what an engine runs and where it keeps things.
type Config struct {
	// Flows is the folder with app.yaml; FlowsName is what messages call it.
	Flows     fs.FS
	FlowsName string
	// FlowsFolder is the same folder on disk; files saved there are taken over while
	// the engine works. "" watches nothing.
	FlowsFolder string
	// DatabaseURL is "sqlite:PATH" or "postgres://…".
	DatabaseURL string
	// RedisURL of the queue; "" starts an embedded one.
	RedisURL string
	// Instances are made when the engine is opened, where they are missing: for
	// trials. All others are looked up in the store, see Engine.Instances.
	Instances []string
	// Overrides are settings by name, as text, that win over the stored ones for
	// OverrideInstance.
	Overrides        map[string]string
	OverrideInstance string
	// PublicURL is the address at which other systems reach this installation, for
	// instances whose setting public_url is empty; "" when nobody knows.
	PublicURL string
	// Version is what the program calls itself, for the metrics.
	Version    string
	Sealer     *settings.Sealer
	HTTPClient *http.Client // for connections; nil means each connector's own
	Log        *slog.Logger
	// Roles of this process; none means all.
	Roles []Role
	// Workers is the number of runs worked at once; 0 means 8.
	Workers int
	// Backoff between attempts; nil means run.DefaultBackoff.
	Backoff []time.Duration
	// LeaseTTL is how long a worker that fell silent keeps its key; 0 means
	// run.DefaultLease.
	LeaseTTL time.Duration
	// UnclearWait is the least wait before a write that got no answer is tried
	// again; 0 means the executor's own.
	UnclearWait time.Duration
	// LateWait is how long the other system may be at a request that got no answer;
	// 0 means the executor's own.
	LateWait time.Duration
	// Observe, if set, is told of each run that ended its attempt.
	Observe func(store.Run, store.Outcome)
}

// Engine runs an app's flows. Close ends it.
type Engine struct {
	config      Config
	versions    flow.Versions
	store       store.Store
	settings    *settings.Settings
	connections *connections
	router      *event.Router
	executor    *run.Executor
	limits      redis.UniversalClient // what the limiter shares; nil without a Redis server
	poller      *event.Poller
	scheduler   *event.Scheduler
	metrics     *metrics.Metrics
	operations  *builtin.Operations
	files       *files.Desk
	reloading   reloading

	mu      sync.Mutex
	work    *working // nil before Start
	stopped bool
}

// Open loads the app and opens the store. Nothing is worked before Start.
// Mistakes in the flows are returned as flow.Diagnostics.
func Open(ctx context.Context, config Config) (*Engine, error) {
	app, diagnostics, err := flow.Load(config.Flows, config.FlowsName)
	if err != nil {
		return nil, err
	}
	if diagnostics.Failed() {
		return nil, diagnostics
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if config.Workers == 0 {
		config.Workers = 8
	}
	st, err := store.Open(ctx, config.DatabaseURL)
	if err != nil {
		return nil, err
	}
	e := &Engine{config: config, store: st}
	e.versions.Use(app)
	if e.metrics, err = e.newMetrics(); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	e.settings = &settings.Settings{
		App: e.App, Store: st, Sealer: config.Sealer,
		Overrides: config.Overrides, OverrideInstance: config.OverrideInstance,
	}
	limiter, err := e.newLimiter()
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	e.connections = newConnections(e.App, e.settings, config.HTTPClient, limiter)
	e.router = &event.Router{App: e.App, Settings: e.settings, Store: st, Doorbell: e.doorbell, Measure: e.metrics.Event, Log: config.Log}
	e.settings.Announce, e.settings.Announced = e.router.SettingsSaved, e.router.Announced
	operations := &builtin.Operations{
		App: e.App, Store: st, Settings: e.settings, Connections: e.connections, Router: e.router,
		PublicURL: config.PublicURL, Log: config.Log,
	}
	operations.Feeds = feedDesk{e}
	e.files = &files.Desk{App: e.App, Connections: e.connections, Sealer: config.Sealer, Log: config.Log}
	operations.Files = e.files
	e.operations, e.connections.own, e.connections.metrics = operations, operations.Connection, e.metrics
	e.newFeeds()
	e.executor = &run.Executor{
		App: e.App, Version: e.versions.Flow, Store: st, Connections: e.connections, Settings: e.settings,
		Log: config.Log, Owner: owner(), LeaseTTL: config.LeaseTTL, Backoff: config.Backoff, UnclearWait: config.UnclearWait, LateWait: config.LateWait,
		Observe: config.Observe, Announce: e.router.Problem, Announced: e.router.Announced,
		Measure: e.metrics.Run, Called: e.metrics.Call,
	}
	for _, name := range config.Instances {
		if err := e.Instances().Ensure(ctx, name); err != nil {
			return nil, errors.Join(fmt.Errorf("making the instance %s: %w", name, err), e.Close())
		}
	}
	return e, nil
}

func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// App is the app as loaded.
func (e *Engine) App() *flow.App { return e.versions.Current() }

// Store is the engine's memory.
func (e *Engine) Store() store.Store { return e.store }

// Settings reads and writes settings.
func (e *Engine) Settings() *settings.Settings { return e.settings }

// Start starts what the roles ask for: the queue, its workers and its dispatcher,
// the feeds and the schedules. They end with Close.
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.work != nil || e.stopped {
		return errors.New("the engine was started before")
	}
	var err error
	e.work, err = startWorking(ctx, e.config, e.store, e.executor.Work, e.poller, e.scheduler)
	if err == nil {
		e.watchFlows(ctx)
	}
	return err
}

func (e *Engine) doorbell() {
	e.mu.Lock()
	w := e.work
	e.mu.Unlock()
	if w != nil {
		w.queue.Doorbell()
	}
}

// Instances are the shops that are served.
func (e *Engine) Instances() instance.Registry { return instance.Registry{Store: e.store} }

// Ingress is the handler of webhooks, for /hooks/{instance}/{connection}.
func (e *Engine) Ingress() http.Handler {
	return &event.Ingress{Connections: e.connections, Router: e.router, Log: e.config.Log, Exists: e.Instances().Exists}
}

// Handler serves all that the engine offers over HTTP: webhooks and health.
func (e *Engine) Handler() http.Handler {
	mux := http.NewServeMux()
	if e.config.Has(RoleIngress) {
		mux.Handle("POST /hooks/{instance}/{connection}", e.Ingress())
		mux.Handle("GET /files/{instance}/{token}/{name}", e.files)
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := e.ready(r.Context()); err != nil {
			e.config.Log.Error("not ready", "error", err)
			http.Error(w, "store or queue is not available", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// ready tells whether the process can do its part: what accepts events needs the
// store alone, what works them the queue too.
func (e *Engine) ready(ctx context.Context) error {
	if err := e.store.Ping(ctx); err != nil || e.config.Has(RoleIngress) {
		return err
	}
	e.mu.Lock()
	w := e.work
	e.mu.Unlock()
	if w == nil || !e.config.Has(RoleWorker) && !e.config.Has(RoleScheduler) {
		return nil
	}
	return w.queue.Ping(ctx)
}

// StartFlow stores a run of a flow with the given input and returns its id. It
// is worked by the started workers, or by Work.
func (e *Engine) StartFlow(ctx context.Context, name, instance string, input map[string]any) (int64, error) {
	f, ok := e.App().Flow(name)
	if !ok {
		return 0, fmt.Errorf("there is no flow %q", name)
	}
	if _, err := e.Instances().Get(ctx, instance); err != nil {
		return 0, err
	}
	return e.router.StartManually(ctx, f, instance, input)
}

// Plan says what a run of a flow with the given input would do, and does none of
// it.
func (e *Engine) Plan(ctx context.Context, name, instance string, input map[string]any) (run.Plan, error) {
	f, ok := e.App().Flow(name)
	if !ok {
		return run.Plan{}, fmt.Errorf("there is no flow %q", name)
	}
	return e.executor.Plan(ctx, f, instance, input)
}

// Accept stores an event and the runs that it starts, as the ingress does.
func (e *Engine) Accept(ctx context.Context, in event.Incoming) (store.Accepted, error) {
	return e.router.Accept(ctx, in)
}

// Work works one run in this goroutine, if it is ready.
func (e *Engine) Work(ctx context.Context, runID int64) error {
	_, err := e.executor.Work(ctx, runID)
	return err
}

// Close stops the workers, giving runs in hand up to ten seconds before they are
// handed back, and closes connections and store. It may be called twice.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.stopped {
		e.mu.Unlock()
		return nil
	}
	e.stopped = true
	w := e.work
	e.mu.Unlock()
	e.stopWatching()
	var errs []error
	if w != nil {
		errs = append(errs, w.stop(10*time.Second))
	}
	errs = append(errs, e.connections.close(), e.closeLimiter(), e.store.Close())
	return errors.Join(errs...)
}

// Check looks how the system of a connection is set up. Whatever is wrong is a
// finding; only the store's failure is an error.
func (e *Engine) Check(ctx context.Context, instance string, declared *flow.Connection) ([]connectors.Finding, error) {
	return e.operations.Findings(ctx, instance, declared)
}

// Connection returns an instance's connection to one of the app's systems.
func (e *Engine) Connection(ctx context.Context, instance, name string) (connectors.Connection, error) {
	return e.connections.Connection(ctx, instance, name)
}
