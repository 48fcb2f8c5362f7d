package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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

// Prices are rounded to "Product Price" on 18 and kept on 19.
func TestProductPriceDigits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version, digits int
		want            string
	}{{18, 0, "0.01"}, {18, 4, "0.0125"}, {18, 6, "0.0125"}, {19, 0, "0.0125"}} {
		erp := New(Options{Version: c.version, ProductPriceDigits: c.digits})
		order, err := erp.Create("sale.order", Values{"partner_id": 1, "order_line": []any{
			[]any{0, 0, Values{"product_id": 4, "price_unit": Amount("0.0125"), "product_uom_qty": 1000}}}})
		if err != nil {
			t.Fatal(err)
		}
		lines, err := erp.Search("sale.order.line", []any{[]any{"order_id", "=", order}})
		if err != nil {
			t.Fatal(err)
		}
		read, err := erp.Read("sale.order.line", lines[0], "price_unit")
		if err != nil || !same(read["price_unit"], Amount(c.want)) {
			t.Errorf("Odoo %d with %d digits: %v, %v", c.version, c.digits, read, err)
		}
	}
}

// The currency comes from the pricelist; a given one is ignored.
func TestCurrencyOfAnOrder(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		erp := New(Options{Version: version})
		euro, err := erp.Search("res.currency", []any{[]any{"name", "=", "EUR"}})
		if err != nil {
			t.Fatal(err)
		}
		dollar, err := erp.Search("res.currency", []any{[]any{"name", "=", "USD"}})
		if err != nil {
			t.Fatal(err)
		}
		pricelist, err := erp.Create("product.pricelist", Values{"name": "Euro", "currency_id": euro[0]})
		if err != nil {
			t.Fatal(err)
		}
		for want, values := range map[int64]Values{
			dollar[0]: {"partner_id": 1, "currency_id": euro[0]},
			euro[0]:   {"partner_id": 1, "pricelist_id": pricelist, "currency_id": dollar[0]},
		} {
			id, err := erp.Create("sale.order", values)
			if err != nil {
				t.Fatal(err)
			}
			if read, _ := erp.Read("sale.order", id, "currency_id"); read["currency_id"] != want {
				t.Errorf("Odoo %d: %v gives %v", version, values, read)
			}
		}
	}
}

// Fiscal positions: found by country, mapping a product's taxes.
func TestFiscalPosition(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		erp := New(Options{Version: version})
		germany, err := erp.Search("res.country", []any{[]any{"code", "=", "DE"}})
		if err != nil {
			t.Fatal(err)
		}
		must := func(model string, values Values) int64 {
			t.Helper()
			id, err := erp.Create(model, values)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		export := Values{"name": "0 %", "amount": 0}
		position := Values{"name": "Export", "auto_apply": true, "country_id": germany[0]}
		var tax, id int64
		if version == 18 {
			tax = must("account.tax", export)
			position["tax_ids"] = []any{[]any{0, 0, Values{"tax_src_id": 1, "tax_dest_id": tax}}}
			id = must("account.fiscal.position", position)
		} else {
			export["original_tax_ids"] = []int64{1}
			tax = must("account.tax", export)
			position["tax_ids"] = []int64{tax}
			id = must("account.fiscal.position", position)
		}
		partner := must("res.partner", Values{"name": "Jens", "country_id": germany[0]})
		order := must("sale.order", Values{"partner_id": partner, "order_line": []any{[]any{0, 0, Values{"product_id": 4}}}})
		read, err := erp.Read("sale.order", order, "fiscal_position_id", "amount_tax", "order_line")
		if err != nil || read["fiscal_position_id"] != id || !same(read["amount_tax"], Amount("0")) {
			t.Errorf("Odoo %d: %v %v", version, read, err)
		}
		line, err := erp.Read("sale.order.line", read["order_line"].([]int64)[0], erp.taxesField())
		if err != nil || !same(line[erp.taxesField()], []int64{tax}) {
			t.Errorf("Odoo %d: %v %v", version, line, err)
		}
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
	for _, model := range []string{"sale.order.line", "ir.model.data"} {
		if left, err := erp.Search(model, nil); err != nil || len(left) != 0 {
			t.Errorf("%s left: %v %v", model, left, err)
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
		"": nil, "no address": nil, "a@x.test, b@x.test": nil, " jane@x.test ": "jane@x.test",
	} {
		if got := normalizedEmail(given); got != want {
			t.Errorf("%q is %v", given, got)
		}
	}
}

// Every field is one that the real Odoo has, of the same kind and name for people.
func TestFieldsAreOdoos(t *testing.T) {
	t.Parallel()
	folder := recordings(t)
	for version, pattern := range map[int]string{18: "odoo18/1*-fields_get-%s.json", 19: "odoo19/2*-fields_get-%s.json"} {
		for _, m := range New(Options{Version: version}).ordered {
			found, err := filepath.Glob(filepath.Join(folder, fmt.Sprintf(pattern, m.name)))
			if err != nil || len(found) == 0 {
				continue
			}
			content, err := os.ReadFile(found[0])
			if err != nil {
				t.Fatal(err)
			}
			var file struct{ Response struct{ Body map[string]any } }
			if err := json.Unmarshal(content, &file); err != nil {
				t.Fatal(err)
			}
			real := file.Response.Body
			if version == 18 {
				real = asObject(real["result"])
			}
			for _, f := range m.list {
				compareField(t, fmt.Sprintf("Odoo %d %s.%s", version, m.name, f.name), f, asObject(real[f.name]))
			}
		}
	}
}

func compareField(t *testing.T, name string, f *field, real map[string]any) {
	t.Helper()
	kindHere := string(f.kind)
	if f.name == "res_id" {
		kindHere = "many2one_reference"
	}
	switch {
	case real == nil:
		t.Errorf("%s: the real one has no such field", name)
	case real["type"] != kindHere:
		t.Errorf("%s is %s, really %s", name, f.kind, real["type"])
	case real["required"] == true && !f.required:
		t.Errorf("%s is not required, really it is", name)
	case f.required && real["required"] != true:
		t.Errorf("%s is required, really it is not", name)
	case real["string"] != f.label:
		t.Errorf("%s is called %q, really %q", name, f.label, real["string"])
	case f.relation != "" && real["relation"] != f.relation:
		t.Errorf("%s points to %s, really %s", name, f.relation, real["relation"])
	case f.kind == selection && len(f.options) > 0:
		known := map[string]bool{}
		for _, pair := range asList(real["selection"]) {
			known[fmt.Sprint(asList(pair)[0])] = true
		}
		for _, choice := range f.options {
			if !known[choice[0]] {
				t.Errorf("%s has the choice %s, the real one has not", name, choice[0])
			}
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
		if body := text3(t, response); body != `{"status":"pass"}` {
			t.Errorf("health says %s", body)
		}
		for range 2 {
			if err := erp.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
