package behaviour

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// ada is a shopper.
func ada() map[string]string {
	return map[string]string{
		"first_name": "Ada", "last_name": "Lovelace", "address_1": "Lindenweg 4", "postcode": "10115", "city": "Berlin",
		"country": "DE", "email": "ada@example.com", "phone": "+49 30 123456",
	}
}

// open makes the catalogue, in both systems, and returns the ids of its articles.
func (w *world) open() []int64 {
	w.Helper()
	articles, err := w.Open(w.ctx)
	if err != nil {
		w.Fatal(err)
	}
	return articles
}

// buy lets a shopper order, and waits until all is done that follows.
func (w *world) buy(cart shopsandbox.Cart) int64 {
	w.Helper()
	if cart.Billing == nil {
		cart.Billing = ada()
	}
	id, err := w.Shop.Checkout(cart)
	if err != nil {
		w.Fatal(err)
	}
	w.settle()
	return id
}

// change writes to an order as a shopkeeper does, and waits until all is done
// that follows.
func (w *world) change(order int64, values map[string]any) map[string]any {
	w.Helper()
	out := w.shop("orders.update", map[string]any{"id": order, "values": values})
	w.settle()
	return out
}

// find reads records of Odoo, oldest first.
func (w *world) find(model string, domain []any, fields ...string) []map[string]any {
	w.Helper()
	list := make([]any, len(fields))
	for i, name := range fields {
		list[i] = name
	}
	out := w.odoo("search_read", map[string]any{
		"model": model, "domain": domain, "fields": list, "order": "id", "context": map[string]any{"active_test": false},
	})
	var records []map[string]any
	for _, r := range out["records"].([]any) {
		records = append(records, r.(map[string]any))
	}
	return records
}

// sale is the one sale order of an order.
func (w *world) sale(order int64) map[string]any {
	w.Helper()
	found := w.find("sale.order", []any{[]any{"client_order_ref", "=", fmt.Sprintf("WOO/%s/%d", w.Instance, order)}},
		"name", "state", "locked", "amount_total", "amount_tax", "partner_id", "partner_invoice_id", "partner_shipping_id", "order_line", "invoice_ids", "picking_ids", "note")
	if len(found) != 1 {
		w.Fatalf("order %d has %d sale orders", order, len(found))
	}
	return found[0]
}

// saleLines are an order's lines that sell something.
func (w *world) saleLines(order int64) []map[string]any {
	w.Helper()
	return w.find("sale.order.line", []any{[]any{"order_id", "=", w.sale(order)["id"]}},
		"name", "product_id", "product_uom_qty", "price_unit", "qty_delivered", "qty_invoiced", "tax_ids")
}

// deliver validates the open deliveries of an order.
func (w *world) deliver(order int64) {
	w.Helper()
	for _, picking := range w.find("stock.picking", []any{[]any{"sale_id", "=", w.sale(order)["id"]}, []any{"state", "not in", []any{"done", "cancel"}}}, "name") {
		for _, move := range w.find("stock.move", []any{[]any{"picking_id", "=", picking["id"]}}, "product_uom_qty") {
			w.odoo("write", map[string]any{"model": "stock.move", "id": move["id"], "values": map[string]any{"quantity": move["product_uom_qty"], "picked": true}})
		}
		w.odoo("call", map[string]any{"model": "stock.picking", "method": "button_validate", "ids": []any{picking["id"]},
			"context": map[string]any{"skip_backorder": true, "skip_sms": true}})
	}
}

// ended is a flow's newest run that was not skipped, which must be in a state.
func (w *world) ended(flow string, state store.State) store.Run {
	w.Helper()
	var seen []string
	for _, r := range w.runs(flow) {
		if r.State != store.Skipped {
			if r.State != state {
				w.Fatalf("%s is %s, not %s: %s", flow, r.State, state, r.Reason)
			}
			return r
		}
		seen = append(seen, r.Reason)
	}
	w.Fatalf("%s was only skipped: %s", flow, strings.Join(seen, "; "))
	return store.Run{}
}

// skipped checks why a flow's newest run was skipped.
func (w *world) skipped(flow, reason string) {
	w.Helper()
	if r := w.last(flow, store.Skipped); !strings.Contains(r.Reason, reason) {
		w.Errorf("%s was skipped for %q, not for %q", flow, r.Reason, reason)
	}
}

// held checks why a flow's newest run is held.
func (w *world) held(flow, code, reason string) store.Run {
	w.Helper()
	r := w.last(flow, store.Held)
	if r.Code != code || !strings.Contains(r.Reason, reason) || r.Advice == "" {
		w.Errorf("%s is held with %s: %s (%s); want %s: %s", flow, r.Code, r.Reason, r.Advice, code, reason)
	}
	return r
}

// money is an amount, whatever it was read as.
func (w *world) money(v any) decimal.Decimal {
	w.Helper()
	typed, err := connectors.Decimal().Convert(v)
	if err != nil {
		w.Fatal(err)
	}
	d, _ := typed.(decimal.Decimal)
	return d
}

// same checks two amounts.
func (w *world) same(what string, got, want any) {
	w.Helper()
	if !w.money(got).Equal(w.money(want)) {
		w.Errorf("%s is %v, not %v", what, got, want)
	}
}

// reference is the id of a record that another points to.
func reference(v any) any {
	if record, ok := v.(map[string]any); ok {
		return record["id"]
	}
	return nil
}

// set saves settings as the panel does.
func (w *world) set(values map[string]any) {
	w.Helper()
	if err := w.Engine.Settings().Save(w.ctx, w.Instance, values); err != nil {
		w.Fatal(err)
	}
}

// each runs a test with an Odoo 18 and with an Odoo 19.
func each(t *testing.T, settings map[string]string, test func(w *world)) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			test(startWith(t, demo.Options{OdooVersion: version, Settings: settings}))
		})
	}
}

// text is a value as it stands in links and messages.
func text(v any) string { return fmt.Sprint(v) }
