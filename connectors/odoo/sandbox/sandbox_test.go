package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// A call happens as a whole or not at all (odoo18/601, 602).
func TestAllOrNothing(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	before, err := erp.Search("res.partner", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = erp.Create("res.partner", Values{"name": "Parent", "child_ids": []any{
		[]any{0, 0, Values{"name": "Fine"}}, []any{0, 0, Values{"phone": "no name"}}}})
	if err == nil || !strings.Contains(err.Error(), "Contacts require a name") {
		t.Errorf("created a contact without a name: %v", err)
	}
	if err := erp.Write("res.partner", []int64{1, 999}, Values{"ref": "x"}); err == nil {
		t.Error("wrote a partner that does not exist")
	}
	after, err := erp.Search("res.partner", []any{"|", []any{"ref", "=", "x"}, []any{"id", ">", 0}})
	if err != nil || len(after) != len(before) {
		t.Errorf("%d partners before, %d after: %v", len(before), len(after), err)
	}
	if read, _ := erp.Read("res.partner", 1, "ref"); read["ref"] != nil {
		t.Errorf("half a write stayed: %v", read)
	}
}

// Also where a rule of the sandbox itself panics.
func TestPanicLeavesNothing(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	func() {
		defer func() { _ = recover() }()
		_ = erp.within(func(tx *transaction) error {
			if _, err := tx.create(tx.must("res.partner"), Values{"name": "Ghost"}); err != nil {
				return err
			}
			panic("a mistake")
		})
	}()
	if ids, err := erp.Search("res.partner", []any{[]any{"name", "=", "Ghost"}}); err != nil || len(ids) != 0 {
		t.Errorf("found %v, %v", ids, err)
	}
}

// Calls at once act as if one came after the other: of two that confirm the
// same order one is refused (odoo19/461).
func TestSerialisable(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	confirmed := 0
	order, err := erp.Create("sale.order", Values{"partner_id": 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		wg.Go(func() {
			if _, err := erp.Create("res.partner", Values{"name": fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
			if _, err := erp.Call("sale.order", "action_confirm", []int64{order}, nil); err == nil {
				mu.Lock()
				confirmed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if confirmed != 1 {
		t.Errorf("confirmed %d times", confirmed)
	}
}

// Deleting: what cascades, what forbids it, what is emptied.
func TestUnlink(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	partner, err := erp.Create("res.partner", Values{"name": "Jane"})
	if err != nil {
		t.Fatal(err)
	}
	order, err := erp.Create("sale.order", Values{"partner_id": partner, "order_line": []any{[]any{0, 0, Values{"product_id": 4}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := erp.Create("ir.model.data", Values{"module": "woo", "name": "order_1", "model": "sale.order", "res_id": order}); err != nil {
		t.Fatal(err)
	}
	if err := erp.Unlink("res.partner", []int64{partner}); err == nil || !strings.Contains(err.Error(), "sale_order_partner_id_fkey") {
		t.Errorf("deleted the customer of an order: %v", err)
	}
	if err := erp.Unlink("sale.order", []int64{order}); err != nil {
		t.Fatal(err)
	}
	for model, domain := range map[string][]any{"sale.order.line": nil, "ir.model.data": {[]any{"module", "=", "woo"}}} {
		if left, err := erp.Search(model, domain); err != nil || len(left) != 0 {
			t.Errorf("%s left: %v %v", model, left, err)
		}
	}
}

// A template goes with its last variant, and its variants with it.
func TestUnlinkProducts(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	for _, model := range []string{"product.product", "product.template"} {
		id, err := erp.Create(model, Values{"name": "Short-lived", "default_code": "X-1"})
		if err != nil {
			t.Fatal(err)
		}
		if err := erp.Unlink(model, []int64{id}); err != nil {
			t.Fatal(err)
		}
		for _, left := range []string{"product.product", "product.template"} {
			if ids, err := erp.Search(left, []any{[]any{"name", "=", "Short-lived"}}); err != nil || len(ids) != 0 {
				t.Errorf("after deleting a %s, %s left: %v %v", model, left, ids, err)
			}
		}
	}
}

func TestExternalIDs(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	if _, err := erp.Create("ir.model.data", Values{"module": "woo", "name": "customer_1", "model": "res.partner", "res_id": 1}); err != nil {
		t.Fatal(err)
	}
	got, err := erp.Call("res.partner", "get_external_id", []int64{1, 3}, nil)
	names := asObject(got)
	if err != nil || names["1"] != "woo.customer_1" || names["3"] != "" {
		t.Errorf("%v %v", got, err)
	}
}

func TestEmailNormalized(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]any{
		"Jane@Example.Test": "jane@example.test", `"Jane Doe" <JANE@x.test>`: "jane@x.test",
		"": nil, "no address": nil, "A@x.test, b@x.test": "a@x.test", "a@x.test;b@x.test": "a@x.test", " jane@x.test ": "jane@x.test",
	} {
		if got := normalizedEmail(given); got != want {
			t.Errorf("%q is %v", given, got)
		}
	}
}

// A pattern without wildcards is found where it stands.
func TestWildcard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-c]{0,4}`).Draw(t, "word")
		before, after := rapid.StringMatching(`[a-c]{0,4}`).Draw(t, "before"), rapid.StringMatching(`[a-c]{0,4}`).Draw(t, "after")
		if !matchText("ilike", before+strings.ToUpper(word)+after, word) {
			t.Fatalf("%q is not found in %q", word, before+word+after)
		}
		if matchText("=like", before+word, word) != (before == "") {
			t.Fatalf("=like %q of %q", word, before+word)
		}
	})
	for pattern, want := range map[string]bool{"a%c": true, "a_c": false, "%b%": true, "": false, "abbc%": true} {
		if got := matchText("=like", "abbc", pattern); got != want {
			t.Errorf("=like %q is %v", pattern, got)
		}
	}
}

func TestStartAndClose(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	if _, err := erp.Start("0.0.0.0:0"); err == nil {
		t.Error("listens on every address")
	}
	for range 2 {
		url, err := erp.Start("")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := erp.Start(""); err == nil {
			t.Error("started twice")
		}
		response, err := http.Get(url + "/web/health")
		if err != nil {
			t.Fatal(err)
		}
		if body := bodyOf(t, response); body != `{"status":"pass"}` {
			t.Errorf("health says %s", body)
		}
		for range 2 {
			if err := erp.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
