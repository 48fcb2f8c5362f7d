package odoo_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// prices asks for the prices of pricelists by the one public way.
func prices(t *testing.T, b *bench, mark string) {
	template := b.call("create", params{"model": "product.template", "values": params{
		"name": "Priced " + mark, "list_price": amount("100"), "standard_price": amount("40")}})["id"]
	variant := b.call("search", params{"model": "product.product", "domain": list(list("product_tmpl_id", "=", template))})["ids"].([]any)[0]
	rule := func(values params) any { return list(int64(0), int64(0), values) }
	for name, c := range map[string]struct {
		rules    []any
		one, ten string
	}{
		"no rule":  {list(), "100", "100"},
		"fixed":    {list(rule(params{"compute_price": "fixed", "fixed_price": amount("77.25")})), "77.25", "77.25"},
		"discount": {list(rule(params{"compute_price": "percentage", "percent_price": amount("15")})), "85", "85"},
		"for many": {list(rule(params{"compute_price": "percentage", "percent_price": amount("15"), "min_quantity": int64(10)}),
			rule(params{"compute_price": "percentage", "percent_price": amount("1")})), "99", "85"},
		"formula": {list(rule(params{"compute_price": "formula", "base": "list_price", "price_discount": amount("10"),
			"price_surcharge": amount("-0.01"), "price_round": int64(1)})), "89.99", "89.99"},
		"on cost": {list(rule(params{"compute_price": "formula", "base": "standard_price", "price_discount": amount("-50")})), "60", "60"},
		"margins": {list(rule(params{"compute_price": "formula", "base": "standard_price", "price_discount": int64(0),
			"price_min_margin": int64(30), "price_max_margin": int64(35)})), "70", "70"},
		"of this one": {list(rule(params{"applied_on": "0_product_variant", "product_id": variant, "compute_price": "fixed", "fixed_price": int64(5)}),
			rule(params{"compute_price": "fixed", "fixed_price": int64(9)})), "5", "5"},
		"later": {list(rule(params{"compute_price": "fixed", "fixed_price": int64(5), "date_start": "2090-01-01T00:00:00Z"})), "100", "100"},
	} {
		pricelist := b.call("create", params{"model": "product.pricelist", "values": params{"name": name + " " + mark, "item_ids": c.rules}})["id"]
		for quantity, want := range map[int64]string{1: c.one, 10: c.ten} {
			got := b.call("query", params{"model": "product.product", "id": variant, "method": "get_contextual_price",
				"context": params{"pricelist": pricelist, "quantity": quantity}})["result"]
			wantNumber(t, name, got, want)
		}
	}
	wantNumber(t, "without a pricelist", b.call("query", params{"model": "product.template", "id": template, "method": "get_contextual_price"})["result"], "100")
}

// wantNumber compares a number that may have come as a whole one.
func wantNumber(t *testing.T, what string, got any, want string) {
	t.Helper()
	if whole, ok := got.(int64); ok {
		got = decimal.NewFromInt(whole)
	}
	wantAmount(t, what, got, want)
}

// messages are posted on a record, and made directly.
func messages(t *testing.T, b *bench, mark string) {
	partner := b.call("create", params{"model": "res.partner", "values": params{"name": "Told " + mark}})["id"]
	posted := b.call("call", params{"model": "res.partner", "id": partner, "method": "message_post",
		"kwargs": params{"body": "1 < 2", "message_type": "comment", "subtype_xmlid": "mail.mt_note"}})["result"]
	if several, ok := posted.([]any); ok && len(several) == 1 {
		posted = several[0]
	}
	made := b.call("create_once", params{"model": "mail.message", "external_id": "woo.note_" + mark, "values": params{
		"model": "res.partner", "res_id": partner, "message_type": "comment", "date": "2026-01-02T10:00:00Z", "body": "<p>Hi <b onclick=\"x()\">you</b></p>"}})["id"]
	found := b.call("search_read", params{"model": "mail.message", "order": "id", "fields": list("body", "date", "subtype_id", "message_type"),
		"domain": list(list("model", "=", "res.partner"), list("res_id", "=", partner), list("message_type", "=", "comment"))})["records"].([]any)
	if len(found) != 2 {
		t.Fatalf("messages: %v", found)
	}
	first, second := found[0].(map[string]any), found[1].(map[string]any)
	if first["id"] != posted || first["body"] != "<p>1 &lt; 2</p>" || first["subtype_id"] == nil {
		t.Errorf("posted %v: %v", posted, first)
	}
	if second["id"] != made || second["body"] != "<p>Hi <b>you</b></p>" || second["date"].(time.Time).Format(time.DateOnly) != "2026-01-02" {
		t.Errorf("made %v: %v", made, second)
	}
}
