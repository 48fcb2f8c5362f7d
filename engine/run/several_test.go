package run

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// importing finds a record that a person has to make; following needs it.
const (
	importing = onChange + `
steps:
  - name: partner
    link: partner
    remote: ${event.email}
    match: {call: fake.search, with: {email: "${event.email}"}}
`
	following = onChange + `
steps:
  - name: partner
    link: partner
    remote: ${event.email}
    missing: continue
  - name: nothing_yet
    when: partner == nil
    call: run.skip
    with: {reason: no record yet}
  - name: note
    call: fake.note
    with: {email: "%s for ${event.email}"}
`
)

// A held run steps aside: the key's other flows go on, later events fold into it
// and try it again, and when it succeeds the flows that found nothing to do look
// again.
func TestHeldRunHeals(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"first": importing, "second": fmt.Sprintf(following, "second"), "third": fmt.Sprintf(following, "third")})
	runs := b.happens(1, "ada")
	b.settle()
	b.wants(b.run(runs[0]), store.Held, "missing")
	b.wants(b.run(runs[1]), store.Skipped, "")
	b.wants(b.run(runs[2]), store.Skipped, "")

	// Another event: still nothing. It folds into the held run; the others run again.
	again := b.happens(1, "ada")
	if again[0] != runs[0] {
		t.Fatalf("the event made run %d", again[0])
	}
	b.settle()
	b.wants(b.run(runs[0]), store.Held, "missing")

	// A person makes the record, and the next event heals all.
	b.world.put(map[string]any{"email": "ada"})
	b.happens(1, "ada")
	b.settle()
	b.wants(b.run(runs[0]), store.Succeeded, "")
	for _, flow := range []string{"second", "third"} {
		if n := b.world.with(flow + " for ada"); n < 1 {
			t.Errorf("%d notes of the flow %s", n, flow)
		}
	}
}

// The same when it is a person who retries: no event comes that would start the
// others.
func TestHeldRunWakesTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"first": importing, "second": fmt.Sprintf(following, "second")})
	runs := b.happens(1, "ada")
	b.settle()
	older := b.run(runs[1])
	b.wants(older, store.Skipped, "")
	newer := b.happens(1, "ada")[1]
	b.settle()
	b.world.put(map[string]any{"email": "ada"})
	b.reopen(runs[0])
	b.settle()
	b.wants(b.run(runs[0]), store.Succeeded, "")
	b.wants(b.run(newer), store.Succeeded, "")
	b.wants(b.run(older.ID), store.Skipped, "") // the newest is enough
	if n := b.world.with("second for ada"); n != 1 {
		t.Errorf("%d notes", n)
	}
	// A replay of the healed run wakes nobody.
	attempts := b.run(newer).Attempt
	b.reopen(runs[0])
	b.settle()
	if now := b.run(newer).Attempt; now != attempts {
		t.Errorf("the other flow was worked again: %d attempts, before %d", now, attempts)
	}
}

// A run in flight goes on with the flow it began with; a run that a person
// retries takes today's.
func TestFlowVersions(t *testing.T) {
	t.Parallel()
	flow := func(name string) map[string]string {
		return map[string]string{
			"main": onChange + "steps: [{name: asked, call: fake.list}, {name: made, call: flow.part}]",
			"part": "trigger: {called: {}}\nsteps: [{name: note, call: fake.create, with: {email: " + name + "}}]",
		}
	}
	b := newBench(t, flow("old"))
	failing := true
	b.world.before = func(context.Context, string, map[string]any) error {
		if failing {
			return transient()
		}
		return nil
	}
	id := b.happens(1, "ada")[0]
	b.wants(b.work(id), store.Retrying, "unreachable")
	b.use(flow("new")) // only the part changed
	failing = false
	b.settleAfter(id)
	if old, new := b.world.with("old"), b.world.with("new"); old != 1 || new != 0 {
		t.Errorf("%d records by the old flow, %d by the new", old, new)
	}
	other := b.happens(2, "bob")[0]
	b.settleAfter(other)
	if n := b.world.with("new"); n != 1 {
		t.Errorf("%d records by the new flow", n)
	}
}

// What a replay does of what was done before, when the flow was changed.
func TestReplayOfAChangedFlow(t *testing.T) {
	t.Parallel()
	flow := func(create, name, last string) map[string]string {
		return map[string]string{"main": onChange + fmt.Sprintf(`
steps:
  - name: made
    call: fake.create
    with: {email: %s}
  - name: named
    call: fake.update
    with: {id: "${made.id}", values: {name: %s}}
  - name: ending
    call: %s
`, create, name, last)}
	}
	held := "run.hold\n    with: {reason: wait}"
	cases := []struct {
		name             string
		changed          map[string]string
		state            store.State
		code             string
		creates, updates int
	}{
		{"mended where it was held: what was done is not created again", flow("ada", "Ada", "fake.list"), store.Succeeded, "", 1, 2},
		{"changed before that: from the start, and nothing created twice", flow("ada", "Lady Ada", "fake.list"), store.Succeeded, "", 1, 2},
		{"the create itself changed: a person decides", flow("eve", "Ada", "fake.list"), store.Held, "changed_step", 1, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, flow("ada", "Ada", held))
			id := b.happens(1, "ada")[0]
			b.wants(b.work(id), store.Held, "flow")
			b.use(c.changed)
			b.reopen(id)
			b.wants(b.work(id), c.state, c.code)
			if n := b.world.made("create"); n != c.creates {
				t.Errorf("%d creates", n)
			}
			if n := b.world.made("update"); n != c.updates {
				t.Errorf("%d updates", n)
			}
		})
	}
}

// Within one series of attempts nothing that was done is done again, not even
// what could be.
func TestAttemptsGoOnFromTheFailedStep(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: made
    call: fake.create
    with: {email: ada}
  - name: named
    call: fake.update
    with: {id: "${made.id}", values: {name: Ada}}
  - name: ending
    call: fake.list
`})
	troubles := 3
	b.world.before = func(_ context.Context, op string, _ map[string]any) error {
		if troubles--; op == "list" && troubles >= -3 {
			return transient()
		}
		return nil
	}
	id := b.happens(1, "ada")[0]
	b.settleAfter(id)
	if creates, updates := b.world.made("create"), b.world.made("update"); creates != 1 || updates != 1 {
		t.Errorf("%d creates, %d updates in %d attempts", creates, updates, b.run(id).Attempt)
	}
}

// A run in flight whose version is no longer known goes on from the failed step
// only where the steps before it are what they were.
func TestForgottenVersions(t *testing.T) {
	t.Parallel()
	flow := func(first string) map[string]string {
		return map[string]string{"main": onChange + `
steps:
  - name: start
    map: ` + first + `
  - name: named
    call: fake.update
    with: {id: 1, values: {name: Ada}}
  - name: everyone
    call: fake.list
`}
	}
	for changed, updates := range map[string]int{"1": 1, "2": 2} {
		b := newBench(t, flow("1"))
		b.guests("ada")
		b.executor.Version = nil
		failing := true
		b.world.before = func(_ context.Context, op string, _ map[string]any) error {
			if op == "list" && failing {
				return transient()
			}
			return nil
		}
		id := b.happens(1, "ada")[0]
		b.wants(b.work(id), store.Retrying, "unreachable")
		b.use(flow(changed))
		failing = false
		b.settleAfter(id)
		if n := b.world.made("update"); n != updates {
			t.Errorf("with the first step %s: %d updates", changed, n)
		}
	}
}

func transient() error { return failing("transient", "unreachable") }

// Two runs of one new guest at once, of different keys: one record.
func TestTwoRunsOfOneNewGuest(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": strings.Replace(guestLink, "guest:${event.email}", "order:${event.id}", 1)})
	b.world.after = func(_ context.Context, op string, _ map[string]any) error {
		if op == "search" {
			time.Sleep(5 * time.Millisecond) // both look before one makes
		}
		return nil
	}
	for guest := range 5 {
		email := fmt.Sprint("guest", guest)
		var at sync.WaitGroup
		for order := range 4 {
			id := b.happens(int64(10*guest+order), email)[0]
			at.Go(func() {
				if _, err := b.executor.Work(b.ctx, id); err != nil {
					t.Error(err)
				}
			})
		}
		at.Wait()
		b.settle()
		if n := b.world.with(email); n != 1 {
			t.Errorf("%d records of %s", n, email)
		}
	}
	if linked, claimed := b.links("main", "partner"); linked != 5 || claimed != 0 {
		t.Errorf("%d links, %d claims", linked, claimed)
	}
}

// Runs of one key never overlap and keep their order, whoever works them.
func TestOrderOverExecutors(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"first":  onChange + "steps: [{name: x, call: fake.note, with: {email: \"${event.email} first ${event.id}\"}}]",
		"second": onChange + "steps: [{name: x, call: fake.note, with: {email: \"${event.email} second ${event.id}\"}}]",
	})
	var mu sync.Mutex
	working := map[string]bool{}
	b.world.before = func(_ context.Context, op string, params map[string]any) error {
		key, _, _ := strings.Cut(params["email"].(string), " ")
		mu.Lock()
		defer mu.Unlock()
		if working[key] {
			t.Errorf("two runs of %s overlap", key)
		}
		working[key] = true
		return nil
	}
	b.world.after = func(_ context.Context, op string, params map[string]any) error {
		key, _, _ := strings.Cut(params["email"].(string), " ")
		time.Sleep(time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		working[key] = false
		return nil
	}
	var executors sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		x := b.newExecutor(b.store)
		executors.Go(func() {
			for {
				ready, err := b.store.Ready(b.ctx, 10)
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range ready {
					if _, err := x.Work(b.ctx, r.ID); err != nil {
						t.Error(err)
					}
				}
				select {
				case <-done:
					if len(ready) == 0 {
						return
					}
				default:
				}
			}
		})
	}
	for event := range int64(15) {
		for _, key := range []string{"ada", "bob"} {
			b.happens(event, key)
		}
	}
	close(done)
	executors.Wait()
	b.settle()
	b.inOrder(t)
}

// inOrder checks that each flow sees ever newer events of a key, and the last.
func (b *bench) inOrder(t *testing.T) {
	last := map[string]int{}
	for _, call := range b.world.calls {
		var key, flow string
		var event int
		if _, err := fmt.Sscanf(call, "note %s %s %d", &key, &flow, &event); err != nil {
			t.Fatal(call, err)
		}
		lane := key + " " + flow
		if before, ok := last[lane]; ok && event <= before {
			t.Errorf("%s comes after %d", call, before)
		}
		last[lane] = event
	}
	for _, lane := range []string{"ada first", "ada second", "bob first", "bob second"} {
		if last[lane] != 14 {
			t.Errorf("the last event of %s is %d", lane, last[lane])
		}
	}
}
