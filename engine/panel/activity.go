package panel

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

var allStates = []store.State{
	store.Waiting, store.Running, store.Retrying, store.Held, store.Failed, store.Succeeded, store.Skipped, store.Cancelled,
}

// choice is an option of a list.
type choice struct{ Name, Title string }

var times = []choice{{"", "At any time"}, {"1h", "In the last hour"}, {"24h", "In the last 24 hours"}, {"168h", "In the last 7 days"}, {"720h", "In the last 30 days"}}

const activityPage = 50

// activityView is a list of runs with its filter.
type activityView struct {
	Flow, State, Record, Since string
	Flows                      []choice
	States                     []store.State
	Times                      []choice
	Runs                       []runView
	Next, Self, RowsURL        string
}

func (p *Panel) activity(v *visit) error {
	view, err := p.activityOf(v)
	if err != nil {
		return err
	}
	return p.pages.render(v, http.StatusOK, "activity", p.layout(v, "activity", "Activity"), view)
}

// activityRows is the list alone, for when something changed.
func (p *Panel) activityRows(v *visit) error {
	view, err := p.activityOf(v)
	if err != nil {
		return err
	}
	return p.pages.part(v, "activity", "rows", p.layout(v, "activity", "Activity"), view)
}

func (p *Panel) activityOf(v *visit) (activityView, error) {
	view := activityView{
		Flow: v.FormValue("flow"), State: v.FormValue("state"), Record: strings.TrimSpace(v.FormValue("record")), Since: v.FormValue("since"),
		States: allStates, Times: times,
	}
	for _, f := range p.engine.App().Flows {
		if !f.Trigger.Called {
			view.Flows = append(view.Flows, choice{f.Name, f.Title})
		}
	}
	filter, err := runFilter(v.instance.Name, v.Form)
	if err != nil {
		return view, err
	}
	filter.Limit = activityPage + 1
	runs, err := p.store.Runs(v.Context(), filter)
	if err != nil {
		return view, err
	}
	query := url.Values{}
	for name, value := range map[string]string{"flow": view.Flow, "state": view.State, "record": view.Record, "since": view.Since, "before": v.FormValue("before")} {
		if value != "" {
			query.Set(name, value)
		}
	}
	view.Self = v.base() + "/activity?" + query.Encode()
	view.RowsURL = v.base() + "/activity/rows?" + query.Encode()
	if len(runs) > activityPage {
		runs = runs[:activityPage]
		query.Set("before", strconv.FormatInt(runs[activityPage-1].ID, 10))
		view.Next = v.base() + "/activity?" + query.Encode()
	}
	view.Runs = p.viewRuns(runs)
	return view, nil
}

// runFilter reads a filter of runs: flow, state (several by comma), record (a key,
// or the id of a record), since (how long ago, or an instant) and before (an id).
func runFilter(instance string, form url.Values) (store.RunFilter, error) {
	f := store.RunFilter{Instance: instance, Flow: form.Get("flow")}
	for _, text := range strings.Split(form.Get("state"), ",") {
		if text == "" {
			continue
		}
		known := false
		for _, state := range allStates {
			known = known || string(state) == text
		}
		if !known {
			return f, badRequest("There is no state %q.", text)
		}
		f.States = append(f.States, store.State(text))
	}
	switch record := strings.TrimSpace(form.Get("record")); {
	case len(record) > store.MaxName:
		return f, badRequest("The record is too long.")
	case strings.Contains(record, ":"):
		f.Key = record
	default:
		f.Record = strings.TrimPrefix(record, "#")
	}
	if since := form.Get("since"); since != "" {
		ago, err := time.ParseDuration(since)
		at, errAt := time.Parse(time.RFC3339, since)
		switch {
		case err == nil && ago >= 0:
			f.Since = time.Now().UTC().Add(-ago)
		case errAt == nil:
			f.Since = at.UTC()
		default:
			return f, badRequest("%q is neither a time nor how long ago.", since)
		}
	}
	if before := form.Get("before"); before != "" {
		id, err := strconv.ParseInt(before, 10, 64)
		if err != nil || id < 0 {
			return f, badRequest("%q is no id of a run.", before)
		}
		f.Before = id
	}
	return f, nil
}

// needsView lists the runs that need a person.
type needsView struct {
	Causes     []causeView
	Total      int
	Next, Self string
}

// causeView is what several runs wait for together.
type causeView struct {
	Flow, Title, Code, Advice string
	State                     store.State
	Runs                      []runView
}

// Reason is the first run's, where there is only one.
func (c causeView) Reason() string { return c.Runs[0].Reason }

// add puts a run to those that wait for the same.
func (n *needsView) add(run runView) {
	for i, c := range n.Causes {
		if c.Flow == run.Flow && c.Code == run.Code && c.Advice == run.Advice && c.State == run.State {
			n.Causes[i].Runs = append(n.Causes[i].Runs, run)
			return
		}
	}
	n.Causes = append(n.Causes, causeView{Flow: run.Flow, Title: run.Title, Code: run.Code, Advice: run.Advice, State: run.State, Runs: []runView{run}})
}

func (p *Panel) needs(v *visit) error {
	filter, err := runFilter(v.instance.Name, url.Values{"before": {v.FormValue("before")}})
	if err != nil {
		return err
	}
	filter.States, filter.Limit = []store.State{store.Held, store.Failed}, activityPage+1
	runs, err := p.store.Runs(v.Context(), filter)
	if err != nil {
		return err
	}
	pulse, err := p.store.Pulse(v.Context(), v.instance.Name)
	if err != nil {
		return err
	}
	settings, err := p.engine.Settings().Values(v.Context(), v.instance.Name)
	if err != nil {
		return err
	}
	view := needsView{Total: pulse.Held + pulse.Failed, Self: v.base() + "/needs"}
	if before := v.FormValue("before"); before != "" {
		view.Self += "?before=" + url.QueryEscape(before)
	}
	if len(runs) > activityPage {
		runs = runs[:activityPage]
		view.Next = v.base() + "/needs?before=" + strconv.FormatInt(runs[activityPage-1].ID, 10)
	}
	for _, run := range p.viewRuns(runs) {
		if run.Records, err = p.recordsOf(v.Context(), v.instance.Name, run.Key, settings); err != nil {
			return err
		}
		view.add(run)
	}
	return p.pages.render(v, http.StatusOK, "needs", p.layout(v, "needs", "Needs you"), view)
}
