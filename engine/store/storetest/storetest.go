// Package storetest is the conformance suite of [store.Store]: whatever
// implements the interface passes [Run] and [RunShared]. It also brings up a
// private PostgreSQL for tests, and a store that fails on command.
package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// Run runs the suite. open opens an empty store and sees to its closing.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"Accept", acceptTests},
		{"Order", orderTests},
		{"Lease", leaseTests},
		{"Journal", journalTests},
		{"Cancel", cancelTests},
		{"Links", linkTests},
		{"LinkGroups", linkGroupTests},
		{"Import", importTests},
		{"Lists", listTests},
		{"Settings", settingsTests},
		{"Announce", announceTests},
		{"Instances", instanceTests},
		{"Status", statusTests},
		{"Prune", pruneTests},
		{"Person", personTests},
		{"Accounts", accountTests},
		{"History", historyTests},
		{"Feeds", feedTests},
		{"Schedules", scheduleTests},
		{"Model", modelTests},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					test.run(&fixture{
						TB: t, Store: open(t), ctx: context.Background(),
						another: func() store.Store { return open(t) },
					})
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(f *fixture)
}

// instance is the instance that tests use unless they need several.
const instance = "main"

// fixture is a store with the phrases that tests are made of. Its methods end
// the test when something fails that should not.
type fixture struct {
	testing.TB
	store.Store
	ctx     context.Context
	another func() store.Store // opens another empty store
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) wantErr(err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Fatalf("got error %v, want %v", err, want)
	}
}

func (f *fixture) wantIDs(what string, got []int64, want ...int64) {
	f.Helper()
	if !slices.Equal(got, want) {
		f.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// start is a start of a flow whose place is its last letter's.
func start(flow, key string) store.Start {
	return store.Start{Flow: flow, Order: int(flow[len(flow)-1]), Key: key, Version: "v1"}
}

// accept accepts an event that starts the flows for one key.
func (f *fixture) accept(key string, flows ...string) []int64 {
	f.Helper()
	arrival := store.Arrival{Event: store.Event{Instance: instance, Source: "webhook", Name: "shop.order.updated", Payload: []byte(`{"id":1}`)}}
	for _, flow := range flows {
		arrival.Starts = append(arrival.Starts, start(flow, key))
	}
	accepted, err := f.Accept(f.ctx, arrival)
	f.must(err)
	return accepted[0].RunIDs
}

func (f *fixture) saveSettings(instance string, values map[string][]byte) {
	f.Helper()
	_, err := f.SaveSettings(f.ctx, instance, values)
	f.must(err)
}

func (f *fixture) ready(limit int) []int64 {
	f.Helper()
	runs, err := f.Ready(f.ctx, limit)
	f.must(err)
	return idsOf(runs)
}

func idsOf(runs []store.Run) []int64 {
	ids := make([]int64, len(runs))
	for i, run := range runs {
		ids[i] = run.ID
	}
	return ids
}

func (f *fixture) claim(id int64) store.Lease {
	f.Helper()
	_, lease, err := f.Claim(f.ctx, id, "tester", time.Hour)
	f.must(err)
	return lease
}

// claimAndDie claims a run and lets the lease end.
func (f *fixture) claimAndDie(id int64) store.Lease {
	f.Helper()
	_, lease, err := f.Claim(f.ctx, id, "dead", time.Microsecond)
	f.must(err)
	time.Sleep(3 * time.Millisecond) // SQLite's clock counts milliseconds
	return lease
}

func (f *fixture) finish(lease store.Lease, state store.State) (next int64) {
	f.Helper()
	next, err := f.Finish(f.ctx, lease, store.Outcome{State: state, Reason: "because"})
	f.must(err)
	return next
}

// work claims and finishes a run.
func (f *fixture) work(id int64, state store.State) (next int64) {
	f.Helper()
	return f.finish(f.claim(id), state)
}

func (f *fixture) run(id int64) store.Run {
	f.Helper()
	run, err := f.Run(f.ctx, id)
	f.must(err)
	return run
}

func (f *fixture) wantState(id int64, want store.State) {
	f.Helper()
	if run := f.run(id); run.State != want {
		f.Fatalf("run %d is %s, want %s", id, run.State, want)
	}
}
