package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver is what a shop's webhooks are delivered to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int // of answers; 0 means 200
	got    []received
}

type received struct {
	header http.Header
	body   []byte
}

func (r received) topic() string { return r.header.Get("X-WC-Webhook-Topic") }

// summary is a topic with the record's id, status or error code.
func (r received) summary() string {
	if r.topic() == "" {
		return string(r.body)
	}
	raw, err := decodeJSON(r.body)
	if err != nil {
		return err.Error()
	}
	record := asRecord(raw)
	text := r.topic() + " " + asText(record["id"]) + asText(record["arg"])
	if status := asText(record["status"]); status != "" {
		text += " " + status
	}
	return strings.TrimSpace(text + " " + asText(record["code"]))
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{request.Header.Clone(), body})
		status := r.status
		if status == 0 {
			status = http.StatusOK
		}
		if status >= 300 && status < 400 && request.URL.Path != "/moved" {
			w.Header().Set("Location", "/moved")
		}
		if request.URL.Path == "/moved" {
			status = http.StatusOK
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// taken returns what came since the last call.
func (r *receiver) taken() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

func summaries(got []received) []string {
	out := []string{}
	for _, one := range got {
		out = append(out, one.summary())
	}
	return out
}

func drain(t *testing.T, s *Shop) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		t.Fatal("the deliveries do not end:", err)
	}
}

// hookedShop is the recorded shop with a webhook for each topic.
func hookedShop(t *testing.T, topics ...string) (*replayShop, *receiver) {
	t.Helper()
	rs, r := seededShop(t, 501), newReceiver(t)
	rs.Close() // its receiver is deaf
	rs.deliver = newDeliverer(rs.Shop, nil)
	t.Cleanup(rs.deliver.close)
	if topics == nil {
		topics = []string{"order.created", "order.updated", "order.deleted", "order.restored", "customer.created", "customer.updated", "customer.deleted",
			"product.created", "product.updated", "product.deleted", "product.restored", "coupon.created", "coupon.deleted",
			"action.woocommerce_order_refunded", "action.woocommerce_refund_created", "action.woocommerce_order_status_completed"}
	}
	for _, topic := range topics {
		rs.Subscribe(Webhook{Topic: topic, URL: r.URL + "/hook", Secret: "hush"})
	}
	if pings := r.taken(); len(pings) != len(topics) {
		t.Fatalf("%d pings for %d webhooks", len(pings), len(topics))
	}
	return rs, r
}

func (rs *replayShop) send(method, path string, body any) map[string]any {
	rs.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		rs.t.Fatal(err)
	}
	r := httptest.NewRequest(method, "https://127.0.0.1:8443/wp-json/wc/v3"+path, bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(replayKey, replaySecret)
	answer := httptest.NewRecorder()
	rs.ServeHTTP(answer, r)
	if answer.Code >= 300 {
		rs.t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	raw, err := decodeJSON(answer.Body.Bytes())
	if err != nil {
		rs.t.Fatal(err)
	}
	return asRecord(raw)
}

type fields = map[string]any

// TestWhatIsTold: each action tells the webhooks that the real shop told, in
// its order.
func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(*replayShop)
		want []string
	}{
		{"an order (woo/531)", func(rs *replayShop) { rs.order(29, 1, 12, 1, "") }, []string{"order.created 29 pending", "order.updated 29 pending"}},
		{"a paid order (woo/532)", func(rs *replayShop) {
			rs.send("POST", "/orders", fields{"set_paid": true, "line_items": []fields{{"product_id": 14, "quantity": 1}}})
		}, []string{"order.created 28 processing", "order.updated 28 processing", "product.updated 14 publish"}},
		{"a paid order of a customer (woo/701)", func(rs *replayShop) {
			rs.send("POST", "/orders", fields{"customer_id": 2, "set_paid": true, "line_items": []fields{{"product_id": 12, "quantity": 1}}})
		}, []string{"order.created 28 processing", "order.updated 28 processing", "product.updated 12 publish", "customer.updated 2"}},
		{"a note (woo/536)", func(rs *replayShop) {
			rs.quietOrder()
			rs.send("POST", "/orders/29/notes", fields{"note": "x"})
		}, []string{}},
		{"completed (woo/533)", func(rs *replayShop) {
			rs.quietOrder()
			rs.send("PUT", "/orders/29", fields{"status": "completed"})
		}, []string{"order.updated 29 completed", "product.updated 12 publish", "action.woocommerce_order_status_completed 29"}},
		{"the same values (woo/534)", func(rs *replayShop) {
			rs.quietOrder()
			rs.send("PUT", "/orders/29", fields{"status": "pending"})
		}, []string{"order.updated 29 pending"}},
		{"three changes before the queue runs (woo/539)", func(rs *replayShop) {
			rs.quietOrder()
			rs.PauseWebhooks()
			for _, status := range []string{"on-hold", "processing", "completed"} {
				rs.send("PUT", "/orders/29", fields{"status": status})
			}
			rs.ResumeWebhooks()
		}, []string{"order.updated 29 completed", "product.updated 12 publish", "action.woocommerce_order_status_completed 29"}},
		{"a refund (woo/537)", func(rs *replayShop) {
			rs.quietOrder()
			rs.send("POST", "/orders/29/refunds", fields{"amount": "5.00", "api_refund": false})
		}, []string{"order.updated 29 pending", "action.woocommerce_refund_created 30", "action.woocommerce_order_refunded 29"}},
		{"to the trash (woo/540)", func(rs *replayShop) {
			rs.quietOrder()
			rs.send("DELETE", "/orders/29", nil)
		}, []string{"order.deleted 29"}},
		{"back by status (woo/541)", func(rs *replayShop) {
			rs.quietOrder()
			rs.send("DELETE", "/orders/29", nil)
			rs.waitAndForget()
			rs.send("PUT", "/orders/29", fields{"status": "processing"})
		}, []string{}},
		{"back by hand (woo/707)", func(rs *replayShop) {
			rs.quietOrder()
			rs.send("DELETE", "/orders/29", nil)
			rs.waitAndForget()
			rs.RestoreOrder(29)
		}, []string{"order.restored 29 pending"}},
		{"deleted for good (woo/542)", func(rs *replayShop) {
			rs.quietOrder()
			rs.send("DELETE", "/orders/29?force=true", nil)
		}, []string{}},
		{"gone before it is told (woo/702)", func(rs *replayShop) {
			rs.quietOrder()
			rs.PauseWebhooks()
			rs.send("PUT", "/orders/29", fields{"customer_note": "x"})
			rs.send("DELETE", "/orders/29?force=true", nil)
			rs.ResumeWebhooks()
		}, []string{"order.updated  woocommerce_rest_shop_order_invalid_id"}},
		{"by hand (woo/708)", func(rs *replayShop) {
			rs.quietOrder()
			rs.SetOrderStatus(29, "processing")
		}, []string{"order.updated 29 processing", "product.updated 12 publish"}},
		{"a customer (woo/543)", func(rs *replayShop) { rs.send("POST", "/customers", fields{"email": "hook@example.test"}) }, []string{"customer.created 5", "customer.updated 5"}},
		{"a customer goes (woo/545)", func(rs *replayShop) { rs.send("DELETE", "/customers/4?force=true", nil) }, []string{"customer.deleted 4"}},
		{"a product (woo/546)", func(rs *replayShop) { rs.send("POST", "/products", fields{"name": "Hook"}) }, []string{"product.created 28 publish"}},
		{"its stock (woo/547)", func(rs *replayShop) { rs.send("PUT", "/products/12", fields{"stock_quantity": 3}) }, []string{"product.updated 12 publish"}},
		{"to the trash, told to coupons too (woo/549)", func(rs *replayShop) { rs.send("DELETE", "/products/12", nil) }, []string{"coupon.deleted 12", "product.deleted 12"}},
		{"a variation's stock (woo/553)", func(rs *replayShop) { rs.send("PUT", "/products/22/variations/23", fields{"stock_quantity": 3}) }, []string{"product.updated 23 publish"}},
		{"a variable product (woo/704)", func(rs *replayShop) { rs.dropWebhooks(13); rs.send("DELETE", "/products/22", nil) },
			[]string{"product.deleted 23", "product.deleted 24", "product.deleted 25", "product.deleted 26", "product.deleted 22"}},
		{"a batch (woo/555)", func(rs *replayShop) {
			rs.send("POST", "/products/batch", fields{"update": []fields{{"id": 12, "stock_quantity": 1}, {"id": 14, "stock_quantity": 1}}})
		}, []string{"product.updated 12 publish", "product.updated 14 publish"}},
		{"a coupon (woo/556)", func(rs *replayShop) { rs.send("POST", "/coupons", fields{"code": "HK"}) }, []string{"coupon.created 28 publish hk"}},
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

// quietOrder makes order 29 and forgets what was told of it.
func (rs *replayShop) quietOrder() {
	rs.order(29, 1, 12, 1, "")
	rs.waitAndForget()
}

func (rs *replayShop) waitAndForget() {
	drain(rs.t, rs.Shop)
	rs.receiver.taken()
}

// TestCheckoutIsTold: a draft, then the order (woo/558).
func TestCheckoutIsTold(t *testing.T) {
	t.Parallel()
	rs, r := hookedShop(t)
	cart := Cart{Items: []CartItem{{12, 1}}, CustomerID: 2, PaymentMethod: "stripe", Billing: map[string]string{"country": "FR"}}
	id, err := rs.Draft(cart)
	if err != nil {
		t.Fatal(err)
	}
	drain(t, rs.Shop)
	if got := summaries(r.taken()); !slices.Equal(got, []string{fmt.Sprintf("order.updated %d checkout-draft", id)}) {
		t.Errorf("the draft told %q", got)
	}
	if err := rs.Place(id); err != nil {
		t.Fatal(err)
	}
	drain(t, rs.Shop)
	want := []string{fmt.Sprintf("order.updated %d processing", id), fmt.Sprintf("order.created %d processing", id), "product.updated 12 publish", "customer.updated 2"}
	if got := summaries(r.taken()); !slices.Equal(got, want) {
		t.Errorf("the order told %q, want %q", got, want)
	}
	if err := rs.Place(id); err == nil {
		t.Error("an order was placed twice")
	}
	if _, err := rs.Checkout(cart); err != nil {
		t.Fatal(err)
	}
	drain(t, rs.Shop)
	if got := summaries(r.taken()); len(got) != 5 || !strings.HasPrefix(got[0], "order.updated") || !strings.HasPrefix(got[2], "order.created") {
		t.Errorf("a checkout at once told %q", got)
	}
}

// TestDelivery: headers, signature and the id that is no key.
func TestDelivery(t *testing.T) {
	t.Parallel()
	rs, r := hookedShop(t, "product.updated")
	rs.url = "http://shop.test"
	rs.send("POST", "/products/batch", fields{"update": []fields{{"id": 12, "name": "Große Tasse"}, {"id": 14, "stock_quantity": 1}}})
	drain(t, rs.Shop)
	got := r.taken()
	if len(got) != 2 {
		t.Fatalf("%d deliveries", len(got))
	}
	mac := hmac.New(sha256.New, []byte("hush"))
	mac.Write(got[0].body)
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "WooCommerce/9.9.5 Hookshot (WordPress/6.9)", "X-Wc-Webhook-Source": "http://shop.test/",
		"X-Wc-Webhook-Topic": "product.updated", "X-Wc-Webhook-Resource": "product", "X-Wc-Webhook-Event": "updated", "X-Wc-Webhook-Id": "1",
		"X-Wc-Webhook-Signature": base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	} {
		if given := got[0].header.Get(name); given != want {
			t.Errorf("%s is %q, want %q", name, given, want)
		}
	}
	first, second := got[0].header.Get("X-WC-Webhook-Delivery-ID"), got[1].header.Get("X-WC-Webhook-Delivery-ID")
	if len(first) != 32 || first != second {
		t.Errorf("delivery ids %q and %q within one second, want the same", first, second)
	}
	if !bytes.Contains(got[0].body, []byte(`Gro\u00dfe`)) || !bytes.Contains(got[0].body, []byte(`http:\/\/shop.test\/`)) {
		t.Errorf("the body is not escaped as PHP does: %.200s", got[0].body)
	}
	if log := rs.Deliveries(); len(log) != 3 || log[2].Status != 200 {
		t.Errorf("the log holds %v", log)
	}
}

// TestFailuresDisable: the seventh failure in a row disables, activating keeps
// the count (woo/559 to 562).
func TestFailuresDisable(t *testing.T) {
	t.Parallel()
	rs, r := hookedShop(t, "product.updated")
	r.answer(http.StatusInternalServerError)
	touch := func() Webhook {
		rs.send("PUT", "/products/12", fields{"stock_quantity": 3})
		drain(t, rs.Shop)
		return rs.Webhooks()[0]
	}
	for n := 1; n <= 6; n++ {
		if w := touch(); w.Failures != n || w.Status != "active" {
			t.Fatalf("after %d failures: %+v", n, w)
		}
	}
	if w := touch(); w.Status != "disabled" || w.Failures != 6 {
		t.Fatalf("after the seventh failure: %+v", w)
	}
	r.taken()
	if touch(); len(r.taken()) != 0 {
		t.Error("a disabled webhook was told something")
	}
	rs.send("PUT", "/webhooks/1", fields{"status": "active"})
	if w := touch(); w.Status != "disabled" {
		t.Errorf("after one more failure: %+v", w)
	}
	rs.send("PUT", "/webhooks/1", fields{"status": "active"})
	r.answer(http.StatusOK)
	if w := touch(); w.Status != "active" || w.Failures != 0 {
		t.Errorf("after a success: %+v", w)
	}
}

// TestWhatCountsAsSuccess (woo/563).
func TestWhatCountsAsSuccess(t *testing.T) {
	t.Parallel()
	rs, r := hookedShop(t, "product.updated")
	for _, c := range []struct{ status, failures int }{{202, 0}, {204, 0}, {301, 0}, {302, 0}, {307, 1}, {200, 0}, {308, 1}, {404, 2}, {410, 3}, {200, 0}} {
		r.answer(c.status)
		rs.send("PUT", "/products/12", fields{"stock_quantity": 3})
		drain(t, rs.Shop)
		if w := rs.Webhooks()[0]; w.Failures != c.failures {
			t.Errorf("after %d: %d failures, want %d", c.status, w.Failures, c.failures)
		}
	}
	for _, one := range r.taken() {
		if one.topic() == "" {
			t.Errorf("a webhook that was tested was tested again: %s", one.body)
		}
	}
}

// TestPing: unsigned, kept even where nobody answers, repeated after every
// delivery until it gets exactly 200 (woo/502, 522, 559).
func TestPing(t *testing.T) {
	t.Parallel()
	rs, r := hookedShop(t, "coupon.created")
	r.answer(http.StatusAccepted)
	made := rs.send("POST", "/webhooks", fields{"topic": "product.updated", "delivery_url": r.URL, "secret": "hush"})
	if made["status"] != "active" || made["date_modified"] != nil {
		t.Errorf("the webhook is %v", made)
	}
	ping := r.taken()
	if len(ping) != 1 || string(ping[0].body) != "webhook_id=2" || ping[0].header.Get("Content-Type") != "application/x-www-form-urlencoded" || ping[0].header.Get("X-WC-Webhook-Signature") != "" {
		t.Fatalf("the ping is %v", summaries(ping))
	}
	touch := func() []string {
		rs.send("PUT", "/products/12", fields{"stock_quantity": 3})
		drain(t, rs.Shop)
		return summaries(r.taken())
	}
	if got := touch(); !slices.Equal(got, []string{"product.updated 12 publish", "webhook_id=2"}) {
		t.Errorf("told %q", got)
	}
	r.answer(http.StatusOK)
	if touch(); rs.Webhooks()[1].PingPending {
		t.Error("the ping is pending after 200")
	}
	if got := touch(); !slices.Equal(got, []string{"product.updated 12 publish"}) {
		t.Errorf("told %q after the ping was answered", got)
	}
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	if made := rs.send("POST", "/webhooks", fields{"topic": "order.created", "delivery_url": nobody.URL}); asInt(made["id"]) != 3 {
		t.Errorf("a webhook to nobody: %v", made)
	}
}

// TestCloseWhileDelivering: a receiver that hangs does not hold Close.
func TestCloseWhileDelivering(t *testing.T) {
	t.Parallel()
	release, reached := make(chan struct{}), make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-WC-Webhook-Topic") != "" {
			reached <- struct{}{}
			<-release
		}
	}))
	defer server.Close()
	defer close(release)
	s := New(Options{})
	s.Subscribe(Webhook{Topic: "product.updated", URL: server.URL})
	s.SetStock(s.AddProduct(Product{Name: "x"}), 3)
	<-reached
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error("the second Close:", err)
	}
	drain(t, s)
}
