package behaviour

import (
	"strings"
	"testing"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// A held order stops nothing else of its customer's: the other order is imported
// and paid, the customer's new telephone arrives. When what held it is mended, the
// next event brings it in, and what had to wait for it follows by itself.
func TestAHeldOrderStandsAsideAndHeals(t *testing.T) {
	each(t, nil, func(w *world) {
		articles := w.open()
		unknown := w.Shop.AddProduct(shopsandbox.Product{Name: "Teapot", SKU: "TEAPOT", RegularPrice: "19.90"})
		customer := w.Shop.AddCustomer(shopsandbox.Customer{Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace"})
		buy := func(product int64) int64 {
			return w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: product, Quantity: 1}}, CustomerID: customer,
				PaymentMethod: "stripe", PaymentTitle: "Card"})
		}
		stuck := buy(unknown)
		run := w.held("webhook-order-created", "no_product", "TEAPOT")
		for _, other := range w.openRuns() {
			t.Errorf("%s still waits: %s", other.Flow, other.Reason)
		}

		other := buy(articles[0])
		if payments := w.payments(other); len(payments) != 1 || w.sale(other)["state"] != "sale" {
			t.Errorf("the customer's other order is %v with %d payments", w.sale(other)["state"], len(payments))
		}
		w.shop("customers.update", map[string]any{"id": customer, "values": map[string]any{"billing": map[string]any{"phone": "+44 20 7946 0000"}}})
		w.settle()
		w.ended("webhook-customer-inbound", store.Succeeded)

		w.odoo("create", map[string]any{"model": "product.product", "values": map[string]any{"name": "Teapot", "default_code": "TEAPOT", "type": "consu", "invoice_policy": "order"}})
		w.announce("woocommerce.order.updated", map[string]any{"id": stuck})
		if now, err := w.Engine.Store().Run(w.ctx, run.ID); err != nil || now.State != store.Succeeded {
			t.Fatalf("the held run is %s: %s (%v)", now.State, now.Reason, err)
		}
		if sale := w.sale(stuck); sale["state"] != "sale" {
			t.Errorf("the order is %v", sale["state"])
		}
		if payments := w.payments(stuck); len(payments) != 1 {
			t.Errorf("the order has %d payments", len(payments))
		}
		for _, r := range w.openRuns() {
			t.Errorf("%s still waits: %s", r.Flow, r.Reason)
		}
	})
}

// A held order heals as well when a person retries it, with no event that would
// start the flows that waited for it.
func TestAHeldOrderIsRetriedByAPerson(t *testing.T) {
	w := start(t, nil)
	w.open()
	unknown := w.Shop.AddProduct(shopsandbox.Product{Name: "Teapot", SKU: "TEAPOT", RegularPrice: "19.90"})
	id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: unknown, Quantity: 1}}, PaymentMethod: "stripe", PaymentTitle: "Card"})
	run := w.held("webhook-order-created", "no_product", "TEAPOT")
	if !strings.Contains(run.Advice, "SKU") {
		t.Errorf("the advice is %q", run.Advice)
	}
	w.odoo("create", map[string]any{"model": "product.product", "values": map[string]any{"name": "Teapot", "default_code": "TEAPOT", "type": "consu", "invoice_policy": "order"}})
	if _, err := w.Engine.Store().Reopen(w.ctx, false, run.ID); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.ended("webhook-order-created", store.Succeeded)
	if payments := w.payments(id); len(payments) != 1 {
		t.Errorf("the order has %d payments: the flow that waited for it was not woken", len(payments))
	}
}

// openRuns are the runs that are not at their end.
func (w *world) openRuns() []store.Run {
	w.Helper()
	runs, err := w.Engine.Store().Runs(w.ctx, store.RunFilter{Instance: w.Instance, States: []store.State{store.Waiting, store.Running, store.Retrying}})
	if err != nil {
		w.Fatal(err)
	}
	return runs
}
