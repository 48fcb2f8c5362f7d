package woocommerce

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// dated answers with the shop's own time, as its web server does.
func dated(shop http.Handler, now *time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now.Format(http.TimeFormat))
		shop.ServeHTTP(w, r)
	})
}

// TestWalkMissesNothing: whatever changes while a list is walked, every product
// is seen as it is after its last change, however many changed in one second.
func TestWalkMissesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
		shop := sandbox.New(sandbox.Options{Now: func() time.Time { return now }})
		defer shop.Close()
		conn := inProcess(dated(shop, &now))
		pass := func() { now = now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "seconds")) * time.Second) }
		var ids []int64
		for range rapid.IntRange(1, 25).Draw(t, "products") {
			if rapid.IntRange(0, 3).Draw(t, "another second") == 0 {
				pass()
			}
			ids = append(ids, shop.AddProduct(sandbox.Product{Name: "P", RegularPrice: "1"}))
		}
		last, seen := map[int64]time.Time{}, map[int64]time.Time{}
		for _, id := range ids {
			last[id] = time.Time{}
		}
		size := int64(rapid.IntRange(1, 6).Draw(t, "page"))
		var cursor any
		for step := 0; ; step++ {
			result, err := call(conn, "products.changed", map[string]any{"cursor": cursor, "per_page": size, "overlap": int64(5)})
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range items(result) {
				seen[idOf(item)] = modifiedOf(item)
			}
			if cursor = result["cursor"]; step > 500 {
				t.Fatalf("the walk does not end: %v", cursor)
			}
			if result["more"] == false {
				break
			}
			if step < 20 && rapid.Bool().Draw(t, "something changes") {
				pass()
				id := rapid.SampledFrom(ids).Draw(t, "id")
				shop.SetStock(id, int64(step))
				last[id] = now
			}
		}
		// What changed behind the cursor's back is seen by the next walk.
		for more := true; more; {
			result, err := call(conn, "products.changed", map[string]any{"cursor": cursor, "per_page": size, "overlap": int64(5)})
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range items(result) {
				seen[idOf(item)] = modifiedOf(item)
			}
			cursor, more = result["cursor"], result["more"] == true
		}
		for id, at := range last {
			if got, ok := seen[id]; !ok || got.Before(at) {
				t.Fatalf("product %d changed at %v and was seen as of %v (%v)", id, at, got, ok)
			}
		}
	})
}

// TestWalkAdvances: a walk that is done reads only what changed since, and the
// overlap.
func TestWalkAdvances(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	shop := sandbox.New(sandbox.Options{Now: func() time.Time { return now }})
	t.Cleanup(func() { shop.Close() })
	conn := inProcess(dated(shop, &now))
	walk := func(params map[string]any) (map[string]any, []int64) {
		t.Helper()
		result, err := call(conn, "products.changed", params)
		if err != nil {
			t.Fatal(err)
		}
		var ids []int64
		for _, item := range items(result) {
			ids = append(ids, idOf(item))
		}
		return result, ids
	}
	blue, red := addMugs(shop)
	now = now.Add(time.Hour)
	shop.SetStock(blue, 3)
	first, ids := walk(nil)
	if !slices.Equal(ids, []int64{red, blue}) || first["more"] != false {
		t.Errorf("the first walk reads %v, more is %v", ids, first["more"])
	}
	now = now.Add(time.Minute)
	if _, ids = walk(map[string]any{"cursor": first["cursor"]}); !slices.Equal(ids, []int64{blue}) {
		t.Errorf("a minute later it reads %v", ids)
	}
	now = now.Add(time.Hour)
	second, _ := walk(map[string]any{"cursor": first["cursor"]})
	if _, ids = walk(map[string]any{"cursor": second["cursor"]}); ids != nil {
		t.Errorf("an hour later it reads %v", ids)
	}
	if _, ids = walk(map[string]any{"since": now.Add(-90 * time.Minute)}); !slices.Equal(ids, []int64{blue}) {
		t.Errorf("since an instant it reads %v", ids)
	}
	for _, cursor := range []string{"x", "2026-11-23", "-/x/-", "-/-1/-", "1/2/3/4"} {
		e := fail(t, conn, "products.changed", map[string]any{"cursor": cursor})
		if e.Code != connectors.CodeBadParams || !strings.Contains(e.Message, "no cursor") {
			t.Errorf("the cursor %q: %s, %q", cursor, e.Code, e.Message)
		}
	}
}

// TestCustomerWalk: whoever is deleted while the customers are walked, all others
// are seen once.
func TestCustomerWalk(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shop := sandbox.New(sandbox.Options{})
		defer shop.Close()
		conn := inProcess(shop)
		left := map[int64]bool{1: true} // the administrator
		var ids []int64
		for i := range rapid.IntRange(0, 40).Draw(t, "customers") {
			id := shop.AddCustomer(sandbox.Customer{Email: string(rune('a'+i%26)) + strings.Repeat("x", i/26) + "@example.test"})
			ids, left[id] = append(ids, id), true
		}
		size := int64(rapid.IntRange(1, 15).Draw(t, "page"))
		seen := map[int64]int{}
		var cursor any
		for {
			result, err := call(conn, "customers.walk", map[string]any{"cursor": cursor, "per_page": size})
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range items(result) {
				seen[idOf(item)]++
			}
			if cursor = result["cursor"]; result["more"] == false {
				break
			}
			for range rapid.IntRange(0, 20).Draw(t, "deletions") {
				if len(ids) == 0 {
					break
				}
				id := rapid.SampledFrom(ids).Draw(t, "id")
				if left[id] {
					if _, err := call(conn, "customers.delete", map[string]any{"id": id}); err != nil {
						t.Fatal(err)
					}
					delete(left, id)
				}
			}
		}
		if cursor != nil {
			t.Fatalf("a walk that is done has the cursor %v", cursor)
		}
		for id := range left {
			if seen[id] != 1 {
				t.Fatalf("customer %d was seen %d times", id, seen[id])
			}
		}
	})
}
