package woocommerce

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

func TestSpec(t *testing.T) {
	t.Parallel()
	spec := Connector{}.Spec()
	for _, name := range []string{
		"orders.get", "orders.list", "orders.changed", "orders.create", "orders.update", "orders.update_many", "orders.batch", "orders.delete", "order_statuses.list",
		"order_notes.create", "order_notes.list", "order_notes.delete", "refunds.list", "refunds.get", "refunds.create", "refunds.delete",
		"customers.get", "customers.list", "customers.walk", "customers.create", "customers.update", "customers.update_many", "customers.batch", "customers.delete",
		"products.get", "products.list", "products.changed", "products.create", "products.update", "products.adjust_stock", "products.update_many", "products.batch", "products.delete", "products.duplicate",
		"variations.list", "variations.get", "variations.create", "variations.update", "variations.adjust_stock", "variations.update_many", "variations.batch", "variations.delete",
		"categories.create", "tags.batch", "shipping_classes.list", "attributes.create", "attribute_terms.update",
		"coupons.get", "coupons.list", "coupons.changed", "coupons.create", "coupons.update", "coupons.batch", "coupons.delete",
		"taxes.list", "taxes.get", "taxes.create", "taxes.update", "taxes.delete", "tax_classes.list", "tax_classes.create", "tax_classes.delete",
		"settings.get", "settings.general", "settings.update", "settings.update_many", "system_status.get", "payment_gateways.list", "payment_gateways.get",
		"shipping_zones.list", "shipping_zones.create", "shipping_zone_locations.list", "shipping_zone_locations.replace", "shipping_zone_methods.list", "shipping_zone_methods.create", "shipping_methods.list",
		"countries.list", "countries.get", "currencies.list", "currencies.current",
		"shipment_trackings.create", "ast_trackings.create", "fulfillments.create",
		"webhooks.list", "webhooks.get", "webhooks.create", "webhooks.update", "webhooks.batch", "webhooks.delete",
	} {
		if _, ok := spec.Operation(name); !ok {
			t.Errorf("no operation %s", name)
		}
	}
	for _, op := range spec.Operations {
		name := op.Name
		if op.Title == "" || op.Summary == "" || op.Result == nil || op.Params == nil {
			t.Errorf("%s lacks title, summary, result or params", name)
		}
		for param, schema := range op.Params.Properties {
			if schema.Type == "" && param != "value" {
				t.Errorf("%s: %s may be anything", name, param)
			}
		}
	}
	for _, name := range []string{"url", "consumer_key", "consumer_secret", "webhook_secret"} {
		if schema, ok := spec.Settings.Property(name); !ok || schema.Secret != (name != "url") {
			t.Errorf("setting %s is missing, or secret where it should not be", name)
		}
	}
	if registered, ok := connectors.Lookup("woocommerce"); !ok || registered.Spec().Name != "woocommerce" {
		t.Error("the connector is not registered")
	}
}

// TestOperationsFile: what the loader refuses.
func TestOperationsFile(t *testing.T) {
	t.Parallel()
	const head = "operations:\n- name: x\n  title: X\n  summary: X\n"
	for text, want := range map[string]string{
		head + "  method: GET\n  path: /orders/{id}\n  effect: read\n  result: order\n":                                                             "path parameter id",
		head + "  method: POST\n  path: /orders\n  effect: read\n  result: order\n":                                                                 "does not go with",
		head + "  method: POST\n  path: /orders\n  effect: create\n  result: order\n":                                                               "repeat is for writes",
		head + "  method: POST\n  path: /orders\n  effect: create\n  repeat: read back\n  result: order\n":                                          "does not say how",
		head + "  method: POST\n  path: /orders\n  effect: create\n  repeat: maybe\n  result: order\n":                                              "repeat is",
		head + "  method: PATCH\n  path: /orders\n  effect: update\n  repeat: idempotent\n  result: order\n":                                        "method is",
		head + "  method: GET\n  path: /orders\n  effect: look\n  result: order\n":                                                                  "effect is",
		head + "  method: GET\n  path: orders\n  effect: read\n  result: order\n":                                                                   "must begin with /",
		head + "  method: GET\n  path: /posts\n  namespace: wp/v2\n  effect: read\n  result: order\n":                                               "would not look at the key",
		head + "  method: GET\n  path: /orders\n  effect: read\n":                                                                                   "one of result",
		head + "  method: GET\n  path: /orders\n  effect: read\n  result: order\n  list: order\n":                                                   "one of result",
		head + "  method: GET\n  path: /orders\n  effect: read\n  result: odrer\n":                                                                  "no resource named",
		head + "  method: GET\n  path: /orders\n  effect: read\n  result: order\n  walk: id\n":                                                      "walk is for lists",
		head + "  method: GET\n  path: /orders\n  effect: read\n  result: order\n  keep: long\n":                                                    "keep",
		head + "  method: GET\n  path: /orders\n  effect: read\n  result: order\n  nonsense: 1\n":                                                   "nonsense",
		head + "  method: GET\n  path: /orders\n  effect: read\n  result: order\n  use: [x]\n":                                                      "no shared parameters",
		head + "  method: GET\n  path: /orders\n  effect: read\n  result: order\n  params: {a: {type: string, size: 3}}\n":                          "size",
		head + "  method: GET\n  path: /orders\n  effect: read\n  result: order\n  params: {a: {type: string, required: 3}}\n":                      "required cannot be 3",
		head + "  method: POST\n  path: /o\n  effect: create\n  repeat: natural key\n  result: order\n  read_back: {list: x, by: {}, same: [id]}\n": "no list named",
		"operations:\n- title: X\n": "without a name",
		head + "  method: GET\n  path: /a\n  effect: read\n  result: order\n" + strings.TrimPrefix(head, "operations:\n") + "  method: GET\n  path: /a\n  effect: read\n  result: order\n": "already",
	} {
		if _, err := loadCatalogue(fstest.MapFS{"operations/x.yaml": {Data: []byte(text)}}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q for\n%s", err, want, text)
		}
	}
}

func TestBadParams(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	many := make([]any, 101)
	for i := range many {
		many[i] = map[string]any{"id": int64(i + 1)}
	}
	for _, c := range []struct {
		operation string
		params    map[string]any
		says      string
	}{
		{"orders.nonsense", nil, "no operation"},
		{"orders.get", nil, `needs the parameter "id"`},
		{"orders.get", map[string]any{"id": nil}, `needs the parameter "id"`},
		{"orders.get", map[string]any{"id": int64(0)}, "0 is no id"},
		{"orders.get", map[string]any{"id": "../customers"}, "is no id"},
		{"settings.get", map[string]any{"group": "a/b"}, "is no id"},
		{"orders.get", map[string]any{"id": int64(1), "ids": int64(1)}, `no parameter "ids"; it takes`},
		{"products.batch", map[string]any{"update": many[:60], "create": many[60:]}, "101 items"},
		{"products.update", map[string]any{"id": int64(1), "values": "x"}, "x is no record"},
	} {
		if e := fail(t, b.conn, c.operation, c.params); e.Code != connectors.CodeBadParams || e.Class != connectors.Permanent || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s %v: %s, %q; want %q", c.operation, c.params, e.Code, e.Message, c.says)
		}
	}
	if n := len(b.shop.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, settings := range []map[string]any{
		{}, {"url": "https://x.test"}, {"url": "https://x.test", "consumer_key": "k"}, {"url": "ftp://x", "consumer_key": "k", "consumer_secret": "s"},
	} {
		if _, err := (Connector{}).Open(connectors.Config{Settings: settings}); !connectors.HasCode(err, connectors.CodeBadConfig) {
			t.Errorf("%v: %v", settings, err)
		}
	}
}

func TestOrderIsTyped(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	blue, red := addMugs(b.shop)
	id, err := b.shop.Checkout(sandbox.Cart{Items: []sandbox.CartItem{{ProductID: blue, Quantity: 2}, {ProductID: red, Quantity: 1}},
		Billing: map[string]string{"country": "FR", "email": "zed@example.test"}, Shipping: &sandbox.CartShipping{Title: "Flat rate", MethodID: "flat_rate", Cost: "5.90"}, PaymentMethod: "bacs"})
	if err != nil {
		t.Fatal(err)
	}
	o := b.call(t, "orders.get", map[string]any{"id": id, "dp": int64(6)})
	if total, ok := o["total"].(decimal.Decimal); !ok || total.String() != "49.07" {
		t.Errorf("total is %v (%T)", o["total"], o["total"])
	}
	if _, ok := o["date_created_gmt"].(time.Time); !ok || o["date_paid_gmt"] != nil {
		t.Errorf("stamps are %v and %v", o["date_created_gmt"], o["date_paid_gmt"])
	}
	line := o["line_items"].([]any)[0].(map[string]any)
	if line["product_id"] != blue || !line["quantity"].(decimal.Decimal).Equal(decimal.NewFromInt(2)) || line["sku"] != "MUG-BLUE" {
		t.Errorf("line is %v", line)
	}
	ship := o["shipping_lines"].([]any)[0].(map[string]any)
	if tax := ship["taxes"].([]any)[0].(map[string]any); tax["subtotal"] != nil || tax["total"].(decimal.Decimal).String() != "1.18" {
		t.Errorf("shipping's tax is %v", tax)
	}
	list := b.call(t, "orders.list", map[string]any{"status": []any{"on-hold", "processing"}, "modified_after": time.Now().Add(-time.Hour)})
	if list["total"] != int64(1) || list["pages"] != int64(1) || len(list["items"].([]any)) != 1 {
		t.Errorf("list is %v", list)
	}
}

func TestWritesReachTheShop(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	blue, _ := addMugs(b.shop)
	made := b.call(t, "products.create", map[string]any{"values": map[string]any{
		"name": "Gnome", "sku": "GNOME-1", "regular_price": decimal.RequireFromString("29.90"), "manage_stock": true, "stock_quantity": decimal.NewFromInt(12), "weight": decimal.RequireFromString("1.5")}})
	if !made["regular_price"].(decimal.Decimal).Equal(decimal.RequireFromString("29.9")) || made["stock_quantity"] != int64(12) {
		t.Errorf("made %v, %v", made["regular_price"], made["stock_quantity"])
	}
	e := fail(t, b.conn, "products.create", map[string]any{"values": map[string]any{"name": "Other", "sku": "gnome-1"}})
	if e.Code != "product_invalid_sku" || !strings.Contains(e.Message, "belongs to") || e.Advice == "" {
		t.Errorf("a taken SKU: %s, %q", e.Code, e.Message)
	}
	e = fail(t, b.conn, "products.update", map[string]any{"id": int64(424242), "values": map[string]any{"name": "x"}})
	if e.Code != connectors.CodeNotFound || e.Class != connectors.Permanent {
		t.Errorf("an unknown product: %s, %q", e.Code, e.Message)
	}
	batch := b.call(t, "products.batch", map[string]any{
		"update": []any{map[string]any{"id": blue, "stock_quantity": int64(7)}, map[string]any{"id": int64(424242), "name": "x"}},
		"create": []any{map[string]any{"name": "Again", "sku": "MUG-RED"}}})
	update, create := batch["update"].([]any), batch["create"].([]any)
	if update[0].(map[string]any)["stock_quantity"] != int64(7) {
		t.Errorf("updated %v", update[0])
	}
	for _, failed := range []any{update[1], create[0]} {
		if told, ok := failed.(map[string]any)["error"].(map[string]any); !ok || told["code"] == "" {
			t.Errorf("a failed item is %v", failed)
		}
	}
	if empty := b.call(t, "products.batch", nil); len(empty) != 0 {
		t.Errorf("an empty batch is %v", empty)
	}
}

func TestNotesAndWebhooks(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	blue, _ := addMugs(b.shop)
	id, err := b.shop.Checkout(sandbox.Cart{Items: []sandbox.CartItem{{ProductID: blue, Quantity: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	b.call(t, "order_notes.create", map[string]any{"order_id": id, "note": "Shipped", "customer_note": true})
	if notes := b.call(t, "order_notes.list", map[string]any{"order_id": id}); notes["total"] != int64(1) || !slices.Equal(b.shop.Notes(id), []string{"Shipped"}) {
		t.Errorf("notes are %v", notes)
	}
	hook := b.call(t, "webhooks.create", map[string]any{"topic": "order.created", "delivery_url": "http://127.0.0.1:1/x", "secret": "hush"})
	b.call(t, "webhooks.update", map[string]any{"id": hook["id"], "status": "paused"})
	if got := b.call(t, "webhooks.get", map[string]any{"id": hook["id"]}); got["status"] != "paused" {
		t.Errorf("the webhook is %v", got["status"])
	}
	b.call(t, "webhooks.delete", map[string]any{"id": hook["id"]})
	if list := b.call(t, "webhooks.list", nil); list["total"] != int64(0) {
		t.Errorf("webhooks are %v", list)
	}
	for _, operation := range []string{"settings.general", "payment_gateways.list", "shipping_zones.list", "taxes.list", "coupons.list", "customers.list"} {
		if list := b.call(t, operation, nil); list["items"] == nil || list["total"] == nil {
			t.Errorf("%s is %v", operation, list)
		}
	}
	if status := b.call(t, "system_status.get", nil); status["environment"].(map[string]any)["version"] != "9.9.5" {
		t.Errorf("status is %v", status["environment"])
	}
	b.call(t, "settings.get", map[string]any{"group": "tax"})
}

// TestWireValues: whatever the amount, it goes out as the text of the same
// amount and never through a float.
func TestWireValues(t *testing.T) {
	t.Parallel()
	op := catalogue().byName["products.update"]
	rapid.Check(t, func(t *rapid.T) {
		amount := decimal.New(rapid.Int64Min(0).Draw(t, "coefficient"), int32(rapid.IntRange(-9, 3).Draw(t, "exponent")))
		r, err := op.request(map[string]any{"id": int64(1), "values": map[string]any{"regular_price": amount}})
		if err != nil {
			t.Fatal(err)
		}
		var body map[string]any
		if err := json.Unmarshal(r.body, &body); err != nil {
			t.Fatal(err)
		}
		text, ok := body["regular_price"].(string)
		if back, err := decimal.NewFromString(text); !ok || err != nil || !back.Equal(amount) {
			t.Fatalf("%s went out as %s", amount, r.body)
		}
	})
}

// FuzzReadJSON: nothing that a shop sends makes the reader panic, and what it
// finds behind noise is what stands there.
func FuzzReadJSON(f *testing.F) {
	for _, text := range []string{`{"a":1}`, "\ufeff\n[1]", "<br />\n<b>Warning</b>: x[0] in {y}<br />\n{\"id\":1}", "<html>", "", "[[[[", `{"a":1}{"b":2}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, noise []byte) {
		raw, ok := httpcall.FindJSON(noise)
		if ok {
			if _, err := json.Marshal(raw); err != nil {
				t.Fatalf("%q reads as %v: %v", noise, raw, err)
			}
		}
		httpcall.Title(noise)
	})
}
