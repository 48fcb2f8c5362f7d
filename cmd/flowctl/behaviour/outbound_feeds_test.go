package behaviour

import (
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// A change in Odoo comes to the shop by itself: the feeds find it, and stock in
// lists.
func TestTheFeedsOfOdooReachTheShop(t *testing.T) {
	w := startWith(t, demo.Options{Shop: usd(false), Roles: engine.Roles(), Settings: outbound(map[string]string{"sync_stock": "true"})})
	shop := w.Shop.AddProduct(shopsandbox.Product{Name: "Lamp", SKU: "LAMP", RegularPrice: "5", Stock: new(int64)})
	product := w.storable("LAMP")
	w.count(product, 1, int64(9))
	w.odoo("write", map[string]any{"model": "product.product", "id": product, "values": map[string]any{"list_price": "17"}})
	for _, feed := range []string{"odoo_stock", "odoo_products"} {
		if err := w.Engine.Poll(w.ctx, w.Instance, feed, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	price := ""
	for stock := int64(0); stock != 9 || price != "17"; {
		stock, _ = w.Shop.Stock(shop)
		price = w.money(w.shop("products.get", map[string]any{"id": shop})["regular_price"]).String()
		select {
		case <-w.ctx.Done():
			t.Fatalf("the shop shows %d pieces at %s", stock, price)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
