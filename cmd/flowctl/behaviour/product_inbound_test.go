package behaviour

import (
	"testing"

	"github.com/flowctl/flowctl/engine/store"
)

var productsIn = map[string]string{"sync_products_inbound": "true"}

// templates are the products of Odoo with a name, archived ones too.
func (w *world) templates(name string) []map[string]any {
	w.Helper()
	return w.find("product.template", []any{[]any{"name", "=", name}}, "name", "default_code", "list_price", "active", "description_sale", "product_variant_ids")
}

// tell announces an event of a product as its webhook does.
func (w *world) tell(event string, id int64) {
	w.Helper()
	w.announce("woocommerce.product."+event, map[string]any{"id": id})
}

func TestAProductOfTheShopBecomesOneOfOdoo(t *testing.T) {
	each(t, productsIn, func(w *world) {
		w.open()
		id := w.shop("products.create", map[string]any{"values": map[string]any{
			"name": "Salt &amp; pepper", "sku": "SALT-1", "regular_price": "4.50", "type": "simple", "description": "<p>Two <b>mills</b></p>"}})["id"].(int64)
		w.tell("created", id)
		w.ended("webhook-product-inbound", store.Succeeded)
		found := w.templates("Salt & pepper")
		if len(found) != 1 || found[0]["default_code"] != "SALT-1" || found[0]["description_sale"] != "Two mills" {
			w.Fatalf("the products are %v", found)
		}
		w.same("its price", found[0]["list_price"], "4.50")
		w.quiet()
		w.tell("updated", id)
		w.skipped("webhook-product-inbound", "nothing new")
		w.silent("the product announced again")

		w.shop("products.update", map[string]any{"id": id, "values": map[string]any{"regular_price": "5.25"}})
		w.odoo("write", map[string]any{"model": "product.template", "id": found[0]["id"], "values": map[string]any{"name": "Mills"}})
		w.tell("updated", id)
		found = w.templates("Mills")
		if len(found) != 1 {
			w.Fatal("the name of Odoo was overwritten by a change of the price")
		}
		w.same("its price", found[0]["list_price"], "5.25")

		w.shop("products.delete", map[string]any{"id": id})
		w.tell("deleted", id)
		w.skipped("webhook-product-inbound", "is archived in Odoo now")
		if found = w.templates("Mills"); len(found) != 1 || found[0]["active"] != false {
			w.Fatalf("the products are %v", found)
		}
		w.Shop.RestoreProduct(id)
		w.shop("products.update", map[string]any{"id": id, "values": map[string]any{"status": "publish"}})
		w.tell("restored", id)
		if found = w.templates("Mills"); len(found) != 1 || found[0]["active"] != true {
			w.Errorf("the products are %v", found)
		}
	})
}

func TestAProductThatOdooHasIsAdopted(t *testing.T) {
	w := start(t, productsIn)
	articles := w.open()
	before := w.find("product.template", []any{[]any{"default_code", "=", "MUG-BLUE"}}, "name", "list_price")
	w.odoo("write", map[string]any{"model": "product.template", "id": before[0]["id"], "values": map[string]any{"name": "Our mug", "list_price": 8}})
	w.tell("updated", articles[0])
	w.ended("webhook-product-inbound", store.Succeeded)
	after := w.find("product.template", []any{[]any{"default_code", "=", "MUG-BLUE"}}, "name", "list_price")
	if len(after) != 1 || after[0]["name"] != "Our mug" {
		t.Errorf("the products are %v", after)
	}
	w.same("its price", after[0]["list_price"], 8)
}

func TestD14TwoProductsWithOneSKUAreHeldInbound(t *testing.T) {
	each(t, productsIn, func(w *world) {
		articles := w.open()
		w.odoo("create", map[string]any{"model": "product.product", "values": map[string]any{"name": "Another mug", "default_code": "MUG-BLUE"}})
		w.tell("updated", articles[0])
		w.held("webhook-product-inbound", "ambiguous_product", "Another mug")
	})
}

func TestAVariableProductBecomesOneWithVariants(t *testing.T) {
	each(t, productsIn, func(w *world) {
		w.open()
		id := w.shop("products.create", map[string]any{"values": map[string]any{"name": "Jacket", "type": "variable", "attributes": []any{
			map[string]any{"name": "Colour", "variation": true, "visible": true, "options": []any{"Red", "Blue"}},
			map[string]any{"name": "Size", "variation": true, "visible": true, "options": []any{"S", "M"}},
		}}})["id"].(int64)
		skus := map[string]string{}
		for _, v := range []struct{ colour, size, sku string }{{"Red", "S", "J-R-S"}, {"Blue", "M", "J-B-M"}} {
			made := w.shop("variations.create", map[string]any{"product_id": id, "values": map[string]any{"sku": v.sku, "regular_price": "60", "attributes": []any{
				map[string]any{"name": "Colour", "option": v.colour}, map[string]any{"name": "Size", "option": v.size}}}})
			skus[text(made["id"])] = v.sku
		}
		w.tell("created", id)
		w.ended("webhook-product-inbound", store.Succeeded)
		found := w.templates("Jacket")
		if len(found) != 1 {
			w.Fatalf("the products are %v", found)
		}
		for _, v := range []struct{ sku, want string }{{"J-R-S", "Jacket (Red, S)"}, {"J-B-M", "Jacket (Blue, M)"}} {
			variants := w.find("product.product", []any{[]any{"default_code", "=", v.sku}}, "display_name")
			if len(variants) != 1 || variants[0]["display_name"] != "["+v.sku+"] "+v.want {
				w.Errorf("%s is %v", v.sku, variants)
			}
		}
		links, err := w.Engine.Store().Links(w.ctx, store.LinkFilter{Instance: w.Instance, Table: "product_variant"})
		if err != nil || len(links) != 2 {
			w.Errorf("the links are %v, %v", links, err)
		}
		w.quiet()
		for variation := range skus {
			_ = variation
			w.tell("updated", id)
		}
		w.silent("the product announced again")
	})
}

func TestAProductWithoutASKUIsNotMade(t *testing.T) {
	w := start(t, productsIn)
	w.open()
	id := w.shop("products.create", map[string]any{"values": map[string]any{"name": "Nameless", "regular_price": "1"}})["id"].(int64)
	w.tell("created", id)
	w.skipped("webhook-product-inbound", "has no SKU")
	if len(w.templates("Nameless")) != 0 {
		t.Error("it was made all the same")
	}
}

// A product that nobody here knows: the event may be a coupon's.
func TestADeletionOfSomethingElseIsSkipped(t *testing.T) {
	w := start(t, productsIn)
	w.open()
	w.tell("deleted", 99999)
	w.skipped("webhook-product-inbound", "no product of Odoo is linked")
}
