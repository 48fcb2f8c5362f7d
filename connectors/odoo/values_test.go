package odoo_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

// Odoo says false where it means nothing; flows get nothing, but false stays
// false for a boolean.
func TestReadTypes(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		id := b.seed("res.partner", sandbox.Values{"name": "Jane"})
		got := b.call("get", params{"model": "res.partner", "id": id, "fields": list(
			"email", "country_id", "is_company", "customer_rank", "child_ids", "type", "write_date")})
		if got["email"] != nil || got["country_id"] != nil {
			t.Errorf("nothing reads as %v and %v", got["email"], got["country_id"])
		}
		if got["is_company"] != false || got["customer_rank"] != int64(0) || got["type"] != "contact" || got["id"] != id {
			t.Errorf("read %v", got)
		}
		if children, ok := got["child_ids"].([]any); !ok || len(children) != 0 {
			t.Errorf("child_ids is %v", got["child_ids"])
		}
		if at, ok := got["write_date"].(time.Time); !ok || at.Location() != time.UTC {
			t.Errorf("write_date is %v", got["write_date"])
		}
		order := b.seed("sale.order", sandbox.Values{"partner_id": id})
		day := b.call("get", params{"model": "sale.order", "id": order, "fields": list("validity_date", "amount_total")})
		if text, ok := day["validity_date"].(string); !ok || len(text) != len(time.DateOnly) {
			t.Errorf("validity_date is %v", day["validity_date"])
		}
		wantAmount(t, "amount_total", day["amount_total"], "0")
	})
}

// All fields of a record can be read, by the names of Odoo 19.
func TestReadEveryField(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		partner := b.seed("res.partner", sandbox.Values{"name": "Jane"})
		order := b.seed("sale.order", sandbox.Values{"partner_id": partner, "order_line": []any{
			[]any{0, 0, sandbox.Values{"product_id": 4}}}})
		lines := b.call("search_read", params{"model": "sale.order.line", "domain": list(list("order_id", "=", order))})["records"].([]any)
		line := lines[0].(map[string]any)
		for _, name := range []string{"tax_ids", "product_uom_id", "price_unit"} {
			if _, ok := line[name]; !ok {
				t.Errorf("the record lacks %s: %v", name, line)
			}
		}
		for _, name := range []string{"tax_id", "product_uom"} {
			if _, ok := line[name]; ok {
				t.Errorf("the record has %s", name)
			}
		}
		names := b.call("fields", params{"model": "sale.order.line"})["names"].([]any)
		if len(names) != len(line) {
			t.Errorf("%d names for %d fields", len(names), len(line))
		}
	})
}

// What a read gives can be written back as it is.
func TestWriteBackWhatWasRead(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		us := b.call("search", params{"model": "res.country", "domain": list(list("code", "=", "US"))})["ids"].([]any)[0]
		first := b.seed("res.partner", sandbox.Values{"name": "A", "country_id": us, "street": "1 Main St"})
		fields := list("name", "country_id", "street", "email", "is_company", "customer_rank")
		read := b.call("get", params{"model": "res.partner", "id": first, "fields": fields})
		delete(read, "id")
		second := b.call("create", params{"model": "res.partner", "values": read})["id"]
		again := b.call("get", params{"model": "res.partner", "id": second, "fields": fields})
		if again["country_id"].(map[string]any)["id"] != us || again["street"] != "1 Main St" || again["email"] != nil {
			t.Errorf("read back %v", again)
		}
		taxes := b.call("get", params{"model": "product.product", "id": int64(4), "fields": list("taxes_id")})
		b.call("write", params{"model": "product.product", "id": int64(5), "values": params{"taxes_id": taxes["taxes_id"]}})
		b.call("write", params{"model": "product.product", "id": int64(5), "values": params{"taxes_id": list()}})
		if got := b.call("get", params{"model": "product.product", "id": int64(5), "fields": list("taxes_id")}); len(got["taxes_id"].([]any)) != 0 {
			t.Errorf("an empty list left %v", got["taxes_id"])
		}
	})
}

// No amount passes through a float: every digit that is sent comes back.
func TestAmountsAreExact(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{Version: 19})
	id := b.seed("product.template", sandbox.Values{"name": "x"})
	rapid.Check(t, func(t *rapid.T) {
		// 15 digits are what a double keeps, and Odoo stores doubles.
		units := rapid.Int64Range(-999_999_999_999_999, 999_999_999_999_999).Draw(t, "units")
		places := rapid.Int32Range(0, 8).Draw(t, "places")
		want := decimal.New(units, -places)
		b.call("write", params{"model": "product.template", "id": id, "values": params{"list_price": want}})
		got := b.call("get", params{"model": "product.template", "id": id, "fields": list("list_price")})["list_price"]
		if d, ok := got.(decimal.Decimal); !ok || !d.Equal(want) {
			t.Fatalf("wrote %s, read %v", want, got)
		}
	})
}

// The pin of Odoo 19 goes through as it is, its amounts exact.
func TestPinGoesThrough(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{Version: 19})
	partner := b.seed("res.partner", sandbox.Values{"name": "Jane"})
	vat := b.seed("account.tax", sandbox.Values{"name": "20 %", "amount": 20})
	order := b.call("create", params{"model": "sale.order", "values": params{"partner_id": partner, "order_line": list(
		list(int64(0), int64(0), params{
			"product_id": int64(5), "product_uom_qty": int64(3), "price_unit": amount("3.33"), "tax_ids": list(vat),
			"extra_tax_data": params{
				"currency_id": int64(1), "price_unit": amount("3.33"), "discount": amount("0"), "quantity": int64(3),
				"rate": amount("1"), "manual_total_excluded_currency": amount("9.98"),
				"manual_tax_amounts": params{"3": params{"tax_amount_currency": amount("2.01"), "base_amount_currency": amount("9.98")}},
			},
		}))}})["id"]
	if vat != 3 {
		t.Fatalf("the tax has id %d, the pin names 3", vat)
	}
	got := b.call("get", params{"model": "sale.order", "id": order, "fields": list("amount_untaxed", "amount_tax", "order_line")})
	wantAmount(t, "amount_untaxed", got["amount_untaxed"], "9.98")
	wantAmount(t, "amount_tax", got["amount_tax"], "2.01")
	line := b.call("get", params{"model": "sale.order.line", "id": got["order_line"].([]any)[0], "fields": list("extra_tax_data")})
	pin := line["extra_tax_data"].(map[string]any)
	wantAmount(t, "manual_total_excluded_currency", pin["manual_total_excluded_currency"], "9.98")
}

func TestDomains(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		us := b.call("search", params{"model": "res.country", "domain": list(list("code", "=", "US"))})["ids"].([]any)[0].(int64)
		parent := b.seed("res.partner", sandbox.Values{"name": "Acme", "is_company": true, "country_id": us})
		child := b.seed("res.partner", sandbox.Values{"name": "Zoe", "parent_id": parent, "email": "Zoe@Acme.test", "ref": "w-7"})
		gone := b.seed("res.partner", sandbox.Values{"name": "Old", "ref": "w-8", "active": false})
		for text, c := range map[string]struct {
			domain []any
			want   []int64
		}{
			"equal":              {list(list("email_normalized", "=", "zoe@acme.test")), []int64{child}},
			"a record as value":  {list(list("parent_id", "=", params{"id": parent, "name": "Acme"})), []int64{child}},
			"nothing":            {list(list("ref", "=", nil), list("name", "=", "Acme")), []int64{parent}},
			"or":                 {list("|", list("name", "=", "Acme"), list("ref", "=", "w-7")), []int64{parent, child}},
			"not":                {list("!", list("name", "!=", "Acme")), []int64{parent}},
			"in":                 {list(list("id", "in", list(child, gone))), []int64{child}},
			"archived too":       {list(list("active", "in", list(true, false)), list("ref", "=like", "w-_")), []int64{child, gone}},
			"dotted":             {list(list("parent_id.country_id.code", "=", "US"), list("ref", "!=", nil)), []int64{child}},
			"below":              {list(list("id", "child_of", parent)), []int64{parent, child}},
			"any":                {list(list("child_ids", "any", list(list("ref", "=", "w-7")))), []int64{parent}},
			"by name":            {list(list("parent_id", "ilike", "acm")), []int64{child}},
			"an instant as text": {list(list("write_date", ">", "2020-01-01T00:00:00Z"), list("ref", "=", "w-7")), []int64{child}},
			"never":              {list(list(int64(0), "=", int64(1))), nil},
		} {
			found := b.call("search", params{"model": "res.partner", "domain": c.domain, "order": "id"})["ids"].([]any)
			var got []int64
			for _, id := range found {
				got = append(got, id.(int64))
			}
			if len(got) != len(c.want) {
				t.Errorf("%s finds %v, want %v", text, got, c.want)
				continue
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("%s finds %v, want %v", text, got, c.want)
				}
			}
		}
	})
}

// An answer that would be larger than asked for is an error, not a short list.
func TestSearchWithLimitAndCount(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	got := b.call("search", params{"model": "res.country.state", "domain": list(list("country_id.code", "=", "US")),
		"limit": int64(5), "offset": int64(2), "order": "code", "count": true})
	if len(got["ids"].([]any)) != 5 || got["count"].(int64) < 50 {
		t.Errorf("found %v", got)
	}
	uncounted := b.call("search", params{"model": "res.country.state", "limit": int64(math.MaxInt16)})
	if uncounted["count"] != nil {
		t.Errorf("counted without being asked: %v", uncounted["count"])
	}
	if n := b.call("count", params{"model": "res.country.state"})["count"]; n != int64(len(uncounted["ids"].([]any))) {
		t.Errorf("counted %v", n)
	}
}

func TestContextGoesAlong(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	b.seed("res.partner", sandbox.Values{"name": "Old", "active": false})
	one := func(context params) int64 {
		return b.call("count", params{"model": "res.partner", "domain": list(list("name", "=", "Old")), "context": context})["count"].(int64)
	}
	if one(nil) != 0 || one(params{"active_test": false}) != 1 {
		t.Error("active_test is not passed on")
	}
	b.connection = b.open(params{"lang": "fr_FR", "company_id": int64(1)})
	if e := b.fails("count", params{"model": "res.partner"}); !strings.Contains(e.Message, "Invalid language code: fr_FR") {
		t.Errorf("the language is not passed on: %s", e.Message)
	}
}

func TestUnlinkPassesOverWhatIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	first := b.seed("res.partner", sandbox.Values{"name": "A"})
	second := b.seed("res.partner", sandbox.Values{"name": "B", "active": false})
	ids := params{"model": "res.partner", "ids": list(first, second, int64(777))}
	if got := b.call("unlink", ids)["deleted"]; got != int64(2) {
		t.Errorf("deleted %v", got)
	}
	if got := b.call("unlink", ids)["deleted"]; got != int64(0) {
		t.Errorf("deleted %v the second time", got)
	}
}
