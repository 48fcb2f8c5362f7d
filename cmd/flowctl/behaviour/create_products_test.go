package behaviour

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine/store"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// created is the result of the flow that creates products.
type created struct {
	Products, Variations, Linked int
	NoSKU                        []string `json:"no_sku"`
	Problems                     []string
}

func (w *world) create() created {
	w.Helper()
	r := w.run("create-products-and-variants", map[string]any{})
	if r.State != store.Succeeded {
		w.Fatalf("it is %s: %s", r.State, r.Reason)
	}
	var out created
	if err := json.Unmarshal(r.Result, &out); err != nil {
		w.Fatal(err)
	}
	return out
}

// hide takes the products that a fresh Odoo has off sale.
func (w *world) hide() {
	w.Helper()
	var ids []any
	for _, r := range w.find("product.template", []any{}) {
		ids = append(ids, r["id"])
	}
	w.odoo("write", map[string]any{"model": "product.template", "ids": ids, "values": map[string]any{"sale_ok": false}})
}

// All products for sale go to the shop, a hundred at a time; what has no SKU is
// listed; the second run does nothing.
func TestAllProductsAreCreatedInFewCalls(t *testing.T) {
	onBoth(t, nil, usd(false), func(t *testing.T, w *world) {
		w.hide()
		var list []any
		for i := range 250 {
			list = append(list, map[string]any{"name": fmt.Sprintf("Bulk %03d", i), "default_code": fmt.Sprintf("BULK-%03d", i), "type": "consu", "list_price": i + 1,
				"taxes_id": []any{[]any{int64(6), int64(0), []any{}}}})
		}
		w.odoo("create", map[string]any{"model": "product.product", "values_list": list})
		w.template(map[string]any{"name": "No code"})
		w.template(map[string]any{"name": "Twice", "default_code": "TWICE"})
		w.template(map[string]any{"name": "Twice too", "default_code": "TWICE"})
		w.variants("Shirt", "Size", map[string]string{"S": "SHIRT-S", "M": "SHIRT-M"}, map[string]any{"list_price": "20"})
		there := w.Shop.AddProduct(shopsandbox.Product{Name: "Known", SKU: "bulk-007", RegularPrice: "1"})
		w.quiet()
		got := w.create()
		if got.Products != 250 || got.Variations != 2 || got.Linked != 1 || len(got.NoSKU) != 1 || len(got.Problems) != 2 {
			t.Errorf("it made %+v", got)
		}
		if n := w.Shop.Count(http.MethodPost, "/products/batch"); n != 3 {
			t.Errorf("%d batches of products", n)
		}
		if n := w.Shop.Count(http.MethodPost, "/variations/batch"); n != 1 {
			t.Errorf("%d batches of variations", n)
		}
		if p := w.bySKU("BULK-249"); w.money(p["regular_price"]).String() != "250" || p["status"] != "publish" {
			t.Errorf("BULK-249 is %v", p)
		}
		if p := w.bySKU("BULK-007"); p["id"] != there || p["name"] != "Bulk 007" {
			t.Errorf("the product that was there is %v %v", p["id"], p["name"])
		}
		w.quiet()
		r := w.run("create-products-and-variants", map[string]any{})
		if r.State != store.Succeeded && r.State != store.Skipped {
			t.Errorf("the second run is %s: %s", r.State, r.Reason)
		}
		w.silent("the second run")
	})
}

// The answer to a batch is lost: the products are found again, none is made twice.
func TestALostAnswerCreatesNoProductTwice(t *testing.T) {
	w := startWith(t, demo.Options{Shop: usd(false)})
	w.hide()
	for i := range 20 {
		w.template(map[string]any{"name": fmt.Sprintf("Lost %d", i), "default_code": fmt.Sprintf("LOST-%d", i)})
	}
	w.variants("Shirt", "Size", map[string]string{"S": "SHIRT-S", "M": "SHIRT-M"}, nil)
	lost := map[string]bool{}
	w.Shop.SetFault(func(r *http.Request) *shopsandbox.Fault {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/batch") && !lost[r.URL.Path] {
			lost[r.URL.Path] = true
			return &shopsandbox.Fault{After: true, Cut: true}
		}
		return nil
	})
	before := len(w.Shop.ProductIDs())
	for range 3 { // a person tries again what is listed as not done
		w.run("create-products-and-variants", map[string]any{})
	}
	if got := len(w.Shop.ProductIDs()) - before; got != 23 {
		t.Errorf("%d products and variations, want 20 and a product with two", got)
	}
}
