package storetest

import (
	"strconv"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

var listTests = []test{
	{"runs are filtered and paged, newest first", func(f *fixture) {
		one := f.accept("order:1", "flow-a", "flow-b")
		two := f.accept("order:2", "flow-a")
		f.work(one[0], store.Held)
		elsewhere, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: "other"}, Starts: []store.Start{start("flow-a", "order:1")}})
		f.must(err)
		other := elsewhere[0].RunIDs[0]
		for _, c := range []struct {
			what   string
			filter store.RunFilter
			want   []int64
		}{
			{"all", store.RunFilter{}, []int64{other, two[0], one[1], one[0]}},
			{"of an instance", store.RunFilter{Instance: instance}, []int64{two[0], one[1], one[0]}},
			{"of a flow", store.RunFilter{Flow: "flow-a"}, []int64{other, two[0], one[0]}},
			{"of a key", store.RunFilter{Instance: instance, Key: "order:1"}, []int64{one[1], one[0]}},
			{"of a record", store.RunFilter{Instance: instance, Record: "1"}, []int64{one[1], one[0]}},
			{"of a record that is longer than any key", store.RunFilter{Record: "a very long record, longer than keys"}, []int64{}},
			{"by states", store.RunFilter{States: []store.State{store.Held, store.Failed}}, []int64{one[0]}},
			{"since", store.RunFilter{Since: time.Now().Add(time.Hour)}, []int64{}},
			{"recent", store.RunFilter{Instance: instance, Since: time.Now().Add(-time.Hour)}, []int64{two[0], one[1], one[0]}},
			{"first page", store.RunFilter{Limit: 2}, []int64{other, two[0]}},
			{"next page", store.RunFilter{Limit: 2, Before: two[0]}, []int64{one[1], one[0]}},
		} {
			runs, err := f.Runs(f.ctx, c.filter)
			f.must(err)
			f.wantIDs(c.what, idsOf(runs), c.want...)
		}
		counts, err := f.Counts(f.ctx, instance)
		f.must(err)
		if counts[store.Waiting] != 2 || counts[store.Held] != 1 || counts[store.Failed] != 0 {
			f.Fatalf("got %v", counts)
		}
		if counts, err = f.Counts(f.ctx, ""); err != nil || counts[store.Waiting] != 3 {
			f.Fatalf("got %v, %v", counts, err)
		}
	}},
	{"events are paged, newest first", func(f *fixture) {
		for i := range 5 {
			_, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: instance, Delivery: strconv.Itoa(i)}})
			f.must(err)
		}
		_, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: "other"}})
		f.must(err)
		page, err := f.Events(f.ctx, instance, 0, 3)
		f.must(err)
		if len(page) != 3 || page[0].Delivery != "4" {
			f.Fatalf("got %+v", page)
		}
		page, err = f.Events(f.ctx, instance, page[2].ID, 3)
		f.must(err)
		if len(page) != 2 || page[1].Delivery != "0" {
			f.Fatalf("got %+v", page)
		}
	}},
}

var settingsTests = []test{
	{"settings are kept by instance and name", func(f *fixture) {
		f.saveSettings(instance, map[string][]byte{"a": []byte(`1`), "b": []byte(`"x"`), "c": {}})
		f.saveSettings("other", map[string][]byte{"a": []byte(`2`)})
		f.saveSettings(instance, map[string][]byte{"a": []byte(`3`), "b": nil, "unknown": nil})
		settings, err := f.Settings(f.ctx, instance)
		f.must(err)
		if len(settings) != 2 || string(settings["a"]) != "3" || settings["c"] == nil {
			f.Fatalf("got %q", settings)
		}
		settings, err = f.Settings(f.ctx, "third")
		f.must(err)
		if settings == nil || len(settings) != 0 {
			f.Fatalf("got %v", settings)
		}
	}},
	{"cursors are kept by instance and name", func(f *fixture) {
		if value, err := f.Cursor(f.ctx, instance, "orders"); err != nil || value != "" {
			f.Fatalf("got %q, %v", value, err)
		}
		f.must(f.SetCursor(f.ctx, instance, "orders", "2024-01-01"))
		f.must(f.SetCursor(f.ctx, instance, "orders", "2024-02-01"))
		f.must(f.SetCursor(f.ctx, "other", "orders", "2023-01-01"))
		if value, err := f.Cursor(f.ctx, instance, "orders"); err != nil || value != "2024-02-01" {
			f.Fatalf("got %q, %v", value, err)
		}
	}},
}
