package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/engine/store"
)

// listening is a flow that notes what an event brought.
func listening(event, key string) string {
	return "trigger: {event: " + event + ", key: \"" + key + "\"}\nsteps: [{name: seen, map: \"${event}\"}]\nresult: ${seen}\n"
}

func TestSavedSettingsAreAnnounced(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"first":  listening("app.settings_saved", "settings"),
		"second": "trigger: {event: app.settings_saved, enabled: settings.on, key: on}\nsteps: [{name: x, map: 1}]\n",
	})
	save := func(values map[string]any) {
		t.Helper()
		b.must(b.Settings().Save(b.ctx, "main", values))
		b.settle()
	}
	save(map[string]any{"account": "events", "on": false, "secret": "a secret"})
	runs := b.runsOf("first")
	if len(runs) != 1 || asJSON(t, decode(t, runs[0].Result)) != `{"names":["account","on","secret"]}` {
		t.Fatalf("the runs are %+v", runs)
	}
	if runs := b.runsOf("second"); len(runs) != 0 {
		t.Error("the switch was judged by the settings from before")
	}
	save(map[string]any{"account": "events", "on": false, "secret": "a secret", "shelf": nil})
	if runs := b.runsOf("first"); len(runs) != 1 {
		t.Error("what stood there already was announced")
	}
	save(map[string]any{"account": nil})
	if runs := b.runsOf("first"); len(runs) != 2 || asJSON(t, decode(t, runs[1].Result)) != `{"names":["account"]}` {
		t.Errorf("the runs are %+v", runs)
	}
	if err := b.Settings().Save(b.ctx, "main", map[string]any{"account": "x", "public_url": "y"}); err == nil {
		t.Error("a wrong value was saved")
	}
	b.settle()
	if runs := b.runsOf("first"); len(runs) != 2 {
		t.Error("what was refused was announced")
	}
}

// A flow that saves settings whenever settings were saved ends, as long as it
// saves the same.
func TestAFlowThatSavesOnSaveEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"first": `
trigger: {event: app.settings_saved, key: settings}
steps:
  - {name: saved, call: app.save_settings, with: {values: {shelf: 7}}}
result: ${saved}
`})
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"account": "loop"}))
	b.settle()
	if runs := b.runsOf("first"); len(runs) != 2 {
		t.Errorf("it ran %d times", len(runs))
	}
}

const failsOrHolds = `
trigger: {event: post.arrived, key: "letter:${event.id}"}
steps:
  - {name: held, when: event.text == "hold", call: run.hold, with: {reason: no shelf, code: no_shelf, advice: build one}}
  - {name: skipped, when: event.text == "skip", call: run.skip, with: {reason: nothing to do}}
  - {name: failed, when: event.text == "fail", call: post.letters.fail}
`

func TestRunsThatNeedAPersonAreAnnounced(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"first": failsOrHolds,
		// What tells of problems has one itself, which nobody is told of.
		"second": `
trigger: {event: app.run_problem, key: "told:${event.run_id}"}
steps:
  - {name: seen, map: "${event}"}
  - {name: failed, call: post.letters.fail}
`,
	})
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"account": "problems"}))
	ids := map[string]int64{}
	for i, text := range []string{"hold", "fail", "skip", "fine"} {
		ids[text] = b.start("first", map[string]any{"id": int64(i), "text": text})
		b.settle()
	}
	runs := b.runsOf("second")
	if len(runs) != 2 {
		t.Fatalf("%d were told of", len(runs))
	}
	held, failed := decode(t, runs[0].Event), decode(t, runs[1].Event)
	if held["run_id"] != ids["hold"] || held["flow"] != "first" || held["key"] != "letter:0" || held["state"] != "held" ||
		held["code"] != "no_shelf" || held["reason"] != "no shelf" || held["advice"] != "build one" {
		t.Errorf("told of the held one: %v", held)
	}
	if failed["run_id"] != ids["fail"] || failed["state"] != "failed" || failed["code"] != "torn" {
		t.Errorf("told of the failed one: %v", failed)
	}
}

// A start that fails before it begins, because its key cannot be computed, is a
// problem like any other.
func TestFailedStartsAreAnnounced(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"first":  "trigger: {event: app.moved, key: \"to:${event.to == 'nowhere' ? nil : event.to}\"}\nsteps: [{name: x, map: 1}]\n",
		"second": listening("app.run_problem", "told:${event.run_id}"),
		"third":  "trigger: {manual: }\nsteps: [{name: x, call: app.emit, with: {event: moved, payload: {to: nowhere}}}]\n",
	})
	b.result("third", nil)
	b.settle()
	failed, told := b.runsOf("first"), b.runsOf("second")
	if len(failed) != 1 || failed[0].State != store.Failed || len(told) != 1 || decode(t, told[0].Event)["run_id"] != failed[0].ID {
		t.Errorf("failed %+v, told %+v", failed, told)
	}
}

func TestAFlowMakesEvents(t *testing.T) {
	t.Parallel()
	flows := asking("app.emit", `{event: "${input.event}", payload: "${input.payload}"}`)
	flows["second"] = listening("app.moved", "moved")
	b := newBench(t, flows)
	got := b.result("first", map[string]any{"event": "moved", "payload": map[string]any{"to": "the hill", "at": "2026-03-01T12:00:00Z"}})
	runs := b.runsOf("second")
	if len(runs) != 1 || asJSON(t, got["runs"].([]any)[0]) != asJSON(t, runs[0].ID) {
		t.Fatalf("got %v, the runs are %+v", got, runs)
	}
	if at := decode(t, runs[0].Event)["at"]; asJSON(t, at) != `"2026-03-01T12:00:00Z"` || asJSON(t, decode(t, runs[0].Result)["to"]) != `"the hill"` {
		t.Errorf("the event was %s", runs[0].Event)
	}
	for name, test := range map[string]struct {
		input map[string]any
		says  string
	}{
		"unknown":       {map[string]any{"event": "moved_on"}, `no event "moved_on"`},
		"the engine's":  {map[string]any{"event": "run_problem"}, `no event "run_problem"`},
		"a field short": {map[string]any{"event": "moved"}, `needs the field "to"`},
		"one too many":  {map[string]any{"event": "moved", "payload": map[string]any{"to": "x", "from": "y"}}, `no field "from"`},
		"a wrong one":   {map[string]any{"event": "moved", "payload": map[string]any{"to": "x", "at": "soon"}}, "no instant"},
	} {
		id := b.start("first", test.input)
		b.settle()
		if run := b.run(id); run.State != store.Failed || !strings.Contains(run.Reason, test.says) {
			t.Errorf("%s: %s, %s", name, run.State, run.Reason)
		}
	}
	// A dry run announces nothing.
	_, err := b.Plan(b.ctx, "first", "main", map[string]any{"event": "moved", "payload": map[string]any{"to": "x"}})
	b.must(err)
	if runs := b.runsOf("second"); len(runs) != 1 {
		t.Error("a dry run announced")
	}
}

// failing is a store whose finishing or saving fails before or after it was done.
type failing struct {
	store.Store
	next func() (fails, done bool)
}

var errGone = errors.New("the database is gone")

func (f *failing) Finish(ctx context.Context, lease store.Lease, o store.Outcome, announce ...store.Arrival) (int64, error) {
	fails, done := f.next()
	if fails && !done {
		// The run is handed back, as it would be when its lease ended.
		_, err := f.Store.Finish(ctx, lease, store.Outcome{State: store.Waiting})
		return 0, errors.Join(store.ErrUnavailable, errGone, err)
	}
	next, err := f.Store.Finish(ctx, lease, o, announce...)
	if fails && err == nil {
		err = errors.Join(store.ErrUnavailable, errGone)
	}
	return next, err
}

// Whatever fails around the end of a run: it is held or failed if and only if
// that was announced, each time it came to that.
func TestAProblemAndItsAnnouncementAreOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t, map[string]string{"first": failsOrHolds, "second": listening("app.run_problem", "told:${event.run_id}")})
		b.must(b.Settings().Save(b.ctx, "main", map[string]any{"account": "one"}))
		b.WrapStore(func(st store.Store) store.Store {
			return &failing{st, func() (bool, bool) {
				return rapid.IntRange(0, 3).Draw(r, "fails") == 0, rapid.Bool().Draw(r, "done")
			}}
		})
		var problems []int64
		for i, text := range rapid.SliceOfN(rapid.SampledFrom([]string{"hold", "fail", "skip", "fine"}), 1, 6).Draw(r, "letters") {
			id := b.start("first", map[string]any{"id": int64(i), "text": text})
			if text == "hold" || text == "fail" {
				problems = append(problems, id)
			}
		}
		for range 200 {
			ready, err := b.Store().Ready(b.ctx, 100)
			b.must(err)
			for _, run := range ready {
				if err := b.Work(b.ctx, run.ID); err != nil && !errors.Is(err, errGone) {
					r.Fatal(err)
				}
			}
			if counts, err := b.Store().Counts(b.ctx, ""); err == nil && counts[store.Waiting]+counts[store.Running] == 0 {
				break
			}
		}
		var told []int64
		for _, run := range b.runsOf("second") {
			id, _ := decode(t, run.Event)["run_id"].(int64)
			told = append(told, id)
		}
		slices.Sort(told)
		if !slices.Equal(told, problems) {
			r.Fatalf("held or failed are %v, told of were %v", problems, told)
		}
	})
}
