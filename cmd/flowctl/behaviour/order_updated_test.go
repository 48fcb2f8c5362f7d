package behaviour

import (
	"strings"
	"testing"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// lines are an order's lines in the shop.
func (w *world) lines(order int64) []map[string]any {
	w.Helper()
	var lines []map[string]any
	for _, line := range w.shop("orders.get", map[string]any{"id": order})["line_items"].([]any) {
		lines = append(lines, line.(map[string]any))
	}
	return lines
}

// lineLinks are the Odoo lines by the shop's line.
func (w *world) lineLinks() map[string]string {
	w.Helper()
	links, err := w.Engine.Store().Links(w.ctx, store.LinkFilter{Instance: w.Instance, Table: "sale_order_line"})
	if err != nil {
		w.Fatal(err)
	}
	pairs := map[string]string{}
	for _, l := range links {
		pairs[l.Remote] = l.Local
	}
	return pairs
}

func TestD4APaymentRetriedWithNewLineIDsReplacesTheLines(t *testing.T) {
	each(t, map[string]string{"auto_confirm": "false"}, func(w *world) {
		articles := w.open()
		id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}, {ProductID: articles[6], Quantity: 3}}, PaymentMethod: "bacs"})
		before := w.lineLinks()
		var items []any
		for _, line := range w.lines(id) {
			items = append(items, map[string]any{"id": line["id"], "quantity": 0},
				map[string]any{"product_id": line["product_id"], "quantity": line["quantity"]})
		}
		w.change(id, map[string]any{"line_items": items})
		w.ended("webhook-order-updated", store.Succeeded)
		links, lines := w.lineLinks(), w.saleLines(id)
		if len(links) != 2 {
			w.Errorf("the links are %v", links)
		}
		if len(lines) != 2 {
			w.Errorf("the order has %d lines", len(lines))
		}
		for i, line := range w.lines(id) {
			remote, local := text(line["id"]), text(lines[i]["id"])
			if before[remote] != "" {
				w.Errorf("line %s kept its id", remote)
			}
			if links[remote] != local {
				w.Errorf("line %s is linked to %q, not to %s", remote, links[remote], local)
			}
		}
		w.same("the total", w.sale(id)["amount_total"], w.shop("orders.get", map[string]any{"id": id})["total"])
	})
}

// A touch is no change: nothing is read from Odoo, nothing written.
func TestAnOrderThatWasOnlyTouchedIsLeftAlone(t *testing.T) {
	w := start(t, map[string]string{"payment_events": "false"})
	articles := w.open()
	id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "bacs"})
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.quiet()
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.skipped("webhook-order-updated", "nothing new")
	if calls := len(w.ERP.Requests()); calls != 0 {
		w.Errorf("Odoo was asked: %v", w.ERP.Requests())
	}
}

func TestAnOrderThatIsNotThereIsNotUpdated(t *testing.T) {
	w := start(t, map[string]string{"order_statuses": `["completed"]`})
	articles := w.open()
	w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "bacs"})
	w.skipped("webhook-order-updated", "is not in Odoo yet")
	w.skipped("webhook-order-status", "is not in Odoo yet")
}

func TestMoreOfAConfirmedOrderIsTaken(t *testing.T) {
	each(t, map[string]string{"payment_events": "false"}, func(w *world) {
		articles := w.open()
		id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "bacs",
			Shipping: &shopsandbox.CartShipping{Title: "Parcel", MethodID: "flat_rate", Cost: "4.90"}})
		line := w.lines(id)[0]
		w.change(id, map[string]any{"line_items": []any{
			map[string]any{"id": line["id"], "quantity": 3, "subtotal": "25.18", "total": "25.18"},
			map[string]any{"product_id": articles[6], "quantity": 2},
		}, "billing": map[string]any{"address_1": "Am Markt 1"}, "customer_note": "ring twice"})
		w.ended("webhook-order-updated", store.Succeeded)
		sale, order := w.sale(id), w.shop("orders.get", map[string]any{"id": id})
		w.same("the total", sale["amount_total"], order["total"])
		if sale["state"] != "sale" || !strings.Contains(sale["note"].(string), "ring twice") {
			w.Errorf("the order is %v, its note %v", sale["state"], sale["note"])
		}
		lines := w.saleLines(id)
		w.same("the quantity", lines[0]["product_uom_qty"], 3)
		if len(lines) < 3 {
			w.Fatalf("the order has %d lines", len(lines))
		}
		links := w.lineLinks()
		for _, l := range w.lines(id) {
			if links[text(l["id"])] == "" {
				w.Errorf("line %v is not linked", l["id"])
			}
		}
		invoice := w.find("res.partner", []any{[]any{"id", "=", reference(sale["partner_invoice_id"])}}, "street")[0]
		if invoice["street"] != "Am Markt 1" {
			w.Errorf("the invoice goes to %v", invoice["street"])
		}
		w.quiet()
		w.announce("woocommerce.order.updated", map[string]any{"id": id})
		w.silent("the order announced again")
	})
}

func TestLessOfAConfirmedOrderIsHeld(t *testing.T) {
	w := start(t, map[string]string{"payment_events": "false"})
	articles := w.open()
	id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}, {ProductID: articles[6], Quantity: 1}}, PaymentMethod: "bacs"})
	total := w.sale(id)["amount_total"]
	w.change(id, map[string]any{"line_items": []any{map[string]any{"id": w.lines(id)[0]["id"], "quantity": 1, "subtotal": "8.39", "total": "8.39"}}})
	w.held("webhook-order-updated", "confirmed_order", "1 × Mug, blue at 9.98")
	w.same("the total", w.sale(id)["amount_total"], total)
	// Somebody does it by hand.
	w.odoo("write", map[string]any{"model": "sale.order.line", "id": w.saleLines(id)[0]["id"], "values": map[string]any{"product_uom_qty": 1, "price_unit": "9.98"}})
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.ended("webhook-order-updated", store.Succeeded)
}

func TestNotesOfAnOrderAreCopiedOnce(t *testing.T) {
	each(t, map[string]string{"payment_events": "false", "sync_order_notes": "true"}, func(w *world) {
		articles := w.open()
		id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "bacs"})
		w.shop("order_notes.create", map[string]any{"order_id": id, "note": "Wrap it <b>well</b>"})
		for range 2 {
			w.announce("woocommerce.order.updated", map[string]any{"id": id})
		}
		messages := w.find("mail.message", []any{[]any{"model", "=", "sale.order"}, []any{"res_id", "=", w.sale(id)["id"]}, []any{"body", "ilike", "Wrap it well"}}, "body")
		if len(messages) != 1 {
			w.Errorf("the note was copied %d times", len(messages))
		}
	})
}
