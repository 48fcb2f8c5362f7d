package behaviour

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine/store"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// shopWith is the demo's kind of shop with plugins that keep tracking numbers.
func shopWith(plugins ...string) *shopsandbox.Settings {
	s := shopsandbox.DefaultSettings()
	s.Country, s.Timezone, s.PricesIncludeTax, s.TaxClasses = "DE", "Europe/Berlin", true, []string{"reduced-rate"}
	s.Plugins = plugins
	return &s
}

// ship delivers so many pieces of the first line of an order's open delivery, and
// leaves the rest to a back order. It returns the delivery's name.
func (w *world) ship(saleOrder int64, pieces int64, tracking string) string {
	w.Helper()
	open := w.find("stock.picking", []any{[]any{"sale_id", "=", saleOrder}, []any{"state", "not in", []any{"done", "cancel"}}, []any{"picking_type_code", "=", "outgoing"}}, "name")
	if len(open) == 0 {
		w.Fatal("there is nothing to deliver")
	}
	picking := open[0]["id"].(int64)
	moves := w.find("stock.move", []any{[]any{"picking_id", "=", picking}}, "product_uom_qty")
	w.odoo("write", map[string]any{"model": "stock.move", "id": moves[0]["id"], "values": map[string]any{"quantity": pieces, "picked": true}})
	w.odoo("write", map[string]any{"model": "stock.picking", "id": picking, "values": map[string]any{"carrier_tracking_ref": tracking}})
	out := w.odoo("call", map[string]any{"model": "stock.picking", "method": "button_validate", "ids": []any{picking},
		"context": map[string]any{"skip_backorder": true, "skip_sms": true}})
	if out["result"] != true {
		w.Fatalf("the delivery was not validated: %v", out)
	}
	return open[0]["name"].(string)
}

// delivered tells of an order's deliveries as the feed does.
func (w *world) delivered(saleOrder int64) {
	w.Helper()
	w.announce("feed.odoo_pickings", map[string]any{"id": int64(0), "sale_order": saleOrder})
}

// sold makes an order of three mugs that is imported and confirmed.
func (w *world) sold() (order, saleOrder int64) {
	w.Helper()
	articles := w.open()
	order = w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 3}}, PaymentMethod: "stripe"})
	found := w.find("sale.order", []any{[]any{"client_order_ref", "=", fmt.Sprintf("WOO/main/%d", order)}})
	if len(found) != 1 {
		w.Fatalf("%d sale orders", len(found))
	}
	return order, found[0]["id"].(int64)
}

func (w *world) status(order int64) string {
	w.Helper()
	return w.shop("orders.get", map[string]any{"id": order})["status"].(string)
}

// D10: one of three is shipped, then two: two tracking numbers, and the order is
// completed after the second.
func TestD10CompletedWhenNothingIsLeftToShip(t *testing.T) {
	for _, c := range []struct {
		name    string
		plugins []string
		odoo    int
		want    []string
	}{
		{"Shipment Tracking", []string{shopsandbox.PluginTracking, shopsandbox.PluginAdvanced, shopsandbox.PluginFulfillments}, 18, []string{shopsandbox.PluginTracking, shopsandbox.PluginTracking}},
		{"Advanced Shipment Tracking", []string{shopsandbox.PluginAdvanced, shopsandbox.PluginFulfillments}, 19, []string{shopsandbox.PluginAdvanced, shopsandbox.PluginAdvanced}},
		{"the shop's own fulfillments", []string{shopsandbox.PluginFulfillments}, 19, []string{shopsandbox.PluginFulfillments, shopsandbox.PluginFulfillments}},
		{"notes to the customer", nil, 18, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := startWith(t, demo.Options{Shop: shopWith(c.plugins...), OdooVersion: c.odoo, Settings: map[string]string{"sync_fulfillment": "true"}})
			order, sale := w.sold()
			first := w.ship(sale, 1, "1Z-ONE")
			w.quiet()
			w.delivered(sale)
			w.last("fulfill", store.Succeeded)
			if status := w.status(order); status != "processing" {
				t.Errorf("with two of three still to ship the order is %s", status)
			}
			if shop, odoo := w.writes(); shop != 1 || odoo != 0 {
				t.Errorf("%d writes in the shop, %d in Odoo", shop, odoo)
			}
			second := w.ship(sale, 2, "1Z-TWO")
			w.delivered(sale)
			w.last("fulfill", store.Succeeded)
			if status := w.status(order); status != "completed" {
				t.Errorf("with nothing left to ship the order is %s", status)
			}
			var kinds, numbers []string
			for _, p := range w.Shop.Parcels(order) {
				kinds, numbers = append(kinds, p.Plugin), append(numbers, p.Number)
			}
			if !slices.Equal(kinds, c.want) || c.want != nil && !slices.Equal(numbers, []string{"1Z-ONE", "1Z-TWO"}) {
				t.Errorf("parcels are %v %v", kinds, numbers)
			}
			notes := strings.Join(w.Shop.Notes(order), "\n")
			for _, text := range []string{first, second, "1Z-ONE", "1Z-TWO"} {
				if strings.Contains(notes, text) != (c.want == nil) {
					t.Errorf("%s in the notes: %q", text, notes)
				}
			}
			w.quiet()
			w.delivered(sale)
			w.silent("a delivery announced again")
		})
	}
}

// The shop accepts a tracking number and loses it: a person is told.
func TestALostTrackingNumberIsSeen(t *testing.T) {
	w := startWith(t, demo.Options{Shop: shopWith(shopsandbox.PluginTracking), Settings: map[string]string{"sync_fulfillment": "true"}})
	order, sale := w.sold()
	w.ship(sale, 3, "1Z-LOST")
	w.Shop.SetFault(func(r *http.Request) *shopsandbox.Fault {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/shipment-trackings") {
			return &shopsandbox.Fault{Status: http.StatusCreated, Body: `{"tracking_id":"abc","tracking_number":"1Z-LOST"}`}
		}
		return nil
	})
	w.delivered(sale)
	if r := w.last("fulfill", store.Held); r.Code != "tracking_lost" {
		t.Errorf("held for %s: %s", r.Code, r.Reason)
	}
	w.Shop.SetFault(nil)
	w.delivered(sale)
	w.last("fulfill", store.Succeeded)
	if len(w.Shop.Parcels(order)) != 1 || w.status(order) != "completed" {
		t.Errorf("parcels %v, order %s", w.Shop.Parcels(order), w.status(order))
	}
}

// No answer came to a note: it is looked for, and not written twice.
func TestAShipmentIsToldOnceThoughTheAnswerIsLost(t *testing.T) {
	w := start(t, map[string]string{"sync_fulfillment": "true"})
	order, sale := w.sold()
	name := w.ship(sale, 3, "")
	lost := false
	w.Shop.SetFault(func(r *http.Request) *shopsandbox.Fault {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/notes") && !lost {
			lost = true
			return &shopsandbox.Fault{After: true, Cut: true}
		}
		return nil
	})
	w.delivered(sale)
	w.last("fulfill", store.Succeeded)
	if notes := strings.Join(w.Shop.Notes(order), "\n"); !lost || strings.Count(notes, name) != 1 {
		t.Errorf("notes: %q", notes)
	}
}

// What was cancelled in Odoo is not shipped: the order is not completed over it.
func TestACancelledRestIsNotCompleted(t *testing.T) {
	w := start(t, map[string]string{"sync_fulfillment": "true"})
	order, sale := w.sold()
	w.ship(sale, 1, "")
	rest := w.find("stock.picking", []any{[]any{"sale_id", "=", sale}, []any{"state", "!=", "done"}})
	w.odoo("call", map[string]any{"model": "stock.picking", "method": "action_cancel", "ids": []any{rest[0]["id"]}})
	w.delivered(sale)
	if r := w.last("fulfill", store.Held); r.Code != "not_all_shipped" || w.status(order) != "processing" {
		t.Errorf("%s %s; the order is %s", r.Code, r.Reason, w.status(order))
	}
	if len(w.Shop.Notes(order)) != 1 {
		t.Errorf("notes: %q", w.Shop.Notes(order))
	}
}
