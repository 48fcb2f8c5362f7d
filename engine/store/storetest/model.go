package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/engine/store"
)

var modelTests = []test{
	{"random work follows the rules", func(f *fixture) {
		count := 0
		rapid.Check(f.TB, func(t *rapid.T) {
			// A sequence has an instance to itself. Ready looks at all instances, so
			// a store gets only some of them.
			if count++; count%10 == 0 {
				f.Store = f.another()
			}
			m := &model{
				T: t, f: f, instance: fmt.Sprintf("model-%d", count),
				leases: map[string]*modelLease{}, stale: nil,
			}
			t.Repeat(map[string]func(*rapid.T){
				"accept": m.accept,
				"claim":  m.claim,
				"finish": m.finish,
				"write":  m.write,
				"reopen": m.reopen,
				"cancel": m.cancel,
				"":       m.check,
			})
		})
	}},
}

// model is the rules of keys in their simplest form: a list of runs and a lease
// for each key.
type model struct {
	*rapid.T
	f        *fixture
	instance string
	runs     []*modelRun
	leases   map[string]*modelLease // by key; those that live
	stale    []store.Lease          // leases that ended one way or another
}

type modelRun struct {
	id, event int64 // event: that it was made by
	order     int
	flow, key string
	state     store.State
	notDue    bool
	attempt   int
	tries     int
}

type modelLease struct {
	run   *modelRun
	lease store.Lease
}

func (m *model) must(err error) {
	if err != nil {
		m.Fatal(err)
	}
}

func (r *modelRun) open() bool {
	return r.state == store.Waiting || r.state == store.Running || r.state == store.Retrying
}

// place orders the runs of a key.
func place(a, b *modelRun) int {
	return cmp.Or(cmp.Compare(a.event, b.event), cmp.Compare(a.order, b.order), cmp.Compare(a.id, b.id))
}

// head is the first open run of a key.
func (m *model) head(key string) *modelRun {
	var head *modelRun
	for _, r := range m.runs {
		if r.key == key && r.open() && (head == nil || place(r, head) < 0) {
			head = r
		}
	}
	return head
}

func (m *model) claimable(r *modelRun) bool {
	return m.head(r.key) == r && !r.notDue && m.leases[r.key] == nil
}

// foldsInto is the run that a start joins: the last waiting one, else the last
// held one.
func (m *model) foldsInto(flow, key string) *modelRun {
	for _, state := range []store.State{store.Waiting, store.Held} {
		var last *modelRun
		for _, r := range m.runs {
			if r.flow == flow && r.key == key && r.state == state && (last == nil || place(last, r) < 0) {
				last = r
			}
		}
		if last != nil {
			return last
		}
	}
	return nil
}

func (m *model) accept(t *rapid.T) {
	key := rapid.SampledFrom([]string{"k1", "k2"}).Draw(t, "key")
	flows := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"f1", "f2", "f3"}), 1, 3, rapid.ID[string]).Draw(t, "flows")
	arrival := store.Arrival{Event: store.Event{Instance: m.instance}}
	for _, flow := range flows {
		arrival.Starts = append(arrival.Starts, start(flow, key))
	}
	accepted, err := m.f.Accept(m.f.ctx, arrival)
	m.must(err)
	for i, flow := range flows {
		id := accepted[0].RunIDs[i]
		if r := m.foldsInto(flow, key); r != nil {
			if id != r.id {
				m.Fatalf("%s %s went to run %d, want %d", flow, key, id, r.id)
			}
			if r.state == store.Held {
				r.state, r.tries = store.Waiting, 0
			}
			continue
		}
		m.runs = append(m.runs, &modelRun{
			id: id, event: accepted[0].EventID, order: arrival.Starts[i].Order, flow: flow, key: key, state: store.Waiting,
		})
	}
}

func (m *model) any(t *rapid.T) *modelRun {
	if len(m.runs) == 0 {
		t.Skip("no runs")
	}
	return rapid.SampledFrom(m.runs).Draw(t, "run")
}

func (m *model) claim(t *rapid.T) {
	r := m.any(t)
	dies := rapid.IntRange(0, 3).Draw(t, "dies") == 0
	ttl := time.Hour
	if dies {
		ttl = time.Microsecond
	}
	run, lease, err := m.f.Claim(m.f.ctx, r.id, "model", ttl)
	if !m.claimable(r) {
		if !errors.Is(err, store.ErrNotRunnable) {
			m.Fatalf("claiming run %d (%s): %v", r.id, r.state, err)
		}
		return
	}
	m.must(err)
	r.state, r.attempt, r.tries = store.Running, r.attempt+1, r.tries+1
	if run.Attempt != r.attempt || run.Tries != r.tries || run.State != store.Running {
		m.Fatalf("claimed %+v, want attempt %d, tries %d", run, r.attempt, r.tries)
	}
	if dies {
		time.Sleep(3 * time.Millisecond)
		m.stale = append(m.stale, lease)
		return
	}
	m.leases[r.key] = &modelLease{run: r, lease: lease}
}

// anyLease draws a lease, living or not.
func (m *model) anyLease(t *rapid.T) (live *modelLease, lease store.Lease) {
	all := slices.Clone(m.stale)
	for _, key := range []string{"k1", "k2"} {
		if l := m.leases[key]; l != nil {
			all = append(all, l.lease)
		}
	}
	if len(all) == 0 {
		t.Skip("no leases")
	}
	// Newer ones more often: the old are all alike.
	lease = all[max(0, len(all)-1-rapid.IntRange(0, 3).Draw(t, "lease"))]
	if l := m.leases[lease.Key]; l != nil && l.lease == lease {
		live = l
	}
	return live, lease
}

func (m *model) finish(t *rapid.T) {
	live, lease := m.anyLease(t)
	outcome := store.Outcome{State: rapid.SampledFrom([]store.State{
		store.Succeeded, store.Skipped, store.Retrying, store.Held, store.Failed, store.Cancelled, store.Waiting,
	}).Draw(t, "state")}
	if rapid.Bool().Draw(t, "later") {
		outcome.After = time.Hour
	}
	next, err := m.f.Finish(m.f.ctx, lease, outcome)
	if live == nil {
		if !errors.Is(err, store.ErrLeaseLost) {
			m.Fatalf("finishing with a dead lease: %v", err)
		}
		return
	}
	m.must(err)
	live.run.state = outcome.State
	live.run.notDue = outcome.State == store.Retrying && outcome.After > 0
	if outcome.State == store.Held {
		m.foldWaiting(live.run)
	}
	delete(m.leases, lease.Key)
	m.stale = append(m.stale, lease)
	want := int64(0)
	if head := m.head(lease.Key); head != nil && !head.notDue {
		want = head.id
	}
	if next != want {
		m.Fatalf("after run %d comes %d, want %d", lease.RunID, next, want)
	}
}

// foldWaiting: what waits for a run that was just held folds into it.
func (m *model) foldWaiting(held *modelRun) {
	for _, r := range m.runs {
		if r != held && r.flow == held.flow && r.key == held.key && r.state == store.Waiting && r.attempt == 0 {
			r.state = store.Skipped
			held.state, held.tries = store.Waiting, 0
		}
	}
}

func (m *model) write(t *rapid.T) {
	live, lease := m.anyLease(t)
	var err error
	switch rapid.IntRange(0, 2).Draw(t, "write") {
	case 0:
		err = m.f.Renew(m.f.ctx, lease, time.Hour)
	case 1:
		err = m.f.SaveSteps(m.f.ctx, lease, store.Step{Path: "p", State: store.StepDone})
	case 2:
		_, err = m.f.ClaimLinks(m.f.ctx, lease, store.LinkKey{Table: m.instance, Side: store.Local, Value: lease.Key})
	}
	if live == nil && !errors.Is(err, store.ErrLeaseLost) || live != nil && err != nil {
		m.Fatalf("a write with a lease that lives: %v: %v", live != nil, err)
	}
}

func (m *model) reopen(t *rapid.T) {
	r := m.any(t)
	reopened, err := m.f.Reopen(m.f.ctx, rapid.Bool().Draw(t, "fresh"), r.id)
	m.must(err)
	if (len(reopened) == 1) == r.open() {
		m.Fatalf("reopening a %s run: %v", r.state, reopened)
	}
	if !r.open() {
		r.state, r.notDue, r.tries = store.Waiting, false, 0
	}
}

func (m *model) cancel(t *rapid.T) {
	r := m.any(t)
	cancelled, err := m.f.Cancel(m.f.ctx, "not wanted", r.id)
	m.must(err)
	can := r.state == store.Waiting || r.state == store.Retrying || r.state == store.Held || r.state == store.Failed
	if (len(cancelled) == 1) != can {
		m.Fatalf("cancelling a %s run: %v", r.state, cancelled)
	}
	if can {
		r.state, r.notDue = store.Cancelled, false
	}
}

// check compares everything that can be seen.
func (m *model) check(*rapid.T) {
	var want []int64
	for _, r := range m.runs {
		if m.claimable(r) {
			want = append(want, r.id)
		}
	}
	all, err := m.f.Ready(m.f.ctx, 100)
	m.must(err)
	var got []int64
	for _, run := range all {
		if run.Instance == m.instance {
			got = append(got, run.ID)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		m.Fatalf("ready: got %v, want %v", got, want)
	}
	runs, err := m.f.Runs(m.f.ctx, store.RunFilter{Instance: m.instance, Limit: store.MaxPage})
	m.must(err)
	if len(runs) != len(m.runs) {
		m.Fatalf("%d runs, want %d", len(runs), len(m.runs))
	}
	for _, r := range m.runs {
		i := slices.IndexFunc(runs, func(run store.Run) bool { return run.ID == r.id })
		if i < 0 || runs[i].State != r.state || runs[i].Attempt != r.attempt || runs[i].Tries != r.tries {
			m.Fatalf("run %d: got %+v, want %+v", r.id, runs[max(i, 0)], *r)
		}
	}
}
