package panel

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// maxPicked bounds the runs of one request.
const maxPicked = 1000

// pickedRuns reads the runs of a form, and drops those of other shops.
func (p *Panel) pickedRuns(v *visit) ([]int64, error) {
	if err := v.ParseForm(); err != nil {
		return nil, badRequest("The form cannot be read.")
	}
	given := v.PostForm["run"]
	if len(given) == 0 {
		return nil, badRequest("No run was picked.")
	}
	if len(given) > maxPicked {
		return nil, badRequest("At most %d runs at once.", maxPicked)
	}
	var ids []int64
	for _, text := range given {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, badRequest("%q is no id of a run.", text)
		}
		run, err := p.store.Run(v.Context(), id)
		if err != nil {
			return nil, err
		}
		if run.Instance != v.instance.Name {
			return nil, notFound("There is no such run in this shop.")
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// actOnRuns retries, replays or ignores runs.
func (p *Panel) actOnRuns(v *visit) error {
	ids, err := p.pickedRuns(v)
	if err != nil {
		return err
	}
	done, err := p.act(v, v.PostFormValue("act"), v.PostFormValue("reason"), ids)
	if err != nil {
		return err
	}
	p.sessions.note(v.Request, actWords(v.PostFormValue("act"), len(done), len(ids)))
	return v.redirect(v.PostFormValue("back"))
}

func actWords(act string, done, asked int) string {
	word := map[string]string{"retry": "tried again", "replay": "done again from the start", "ignore": "ignored"}[act]
	text := plural(done, "run is ", "runs are ") + word + "."
	if left := asked - done; left > 0 {
		text += " " + plural(left, "was", "were") + " left alone: their state does not allow it."
	}
	return text
}

// act does something to runs of the visit's shop.
func (p *Panel) act(v *visit, act, reason string, ids []int64) (done []int64, err error) {
	switch act {
	case "retry", "replay":
		done, err = p.engine.Retry(v.Context(), act == "replay", ids...)
	case "ignore":
		if reason = strings.TrimSpace(reason); reason == "" {
			return nil, &httpError{http.StatusUnprocessableEntity, "Say why.", "The next person wants to know why this was ignored. Go back and enter a reason."}
		}
		if len(reason) > 2000 {
			return nil, badRequest("The reason is too long.")
		}
		done, err = p.store.Cancel(v.Context(), reason+" ("+v.account.Name+")", ids...)
	default:
		return nil, badRequest("There is nothing called %q to do with runs.", act)
	}
	if err == nil {
		p.log.Info("runs were acted on", "account", v.account.Name, "act", act, "instance", v.instance.Name, "runs", done)
	}
	return done, err
}

// editRun starts the flow of a run anew with another payload.
func (p *Panel) editRun(v *visit) error {
	run, err := p.runOf(v)
	if err != nil {
		return err
	}
	payload := v.PostFormValue("payload")
	id, err := p.startEdited(v, run, payload)
	var wrong *inputError
	if asInput(err, &wrong) {
		return p.showRun(v, http.StatusUnprocessableEntity, payload, sentence(wrong.Error()))
	}
	if err != nil {
		return err
	}
	p.sessions.note(v.Request, fmt.Sprintf("A new run has begun, in place of run %d.", run.ID))
	return v.redirect(fmt.Sprintf("%s/runs/%d", v.base(), id))
}

func (p *Panel) startEdited(v *visit, run store.Run, payload string) (int64, error) {
	f, ok := p.engine.App().Flow(run.Flow)
	if !ok {
		return 0, notFound("There is no such flow any more.")
	}
	if f.Trigger.Called {
		return 0, badRequest("Only other flows start this one.")
	}
	typed, err := inputOf(p.engine.InputType(f), payload)
	if err != nil {
		return 0, err
	}
	return p.start(v, f.Name, typed)
}

// start starts a flow for the visit's shop.
func (p *Panel) start(v *visit, flow string, input map[string]any) (int64, error) {
	id, err := p.engine.StartFlow(v.Context(), flow, v.instance.Name, input)
	if err != nil {
		if isStoreError(err) {
			return 0, err
		}
		return 0, &inputError{err} // its input does not fit: nothing was stored
	}
	p.log.Info("a flow was started", "account", v.account.Name, "instance", v.instance.Name, "flow", flow, "run", id)
	return id, nil
}

// inputOf reads an input from JSON, with the types that the flow wants.
func inputOf(schema *connectors.Schema, text string) (map[string]any, error) {
	if strings.TrimSpace(text) == "" {
		text = "{}"
	}
	typed, err := schema.Decode([]byte(text))
	if err != nil {
		return nil, &inputError{err}
	}
	record, ok := typed.(map[string]any)
	if !ok {
		return nil, &inputError{fmt.Errorf("a record is wanted: {…}")}
	}
	return record, nil
}
