package run

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

const inParallel = onChange + `
steps:
  - name: everyone
    call: fake.list
  - name: notes
    for_each: everyone.items
    parallel: %d
    call: fake.create
    with: {email: "copy of ${item.email}"}
    on_error: %s
result: '${map(notes, #?.id)}'
`

// Items are worked so many at once, and no more; their results stand in the
// order of the items, and each is written once.
func TestParallelItems(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(inParallel, 8, "fail")})
	for i := range 100 {
		b.guests(fmt.Sprint("guest", i))
	}
	var now, most atomic.Int64
	b.world.before = func(_ context.Context, op string, _ map[string]any) error {
		if op == "create" {
			n := now.Add(1)
			defer now.Add(-1)
			for {
				m := most.Load()
				if n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			time.Sleep(2 * time.Millisecond)
		}
		return nil
	}
	id := b.happens(1, "ada")[0]
	b.wants(b.work(id), store.Succeeded, "")
	if most.Load() < 2 || most.Load() > 8 {
		t.Errorf("%d at once", most.Load())
	}
	var made []int64
	run := b.run(id)
	if err := json.Unmarshal(run.Result, &made); err != nil {
		t.Fatal(err)
	}
	for i, id := range made {
		if b.world.records[id]["email"] != fmt.Sprint("copy of guest", i) {
			t.Fatalf("the result of item %d is %v", i, b.world.records[id])
		}
	}
	if s, _ := b.step(id, "notes"); string(s.Output) != `{"items":100,"failed":0,"untried":0}` {
		t.Errorf("the journal's sum is %s", s.Output)
	}
}

// Failures, outages and panics among items that are worked at once.
func TestParallelFailures(t *testing.T) {
	t.Parallel()
	t.Run("neighbours go on", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, map[string]string{"main": fmt.Sprintf(inParallel, 4, "continue")})
		b.guests("a", "b", "c", "d", "e", "f")
		b.world.before = func(_ context.Context, op string, p map[string]any) error {
			if p["email"] == "copy of b" || p["email"] == "copy of e" {
				return failing(connectors.Permanent, "wrong")
			}
			return nil
		}
		r := b.work(b.happens(1, "ada")[0])
		b.wants(r, store.Succeeded, "")
		if !strings.Contains(r.Reason, "2 of 6 items failed") || strings.Count(string(r.Result), "null") != 2 {
			t.Errorf("%s: %s", r.Result, r.Reason)
		}
	})
	t.Run("an outage ends it", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, map[string]string{"main": fmt.Sprintf(inParallel, 4, "fail")})
		for i := range 50 {
			b.guests(fmt.Sprint("guest", i))
		}
		var tried atomic.Int64
		b.world.before = func(_ context.Context, op string, _ map[string]any) error {
			if op == "create" {
				tried.Add(1)
				return failing(connectors.Transient, connectors.CodeUnreachable)
			}
			return nil
		}
		r := b.work(b.happens(1, "ada")[0])
		b.wants(r, store.Retrying, connectors.CodeUnreachable)
		if n := tried.Load(); n > maxOutages+4 || !strings.Contains(r.Reason, fmt.Sprintf("%d more were not tried", 50-n)) {
			t.Errorf("%d were tried: %s", n, r.Reason)
		}
	})
	t.Run("a panic fails the run, not the worker", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, map[string]string{"main": fmt.Sprintf(inParallel, 4, "fail")})
		b.guests("a", "b", "c")
		st := &panicking{Store: b.store}
		id := b.happens(1, "ada")[0]
		if _, err := b.newExecutor(st).Work(b.ctx, id); err != nil {
			t.Fatal(err)
		}
		b.wants(b.run(id), store.Failed, "panic")
	})
}

// panicking is a store that panics at the second journal entry.
type panicking struct {
	store.Store
	saves atomic.Int64
}

func (p *panicking) SaveSteps(ctx context.Context, lease store.Lease, steps ...store.Step) error {
	if p.saves.Add(1) == 2 {
		panic("made to panic")
	}
	return p.Store.SaveSteps(ctx, lease, steps...)
}

// Two goroutines that come to the same key make one record, one by one and in
// batches.
func TestParallelLinksOfOneKey(t *testing.T) {
	t.Parallel()
	for name, flow := range map[string]string{
		"one by one": onChange + `
steps:
  - name: people
    for_each: map(1..60, text(# % 7))
    parallel: 8
    link: partner
    remote: ${item}
    match: {call: fake.search, with: {email: "${item}"}}
    create: {call: fake.create, with: {email: "${item}"}}
`,
		"in batches": onChange + `
steps:
  - name: people
    for_each: map(1..60, text(# % 7))
    parallel: 8
    batch: 4
    link: partner
    remote: ${item}
    match: {call: fake.search_many, with: {emails: "${items}"}, take: "${result.found}"}
    create: {call: fake.create_many, with: {list: "${map(items, {{\"email\": #}})}"}, take: "${map(result.items, .id)}"}
`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, map[string]string{"main": flow})
			b.world.before = func(_ context.Context, op string, _ map[string]any) error {
				if strings.HasPrefix(op, "create") {
					time.Sleep(time.Millisecond)
				}
				return nil
			}
			b.wants(b.work(b.happens(1, "ada")[0]), store.Succeeded, "")
			for i := range 7 {
				if n := b.world.with(fmt.Sprint(i)); n != 1 {
					t.Errorf("%d records of %d", n, i)
				}
			}
			if linked, claimed := b.links("main", "partner"); linked != 7 || claimed != 0 {
				t.Errorf("%d links, %d claims", linked, claimed)
			}
		})
	}
}

// However a run with parallel steps dies: each item is written once.
func TestParallelItemsOnce(t *testing.T) {
	t.Parallel()
	shared := newBenchAt(t, inMemory, map[string]string{"main": strings.Replace(fmt.Sprintf(inParallel, 3, "fail"), "fake.create", "fake.note", 1)})
	instances := 0
	rapid.Check(t, func(rt *rapid.T) {
		instances++
		b := shared.anew(rt)
		n := rapid.IntRange(1, 8).Draw(rt, "guests")
		for i := range n {
			b.guests(fmt.Sprint("g", i))
		}
		id := b.happensAt(fmt.Sprint("i", instances), 1, "ada")[0]
		for range rapid.IntRange(0, 3).Draw(rt, "deaths") {
			if s := b.run(id).State; s != store.Waiting && s != store.Running && s != store.Retrying {
				break
			}
			b.dying(id, int64(rapid.IntRange(1, 20).Draw(rt, "at")), rapid.Bool().Draw(rt, "after"))
		}
		for s := b.run(id).State; s == store.Waiting || s == store.Running || s == store.Retrying; s = b.run(id).State {
			b.work(id)
		}
		if r := b.run(id); r.State == store.Held {
			b.wants(r, store.Held, "unclear_write")
		} else {
			b.wants(r, store.Succeeded, "")
		}
		for i := range n {
			if notes := b.world.with(fmt.Sprint("copy of g", i)); notes > 1 || notes == 0 && b.run(id).State == store.Succeeded {
				rt.Fatalf("%d notes for g%d, the run is %s", notes, i, b.run(id).State)
			}
		}
	})
}

// TestFanMeasured measures a list of items with a call of 5 ms each, and says what
// parallel makes of it.
func TestFanMeasured(t *testing.T) {
	const items = 1_000
	for _, width := range []int{8, 32} {
		b := newBench(t, map[string]string{"main": fmt.Sprintf(`%s
steps:
  - name: asked
    for_each: 1..%d
    parallel: %d
    call: fake.search
    with: {email: "${text(item)}"}
`, onChange, items, width)})
		var asked sync.WaitGroup
		b.world.before = func(context.Context, string, map[string]any) error {
			asked.Add(1)
			defer asked.Done()
			time.Sleep(5 * time.Millisecond)
			return nil
		}
		id := b.happens(1, "ada")[0]
		started := time.Now()
		b.wants(b.work(id), store.Succeeded, "")
		t.Logf("%d items, %d at once: %.1f s", items, width, time.Since(started).Seconds())
	}
}
