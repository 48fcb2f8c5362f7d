package behaviour

import (
	"fmt"
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/connectors"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine"
)

// polled has the feeds of the shop polled, as if their time had come, and waits
// until that is done and worked off.
func (w *world) polled(feeds ...string) {
	w.Helper()
	before := map[string]engine.FeedStatus{}
	for _, f := range w.feeds() {
		before[f.Name] = f
	}
	for _, name := range feeds {
		if err := w.Engine.Poll(w.ctx, w.Instance, name, time.Time{}); err != nil {
			w.Fatal(err)
		}
	}
	for {
		late := 0
		for _, f := range w.feeds() {
			for _, name := range feeds {
				if f.Name == name && (!f.State.LastSuccess.After(before[name].State.LastSuccess) || f.State.Walking || !f.State.AskedAt.IsZero()) {
					late++
				}
			}
		}
		if late == 0 {
			break
		}
		select {
		case <-w.ctx.Done():
			w.Fatalf("the feeds stand at %+v", w.feeds())
		case <-time.After(50 * time.Millisecond):
		}
	}
	w.settle()
}

func (w *world) feeds() []engine.FeedStatus {
	w.Helper()
	feeds, err := w.Engine.Feeds(w.ctx, w.Instance)
	if err != nil {
		w.Fatal(err)
	}
	return feeds
}

var shopFeeds = []string{"shop_orders", "shop_products", "shop_customers"}

// Everything is off, and the shop gives up on its webhooks: orders, changes and
// deletions of that time are found all the same, once each.
func TestWhatHappensWhileEverythingIsOffIsFound(t *testing.T) {
	const orders, customers, goods = 50, 5, 8
	w := startWith(t, demo.Options{Settings: map[string]string{"sync_products_inbound": "true"}, Roles: engine.Roles()})
	articles := w.open()
	var people []int64
	for i := range customers + 3 {
		people = append(people, w.shop("customers.create", map[string]any{"values": map[string]any{
			"email": fmt.Sprintf("person%d@example.com", i), "first_name": "Person", "last_name": fmt.Sprint("No ", i),
			"billing": map[string]any{"address_1": "Lane 1", "city": "Berlin", "postcode": "10115", "country": "DE"}}})["id"].(int64))
	}
	var products []int64
	for i := range goods {
		products = append(products, w.shop("products.create", map[string]any{"values": map[string]any{
			"name": fmt.Sprint("Thing ", i), "sku": fmt.Sprint("THING-", i), "regular_price": "5.00", "type": "simple"}})["id"].(int64))
	}
	// The very first walks only learn what there is; the flows learn it by events.
	w.polled(shopFeeds...)
	for _, id := range people {
		w.announce("woocommerce.customer.created", map[string]any{"id": id})
	}
	for _, id := range products {
		w.announce("woocommerce.product.created", map[string]any{"id": id})
	}

	var placed []int64
	err := w.Without(w.ctx, func(shop connectors.Connection) error {
		do := func(operation string, params map[string]any) error {
			_, err := shop.Call(w.ctx, connectors.Call{Operation: operation, Params: params})
			return err
		}
		listed, err := shop.Call(w.ctx, connectors.Call{Operation: "webhooks.list"})
		if err != nil {
			return err
		}
		for _, hook := range listed.(map[string]any)["items"].([]any) {
			if err := do("webhooks.update", map[string]any{"id": hook.(map[string]any)["id"], "status": "disabled"}); err != nil {
				return err
			}
		}
		for i := range orders {
			billing := ada()
			billing["email"] = fmt.Sprintf("shopper%d@example.com", i)
			id, err := w.Shop.Checkout(shopsandbox.Cart{Billing: billing, PaymentMethod: "bacs", Items: []shopsandbox.CartItem{{ProductID: articles[i%len(articles)], Quantity: int64(1 + i%3)}}})
			if err != nil {
				return err
			}
			placed = append(placed, id)
		}
		for i, id := range people[:customers] {
			if err := do("customers.update", map[string]any{"id": id, "values": map[string]any{"last_name": fmt.Sprint("Changed ", i)}}); err != nil {
				return err
			}
		}
		for i, id := range products[:3] {
			if err := do("products.delete", map[string]any{"id": id, "force": i%2 == 0}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.polled(shopFeeds...)

	for _, id := range placed {
		w.sale(id) // exactly one
	}
	for i := range customers + 3 {
		want := fmt.Sprint("Person No ", i)
		if i < customers {
			want = fmt.Sprint("Person Changed ", i)
		}
		if found := w.contacts(fmt.Sprintf("person%d@example.com", i)); len(found) != 1 || found[0]["name"] != want {
			t.Errorf("the contacts of person %d are %v", i, found)
		}
	}
	for i := range goods {
		if found := w.templates(fmt.Sprint("Thing ", i)); len(found) != 1 || found[0]["active"] != (i >= 3) {
			t.Errorf("the products of thing %d are %v", i, found)
		}
	}
	w.quiet()
	w.polled(shopFeeds...)
	w.silent("polled once more")
}

// A sweep by hand brings in what a flow missed while its switch was off.
func TestASweepByHand(t *testing.T) {
	w := startWith(t, demo.Options{Settings: map[string]string{"import_orders": "false"}, Roles: engine.Roles()})
	articles := w.open()
	since := time.Now().Add(-time.Minute)
	var placed []int64
	for range 3 {
		placed = append(placed, w.buy(shopsandbox.Cart{PaymentMethod: "bacs", Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 1}}}))
	}
	if found := w.find("sale.order", []any{[]any{"client_order_ref", "!=", false}}, "name"); len(found) != 0 {
		t.Fatalf("there are %d orders", len(found))
	}
	swept, err := w.Engine.Sweep(w.ctx, w.Instance, "webhook-order-created", since)
	if err != nil || swept.Records != 3 || len(swept.Runs) != 3 {
		t.Fatalf("got %+v, %v", swept, err)
	}
	w.settle()
	for _, id := range placed {
		w.sale(id)
	}
}
