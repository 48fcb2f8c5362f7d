package panel

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
)

// apiRoute is an address of the API: what it does and what its document says.
type apiRoute struct {
	method, path string // the path without /api/v1
	summary      string
	query        []apiParam
	body, answer schema
	handle       func(p *Panel, v *visit) (any, error)
}

type apiParam struct{ name, about string }

// apiProblem is the answer that tells what went wrong.
type apiProblem struct {
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"`
}

// apiRoutes serves the API and its document.
func (p *Panel) apiRoutes(mux *patterns) {
	mux.Handle("GET /api/openapi.json", p.guarded(func(v *visit) error {
		answerJSON(v.w, http.StatusOK, openAPI(p.config.Version))
		return nil
	}))
	for _, route := range apiTable() {
		handler := func(v *visit) error {
			answer, err := route.handle(p, v)
			if err != nil {
				return asAPI(err)
			}
			answerJSON(v.w, http.StatusOK, answer)
			return nil
		}
		if strings.Contains(route.path, "{instance}") {
			handler = p.inShop(handler)
		}
		mux.Handle(route.method+" /api/v1"+route.path, p.guarded(handler))
	}
	mux.Handle("/api/", p.guarded(func(*visit) error { return notFound("The API has no such address; see /api/openapi.json.") }))
}

func answerJSON(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(true) // for those who look at it in a browser
	// The caller may have left: nothing is to be done about it.
	_ = enc.Encode(answer)
}

// asAPI gives errors of input their status.
func asAPI(err error) error {
	var wrong *inputError
	var invalid *settings.InvalidError
	var unknown *settings.UnknownError
	if errors.As(err, &wrong) || errors.As(err, &invalid) || errors.As(err, &unknown) {
		return &httpError{http.StatusUnprocessableEntity, sentence(err.Error()), ""}
	}
	return err
}

// readBody reads a JSON body into a record.
func readBody(v *visit, into any) error {
	data, err := io.ReadAll(v.Body)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return badRequest("The body cannot be read: %v", err)
	}
	return nil
}

// apiRun is a run as the API gives it.
type apiRun struct {
	ID      int64           `json:"id"`
	Flow    string          `json:"flow"`
	Title   string          `json:"title"`
	Key     string          `json:"key"`
	State   store.State     `json:"state"`
	Reason  string          `json:"reason"`
	Code    string          `json:"code"`
	Advice  string          `json:"advice"`
	Event   string          `json:"event"`
	Attempt int             `json:"attempt"`
	Created time.Time       `json:"created_at"`
	Updated time.Time       `json:"updated_at"`
	Ended   time.Time       `json:"ended_at,omitzero"`
	DueAt   time.Time       `json:"due_at,omitzero"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Input   json.RawMessage `json:"input,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Steps   []apiStep       `json:"steps,omitempty"`
}

// apiStep is a step of a run.
type apiStep struct {
	Path    string          `json:"path"`
	State   store.StepState `json:"state"`
	Input   json.RawMessage `json:"input,omitempty"`
	Output  json.RawMessage `json:"output,omitempty"`
	Error   string          `json:"error"`
	Started time.Time       `json:"started_at,omitzero"`
	Ended   time.Time       `json:"ended_at,omitzero"`
}

func (p *Panel) apiRunOf(r store.Run) apiRun {
	run := apiRun{ID: r.ID, Flow: r.Flow, Title: p.flowTitle(r.Flow), Key: r.Key, State: r.State, Reason: r.Reason, Code: r.Code,
		Advice: r.Advice, Event: r.EventName, Attempt: r.Attempt, Created: r.CreatedAt, Updated: r.UpdatedAt, Ended: r.EndedAt}
	if r.State == store.Retrying {
		run.DueAt = r.DueAt
	}
	return run
}

// raw is stored JSON as it is; what is none becomes a text.
func raw(data []byte) json.RawMessage {
	if len(data) == 0 {
		return nil
	}
	if json.Valid(data) {
		return data
	}
	quoted, err := json.Marshal(string(data))
	if err != nil {
		return nil
	}
	return quoted
}

func (p *Panel) apiInstances(v *visit) (any, error) {
	all, err := p.instances(v.Context())
	if err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for _, one := range all {
		list = append(list, map[string]any{"name": one.Name, "title": one.Title, "paused": one.Paused})
	}
	return map[string]any{"instances": list}, nil
}

func (p *Panel) apiStatus(v *visit) (any, error) {
	pulse, err := p.store.Pulse(v.Context(), v.instance.Name)
	if err != nil {
		return nil, err
	}
	oldest, err := p.store.OldestOpen(v.Context(), v.instance.Name)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{
		"in_step": pulse.Waiting+pulse.Running+pulse.Retrying+pulse.Held+pulse.Failed == 0,
		"waiting": pulse.Waiting, "running": pulse.Running, "retrying": pulse.Retrying, "held": pulse.Held, "failed": pulse.Failed,
		"oldest_open": nil,
	}
	if !oldest.IsZero() {
		answer["oldest_open"] = oldest
	}
	return answer, nil
}

func (p *Panel) apiRuns(v *visit) (any, error) {
	if err := v.ParseForm(); err != nil {
		return nil, badRequest("The query cannot be read.")
	}
	filter, err := runFilter(v.instance.Name, v.Form)
	if err != nil {
		return nil, err
	}
	filter.Limit = 100
	if text := v.FormValue("limit"); text != "" {
		if filter.Limit, err = strconv.Atoi(text); err != nil || filter.Limit < 1 || filter.Limit > store.MaxPage {
			return nil, badRequest("limit is a number from 1 to %d.", store.MaxPage)
		}
	}
	runs, err := p.store.Runs(v.Context(), filter)
	if err != nil {
		return nil, err
	}
	list := []apiRun{}
	for _, r := range runs {
		list = append(list, p.apiRunOf(r))
	}
	return map[string]any{"runs": list}, nil
}

func (p *Panel) apiRun(v *visit) (any, error) {
	r, err := p.runOf(v)
	if err != nil {
		return nil, err
	}
	steps, err := p.store.Steps(v.Context(), r.ID)
	if err != nil {
		return nil, err
	}
	run := p.apiRunOf(r)
	run.Payload, run.Input, run.Result = raw(r.Event), raw(r.Input), raw(r.Result)
	for _, s := range steps {
		run.Steps = append(run.Steps, apiStep{s.Path, s.State, raw(s.Input), raw(s.Output), s.Error, s.Started, s.Ended})
	}
	return run, nil
}

func (p *Panel) apiAct(v *visit) (any, error) {
	var body struct {
		Act    string  `json:"act"`
		Reason string  `json:"reason"`
		Runs   []int64 `json:"runs"`
	}
	if err := readBody(v, &body); err != nil {
		return nil, err
	}
	if len(body.Runs) == 0 || len(body.Runs) > maxPicked {
		return nil, badRequest("Name 1 to %d runs.", maxPicked)
	}
	for _, id := range body.Runs {
		run, err := p.store.Run(v.Context(), id)
		if err != nil {
			return nil, err
		}
		if run.Instance != v.instance.Name {
			return nil, store.ErrNotFound
		}
	}
	done, err := p.act(v, body.Act, body.Reason, body.Runs)
	if err != nil {
		return nil, err
	}
	if done == nil {
		done = []int64{}
	}
	return map[string]any{"done": done}, nil
}

func (p *Panel) apiFlows(v *visit) (any, error) {
	list := []map[string]any{}
	for _, f := range p.engine.App().Flows {
		on, err := p.engine.Enabled(v.Context(), v.instance.Name, f)
		if err != nil {
			return nil, err
		}
		list = append(list, map[string]any{"name": f.Name, "title": f.Title, "summary": f.Summary, "events": append([]string{}, f.Trigger.Events...),
			"called": f.Trigger.Called, "enabled": on, "version": f.Version, "input": p.engine.InputType(f)})
	}
	return map[string]any{"flows": list}, nil
}

// apiInput reads the input of a flow from a body.
func (p *Panel) apiInput(v *visit) (*flow.Flow, map[string]any, error) {
	f, err := p.flowOf(v)
	if err != nil {
		return nil, nil, err
	}
	if f.Trigger.Called {
		return nil, nil, badRequest("Only other flows start this one.")
	}
	var body struct {
		Input json.RawMessage `json:"input"`
	}
	if err := readBody(v, &body); err != nil {
		return nil, nil, err
	}
	input, err := inputOf(p.engine.InputType(f), string(body.Input))
	if err != nil {
		return nil, nil, err
	}
	return f, input, p.complete(v, f)
}

func (p *Panel) apiStart(v *visit) (any, error) {
	f, input, err := p.apiInput(v)
	if err != nil {
		return nil, err
	}
	id, err := p.start(v, f.Name, input)
	if err != nil {
		return nil, err
	}
	return map[string]any{"run": id}, nil
}

func (p *Panel) apiPlan(v *visit) (any, error) {
	f, input, err := p.apiInput(v)
	if err != nil {
		return nil, err
	}
	plan, err := p.engine.Plan(v.Context(), f.Name, v.instance.Name, input)
	if err != nil && !isStoreError(err) {
		return nil, &inputError{err}
	}
	return plan, err
}

func (p *Panel) apiLinks(v *visit) (any, error) {
	var after int64
	if text := v.FormValue("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, badRequest("after is an id of a link.")
		}
	}
	table := v.FormValue("table")
	if _, ok := p.engine.App().Table(table); table != "" && !ok {
		return nil, notFound("There is no such link table.")
	}
	links, err := p.findLinks(v, table, strings.TrimSpace(v.FormValue("find")), after)
	if err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for _, l := range links {
		list = append(list, map[string]any{"id": l.ID, "table": l.Table, "local": l.Local, "remote": l.Remote, "state": l.State, "run": l.RunID, "updated_at": l.UpdatedAt})
	}
	return map[string]any{"links": list}, nil
}

func (p *Panel) apiUnlink(v *visit) (any, error) {
	id, err := v.id("id")
	if err != nil {
		return nil, err
	}
	if err := p.store.DeleteLink(v.Context(), v.instance.Name, id); err != nil {
		return nil, err
	}
	p.log.Info("a link was removed", "account", v.account.Name, "instance", v.instance.Name, "link", id)
	return map[string]any{"removed": true}, nil
}

func (p *Panel) apiSettings(v *visit) (any, error) {
	values, err := p.engine.Settings().Values(v.Context(), v.instance.Name)
	if err != nil {
		return nil, err
	}
	fixed := p.overridden(v.instance.Name)
	list := []map[string]any{}
	for _, s := range p.engine.App().Settings() {
		one := map[string]any{"name": s.Name, "title": s.Title, "type": s.Type, "set": values[s.Name] != nil, "environment": fixed[s.Name]}
		if s.Type != "secret" {
			one["value"] = values[s.Name]
		}
		list = append(list, one)
	}
	return map[string]any{"settings": list}, nil
}

func (p *Panel) apiSave(v *visit) (any, error) {
	var body struct {
		Values map[string]any `json:"values"`
	}
	if err := readBody(v, &body); err != nil {
		return nil, err
	}
	for name := range body.Values {
		if variable := p.overridden(v.instance.Name)[name]; variable != "" {
			return nil, &httpError{http.StatusUnprocessableEntity, variable + " in the environment of the server decides " + name + ".", ""}
		}
	}
	changed, err := p.engine.Settings().Change(v.Context(), v.instance.Name, body.Values)
	if err != nil {
		return nil, err
	}
	p.log.Info("settings were saved", "account", v.account.Name, "instance", v.instance.Name, "settings", changed)
	return map[string]any{"changed": append([]string{}, changed...)}, nil
}
