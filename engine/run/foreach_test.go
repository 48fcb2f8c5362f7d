package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
	"github.com/flowctl/flowctl/engine/store"
)

const eachRecord = onChange + `
steps:
  - name: everyone
    call: fake.list
  - name: notes
    for_each: everyone.items
    call: fake.note
    with: {email: "note ${item.email}"}
    on_error: %s
  - name: after
    call: fake.create
    with: {email: after}
result: ${notes}
`

// guests puts records into the other system.
func (b *bench) guests(emails ...string) {
	for _, email := range emails {
		b.world.put(map[string]any{"email": email})
	}
}

// refuse makes writes about these e-mails fail.
func (b *bench) refuse(class connectors.Class, code string, emails ...string) {
	b.world.before = func(_ context.Context, op string, params map[string]any) error {
		email, _ := params["email"].(string)
		if slices.Contains(emails, strings.TrimPrefix(email, "note ")) {
			return failing(class, code)
		}
		return nil
	}
}

// One bad item does not stop its neighbours, and the run ends as on_error says.
func TestForEachGoesOn(t *testing.T) {
	t.Parallel()
	cases := []struct {
		onError string
		class   connectors.Class
		state   store.State
		code    string
		after   int
	}{
		{"fail", connectors.Permanent, store.Failed, "wrong", 0},
		{"fail", connectors.Transient, store.Retrying, "wrong", 0},
		{"fail", connectors.Unclear, store.Held, "unclear_write", 0},
		{"hold", connectors.Permanent, store.Held, "wrong", 0},
		{"continue", connectors.Permanent, store.Succeeded, "", 1},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.onError, " ", c.class), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, map[string]string{"main": fmt.Sprintf(eachRecord, c.onError)})
			b.guests("a", "b", "c", "d")
			b.refuse(c.class, "wrong", "b", "c")
			id := b.happens(1, "ada")[0]
			r := b.work(id)
			b.wants(r, c.state, c.code)
			for _, email := range []string{"a", "d"} {
				if n := b.world.with("note " + email); n != 1 {
					t.Errorf("%d notes for %s", n, email)
				}
			}
			if n := b.world.with("after"); n != c.after {
				t.Errorf("%d records of the step after", n)
			}
			if !strings.Contains(r.Reason, "2 of 4 items failed in step notes: notes[2]: the fake fails") {
				t.Errorf("the reason is %q", r.Reason)
			}
			if s, _ := b.step(id, "notes[2]"); s.State != store.StepFailed && c.class != connectors.Unclear {
				t.Errorf("item b is %s in the journal", s.State)
			}
			if s, _ := b.step(id, "notes"); string(s.Output) != `{"items":4,"failed":2,"untried":0}` {
				t.Errorf("the journal's sum is %s", s.Output)
			}
		})
	}
}

// What was written for an item is not written again, whatever the list looks
// like in a later attempt.
func TestForEachWritesEachItemOnce(t *testing.T) {
	t.Parallel()
	flow := fmt.Sprintf(eachRecord, "fail")
	shared := newBenchAt(t, inMemory, map[string]string{"main": flow})
	instances := 0
	rapid.Check(t, func(rt *rapid.T) {
		instances++
		b := shared.anew(rt)
		letters := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-f]`), 1, 6, rapid.ID).Draw(rt, "guests")
		b.guests(letters...)
		id := b.happensAt(fmt.Sprint("i", instances), 1, "ada")[0]
		for range rapid.IntRange(0, 4).Draw(rt, "attempts") {
			bad := rapid.SliceOf(rapid.SampledFrom(letters)).Draw(rt, "bad")
			b.refuse(connectors.Transient, "wrong", bad...)
			b.work(id)
			// Someone adds and removes records meanwhile.
			if gone := rapid.Int64Range(1, 6).Draw(rt, "gone"); rapid.Bool().Draw(rt, "remove") {
				b.world.remove(gone)
			}
		}
		b.world.before = nil
		b.settle()
		b.wants(b.run(id), store.Succeeded, "")
		for _, email := range letters {
			if n := b.world.with("note " + email); n > 1 {
				rt.Fatalf("%d notes for %s", n, email)
			}
		}
	})
}

// A system that does not answer is not asked a thousand times.
func TestForEachStopsAtAnOutage(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(eachRecord, "fail")})
	for i := range 50 {
		b.guests(fmt.Sprint("guest", i))
	}
	tried := 0
	b.world.before = func(_ context.Context, op string, _ map[string]any) error {
		if op != "note" {
			return nil
		}
		tried++
		return failing(connectors.Transient, connectors.CodeUnreachable)
	}
	r := b.work(b.happens(1, "ada")[0])
	b.wants(r, store.Retrying, connectors.CodeUnreachable)
	if tried != maxOutages || !strings.Contains(r.Reason, "47 more were not tried") {
		t.Errorf("%d were tried: %s", tried, r.Reason)
	}
}

const inBatches = onChange + `
steps:
  - name: everyone
    call: fake.list
  - name: copies
    for_each: everyone.items
    as: guests
    batch: 3
    call: fake.create_many
    with: {list: "${map(guests, {{\"email\": .email == nil ? nil : (.email in [\"bad\", \"all\"] ? .email : \"copy \" + .email)}})}"}
    take: ${result.items}
    on_error: %s
result: '${map(copies, #?.id)}'
`

// A batch gives a result for each item: of a batch that refuses some, and of one
// that is refused as a whole and cut until the bad item stands alone.
func TestBatches(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(inBatches, "continue")})
	b.guests("a", "b", "bad", "c", "all", "d", "e")
	id := b.happens(1, "ada")[0]
	r := b.work(id)
	b.wants(r, store.Succeeded, "")
	if string(r.Result) != `[8,9,null,10,null,11,12]` {
		t.Errorf("the result is %s", r.Result)
	}
	if !strings.HasPrefix(r.Reason, "2 of 7 items failed in step copies: copies[3]: this one is wrong (wrong); copies[5]: one of them is wrong") {
		t.Errorf("the reason is %q", r.Reason)
	}
}

// Items of a batch that was done are not written again when the list changed, so
// that they would be in other batches now.
func TestBatchesWriteEachItemOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(inBatches, "fail")})
	b.guests("a", "b", "c", "d", "e")
	calls := 0
	b.world.before = func(_ context.Context, op string, _ map[string]any) error {
		if op == "create_many" {
			if calls++; calls == 2 {
				return failing(connectors.Transient, "slow")
			}
		}
		return nil
	}
	id := b.happens(1, "ada")[0]
	b.wants(b.work(id), store.Retrying, "slow")
	b.world.before = nil
	b.world.remove(1)
	b.settleAfter(id)
	for email, want := range map[string]int{"copy a": 1, "copy b": 1, "copy c": 1, "copy d": 1, "copy e": 1} {
		if n := b.world.with(email); n != want {
			t.Errorf("%d records of %s", n, email)
		}
	}
}

// A long list leaves a short journal.
func TestLongListsLeaveAShortJournal(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: doubled
    for_each: 1..5000
    map: ${text(item)}
`})
	id := b.happens(1, "ada")[0]
	b.wants(b.work(id), store.Succeeded, "")
	steps, err := b.store.Steps(b.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) > shownItems+5 {
		t.Errorf("%d journal entries", len(steps))
	}
}

// Runaway flows are stopped with a clear error, and the worker goes on.
func TestRunawaysAreStopped(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, flow, says string
		limits           expression.Limits
		bounds           Bounds
	}{
		{"a loop without end", "steps: [{name: x, map: '${len(map(1..100000, len(filter(1..100000, # > 3))))}'}]", "takes more than", expression.Limits{Iterations: 200_000}, Bounds{}},
		{"a text without end", "steps: [{name: x, map: '${repeat(\"x\", 100000000)}'}]", "builds more than", expression.Limits{Memory: 1 << 20}, Bounds{}},
		{"a list too long", "steps: [{name: x, for_each: 1..2000, map: '${item}'}]", "for_each has 2000 items; at most 1000", expression.Limits{}, Bounds{Items: 1000}},
		{"many large values", "steps: [{name: x, for_each: 1..900, map: '${repeat(\"x\", 10000)}'}]", "hold more than 4 MB", expression.Limits{}, Bounds{Bytes: 4 << 20}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, map[string]string{"main": onChange + c.flow, "first": "trigger: {manual: {}}\nsteps: [{name: fine, map: 1}]"})
			b.executor.Expressions, b.executor.Bounds = c.limits, c.bounds
			r := b.work(b.happens(1, "ada")[0])
			if r.State != store.Failed || !strings.Contains(r.Reason, c.says) {
				t.Errorf("the run is %s: %s", r.State, r.Reason)
			}
			b.wants(b.work(b.starts("first", nil)), store.Succeeded, "")
		})
	}
}

// Of two items of one key, the second does not do again what may have been done
// for the first, in this attempt or a later one.
func TestForEachLinksOneKeyOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: people
    for_each: '["ada", "ada"]'
    link: partner
    remote: ${item}
    create: {call: fake.create, with: {email: "${item}"}}
`})
	unanswered := 1
	b.world.after = func(_ context.Context, op string, _ map[string]any) error {
		if unanswered--; op == "create" && unanswered >= 0 {
			return failing(connectors.Unclear, "slow")
		}
		return nil
	}
	id := b.happens(1, "x")[0]
	b.wants(b.work(id), store.Held, "unclear_write")
	b.happens(1, "x") // folds into the held run
	b.wants(b.work(id), store.Held, "unclear_write")
	if n := b.world.with("ada"); n != 1 {
		t.Errorf("%d records", n)
	}
}
