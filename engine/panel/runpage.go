package panel

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

const (
	shownSteps = 200
	maxSteps   = 5000
)

// runPage is one run with its steps.
type runPage struct {
	Run                         runView
	Tone, Event                 string
	CanAct, CanRetry, CanIgnore bool
	FailedStep                  string
	Groups                      []stepGroup
	Total                       int
	Writes, More                string
	Result                      string
	Checks                      []checkView
	Payload, PayloadTitle       string
	PayloadProblem              string
}

// stepGroup is a step, or the steps of a flow that it called.
type stepGroup struct {
	Name, What, Sum string
	Tone            string // the worst of its steps
	Open            bool
	Steps           []stepView
	Single          bool
	took            time.Duration
	written         int
}

// stepView is a step of the journal.
type stepView struct {
	Path, What, Effect, Took, Tone, Word string
	Error, Input, Output                 string
	Written                              []fieldView
	Open                                 bool
}

// fieldView is a field that was written, or would be.
type fieldView struct{ Field, Old, New string }

// runOf reads a run of the visit's shop.
func (p *Panel) runOf(v *visit) (store.Run, error) {
	id, err := v.id("id")
	if err != nil {
		return store.Run{}, err
	}
	run, err := p.store.Run(v.Context(), id)
	if err == nil && run.Instance != v.instance.Name {
		err = store.ErrNotFound
	}
	return run, err
}

// anyRun leads to a run whose shop is not named, as mails do.
func (p *Panel) anyRun(v *visit) error {
	id, err := v.id("id")
	if err != nil {
		return err
	}
	run, err := p.store.Run(v.Context(), id)
	if err != nil {
		return err
	}
	v.instance = Instance{Name: run.Instance}
	return v.redirect(fmt.Sprintf("%s/runs/%d", v.base(), id))
}

func (p *Panel) run(v *visit) error { return p.showRun(v, http.StatusOK, "", "") }

// showRun shows the run's page, with an edited payload that does not fit.
func (p *Panel) showRun(v *visit, status int, payload, problem string) error {
	run, err := p.runOf(v)
	if err != nil {
		return err
	}
	steps, err := p.store.Steps(v.Context(), run.ID)
	if err != nil {
		return err
	}
	settings, err := p.engine.Settings().Values(v.Context(), run.Instance)
	if err != nil {
		return err
	}
	page := runPage{Run: p.viewRun(run), Tone: stateTone(run.State), Event: run.EventName, PayloadProblem: problem}
	if page.Run.Records, err = p.recordsOf(v.Context(), run.Instance, run.Key, settings); err != nil {
		return err
	}
	if page.Tone == "calm" || page.Tone == "busy" {
		page.Tone = "busy"
	}
	page.CanRetry = over(run.State) || run.State == store.Held
	page.CanIgnore = run.State == store.Held || run.State == store.Failed || run.State == store.Waiting || run.State == store.Retrying
	page.CanAct = (page.CanRetry || page.CanIgnore) && run.Code != store.CodeErased
	f, _ := p.engine.App().Flow(run.Flow)
	all := v.FormValue("steps") == "all"
	writes, shown := map[string]int{}, 0
	for _, s := range steps {
		if strings.HasPrefix(s.Path, "$") {
			continue // the engine's own
		}
		page.Total++
		view := viewStep(f, s, run.State)
		if view.Effect != "" && s.State == store.StepDone {
			writes[view.Effect]++
		}
		if s.State == store.StepFailed {
			page.FailedStep = s.Path
		}
		if shown < shownSteps || all && shown < maxSteps || s.State == store.StepFailed {
			shown++
			page.add(f, view, s)
		}
	}
	for i := range page.Groups {
		page.Groups[i].sum()
	}
	if page.Total > shown && !all {
		page.More = fmt.Sprintf("%s/runs/%d?steps=all", v.base(), run.ID)
	}
	page.Writes = writesWords(writes)
	page.Result, page.Checks = readable(run.Result), checksOf(run.Result)
	page.PayloadTitle, page.Payload = "What it was given", readable(run.Event)
	if len(run.Input) > 0 {
		page.Payload = readable(run.Input)
	}
	if payload != "" {
		page.Payload = payload
	}
	return p.pages.render(v, status, "run", p.layout(v, "activity", page.Run.Title), page)
}

// add puts a step where it belongs: by itself, or to the others of its flow.
func (r *runPage) add(f *flow.Flow, view stepView, s store.Step) {
	name, rest, nested := strings.Cut(view.Path, "/")
	if nested {
		view.Path = rest
	}
	n := len(r.Groups)
	if n == 0 || !nested || r.Groups[n-1].Single || r.Groups[n-1].Name != name {
		group := stepGroup{Name: name, Single: !nested, Tone: "calm"}
		if f != nil && nested {
			if step, _ := findStep(f, name); step != nil {
				group.What = stepWords(step, "")
			}
		}
		r.Groups = append(r.Groups, group)
		n++
	}
	group := &r.Groups[n-1]
	group.Steps = append(group.Steps, view)
	group.Open = group.Open || view.Open
	if view.Effect != "" && s.State == store.StepDone {
		group.written++
	}
	if s.Ended.After(s.Started) {
		group.took += s.Ended.Sub(s.Started)
	}
	for _, tone := range []string{"bad", "warn", "busy", "good"} {
		if view.Tone == tone || group.Tone == tone {
			group.Tone = tone
			break
		}
	}
}

// sum says in words what a group of steps came to.
func (g *stepGroup) sum() {
	g.Sum = plural(len(g.Steps), "step", "steps")
	if g.written > 0 {
		g.Sum += ", " + plural(g.written, "write", "writes")
	}
	if g.took > 0 {
		g.Sum += ", " + took(g.took)
	}
}

func writesWords(writes map[string]int) string {
	var parts []string
	for _, effect := range []struct{ name, one, many string }{{"create", "created", "created"}, {"update", "updated", "updated"}, {"delete", "deleted", "deleted"}} {
		if n := writes[effect.name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, effect.many))
		}
	}
	return strings.Join(parts, ", ")
}

// viewStep shows a journal entry beside what the flow says of its step.
func viewStep(f *flow.Flow, s store.Step, state store.State) stepView {
	view := stepView{Path: s.Path, Error: s.Error, Input: readable(s.Input), Output: readable(s.Output), Tone: "good", Word: "Done"}
	switch {
	case s.State == store.StepSkipped:
		view.Tone, view.Word = "calm", "Left out"
	case s.State == store.StepFailed:
		view.Tone, view.Word, view.Open = "bad", "Failed", true
	case s.State == store.StepStarted && state == store.Running:
		view.Tone, view.Word = "busy", "At work"
	case s.State == store.StepStarted:
		view.Tone, view.Word, view.Open = "warn", "Interrupted", true
	}
	if s.Ended.After(s.Started) && !s.Started.IsZero() {
		view.Took = took(s.Ended.Sub(s.Started))
	}
	if f == nil {
		return view
	}
	step, action := findStep(f, s.Path)
	if step == nil {
		return view
	}
	view.What = stepWords(step, action)
	if call := callOf(step, action); call != nil && call.Flow == nil {
		if effect := call.Operation.Effect; effect != connectors.Read && effect != "" {
			view.Effect = string(effect)
			view.Written = writtenFields(s.Input)
		}
	}
	return view
}

// findStep finds the step that a journal path names, "lines[3]",
// "totals/round" or "partner.create", and the part of a link that it is.
func findStep(f *flow.Flow, path string) (step *flow.Step, action string) {
	first, rest, nested := strings.Cut(path, "/")
	name, _, _ := strings.Cut(first, "[")
	name, action, _ = strings.Cut(name, ".")
	if i := strings.LastIndex(first, "]."); i >= 0 {
		action = first[i+2:]
	}
	for _, s := range f.Steps {
		if s.Name != name {
			continue
		}
		if !nested {
			return s, action
		}
		if called := s.Called(action); called != nil {
			return findStep(called, rest)
		}
		return nil, ""
	}
	return nil, ""
}

func callOf(s *flow.Step, action string) *flow.Call {
	switch {
	case s.Call != nil:
		return s.Call
	case s.Link == nil:
		return nil
	case action == "match":
		return s.Link.Match
	case action == "create":
		return s.Link.Create
	case action == "update":
		return s.Link.Update
	}
	return nil
}

// stepWords says what a step does.
func stepWords(s *flow.Step, action string) string {
	call := callOf(s, action)
	switch {
	case call != nil && call.Flow != nil:
		return "flow " + call.Flow.Title
	case call != nil && call.Operation.Title != "":
		return call.Operation.Title + " (" + call.Name + ")"
	case call != nil:
		return call.Name
	case s.Link != nil && s.Link.Table != nil:
		return "link " + s.Link.Table.Title
	case s.Map != nil:
		return "shape values"
	}
	return ""
}

// maxField bounds a value shown in a table.
const maxField = 400

// writtenFields lists what a write set: the record among its parameters, or the
// parameters themselves.
func writtenFields(input []byte) []fieldView {
	params, err := value.DecodeRecord(input)
	if err != nil {
		return nil // too long to have been kept, say: the input tells
	}
	fields := params
	for _, name := range []string{"values", "changes", "data", "body"} {
		if nested, ok := params[name].(map[string]any); ok {
			fields = nested
		}
	}
	var out []fieldView
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, fieldView{Field: name, New: cut(maxField, plainWords(fields[name]))})
	}
	return out
}

// plainWords writes a value on one line.
func plainWords(v any) string {
	switch v := value.Plain(v).(type) {
	case nil:
		return "nothing"
	case string:
		return v
	default:
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(data)
	}
}

// checkView is a line of a result that tells what was looked at.
type checkView struct{ Name, Message, Advice, Tone string }

// checksOf reads a result of the form {checks: [{name, ok, message, advice}]}
// (or findings, with a level); none for others.
func checksOf(result []byte) []checkView {
	record, err := value.DecodeRecord(result)
	if err != nil {
		return nil // not a record: shown as it is
	}
	list, ok := record["checks"].([]any)
	if !ok {
		if list, ok = record["findings"].([]any); !ok {
			return nil
		}
	}
	var out []checkView
	for _, one := range list {
		c, ok := one.(map[string]any)
		if !ok {
			continue
		}
		text := func(name string) string { s, _ := c[name].(string); return s }
		view := checkView{Name: text("name"), Message: text("message"), Advice: text("advice"), Tone: "good"}
		level := text("level")
		switch {
		case level == "warn":
			view.Tone = "warn"
		case level == "fail" || c["ok"] == false:
			view.Tone = "bad"
		}
		out = append(out, view)
	}
	return out
}

// checksThat are those that are fine, or those that are not.
func checksThat(all []checkView, fine bool) []checkView {
	var some []checkView
	for _, c := range all {
		if (c.Tone == "good") == fine {
			some = append(some, c)
		}
	}
	return some
}

// outcomeView is what became of a run that a button started.
type outcomeView struct {
	Run         store.Run
	Title, Base string
	Going       bool
	Step        string
	Tone, Word  string
	Text        string
	Checks      []checkView
}

func (p *Panel) outcomeOf(v *visit, run store.Run) (outcomeView, error) {
	view := outcomeView{Run: run, Title: p.flowTitle(run.Flow), Base: v.base(), Word: strings.ToLower(stateWord(run.State)), Tone: stateTone(run.State)}
	view.Going = run.State == store.Waiting || run.State == store.Running
	if view.Going {
		steps, err := p.store.Steps(v.Context(), run.ID)
		if err != nil {
			return view, err
		}
		for _, s := range steps {
			if !strings.HasPrefix(s.Path, "$") {
				view.Step = s.Path
			}
		}
		if run.State == store.Waiting && time.Since(run.CreatedAt) > 10*time.Second {
			view.Step = "it waits for its turn"
		}
		return view, nil
	}
	view.Checks = checksOf(run.Result)
	switch {
	case len(view.Checks) > 0:
		if faults := checksThat(view.Checks, false); len(faults) > 0 && view.Tone == "good" {
			view.Tone, view.Word = "warn", plural(len(faults), "thing", "things")+" to look at"
			for _, c := range faults {
				if c.Tone == "bad" {
					view.Tone = "bad"
				}
			}
		}
	case view.Tone == "calm":
		view.Tone = "good"
	}
	if view.Checks == nil {
		view.Text = readable(run.Result)
	}
	return view, nil
}

// runOutcome is the piece of a page that follows a run until it ends.
func (p *Panel) runOutcome(v *visit) error {
	run, err := p.runOf(v)
	if err != nil {
		return err
	}
	view, err := p.outcomeOf(v, run)
	if err != nil {
		return err
	}
	return p.pages.outcome(v, view)
}
