package woocommerce

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// TestEveryOperationHasAnAddress: the simulated shop knows the address of each
// operation, so a wrong path cannot hide. The plugins' are not simulated.
func TestEveryOperationHasAnAddress(t *testing.T) {
	t.Parallel()
	shop := sandbox.New(sandbox.Options{Client: &http.Client{Transport: accepting{}}})
	t.Cleanup(func() { shop.Close() })
	conn := inProcess(shop)
	for _, op := range catalogue().operations {
		if op.Namespace != coreNamespace || strings.HasPrefix(op.Name, "fulfillments.") {
			continue
		}
		params := map[string]any{}
		for _, name := range op.Params.Required {
			switch schema := op.Params.Properties[name]; schema.Type {
			case "integer":
				params[name] = int64(1)
			case "string", "":
				params[name] = "x"
			case "object":
				params[name] = map[string]any{"name": "x", "email": "x@example.test", "code": "x"}
				for field := range params[name].(map[string]any) {
					if _, known := schema.Property(field); !known {
						delete(params[name].(map[string]any), field)
					}
				}
			case "array":
				params[name] = []any{map[string]any{"id": int64(1)}}
				if op.Places[name] == wholeBody || op.Name == "settings.update_many" {
					params[name] = []any{}
				}
			}
		}
		_, err := call(conn, op.Name, params)
		var told *connectors.Error
		if errors.As(err, &told) && (told.Code == "rest_no_route" || told.Code == connectors.CodeBadParams || told.Code == connectors.CodeBadAnswer) {
			t.Errorf("%s: %s, %q", op.Name, told.Code, told.Message)
		}
	}
}

// TestTermsOverTheAPI: categories, attributes and their terms, from the first to
// the last of their lives.
func TestTermsOverTheAPI(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	values := func(fields map[string]any) map[string]any { return map[string]any{"values": fields} }
	garden := b.call(t, "categories.create", values(map[string]any{"name": "Garden & Yard"}))
	again := b.call(t, "categories.create", values(map[string]any{"name": "Garden & Yard"}))
	below := b.call(t, "categories.create", values(map[string]any{"name": "Garden & Yard", "parent": garden["id"]}))
	if garden["id"] != again["id"] || garden["id"] == below["id"] {
		t.Errorf("the categories are %v, %v and %v", garden["id"], again["id"], below["id"])
	}
	color := b.call(t, "attributes.create", values(map[string]any{"name": "Color"}))
	if b.call(t, "attributes.create", values(map[string]any{"name": "Color"}))["id"] != color["id"] {
		t.Error("a second attribute Color was made")
	}
	red := b.call(t, "attribute_terms.create", map[string]any{"attribute_id": color["id"], "values": map[string]any{"name": "Red"}})
	product := b.call(t, "products.create", values(map[string]any{"name": "Gnome", "type": "variable",
		"categories": []any{map[string]any{"id": below["id"]}},
		"attributes": []any{map[string]any{"id": color["id"], "variation": true, "options": []any{"Red"}}}}))
	b.call(t, "variations.create", map[string]any{"product_id": product["id"], "values": map[string]any{"sku": "G-RED", "regular_price": decimal.NewFromInt(5),
		"attributes": []any{map[string]any{"id": color["id"], "option": "Red"}}}})
	if got := b.call(t, "categories.get", map[string]any{"id": garden["id"]}); got["count"] != int64(1) {
		t.Errorf("the category holds %v products", got["count"])
	}
	b.call(t, "attribute_terms.update", map[string]any{"attribute_id": color["id"], "id": red["id"], "values": map[string]any{"name": "Crimson"}})
	shown := b.call(t, "products.get", map[string]any{"id": product["id"]})
	if options := shown["attributes"].([]any)[0].(map[string]any)["options"]; !slices.Equal(options.([]any), []any{"Crimson"}) {
		t.Errorf("the options are %v", options)
	}
	copied := b.call(t, "products.duplicate", map[string]any{"id": product["id"]})
	if copied["status"] != "draft" || copied["name"] != "Gnome (Copy)" || len(copied["variations"].([]any)) != 1 {
		t.Errorf("the copy is %v, %v with %v", copied["name"], copied["status"], copied["variations"])
	}
	b.call(t, "categories.delete", map[string]any{"id": garden["id"]})
	if e := fail(t, b.conn, "categories.get", map[string]any{"id": garden["id"]}); e.Code != connectors.CodeNotFound {
		t.Errorf("a deleted category: %s, %q", e.Code, e.Message)
	}
}

// TestShopResources: zones, taxes, settings, places and the rest.
func TestShopResources(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	zone := b.call(t, "shipping_zones.create", map[string]any{"values": map[string]any{"name": "Islands"}})
	places := b.call(t, "shipping_zone_locations.replace", map[string]any{"zone_id": zone["id"], "locations": []any{map[string]any{"code": "JP", "type": "country"}}})
	if got := items(places); len(got) != 1 || got[0]["code"] != "JP" {
		t.Errorf("the zone's places are %v", got)
	}
	method := b.call(t, "shipping_zone_methods.create", map[string]any{"zone_id": zone["id"], "method_id": "flat_rate", "settings": map[string]any{"title": "Boat", "cost": "9.90"}})
	if method["title"] != "Boat" || idOf(method) == 0 {
		t.Errorf("the method is %v", method)
	}
	if everywhere := b.call(t, "shipping_zone_methods.list", map[string]any{"zone_id": int64(0)}); everywhere["total"] != int64(0) {
		t.Errorf("zone 0 has %v", everywhere)
	}
	rate := b.call(t, "taxes.create", map[string]any{"values": map[string]any{"country": "JP", "rate": decimal.NewFromInt(10), "name": "JCT"}})
	if got := b.call(t, "taxes.get", map[string]any{"id": rate["id"]}); !got["rate"].(decimal.Decimal).Equal(decimal.NewFromInt(10)) {
		t.Errorf("the rate is %v", got["rate"])
	}
	b.call(t, "tax_classes.create", map[string]any{"name": "Books"})
	if classes := b.call(t, "tax_classes.list", nil); classes["total"] != int64(4) {
		t.Errorf("there are %v tax classes", classes["total"])
	}
	b.call(t, "tax_classes.delete", map[string]any{"slug": "books"})
	b.call(t, "settings.update", map[string]any{"group": "tax", "id": "woocommerce_prices_include_tax", "value": "yes"})
	if got := settingValues(b.call(t, "settings.get", map[string]any{"group": "tax"})); got["woocommerce_prices_include_tax"] != "yes" {
		t.Errorf("the setting is %v", got["woocommerce_prices_include_tax"])
	}
	b.call(t, "settings.update_many", map[string]any{"group": "products", "update": []any{map[string]any{"id": "woocommerce_weight_unit", "value": "g"}}})
	if got := b.call(t, "payment_gateways.get", map[string]any{"id": "cod"}); got["enabled"] != true {
		t.Errorf("the gateway is %v", got)
	}
	b.shop.ForgetRequests()
	for range 3 { // kept for an hour
		if got := b.call(t, "countries.get", map[string]any{"code": "JP"}); len(got["states"].([]any)) == 0 || got["states"].([]any)[1].(map[string]any)["code"] != "JP13" {
			t.Errorf("Japan is %v", got)
		}
	}
	if n := len(b.shop.Requests()); n != 1 {
		t.Errorf("the country was asked for %d times", n)
	}
	if got := b.call(t, "currencies.current", nil); got["code"] != "EUR" {
		t.Errorf("the currency is %v", got)
	}
	if got := items(b.call(t, "order_statuses.list", nil)); len(got) != 8 {
		t.Errorf("there are %d statuses", len(got))
	}
}

// trackingShop has the addresses of the tracking plugins, as their sources say:
// a number is added as often as it is sent.
func trackingShop() http.Handler {
	mux := http.NewServeMux()
	var numbers []string
	const one = `{"tracking_id":"abc","tracking_provider":"DHL","tracking_link":"","tracking_number":"1Z","date_shipped":"2026-11-23"}`
	for _, namespace := range []string{"wc-shipment-tracking/v3", "wc-ast/v3"} {
		path := "/wp-json/" + namespace + "/orders/7/shipment-trackings"
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			list := strings.Join(numbers, ",")
			if _, err := w.Write([]byte("[" + list + "]")); err != nil {
				panic(err)
			}
		})
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, _ *http.Request) {
			numbers = append(numbers, one)
			w.WriteHeader(http.StatusCreated)
			if _, err := w.Write([]byte(one)); err != nil {
				panic(err)
			}
		})
	}
	return mux
}

// TestTrackingOnce: the plugins take a number twice, so it is looked for first.
func TestTrackingOnce(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"shipment_trackings", "ast_trackings"} {
		conn := inProcess(trackingShop())
		for range 2 {
			if _, err := call(conn, operation+".create", map[string]any{"order_id": int64(7), "tracking_number": "1Z", "tracking_provider": "DHL", "date_shipped": "2026-11-23"}); err != nil {
				t.Fatal(err)
			}
		}
		listed, err := call(conn, operation+".list", map[string]any{"order_id": int64(7)})
		if err != nil || len(items(listed)) != 1 {
			t.Errorf("%s: %v, %v", operation, listed, err)
		}
	}
}
