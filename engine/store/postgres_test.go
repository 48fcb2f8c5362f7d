package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/store/storetest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	server := storetest.StartPostgres(t)
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, server.Schema(t)) })
}

func TestPostgresShared(t *testing.T) {
	t.Parallel()
	server := storetest.StartPostgres(t)
	storetest.RunShared(t, func(t *testing.T) func() store.Store {
		url := server.Schema(t)
		return func() store.Store { return open(t, url) }
	})
}

// The server crashes under load and comes back: until then errors say that the
// store is not available, after it the store goes on by itself, and what was
// acknowledged is there.
func TestPostgresGoneAndBack(t *testing.T) {
	t.Parallel()
	server := storetest.StartPostgres(t)
	if !server.Private() {
		t.Skip("SKIPPED: the PostgreSQL of " + storetest.PostgresURL + " is not this test's to crash")
	}
	s := open(t, server.Schema(t))
	ctx := context.Background()

	var mu sync.Mutex
	acknowledged := map[int64]bool{}
	var accepting sync.WaitGroup
	for range 8 {
		accepting.Go(func() {
			for {
				accepted, err := s.Accept(ctx, store.Arrival{Event: store.Event{Instance: "main"}})
				if err != nil {
					if !errors.Is(err, store.ErrUnavailable) {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				acknowledged[accepted[0].EventID] = true
				mu.Unlock()
			}
		})
	}
	for enough := false; !enough && !t.Failed(); time.Sleep(time.Millisecond) {
		mu.Lock()
		enough = len(acknowledged) > 100
		mu.Unlock()
	}
	server.Kill()
	accepting.Wait()
	if err := s.Ping(ctx); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}

	server.Start(t)
	if err := s.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	for before := int64(0); ; {
		events, err := s.Events(ctx, "main", before, store.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			delete(acknowledged, e.ID)
			before = e.ID
		}
	}
	if len(acknowledged) > 0 {
		t.Fatalf("%d acknowledged events are lost", len(acknowledged))
	}
}
