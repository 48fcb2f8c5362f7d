package storetest

import (
	"github.com/flowctl/flowctl/engine/store"
)

var cancelTests = []test{
	{"a held run is set aside, and says why and what it was", func(f *fixture) {
		id := f.accept("k", "flow-a")[0]
		f.work(id, store.Held)
		cancelled, err := f.Cancel(f.ctx, "entered by hand", id)
		f.must(err)
		f.wantIDs("cancelled", cancelled, id)
		run := f.run(id)
		if run.State != store.Cancelled || run.Reason != "entered by hand (was held: because)" || run.EndedAt.IsZero() {
			f.Fatalf("got %+v", run)
		}
	}},
	{"a waiting run gives way to the next of its key", func(f *fixture) {
		ids := f.accept("k", "flow-a", "flow-b")
		cancelled, err := f.Cancel(f.ctx, "no", ids[0])
		f.must(err)
		f.wantIDs("cancelled", cancelled, ids[0])
		f.wantIDs("ready", f.ready(10), ids[1])
	}},
	{"a running run, one that succeeded and one that does not exist are left alone", func(f *fixture) {
		running, done := f.accept("a", "flow-a")[0], f.accept("b", "flow-a")[0]
		lease := f.claim(running)
		f.work(done, store.Succeeded)
		cancelled, err := f.Cancel(f.ctx, "no", running, done, 999)
		f.must(err)
		f.wantIDs("cancelled", cancelled)
		f.finish(lease, store.Succeeded)
		f.wantState(running, store.Succeeded)
	}},
	{"a cancelled run can be reopened", func(f *fixture) {
		id := f.accept("k", "flow-a")[0]
		_, err := f.Cancel(f.ctx, "no", id)
		f.must(err)
		f.wantIDs("ready", f.ready(10))
		_, err = f.Reopen(f.ctx, false, id)
		f.must(err)
		f.wantIDs("ready", f.ready(10), id)
	}},
}

var importTests = []test{
	{"links are put without a lease, all or nothing", func(f *fixture) {
		f.must(f.PutLinks(f.ctx, instance, pair("77", "5"), pair("78", "6")))
		f.wantPairs("77=5", "78=6")
		f.wantErr(f.PutLinks(f.ctx, instance, pair("79", "7"), pair("80", "6")), store.ErrLinkTaken)
		f.wantPairs("77=5", "78=6")
		replacing := pair("80", "6")
		replacing.Replace = true
		f.must(f.PutLinks(f.ctx, instance, pair("79", "7"), replacing))
		f.wantPairs("77=5", "79=7", "80=6")
	}},
	{"what a live run has claimed is not put, a dead claim is filled", func(f *fixture) {
		lease := f.lease("k")
		_, err := f.ClaimLinks(f.ctx, lease, remote("5"))
		f.must(err)
		f.wantErr(f.PutLinks(f.ctx, instance, pair("77", "5")), store.ErrClaimed)
		f.finish(lease, store.Failed)
		f.must(f.PutLinks(f.ctx, instance, pair("77", "5")))
		f.wantPairs("77=5")
	}},
	{"a side that is empty is refused", func(f *fixture) {
		f.wantErr(f.PutLinks(f.ctx, instance, pair("", "5")), store.ErrInvalid)
		f.wantErr(f.PutLinks(f.ctx, "", pair("1", "5")), store.ErrInvalid)
	}},
}
