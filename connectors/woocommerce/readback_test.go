package woocommerce

import (
	"net/http"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// losing loses the answer to the first create, after or before the shop's work.
func losing(shop http.Handler, path string, after bool) http.Handler {
	lost := false
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !lost && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, path) {
			lost = true
			if after {
				shop.ServeHTTP(&nowhere{header: http.Header{}}, r)
			}
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		shop.ServeHTTP(w, r)
	})
}

// TestReadBack: a create that was done and not answered is found again by what
// tells it from others; one that was not done, or cannot be told, stays unclear.
func TestReadBack(t *testing.T) {
	t.Parallel()
	values := func(fields map[string]any) func(int64) map[string]any {
		return func(int64) map[string]any { return map[string]any{"values": fields} }
	}
	ofOrder := func(params map[string]any) func(int64) map[string]any {
		return func(order int64) map[string]any {
			params["order_id"] = order
			return params
		}
	}
	mine := []any{map[string]any{"key": "_ours", "value": "17"}}
	for _, c := range []struct {
		name, operation, path string
		params                func(order int64) map[string]any
		knowable              bool
	}{
		{"a product by SKU", "products.create", "/products", values(map[string]any{"name": "New", "sku": "new-1"}), true},
		{"a product without SKU", "products.create", "/products", values(map[string]any{"name": "New"}), false},
		{"a customer by e-mail", "customers.create", "/customers", values(map[string]any{"email": "New@example.test"}), true},
		{"an order by transaction", "orders.create", "/orders", values(map[string]any{"transaction_id": "tx-1"}), true},
		{"an order by meta", "orders.create", "/orders", values(map[string]any{"meta_data": mine}), true},
		{"an order that nothing tells", "orders.create", "/orders", values(map[string]any{"status": "pending"}), false},
		{"a coupon by code", "coupons.create", "/coupons", values(map[string]any{"code": "TEN", "amount": decimal.NewFromInt(10)}), true},
		{"a note", "order_notes.create", "/notes", ofOrder(map[string]any{"note": "Shipped <b>today</b>"}), true},
		{"a refund by meta", "refunds.create", "/refunds", ofOrder(map[string]any{"values": map[string]any{"amount": decimal.NewFromInt(1), "meta_data": mine}}), true},
		{"a refund that nothing tells", "refunds.create", "/refunds", ofOrder(map[string]any{"values": map[string]any{"amount": decimal.NewFromInt(1)}}), false},
		{"a webhook by topic and address", "webhooks.create", "/webhooks", values(nil), true},
	} {
		for _, after := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				shop := sandbox.New(sandbox.Options{Client: &http.Client{Transport: accepting{}}})
				t.Cleanup(func() { shop.Close() })
				blue, _ := addMugs(shop)
				order, err := shop.Checkout(sandbox.Cart{Items: []sandbox.CartItem{{ProductID: blue, Quantity: 2}}})
				if err != nil {
					t.Fatal(err)
				}
				params := c.params(order)
				if c.operation == "webhooks.create" {
					params = map[string]any{"topic": "order.created", "delivery_url": "http://127.0.0.1/x", "secret": "s"}
				}
				conn := inProcess(losing(shop, c.path, after))
				result, err := call(conn, c.operation, params)
				if after && c.knowable {
					if err != nil || idOf(result) == 0 {
						t.Fatalf("done and not found again: %v, %v", result, err)
					}
					return
				}
				if connectors.ClassOf(err) != connectors.Unclear {
					t.Fatalf("%v (%s), want unclear", err, connectors.ClassOf(err))
				}
				if c.knowable != strings.Contains(err.Error(), "not found when looked for") {
					t.Errorf("says %q", err)
				}
			})
		}
	}
}

// TestCreateAgain: a create that is repeated after a crash returns what the first
// one made; where somebody else has the key, it is refused.
func TestCreateAgain(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	for _, c := range []struct {
		operation      string
		values, others map[string]any
	}{
		{"customers.create", map[string]any{"email": "ann@example.test", "first_name": "Ann", "billing": map[string]any{"city": "Ville"}}, map[string]any{"email": "ANN@example.test", "first_name": "Bea"}},
		{"coupons.create", map[string]any{"code": "ten", "amount": decimal.NewFromInt(10)}, map[string]any{"code": "TEN", "amount": decimal.NewFromInt(20)}},
	} {
		first := b.call(t, c.operation, map[string]any{"values": c.values})
		again := b.call(t, c.operation, map[string]any{"values": c.values})
		if idOf(first) == 0 || idOf(first) != idOf(again) {
			t.Errorf("%s made %v and %v", c.operation, first["id"], again["id"])
		}
		if e := fail(t, b.conn, c.operation, map[string]any{"values": c.others}); e.Class != connectors.Permanent || e.Code == connectors.CodeBadParams {
			t.Errorf("%s took over someone else's: %s, %q", c.operation, e.Code, e.Message)
		}
		if e := fail(t, b.conn, c.operation, map[string]any{"values": map[string]any{}}); e.Code != connectors.CodeBadParams {
			t.Errorf("%s without its key: %s, %q", c.operation, e.Code, e.Message)
		}
	}
}

// TestAgrees: what the shop has counts as what was sent, whatever form it gave it.
func TestAgrees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent, has any
		want      bool
	}{
		{nil, "x", true},
		{"Ann", "ann", true},
		{"Ann & Bea", "Ann &amp; Bea", true},
		{"Ann", "Bea", false},
		{"12.50", decimal.RequireFromString("12.5"), true},
		{decimal.NewFromInt(12), "12.00", true},
		{decimal.NewFromInt(12), nil, false},
		{int64(3), int64(3), true},
		{true, true, true},
		{true, false, false},
		{map[string]any{"a": "x"}, map[string]any{"a": "x", "b": "y"}, true},
		{map[string]any{"a": "x"}, nil, false},
		{[]any{map[string]any{"key": "k", "value": "v"}}, []any{map[string]any{"id": int64(1), "key": "k", "value": "v"}, map[string]any{"key": "z"}}, true},
		{[]any{map[string]any{"key": "k", "value": "v"}}, []any{}, false},
	} {
		if got := agrees(c.sent, c.has); got != c.want {
			t.Errorf("%v and %v: %v", c.sent, c.has, got)
		}
	}
}

// TestDeleteAgain: what is gone counts as deleted, so a deletion may be repeated
// after a crash; what never had an address does not.
func TestDeleteAgain(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	blue, red := addMugs(b.shop)
	category := b.call(t, "categories.create", map[string]any{"values": map[string]any{"name": "Mugs"}})
	for range 2 {
		b.call(t, "products.delete", map[string]any{"id": blue}) // into the trash
		b.call(t, "products.delete", map[string]any{"id": red, "force": true})
		if got := b.call(t, "categories.delete", map[string]any{"id": category["id"]}); got["id"] != category["id"] {
			t.Errorf("the answer names %v", got["id"])
		}
	}
	readOnly := overTLS(t, nil, sandbox.Options{Keys: []sandbox.Key{{Key: testKey, Secret: testSecret, Permission: "read"}}})
	if e := fail(t, readOnly.conn, "products.delete", map[string]any{"id": blue}); e.Code != connectors.CodeForbidden {
		t.Errorf("a key that may not: %s, %q", e.Code, e.Message)
	}
}
