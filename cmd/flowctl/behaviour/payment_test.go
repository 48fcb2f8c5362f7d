package behaviour

import (
	"fmt"
	"net/http"
	"testing"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// bank is the journal that payments go to.
func (w *world) bank() int64 {
	w.Helper()
	return w.find("account.journal", []any{[]any{"type", "=", "bank"}}, "name")[0]["id"].(int64)
}

// moves are an order's invoices and credit notes.
func (w *world) moves(order int64, kind string) []map[string]any {
	w.Helper()
	return w.find("account.move", []any{[]any{"move_type", "=", kind}, []any{"invoice_origin", "=", w.sale(order)["name"]}},
		"name", "state", "amount_total", "amount_tax", "amount_residual", "payment_state", "ref", "reversed_entry_id", "invoice_line_ids")
}

// payments are those of an order.
func (w *world) payments(order int64) []map[string]any {
	w.Helper()
	return w.find("account.payment", []any{[]any{"memo", "=like", fmt.Sprintf("WOO/%s/%d%%", w.Instance, order)}}, "amount", "date", "memo", "journal_id", "state")
}

// mixed is a cart whose tax Odoo 18 rounds otherwise than the shop.
func mixed(articles []int64) shopsandbox.Cart {
	return shopsandbox.Cart{
		Items:   []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 3}, {ProductID: articles[7], Quantity: 7}, {ProductID: articles[8], Quantity: 1}},
		Coupons: []string{"save10"}, Shipping: &shopsandbox.CartShipping{Title: "Parcel", MethodID: "flat_rate", Cost: "4.90"},
		PaymentMethod: "stripe", PaymentTitle: "Card", TransactionID: "ch_1",
	}
}

func TestAPaidOrderIsInvoicedAndItsPaymentRegistered(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		id := w.buy(mixed(articles))
		w.ended("webhook-payment", store.Succeeded)
		order := w.shop("orders.get", map[string]any{"id": id})
		invoices := w.moves(id, "out_invoice")
		if len(invoices) != 1 || invoices[0]["state"] != "posted" || invoices[0]["payment_state"] == "not_paid" {
			w.Fatalf("the invoices are %v", invoices)
		}
		w.same("the invoice's total", invoices[0]["amount_total"], order["total"])
		w.same("its tax", invoices[0]["amount_tax"], order["total_tax"])
		w.same("what is left to pay", invoices[0]["amount_residual"], 0)
		payments := w.payments(id)
		if len(payments) != 1 || reference(payments[0]["journal_id"]) != w.bank() {
			w.Fatalf("the payments are %v", payments)
		}
		w.same("the payment", payments[0]["amount"], order["total"])
		if want := order["date_paid"].(string)[:10]; text(payments[0]["date"]) != want {
			w.Errorf("it is of %v, not of %s", payments[0]["date"], want)
		}
		w.quiet()
		w.announce("woocommerce.order.updated", map[string]any{"id": id})
		w.announce("woocommerce.order.created", map[string]any{"id": id})
		w.skipped("webhook-payment", "is in Odoo already")
		w.silent("the payment announced again")
	})
}

// Whatever is in the cart, invoice and payment are the order's to the cent.
func TestInvoicesOfRandomCartsHaveTheShopsTax(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		orders, err := w.Shopping(w.ctx, 12, articles, 7)
		if err != nil {
			w.Fatal(err)
		}
		w.settle()
		for _, id := range orders {
			order, invoices := w.shop("orders.get", map[string]any{"id": id}), w.moves(id, "out_invoice")
			if len(invoices) != 1 {
				w.Errorf("order %d has %d invoices", id, len(invoices))
				continue
			}
			w.same(fmt.Sprintf("the total of order %d", id), invoices[0]["amount_total"], order["total"])
			w.same(fmt.Sprintf("the tax of order %d", id), invoices[0]["amount_tax"], order["total_tax"])
			if payments := w.payments(id); len(payments) != 1 {
				w.Errorf("order %d has %d payments", id, len(payments))
			} else {
				w.same(fmt.Sprintf("the payment of order %d", id), payments[0]["amount"], order["total"])
			}
		}
	})
}

// An answer lost anywhere on the way to the payment doubles nothing.
func TestALostAnswerMakesNoSecondInvoiceOrPayment(t *testing.T) {
	for _, method := range []string{"create_invoices", "action_post", "action_create_payments"} {
		t.Run(method, func(t *testing.T) {
			w := start(t, nil)
			articles := w.open()
			lost := false
			w.ERP.OnRequest(func(_ *http.Request, call odoosandbox.Call) *odoosandbox.Incident {
				if call.Method != method || lost {
					return nil
				}
				lost = true
				return &odoosandbox.Incident{Status: http.StatusGatewayTimeout, After: true}
			})
			id := w.buy(mixed(articles))
			w.ended("webhook-payment", store.Succeeded)
			if !lost {
				w.Fatal("no answer was lost")
			}
			if invoices, payments := w.moves(id, "out_invoice"), w.payments(id); len(invoices) != 1 || len(payments) != 1 {
				w.Errorf("%d invoices, %d payments", len(invoices), len(payments))
			}
		})
	}
}

func TestAPaymentWithoutAJournalIsHeld(t *testing.T) {
	w := start(t, nil)
	articles := w.open()
	w.set(map[string]any{"payment_journal": nil})
	id := w.buy(mixed(articles))
	w.held("webhook-payment", "no_journal", "paid by Card")
	if invoices := w.moves(id, "out_invoice"); len(invoices) != 0 {
		w.Error("it was invoiced all the same")
	}
	w.set(map[string]any{"payment_journals": map[string]any{"stripe": w.bank()}})
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.ended("webhook-payment", store.Succeeded)
	if len(w.payments(id)) != 1 {
		w.Error("the payment is missing")
	}
}

func TestAnUnpaidOrderIsNotInvoiced(t *testing.T) {
	w := start(t, nil)
	articles := w.open()
	id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 1}}, PaymentMethod: "bacs"})
	w.skipped("webhook-payment", "is not paid")
	w.change(id, map[string]any{"status": "processing", "set_paid": true, "transaction_id": "SEPA-7"})
	w.ended("webhook-payment", store.Succeeded)
	if payments := w.payments(id); len(payments) != 1 || payments[0]["memo"] != fmt.Sprintf("WOO/main/%d SEPA-7", id) {
		w.Errorf("the payments are %v", payments)
	}
}

func TestWithInvoicingOffAPaymentWaitsForTheInvoice(t *testing.T) {
	w := start(t, map[string]string{"invoice_paid_orders": "false"})
	articles := w.open()
	id := w.buy(mixed(articles))
	w.skipped("webhook-payment", "waits until somebody invoices")
	w.odoo("wizard", map[string]any{"model": "sale.advance.payment.inv", "method": "create_invoices", "active_model": "sale.order",
		"active_ids": []any{w.sale(id)["id"]}, "values": map[string]any{"advance_payment_method": "delivered"}})
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.ended("webhook-payment", store.Succeeded)
	if invoices := w.moves(id, "out_invoice"); len(invoices) != 1 || len(w.payments(id)) != 1 {
		w.Errorf("%d invoices, %d payments", len(invoices), len(w.payments(id)))
	}
}

// Products that are invoiced when they are delivered.
func TestAPaymentWaitsForTheDelivery(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		for _, template := range w.find("product.template", []any{[]any{"default_code", "=", "MUG-BLUE"}}, "name") {
			w.odoo("write", map[string]any{"model": "product.template", "id": template["id"], "values": map[string]any{"invoice_policy": "delivery"}})
		}
		id := w.buy(mixed(articles))
		w.skipped("webhook-payment", "is invoiced when it is delivered: 3 × Mug, blue")
		w.deliver(id)
		w.announce("woocommerce.order.updated", map[string]any{"id": id})
		w.ended("webhook-payment", store.Succeeded)
		order := w.shop("orders.get", map[string]any{"id": id})
		w.same("the invoice", w.moves(id, "out_invoice")[0]["amount_total"], order["total"])
	})
}

func TestAnInvoicePaidByHandIsNotPaidAgain(t *testing.T) {
	w := start(t, map[string]string{"payment_events": "false"})
	articles := w.open()
	id := w.buy(mixed(articles))
	w.odoo("wizard", map[string]any{"model": "sale.advance.payment.inv", "method": "create_invoices", "active_model": "sale.order",
		"active_ids": []any{w.sale(id)["id"]}, "values": map[string]any{"advance_payment_method": "delivered"}})
	invoice := w.moves(id, "out_invoice")[0]["id"]
	w.odoo("call", map[string]any{"model": "account.move", "method": "action_post", "ids": []any{invoice}})
	w.odoo("wizard", map[string]any{"model": "account.payment.register", "method": "action_create_payments", "active_model": "account.move", "active_ids": []any{invoice}})
	w.run("webhook-payment", map[string]any{"id": id})
	if payments := w.find("account.payment", []any{}, "amount"); len(payments) != 1 {
		w.Errorf("there are %d payments", len(payments))
	}
}
