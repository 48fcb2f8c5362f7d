package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// linkMany links the customers of a list: records that are there are found by
// their e-mail, the others are made, and names follow.
const linkMany = onChange + `
steps:
  - name: customers
    call: fake.customers
  - name: people
    for_each: customers.items
    as: customer
    batch: %d
    link: person
    remote: ${customer.id}
    values: {name: "${customer.name}"}
    match:
      call: fake.search_many
      with: {emails: "${map(items, .email)}"}
      take: ${result.found}
    create:
      call: fake.create_many
      with: {list: "${map(items, {{\"email\": .email, \"name\": .name}})}"}
      take: '${map(result.items, .error == nil ? .id : #)}'
    update:
      call: fake.update_many
      with: {list: "${map(changed, {{\"id\": .local, \"name\": .changes.name}})}"}
      take: ${result.items}
    %s
result: '${map(people, #?.local)}'
`

// customer is a record of the other side, with the id given.
func customer(id int64, email, name string) map[string]any {
	return map[string]any{"id": id, "email": email, "name": name}
}

func (b *bench) customers(list ...map[string]any) {
	b.world.mu.Lock()
	defer b.world.mu.Unlock()
	b.world.customers = nil
	for _, c := range list {
		b.world.customers = append(b.world.customers, c)
	}
}

// A batch is matched, created and updated in one call each, and a second run
// writes only what changed.
func TestBatchedLinks(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(linkMany, 10, "")})
	b.guests("zoe", "bob") // ids 1 and 2
	b.customers(customer(11, "ada", "Ada"), customer(12, "bob", "Bob"), customer(13, "eve", "Eve"), customer(11, "ada", "Ada again"))
	r := b.work(b.happens(1, "x")[0])
	b.wants(r, store.Succeeded, "")
	if string(r.Result) != `[3,2,4,3]` {
		t.Errorf("the result is %s", r.Result)
	}
	if got := b.world.made("search_many"); got != 1 {
		t.Errorf("%d searches", got)
	}
	if got := b.world.made("create_many"); got != 1 {
		t.Errorf("%d creates", got)
	}
	if name := b.world.records[3]["name"]; name != "Ada again" {
		t.Errorf("the last of two of one key has its word: %v", name)
	}
	b.world.calls = nil
	b.customers(customer(11, "ada", "Ada again"), customer(12, "bob", "Bob"), customer(13, "eve", "Eva"))
	b.wants(b.work(b.happens(1, "x")[0]), store.Succeeded, "")
	if want := []string{"customers <nil>", "update_many [4]"}; !slices.Equal(b.world.calls, want) {
		t.Errorf("a second run calls %v", b.world.calls)
	}
}

// Items that fail do not stop their neighbours, whatever they fail of.
func TestBatchedLinksGoOn(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(linkMany, 10, "on_error: continue")})
	b.guests("two", "two", "taken")
	b.customers(customer(1, "ada", "Ada"), customer(2, "two", "Two"), customer(3, "bad", "Bad"), customer(4, "taken", "First"),
		customer(5, "taken", "Second"), customer(6, "eve", "Eve"))
	r := b.work(b.happens(1, "x")[0])
	b.wants(r, store.Succeeded, "")
	if string(r.Result) != `[4,null,null,3,null,5]` {
		t.Errorf("the result is %s", r.Result)
	}
	for _, says := range []string{"3 of 6 items failed in step people", "people[2]: 2 records match person 2", "people[3]: this one is wrong", "people[5]: person 5 matches record 3"} {
		if !strings.Contains(r.Reason, says) {
			t.Errorf("the reason does not say %q: %s", says, r.Reason)
		}
	}
	// What was refused is tried again when someone asks.
	b.customers(customer(3, "good", "Good"))
	b.world.calls = nil
	b.wants(b.work(b.happens(1, "x")[0]), store.Succeeded, "")
	if b.world.with("good") != 1 {
		t.Error("the mended item was not created")
	}
}

// A batch that is refused as a whole is cut until the bad item stands alone.
func TestBatchedLinksAreCut(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(linkMany, 10, "on_error: continue")})
	b.customers(customer(1, "a", "A"), customer(2, "b", "B"), customer(3, "all", "C"), customer(4, "d", "D"), customer(5, "e", "E"))
	r := b.work(b.happens(1, "x")[0])
	b.wants(r, store.Succeeded, "")
	if linked, claimed := b.links("main", "person"); linked != 4 || claimed != 0 || !strings.Contains(r.Reason, "1 of 5 items failed in step people: people[3]: one of them is wrong") {
		t.Errorf("%d links, %d claims: %s", linked, claimed, r.Reason)
	}
}

// An item whose record another run makes waits; its neighbours do not.
func TestBatchedLinksWaitForOneAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(linkMany, 10, "")})
	b.customers(customer(1, "ada", "Ada"), customer(2, "bob", "Bob"))
	other := b.happens(9, "other")[0]
	_, lease, err := b.store.Claim(b.ctx, other, "another", 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.ClaimLinks(b.ctx, lease, store.LinkKey{Table: "person", Side: store.Remote, Value: "2"}); err != nil {
		t.Fatal(err)
	}
	b.executor.ClaimWait = 1
	id := b.happens(1, "x")[0]
	b.wants(b.work(id), store.Retrying, "claimed")
	if b.world.with("ada") != 1 || b.world.with("bob") != 0 {
		t.Errorf("%d and %d records", b.world.with("ada"), b.world.with("bob"))
	}
	if _, err := b.store.Finish(b.ctx, lease, store.Outcome{State: store.Succeeded}); err != nil {
		t.Fatal(err)
	}
	b.settle()
	b.wants(b.run(id), store.Succeeded, "")
	if b.world.with("ada") != 1 || b.world.with("bob") != 1 {
		t.Errorf("%d and %d records", b.world.with("ada"), b.world.with("bob"))
	}
}

// The store is called a few times for a batch, however long it is.
func TestBatchedLinksAskTheStoreSeldom(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": fmt.Sprintf(linkMany, 100, "")})
	list := make([]map[string]any, 1000)
	for i := range list {
		list[i] = customer(int64(i+1), fmt.Sprint("guest", i), "Guest")
	}
	b.customers(list...)
	m := &mortal{Store: b.store}
	id := b.happens(1, "x")[0]
	if _, err := b.newExecutor(m).Work(b.ctx, id); err != nil {
		t.Fatal(err)
	}
	b.wants(b.run(id), store.Succeeded, "")
	if linked, _ := b.links("main", "person"); linked != 1000 {
		t.Errorf("%d links", linked)
	}
	// Each batch: find, claim, save, and the journal around one write.
	if calls := m.calls.Load(); calls > 10*6+6 {
		t.Errorf("%d calls of the store for 10 batches", calls)
	}
}

// Whatever dies, fails or is announced twice: every customer has one record and
// one link, and nothing is made twice.
func TestBatchedLinksOneEffect(t *testing.T) {
	t.Parallel()
	flow := func(matching bool) map[string]string {
		text := fmt.Sprintf(linkMany, 3, "")
		if !matching {
			before, rest, _ := strings.Cut(text, "    match:\n")
			_, after, _ := strings.Cut(rest, "    create:\n")
			text = before + "    create:\n" + after
		}
		return map[string]string{"main": text}
	}
	for _, matching := range []bool{true, false} {
		t.Run(fmt.Sprint("with a match: ", matching), func(t *testing.T) {
			t.Parallel()
			shared := newBenchAt(t, inMemory, flow(matching))
			instances := 0
			rapid.Check(t, func(rt *rapid.T) {
				instances++
				b := shared.anew(rt)
				instance := fmt.Sprint("i", instances)
				ids := rapid.SliceOfN(rapid.Int64Range(1, 9), 1, 9).Draw(rt, "customers")
				known := map[int64]bool{}
				set := func() {
					var list []map[string]any
					for _, id := range ids {
						known[id] = true
						list = append(list, customer(id, fmt.Sprint("guest", id), "Guest"))
					}
					b.customers(list...)
				}
				set()
				id := b.happensAt(instance, 1, "x")[0]
				for range rapid.IntRange(0, 4).Draw(rt, "troubles") {
					if state := b.run(id).State; state != store.Waiting && state != store.Retrying && state != store.Running {
						break
					}
					b.batchTrouble(rt, id, instance)
					if rapid.Bool().Draw(rt, "another list") {
						ids = rapid.Permutation(append(ids, rapid.Int64Range(1, 9).Draw(rt, "more"))).Draw(rt, "order")
						set()
					}
				}
				works := func(run int64) store.State {
					for b.run(run).State != store.Succeeded && b.run(run).State != store.Held {
						b.work(run)
						if r := b.run(run); r.State == store.Failed || r.State == store.Held && (r.Code != "unclear_write" || matching) {
							rt.Fatalf("run %d is %s: %s", run, r.State, r.Reason)
						}
					}
					return b.run(run).State
				}
				// Without a match only a person can say whether a create took place. Else
				// a run that sees the list as it is now has the last word.
				held := works(id) == store.Held || works(b.happensAt(instance, 1, "x")[0]) == store.Held
				linked, claimed := b.links(instance, "person")
				for id := range known {
					n := b.world.with(fmt.Sprint("guest", id))
					if n > 1 || n == 0 && slices.Contains(ids, id) && !held {
						rt.Fatalf("%d records of customer %d", n, id)
					}
				}
				if claimed != 0 || !held && linked < len(uniq(ids)) || linked > len(known) {
					rt.Fatalf("%d links and %d claims for %d customers", linked, claimed, len(uniq(ids)))
				}
			})
		})
	}
}

func uniq(ids []int64) []int64 {
	sorted := slices.Sorted(slices.Values(ids))
	return slices.Compact(sorted)
}

// batchTrouble works the run in a process that dies, against a system that fails
// as a whole or of which some items fail, or announces the change again.
func (b *bench) batchTrouble(rt *rapid.T, id int64, instance string) {
	switch rapid.SampledFrom([]string{"death", "fault", "event"}).Draw(rt, "trouble") {
	case "death":
		b.dying(id, int64(rapid.IntRange(1, 40).Draw(rt, "at")), rapid.Bool().Draw(rt, "after"))
	case "event":
		b.happensAt(instance, 1, "x")
	case "fault":
		at := rapid.IntRange(1, 6).Draw(rt, "at")
		effect := rapid.Bool().Draw(rt, "after effect")
		class := connectors.Transient
		if effect {
			class = connectors.Unclear
		}
		fail := func(_ context.Context, op string, _ map[string]any) error {
			if at--; at != 0 || effect && op != "create_many" {
				return nil
			}
			return failing(class, "slow")
		}
		if effect {
			b.world.after = fail
		} else {
			b.world.before = fail
		}
		b.work(id)
		b.world.before, b.world.after = nil, nil
	}
}

// A flow that writes by other means says what it wrote: the pair is remembered
// with it, and a link step finds nothing left to update.
func TestPairsKeepWhatWasWritten(t *testing.T) {
	t.Parallel()
	flow := fmt.Sprintf(linkMany, 10, "")
	b := newBench(t, map[string]string{"main": flow, "first": onChange + `
steps:
  - name: customers
    call: fake.customers
  - name: known
    for_each: customers.items
    as: customer
    batch: 2
    link: person
    remote: ${customer.id}
    local: ${customer.id - 10}
    values: {name: "${customer.name}"}
  - name: priced
    for_each: customers.items
    as: customer
    link: person
    remote: ${customer.id}
    local: ${customer.id - 10}
    values: {amount: 5}
`})
	b.guests("ada", "bob", "eve")
	b.customers(customer(11, "ada", "Ada"), customer(12, "bob", "Bob"), customer(13, "eve", "Eve"))
	runs := b.happens(1, "x") // main, then first
	b.wants(b.work(runs[1]), store.Waiting, "")
	if _, err := b.store.Cancel(b.ctx, "first", runs[0]); err != nil {
		t.Fatal(err)
	}
	b.settle()
	b.wants(b.run(runs[1]), store.Succeeded, "")
	b.world.calls = nil
	b.customers(customer(11, "ada", "Ada"), customer(12, "bob", "Robert"), customer(13, "eve", "Eve"))
	b.wants(b.work(b.happens(1, "x")[0]), store.Succeeded, "")
	if want := []string{"customers <nil>", "update_many [2]"}; !slices.Equal(b.world.calls, want) {
		t.Errorf("calls %v", b.world.calls)
	}
}
