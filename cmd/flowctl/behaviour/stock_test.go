package behaviour

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine/store"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// storable makes a product in Odoo whose stock is counted.
func (w *world) storable(sku string) int64 {
	w.Helper()
	return w.odoo("create", map[string]any{"model": "product.product", "values": map[string]any{
		"name": "Product " + sku, "default_code": sku, "type": "consu", "is_storable": true,
	}})["id"].(int64)
}

// count sets what lies in a warehouse.
func (w *world) count(product, warehouse int64, quantity any) {
	w.Helper()
	place := w.find("stock.warehouse", []any{[]any{"id", "=", warehouse}}, "lot_stock_id")[0]["lot_stock_id"].(map[string]any)["id"]
	w.odoo("create", map[string]any{"model": "stock.quant", "context": map[string]any{"inventory_mode": true},
		"values": map[string]any{"product_id": product, "location_id": place, "inventory_quantity_auto_apply": quantity}})
}

// warehouse makes another warehouse.
func (w *world) warehouse(code string) int64 {
	w.Helper()
	return w.odoo("create", map[string]any{"model": "stock.warehouse", "values": map[string]any{"name": "Warehouse " + code, "code": code}})["id"].(int64)
}

// stocked tells of products whose stock changed, as the feed does.
func (w *world) stocked(products ...int64) {
	w.Helper()
	ids := make([]any, len(products))
	for i, id := range products {
		ids[i] = id
	}
	w.announce("feed.odoo_stock", map[string]any{"products": ids})
}

func (w *world) stockIs(shopProduct, want int64) {
	w.Helper()
	if got, ok := w.Shop.Stock(shopProduct); !ok || got != want {
		w.Errorf("the shop shows %d pieces (managed: %t), want %d", got, ok, want)
	}
}

// D12: 7 in one warehouse and -1 in the other: the chosen one counts.
func TestD12StockOfTheChosenWarehouse(t *testing.T) {
	for _, version := range []int{18, 19} {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			w := startWith(t, demo.Options{OdooVersion: version, Settings: map[string]string{"sync_stock": "true", "warehouse": "1", "stock_quantity": "qty_available"}})
			shop := w.Shop.AddProduct(shopsandbox.Product{Name: "Lamp", SKU: "LAMP", RegularPrice: "5", Stock: new(int64)})
			product, other := w.storable("LAMP"), w.warehouse("W2")
			w.count(product, 1, int64(7))
			w.count(product, other, int64(-1))
			w.stocked(product)
			w.last("update-stock", store.Succeeded)
			w.stockIs(shop, 7)
			w.quiet()
			w.stocked(product)
			w.last("update-stock", store.Succeeded)
			w.silent("the same stock announced again")
		})
	}
}

// D13: a variation whose stock is not managed: it is from now on, and read back.
func TestD13StockOfAVariationWithoutStockManagement(t *testing.T) {
	w := start(t, map[string]string{"sync_stock": "true"})
	size := []shopsandbox.Attribute{{Name: "Size", Options: []string{"S", "M"}}}
	parent := w.Shop.AddProduct(shopsandbox.Product{Name: "Shirt", Variable: true, Attributes: size})
	small := w.Shop.AddProduct(shopsandbox.Product{Parent: parent, SKU: "SHIRT-S", RegularPrice: "5", Attributes: []shopsandbox.Attribute{{Name: "Size", Options: []string{"S"}}}})
	medium := w.Shop.AddProduct(shopsandbox.Product{Parent: parent, SKU: "SHIRT-M", RegularPrice: "5", Attributes: []shopsandbox.Attribute{{Name: "Size", Options: []string{"M"}}}})
	s, m := w.storable("SHIRT-S"), w.storable("SHIRT-M")
	w.count(s, 1, int64(4))
	w.count(m, 1, "2.75")
	w.quiet()
	w.stocked(s, m)
	w.last("update-stock", store.Succeeded)
	w.stockIs(small, 4)
	w.stockIs(medium, 2)
	if n := w.Shop.Count(http.MethodPost, "/variations/batch"); n != 1 || w.Shop.Writes() != 1 {
		t.Errorf("%d batches, %d writes", n, w.Shop.Writes())
	}
	w.count(s, 1, int64(-3))
	w.stocked(s)
	w.stockIs(small, 0)
	w.stockIs(medium, 2)
}

// Where the product keeps the stock of its variations, the product is written.
func TestStockKeptByTheProduct(t *testing.T) {
	w := start(t, map[string]string{"sync_stock": "true"})
	stock := int64(1)
	parent := w.Shop.AddProduct(shopsandbox.Product{Name: "Shirt", Variable: true, Stock: &stock, Attributes: []shopsandbox.Attribute{{Name: "Size", Options: []string{"S", "M"}}}})
	w.Shop.AddProduct(shopsandbox.Product{Parent: parent, SKU: "SHIRT-S", RegularPrice: "5"})
	w.Shop.AddProduct(shopsandbox.Product{Parent: parent, SKU: "SHIRT-M", RegularPrice: "5"})
	attribute := w.odoo("create", map[string]any{"model": "product.attribute", "values": map[string]any{"name": "Size"}})["id"]
	var values []any
	for _, name := range []string{"S", "M"} {
		values = append(values, w.odoo("create", map[string]any{"model": "product.attribute.value", "values": map[string]any{"name": name, "attribute_id": attribute}})["id"])
	}
	template := w.odoo("create", map[string]any{"model": "product.template", "values": map[string]any{
		"name": "Shirt", "type": "consu", "is_storable": true,
		"attribute_line_ids": []any{[]any{int64(0), int64(0), map[string]any{"attribute_id": attribute, "value_ids": []any{[]any{int64(6), int64(0), values}}}}},
	}})["id"]
	variants := w.find("product.product", []any{[]any{"product_tmpl_id", "=", template}})
	for i, sku := range []string{"SHIRT-S", "SHIRT-M"} {
		w.odoo("write", map[string]any{"model": "product.product", "id": variants[i]["id"], "values": map[string]any{"default_code": sku}})
		w.count(variants[i]["id"].(int64), 1, int64(3+i))
	}
	w.quiet()
	w.stocked(variants[0]["id"].(int64))
	w.last("update-stock", store.Succeeded)
	w.stockIs(parent, 7)
	if w.Shop.Writes() != 1 {
		t.Errorf("%d writes", w.Shop.Writes())
	}
}

// An order that Odoo does not know yet is taken off, so that nothing is sold
// twice; once it is imported Odoo's own reservation counts.
func TestOrdersNotYetInOdooAreTakenOff(t *testing.T) {
	w := start(t, map[string]string{"sync_stock": "true", "order_statuses": `["completed"]`})
	articles := w.open()
	stock := int64(10)
	shop := w.Shop.AddProduct(shopsandbox.Product{Name: "Lamp", SKU: "LAMP", RegularPrice: "5", Stock: &stock})
	product := w.storable("LAMP")
	w.count(product, 1, int64(10))
	w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 1}, {ProductID: shop, Quantity: 4}}, PaymentMethod: "stripe"})
	w.stockIs(shop, 6)
	w.quiet()
	w.stocked(product)
	w.last("update-stock", store.Succeeded)
	w.stockIs(shop, 6)
	w.silent("the stock after an order")
}

// D14, of stock: two products with one SKU in Odoo. The others are done.
func TestD14StockOfADoubledSKUIsHeld(t *testing.T) {
	w := start(t, map[string]string{"sync_stock": "true"})
	twice := w.Shop.AddProduct(shopsandbox.Product{Name: "Twice", SKU: "TWICE", RegularPrice: "5", Stock: new(int64)})
	once := w.Shop.AddProduct(shopsandbox.Product{Name: "Once", SKU: "ONCE", RegularPrice: "5", Stock: new(int64)})
	a, b, c := w.storable("TWICE"), w.storable("TWICE"), w.storable("ONCE")
	for _, id := range []int64{a, b, c} {
		w.count(id, 1, int64(5))
	}
	w.stocked(a, c)
	if r := w.last("update-stock", store.Held); r.Code != "ambiguous_sku" || !strings.Contains(r.Reason, "TWICE") {
		t.Errorf("held for %s: %s", r.Code, r.Reason)
	}
	w.stockIs(twice, 0)
	w.stockIs(once, 5)
}

// Many products are few calls.
func TestManyProductsAreFewCalls(t *testing.T) {
	w := start(t, map[string]string{"sync_stock": "true"})
	var products []int64
	for i := range 130 {
		sku := "P" + strings.Repeat("x", i%7) + string(rune('A'+i%26)) + strings.Repeat("y", i/26)
		w.Shop.AddProduct(shopsandbox.Product{Name: sku, SKU: sku, RegularPrice: "5"})
		id := w.storable(sku)
		w.count(id, 1, int64(i%9))
		products = append(products, id)
	}
	w.quiet()
	w.stocked(products...)
	w.last("update-stock", store.Succeeded)
	if n := w.Shop.Writes(); n != 2 {
		t.Errorf("130 products took %d writes", n)
	}
	w.quiet()
	w.stocked(products...)
	w.silent("the second run")
	if n := len(w.Shop.Requests()); n > 4 {
		t.Errorf("a run that changes nothing made %d requests", n)
	}
}
