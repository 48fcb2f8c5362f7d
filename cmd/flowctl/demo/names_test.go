package demo

import (
	"testing"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// The checkout block stores what shoppers type with entities, titles of products
// have entities and tags, and a note is plain text. Odoo's names are plain text,
// its note is HTML.
func TestNamesAreRead(t *testing.T) {
	t.Parallel()
	settings := shopsandbox.DefaultSettings()
	w, ctx := start(t, Options{Shop: &settings})
	article := w.Shop.AddProduct(shopsandbox.Product{Name: "Salt &amp; <i>pepper</i>", SKU: "SALT", RegularPrice: "3"})
	if err := w.ensureProduct(ctx, "SALT", "Salt and pepper"); err != nil {
		t.Fatal(err)
	}
	if err := w.ensurePricelist(ctx, settings.Currency); err != nil {
		t.Fatal(err)
	}
	order, err := w.Shop.Checkout(shopsandbox.Cart{
		Items: []shopsandbox.CartItem{{ProductID: article, Quantity: 1}},
		Billing: map[string]string{"first_name": "Ada", "last_name": "O'Hara &amp; Sons", "address_1": "Up &amp; Down 1", "city": "Leeds",
			"country": "GB", "email": "ada@example.com"},
		PaymentMethod: "stripe", Note: "Ring if n < 2\nand & wait",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.announce(ctx, []int64{order}); err != nil {
		t.Fatal(err)
	}
	if o := settled(t, ctx, w, order); !o.Equal() {
		t.Fatalf("%s: %s", o.Run, o.Reason)
	}
	for _, want := range []struct{ model, field, value string }{
		{"res.partner", "name", "Ada O'Hara & Sons"},
		{"res.partner", "street", "Up & Down 1"},
		{"sale.order.line", "name", "Salt & pepper"},
	} {
		found, err := call(ctx, w.odoo, "search", map[string]any{
			"model": want.model, "domain": []any{[]any{want.field, "=", want.value}}, "limit": int64(2)})
		if err != nil {
			t.Fatal(err)
		}
		if ids, _ := found["ids"].([]any); len(ids) != 1 {
			t.Errorf("%d %s with %s %q, want 1", len(ids), want.model, want.field, want.value)
		}
	}
	found, err := call(ctx, w.odoo, "search_read", map[string]any{
		"model": "sale.order", "domain": []any{}, "fields": []any{"note"}, "limit": int64(2)})
	if err != nil {
		t.Fatal(err)
	}
	records, _ := found["records"].([]any)
	if len(records) != 1 || records[0].(map[string]any)["note"] != "<p>Ring if n &lt; 2<br>and &amp; wait</p>" {
		t.Errorf("the note is not the shopper's: %v", records)
	}
}
