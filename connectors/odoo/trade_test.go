package odoo_test

import (
	"testing"
)

// sale makes a confirmed order of three mugs, of which two are in stock.
func (b *bench) sale(mark string) (order, line, product any) {
	b.t.Helper()
	partner := b.call("create", params{"model": "res.partner", "values": params{"name": "Buyer " + mark}})["id"]
	product = b.call("create", params{"model": "product.product", "values": params{
		"name": "Mug " + mark, "type": "consu", "is_storable": true, "default_code": "M" + mark, "invoice_policy": "order", "taxes_id": list(),
	}})["id"]
	quant := b.call("create", params{"model": "stock.quant", "context": params{"inventory_mode": true}, "values": params{
		"product_id": product, "location_id": b.stock(), "inventory_quantity": int64(2)}})["id"]
	b.call("call", params{"model": "stock.quant", "method": "action_apply_inventory", "id": quant})
	order = b.call("create", params{"model": "sale.order", "values": params{"partner_id": partner, "client_order_ref": mark,
		"order_line": list(list(int64(0), int64(0), params{"product_id": product, "product_uom_qty": int64(3), "price_unit": amount("10")}))}})["id"]
	b.call("call", params{"model": "sale.order", "method": "action_confirm", "id": order})
	lines := b.call("get", params{"model": "sale.order", "id": order, "fields": list("order_line")})["order_line"].([]any)
	return order, lines[0], product
}

func (b *bench) pickings(order any, state string) []any {
	b.t.Helper()
	return b.call("search", params{"model": "stock.picking", "domain": list(list("sale_id", "=", order), list("state", "=", state)), "order": "id"})["ids"].([]any)
}

func sellAndReturn(t *testing.T, b *bench, mark string) {
	order, line, product := b.sale(mark)
	free := func() any {
		return b.call("get", params{"model": "product.product", "id": product, "fields": list("free_qty", "qty_available", "outgoing_qty")})
	}
	wantAmount(t, "free", free().(map[string]any)["free_qty"], "0")
	wantAmount(t, "outgoing", free().(map[string]any)["outgoing_qty"], "3")
	ready := b.pickings(order, "assigned")
	if len(ready) != 1 {
		t.Fatalf("pickings: %v", ready)
	}
	b.call("write", params{"model": "stock.picking", "id": ready[0], "values": params{"carrier_tracking_ref": "T-" + mark}})
	// Less than was ordered: a question, and nothing happened.
	asked := b.call("call", params{"model": "stock.picking", "method": "button_validate", "id": ready[0], "context": params{"skip_sms": true}})
	if action, ok := asked["result"].(map[string]any); !ok || action["res_model"] != "stock.backorder.confirmation" {
		t.Errorf("validating asks %v", asked)
	}
	done := b.call("call", params{"model": "stock.picking", "method": "button_validate", "id": ready[0],
		"context": params{"skip_sms": true, "skip_backorder": true}})
	if done["result"] != true {
		t.Errorf("validating gives %v", done)
	}
	state := b.call("get", params{"model": "sale.order", "id": order, "fields": list("delivery_status", "invoice_status")})
	if state["delivery_status"] != "partial" || state["invoice_status"] != "to invoice" {
		t.Errorf("the order is %v", state)
	}
	wantAmount(t, "delivered", b.call("get", params{"model": "sale.order.line", "id": line, "fields": list("qty_delivered")})["qty_delivered"], "2")
	if waiting := b.pickings(order, "confirmed"); len(waiting) != 1 {
		t.Errorf("backorders: %v", waiting)
	}

	wizard := b.call("create", params{"model": "stock.return.picking", "values": params{"picking_id": ready[0]},
		"context": params{"active_id": ready[0], "active_ids": list(ready[0]), "active_model": "stock.picking"}})["id"]
	lines := b.call("search", params{"model": "stock.return.picking.line", "domain": list(list("wizard_id", "=", wizard))})["ids"].([]any)
	if len(lines) != 1 {
		t.Fatalf("lines to return: %v", lines)
	}
	b.call("write", params{"model": "stock.return.picking.line", "id": lines[0], "values": params{"quantity": int64(1)}})
	made := b.call("call", params{"model": "stock.return.picking", "method": "action_create_returns", "id": wizard})["result"].(map[string]any)
	b.call("call", params{"model": "stock.picking", "method": "button_validate", "id": made["res_id"]})
	wantAmount(t, "delivered after the return", b.call("get", params{"model": "sale.order.line", "id": line, "fields": list("qty_delivered")})["qty_delivered"], "1")
	wantAmount(t, "in stock", free().(map[string]any)["qty_available"], "1")

	b.call("call", params{"model": "sale.order", "method": "action_cancel", "id": order, "context": params{"disable_cancel_warning": true}})
	if state := b.call("get", params{"model": "sale.order", "id": order, "fields": list("state")}); state["state"] != "cancel" {
		t.Errorf("after cancelling: %v", state)
	}
	if open := len(b.pickings(order, "confirmed")) + len(b.pickings(order, "assigned")); open != 0 {
		t.Errorf("%d deliveries are still open", open)
	}
}

func invoiceAndCredit(t *testing.T, b *bench, mark string) {
	order, line, _ := b.sale(mark)
	b.call("wizard", params{"model": "sale.advance.payment.inv", "values": params{"advance_payment_method": "delivered"},
		"method": "create_invoices", "active_model": "sale.order", "active_ids": list(order)})
	invoices := func() []any {
		return b.call("get", params{"model": "sale.order", "id": order, "fields": list("invoice_ids")})["invoice_ids"].([]any)
	}
	if len(invoices()) != 1 {
		t.Fatalf("invoices: %v", invoices())
	}
	invoice := invoices()[0]
	read := func(id any) map[string]any {
		return b.call("get", params{"model": "account.move", "id": id,
			"fields": list("state", "payment_state", "amount_total", "amount_residual", "move_type", "name")})
	}
	b.call("call", params{"model": "account.move", "method": "action_post", "id": invoice})
	posted := read(invoice)
	wantAmount(t, "due", posted["amount_residual"], "30")
	if posted["state"] != "posted" || posted["payment_state"] != "not_paid" {
		t.Errorf("posted: %v", posted)
	}
	bank := b.call("search", params{"model": "account.journal", "domain": list(list("type", "=", "bank")), "limit": int64(1)})["ids"].([]any)[0]
	sales := b.call("search", params{"model": "account.journal", "domain": list(list("type", "=", "sale")), "limit": int64(1)})["ids"].([]any)[0]
	pay := func(id any, values params) error {
		values["journal_id"] = bank
		_, err := b.try("wizard", params{"model": "account.payment.register", "values": values, "method": "action_create_payments",
			"active_model": "account.move", "active_ids": list(id)})
		return err
	}
	if err := pay(invoice, params{"amount": amount("10"), "payment_difference_handling": "open"}); err != nil {
		t.Fatal(err)
	}
	if part := read(invoice); part["payment_state"] != "partial" {
		t.Errorf("partly paid: %v", part)
	}
	if err := pay(invoice, params{"communication": "ch_" + mark}); err != nil {
		t.Fatal(err)
	}
	paid := read(invoice)
	wantAmount(t, "due", paid["amount_residual"], "0")
	if paid["payment_state"] != "paid" && paid["payment_state"] != "in_payment" {
		t.Errorf("paid: %v", paid)
	}
	if err := pay(invoice, params{}); err == nil {
		t.Error("what is paid was paid again")
	}

	b.call("wizard", params{"model": "account.move.reversal", "values": params{"reason": "refund " + mark, "journal_id": sales},
		"method": "refund_moves", "active_model": "account.move", "active_ids": list(invoice)})
	all := invoices()
	if len(all) != 2 {
		t.Fatalf("invoices after the credit note: %v", all)
	}
	credit := all[0]
	if credit == invoice {
		credit = all[1]
	}
	creditLines := b.call("search", params{"model": "account.move.line",
		"domain": list(list("move_id", "=", credit), list("display_type", "=", "product"))})["ids"].([]any)
	b.call("write", params{"model": "account.move", "id": credit, "values": params{
		"invoice_line_ids": list(list(int64(1), creditLines[0], params{"quantity": int64(1)}))}})
	b.call("call", params{"model": "account.move", "method": "action_post", "id": credit})
	got := read(credit)
	wantAmount(t, "credited", got["amount_total"], "10")
	if got["move_type"] != "out_refund" || got["state"] != "posted" {
		t.Errorf("the credit note is %v", got)
	}
	wantAmount(t, "invoiced", b.call("get", params{"model": "sale.order.line", "id": line, "fields": list("qty_invoiced")})["qty_invoiced"], "2")
	if _, err := b.try("unlink", params{"model": "account.move", "id": invoice}); err == nil {
		t.Error("a posted invoice was deleted")
	}
}
