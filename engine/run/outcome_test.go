package run

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// What an error of a call does to the run.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	const step = onChange + `
steps:
  - name: it
    %
`
	read, note := "call: fake.list", "call: fake.note\n    with: {email: x}"
	update := "call: fake.update\n    with: {id: 1, values: {name: x}}"
	cases := []struct {
		name string
		step string
		err  error
		want store.State
		code string
	}{
		{"a read that found nobody is tried again", read, failing(connectors.Transient, "unreachable"), store.Retrying, "unreachable"},
		{"a read that was refused has failed", read, failing(connectors.Permanent, "forbidden"), store.Failed, "forbidden"},
		{"a read that was stopped is tried again", read, context.DeadlineExceeded, store.Retrying, "timeout"},
		{"an unclear write that may be repeated is tried again", update, failing(connectors.Unclear, "bad_answer"), store.Retrying, "bad_answer"},
		{"an unclear write that may not be is held", note, failing(connectors.Unclear, "bad_answer"), store.Held, "unclear_write"},
		{"a write that was stopped is unclear", note, context.DeadlineExceeded, store.Held, "unclear_write"},
		{"a write that was stopped and may be repeated is tried again", update, context.DeadlineExceeded, store.Retrying, "timeout"},
		{"a write that did not happen is tried again", note, failing(connectors.Transient, "rate_limited"), store.Retrying, "rate_limited"},
		{"an error of no class has failed", update, errors.New("odd"), store.Failed, "internal"},
		{"on_error: hold asks a person", read + "\n    on_error: hold", failing(connectors.Permanent, "forbidden"), store.Held, "forbidden"},
		{"on_error: continue goes on", read + "\n    on_error: continue", failing(connectors.Permanent, "forbidden"), store.Succeeded, ""},
		{"missing: continue goes on where there is nothing", "call: fake.get\n    with: {id: 9}\n    missing: continue", nil, store.Succeeded, ""},
		{"what is not there has failed the run", "call: fake.get\n    with: {id: 9}", nil, store.Failed, "not_found"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, map[string]string{"main": strings.Replace(step, "%", c.step, 1)})
			b.world.before = func(context.Context, string, map[string]any) error { return c.err }
			b.wants(b.work(b.happens(1, "ada")[0]), c.want, c.code)
		})
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + "steps: [{name: everyone, call: fake.list}]"})
	b.world.before = func(context.Context, string, map[string]any) error {
		return &connectors.Error{Class: connectors.Transient, Code: connectors.CodeRateLimited, Message: "slowly", RetryAfter: time.Hour}
	}
	r := b.work(b.happens(1, "ada")[0])
	b.wants(r, store.Retrying, connectors.CodeRateLimited)
	if wait := r.DueAt.Sub(r.UpdatedAt); wait < time.Hour {
		t.Errorf("it is tried again after %s", wait)
	}
}

// A run that is retried has its attempts counted from then on.
func TestAttemptsAreCountedAnewAfterARetry(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + "steps: [{name: everyone, call: fake.list}]"})
	b.world.before = func(context.Context, string, map[string]any) error {
		return failing(connectors.Transient, "unreachable")
	}
	id := b.happens(1, "ada")[0]
	b.settle()
	b.wants(b.run(id), store.Failed, "unreachable")
	if tries := b.run(id).Tries; tries != len(b.executor.Backoff)+1 {
		t.Errorf("%d tries", tries)
	}
	b.reopen(id)
	b.wants(b.work(id), store.Retrying, "unreachable")
}

func TestStepRetry(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: everyone
    call: fake.list
    retry: {attempts: 3, wait: 1ms}
`})
	failures := 2
	b.world.before = func(context.Context, string, map[string]any) error {
		if failures--; failures >= 0 {
			return failing(connectors.Transient, "unreachable")
		}
		return nil
	}
	b.wants(b.work(b.happens(1, "ada")[0]), store.Succeeded, "")
}

// A write whose journal entry could not be written is not done again by the
// step's own retry.
func TestStepRetryDoesNotRepeatWhatWasDone(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: note
    call: fake.note
    with: {email: once}
    timeout: 20ms
    retry: {attempts: 5, wait: 1ms}
`})
	b.world.after = func(ctx context.Context, _ string, _ map[string]any) error {
		<-ctx.Done() // the answer comes when the step's time is over
		return nil
	}
	b.settleAfter(b.happens(1, "ada")[0])
	if n := b.world.with("once"); n != 1 {
		t.Errorf("%d notes", n)
	}
}

// settleAfter works until all ends, and wants the run succeeded.
func (b *bench) settleAfter(id int64) {
	b.Helper()
	b.settle()
	b.wants(b.run(id), store.Succeeded, "")
}

// An unclear write is held until a person looked: a later event does not count
// as that, a retry does.
func TestUnclearWriteWaitsForAPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + "steps: [{name: note, call: fake.note, with: {email: once}}]"})
	b.world.before = func(context.Context, string, map[string]any) error { return failing(connectors.Unclear, "bad_answer") }
	id := b.happens(1, "ada")[0]
	b.wants(b.work(id), store.Held, "unclear_write")
	b.world.before = nil
	for range 3 {
		if again := b.happens(1, "ada")[0]; again != id {
			t.Fatalf("a later event made run %d", again)
		}
		b.wants(b.work(id), store.Held, "unclear_write")
	}
	if n := b.world.with("once"); n != 0 {
		t.Errorf("%d notes before a person looked", n)
	}
	b.reopen(id)
	b.wants(b.work(id), store.Succeeded, "")
	if n := b.world.with("once"); n != 1 {
		t.Errorf("%d notes after a person looked", n)
	}
}

// A step that is passed over in one attempt is not forgotten to have been done.
func TestWhatWasDoneIsNotForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: found
    call: fake.search
    with: {email: sign}
  - name: note
    when: len(found.ids) == 0
    call: fake.note
    with: {email: once}
  - name: wait
    when: run.attempt < 3
    call: run.hold
    with: {reason: wait}
`})
	id := b.happens(1, "ada")[0]
	b.wants(b.work(id), store.Held, "flow")
	sign := b.world.put(map[string]any{"email": "sign"})
	b.reopen(id)
	b.wants(b.work(id), store.Held, "flow")
	b.world.remove(sign)
	b.reopen(id)
	b.wants(b.work(id), store.Succeeded, "")
	if n := b.world.with("once"); n != 1 {
		t.Errorf("%d notes", n)
	}
}

// A run that does not succeed gives back what it claimed.
func TestClaimsAreGivenBack(t *testing.T) {
	t.Parallel()
	for _, onError := range []string{"fail", "continue"} {
		b := newBench(t, map[string]string{"main": guestLink + "    on_error: " + onError})
		b.world.before = func(_ context.Context, op string, _ map[string]any) error {
			if op == "create" {
				return failing(connectors.Permanent, "forbidden")
			}
			return nil
		}
		b.work(b.happens(1, "ada")[0])
		if linked, claimed := b.links("main", "partner"); linked+claimed != 0 {
			t.Errorf("on_error: %s leaves %d links and %d claims", onError, linked, claimed)
		}
	}
}

func TestShutdownHandsBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + "steps: [{name: everyone, call: fake.list}]"})
	ctx, cancel := context.WithCancel(b.ctx)
	b.world.before = func(ctx context.Context, _ string, _ map[string]any) error { cancel(); <-ctx.Done(); return ctx.Err() }
	id := b.happens(1, "ada")[0]
	if _, err := b.executor.Work(ctx, id); err != nil {
		t.Fatal(err)
	}
	b.wants(b.run(id), store.Waiting, "")
	b.world.before = nil
	b.wants(b.work(id), store.Succeeded, "")
}

func TestPanicsEndTheRunOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"main":  onChange + "steps: [{name: everyone, call: fake.list}]",
		"first": "trigger: {manual: {}}\nsteps: [{name: note, call: fake.note, with: {email: x}}]",
	})
	b.world.before = func(context.Context, string, map[string]any) error { panic("a mistake") }
	b.wants(b.work(b.happens(1, "ada")[0]), store.Failed, "panic")
	b.wants(b.work(b.starts("first", nil)), store.Held, "unclear_write")
}

// starts starts a flow as a person does.
func (b *bench) starts(name string, input map[string]any) int64 {
	b.Helper()
	f, ok := b.versions.Current().Flow(name)
	if !ok {
		b.Fatalf("no flow %s", name)
	}
	id, err := b.router.StartManually(b.ctx, f, "main", input)
	if err != nil {
		b.Fatalf("starting %s: %v", name, err)
	}
	return id
}

func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + `
steps:
  - name: made
    call: fake.create
    with: {email: "key ${settings.token}"}
  - name: shown
    map: ${settings.token}
  - name: held
    call: run.hold
    with: {reason: "it is ${settings.token}"}
`})
	b.settings["token"] = `s3cr&t"key`
	id := b.happens(1, "ada")[0]
	r := b.work(id)
	b.wants(r, store.Held, "flow")
	steps, err := b.store.Steps(b.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		for _, text := range []string{string(s.Input), string(s.Output), s.Error} {
			if strings.Contains(text, "s3cr") {
				t.Errorf("step %s keeps the secret: %s", s.Path, text)
			}
		}
	}
	if r.Reason != "it is [secret]" {
		t.Errorf("the reason is %q", r.Reason)
	}
}

// A run that its worker does not survive is held in the end.
func TestARunThatEndsItsWorkersIsHeld(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"main": onChange + "steps: [{name: everyone, call: fake.list}]"})
	id := b.happens(1, "ada")[0]
	deaths := 0
	for b.run(id).State != store.Held {
		m := &mortal{Store: b.store}
		b.world.before = func(context.Context, string, map[string]any) error {
			m.dead.Store(true)
			deaths++
			return errDead
		}
		if _, err := b.newExecutor(m).Work(b.ctx, id); err != nil {
			b.bury(m)
		}
	}
	b.wants(b.run(id), store.Held, "interrupted")
	if want := len(b.executor.Backoff) + spareTries; deaths != want {
		t.Errorf("held after %d deaths, not %d", deaths, want)
	}
}
