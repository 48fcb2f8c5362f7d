package behaviour

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/store"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// outbound are the settings of a shop that takes its products from Odoo.
func outbound(more map[string]string) map[string]string {
	settings := map[string]string{"sync_products": "true", "create_products": "true"}
	for name, value := range more {
		settings[name] = value
	}
	return settings
}

// template makes a product in Odoo without taxes and returns its template.
func (w *world) template(values map[string]any) int64 {
	w.Helper()
	all := map[string]any{"type": "consu", "taxes_id": []any{[]any{int64(6), int64(0), []any{}}}}
	for name, value := range values {
		all[name] = value
	}
	return w.odoo("create", map[string]any{"model": "product.template", "values": all})["id"].(int64)
}

// variants makes a template with an attribute and sets the SKUs of its variants.
func (w *world) variants(name string, attribute string, options map[string]string, values map[string]any) (template int64, ids map[string]int64) {
	w.Helper()
	a := w.odoo("create", map[string]any{"model": "product.attribute", "values": map[string]any{"name": attribute}})["id"]
	var names []string
	for option := range options {
		names = append(names, option)
	}
	slices.Sort(names)
	var options64 []any
	for _, option := range names {
		options64 = append(options64, w.odoo("create", map[string]any{"model": "product.attribute.value", "values": map[string]any{"name": option, "attribute_id": a}})["id"])
	}
	all := map[string]any{"name": name, "attribute_line_ids": []any{[]any{int64(0), int64(0), map[string]any{"attribute_id": a, "value_ids": []any{[]any{int64(6), int64(0), options64}}}}}}
	for key, value := range values {
		all[key] = value
	}
	template = w.template(all)
	ids = map[string]int64{}
	for i, v := range w.find("product.product", []any{[]any{"product_tmpl_id", "=", template}}) {
		ids[names[i]] = v["id"].(int64)
		w.odoo("write", map[string]any{"model": "product.product", "id": v["id"], "values": map[string]any{"default_code": options[names[i]]}})
	}
	return template, ids
}

// pushed tells of a product that changed in Odoo, as the feed does.
func (w *world) pushed(template int64) {
	w.Helper()
	w.announce("feed.odoo_products", map[string]any{"id": template})
}

// bySKU is the product or variation of the shop with a SKU.
func (w *world) bySKU(sku string) map[string]any {
	w.Helper()
	items := w.shop("products.list", map[string]any{"sku": []any{sku}, "status": "any"})["items"].([]any)
	if len(items) != 1 {
		w.Fatalf("%d products of the shop have the SKU %s", len(items), sku)
	}
	return items[0].(map[string]any)
}

// usd is a shop in the currency of a fresh Odoo.
func usd(included bool) *shopsandbox.Settings {
	s := shopsandbox.DefaultSettings()
	s.Currency, s.PricesIncludeTax = "USD", included
	return &s
}

func onBoth(t *testing.T, settings map[string]string, shop *shopsandbox.Settings, test func(t *testing.T, w *world)) {
	for _, version := range []int{18, 19} {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			test(t, startWith(t, demo.Options{OdooVersion: version, Shop: shop, Settings: settings}))
		})
	}
}

// A product is created once, changed by its differences, and never written again
// without one.
func TestAProductGoesToTheShop(t *testing.T) {
	onBoth(t, outbound(nil), usd(false), func(t *testing.T, w *world) {
		garden := w.odoo("create", map[string]any{"model": "product.category", "values": map[string]any{"name": "Garden", "parent_id": int64(1)}})["id"]
		pots := w.odoo("create", map[string]any{"model": "product.category", "values": map[string]any{"name": "Pots & more", "parent_id": garden}})["id"]
		id := w.template(map[string]any{"name": "Pot “Ada” & Co", "default_code": "POT-1", "list_price": "12.50", "weight": "0.75", "categ_id": pots, "description_sale": "Made of clay.\nBy hand."})
		w.pushed(id)
		w.last("products", store.Succeeded)
		pot := w.bySKU("POT-1")
		if got := w.money(pot["regular_price"]).String(); got != "12.5" || pot["status"] != "publish" || pot["type"] != "simple" {
			t.Errorf("the product is %v %v at %s", pot["type"], pot["status"], got)
		}
		category := pot["categories"].([]any)[0].(map[string]any)
		above := w.shop("categories.get", map[string]any{"id": category["id"]})["parent"]
		if category["name"] != "Pots &amp; more" && category["name"] != "Pots & more" || w.shop("categories.get", map[string]any{"id": above})["name"] != "Garden" {
			t.Errorf("the category is %v below %v", category, above)
		}
		w.quiet()
		w.pushed(id)
		w.last("products", store.Succeeded)
		w.silent("the product announced again")
		w.odoo("write", map[string]any{"model": "product.template", "id": id, "values": map[string]any{"list_price": "13.95"}})
		w.quiet()
		w.pushed(id)
		if got := w.money(w.bySKU("POT-1")["regular_price"]).String(); got != "13.95" || w.Shop.Writes() != 1 {
			t.Errorf("the price is %s after %d writes", got, w.Shop.Writes())
		}
		w.odoo("write", map[string]any{"model": "product.template", "id": id, "values": map[string]any{"active": false}})
		w.pushed(id)
		if pot = w.bySKU("POT-1"); pot["status"] != "private" {
			t.Errorf("an archived product is %v in the shop", pot["status"])
		}
		w.odoo("write", map[string]any{"model": "product.template", "id": id, "values": map[string]any{"active": true}})
		w.pushed(id)
		if pot = w.bySKU("POT-1"); pot["status"] != "publish" {
			t.Errorf("a product taken back is %v in the shop", pot["status"])
		}
	})
}

// Variants are variations; one that is archived is hidden, not deleted.
func TestVariantsAreVariations(t *testing.T) {
	onBoth(t, outbound(nil), usd(false), func(t *testing.T, w *world) {
		id, variants := w.variants("Shirt", "Size", map[string]string{"S": "SHIRT-S", "M": "SHIRT-M", "L": "SHIRT-L"}, map[string]any{"list_price": "20"})
		w.pushed(id)
		w.last("products", store.Succeeded)
		for option, sku := range map[string]string{"S": "SHIRT-S", "M": "SHIRT-M", "L": "SHIRT-L"} {
			v := w.bySKU(sku)
			attributes := v["attributes"].([]any)
			if v["type"] != "variation" || len(attributes) != 1 || attributes[0].(map[string]any)["option"] != option || w.money(v["regular_price"]).String() != "20" {
				t.Errorf("%s is %v %v", sku, v["type"], attributes)
			}
		}
		w.quiet()
		w.pushed(id)
		w.silent("variants announced again")
		w.odoo("write", map[string]any{"model": "product.product", "id": variants["M"], "values": map[string]any{"active": false}})
		w.pushed(id)
		medium := w.bySKU("SHIRT-M")
		if got := w.shop("variations.get", map[string]any{"product_id": medium["parent_id"], "id": medium["id"]})["status"]; got != "private" {
			t.Errorf("an archived variant is %v", got)
		}
		w.quiet()
		w.pushed(id)
		w.silent("the archived variant announced again")
	})
}

// D14: two products with one SKU in Odoo are held, whether they are linked or not.
func TestD14TwoProductsOfOdooWithOneSKUAreNotPushed(t *testing.T) {
	w := startWith(t, demo.Options{Shop: usd(false), Settings: outbound(nil)})
	a := w.template(map[string]any{"name": "One", "default_code": "SAME"})
	w.template(map[string]any{"name": "Other", "default_code": "SAME"})
	w.quiet()
	w.pushed(a)
	w.held("products", "ambiguous_sku", "SAME")
	w.silent("a SKU that two products have")
}

// D19: the price changes while the product is being written. The newest wins.
func TestD19ThePriceChangesWhileItIsWritten(t *testing.T) {
	w := startWith(t, demo.Options{Shop: usd(false), Settings: outbound(nil)})
	id := w.template(map[string]any{"name": "Lamp", "default_code": "LAMP", "list_price": "10"})
	w.pushed(id)
	w.odoo("write", map[string]any{"model": "product.template", "id": id, "values": map[string]any{"list_price": "11"}})
	changed := make(chan struct{})
	w.Shop.SetFault(func(r *http.Request) *shopsandbox.Fault {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/products/") {
			select {
			case <-changed:
			default:
				close(changed)
				w.odoo("write", map[string]any{"model": "product.template", "id": id, "values": map[string]any{"list_price": "12"}})
				if _, err := w.Engine.Accept(w.ctx, event.Incoming{Instance: w.Instance, Source: "feed", Name: "feed.odoo_products", Payload: map[string]any{"id": id}}); err != nil {
					w.Error(err)
				}
			}
		}
		return nil
	})
	w.pushed(id)
	if got := w.money(w.bySKU("LAMP")["regular_price"]).String(); got != "12" {
		t.Errorf("the price is %s", got)
	}
}

// Prices: with tax or without, as each side enters them; sale prices by rule.
func TestPricesOfTheShop(t *testing.T) {
	taxed := func(w *world, percent string, included string) []any {
		id := w.odoo("create", map[string]any{"model": "account.tax", "values": map[string]any{
			"name": percent + included, "amount": percent, "amount_type": "percent", "type_tax_use": "sale", "price_include_override": included}})["id"]
		return []any{[]any{int64(6), int64(0), []any{id}}}
	}
	for _, c := range []struct {
		name, mode, price, want string
		included                bool
	}{
		{"both without", "tax_excluded", "10", "10", false},
		{"both with", "tax_included", "11.9", "11.9", true},
		{"the shop with, Odoo without", "tax_excluded", "8.39", "9.98", true},
		{"the shop without, Odoo with", "tax_included", "19.99", "16.798319", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := startWith(t, demo.Options{Shop: usd(c.included), Settings: outbound(nil)})
			id := w.template(map[string]any{"name": "Lamp", "default_code": "LAMP", "list_price": c.price, "taxes_id": taxed(w, "19", c.mode)})
			w.pushed(id)
			w.last("products", store.Succeeded)
			if got := w.money(w.bySKU("LAMP")["regular_price"]).String(); got != c.want {
				t.Errorf("the price is %s, not %s", got, c.want)
			}
			w.quiet()
			w.pushed(id)
			w.silent("the price announced again")
		})
	}
}

// A sale price is the pricelist's; one that is no lower is none, and a rule that
// is gone takes it back.
func TestSalePricesOfAPricelist(t *testing.T) {
	onBoth(t, outbound(nil), usd(false), func(t *testing.T, w *world) {
		list := w.odoo("create", map[string]any{"model": "product.pricelist", "values": map[string]any{"name": "Sale"}})["id"]
		w.set(map[string]any{"sale_pricelist": list})
		id := w.template(map[string]any{"name": "Lamp", "default_code": "LAMP", "list_price": "10"})
		rule := w.odoo("create", map[string]any{"model": "product.pricelist.item", "values": map[string]any{
			"pricelist_id": list, "applied_on": "1_product", "product_tmpl_id": id, "compute_price": "fixed", "fixed_price": "7.5"}})["id"]
		w.pushed(id)
		w.last("products", store.Succeeded)
		if got := w.money(w.bySKU("LAMP")["sale_price"]).String(); got != "7.5" {
			t.Errorf("the sale price is %s", got)
		}
		for _, c := range []struct {
			values map[string]any
			want   string
		}{
			{map[string]any{"compute_price": "percentage", "percent_price": "15"}, "8.5"},
			{map[string]any{"compute_price": "fixed", "fixed_price": "6", "date_end": time.Now().Add(-time.Minute).UTC()}, ""},
			{map[string]any{"date_end": false}, "6"},
			{map[string]any{"compute_price": "fixed", "fixed_price": "12"}, ""},
		} {
			w.odoo("write", map[string]any{"model": "product.pricelist.item", "id": rule, "values": c.values})
			w.announce("schedule.prices", map[string]any{"at": time.Now().UTC()})
			got := ""
			if sale := w.bySKU("LAMP")["sale_price"]; sale != nil {
				got = w.money(sale).String()
			}
			if got != c.want {
				t.Errorf("%v: the sale price is %q, not %q", c.values, got, c.want)
			}
			w.quiet()
			w.pushed(id)
			w.silent("the sale price announced again")
		}
	})
}

// An image goes to the shop once: the shop fetches it from flowctl, and is told its
// id from then on.
func TestAnImageGoesToTheShopOnce(t *testing.T) {
	for _, version := range []int{18, 19} {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			w := startWith(t, demo.Options{OdooVersion: version, Shop: usd(false), Pictures: http.DefaultClient, Settings: outbound(map[string]string{"sync_images": "true"})})
			id := w.template(map[string]any{"name": "Lamp", "default_code": "LAMP", "image_1920": picture(1)})
			w.pushed(id)
			w.held("products", "no_public_url", "Lamp")
			w.set(map[string]any{"public_url": w.EngineURL})
			w.pushed(id)
			w.last("products", store.Succeeded)
			first := w.images("LAMP")
			if len(first) != 1 {
				t.Fatalf("the images are %v", first)
			}
			w.quiet()
			w.pushed(id)
			w.silent("the image announced again")
			w.odoo("write", map[string]any{"model": "product.template", "id": id, "values": map[string]any{"image_1920": picture(2)}})
			w.pushed(id)
			second := w.images("LAMP")
			if len(second) != 1 || second[0] == first[0] {
				t.Errorf("the images are %v, before %v", second, first)
			}
			w.odoo("write", map[string]any{"model": "product.template", "id": id, "values": map[string]any{"image_1920": picture(1)}})
			w.pushed(id)
			if back := w.images("LAMP"); len(back) != 1 || back[0] != first[0] {
				t.Errorf("the first image again is %v, not %v", back, first)
			}
		})
	}
}

// picture is a small PNG, another one for each number.
func picture(n uint8) string {
	img := image.NewGray(image.Rect(0, 0, 2, 2))
	img.SetGray(0, 0, color.Gray{Y: n})
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

func (w *world) images(sku string) []int64 {
	w.Helper()
	var ids []int64
	for _, item := range w.bySKU(sku)["images"].([]any) {
		ids = append(ids, item.(map[string]any)["id"].(int64))
	}
	return ids
}

// The stock flow may have linked a variant before its product is pushed.
func TestAVariantThatIsLinkedBeforeItsProduct(t *testing.T) {
	w := startWith(t, demo.Options{Shop: usd(false), Settings: outbound(map[string]string{"sync_stock": "true"})})
	simple := w.Shop.AddProduct(shopsandbox.Product{Name: "Lamp", SKU: "LAMP", RegularPrice: "5"})
	parent := w.Shop.AddProduct(shopsandbox.Product{Name: "Shirt", Variable: true, Attributes: []shopsandbox.Attribute{{Name: "Size", Options: []string{"S"}}}})
	variation := w.Shop.AddProduct(shopsandbox.Product{Parent: parent, SKU: "SHIRT-S", RegularPrice: "5"})
	lamp, shirt := w.storable("LAMP"), w.storable("SHIRT-S")
	w.count(lamp, 1, int64(2))
	w.count(shirt, 1, int64(3))
	w.stocked(lamp, shirt)
	for _, product := range []int64{lamp, shirt} {
		w.odoo("write", map[string]any{"model": "product.product", "id": product, "values": map[string]any{"list_price": "17"}})
		w.pushed(reference(w.find("product.product", []any{[]any{"id", "=", product}}, "product_tmpl_id")[0]["product_tmpl_id"]).(int64))
		w.last("products", store.Succeeded)
	}
	for sku, want := range map[string]int64{"LAMP": simple, "SHIRT-S": variation} {
		if p := w.bySKU(sku); p["id"] != want || w.money(p["regular_price"]).String() != "17" {
			t.Errorf("%s is %v at %v", sku, p["id"], p["regular_price"])
		}
	}
}

// Both ways on: a change in Odoo is written once to the shop, the shop's webhook
// about it writes nothing back, and what the inbound flow looked at is no change.
func TestAPushedProductMakesNoEcho(t *testing.T) {
	w := start(t, outbound(map[string]string{"sync_products_inbound": "true", "sync_stock": "true"}))
	w.open()
	tmpl := w.find("product.product", []any{[]any{"default_code", "=", "MUG-BLUE"}}, "product_tmpl_id")[0]
	id := reference(tmpl["product_tmpl_id"]).(int64)
	pricelist := w.find("product.pricelist", []any{[]any{"currency_id.name", "=", "EUR"}})[0]["id"]
	w.set(map[string]any{"pricelist": pricelist})
	w.odoo("create", map[string]any{"model": "product.pricelist.item", "values": map[string]any{
		"pricelist_id": pricelist, "applied_on": "1_product", "product_tmpl_id": id, "compute_price": "fixed", "fixed_price": "11.11"}})
	w.pushed(id)
	w.last("products", store.Succeeded)
	w.settle()
	w.odoo("write", map[string]any{"model": "product.template", "id": id, "values": map[string]any{"name": "Mug, deep blue"}})
	w.quiet()
	w.pushed(id)
	w.last("products", store.Succeeded)
	w.settle()
	if shop, odoo := w.writes(); shop != 1 || odoo != 0 {
		t.Errorf("one change took %d writes in the shop, %d in Odoo", shop, odoo)
	}
	w.quiet()
	w.announce("woocommerce.product.updated", map[string]any{"id": w.bySKU("MUG-BLUE")["id"]})
	w.pushed(id)
	w.silent("what both sides have")
}
