package odoo_test

import (
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

// An order arrives: the whole way, by the names of Odoo 19 on both versions.
func TestOrderArrives(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		vat := b.call("create", params{"model": "account.tax", "values": params{
			"name": "VAT 20 %", "amount": amount("20"), "price_include_override": "tax_excluded",
		}})["id"]
		us := b.call("search", params{"model": "res.country", "domain": list(list("code", "=", "US"))})["ids"].([]any)
		ny := b.call("search", params{"model": "res.country.state", "domain": list(
			list("country_id", "=", us[0]), list("code", "=", "NY"))})["ids"].([]any)
		partner := b.call("create", params{"model": "res.partner", "values": params{
			"name": "Jane Doe", "email": "Jane@Example.Test", "country_id": us[0], "state_id": ny[0],
			"child_ids": list(
				list(int64(0), int64(0), params{"type": "invoice", "name": "Jane (billing)"}),
				list(int64(0), int64(0), params{"type": "delivery", "street": "3 Ship Rd", "country_id": us[0]}),
			),
		}})["id"]
		ordered := time.Date(2026, 11, 20, 14, 5, 6, 0, time.UTC)
		order := b.call("create", params{"model": "sale.order", "values": params{
			"partner_id": partner, "client_order_ref": "1001", "date_order": ordered, "note": "Please ring twice",
			"order_line": list(
				list(int64(0), int64(0), params{
					"product_id": int64(4), "product_uom_qty": int64(3), "price_unit": amount("11.00"),
					"tax_ids": list(list(int64(6), int64(0), list(vat))), "name": "Mug",
				}),
				list(int64(0), int64(0), params{
					"product_id": int64(5), "product_uom_qty": amount("2"), "price_unit": amount("20"),
					"discount": amount("10"), "tax_ids": list(vat), "product_uom_id": int64(1),
				}),
				list(int64(0), int64(0), params{"display_type": "line_note", "name": "A gift"}),
			),
		}})["id"].(int64)

		read := b.call("get", params{"model": "sale.order", "id": order, "fields": list(
			"name", "state", "partner_id", "partner_shipping_id", "date_order", "amount_untaxed", "amount_tax",
			"amount_total", "origin", "note", "locked", "order_line", "currency_id")})
		wantAmount(t, "amount_untaxed", read["amount_untaxed"], "69")
		wantAmount(t, "amount_tax", read["amount_tax"], "13.80")
		wantAmount(t, "amount_total", read["amount_total"], "82.80")
		if read["name"] != "S00001" || read["state"] != "draft" || read["origin"] != nil || read["locked"] != false {
			t.Errorf("the order reads %v", read)
		}
		if got := read["partner_id"].(map[string]any); got["id"] != partner || got["name"] != "Jane Doe" {
			t.Errorf("partner_id is %v", got)
		}
		if got := read["partner_shipping_id"].(map[string]any); got["id"] == partner {
			t.Errorf("the delivery address is not used: %v", got)
		}
		if got := read["date_order"]; got != ordered {
			t.Errorf("date_order is %v", got)
		}
		if got := read["order_line"].([]any); len(got) != 3 {
			t.Errorf("order_line is %v", got)
		}

		lines := b.call("search_read", params{"model": "sale.order.line",
			"domain": list(list("order_id", "=", order), list("tax_ids.name", "=", "VAT 20 %")),
			"fields": list("tax_ids", "product_uom_id", "price_subtotal", "price_tax"), "order": "product_uom_id, id desc",
		})["records"].([]any)
		if len(lines) != 2 {
			t.Fatalf("found %d lines by their tax", len(lines))
		}
		last := lines[0].(map[string]any)
		if uom := last["product_uom_id"].(map[string]any); uom["name"] != "Units" {
			t.Errorf("product_uom_id is %v", uom)
		}
		if taxes := last["tax_ids"].([]any); len(taxes) != 1 || taxes[0] != vat {
			t.Errorf("tax_ids is %v", taxes)
		}
		wantAmount(t, "price_subtotal", last["price_subtotal"], "36")

		if got := b.call("call", params{"model": "sale.order", "method": "action_confirm", "ids": list(order)}); got["result"] != true {
			t.Errorf("confirming gives %v", got)
		}
		confirmed := b.call("get", params{"model": "sale.order", "id": order, "fields": list("state", "date_order")})
		if confirmed["state"] != "sale" || confirmed["date_order"] == ordered {
			t.Errorf("after confirming: %v", confirmed)
		}
		b.call("write", params{"model": "sale.order", "id": order, "values": params{"date_order": ordered}})
		e := b.fails("call", params{"model": "sale.order", "method": "action_confirm", "ids": list(order)})
		if e.Code != "odoo.exceptions.UserError" || e.Message != "sale.order.action_confirm: Some orders are not in a state requiring confirmation." {
			t.Errorf("confirming again: %s: %s", e.Code, e.Message)
		}
		// JSON-2 needs no login of its own.
		if n, want := b.erp.Requested("", "authenticate"), map[int]int{18: 1, 19: 0}[b.erp.Options().Version]; n != want {
			t.Errorf("logged in %d times, want %d", n, want)
		}
		if n := b.erp.Requested("res.country", "search"); n != 1 {
			t.Errorf("looked for the country %d times", n)
		}
	})
}

// Lines can be replaced as a whole, not added to: a lost answer makes a write be
// sent again.
func TestWriteAddsNoLines(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	partner := b.seed("res.partner", sandbox.Values{"name": "Jane"})
	order := b.seed("sale.order", sandbox.Values{"partner_id": partner})
	line := list(int64(0), int64(0), params{"product_id": int64(4)})
	e := b.fails("write", params{"model": "sale.order", "id": order, "values": params{"order_line": list(line)}})
	if e.Code != "bad_params" || b.erp.Requested("sale.order", "write") != 0 {
		t.Errorf("%s: %s", e.Code, e.Message)
	}
	replace := params{"model": "sale.order", "id": order, "values": params{"order_line": list(list(int64(5)), line)}}
	for range 2 {
		b.call("write", replace)
	}
	read := b.call("get", params{"model": "sale.order", "id": order, "fields": list("order_line")})
	if got := read["order_line"].([]any); len(got) != 1 {
		t.Errorf("after writing twice the order has lines %v", got)
	}
}
