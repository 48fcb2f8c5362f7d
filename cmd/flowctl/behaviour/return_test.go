package behaviour

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// refund refunds an order as a shopkeeper does, and waits until all is done that
// follows.
func (w *world) refund(order int64, values map[string]any) map[string]any {
	w.Helper()
	values["api_refund"] = false
	out := w.shop("refunds.create", map[string]any{"order_id": order, "values": values})
	w.settle()
	return out
}

// part is some of a line in a refund: its share of money and tax.
func (w *world) part(line map[string]any, quantity int64) map[string]any {
	w.Helper()
	share := decimal.NewFromInt(quantity).Div(w.money(line["quantity"]))
	taxes := []any{}
	for _, t := range line["taxes"].([]any) {
		tax := t.(map[string]any)
		taxes = append(taxes, map[string]any{"id": tax["id"], "refund_total": w.money(tax["total"]).Mul(share).Round(2)})
	}
	return map[string]any{"id": line["id"], "quantity": quantity, "refund_total": w.money(line["total"]).Mul(share).Round(2), "refund_tax": taxes}
}

// credited checks that an order has these credit notes, each posted and equal to
// its refund, and returns them.
func (w *world) credited(order int64, refunds ...map[string]any) []map[string]any {
	w.Helper()
	notes := w.moves(order, "out_refund")
	if len(notes) != len(refunds) {
		w.Fatalf("there are %d credit notes for %d refunds: %v", len(notes), len(refunds), notes)
	}
	for i, refund := range refunds {
		if notes[i]["state"] != "posted" || notes[i]["ref"] != fmt.Sprintf("WOO/%s/%d/refund/%v", w.Instance, order, refund["id"]) {
			w.Errorf("the credit note is %v, %v", notes[i]["state"], notes[i]["ref"])
		}
		w.same("the credit note", notes[i]["amount_total"], refund["amount"])
		if lines := refund["tax_lines"].([]any); len(lines) > 0 {
			tax := decimal.Zero
			for _, line := range lines {
				tax = tax.Sub(w.money(line.(map[string]any)["tax_total"])).Sub(w.money(line.(map[string]any)["shipping_tax_total"]))
			}
			w.same("its tax", notes[i]["amount_tax"], tax)
		}
	}
	return notes
}

// returns are the transfers that bring an order's goods back.
func (w *world) returns(order int64) []map[string]any {
	w.Helper()
	return w.find("stock.picking", []any{[]any{"sale_id", "=", w.sale(order)["id"]}, []any{"return_id", "!=", false}}, "state")
}

func TestD6StatusSetToRefundedByHandMakesOneCreditNote(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		id := w.buy(mixed(articles))
		w.deliver(id)
		w.change(id, map[string]any{"status": "refunded"})
		w.ended("webhook-return", store.Succeeded)
		order := w.shop("orders.get", map[string]any{"id": id})
		refund := w.shop("refunds.list", map[string]any{"order_id": id})["items"].([]any)[0].(map[string]any)
		note := w.credited(id, refund)[0]
		w.same("the credit note", note["amount_total"], order["total"])
		w.same("its tax", note["amount_tax"], order["total_tax"])
		if len(w.returns(id)) != 0 {
			w.Error("goods came back by an amount")
		}
		w.quiet()
		w.announce("woocommerce.order.updated", map[string]any{"id": id})
		w.skipped("webhook-return", "are in Odoo already")
		w.silent("the refund announced again")
	})
}

func TestD7AQuantityWithoutMoneyComesBackWithoutACreditNote(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		id := w.buy(mixed(articles))
		w.deliver(id)
		w.refund(id, map[string]any{"amount": "0", "line_items": []any{map[string]any{"id": w.lines(id)[0]["id"], "quantity": 2, "refund_total": 0}}})
		w.ended("webhook-return", store.Succeeded)
		w.credited(id)
		if returns := w.returns(id); len(returns) != 1 || returns[0]["state"] != "done" {
			w.Errorf("the returns are %v", returns)
		}
		w.same("what stays delivered", w.saleLines(id)[0]["qty_delivered"], 1)
		w.same("the invoice", w.moves(id, "out_invoice")[0]["amount_total"], w.shop("orders.get", map[string]any{"id": id})["total"])
	})
}

func TestD18APartAndThenTheRestLeaveNothing(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		id := w.buy(mixed(articles))
		w.deliver(id)
		lines := w.lines(id)
		first := w.refund(id, map[string]any{"line_items": []any{w.part(lines[0], 1), w.part(lines[1], 3)}})
		w.credited(id, first)
		w.same("what stays delivered", w.saleLines(id)[0]["qty_delivered"], 2)
		w.change(id, map[string]any{"status": "refunded"})
		second := w.shop("refunds.list", map[string]any{"order_id": id})["items"].([]any)[0].(map[string]any)
		if second["id"] == first["id"] {
			second = w.shop("refunds.list", map[string]any{"order_id": id})["items"].([]any)[1].(map[string]any)
		}
		notes := w.credited(id, first, second)
		invoice := w.moves(id, "out_invoice")[0]
		for _, amount := range []string{"amount_total", "amount_tax"} {
			w.same("what is left of "+amount, w.money(invoice[amount]).Sub(w.money(notes[0][amount])).Sub(w.money(notes[1][amount])), 0)
		}
	})
}

// Money without a quantity: the goods stay sold.
func TestMoneyWithoutAQuantityIsOnlyCredited(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		id := w.buy(mixed(articles))
		w.deliver(id)
		part := w.part(w.lines(id)[0], 1)
		part["quantity"] = 0
		w.credited(id, w.refund(id, map[string]any{"line_items": []any{part}}))
		line := w.saleLines(id)[0]
		w.same("what is invoiced", line["qty_invoiced"], 3)
		w.same("what is delivered", line["qty_delivered"], 3)
	})
}

func TestAnAmountIsTakenFromAllTaxesInProportion(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		id := w.buy(mixed(articles))
		order := w.shop("orders.get", map[string]any{"id": id})
		half := w.money(order["total"]).Div(decimal.NewFromInt(2)).Round(2)
		note := w.credited(id, w.refund(id, map[string]any{"amount": half.String(), "reason": "late"}))[0]
		if off := w.money(note["amount_tax"]).Sub(w.money(order["total_tax"]).Div(decimal.NewFromInt(2))).Abs(); off.GreaterThan(decimal.New(1, -2)) {
			w.Errorf("the tax is %v of %v", note["amount_tax"], order["total_tax"])
		}
	})
}

// Goods that were refunded before they were sent are not sent.
func TestRefundedGoodsAreNotDelivered(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		id := w.buy(mixed(articles))
		w.credited(id, w.refund(id, map[string]any{"line_items": []any{w.part(w.lines(id)[0], 2)}}))
		w.same("the order", w.sale(id)["amount_total"], w.shop("orders.get", map[string]any{"id": id})["total"])
		w.deliver(id)
		w.same("what is delivered", w.saleLines(id)[0]["qty_delivered"], 1)
		if len(w.returns(id)) != 0 {
			w.Error("something came back that was never sent")
		}
		other := w.buy(mixed(articles))
		w.change(other, map[string]any{"status": "refunded"})
		rest := w.buy(mixed(articles))
		var all []any
		for _, line := range w.lines(rest) {
			all = append(all, w.part(line, w.money(line["quantity"]).IntPart()))
		}
		w.refund(rest, map[string]any{"line_items": all})
		for _, picking := range w.find("stock.picking", []any{[]any{"sale_id", "=", w.sale(rest)["id"]}}, "state") {
			if picking["state"] != "cancel" {
				w.Errorf("the delivery of what was all refunded is %v", picking["state"])
			}
		}
	})
}

func TestGoodsOfTwoDeliveriesComeBackByBoth(t *testing.T) {
	w := start(t, nil)
	articles := w.open()
	id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 3}}, PaymentMethod: "stripe"})
	picking := w.find("stock.picking", []any{[]any{"sale_id", "=", w.sale(id)["id"]}}, "name")[0]["id"]
	move := w.find("stock.move", []any{[]any{"picking_id", "=", picking}}, "product_uom_qty")[0]["id"]
	w.odoo("write", map[string]any{"model": "stock.move", "id": move, "values": map[string]any{"quantity": 1, "picked": true}})
	w.odoo("call", map[string]any{"model": "stock.picking", "method": "button_validate", "ids": []any{picking}, "context": map[string]any{"skip_backorder": true, "skip_sms": true}})
	w.deliver(id)
	w.same("what is delivered", w.saleLines(id)[0]["qty_delivered"], 3)
	w.credited(id, w.refund(id, map[string]any{"line_items": []any{w.part(w.lines(id)[0], 2)}}))
	if returns := w.returns(id); len(returns) != 2 {
		w.Errorf("there are %d returns", len(returns))
	}
	w.same("what stays delivered", w.saleLines(id)[0]["qty_delivered"], 1)
}

func TestWithRestockOffGoodsStayOut(t *testing.T) {
	w := start(t, map[string]string{"restock_returns": "false"})
	articles := w.open()
	id := w.buy(mixed(articles))
	w.deliver(id)
	w.credited(id, w.refund(id, map[string]any{"line_items": []any{w.part(w.lines(id)[0], 1)}}))
	if len(w.returns(id)) != 0 {
		w.Error("goods came back")
	}
}

func TestARefundBeforeTheInvoiceIsHeldUntilThereIsOne(t *testing.T) {
	w := start(t, map[string]string{"invoice_paid_orders": "false"})
	articles := w.open()
	id := w.buy(mixed(articles))
	refund := w.refund(id, map[string]any{"amount": "5.00"})
	w.held("webhook-return", "not_invoiced", "has no posted invoice")
	w.odoo("wizard", map[string]any{"model": "sale.advance.payment.inv", "method": "create_invoices", "active_model": "sale.order",
		"active_ids": []any{w.sale(id)["id"]}, "values": map[string]any{"advance_payment_method": "delivered"}})
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.ended("webhook-payment", store.Succeeded)
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.credited(id, refund)
}

// A refund waits with the payment that is held, and follows it.
func TestARefundWaitsForThePayment(t *testing.T) {
	w := start(t, nil)
	articles := w.open()
	w.set(map[string]any{"payment_journal": nil})
	id := w.buy(mixed(articles))
	refund := w.refund(id, map[string]any{"amount": "5.00"})
	w.held("webhook-payment", "no_journal", "no journal")
	w.skipped("webhook-return", "is credited when S00001 is invoiced")
	w.set(map[string]any{"payment_journal": w.bank()})
	if _, err := w.Engine.Store().Reopen(w.ctx, false, w.last("webhook-payment", store.Held).ID); err != nil {
		w.Fatal(err)
	}
	w.settle()
	w.ended("webhook-payment", store.Succeeded)
	w.credited(id, refund)
}

func TestADeletedRefundIsHeld(t *testing.T) {
	w := start(t, nil)
	articles := w.open()
	id := w.buy(mixed(articles))
	refund := w.refund(id, map[string]any{"amount": "5.00"})
	w.shop("refunds.delete", map[string]any{"order_id": id, "id": refund["id"], "force": true})
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.held("webhook-return", "refund_deleted", "was deleted in the shop")
	note := w.credited(id, refund)[0]
	w.odoo("call", map[string]any{"model": "account.move", "method": "button_draft", "ids": []any{note["id"]}})
	w.odoo("call", map[string]any{"model": "account.move", "method": "button_cancel", "ids": []any{note["id"]}})
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.ended("webhook-return", store.Succeeded)
}

// Whatever is refunded, in whatever steps, each credit note is its refund, and
// all together never more than the invoice.
func TestRandomRefundsAreCreditedToTheCent(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		orders, err := w.Shopping(w.ctx, 8, articles, 11)
		if err != nil {
			w.Fatal(err)
		}
		w.settle()
		random := rand.New(rand.NewPCG(5, 5))
		for _, id := range orders {
			var refunds []map[string]any
			lines := w.lines(id)
			for _, line := range lines {
				if n := w.money(line["quantity"]).IntPart(); random.IntN(2) == 0 {
					refunds = append(refunds, w.refund(id, map[string]any{"line_items": []any{w.part(line, 1+random.Int64N(n))}}))
				}
			}
			if random.IntN(2) == 0 {
				refunds = append(refunds, w.refund(id, map[string]any{"amount": fmt.Sprintf("0.%02d", 1+random.IntN(80))}))
			}
			if random.IntN(2) == 0 {
				w.change(id, map[string]any{"status": "refunded"})
				all := w.shop("refunds.list", map[string]any{"order_id": id})["items"].([]any)
				last := all[0].(map[string]any)
				for _, r := range all {
					if r.(map[string]any)["id"].(int64) > last["id"].(int64) {
						last = r.(map[string]any)
					}
				}
				if len(all) > len(refunds) {
					refunds = append(refunds, last)
				}
			}
			w.credited(id, refunds...)
		}
	})
}
