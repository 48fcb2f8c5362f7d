package run

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// readOnly is a store whose writes fail the test.
type readOnly struct {
	store.Store
	t *testing.T
}

func (s readOnly) refuse(what string) error {
	s.t.Errorf("a dry run wrote: %s", what)
	return store.ErrUnavailable
}

func (s readOnly) Accept(context.Context, ...store.Arrival) ([]store.Accepted, error) {
	return nil, s.refuse("Accept")
}
func (s readOnly) SaveSteps(context.Context, store.Lease, ...store.Step) error {
	return s.refuse("SaveSteps")
}
func (s readOnly) ClaimLinks(context.Context, store.Lease, ...store.LinkKey) ([]store.Link, error) {
	return nil, s.refuse("ClaimLinks")
}
func (s readOnly) SaveLinks(context.Context, store.Lease, ...store.LinkWrite) error {
	return s.refuse("SaveLinks")
}
func (s readOnly) DeleteLink(context.Context, string, int64) error { return s.refuse("DeleteLink") }
func (s readOnly) Unclaim(context.Context, store.Lease) error      { return s.refuse("Unclaim") }

// plans plans the main flow for a change, and wants nothing written.
func (b *bench) plans(t *testing.T, email string) (Plan, string) {
	t.Helper()
	x := b.newExecutor(readOnly{b.store, t})
	b.world.before = func(_ context.Context, op string, _ map[string]any) error {
		for _, write := range []string{"create", "create_many", "update", "note", "post"} {
			if op == write {
				t.Errorf("a dry run called %s", op)
			}
		}
		return nil
	}
	defer func() { b.world.before = nil }()
	f, _ := b.versions.Current().Flow("main")
	plan, err := x.Plan(b.ctx, f, "main", map[string]any{"id": int64(7), "email": email})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(plan); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := plan.Render(&text, false); err != nil {
		t.Fatal(err)
	}
	return plan, text.String()
}

const planned = onChange + `
steps:
  - name: partner
    link: partner
    remote: ${event.email}
    match: {call: fake.search, with: {email: "${event.email}"}}
    values: {name: Ada, email: "${event.email}"}
    create: {call: fake.create, with: {email: "${event.email}", name: "${values.name}"}}
    update: {call: fake.update, with: {id: "${local}", values: "${changes}"}}
  - name: found
    when: not partner.created
    call: fake.get
    with: {id: "${partner.local}"}
  - name: read_back
    call: fake.get
    with: {id: "${partner.local}"}
  - name: order
    call: fake.create
    with:
      email: order of ${event.email}
      lines: '${[{"partner": partner.local, "quantity": 2, "name": "known"}]}'
  - name: differs
    when: read_back.name != "Ada"
    call: run.hold
    with: {reason: "it is ${read_back.name}", code: differs}
  - name: note
    call: fake.note
    with: {email: "note ${order.id}"}
result: {partner: "${partner.local}", order: "${order.id}"}
`

// A new record: everything is planned with what is known, and what depends on
// the new id says so.
func TestPlanOfANewRecord(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": planned})
	plan, text := b.plans(t, "ada")
	const want = `What main would do for guest:ada of main

  partner.create  fake.create
    email: "ada"
    name: "Ada"

  partner  link partner: local ⟨id of partner.create⟩, remote "ada" (created)
    depends on partner.create

  order  fake.create
    depends on partner.create
    email: "order of ada"
    lines: [{name: "known", partner: ⟨id of partner.create⟩, quantity: 2}]

  note  fake.note
    depends on order
    email: "note ⟨id of order⟩"

Not known yet, because it depends on what would be written:
  read_back  fake.get, after partner.create

If read_back.name != "Ada", it would be held at step differs: it is ⟨name of read_back⟩
In all 3 creates, 1 link. Nothing was written.
`
	if text != want {
		t.Errorf("the plan reads\n%s", text)
	}
	if plan.Outcome.State != store.Succeeded {
		t.Errorf("it would be %s", plan.Outcome.State)
	}
}

// A record that is there: matched for real, and updated with a diff.
func TestPlanOfAnUpdate(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": planned})
	b.world.put(map[string]any{"email": "ada", "name": "Bob"})
	plan, text := b.plans(t, "ada")
	for _, want := range []string{
		"  partner.update  fake.update\n    ~ name: \"Bob\" → \"Ada\"\n    id: 1\n",
		"  partner  link partner: local 1, remote \"ada\" (matched)\n",
		"lines: [{name: \"known\", partner: 1, quantity: 2}]",
		"read_back  fake.get, after partner.update",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
	if n := len(plan.Steps); n != 4 {
		t.Errorf("%d steps", n)
	}
}

// What an actual run did is not planned again.
func TestPlanAfterTheRun(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": guestLink})
	b.settleAfter(b.happens(7, "ada")[0])
	_, text := b.plans(t, "ada")
	if !strings.Contains(text, "Nothing to write. Nothing was written.") {
		t.Errorf("the plan reads\n%s", text)
	}
}

// How a plan ends.
func TestPlanEnds(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		flow  string
		state store.State
		code  string
	}{
		"held by the flow":    {"{name: x, call: run.hold, with: {reason: wait}}", store.Held, "flow"},
		"skipped by the flow": {"{name: x, call: run.skip, with: {reason: nothing to do}}", store.Skipped, ""},
		"nothing matches":     {"{name: x, link: partner, remote: nobody, match: {call: fake.search, with: {email: nobody}}}", store.Held, "missing"},
		"several match":       {"{name: x, link: partner, remote: eve, match: {call: fake.search, with: {email: eve}}}", store.Held, "ambiguous"},
		"a read fails":        {"{name: x, call: fake.get, with: {id: 99}}", store.Failed, "not_found"},
		"items fail":          {"{name: x, for_each: '[1, 99]', call: fake.get, with: {id: '${item}'}}", store.Failed, "not_found"},
		"items may fail":      {"{name: x, for_each: '[1, 99]', call: fake.get, with: {id: '${item}'}, on_error: continue}", store.Succeeded, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, map[string]string{"main": onChange + "steps:\n  - " + c.flow})
			b.guests("eve", "eve")
			plan, text := b.plans(t, "ada")
			if plan.Outcome.State != c.state || plan.Outcome.Code != c.code {
				t.Errorf("it would be %s (%s):\n%s", plan.Outcome.State, plan.Outcome.Code, text)
			}
		})
	}
}

// Items, batches, called flows and pairs are planned like the rest.
func TestPlanOfParts(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"main": onChange + `
steps:
  - name: everyone
    call: fake.list
  - name: each
    for_each: everyone.items
    call: flow.part
    with: {email: "${item.email}", secret: "${settings.token}"}
  - name: many
    for_each: everyone.items
    as: guests
    batch: 2
    call: fake.create_many
    with: {list: "${map(guests, {{\"email\": .email}})}"}
    take: ${result.items}
  - name: pairs
    for_each: zip(everyone.items, each)
    as: pair
    link: person
    remote: ${pair[0].id}
    local: ${pair[1].id}
`,
		"part": `
trigger: {called: {input: {type: object, properties: {email: {type: string}, secret: {type: string}}}}}
steps:
  - name: copy
    call: fake.create
    with: {email: "copy of ${input.email}", key: "${input.secret}"}
result: {id: "${copy.id}"}
`})
	b.settings["token"] = "s3cret!"
	b.guests("a", "b", "c")
	plan, text := b.plans(t, "ada")
	counts := map[string]int{}
	for _, s := range plan.Steps {
		counts[s.Operation]++
	}
	if counts["fake.create"] != 3 || counts["fake.create_many"] != 2 || counts[""] != 3 {
		t.Errorf("planned %v", counts)
	}
	for _, want := range []string{`email: "copy of a"`, "key: \"[secret]\"", "link person: local ⟨id of each[1]/copy⟩, remote 1 (given)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "s3cret") {
		t.Error("the plan tells the secret")
	}
}

// A plan tells what the run then does.
func TestPlanIsWhatTheRunDoes(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": planned})
	plan, _ := b.plans(t, "ada")
	b.settleAfter(b.happens(7, "ada")[0])
	var want []string
	for _, s := range plan.Steps {
		if s.Operation != "" {
			want = append(want, strings.TrimPrefix(s.Operation, "fake."))
		}
	}
	var got []string
	for _, call := range b.world.calls {
		op, _, _ := strings.Cut(call, " ")
		if spec, _ := (fakeConnector{}).Spec().Operation(op); spec.Effect != connectors.Read {
			got = append(got, op)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("planned %v, did %v", want, got)
	}
}

// Batched links are planned as they are done: what is there is found, what is
// not would be created in one call, and changes show.
func TestPlanOfBatchedLinks(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(linkMany, 10, "on_error: continue")})
	b.guests("bob", "two", "two")
	b.customers(customer(12, "bob", "Bob"))
	b.wants(b.work(b.happens(1, "x")[0]), store.Succeeded, "")
	b.customers(customer(11, "ada", "Ada"), customer(12, "bob", "Robert"), customer(13, "eve", "Eve"), customer(14, "two", "Two"), customer(11, "ada", "Countess"))
	b.world.calls = nil
	plan, text := b.plans(t, "x")
	if plan.Outcome.State != store.Succeeded {
		t.Errorf("it would be %s: %v", plan.Outcome.State, plan.Outcome.Reason)
	}
	for _, want := range []string{
		"people[12].update", "Robert", "people[11+1].create",
		"link person: local ⟨person of people[11]⟩, remote 11 (created)", "link person: local ⟨person of people[13]⟩, remote 13 (created)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
	writes := 0
	for _, s := range plan.Steps {
		if s.Operation == "fake.create_many" {
			writes++
		}
	}
	if writes != 1 || b.world.made("create_many")+b.world.made("update_many") != 0 {
		t.Errorf("%d creates are planned; called %v", writes, b.world.calls)
	}
}
