package sandbox

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
)

func hmacOf(method, key, text string) string {
	newHash := map[string]func() hash.Hash{"HMAC-SHA1": sha1.New, "HMAC-SHA256": sha256.New}[method]
	mac := hmac.New(newHash, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// unrecorded are steps between recordings that nobody recorded.
var unrecorded = map[int]func(*replayShop){
	11:  func(rs *replayShop) { rs.forget(29) },
	439: func(rs *replayShop) { rs.draft(100) },
	443: func(rs *replayShop) { rs.place(100, "bacs", "Ring twice") },
	446: func(rs *replayShop) { rs.checkout(101) },
	618: func(rs *replayShop) {
		rs.product(37, "Newest", "1")
		rs.product(38, "Raced", "1")
		rs.send("PUT", "/products/38", map[string]any{"sku": "RACE-1"})
	},
	619: func(rs *replayShop) { rs.forget(37); rs.forget(38) },
	626: func(rs *replayShop) { rs.permalinks(true) },
	628: func(rs *replayShop) {
		rs.permalinks(false)
		rs.forget(44)
		rs.product(37, "Newest", "1")
	},
	634: func(rs *replayShop) {
		rs.product(38, "Raced", "1")
		rs.product(44, "Warned", "1")
	},
	369: func(rs *replayShop) { rs.order(81, 36, 18, 2, "processing") },
	371: func(rs *replayShop) { rs.order(83, 40, 18, 1, "processing") },
	405: func(rs *replayShop) { rs.order(93, 62, 12, 1, "") },
	414: func(rs *replayShop) {
		rs.product(96, "Doomed", "9.00")
		rs.order(97, 68, 96, 1, "")
		rs.forget(96)
	},
	417: func(rs *replayShop) {
		rs.order(98, 70, 12, 1, "processing")
		rs.order(99, 72, 23, 1, "processing")
	},
	526: func(rs *replayShop) { rs.dropWebhooks(17, 18, 19) },
	560: func(rs *replayShop) {
		rs.dropWebhooks(20)
		rs.mu.Lock()
		defer rs.mu.Unlock()
		w := rs.newWebhook()
		delete(rs.webhooks, w.id)
		w.id, w.topic, w.url, w.status, w.failures = 20, "product.updated", "http://127.0.0.1:8096/s500", "disabled", 6
		w.name = "Webhook created on Nov 23, 2026 @ 10:25 AM"
		rs.webhooks[20] = w
	},
	567: func(rs *replayShop) { rs.dropWebhooks(20) },
	711: func(rs *replayShop) {
		rs.mu.Lock()
		defer rs.mu.Unlock()
		w := rs.newWebhook()
		w.topic, w.url, w.pending, w.name = "order.created", "http://127.0.0.1:8096/hook", false, "Webhook created on Nov 23, 2026 @ 10:32 AM"
	},
	718: func(rs *replayShop) { rs.order(31, 1, 12, 1, "processing") },
	721: func(rs *replayShop) { rs.SetStock(14, 62) },
}

// order makes an order through the API with given ids.
func (rs *replayShop) order(id, line, product, quantity int64, status string) {
	rs.mu.Lock()
	rs.ids.post, rs.ids.item = id-1, line-1
	rs.mu.Unlock()
	body := map[string]any{"line_items": []any{map[string]any{"product_id": product, "quantity": quantity}}}
	if status != "" {
		body["status"] = status
	}
	if product == 18 { // Bob's (woo/370, 371)
		body["customer_id"], body["payment_method"] = 3, "bacs"
	}
	rs.post("/wp-json/wc/v3/orders", body)
}

func (rs *replayShop) product(id int64, name, price string) {
	rs.mu.Lock()
	rs.ids.post = id - 1
	rs.mu.Unlock()
	rs.post("/wp-json/wc/v3/products", map[string]any{"name": name, "regular_price": price})
}

func (rs *replayShop) post(path string, body map[string]any) {
	rs.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		rs.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "https://127.0.0.1:8443"+path, bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(replayKey, replaySecret)
	answer := httptest.NewRecorder()
	rs.ServeHTTP(answer, r)
	if answer.Code != http.StatusCreated {
		rs.t.Fatalf("POST %s: %d %s", path, answer.Code, answer.Body)
	}
}

func (rs *replayShop) dropWebhooks(ids ...int64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, id := range ids {
		delete(rs.webhooks, id)
	}
}

// forget deletes a product, as the lab did between two recordings.
func (rs *replayShop) forget(id int64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.forgetProduct(id)
}

// byID sorts records by id: records made within one second come in no order
// that can be told (woo/001, 011).
func byID(list any) any {
	items, ok := list.([]any)
	if !ok {
		return list
	}
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b any) int { return cmp.Compare(asInt(asRecord(a)["id"]), asInt(asRecord(b)["id"])) })
	return sorted
}

func byNumber(byReason map[string][]int) map[int]string {
	all := map[int]string{}
	for reason, numbers := range byReason {
		for _, n := range numbers {
			all[n] = reason
		}
	}
	return all
}

// volatilePaths are members that depend on the moment, on chance, or on texts
// that only the theme shows.
var volatilePaths = regexp.MustCompile(`(^|\.)(date_(created|modified|paid|completed)(_gmt)?|order_key|payment_url|price_html|related_ids|avatar_url|cart_hash|average_rating)$|meta_data\[\d+\]\.id$|_wp_trash|^\.data\.error`)

func volatile(path string) bool { return volatilePaths.MatchString(path) }

// trimmedTo cuts an answer to the members that the recording kept: many were
// shortened to what matters, with null for what the answer did not have.
func trimmedTo(want, got any) any {
	switch want := want.(type) {
	case map[string]any:
		record, ok := got.(map[string]any)
		if !ok {
			return got
		}
		_, whole := want["_links"]
		refused := want["code"] != nil && want["id"] == nil && want["data"] != nil
		if whole || refused || strings.Contains(short(want), `"href"`) && len(want) < 4 {
			out := map[string]any{}
			for name, value := range record {
				out[name] = trimmedTo(want[name], value)
			}
			return out
		}
		out := map[string]any{}
		for name, w := range want {
			if value, given := record[name]; given || w != nil {
				out[name] = trimmedTo(w, value)
				if !given {
					delete(out, name)
				}
			} else {
				out[name] = nil
			}
		}
		return out
	case []any:
		items, ok := got.([]any)
		if !ok {
			return got
		}
		out := make([]any, len(items))
		for i := range items {
			if i < len(want) {
				out[i] = trimmedTo(want[i], items[i])
			} else {
				out[i] = items[i]
			}
		}
		return out
	}
	return got
}
