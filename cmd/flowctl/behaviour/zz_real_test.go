package behaviour

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine/store"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

func real(t *testing.T, o demo.Options) *world {
	if os.Getenv("FLOWCTL_ODOO_URL") == "" {
		t.Skip()
	}
	o.Real = &demo.RealOdoo{URL: os.Getenv("FLOWCTL_ODOO_URL"), Database: os.Getenv("FLOWCTL_ODOO_DB"), Login: os.Getenv("FLOWCTL_ODOO_LOGIN"), APIKey: os.Getenv("FLOWCTL_ODOO_API_KEY")}
	return startWith(t, o)
}

func TestZZProducts(t *testing.T) {
	w := real(t, demo.Options{Shop: usd(false), Pictures: http.DefaultClient, Settings: outbound(map[string]string{"sync_images": "true", "sync_stock": "true"})})
	w.set(map[string]any{"public_url": w.EngineURL})
	mark := fmt.Sprint(time.Now().UnixNano() % 1000000)
	cat := w.odoo("create", map[string]any{"model": "product.category", "values": map[string]any{"name": "Pots " + mark}})["id"]
	id := w.template(map[string]any{"name": "Pot " + mark, "default_code": "POT-" + mark, "list_price": "12.50", "weight": "0.75", "categ_id": cat, "description_sale": "Made of clay.", "image_1920": picture(9), "is_storable": true})
	w.pushed(id)
	w.last("products", store.Succeeded)
	fmt.Println(w.bySKU("POT-"+mark)["regular_price"], w.bySKU("POT-"+mark)["categories"], w.bySKU("POT-"+mark)["images"], w.bySKU("POT-"+mark)["weight"])
	w.Shop.ForgetRequests()
	w.pushed(id)
	w.last("products", store.Succeeded)
	fmt.Println("second writes", w.Shop.Writes())
	v, variants := w.variants("Shirt "+mark, "Size "+mark, map[string]string{"S": "S-" + mark, "M": "M-" + mark}, map[string]any{"list_price": "20", "is_storable": true})
	w.pushed(v)
	w.last("products", store.Succeeded)
	fmt.Println(w.bySKU("S-" + mark)["attributes"])
	w.odoo("write", map[string]any{"model": "product.product", "id": variants["M"], "values": map[string]any{"active": false}})
	w.pushed(v)
	w.last("products", store.Succeeded)
	w.Shop.ForgetRequests()
	w.pushed(v)
	fmt.Println("variants second writes", w.Shop.Writes())
	// pricelist
	list := w.odoo("create", map[string]any{"model": "product.pricelist", "values": map[string]any{"name": "Sale " + mark}})["id"]
	w.set(map[string]any{"sale_pricelist": list})
	w.odoo("create", map[string]any{"model": "product.pricelist.item", "values": map[string]any{"pricelist_id": list, "applied_on": "2_product_category", "categ_id": cat, "compute_price": "percentage", "percent_price": "20", "date_end": time.Now().Add(time.Hour).UTC()}})
	w.announce("schedule.prices", map[string]any{"at": time.Now().UTC()})
	w.last("price-rules", store.Succeeded)
	fmt.Println("sale", w.bySKU("POT-" + mark)["sale_price"])
	w.odoo("create", map[string]any{"model": "product.pricelist.item", "values": map[string]any{"pricelist_id": list, "applied_on": "1_product", "product_tmpl_id": id, "compute_price": "formula", "base": "standard_price", "price_surcharge": "3"}})
	w.pushed(id)
	w.last("products", store.Succeeded)
	fmt.Println("sale by cost", w.bySKU("POT-" + mark)["sale_price"])
	// stock
	p := w.find("product.product", []any{[]any{"product_tmpl_id", "=", id}})[0]["id"].(int64)
	wh := w.find("stock.warehouse", []any{})[0]["id"].(int64)
	w.count(p, wh, int64(7))
	w.set(map[string]any{"warehouse": wh})
	w.stocked(p, variants["S"])
	w.last("update-stock", store.Succeeded)
	w.stockIs(w.bySKU("POT-" + mark)["id"].(int64), 7)
	// bulk
	w.template(map[string]any{"name": "Bulk " + mark, "default_code": "BULK-" + mark, "list_price": "1"})
	r := w.run("create-products-and-variants", map[string]any{"category": cat})
	fmt.Println(r.State, r.Reason, string(r.Result))
	r = w.run("create-products-and-variants", map[string]any{})
	fmt.Println(r.State, r.Reason, string(r.Result))
	w.Shop.ForgetRequests()
	r = w.run("create-products-and-variants", map[string]any{})
	fmt.Println(r.State, r.Reason, string(r.Result), w.Shop.Writes())
	// feeds
	for _, feed := range []string{"odoo_stock", "odoo_moves", "odoo_partners", "odoo_pickings", "odoo_products"} {
		f, _ := w.Engine.App().Feed(feed)
		params, err := f.Call.With.EvalRecord(w.ctx, map[string]any{"settings": map[string]any{}})
		if err != nil {
			t.Error(feed, err)
		}
		params["since"] = time.Now().Add(-time.Minute)
		out := w.odoo("changed", params)
		fmt.Println(feed, len(out["records"].([]any)))
	}
}

func TestZZFulfillAndCustomer(t *testing.T) {
	w := real(t, demo.Options{Shop: shopWith(shopsandbox.PluginTracking), Settings: map[string]string{"sync_fulfillment": "true", "sync_customers": "true"}})
	articles := w.open()
	customer := w.Shop.AddCustomer(shopsandbox.Customer{Email: fmt.Sprintf("ada%d@example.com", time.Now().UnixNano()), FirstName: "Ada", LastName: "Lovelace", Billing: ada()})
	b := ada()
	b["email"] = w.customer(customer)["email"].(string)
	order := w.buy(shopsandbox.Cart{CustomerID: customer, Billing: b, Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 3}}, PaymentMethod: "stripe"})
	found := w.find("sale.order", []any{[]any{"client_order_ref", "=", fmt.Sprintf("WOO/main/%d", order)}}, "partner_id")
	last := found[len(found)-1]
	sale := last["id"].(int64)
	partner := last["partner_id"].(map[string]any)["id"].(int64)
	w.ship(sale, 1, "1Z-ONE")
	w.delivered(sale)
	w.last("fulfill", store.Succeeded)
	fmt.Println(w.status(order), w.Shop.Parcels(order))
	w.ship(sale, 2, "1Z-TWO")
	w.delivered(sale)
	w.last("fulfill", store.Succeeded)
	fmt.Println(w.status(order), w.Shop.Parcels(order))
	w.Shop.ForgetRequests()
	w.changedPartner(partner)
	fmt.Println(w.last("customer", store.Succeeded).Reason, "writes", w.Shop.Writes())
	w.writePartner(partner, map[string]any{"street": "Oak Street 5", "zip": "80331", "city": "München"})
	fmt.Println(w.customer(customer)["billing"])
}
