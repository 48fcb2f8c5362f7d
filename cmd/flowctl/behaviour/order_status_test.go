package behaviour

import (
	"testing"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

func TestD11CancellingAConfirmedOrderCancelsItsPickings(t *testing.T) {
	each(t, map[string]string{"payment_events": "false"}, func(w *world) {
		articles := w.open()
		id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "bacs"})
		if state := w.sale(id)["state"]; state != "sale" {
			w.Fatalf("the order is %v", state)
		}
		w.odoo("call", map[string]any{"model": "sale.order", "method": "action_lock", "ids": []any{w.sale(id)["id"]}})
		w.change(id, map[string]any{"status": "cancelled"})
		w.ended("webhook-order-status", store.Succeeded)
		if state := w.sale(id)["state"]; state != "cancel" {
			w.Errorf("the order is %v", state)
		}
		pickings := w.find("stock.picking", []any{[]any{"sale_id", "=", w.sale(id)["id"]}}, "state")
		for _, picking := range pickings {
			if picking["state"] != "cancel" {
				w.Errorf("a picking is %v", picking["state"])
			}
		}
		if len(pickings) == 0 {
			w.Error("there was no picking")
		}
		w.quiet()
		w.announce("woocommerce.order.updated", map[string]any{"id": id})
		w.skipped("webhook-order-status", "was done already")
		w.silent("the cancelled order announced again")
	})
}

func TestAnOrderThatIsPaidAfterAllIsOpenedAgain(t *testing.T) {
	w := start(t, map[string]string{"payment_events": "false"})
	articles := w.open()
	id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}, {ProductID: articles[6], Quantity: 1}}, PaymentMethod: "bacs"})
	w.change(id, map[string]any{"status": "failed"})
	if state := w.sale(id)["state"]; state != "cancel" {
		w.Fatalf("the order is %v", state)
	}
	w.change(id, map[string]any{"status": "processing"})
	sale := w.sale(id)
	if sale["state"] != "sale" {
		w.Errorf("the order is %v", sale["state"])
	}
	w.same("the total", sale["amount_total"], w.shop("orders.get", map[string]any{"id": id})["total"])
}

// What a person cancelled in Odoo stays cancelled.
func TestAnOrderCancelledInOdooIsNotOpened(t *testing.T) {
	w := start(t, map[string]string{"payment_events": "false"})
	articles := w.open()
	id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "bacs"})
	w.odoo("call", map[string]any{"model": "sale.order", "method": "action_cancel", "ids": []any{w.sale(id)["id"]}, "context": map[string]any{"disable_cancel_warning": true}})
	w.change(id, map[string]any{"status": "processing"})
	w.skipped("webhook-order-status", "was cancelled in Odoo")
	w.change(id, map[string]any{"customer_note": "ring twice"})
	w.skipped("webhook-order-status", "was cancelled in Odoo")
	if state := w.sale(id)["state"]; state != "cancel" {
		w.Errorf("the order is %v", state)
	}
}

func TestADeliveredOrderIsNotCancelled(t *testing.T) {
	each(t, map[string]string{"payment_events": "false"}, func(w *world) {
		articles := w.open()
		id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "bacs"})
		w.deliver(id)
		w.change(id, map[string]any{"status": "cancelled"})
		w.held("webhook-order-status", "delivered", "is delivered already")
		if state := w.sale(id)["state"]; state != "sale" {
			w.Errorf("the order is %v", state)
		}
	})
}

func TestStatusesDoWhatTheTableSays(t *testing.T) {
	w := start(t, map[string]string{"payment_events": "false", "status_actions": `{"completed": "lock", "on-hold": "nothing", "processing": "confirm"}`})
	articles := w.open()
	id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "bacs"})
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.skipped("webhook-order-status", "nothing is to be done")
	w.change(id, map[string]any{"status": "completed"})
	if sale := w.sale(id); sale["locked"] != true || sale["state"] != "sale" {
		w.Errorf("the order is %v, locked %v", sale["state"], sale["locked"])
	}
	w.change(id, map[string]any{"status": "pending"})
	w.skipped("webhook-order-status", "pending, a status without an action")
}

// A quotation whose total is not the shop's is not confirmed by its status.
func TestAnUnprovenOrderIsNotConfirmed(t *testing.T) {
	w := start(t, map[string]string{"payment_events": "false"})
	w.set(map[string]any{"auto_confirm": false})
	articles := w.open()
	id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "bacs"})
	w.change(id, map[string]any{"status": "processing"})
	w.skipped("webhook-order-status", "Auto-confirm Orders is off")
	w.odoo("write", map[string]any{"model": "sale.order.line", "id": w.saleLines(id)[0]["id"], "values": map[string]any{"price_unit": 1}})
	w.set(map[string]any{"auto_confirm": true})
	w.announce("woocommerce.order.updated", map[string]any{"id": id})
	w.skipped("webhook-order-status", "is not confirmed")
	if state := w.sale(id)["state"]; state != "draft" {
		w.Errorf("the order is %v", state)
	}
}
