package woocommerce

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// withPlugin is a shop whose plugin adds fields to orders while they are answered.
func withPlugin(shop http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		shop.ServeHTTP(recorder, r)
		var orders []map[string]any
		decoder := json.NewDecoder(strings.NewReader(recorder.Body.String()))
		decoder.UseNumber()
		body := recorder.Body.Bytes()
		if strings.HasSuffix(r.URL.Path, "/orders") && decoder.Decode(&orders) == nil {
			for i, order := range orders {
				order["gift_note"], order["points"], order["is_gift"] = "Jane", json.Number("12"), i == 0
				order["billing"].(map[string]any)["floor"] = "3"
				for _, line := range order["line_items"].([]any) {
					line.(map[string]any)["engraving"] = map[string]any{"text": "x"}
				}
			}
			body, _ = json.Marshal(orders)
		}
		for name, values := range recorder.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(recorder.Code)
		// The client is the test's own.
		_, _ = io.WriteString(w, string(body))
	})
}

func TestTypesSeenInASample(t *testing.T) {
	t.Parallel()
	b := overTLS(t, withPlugin, sandbox.Options{})
	blue, _ := addMugs(b.shop)
	for range 2 {
		if _, err := b.shop.Checkout(sandbox.Cart{Items: []sandbox.CartItem{{ProductID: blue, Quantity: 1}}, Billing: map[string]string{"email": "jane@example.com", "country": "US"}}); err != nil {
			t.Fatal(err)
		}
	}
	read, err := b.conn.ReadResources(t.Context(), []string{"order", "product", "refund"})
	if err != nil {
		t.Fatal(err)
	}
	if read[2].Type != nil || read[2].Note == "" {
		t.Errorf("refunds have no list: %+v", read[2])
	}
	if strings.Contains(read[1].Note, "fields found") {
		t.Errorf("products have no fields of plugins: %s", read[1].Note)
	}
	order := read[0].Type
	if want := "fields found: billing.floor, gift_note, is_gift, line_items[].engraving, points"; !strings.HasSuffix(read[0].Note, want) {
		t.Errorf("%s, want %s", read[0].Note, want)
	}
	floor, _ := order.Properties["billing"].Property("floor")
	engraving, _ := order.Properties["line_items"].Items.Property("engraving")
	for name, test := range map[string]struct {
		got  *connectors.Schema
		want string
	}{
		"gift_note": {order.Properties["gift_note"], "text"}, "is_gift": {order.Properties["is_gift"], "true or false"},
		"points": {order.Properties["points"], "anything"}, "billing.floor": {floor, "text"}, "line_items[].engraving": {engraving, "record"},
	} {
		if test.got.String() != test.want {
			t.Errorf("%s is %s, want %s", name, test.got, test.want)
		}
	}
	written, err := json.Marshal(order)
	if err != nil || strings.Contains(string(written), "Jane") {
		t.Errorf("a value stands in the type, or %v", err)
	}
	checkRetyped(t, b, order)
}

// A connector of these types knows the fields, in what it reads and what it
// writes, and still reads the shop's records.
func checkRetyped(t *testing.T, b *bundle, order *connectors.Schema) {
	t.Helper()
	retyped, err := Connector{}.Retype(map[string]*connectors.Schema{"order": order})
	if err != nil {
		t.Fatal(err)
	}
	list, _ := retyped.Spec().Operation("orders.list")
	if _, ok := list.Result.Properties["items"].Items.Property("gift_note"); !ok {
		t.Error("lists do not know gift_note")
	}
	update, _ := retyped.Spec().Operation("orders.update")
	if _, ok := update.Params.Properties["values"].Property("gift_note"); !ok {
		t.Error("updates do not know gift_note")
	}
	conn, err := retyped.Open(connectors.Config{
		Settings:   map[string]any{"url": b.url, "consumer_key": testKey, "consumer_secret": testSecret},
		HTTPClient: b.conn.client,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Call(t.Context(), connectors.Call{Operation: "orders.list"}); err != nil {
		t.Error(err)
	}
	if _, err := (Connector{}).Retype(map[string]*connectors.Schema{"orders": order}); err == nil || !strings.Contains(err.Error(), "there are: ") {
		t.Errorf("a record that no operation knows: %v", err)
	}
	extended, err := retyped.(Connector).Extend([]map[string]any{{"name": "gifts.get", "method": "GET", "path": "/gifts/{id}", "effect": "read", "params": map[string]any{"id": map[string]any{"type": "integer", "required": true}}, "result": "order"}})
	if err != nil {
		t.Fatal(err)
	}
	gifts, _ := extended.Spec().Operation("gifts.get")
	if _, ok := gifts.Result.Property("gift_note"); !ok {
		t.Error("an operation of the app does not know gift_note")
	}
}
