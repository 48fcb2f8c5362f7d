package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

var errDead = errors.New("the process is dead")

// mortal is a store, and a world's hooks, of a process that dies at a given call:
// before the call takes effect or after, and from then on nothing it does has
// any.
type mortal struct {
	store.Store
	dies  int64 // at which call, counted from 1; 0 never
	after bool
	calls atomic.Int64
	dead  atomic.Bool
	lease store.Lease
	// sleeps, if set, is what happens at that call instead of death: the whole
	// process stands still, and then goes on.
	sleeps func()
	asleep sync.RWMutex
}

// call counts a call. do takes effect unless the process is dead by then.
func (m *mortal) call(do func() error) error {
	if m.dead.Load() {
		return errDead
	}
	now := m.calls.Add(1) == m.dies
	if now && !m.after {
		if err := m.struck(); err != nil {
			return err
		}
	}
	err := do()
	if now && m.after {
		return errors.Join(err, m.struck())
	}
	return err
}

func (m *mortal) struck() error {
	if m.sleeps == nil {
		m.dead.Store(true)
		return errDead
	}
	m.asleep.Lock()
	defer m.asleep.Unlock()
	m.sleeps()
	return nil
}

func (m *mortal) Renew(ctx context.Context, lease store.Lease, ttl time.Duration) error {
	m.asleep.RLock()
	defer m.asleep.RUnlock()
	return m.Store.Renew(ctx, lease, ttl)
}

func (m *mortal) Claim(ctx context.Context, id int64, owner string, ttl time.Duration) (run store.Run, lease store.Lease, err error) {
	err = m.call(func() error { run, lease, err = m.Store.Claim(ctx, id, owner, ttl); m.lease = lease; return err })
	return run, lease, err
}

func (m *mortal) Finish(ctx context.Context, lease store.Lease, o store.Outcome, announce ...store.Arrival) (next int64, err error) {
	err = m.call(func() error { next, err = m.Store.Finish(ctx, lease, o, announce...); return err })
	return next, err
}

func (m *mortal) SaveSteps(ctx context.Context, lease store.Lease, steps ...store.Step) error {
	return m.call(func() error { return m.Store.SaveSteps(ctx, lease, steps...) })
}

func (m *mortal) Steps(ctx context.Context, id int64) (steps []store.Step, err error) {
	err = m.call(func() error { steps, err = m.Store.Steps(ctx, id); return err })
	return steps, err
}

func (m *mortal) FindLink(ctx context.Context, instance string, key store.LinkKey) (l *store.Link, err error) {
	err = m.call(func() error { l, err = m.Store.FindLink(ctx, instance, key); return err })
	return l, err
}

func (m *mortal) ClaimLinks(ctx context.Context, lease store.Lease, keys ...store.LinkKey) (l []store.Link, err error) {
	err = m.call(func() error { l, err = m.Store.ClaimLinks(ctx, lease, keys...); return err })
	return l, err
}

func (m *mortal) SaveLinks(ctx context.Context, lease store.Lease, links ...store.LinkWrite) error {
	return m.call(func() error { return m.Store.SaveLinks(ctx, lease, links...) })
}

func (m *mortal) FindLinks(ctx context.Context, instance string, keys ...store.LinkKey) (l []*store.Link, err error) {
	err = m.call(func() error { l, err = m.Store.FindLinks(ctx, instance, keys...); return err })
	return l, err
}

func (m *mortal) ClaimEach(ctx context.Context, lease store.Lease, groups ...[]store.LinkKey) (l []store.LinkClaim, err error) {
	err = m.call(func() error { l, err = m.Store.ClaimEach(ctx, lease, groups...); return err })
	return l, err
}

func (m *mortal) SaveEach(ctx context.Context, lease store.Lease, groups ...[]store.LinkWrite) (refused []error, err error) {
	err = m.call(func() error { refused, err = m.Store.SaveEach(ctx, lease, groups...); return err })
	return refused, err
}

func (m *mortal) Unclaim(ctx context.Context, lease store.Lease) error {
	return m.call(func() error { return m.Store.Unclaim(ctx, lease) })
}

// dying works a run in a process that dies at the given call, and then lets the
// lease of the dead process end. It tells whether the process died.
func (b *bench) dying(id, at int64, after bool) bool {
	b.Helper()
	m := &mortal{Store: b.store, dies: at, after: after}
	b.world.before = func(context.Context, string, map[string]any) error {
		if m.dead.Load() {
			return errDead
		}
		if !after {
			return m.call(func() error { return nil })
		}
		return nil
	}
	b.world.after = func(context.Context, string, map[string]any) error {
		if after {
			return m.call(func() error { return nil })
		}
		return nil
	}
	_, err := b.newExecutor(m).Work(b.ctx, id)
	b.world.before, b.world.after = nil, nil
	if m.dead.Load() {
		b.bury(m)
		return true
	}
	if err != nil {
		b.Fatalf("working run %d: %v", id, err)
	}
	return false
}

// bury lets the lease of a dead process end: whoever comes next claims its run.
func (b *bench) bury(m *mortal) {
	b.Helper()
	if m.lease.RunID == 0 {
		return
	}
	if _, err := b.store.Finish(b.ctx, m.lease, store.Outcome{State: store.Waiting}); err != nil && !errors.Is(err, store.ErrLeaseLost) {
		b.Fatalf("ending the dead lease: %v", err)
	}
}

// A process dies at every point of a link step and the writes after it, before
// and after the point's effect: in the end there is one record, one link, and
// each write that must not be repeated was done once or a person was asked.
func TestDeathAtEveryPoint(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": guestLink + `
  - name: named
    call: fake.update
    with: {id: "${partner.local}", values: {name: Ada Lovelace}}
  - name: welcome
    call: fake.note
    with: {email: "note for ${event.email}"}
result: {id: "${partner.local}"}
`})
	points := 0
	for _, after := range []bool{false, true} {
		for at := int64(1); ; at++ {
			email := fmt.Sprintf("guest-%d-%v", at, after)
			id := b.happens(at, email)[0]
			if !b.dying(id, at, after) {
				b.wants(b.run(id), store.Succeeded, "")
				points += int(at) - 1
				break
			}
			b.settle()
			r := b.run(id)
			if notes := b.world.with("note for " + email); r.State == store.Held {
				b.wants(r, store.Held, "unclear_write")
				if notes > 1 {
					t.Errorf("dying at %d (after: %v): %d notes", at, after, notes)
				}
				b.reopen(id) // a person looked
				b.settle()
				r = b.run(id)
			} else if notes != 1 {
				t.Errorf("dying at %d (after: %v): %d notes", at, after, notes)
			}
			b.wants(r, store.Succeeded, "")
			if n := b.world.with(email); n != 1 {
				t.Errorf("dying at %d (after: %v): %d records", at, after, n)
			}
		}
	}
	linked, claimed := b.links("main", "partner")
	if claimed != 0 || linked != points+2 {
		t.Errorf("%d links and %d claims after %d deaths", linked, claimed, points)
	}
	if points < 20 {
		t.Errorf("only %d points to die at", points)
	}
}

// Whatever happens to whatever attempt, as often as it likes: one record.
func TestOneEffect(t *testing.T) {
	t.Parallel()
	shared := newBenchAt(t, inMemory, map[string]string{"main": guestLink})
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		b := shared.anew(rt)
		instance := fmt.Sprint("i", n.Add(1))
		email := "ada@example.com"
		id := b.happensAt(instance, 1, email)[0]
		for range rapid.IntRange(0, 5).Draw(rt, "troubles") {
			if state := b.run(id).State; state != store.Waiting && state != store.Retrying && state != store.Running {
				break
			}
			b.trouble(rt, id, instance, email)
		}
		for b.run(id).State != store.Succeeded {
			b.work(id)
			if s := b.run(id).State; s == store.Held || s == store.Failed {
				rt.Fatalf("run %d is %s: %s", id, s, b.run(id).Reason)
			}
		}
		if records := b.world.with(email); records != 1 {
			rt.Fatalf("%d records", records)
		}
		if linked, claimed := b.links(instance, "partner"); linked != 1 || claimed != 0 {
			rt.Fatalf("%d links, %d claims", linked, claimed)
		}
	})
}

// trouble works the run in a process that dies, or against a system that fails.
func (b *bench) trouble(rt *rapid.T, id int64, instance, email string) {
	switch rapid.SampledFrom([]string{"death", "fault", "event"}).Draw(rt, "trouble") {
	case "death":
		b.dying(id, int64(rapid.IntRange(1, 14).Draw(rt, "at")), rapid.Bool().Draw(rt, "after"))
	case "event":
		b.happensAt(instance, 1, email)
	case "fault":
		at := rapid.IntRange(1, 2).Draw(rt, "at")
		effect := rapid.Bool().Draw(rt, "after effect")
		class := connectors.Transient
		if effect {
			class = connectors.Unclear
		}
		fail := func(_ context.Context, op string, _ map[string]any) error {
			if at--; at != 0 || effect && op != "create" {
				return nil
			}
			return failing(class, connectors.CodeUnreachable)
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
