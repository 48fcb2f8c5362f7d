package panel

import (
	"context"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// span is a stretch of time that charts show.
type span struct {
	Name, Title, Words string
	Slot               time.Duration
	Slots              int
}

var spans = []span{
	{"day", "24 hours", "24 hours", time.Hour, 24},
	{"week", "7 days", "7 days", 6 * time.Hour, 28},
	{"month", "30 days", "30 days", 24 * time.Hour, 30},
}

func spanOf(name string) span {
	for _, s := range spans {
		if s.Name == name {
			return s
		}
	}
	return spans[0]
}

// setupStep is something that must be entered before a connection works.
type setupStep struct {
	Title, Missing, Tab string
	Done                bool
}

// overviewView answers: is my shop in step?
type overviewView struct {
	Tone, Headline, Subline string
	Needs, Behind           int
	Done, Skipped           int
	Delay                   string
	Span, SpanWords         string
	Spans                   []span
	Throughput, Lag         template.HTML
	Setup                   []setupStep
	Feeds                   []feedView
	Runs                    []runView
}

func (p *Panel) overview(v *visit) error {
	view, err := p.overviewOf(v)
	if err != nil {
		return err
	}
	return p.pages.render(v, http.StatusOK, "overview", p.layout(v, "overview", "Overview"), view)
}

// overviewNow is the page's content alone, for when something changed.
func (p *Panel) overviewNow(v *visit) error {
	view, err := p.overviewOf(v)
	if err != nil {
		return err
	}
	return p.pages.part(v, "overview", "now", p.layout(v, "overview", "Overview"), view)
}

func (p *Panel) overviewOf(v *visit) (overviewView, error) {
	ctx, shop := v.Context(), v.instance.Name
	s := spanOf(v.FormValue("span"))
	now := time.Now().UTC()
	begin := now.Truncate(s.Slot).Add(-time.Duration(s.Slots-1) * s.Slot)
	view := overviewView{Span: s.Name, SpanWords: s.Words, Spans: spans}

	pulse, err := p.store.Pulse(ctx, shop)
	if err != nil {
		return view, err
	}
	slots, err := p.store.History(ctx, shop, begin, s.Slot)
	if err != nil {
		return view, err
	}
	oldest, err := p.store.OldestOpen(ctx, shop)
	if err != nil {
		return view, err
	}
	events, err := p.store.Events(ctx, shop, 0, 1)
	if err != nil {
		return view, err
	}
	runs, err := p.store.Runs(ctx, store.RunFilter{Instance: shop, Limit: 8})
	if err != nil {
		return view, err
	}
	if view.Setup, err = p.setupSteps(ctx, shop); err != nil {
		return view, err
	}
	if view.Feeds, err = p.feedViews(ctx, shop); err != nil {
		return view, err
	}
	view.Runs = p.viewRuns(runs)
	view.Needs, view.Behind = pulse.Held+pulse.Failed, pulse.Waiting+pulse.Running+pulse.Retrying
	var lags time.Duration
	for _, slot := range slots {
		view.Done, view.Skipped = view.Done+slot.Succeeded, view.Skipped+slot.Skipped
		lags += slot.Lag * time.Duration(slot.Succeeded+slot.Skipped)
	}
	if n := view.Done + view.Skipped; n > 0 {
		view.Delay = took(lags / time.Duration(n))
	}
	view.Throughput, view.Lag = throughputChart(begin, s, slots), lagChart(begin, s, slots)
	view.judge(oldest, events, now)
	return view, nil
}

// judge says how the shop stands: what needs a person first, then what waits.
func (o *overviewView) judge(oldest time.Time, events []store.Event, now time.Time) {
	last := "Nothing has arrived yet."
	if len(events) > 0 {
		last = "The last change arrived " + took(now.Sub(events[0].At)) + " ago."
	}
	open := false
	for _, step := range o.Setup {
		open = open || !step.Done
	}
	o.Subline = last
	switch {
	case open:
		o.Tone, o.Headline = "busy", "Let’s connect your shop"
		o.Subline = "Some settings are still empty. Nothing is worked before they are there."
	case o.Needs > 0:
		o.Tone, o.Headline = "warn", plural(o.Needs, "thing needs you", "things need you")
		if o.Behind > 0 {
			o.Subline = "Everything else goes on: " + plural(o.Behind, "change", "changes") + " to go. " + last
		} else {
			o.Subline = "Everything else is in step. " + last
		}
	case o.Behind > 0:
		o.Tone, o.Headline = "busy", "Behind by "+plural(o.Behind, "change", "changes")
		if !oldest.IsZero() {
			o.Subline = "The oldest waits for " + took(now.Sub(oldest)) + ". " + last
		}
	default:
		o.Tone, o.Headline = "good", "Your shop is in step"
	}
	for _, f := range o.Feeds {
		if f.Tone == "bad" && o.Tone == "good" {
			o.Tone, o.Headline = "warn", "A system cannot be asked for changes"
			o.Subline = f.Title + ": " + f.Problem
		}
	}
}

// setupSteps lists the connections that lack settings; none when all have what
// they need.
func (p *Panel) setupSteps(ctx context.Context, shop string) ([]setupStep, error) {
	var steps []setupStep
	open := false
	values, err := p.engine.Settings().Values(ctx, shop)
	if err != nil {
		return nil, err
	}
	for _, connection := range p.engine.App().Connections {
		if len(connection.Spec.Settings.Required) == 0 {
			continue
		}
		if on, err := connection.On(ctx, values); err != nil {
			return nil, err
		} else if !on {
			continue
		}
		missing, err := p.engine.Settings().Missing(ctx, shop, connection)
		if err != nil {
			return nil, err
		}
		step := setupStep{Title: "Connect " + connection.Spec.Title, Done: len(missing) == 0}
		var titles []string
		for _, s := range missing {
			titles = append(titles, s.Title)
			if step.Tab == "" {
				step.Tab = p.tabOf(s.Name)
			}
		}
		step.Missing = strings.Join(titles, ", ")
		open = open || !step.Done
		steps = append(steps, step)
	}
	if !open {
		return nil, nil
	}
	return steps, nil
}

// tabOf is the tab on which a setting stands.
func (p *Panel) tabOf(setting string) string {
	for _, tab := range p.engine.App().Tabs {
		for _, s := range tab.Settings {
			if s.Name == setting {
				return tab.Name
			}
		}
	}
	return ""
}
