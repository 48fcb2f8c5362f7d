package flowtest

import (
	"context"
	"regexp"
	"strings"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/run"
)

// The ways that a step can go, as coverage counts them.
const (
	branchDone    = "done"
	branchSkipped = "when is false"
	branchError   = "an error"
	branchMissing = "nothing found"
	branchKnown   = "linked before"
	branchMatched = "matched"
	branchCreated = "created"
	branchUpdated = "updated"
)

// branches lists the ways that a step can go.
func branches(s *flow.Step) []string {
	all := []string{branchDone}
	if s.When != nil {
		all = append(all, branchSkipped)
	}
	if l := s.Link; l != nil && (l.Local == nil || l.Remote == nil) {
		all = append(all, branchKnown)
		if l.Match != nil {
			all = append(all, branchMatched)
		}
		if l.Create != nil {
			all = append(all, branchCreated)
		}
		if l.Update != nil {
			all = append(all, branchUpdated)
		}
	}
	if s.Missing == flow.MissingContinues {
		all = append(all, branchMissing)
	}
	if s.OnError != flow.FailOnError {
		all = append(all, branchError)
	}
	return all
}

// branchKey names a way of a step; the place of a step stays the same whatever
// copy of the flow a case runs.
func branchKey(s *flow.Step, branch string) string { return s.At.String() + " " + branch }

// trace hears what each step came to.
func (b *bench) trace(t run.Trace) {
	b.steps = append(b.steps, stepTrace{path: t.Path, skipped: t.Skipped, value: t.Value, err: t.Err})
	reach := func(branch string) { b.reached[branchKey(t.Step, branch)] = true }
	if t.Skipped {
		reach(branchSkipped)
		return
	}
	// A step that ends the run, by run.hold say, is done as well.
	reach(branchDone)
	if t.Err != nil {
		reach(branchError)
		return
	}
	values := []any{t.Value}
	if list, ok := t.Value.([]any); ok && t.Step.ForEach != nil {
		values = list
	}
	for _, v := range values {
		b.reachValue(t, v, reach)
	}
}

func (b *bench) reachValue(t run.Trace, v any, reach func(string)) {
	if v == nil {
		if t.Step.Missing == flow.MissingContinues {
			reach(branchMissing)
		}
		if t.Step.OnError == flow.ContinueOnError {
			reach(branchError)
		}
		return
	}
	made, isLink := v.(map[string]any)
	if t.Step.Link == nil || !isLink {
		return
	}
	if made["created"] == true {
		reach(branchCreated)
	} else {
		b.linked[t.Path] = t.Step
	}
	if made["updated"] == true {
		reach(branchUpdated)
	}
}

// matchPath is the end of a journal path of a link's match: of the step, or of
// an item of it.
var matchPath = regexp.MustCompile(`^(\[[^/]*\])?\.match(/|$)`)

// sawMatches tells apart what was linked before and what a match found, by the
// run's journal.
func (b *bench) sawMatches(ctx context.Context, runID int64) error {
	entries, err := b.store.Steps(ctx, runID)
	if err != nil {
		return err
	}
	for path, step := range b.linked {
		found := branchKnown
		for _, entry := range entries {
			if rest, ok := strings.CutPrefix(entry.Path, path); ok && matchPath.MatchString(rest) {
				found = branchMatched
			}
		}
		b.reached[branchKey(step, found)] = true
	}
	return nil
}

// FlowCoverage says how much of a flow the cases reached.
type FlowCoverage struct {
	Flow     string   `json:"flow"`
	File     string   `json:"file"`
	Steps    int      `json:"steps"`
	Reached  int      `json:"steps_reached"`
	Branches int      `json:"branches"`
	Taken    int      `json:"branches_taken"`
	Missed   []Missed `json:"missed,omitempty"`
}

// Missed is a way of a step that no case took.
type Missed struct {
	At     flow.Position `json:"at"`
	Step   string        `json:"step"`
	Branch string        `json:"branch"`
}

// Coverage sums up what results reached, for the flows of the app that were
// tested or called by those.
func Coverage(app *flow.App, results []Result) []FlowCoverage {
	reached, touched := map[string]bool{}, map[string]bool{}
	for _, r := range results {
		for key := range r.reached {
			reached[key] = true
		}
		touched[r.Test.Flow.Name] = true
	}
	var out []FlowCoverage
	for _, f := range app.Flows {
		c := FlowCoverage{Flow: f.Name, File: f.File, Steps: len(f.Steps)}
		for _, s := range f.Steps {
			for _, branch := range branches(s) {
				c.Branches++
				if !reached[branchKey(s, branch)] {
					c.Missed = append(c.Missed, Missed{At: s.At, Step: s.Name, Branch: branch})
					continue
				}
				c.Taken++
				if branch == branchDone {
					c.Reached++
				}
			}
		}
		if touched[f.Name] || c.Taken > 0 {
			out = append(out, c)
		}
	}
	return out
}
