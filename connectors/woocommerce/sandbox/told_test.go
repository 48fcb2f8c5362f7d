package sandbox

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestWhatElseIsTold: the rest of the recorded actions and what the webhooks were
// told of them.
func TestWhatElseIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(*replayShop)
		want []string
	}{
		{"only meta data (woo/535)", func(rs *replayShop) {
			rs.quietOrder()
			rs.send("PUT", "/orders/29", fields{"meta_data": []fields{{"key": "_x", "value": "1"}}})
		}, []string{"order.updated 29 pending"}},
		{"a full refund with its pieces (woo/538)", func(rs *replayShop) {
			rs.order(29, 1, 14, 1, "processing")
			rs.waitAndForget()
			rs.send("POST", "/orders/29/refunds", fields{"api_refund": false, "line_items": []fields{{"id": 1, "quantity": 1, "refund_total": 12.5, "refund_tax": []fields{{"id": 1, "refund_total": 2.5}}}}})
		}, []string{"product.updated 14 publish", "order.updated 29 refunded", "action.woocommerce_refund_created 30", "action.woocommerce_order_refunded 29"}},
		{"a customer changes (woo/544)", func(rs *replayShop) { rs.send("PUT", "/customers/4", fields{"first_name": "HH"}) }, []string{"customer.updated 4"}},
		{"a product's same value (woo/548)", func(rs *replayShop) { rs.send("PUT", "/products/12", fields{"name": "Blue mug"}) }, []string{"product.updated 12 publish"}},
		{"a product back by status (woo/550)", func(rs *replayShop) {
			rs.send("DELETE", "/products/12", nil)
			rs.waitAndForget()
			rs.send("PUT", "/products/12", fields{"status": "publish"})
		}, []string{"product.updated 12 publish"}},
		{"a product deleted for good (woo/551)", func(rs *replayShop) { rs.send("DELETE", "/products/12?force=true", nil) }, []string{}},
		{"a variation (woo/552)", func(rs *replayShop) {
			rs.send("POST", "/products/22/variations", fields{"sku": "TS-X", "regular_price": "5"})
		}, []string{"product.created 28 publish"}},
		{"a variation deleted for good (woo/554)", func(rs *replayShop) { rs.send("DELETE", "/products/22/variations/23?force=true", nil) }, []string{}},
		{"a coupon to the trash (woo/557)", func(rs *replayShop) { rs.send("DELETE", "/coupons/27", nil) }, []string{"coupon.deleted 27", "product.deleted 27"}},
		{"paid before it is told (woo/703)", func(rs *replayShop) {
			rs.PauseWebhooks()
			rs.order(29, 1, 12, 1, "")
			rs.send("PUT", "/orders/29", fields{"set_paid": true})
			rs.ResumeWebhooks()
		}, []string{"order.created 29 processing", "order.updated 29 processing", "product.updated 12 publish"}},
		{"a variable product back by status (woo/705)", func(rs *replayShop) {
			rs.send("DELETE", "/products/22", nil)
			rs.waitAndForget()
			rs.send("PUT", "/products/22", fields{"status": "publish"})
		}, []string{"product.updated 22 publish"}},
		{"a product back by hand (woo/709)", func(rs *replayShop) {
			rs.dropWebhooks(13) // no coupons
			rs.send("DELETE", "/products/16", nil)
			rs.waitAndForget()
			rs.RestoreProduct(16)
		}, []string{"product.updated 16 publish", "product.restored 16 publish"}},
		{"five changes in one second (woo/710)", func(rs *replayShop) {
			for _, id := range []string{"12", "14", "16", "18", "20"} {
				rs.send("PUT", "/products/"+id, fields{"stock_quantity": 61})
			}
		}, []string{"product.updated 12 publish", "product.updated 14 publish", "product.updated 16 publish", "product.updated 18 publish", "product.updated 20 publish"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rs, r := hookedShop(t)
			rs.receiver = r
			c.do(rs)
			drain(t, rs.Shop)
			if got := summaries(r.taken()); !slices.Equal(got, c.want) {
				t.Errorf("told %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestRaces: what is unique stays so when four ask at once, and stock is taken
// four times (woo/629 to 631).
func TestRaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, path string
		body       fields
		made       int
		codes      []string
	}{
		{"one SKU (woo/629)", "/products", fields{"name": "Race", "sku": "RACE-1"}, 1, []string{"product_invalid_sku", "woocommerce_rest_product_not_created"}},
		{"one e-mail address (woo/630)", "/customers", fields{"email": "race@example.test"}, 1, []string{"existing_user_login", "registration-error-email-exists"}},
		{"one product's stock (woo/631)", "/orders", fields{"set_paid": true, "line_items": []fields{{"product_id": 18, "quantity": 1}}}, 4, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rs := seededShop(t, 601)
			answers := make([]*httptest.ResponseRecorder, 4)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() { answers[i] = rs.ask(http.MethodPost, c.path, c.body) })
			}
			all.Wait()
			made := 0
			for _, answer := range answers {
				if answer.Code == http.StatusCreated {
					made++
				} else if !slices.ContainsFunc(c.codes, func(code string) bool { return strings.Contains(answer.Body.String(), `"`+code+`"`) }) {
					t.Errorf("a loser gets %d %s", answer.Code, answer.Body)
				}
			}
			if stock, _ := rs.Stock(18); made != c.made || c.path == "/orders" && stock != 11 {
				t.Errorf("%d were made, the stock is %d", made, stock)
			}
		})
	}
}

// TestNoRateLimit: sixty requests at once are all answered (woo/632).
func TestNoRateLimit(t *testing.T) {
	t.Parallel()
	rs := seededShop(t, 601)
	for range 60 {
		if answer := rs.ask(http.MethodGet, "/products/12", nil); answer.Code != http.StatusOK {
			t.Fatalf("answered %d", answer.Code)
		}
	}
}

// TestWhatBumpsModified: a variation's change and a sale bump the product and its
// parent, a note does not bump the order (woo/157, 349, 415, 416).
func TestWhatBumpsModified(t *testing.T) {
	t.Parallel()
	rs := seededShop(t, 101)
	modified := func(path string) string {
		answer := rs.ask(http.MethodGet, path, nil)
		raw, err := decodeJSON(answer.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return asText(asRecord(raw)["date_modified_gmt"])
	}
	for _, c := range []struct {
		name  string
		do    func()
		paths []string
		bumps bool
	}{
		{"a variation's stock (woo/157)", func() { rs.send("PUT", "/products/22/variations/23", fields{"stock_quantity": 6}) }, []string{"/products/22"}, true},
		{"a note (woo/349)", func() { rs.send("POST", "/orders/29/notes", fields{"note": "x"}) }, []string{"/orders/29"}, false},
		{"a sale (woo/415)", func() { rs.order(30, 2, 12, 1, "processing") }, []string{"/products/12"}, true},
		{"a variation's sale (woo/416)", func() {
			rs.send("POST", "/orders", fields{"status": "processing", "line_items": []fields{{"product_id": 22, "variation_id": 23, "quantity": 1}}})
		}, []string{"/products/22", "/products/22/variations/23"}, true},
	} {
		if c.paths[0] == "/orders/29" {
			rs.order(29, 1, 14, 1, "")
		}
		before := map[string]string{}
		for _, path := range c.paths {
			before[path] = modified(path)
		}
		rs.at = rs.at.Add(time.Minute)
		c.do()
		for _, path := range c.paths {
			if bumped := modified(path) != before[path]; bumped != c.bumps {
				t.Errorf("%s: %s bumped is %v", c.name, path, bumped)
			}
		}
	}
}

// ask sends a request with the replay's key.
func (rs *replayShop) ask(method, path string, body any) *httptest.ResponseRecorder {
	text, err := marshal(body)
	if err != nil {
		panic(err)
	}
	if body == nil {
		text = nil
	}
	r := httptest.NewRequest(method, "https://127.0.0.1:8443/wp-json/wc/v3"+path, strings.NewReader(string(text)))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(replayKey, replaySecret)
	answer := httptest.NewRecorder()
	rs.ServeHTTP(answer, r)
	return answer
}
