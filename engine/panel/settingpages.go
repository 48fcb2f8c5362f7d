package panel

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
)

// settingsView is a tab of the settings.
type settingsView struct {
	Tab      flow.Tab
	Tabs     []flow.Tab
	Groups   []groupView
	Actions  []actionView
	Check    bool // the tab has settings of connections: they can be tried
	Problems int
	Saved    bool
	Fixed    int   // fields that the environment decides
	Run      int64 // that followed the saving
}

// actionView is a button of a tab.
type actionView struct {
	flow.Action
	Do string // run, or sweep where a feed tells what the flow is about
}

type groupView struct {
	Title  string
	Fields []settingView
}

func (p *Panel) tab(name string) (flow.Tab, bool) {
	for _, t := range p.engine.App().Tabs {
		if t.Name == name {
			return t, true
		}
	}
	return flow.Tab{}, false
}

func (p *Panel) firstTab(v *visit) error {
	tabs := p.engine.App().Tabs
	if len(tabs) == 0 {
		return notFound("This app has no settings.")
	}
	return v.redirect(v.base() + "/settings/" + url.PathEscape(tabs[0].Name))
}

func (p *Panel) settingsTab(v *visit) error {
	return p.showSettings(v, http.StatusOK, nil, nil)
}

// showSettings shows a tab, with what was sent and what is wrong with it where
// it was not saved.
func (p *Panel) showSettings(v *visit, status int, sent url.Values, problems map[string]string) error {
	tab, ok := p.tab(v.PathValue("tab"))
	if !ok {
		return notFound("There is no such tab.")
	}
	view := settingsView{Tab: tab, Tabs: p.engine.App().Tabs, Problems: len(problems), Check: hasSecrets(tab)}
	for _, action := range tab.Actions {
		if f, ok := p.engine.App().Flow(action.Flow); ok && !f.Trigger.Called {
			one := actionView{Action: action, Do: "run"}
			if p.sweepable(f) {
				one.Do = "sweep"
			}
			view.Actions = append(view.Actions, one)
		}
	}
	if id, err := strconv.ParseInt(v.URL.Query().Get("run"), 10, 64); err == nil {
		view.Run = id
	}
	fields, err := p.settingFields(v, tab)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if sent != nil && f.Fixed == "" {
			f.resend(sent)
		}
		f.Problem = problems[f.Name]
		if f.Fixed != "" {
			view.Fixed++
		}
		if n := len(view.Groups); n == 0 || view.Groups[n-1].Title != f.Group {
			view.Groups = append(view.Groups, groupView{Title: f.Group})
		}
		group := &view.Groups[len(view.Groups)-1]
		group.Fields = append(group.Fields, f)
	}
	return p.pages.render(v, status, "settings", p.layout(v, "settings", "Settings: "+tab.Title), view)
}

// hasSecrets tells whether keys are entered on the tab: then the connections can
// be tried there.
func hasSecrets(tab flow.Tab) bool {
	return slices.ContainsFunc(tab.Settings, func(s flow.Setting) bool { return s.Type == "secret" })
}

// settingFields are the fields of a tab as they stand.
func (p *Panel) settingFields(v *visit, tab flow.Tab) ([]settingView, error) {
	values, err := p.engine.Settings().Values(v.Context(), v.instance.Name)
	if err != nil {
		return nil, err
	}
	stored, err := p.store.Settings(v.Context(), v.instance.Name)
	if err != nil {
		return nil, err
	}
	fixed := p.overridden(v.instance.Name)
	choices := p.choicesFor(v.Context(), v.instance.Name, tab.Settings)
	fields := make([]settingView, 0, len(tab.Settings))
	for _, s := range tab.Settings {
		f := settingView{Setting: s, Fixed: fixed[s.Name], Owner: v.owner()}
		_, f.Stored = stored[s.Name]
		f.choices(choices)
		f.show(values[s.Name])
		fields = append(fields, f)
	}
	return fields, nil
}

// saveTab saves what differs from what is there. What does not fit is told
// beside its field, and then nothing is saved.
func (p *Panel) saveTab(v *visit) error {
	tab, ok := p.tab(v.PathValue("tab"))
	if !ok {
		return notFound("There is no such tab.")
	}
	if err := v.ParseForm(); err != nil {
		return badRequest("The form cannot be read.")
	}
	before, err := p.engine.Settings().Values(v.Context(), v.instance.Name)
	if err != nil {
		return err
	}
	fixed := p.overridden(v.instance.Name)
	changes, problems := map[string]any{}, map[string]string{}
	for _, s := range tab.Settings {
		if fixed[s.Name] != "" {
			continue
		}
		typed, sent, err := readSetting(s, v.PostForm)
		switch {
		case err != nil:
			problems[s.Name] = sentence(err.Error())
		case sent && (typed == nil) != (before[s.Name] == nil), sent && typed != nil && !reflect.DeepEqual(typed, before[s.Name]):
			changes[s.Name] = typed
		}
	}
	if len(problems) == 0 && len(changes) > 0 {
		err := p.engine.Settings().Save(v.Context(), v.instance.Name, changes)
		for _, one := range flatten(err) {
			var wrong *settings.InvalidError
			if !errors.As(one, &wrong) {
				return err
			}
			problems[wrong.Name] = sentence(wrong.Err.Error())
		}
	}
	if len(problems) > 0 {
		return p.showSettings(v, http.StatusUnprocessableEntity, v.PostForm, problems)
	}
	names := make([]string, 0, len(changes))
	for name := range changes {
		names = append(names, name)
	}
	p.log.Info("settings were saved", "account", v.account.Name, "instance", v.instance.Name, "settings", names)
	if len(changes) == 0 {
		p.sessions.note(v.Request, "Nothing was changed.")
	} else {
		p.forgetChoices(v.instance.Name)
		p.sessions.note(v.Request, "Saved.")
	}
	to := v.base() + "/settings/" + url.PathEscape(tab.Name)
	if run := p.afterSave(v, tab, len(changes) > 0); run != 0 {
		to += "?run=" + strconv.FormatInt(run, 10)
	}
	return v.redirect(to)
}

// afterSave starts the flow that the tab names for it, once its connections have
// what they need, and returns the run. That it cannot be started undoes no saving.
func (p *Panel) afterSave(v *visit, tab flow.Tab, changed bool) int64 {
	f, ok := p.engine.App().Flow(tab.Saved)
	if !ok || !changed || p.complete(v, f) != nil {
		return 0
	}
	id, err := p.start(v, f.Name, map[string]any{})
	if err != nil {
		p.log.Warn("starting the flow of a saved tab", "instance", v.instance.Name, "flow", f.Name, "error", err)
		return 0
	}
	return id
}

// flatten lists the errors that were joined.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, flatten(one)...)
		}
		return all
	}
	return []error{err}
}

// checkField tells what is wrong with one field, while the rest is being filled.
func (p *Panel) checkField(v *visit) error {
	tab, ok := p.tab(v.PathValue("tab"))
	if !ok {
		return notFound("There is no such tab.")
	}
	if err := v.ParseForm(); err != nil {
		return badRequest("The form cannot be read.")
	}
	problem := ""
	for _, s := range tab.Settings {
		if s.Name != v.FormValue("field") {
			continue
		}
		if _, _, err := readSetting(s, v.PostForm); err != nil {
			problem = sentence(err.Error())
		}
	}
	return p.pages.piece(v, "problem", problem)
}

// checkConnections lets each connection look at its system, with the settings as
// they are saved.
func (p *Panel) checkConnections(v *visit) error {
	var all []checkView
	for _, c := range p.engine.App().Connections {
		found, err := p.checkConnection(v.Context(), v.instance.Name, c)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	if v.Header.Get("HX-Request") == "true" {
		return p.pages.checks(v, all)
	}
	return p.pages.render(v, http.StatusOK, "checks", p.layout(v, "settings", "Connections"), all)
}
