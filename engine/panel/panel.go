// Package panel is the web panel: what a shop owner sees and does without a
// command line. It renders pages on the server, asks the engine for everything,
// and keeps nothing but who may log in.
package panel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
)

// Config says what a panel shows and to whom.
type Config struct {
	Engine *engine.Engine
	Log    *slog.Logger
	// Version of the program, for the foot of the pages.
	Version string
	// PublicURL is the address that people open; its host is the only one that is
	// answered, besides the loopback names. "" answers every host.
	PublicURL string
	// Demo opens the panel without a login, as owner, and only to this machine.
	Demo bool
}

// Instance is a shop.
type Instance struct {
	Name, Title string
	Paused      bool
}

// Panel serves the panel. Close ends its streams.
type Panel struct {
	config   Config
	engine   *engine.Engine
	store    store.Store
	log      *slog.Logger
	sessions sessions
	limits   *loginLimits
	pages    *pages
	live     *live
	setup    setupToken
	monitor  monitor
	choices  choiceCache
	sweeps   *sweeps
	rebuilds rebuilds
	hosts    map[string]bool // nil: all
	served   []string
}

// New makes a panel. Nothing is served before Handler.
func New(config Config) (*Panel, error) {
	if config.Engine == nil {
		return nil, errors.New("the panel needs an engine")
	}
	p := &Panel{config: config, engine: config.Engine, store: config.Engine.Store(), log: config.Log, limits: newLoginLimits(time.Now)}
	if p.log == nil {
		p.log = slog.Default()
	}
	p.log = p.log.With("component", "panel")
	p.sessions = newSessions(p.store, p.log)
	p.live = newLive(p.store, p.log)
	p.sweeps = newSweeps()
	var err error
	if p.pages, err = newPages(); err != nil {
		return nil, fmt.Errorf("reading the panel's pages: %w", err)
	}
	if config.PublicURL != "" {
		u, err := url.Parse(config.PublicURL)
		if err != nil || u.Hostname() == "" {
			return nil, fmt.Errorf("the public URL %q is no web address", config.PublicURL)
		}
		p.hosts = map[string]bool{strings.ToLower(u.Hostname()): true}
	}
	return p, nil
}

// EndStreams lets go of open pages, so that a server can be shut down.
func (p *Panel) EndStreams() { p.live.close() }

// Close ends the streams of open pages, and what watches for them.
func (p *Panel) Close() error {
	p.live.close()
	p.sweeps.close()
	return p.monitor.close()
}

// Handler serves the panel at the root of its host.
func (p *Panel) Handler() http.Handler {
	mux := &patterns{mux: http.NewServeMux()}
	mux.Handle("GET /assets/{file}", serveAssets())
	mux.Handle("GET /favicon.ico", http.RedirectHandler("/assets/icon.svg", http.StatusMovedPermanently))
	p.routes(mux)
	p.apiRoutes(mux)

	guarded := http.NewCrossOriginProtection()
	guarded.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, &httpError{http.StatusForbidden, "This was sent from another site.", "Open the panel itself and try again."})
	}))
	p.served = mux.all
	return p.secured(guarded.Handler(p.sessions.load(mux.mux)))
}

// patterns notes what is served, for the tests that try every address.
type patterns struct {
	mux *http.ServeMux
	all []string
}

// Handle serves a pattern.
func (p *patterns) Handle(pattern string, h http.Handler) {
	p.all = append(p.all, pattern)
	p.mux.Handle(pattern, h)
}

// routes are the pages, and what is done on them.
func (p *Panel) routes(mux *patterns) {
	open := func(pattern string, h func(v *visit) error) { mux.Handle(pattern, p.open(h)) }
	page := func(pattern string, h func(v *visit) error) { mux.Handle(pattern, p.guarded(h)) }
	shop := func(method, path string, h func(v *visit) error) {
		mux.Handle(method+" /i/{instance}"+path, p.guarded(p.inShop(h)))
	}
	open("GET /login", p.loginPage)
	open("POST /login", p.login)
	open("GET /setup", p.setupPage)
	open("POST /setup", p.setupDone)
	page("POST /logout", p.logout)
	page("GET /account", p.accountPage)
	page("POST /account", p.changePassword)
	page("GET /{$}", p.home)
	page("GET /runs/{id}", p.anyRun)
	page("GET /queues", func(v *visit) error { return v.redirect("/queues/") })
	page("/queues/", p.queues)
	page("/", func(*visit) error { return notFound("There is no such page.") })

	shop("GET", "/{$}", p.overview)
	shop("GET", "/overview/now", p.overviewNow)
	shop("GET", "/live", p.stream)
	shop("GET", "/needs", p.needs)
	shop("GET", "/activity", p.activity)
	shop("GET", "/activity/rows", p.activityRows)
	shop("GET", "/runs/{id}", p.run)
	shop("GET", "/runs/{id}/outcome", p.runOutcome)
	shop("POST", "/runs/{id}/edit", p.editRun)
	shop("POST", "/runs/act", p.actOnRuns)
	shop("GET", "/flows", p.flows)
	shop("GET", "/flows/{flow}", p.flow)
	shop("POST", "/flows/{flow}/switch", p.switchFlow)
	shop("POST", "/flows/{flow}/run", p.startFlow)
	shop("POST", "/flows/{flow}/plan", p.planFlow)
	shop("POST", "/flows/{flow}/sweep", p.sweepFlow)
	shop("GET", "/flows/{flow}/sweep", p.sweepState)
	shop("GET", "/links", p.links)
	shop("POST", "/links/{id}/unlink", p.unlink)
	shop("POST", "/links/tables/{table}/rebuild", p.rebuildTable)
	shop("GET", "/links/tables/{table}/rebuild", p.rebuildState)
	shop("GET", "/settings", p.firstTab)
	shop("GET", "/settings/{tab}", p.settingsTab)
	shop("POST", "/settings/{tab}", p.saveTab)
	shop("POST", "/settings/{tab}/check", p.checkField)
	shop("POST", "/connections/check", p.checkConnections)
}

// home leads to the first shop.
func (p *Panel) home(v *visit) error {
	instances, err := p.instances(v.Context())
	if err != nil {
		return err
	}
	if len(instances) == 0 {
		return &httpError{http.StatusNotFound, "There is no shop yet.", "Add one by: flowctl instances add NAME"}
	}
	return v.redirect("/i/" + url.PathEscape(instances[0].Name) + "/")
}

// instances lists the shops, the main one first: there a visitor begins.
func (p *Panel) instances(ctx context.Context) ([]Instance, error) {
	all, err := p.store.Instances(ctx)
	if err != nil {
		return nil, err
	}
	var shops []Instance
	for _, one := range all {
		shop := Instance{Name: one.Name, Title: one.Title, Paused: one.State == store.InstancePaused}
		switch {
		case one.State == store.InstanceRemoving:
		case one.Name == mainInstance:
			shops = slices.Insert(shops, 0, shop)
		default:
			shops = append(shops, shop)
		}
	}
	return shops, nil
}

// mainInstance is there from the beginning.
const mainInstance = "main"

// overridden tells which settings of an instance the environment of this process
// decides, by the variable that does.
func (p *Panel) overridden(instance string) map[string]string {
	s := p.engine.Settings()
	if s.OverrideInstance != instance {
		return nil
	}
	fixed := map[string]string{}
	for name := range s.Overrides {
		fixed[name] = "FLOWCTL_" + strings.ToUpper(name)
	}
	return fixed
}
