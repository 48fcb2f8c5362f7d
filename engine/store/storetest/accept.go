package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

var acceptTests = []test{
	{"an event and its runs are read back as they were", func(f *fixture) {
		accepted, err := f.Accept(f.ctx, store.Arrival{
			Event: store.Event{Instance: instance, Source: "webhook", Name: "shop.order.created", Delivery: "d-1", Payload: []byte(`{"id":7}`), Note: "odd"},
			Starts: []store.Start{
				{Flow: "order-created", Order: 1, Key: "order:7", Version: "v1"},
				{Flow: "payment", Order: 2, Key: "order:7", Version: "v9", Input: []byte(`{"a":1}`)},
			},
		})
		f.must(err)
		events, err := f.Events(f.ctx, instance, 0, 10)
		f.must(err)
		if len(events) != 1 {
			f.Fatalf("got %d events", len(events))
		}
		e := events[0]
		if e.ID != accepted[0].EventID || e.Source != "webhook" || e.Name != "shop.order.created" || e.Delivery != "d-1" ||
			string(e.Payload) != `{"id":7}` || e.Note != "odd" || e.Instance != instance {
			f.Fatalf("got event %+v", e)
		}
		if age := time.Since(e.At); age < -time.Minute || age > time.Hour || e.At.Location() != time.UTC {
			f.Fatalf("accepted at %v", e.At)
		}
		run := f.run(accepted[0].RunIDs[1])
		if run.Flow != "payment" || run.Key != "order:7" || run.Version != "v9" || run.State != store.Waiting ||
			run.EventID != e.ID || string(run.Event) != `{"id":7}` || run.EventName != "shop.order.created" ||
			string(run.Input) != `{"a":1}` || run.Attempt != 0 || !run.StartedAt.IsZero() || !run.EndedAt.IsZero() {
			f.Fatalf("got run %+v", run)
		}
		if f.run(accepted[0].RunIDs[0]).Input != nil {
			f.Fatal("no input came back as some")
		}
	}},
	{"an event may start nothing", func(f *fixture) {
		accepted, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: instance, Note: "cannot be named"}})
		f.must(err)
		if accepted[0].EventID == 0 || len(accepted[0].RunIDs) != 0 {
			f.Fatalf("got %+v", accepted)
		}
	}},
	{"no arrivals are no work", func(f *fixture) {
		accepted, err := f.Accept(f.ctx)
		f.must(err)
		if accepted != nil {
			f.Fatalf("got %v", accepted)
		}
	}},
	{"a start with a problem is a failed run", func(f *fixture) {
		accepted, err := f.Accept(f.ctx, store.Arrival{
			Event:  store.Event{Instance: instance},
			Starts: []store.Start{{Flow: "a", Problem: "event.id is missing"}, start("b", "k")},
		})
		f.must(err)
		run := f.run(accepted[0].RunIDs[0])
		if run.State != store.Failed || run.Reason != "event.id is missing" || run.EndedAt.IsZero() {
			f.Fatalf("got %+v", run)
		}
		f.wantIDs("ready", f.ready(10), accepted[0].RunIDs[1])
	}},
	{"text that no database takes is made harmless", func(f *fixture) {
		_, err := f.Accept(f.ctx, store.Arrival{
			Event:  store.Event{Instance: instance, Delivery: "a\x00b", Note: "broken \xff\xfe", Payload: []byte("\x00\xff")},
			Starts: []store.Start{start("a", "Ключ 鍵 🔑")},
		})
		f.must(err)
		events, err := f.Events(f.ctx, instance, 0, 1)
		f.must(err)
		if events[0].Delivery != "a\uFFFDb" || !strings.HasPrefix(events[0].Note, "broken ") || string(events[0].Payload) != "\x00\xff" {
			f.Fatalf("got %+v", events[0])
		}
	}},
	{"what cannot be stored is refused with the reason", func(f *fixture) {
		long := strings.Repeat("x", store.MaxName+1)
		for _, arrival := range []store.Arrival{
			{Event: store.Event{}},
			{Event: store.Event{Instance: "a\x00"}},
			{Event: store.Event{Instance: long}},
			{Event: store.Event{Instance: instance}, Starts: []store.Start{{Flow: "a"}}},
			{Event: store.Event{Instance: instance}, Starts: []store.Start{{Key: "k"}}},
			{Event: store.Event{Instance: instance}, Starts: []store.Start{{Flow: "a", Key: long}}},
			{Event: store.Event{Instance: instance}, Starts: []store.Start{{Flow: "a", Key: "\xff"}}},
		} {
			_, err := f.Accept(f.ctx, arrival)
			f.wantErr(err, store.ErrInvalid)
		}
		_, err := f.Accept(f.ctx, store.Arrival{
			Event:  store.Event{Instance: instance},
			Starts: []store.Start{start("a", long[1:])},
		})
		f.must(err) // the longest key
	}},
	{"the arrivals of a call are stored together or not at all", func(f *fixture) {
		_, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: instance}}, store.Arrival{})
		f.wantErr(err, store.ErrInvalid)
		events, err := f.Events(f.ctx, instance, 0, 10)
		f.must(err)
		if len(events) != 0 {
			f.Fatalf("half of a refused call was stored: %+v", events)
		}
	}},
	{"concurrent calls each get their own answer", func(f *fixture) {
		var wait sync.WaitGroup
		for i := range 100 {
			wait.Go(func() {
				key := fmt.Sprintf("order:%d", i)
				accepted, err := f.Accept(f.ctx, store.Arrival{
					Event: store.Event{Instance: instance, Delivery: key}, Starts: []store.Start{start("a", key)},
				})
				if err != nil {
					f.Error(err)
					return
				}
				run, err := f.Run(f.ctx, accepted[0].RunIDs[0])
				if err != nil || run.Key != key || run.EventID != accepted[0].EventID {
					f.Errorf("%s: got %+v, %v", key, run, err)
				}
			})
		}
		wait.Wait()
	}},
	{"a caller that gave up is told so", func(f *fixture) {
		ctx, cancel := context.WithCancel(f.ctx)
		cancel()
		_, err := f.Accept(ctx, store.Arrival{Event: store.Event{Instance: instance}})
		f.wantErr(err, context.Canceled)
	}},
	{"a closed store is not available", func(f *fixture) {
		f.must(f.Close())
		f.must(f.Close())
		_, err := f.Accept(f.ctx, store.Arrival{Event: store.Event{Instance: instance}})
		f.wantErr(err, store.ErrUnavailable)
		_, err = f.Ready(f.ctx, 1)
		f.wantErr(err, store.ErrUnavailable)
	}},
	{"a ping writes", func(f *fixture) {
		f.must(f.Ping(f.ctx))
		f.must(f.Ping(f.ctx))
	}},
	{"errors of the store are told apart", func(f *fixture) {
		_, err := f.Run(f.ctx, 99)
		f.wantErr(err, store.ErrNotFound)
		_, _, err = f.Claim(f.ctx, 99, "x", time.Second)
		f.wantErr(err, store.ErrNotFound)
		if errors.Is(err, store.ErrUnavailable) {
			f.Fatal("a missing run is no failure of the database")
		}
	}},
}
