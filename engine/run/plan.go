package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// Plan is what a run would do: every write to the other systems and every link,
// with nothing of it done. What is not known before the writes are done stands
// as [Unknown].
type Plan struct {
	Flow     string `json:"flow"`
	Instance string `json:"instance"`
	Key      string `json:"key,omitempty"`
	// Steps are the writes and links in their order.
	Steps []PlannedStep `json:"steps"`
	// Unread are the reads that could not be made, because what they ask depends
	// on a write.
	Unread []UnreadStep `json:"unread,omitempty"`
	// Outcome is how the run would end, and Result what the flow would give.
	Outcome PlannedOutcome `json:"outcome"`
	Result  any            `json:"result,omitempty"`
	// Maybe are the ends that the flow would come to if a condition held that is
	// not known yet.
	Maybe []PlannedOutcome `json:"maybe,omitempty"`
}

// PlannedStep is a write or a link that would be made.
type PlannedStep struct {
	Path      string            `json:"path"`
	Operation string            `json:"operation,omitempty"`
	Effect    connectors.Effect `json:"effect,omitempty"`
	Params    any               `json:"params,omitempty"`
	// Changes are the fields of an update that would be different, where the
	// record could be read; Compared tells whether it could.
	Changes  []FieldChange `json:"changes,omitempty"`
	Compared bool          `json:"compared,omitempty"`
	Link     *PlannedLink  `json:"link,omitempty"`
	// If are conditions that are not known yet.
	If []string `json:"if,omitempty"`
	// DependsOn are the steps whose writes decide what is unknown here.
	DependsOn []string `json:"depends_on,omitempty"`
}

// FieldChange is a field before and after.
type FieldChange struct {
	Field string `json:"field"`
	Old   any    `json:"old"`
	New   any    `json:"new"`
}

// PlannedLink is a row of a link table that would be written. How says where the
// record comes from: "matched", "created", "given", or "matched or created".
type PlannedLink struct {
	Table  string `json:"table"`
	Local  any    `json:"local"`
	Remote any    `json:"remote"`
	How    string `json:"how"`
}

// UnreadStep is a read that depends on writes.
type UnreadStep struct {
	Path      string   `json:"path"`
	Operation string   `json:"operation"`
	DependsOn []string `json:"depends_on"`
}

// PlannedOutcome is an end of the run.
type PlannedOutcome struct {
	State  store.State `json:"state"`
	Step   string      `json:"step,omitempty"`
	Code   string      `json:"code,omitempty"`
	Reason any         `json:"reason,omitempty"`
	Advice any         `json:"advice,omitempty"`
	If     []string    `json:"if,omitempty"`
}

// Unknown stands for a value that is only known when the writes before it are
// done.
type Unknown struct {
	// Of says what it is, "id of partner.create"; "" for a value that was computed
	// from such.
	Of string
	// Text is a text with unknown parts, in which they are named.
	Text      string
	DependsOn []string
}

// String writes it as it stands in a plan.
func (u Unknown) String() string {
	if u.Text != "" {
		return u.Text
	}
	if u.Of != "" {
		return "⟨" + u.Of + "⟩"
	}
	return fmt.Sprintf("⟨depends on %s⟩", joined(u.DependsOn))
}

// MarshalJSON writes {"$unknown": …, "depends_on": […]}.
func (u Unknown) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Of        string   `json:"$unknown"`
		DependsOn []string `json:"depends_on"`
	}{u.String(), u.DependsOn})
}

// Plan says what a run of the flow with this input, or event, would do. It reads
// for real, from the systems and the store, and writes nothing to either.
func (x *Executor) Plan(ctx context.Context, f *flow.Flow, instance string, input map[string]any) (Plan, error) {
	ctx = expression.WithLimits(ctx, x.Expressions)
	settings, err := x.Settings.Values(ctx, instance)
	if err != nil {
		return Plan{}, fmt.Errorf("reading the settings: %w", err)
	}
	run := store.Run{Instance: instance, Flow: f.Name, Attempt: 1, Tries: 1}
	e := &execution{executor: x, run: run, began: time.Now().UTC(), log: x.Log.With("instance", instance, "flow", f.Name, "dry_run", true),
		settings: settings, shared: newShared(), journal: newJournal(nil, store.Lease{}, run)}
	e.journal.secrets = secretsOf(x.App(), settings)
	p := &planner{execution: e, plan: &Plan{Flow: f.Name, Instance: instance, Steps: []PlannedStep{}}, links: map[store.LinkKey]possible{}}

	vars := newScope(&p.inventor, e.baseVars())
	name := "event"
	if f.Trigger.Input != nil {
		name = "input"
		if err := f.CheckInput(input); err != nil {
			return Plan{}, err
		}
		if input, err = f.TypedInput(input); err != nil {
			return Plan{}, err
		}
	}
	vars.set(name, known(input))
	if f.Trigger.Key != nil {
		key, err := f.Trigger.Key.Eval(ctx, vars.v)
		if err != nil {
			return Plan{}, err
		}
		p.plan.Key = link.Text(key)
	}
	result, err := p.steps(ctx, f, vars, "")
	if err := p.ended(ctx, result, err); err != nil {
		return Plan{}, err
	}
	return *p.plan, nil
}

// ended records how the run would end. The error is one that says nothing about
// the run: a store that does not answer, a plan that was stopped.
func (p *planner) ended(ctx context.Context, result possible, err error) error {
	if err == nil {
		p.plan.Outcome = PlannedOutcome{State: store.Succeeded}
		p.plan.Result = p.shown(result)
		return nil
	}
	if ctx.Err() != nil || errors.Is(err, store.ErrUnavailable) {
		return err
	}
	var end *plannedEnd
	if errors.As(err, &end) {
		p.plan.Outcome = end.outcome
		return nil
	}
	outcome := p.outcomeOf(ctx, err)
	p.plan.Outcome = PlannedOutcome{State: outcome.State, Code: outcome.Code,
		Reason: p.journal.scrubText(outcome.Reason), Advice: p.journal.scrubText(outcome.Advice)}
	var at *stepError
	if errors.As(err, &at) {
		p.plan.Outcome.Step = at.path
	}
	return nil
}
