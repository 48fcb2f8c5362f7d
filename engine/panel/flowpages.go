package panel

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/run"
	"github.com/flowctl/flowctl/engine/store"
)

// flowView is a flow as the pages show it.
type flowView struct {
	*flow.Flow
	Starts string // what starts it, in words
	Group  string
	// Switch is the setting that turns the flow on and off; "" where there is not
	// just one. On is whether events start it, Known whether that can be told.
	Switch    string
	On, Known bool
	Fixed     string // the variable of the environment that decides the switch
	Last      *runView
	Running   bool // people may start it
}

// Groups of flows, in their order.
const (
	groupPeople = "Started by you"
	groupEvents = "Started by events"
	groupParts  = "Parts of other flows"
)

func (p *Panel) viewFlow(v *visit, f *flow.Flow) (flowView, error) {
	view := flowView{Flow: f, Group: groupEvents, Running: !f.Trigger.Called}
	switch {
	case f.Trigger.Called:
		view.Group, view.Starts = groupParts, "other flows"
	case len(f.Trigger.Events) == 0:
		view.Group, view.Starts = groupPeople, "you"
	default:
		view.Starts = strings.Join(f.Trigger.Events, ", ")
	}
	on, err := p.engine.Enabled(v.Context(), v.instance.Name, f)
	if err != nil {
		return view, err
	}
	if on != nil {
		view.On, view.Known = *on, true
	}
	if name, ok := p.switchOf(f); ok {
		view.Switch = name
		view.Fixed = p.overridden(v.instance.Name)[name]
	}
	return view, nil
}

// switchOf is the setting that alone turns a flow on and off.
func (p *Panel) switchOf(f *flow.Flow) (string, bool) {
	if f.Trigger.Enabled == nil {
		return "", false
	}
	name, ok := strings.CutPrefix(strings.TrimSpace(f.Trigger.Enabled.Source), "settings.")
	if !ok {
		return "", false
	}
	s, ok := p.engine.App().Setting(name)
	return name, ok && s.Type == "switch"
}

type flowGroup struct {
	Title string
	Flows []flowView
}

// Parts tells whether these are only called by others: nobody looks at them often.
func (g flowGroup) Parts() bool { return g.Title == groupParts }

func (p *Panel) flows(v *visit) error {
	groups := []flowGroup{{Title: groupEvents}, {Title: groupPeople}, {Title: groupParts}}
	for _, f := range p.engine.App().Flows {
		view, err := p.viewFlow(v, f)
		if err != nil {
			return err
		}
		if view.Running {
			last, err := p.store.Runs(v.Context(), store.RunFilter{Instance: v.instance.Name, Flow: f.Name, Limit: 1})
			if err != nil {
				return err
			}
			if len(last) > 0 {
				shown := p.viewRun(last[0])
				view.Last = &shown
			}
		}
		i := slices.IndexFunc(groups, func(g flowGroup) bool { return g.Title == view.Group })
		groups[i].Flows = append(groups[i].Flows, view)
	}
	groups = slices.DeleteFunc(groups, func(g flowGroup) bool { return len(g.Flows) == 0 })
	return p.pages.render(v, http.StatusOK, "flows", p.layout(v, "flows", "Flows"), groups)
}

// switchFlow turns the setting of a flow's switch.
func (p *Panel) switchFlow(v *visit) error {
	f, ok := p.engine.App().Flow(v.PathValue("flow"))
	if !ok {
		return notFound("There is no such flow.")
	}
	name, ok := p.switchOf(f)
	if !ok {
		return badRequest("This flow has no switch of its own.")
	}
	if variable := p.overridden(v.instance.Name)[name]; variable != "" {
		return badRequest("%s in the environment of the server decides this.", variable)
	}
	on := v.PostFormValue("on") == "true"
	if err := p.engine.Settings().Save(v.Context(), v.instance.Name, map[string]any{name: on}); err != nil {
		return err
	}
	p.log.Info("a flow was switched", "account", v.account.Name, "instance", v.instance.Name, "flow", f.Name, "on", on)
	p.sessions.note(v.Request, f.Title+" is "+map[bool]string{true: "on", false: "off"}[on]+".")
	back := v.PostFormValue("back")
	if back == "" {
		back = v.base() + "/flows"
	}
	return v.redirect(back)
}

// flowPage is one flow.
type flowPage struct {
	Flow        flowView
	Graph       []nodeView
	Inputs      []inputField
	Free        bool // the input is written as JSON
	Sweep       bool // it can be run for everything that changed
	Example     string
	Problem     string
	Runs        []runView
	File        string
	Lines       []lineView
	Diagnostics flow.Diagnostics
	Changed     bool // the file is another than the one in use
}

func (p *Panel) flowOf(v *visit) (*flow.Flow, error) {
	f, ok := p.engine.App().Flow(v.PathValue("flow"))
	if !ok {
		return nil, notFound("There is no such flow.")
	}
	return f, nil
}

func (p *Panel) flow(v *visit) error {
	f, err := p.flowOf(v)
	if err != nil {
		return err
	}
	page := flowPage{Graph: graphOf(f), File: f.File}
	if page.Flow, err = p.viewFlow(v, f); err != nil {
		return err
	}
	page.Inputs, page.Free = inputFields(p.engine.InputType(f), f.Trigger.Input == nil)
	page.Sweep = p.sweepable(f)
	runs, err := p.store.Runs(v.Context(), store.RunFilter{Instance: v.instance.Name, Flow: f.Name, Limit: 10})
	if err != nil {
		return err
	}
	page.Runs = p.viewRuns(runs)
	p.readSource(&page, f)
	return p.pages.render(v, http.StatusOK, "flow", p.layout(v, "flows", f.Title), page)
}

// readSource shows the file as it is now, with what is wrong with it.
func (p *Panel) readSource(page *flowPage, f *flow.Flow) {
	text := p.engine.App().Sources[f.File]
	app, found, err := p.engine.CheckFiles()
	if err != nil {
		page.Diagnostics = flow.Diagnostics{{Severity: flow.SeverityError, Message: "The files cannot be read now: " + err.Error()}}
	} else {
		if now, ok := app.Sources[f.File]; ok {
			page.Changed = now != text
			text = now
		}
		for _, d := range found {
			if d.File == f.File {
				page.Diagnostics = append(page.Diagnostics, d)
			}
		}
	}
	page.Lines = sourceLines(text, page.Diagnostics)
}

// startFlow starts a flow by hand, and shows what becomes of it in place.
func (p *Panel) startFlow(v *visit) error {
	f, input, err := p.flowAndInput(v)
	if err != nil {
		return p.inPlace(v, err)
	}
	id, err := p.start(v, f.Name, input)
	if err != nil {
		return p.inPlace(v, err)
	}
	if v.Header.Get("HX-Request") != "true" {
		return v.redirect(fmt.Sprintf("%s/runs/%d", v.base(), id))
	}
	started, err := p.store.Run(v.Context(), id)
	if err != nil {
		return err
	}
	view, err := p.outcomeOf(v, started)
	if err != nil {
		return err
	}
	return p.pages.outcome(v, view)
}

func (p *Panel) flowAndInput(v *visit) (*flow.Flow, map[string]any, error) {
	f, err := p.flowOf(v)
	if err != nil {
		return nil, nil, err
	}
	if f.Trigger.Called {
		return nil, nil, badRequest("Only other flows start this one.")
	}
	if err := p.complete(v, f); err != nil {
		return nil, nil, err
	}
	if err := v.ParseForm(); err != nil {
		return nil, nil, badRequest("The form cannot be read.")
	}
	input, err := readInputForm(p.engine.InputType(f), f.Trigger.Input == nil, v.PostForm)
	return f, input, err
}

// complete tells which settings a flow's connections still lack, before anything
// is started.
func (p *Panel) complete(v *visit, f *flow.Flow) error {
	var missing []string
	for _, name := range connectionsOf(f) {
		declared, ok := p.engine.App().Connection(name)
		if !ok {
			continue
		}
		lacks, err := p.engine.Settings().Missing(v.Context(), v.instance.Name, declared)
		if err != nil {
			return err
		}
		for _, s := range lacks {
			if !slices.Contains(missing, s.Title) {
				missing = append(missing, s.Title)
			}
		}
	}
	if len(missing) > 0 {
		return &httpError{http.StatusUnprocessableEntity, "Some settings are still empty: " + strings.Join(missing, ", ") + ".", "Enter them under Settings and save, then try again."}
	}
	return nil
}

// connectionsOf lists the connections that a flow and the flows it calls use.
func connectionsOf(f *flow.Flow) []string {
	var names []string
	for _, called := range f.WithCalled() {
		for _, s := range called.Steps {
			for _, action := range []string{"", "match", "create", "update"} {
				if call := callOf(s, action); call != nil && call.Flow == nil && !slices.Contains(names, call.Connection) {
					names = append(names, call.Connection)
				}
			}
		}
	}
	return names
}

// inPlace shows a problem where the button's answer would stand.
func (p *Panel) inPlace(v *visit, err error) error {
	message, advice, ok := told(err)
	if !ok || v.Header.Get("HX-Request") != "true" {
		if ok {
			return &httpError{http.StatusUnprocessableEntity, message, advice}
		}
		return err
	}
	return p.pages.checks(v, []checkView{{Message: message, Advice: advice, Tone: "bad"}})
}

// planFlow shows what a run would do, and does none of it.
func (p *Panel) planFlow(v *visit) error {
	f, input, err := p.flowAndInput(v)
	if err != nil {
		return p.inPlace(v, err)
	}
	plan, err := p.engine.Plan(v.Context(), f.Name, v.instance.Name, input)
	if err != nil {
		if isStoreError(err) {
			return err
		}
		return p.inPlace(v, &inputError{err})
	}
	return p.pages.part(v, "flow", "plan", p.layout(v, "flows", f.Title), viewPlan(plan))
}

// planView is a plan for people.
type planView struct {
	About, Outcome, Reason, Advice, Tone string
	Steps                                []plannedView
	Unread                               []string
	Maybe                                []string
}

type plannedView struct {
	Path, What, Effect, If string
	Compared               bool
	Fields                 []fieldView
}

func viewPlan(plan run.Plan) planView {
	view := planView{About: recordWords(plan.Key), Tone: stateTone(plan.Outcome.State), Reason: plainValue(plan.Outcome.Reason), Advice: plainValue(plan.Outcome.Advice)}
	view.Outcome = endWords(plan.Outcome.State)
	if view.Tone == "calm" {
		view.Tone = "busy"
	}
	for _, end := range plan.Maybe {
		view.Maybe = append(view.Maybe, "If "+strings.Join(end.If, " and ")+", it would "+endWords(end.State)+": "+plainValue(end.Reason))
	}
	for _, u := range plan.Unread {
		view.Unread = append(view.Unread, u.Path+" ("+u.Operation+")")
	}
	for _, s := range plan.Steps {
		one := plannedView{Path: s.Path, What: s.Operation, Effect: string(s.Effect), If: strings.Join(s.If, " and "), Compared: s.Compared}
		switch {
		case s.Link != nil:
			one.What = "link " + s.Link.Table + " (" + s.Link.How + ")"
			one.Effect = "link"
			one.Fields = []fieldView{{Field: "local", New: plainValue(s.Link.Local)}, {Field: "remote", New: plainValue(s.Link.Remote)}}
		case s.Compared:
			for _, c := range s.Changes {
				one.Fields = append(one.Fields, fieldView{Field: c.Field, Old: plainValue(c.Old), New: plainValue(c.New)})
			}
		default:
			one.Fields = plannedFields(s.Params)
		}
		view.Steps = append(view.Steps, one)
	}
	return view
}

func endWords(s store.State) string {
	switch s {
	case store.Succeeded:
		return "succeed"
	case store.Skipped:
		return "find nothing to do"
	case store.Held:
		return "be held for you"
	case store.Retrying:
		return "be tried again later"
	}
	return "fail"
}
