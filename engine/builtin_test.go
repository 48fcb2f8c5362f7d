package engine_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

func decode(t *testing.T, data []byte) map[string]any {
	t.Helper()
	record, err := value.DecodeRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// asJSON is a value for comparing.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(value.Plain(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// asking is a flow that makes one call, with its input where it stands.
func asking(call, with string) map[string]string {
	return map[string]string{"first": `
trigger: {manual: {input: {type: object, open: true}}}
steps:
  - {name: answer, call: ` + call + `, with: ` + with + `}
result: ${answer}
`}
}

func TestAFlowLooksHowAConnectionIsSetUp(t *testing.T) {
	t.Parallel()
	flows := asking("app.check", "{connection: post}")
	flows["second"] = "trigger: {event: post.arrived, enabled: settings.on, key: x}\nsteps: [{name: x, map: 1}]\n"
	b := newBench(t, flows)

	got := b.result("first", nil)
	if got["ok"] != false || !strings.Contains(asJSON(t, got), "without a value: account (Account)") {
		t.Errorf("without settings: %v", got)
	}
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"account": "closed"}))
	if got = b.result("first", nil); got["ok"] != false || !strings.Contains(asJSON(t, got), "the account is closed") {
		t.Errorf("with wrong settings: %v", got)
	}
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"account": "check"}))
	if got = b.result("first", nil); got["ok"] != true || !strings.Contains(asJSON(t, got), `"level":"warn"`) {
		t.Errorf("a warning is fine: %v", got)
	}
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"public_url": "https://sync.test/"}))
	if got = b.result("first", nil); !strings.Contains(asJSON(t, got), "https://sync.test/hooks/main/post gets [arrived]") {
		t.Errorf("with an address: %v", got)
	}
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"on": false}))
	if got = b.result("first", nil); !strings.Contains(asJSON(t, got), "hooks/main/post gets []") {
		t.Errorf("with the flow off: %v", got)
	}
}

func TestWhereWebhooksGo(t *testing.T) {
	t.Parallel()
	flows := asking("app.webhook", "{connection: post}")
	flows["second"] = "trigger: {event: post.arrived, enabled: settings.on, key: x}\nsteps: [{name: x, map: 1}]\n"
	b := newBench(t, flows, func(c *engine.Config) { c.PublicURL = "https://all.test" })
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"account": "hooks", "on": true}))
	if got := asJSON(t, b.result("first", nil)); got != `{"events":["arrived"],"secret_set":false,"url":"https://all.test/hooks/main/post"}` {
		t.Error(got)
	}
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"secret": "a secret of it", "public_url": "https://own.test", "on": false}))
	if got := asJSON(t, b.result("first", nil)); got != `{"events":[],"secret_set":true,"url":"https://own.test/hooks/main/post"}` {
		t.Error(got)
	}
}

// A secret that the environment fixes, even to nothing, is not made: a stored one
// would not count, and saving it each time would start whatever listens to that.
func TestAFixedSecretIsNotMade(t *testing.T) {
	t.Parallel()
	b := newBench(t, asking("app.save_settings", `{generate: [secret]}`), func(c *engine.Config) {
		c.Overrides, c.OverrideInstance = map[string]string{"secret": ""}, "main"
	})
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"account": "fixed"}))
	if got := asJSON(t, b.result("first", nil)); got != `{"changed":[]}` {
		t.Error(got)
	}
}

func TestAFlowKnowsHowTheShopStands(t *testing.T) {
	t.Parallel()
	flows := asking("app.status", "{}")
	flows["second"] = "trigger: {event: post.arrived, enabled: settings.on, key: x}\nsteps: [{name: x, call: post.letters.fail}]\n"
	flows["third"] = "trigger: {called: }\nsteps: [{name: x, map: 1}]\n"
	b := newBench(t, flows)
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"account": "status", "on": false}))
	b.must(b.Store().PutLinks(b.ctx, "main", store.LinkWrite{Table: "letter", Local: "1", Remote: "a"}))
	failed := b.start("second", map[string]any{"id": int64(1)})
	b.settle()
	got := b.result("first", nil)
	want := map[string]any{"waiting": int64(0), "retrying": int64(0), "held": int64(0), "failed": int64(1), "oldest_waiting": nil,
		"oldest_failure": b.run(failed).UpdatedAt}
	for name, v := range want {
		if !value.Equal(got[name], v) {
			t.Errorf("%s is %v, want %v", name, got[name], v)
		}
	}
	if got := asJSON(t, got["links"]); got != `[{"count":1,"table":"letter","title":"Letters"},{"count":0,"table":"stamp","title":"Stamps"}]` {
		t.Error(got)
	}
	if got := asJSON(t, got["flows"]); got != `[{"enabled":true,"name":"first","title":"The first"},{"enabled":false,"name":"second","title":"The second"}]` {
		t.Error(got)
	}
	if at, ok := got["last_event"].(time.Time); !ok || time.Since(at) > time.Hour {
		t.Errorf("the last event was at %v", got["last_event"])
	}
}

func TestAFlowListsWhatNeedsAPerson(t *testing.T) {
	t.Parallel()
	flows := asking("app.problems", "{since: \"${input.since}\", after: \"${input.after}\", limit: \"${input.limit}\"}")
	flows["second"] = "trigger: {event: post.arrived, key: \"letter:${event.id}\"}\nsteps: [{name: x, call: run.hold, with: {reason: \"no shelf for ${event.text}\", advice: build one, code: no_shelf}}]\n"
	b := newBench(t, flows)
	b.must(b.Settings().Save(b.ctx, "main", map[string]any{"public_url": "https://own.test"}))
	one := b.start("second", map[string]any{"id": int64(1), "text": "A"})
	b.settle()
	two := b.start("second", map[string]any{"id": int64(2), "text": "B"})
	b.settle()
	first := b.result("first", map[string]any{"since": "2026-01-01T00:00:00Z", "limit": int64(1)})
	runs, _ := first["runs"].([]any)
	if len(runs) != 1 || first["last"] != one {
		t.Fatalf("got %v", first)
	}
	run, _ := runs[0].(map[string]any)
	if run["title"] != "The second" || run["key"] != "letter:1" || run["state"] != "held" || run["code"] != "no_shelf" ||
		run["reason"] != "no shelf for A" || run["advice"] != "build one" || !strings.HasPrefix(run["url"].(string), "https://own.test/") {
		t.Errorf("got %v", run)
	}
	next := b.result("first", map[string]any{"since": first["until"], "after": first["last"]})
	if next["last"] != two || len(next["runs"].([]any)) != 1 {
		t.Errorf("the next are %v", next)
	}
	last := b.result("first", map[string]any{"since": next["until"], "after": next["last"]})
	if last["last"] != nil || len(last["runs"].([]any)) != 0 {
		t.Errorf("after all: %v", last)
	}
}

func TestAFlowRemembers(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"first":  "trigger: {manual: {input: {type: object, open: true}}}\nsteps: [{name: kept, call: app.remember, with: {name: it.last, value: \"${input.value}\"}}]\n",
		"second": "trigger: {manual: }\nsteps: [{name: it, call: app.recall, with: {name: it.last}}]\nresult: ${it}\n",
	})
	if got := b.result("second", nil); got["value"] != nil {
		t.Errorf("before: %v", got)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	amount, err := connectors.ParseDecimal("12.3400")
	b.must(err)
	for _, v := range []any{"text", int64(7), []any{"a", at}, map[string]any{"amount": amount}, nil} {
		b.result("first", map[string]any{"value": v})
		if got := b.result("second", nil); !value.Equal(got["value"], v) {
			t.Errorf("kept %v, recalled %v", v, got["value"])
		}
	}
	// A dry run says what it would keep, and keeps nothing.
	plan, err := b.Plan(b.ctx, "first", "main", map[string]any{"value": "new"})
	b.must(err)
	if len(plan.Steps) != 1 || plan.Steps[0].Operation != "app.remember" || len(plan.Steps[0].Changes) != 1 {
		t.Errorf("the plan is %+v", plan)
	}
	if got := b.result("second", nil); got["value"] != nil {
		t.Errorf("after the plan: %v", got)
	}
}

func TestAFlowLooksUpLinks(t *testing.T) {
	t.Parallel()
	b := newBench(t, asking("app.links", `{table: letter, local: "${input.local}", remote: "${input.remote}", after: "${input.after}", limit: "${input.limit}"}`))
	b.must(b.Store().PutLinks(b.ctx, "main",
		store.LinkWrite{Table: "letter", Local: "1", Remote: "a"}, store.LinkWrite{Table: "letter", Local: "2", Remote: "b"},
		store.LinkWrite{Table: "letter", Local: "3", Remote: "c"}, store.LinkWrite{Table: "stamp", Local: "1", Remote: "9"}))
	b.must(b.Store().PutLinks(b.ctx, "other", store.LinkWrite{Table: "letter", Local: "4", Remote: "d"}))
	for name, test := range map[string]struct {
		input map[string]any
		want  string
	}{
		"by local":         {map[string]any{"local": []any{int64(2), int64(9), int64(1)}}, `[{"local":2,"remote":"b"},{"local":1,"remote":"a"}]`},
		"by remote":        {map[string]any{"remote": []any{"c", "d", nil, ""}}, `[{"local":3,"remote":"c"}]`},
		"each once":        {map[string]any{"local": []any{int64(1), int64(1)}, "remote": []any{"a"}}, `[{"local":1,"remote":"a"}]`},
		"of no records":    {map[string]any{"local": []any{}}, `[]`},
		"of another shop":  {map[string]any{"local": []any{int64(4)}}, `[]`},
		"ids may be texts": {map[string]any{"local": []any{"1"}}, `[{"local":1,"remote":"a"}]`},
	} {
		got := b.result("first", test.input)
		if links := asJSON(t, got["links"]); links != test.want || got["last"] != nil {
			t.Errorf("%s: %s, %v; want %s", name, links, got["last"], test.want)
		}
	}
	var walked []string
	input := map[string]any{"limit": int64(2)}
	for range 3 {
		page := b.result("first", input)
		walked = append(walked, asJSON(t, page["links"]))
		if input["after"] = page["last"]; page["last"] == nil {
			break
		}
	}
	if want := []string{`[{"local":1,"remote":"a"},{"local":2,"remote":"b"}]`, `[{"local":3,"remote":"c"}]`}; !slices.Equal(walked, want) {
		t.Errorf("walked %v", walked)
	}
	id := b.start("first", map[string]any{"local": []any{"many"}})
	b.settle()
	if run := b.run(id); run.State != store.Failed || run.Code != connectors.CodeBadParams || !strings.Contains(run.Reason, "letter") {
		t.Errorf("a key of another type: %s, %s", run.State, run.Reason)
	}
}

func TestAFlowForgetsALink(t *testing.T) {
	t.Parallel()
	b := newBench(t, asking("app.unlink", `{table: letter, local: "${input.local}", remote: "${input.remote}"}`))
	b.must(b.Store().PutLinks(b.ctx, "main", store.LinkWrite{Table: "letter", Local: "1", Remote: "a"}, store.LinkWrite{Table: "letter", Local: "2", Remote: "b"}))
	plan, err := b.Plan(b.ctx, "first", "main", map[string]any{"local": int64(1)})
	b.must(err)
	if len(plan.Steps) != 1 || plan.Steps[0].Effect != connectors.Delete {
		t.Errorf("the plan is %+v", plan)
	}
	for _, test := range []struct {
		input map[string]any
		want  bool
	}{
		{map[string]any{"local": int64(1), "remote": "b"}, false},
		{map[string]any{"local": int64(1), "remote": "a"}, true},
		{map[string]any{"local": int64(1)}, false},
		{map[string]any{"remote": "b"}, true},
	} {
		if got := b.result("first", test.input); got["removed"] != test.want {
			t.Errorf("%v removed: %v", test.input, got["removed"])
		}
	}
}

func TestAFlowSavesSettings(t *testing.T) {
	t.Parallel()
	b := newBench(t, asking("app.save_settings", `{values: "${input.values}", generate: "${input.generate}"}`))
	save := func(input map[string]any) store.Run {
		id := b.start("first", input)
		b.settle()
		return b.run(id)
	}
	values := map[string]any{"account": "saved", "shelves": map[string]any{"thick": "3"}, "on": true}
	if got := asJSON(t, b.result("first", map[string]any{"values": values})); got != `{"changed":["account","on","shelves"]}` {
		t.Error(got)
	}
	if got := asJSON(t, b.result("first", map[string]any{"values": values})); got != `{"changed":[]}` {
		t.Error("again: ", got)
	}
	for name, test := range map[string]struct {
		values map[string]any
		says   string
	}{
		"unknown":       {map[string]any{"acount": "x"}, `there is no setting "acount"`},
		"wrong":         {map[string]any{"public_url": "sync.test"}, "lacks https://"},
		"one of two":    {map[string]any{"account": "lost", "shelf": int64(0)}, "less than 1"},
		"a secret":      {map[string]any{"secret": "do not look"}, "is a secret"},
		"a wrong table": {map[string]any{"shelves": map[string]any{"thick": "none"}}, `row "thick"`},
	} {
		run := save(map[string]any{"values": test.values})
		if run.State != store.Failed || !strings.Contains(run.Reason, test.says) {
			t.Errorf("%s: %s, %s", name, run.State, run.Reason)
		}
		if strings.Contains(run.Reason, "do not look") {
			t.Error("the secret is told")
		}
	}
	now, err := b.Settings().Values(b.ctx, "main")
	b.must(err)
	if now["account"] != "saved" || asJSON(t, now["shelves"]) != `{"thick":3}` {
		t.Errorf("the settings are %v", now)
	}
	if got := asJSON(t, b.result("first", map[string]any{"generate": []any{"secret"}})); got != `{"changed":["secret"]}` {
		t.Error(got)
	}
	made, err := b.Settings().Values(b.ctx, "main")
	b.must(err)
	if secret, _ := made["secret"].(string); len(secret) < 20 {
		t.Errorf("a secret of %d characters was made", len(secret))
	}
	if got := asJSON(t, b.result("first", map[string]any{"generate": []any{"secret"}})); got != `{"changed":[]}` {
		t.Error("a secret was made anew: ", got)
	}
}

func TestAFlowSavesChoices(t *testing.T) {
	t.Parallel()
	b := newBench(t, asking("app.save_choices", `{setting: "${input.setting}", choices: "${input.choices}"}`))
	choices := []any{map[string]any{"value": int64(3), "label": "By the door"}, map[string]any{"value": int64(4), "label": "Top"}}
	for _, name := range []string{"shelf", "shelves.value"} {
		b.result("first", map[string]any{"setting": name, "choices": choices})
		kept, err := b.Settings().Choices(b.ctx, "main", name)
		b.must(err)
		if want := []settings.Choice{{Value: 3, Label: "By the door"}, {Value: 4, Label: "Top"}}; !slices.Equal(kept, want) {
			t.Errorf("%s: kept %v", name, kept)
		}
		if other, err := b.Settings().Choices(b.ctx, "other", name); err != nil || other != nil {
			t.Errorf("another shop has %v, %v", other, err)
		}
	}
	for name, input := range map[string]map[string]any{
		"no such setting": {"setting": "shelvs", "choices": choices},
		"no records":      {"setting": "account", "choices": choices},
		"twice":           {"setting": "shelf", "choices": append(choices, choices[0])},
		"no id":           {"setting": "shelf", "choices": []any{map[string]any{"value": int64(0), "label": "x"}}},
	} {
		id := b.start("first", input)
		b.settle()
		if run := b.run(id); run.State != store.Failed {
			t.Errorf("%s: %s", name, run.State)
		}
	}
}
