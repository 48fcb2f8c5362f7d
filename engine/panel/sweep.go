package panel

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// sweeps are the sweeps that were started in this process, the last one of each
// shop and flow.
type sweeps struct {
	mu   sync.Mutex
	last map[sweepKey]*sweep
	wait sync.WaitGroup
	stop context.CancelFunc
	ctx  context.Context
}

type sweepKey struct{ shop, flow string }

// sweep starts a flow for everything that changed since a moment.
type sweep struct {
	since, begun time.Time
	ended        bool
	records      int
	runs         map[int64]bool
	err          error
}

func newSweeps() *sweeps {
	s := &sweeps{last: map[sweepKey]*sweep{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

func (s *sweeps) close() {
	s.stop()
	s.wait.Wait()
}

// sweepable tells whether a feed tells what the flow is about, so that it can be
// run for everything at once.
func (p *Panel) sweepable(f *flow.Flow) bool {
	for _, feed := range p.engine.App().FeedsOf(f.Trigger.Events...) {
		if f.ListensTo(feed.Event) {
			return true
		}
	}
	return false
}

// ever is before every change.
var ever = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// sweepFlow starts a sweep, of everything where no day is given.
func (p *Panel) sweepFlow(v *visit) error {
	f, err := p.flowOf(v)
	if err != nil {
		return err
	}
	if !p.sweepable(f) {
		return badRequest("No feed tells what this flow is about.")
	}
	if err := p.complete(v, f); err != nil {
		return p.inPlace(v, err)
	}
	on, err := p.engine.Enabled(v.Context(), v.instance.Name, f)
	if err != nil {
		return err
	}
	if on != nil && !*on {
		return p.inPlace(v, &httpError{http.StatusUnprocessableEntity, f.Title + " is switched off.", "Turn it on under Features or Flows, then try again."})
	}
	since := ever
	if text := strings.TrimSpace(v.PostFormValue("since")); text != "" {
		if since, err = time.Parse(time.DateOnly, text); err != nil {
			return p.inPlace(v, badRequest("%q is no day; one looks like 2026-01-31.", text))
		}
	}
	p.startSweep(v, f, since)
	if v.Header.Get("HX-Request") != "true" {
		return v.redirect(v.base() + "/activity?flow=" + escapeQuery(f.Name))
	}
	return p.sweepState(v)
}

// startSweep begins a sweep in the background; one that is under way goes on.
func (p *Panel) startSweep(v *visit, f *flow.Flow, since time.Time) {
	key := sweepKey{v.instance.Name, f.Name}
	s := p.sweeps
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.last[key]; before != nil && !before.ended || s.ctx.Err() != nil {
		return
	}
	one := &sweep{since: since, begun: time.Now().UTC()}
	s.last[key] = one
	p.log.Info("a sweep was started", "account", v.account.Name, "instance", key.shop, "flow", key.flow, "since", since)
	s.wait.Go(func() {
		swept, err := p.engine.Sweep(s.ctx, key.shop, key.flow, since)
		if err != nil && s.ctx.Err() == nil {
			p.log.Warn("a sweep failed", "instance", key.shop, "flow", key.flow, "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		one.ended, one.records, one.err, one.runs = true, swept.Records, err, map[int64]bool{}
		for _, id := range swept.Runs {
			one.runs[id] = true
		}
	})
}

// sweepView is how far a sweep is.
type sweepView struct {
	Title, URL, ListURL  string
	Looking, Going       bool
	Records, Total, Done int
	Open, Needs          int
	More                 bool // so many that they are not all counted
	Problem, Advice      string
	Percent              int
}

// sweepState is the piece of a page that follows a sweep until all is worked.
func (p *Panel) sweepState(v *visit) error {
	f, err := p.flowOf(v)
	if err != nil {
		return err
	}
	p.sweeps.mu.Lock()
	one := p.sweeps.last[sweepKey{v.instance.Name, f.Name}]
	var now sweep
	if one != nil {
		now = *one
	}
	p.sweeps.mu.Unlock()
	if one == nil {
		return notFound("No sweep of this flow was started here.")
	}
	view := sweepView{Title: f.Title, URL: v.base() + "/flows/" + f.Name + "/sweep", ListURL: v.base() + "/activity?flow=" + escapeQuery(f.Name), Looking: !now.ended, Going: !now.ended, Records: now.records, Total: len(now.runs)}
	if now.err != nil {
		view.Problem = sentence(now.err.Error())
		var told *connectors.Error
		if errors.As(now.err, &told) {
			view.Advice = told.Advice
		}
	}
	if now.ended {
		if view.Open, view.More, err = p.among(v, f, now.runs, store.Waiting, store.Running, store.Retrying); err != nil {
			return err
		}
		needs, _, err := p.among(v, f, now.runs, store.Held, store.Failed)
		if err != nil {
			return err
		}
		view.Needs, view.Going = needs, view.Open > 0
		view.Done = max(view.Total-view.Open-view.Needs, 0)
		if view.Total > 0 {
			view.Percent = 100 * (view.Total - view.Open) / view.Total
		}
	}
	return p.pages.piece(v, "sweep", view)
}

// maxCounted bounds how many runs are looked at to tell how far a sweep is.
const maxCounted = 10 * store.MaxPage

// among counts the sweep's runs that are in one of the states.
func (p *Panel) among(v *visit, f *flow.Flow, runs map[int64]bool, states ...store.State) (n int, more bool, err error) {
	filter := store.RunFilter{Instance: v.instance.Name, Flow: f.Name, States: states, Limit: store.MaxPage}
	for seen := 0; seen < maxCounted; {
		page, err := p.store.Runs(v.Context(), filter)
		if err != nil {
			return 0, false, err
		}
		for _, run := range page {
			if runs[run.ID] {
				n++
			}
		}
		if len(page) < filter.Limit {
			return n, false, nil
		}
		seen += len(page)
		filter.Before = page[len(page)-1].ID
	}
	return n, true, nil
}
