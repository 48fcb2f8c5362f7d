package link

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

var (
	byEmail = Table{Name: "partner_email", Local: connectors.Integer(), Remote: connectors.String(), KeyMayChange: true}
	byID    = Table{Name: "partner", Local: connectors.Integer(), Remote: connectors.Integer()}
)

// bench is a linker with the records that its matches find.
type bench struct {
	*testing.T
	linker  Linker
	mu      sync.Mutex
	records map[int64]string // e-mail by id
	created int
	updates []map[string]any
}

func newBench(t *testing.T) *bench {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bench{T: t, linker: Linker{Store: st}, records: map[int64]string{}}
}

// lease is a run's right to work.
func (b *bench) lease() store.Lease {
	b.Helper()
	key := fmt.Sprint("key", time.Now().UnixNano(), keys.Add(1))
	accepted, err := b.linker.Store.Accept(b.Context(), store.Arrival{
		Event: store.Event{Instance: "main", Source: "test"}, Starts: []store.Start{{Flow: "f", Key: key}}})
	if err != nil {
		b.Fatal(err)
	}
	_, lease, err := b.linker.Store.Claim(b.Context(), accepted[0].RunIDs[0], "test", time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	return lease
}

var keys atomic.Int64

// guest asks for the record of an e-mail, with all that can be done about it.
func (b *bench) guest(email string) Request {
	return Request{Lease: b.lease(), Side: store.Remote, Main: Row{byEmail, email},
		Match: func(context.Context) ([]any, error) { return b.matching(email), nil },
		Create: func(context.Context) (any, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.created++
			id := int64(100 + b.created)
			b.records[id] = email
			return id, nil
		},
		Update: func(_ context.Context, _ Pair, changes map[string]any) error {
			b.updates = append(b.updates, changes)
			return nil
		},
	}
}

func (b *bench) matching(email string) []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []any
	for _, id := range slices.Sorted(maps.Keys(b.records)) {
		if b.records[id] == email {
			ids = append(ids, id)
		}
	}
	return ids
}

func (b *bench) ensures(req Request) Result {
	b.Helper()
	result, err := b.linker.Ensure(b.Context(), req)
	if err != nil {
		b.Fatal(err)
	}
	return result
}

func TestMatchBeforeCreate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.records[7] = "ada"
	if got := b.ensures(b.guest("ada")); got.Local != int64(7) || got.Created || b.created != 0 {
		t.Errorf("a record that is there: %+v, %d created", got, b.created)
	}
	if got := b.ensures(b.guest("eve")); got.Local != int64(101) || !got.Created {
		t.Errorf("a record that is not: %+v", got)
	}
	req := b.guest("eve")
	req.Match, req.Create = func(context.Context) ([]any, error) { t.Error("matched although linked"); return nil, nil }, nil
	if got := b.ensures(req); got.Local != int64(101) || got.Created {
		t.Errorf("a linked record: %+v", got)
	}
}

func TestSeveralMatches(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.records[7], b.records[8] = "ada", "ada"
	var ambiguous *AmbiguousError
	if _, err := b.linker.Ensure(t.Context(), b.guest("ada")); !errors.As(err, &ambiguous) || len(ambiguous.Candidates) != 2 {
		t.Errorf("two records: %v", err)
	}
	req := b.guest("eve")
	req.Match = func(context.Context) ([]any, error) { return []any{int64(7), int64(7), nil}, nil }
	if got := b.ensures(req); got.Local != int64(7) {
		t.Errorf("one record found twice: %+v", got)
	}
}

func TestNothingToFind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	req := b.guest("ada")
	req.Create = nil
	var missing *MissingError
	if _, err := b.linker.Ensure(t.Context(), req); !errors.As(err, &missing) {
		t.Errorf("no match and no create: %v", err)
	}
	req.Match, req.Lease = nil, b.lease()
	if _, err := b.linker.Ensure(t.Context(), req); !errors.As(err, &missing) {
		t.Errorf("only an update: %v", err)
	}
}

// A record that is known by its other key is not made again, and both keys are
// remembered.
func TestAlso(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	guest := b.ensures(b.guest("ada"))
	customer := b.guest("ada")
	customer.Main, customer.Also = Row{byID, int64(5)}, []Row{{byEmail, "ada"}}
	customer.Match = nil
	if got := b.ensures(customer); got.Local != guest.Local || got.Created {
		t.Errorf("the customer is %+v, the guest was %+v", got, guest)
	}
	// The customer's new e-mail keeps the record.
	customer.Lease, customer.Also = b.lease(), []Row{{byEmail, "ada@new"}}
	b.ensures(customer)
	if got := b.ensures(b.guest("ada@new")); got.Local != guest.Local || b.created != 1 {
		t.Errorf("by the new e-mail: %+v, %d created", got, b.created)
	}
}

func TestTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.guest("ada")
	first.Main = Row{byID, int64(5)}
	b.ensures(first)
	second := b.guest("ada")
	second.Main = Row{byID, int64(6)}
	var taken *TakenError
	if _, err := b.linker.Ensure(t.Context(), second); !errors.As(err, &taken) {
		t.Errorf("a record of another customer: %v", err)
	}
}

func TestUpdateOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ask := func(values map[string]any, alone bool) Result {
		req := b.guest("ada")
		req.Values = values
		if alone {
			req.Match, req.Create = nil, nil
		}
		return b.ensures(req)
	}
	amount := func(s string) decimal.Decimal { return decimal.RequireFromString(s) }
	ask(map[string]any{"name": "Ada", "price": amount("1.10")}, false)
	if got := ask(map[string]any{"name": "Ada", "price": amount("1.1")}, false); got.Updated {
		t.Error("an equal amount is a change")
	}
	if got := ask(map[string]any{"name": "Ada", "price": amount("1.2")}, true); !got.Updated {
		t.Error("without match and create a change is not written")
	}
	ask(map[string]any{"name": "Ada", "price": amount("1.2")}, true)
	if want := []map[string]any{{"price": amount("1.2")}}; !reflect.DeepEqual(b.updates, want) {
		t.Errorf("the updates are %v", b.updates)
	}
}

// A recheck that finds its record gone makes another, once, however many ask.
func TestRecheck(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ensures(b.guest("ada"))
	b.records = map[int64]string{}
	var asking sync.WaitGroup
	for range 6 {
		req := b.guest("ada")
		req.Recheck = true
		asking.Go(func() {
			if _, err := b.linker.Ensure(t.Context(), req); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if b.created != 2 || len(b.matching("ada")) != 1 {
		t.Errorf("%d created in all, %d records now", b.created, len(b.matching("ada")))
	}
	if rows, err := b.linker.Store.Links(t.Context(), store.LinkFilter{}); err != nil || len(rows) != 1 || rows[0].Local != "102" {
		t.Errorf("the rows are %v, %v", rows, err)
	}
}

// Amounts that are equal have one fingerprint, others have another.
func TestFingerprintsOfAmounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := decimal.New(rapid.Int64().Draw(t, "digits"), -rapid.Int32Range(0, 8).Draw(t, "scale"))
		b := decimal.New(rapid.Int64().Draw(t, "other digits"), -rapid.Int32Range(0, 8).Draw(t, "other scale"))
		longer := a.Add(decimal.New(0, a.Exponent()-3)) // the same with three more zeros
		if fingerprint(a) != fingerprint(longer) {
			t.Fatalf("%s and %s differ", a, longer)
		}
		if a.Equal(b) != (fingerprint(a) == fingerprint(b)) {
			t.Fatalf("%s and %s", a, b)
		}
	})
}
