package storetest

import (
	"reflect"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

var journalTests = []test{
	{"entries are read in the order first written and replaced by path", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		lease := f.claim(id)
		began := time.Date(2024, 2, 29, 12, 0, 0, 123456000, time.UTC)
		customer := store.Step{Path: "customer", State: store.StepStarted, Hash: "h1", Input: []byte(`{}`), Started: began, Attempts: 1}
		f.must(f.SaveSteps(f.ctx, lease, customer, store.Step{Path: "lines[0]", State: store.StepSkipped}))
		customer.State, customer.Output, customer.Ended, customer.Attempts = store.StepDone, []byte(`{"id":5}`), began.Add(time.Second), 2
		failed := store.Step{Path: "totals/round", State: store.StepFailed, Error: "no such tax"}
		f.must(f.SaveSteps(f.ctx, lease, failed, customer))
		f.must(f.SaveSteps(f.ctx, lease))

		steps, err := f.Steps(f.ctx, id)
		f.must(err)
		want := []store.Step{customer, {Path: "lines[0]", State: store.StepSkipped}, failed}
		if !reflect.DeepEqual(steps, want) {
			f.Fatalf("got  %+v\nwant %+v", steps, want)
		}
	}},
	{"a retry keeps the journal, a fresh start drops it", func(f *fixture) {
		id := f.accept("order:1", "flow-a")[0]
		lease := f.claim(id)
		f.must(f.SaveSteps(f.ctx, lease, store.Step{Path: "a", State: store.StepDone}))
		f.finish(lease, store.Failed)
		for _, fresh := range []bool{false, true} {
			_, err := f.Reopen(f.ctx, fresh, id)
			f.must(err)
			steps, err := f.Steps(f.ctx, id)
			f.must(err)
			if (len(steps) == 0) != fresh {
				f.Fatalf("fresh %v: %d steps", fresh, len(steps))
			}
			f.work(id, store.Failed)
		}
	}},
	{"a run without a journal has none", func(f *fixture) {
		steps, err := f.Steps(f.ctx, 99)
		f.must(err)
		if len(steps) != 0 {
			f.Fatalf("got %v", steps)
		}
	}},
}
