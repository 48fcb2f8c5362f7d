package demo

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
	"strings"
	"sync"
	"testing"

	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/store"
)

// delivery is a webhook as the shop would post it.
type delivery struct {
	topic, body string
	secret      string // "" means the right one
}

func (w *World) post(ctx context.Context, d delivery) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.EngineURL+"/hooks/"+w.Instance+"/woocommerce", bytes.NewReader([]byte(d.body)))
	if err != nil {
		return 0, "", err
	}
	secret := d.secret
	if secret == "" {
		secret = webhookSecret
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(d.body))
	resource, verb, _ := strings.Cut(d.topic, ".")
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-WC-Webhook-Source": w.ShopURL + "/", "X-WC-Webhook-Topic": d.topic,
		"X-WC-Webhook-Resource": resource, "X-WC-Webhook-Event": verb, "X-WC-Webhook-ID": "7", "X-WC-Webhook-Delivery-ID": "same-second",
		"X-WC-Webhook-Signature": base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

// anOrder places one order of a guest, with no webhook on the way.
func anOrder(t *testing.T, ctx context.Context, w *World) int64 {
	t.Helper()
	articles, err := w.catalogue(ctx)
	if err != nil {
		t.Fatal(err)
	}
	orders, err := w.Shopping(ctx, 1, articles, 3)
	if err != nil {
		t.Fatal(err)
	}
	return orders[0]
}

func TestOneOrderDeliveredFiveTimesAtOnceIsOneSaleOrder(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, Options{})
	id := anOrder(t, ctx, w)
	body, _ := w.Shop.Order(id, -1)
	var group sync.WaitGroup
	for i := range 5 {
		topic := []string{"order.created", "order.updated"}[i%2]
		group.Go(func() {
			status, answer, err := w.post(ctx, delivery{topic: topic, body: string(body)})
			if err != nil || status != http.StatusOK {
				t.Errorf("%s: %d %s %v", topic, status, answer, err)
			}
		})
	}
	group.Wait()
	if err := w.Settle(ctx, nil); err != nil {
		t.Fatal(err)
	}
	outcomes, err := w.Outcomes(ctx, []int64{id})
	if err != nil {
		t.Fatal(err)
	}
	if o := outcomes[0]; o.Copies != 1 || !o.Equal() {
		t.Errorf("%d sale orders, %s in the shop, %s in Odoo, %s: %s", o.Copies, o.ShopTotal, o.OdooTotal, o.Run, o.Reason)
	}
	if all, err := w.ERP.Search("sale.order", nil); err != nil || len(all) != 1 {
		t.Errorf("Odoo has %d sale orders, %v", len(all), err)
	}
	if events, err := w.Engine.Store().Events(ctx, w.Instance, 0, 10); err != nil || len(events) != 5 {
		t.Errorf("%d events are stored, %v", len(events), err)
	}
}

func TestWhatTheIngressRefusesAndKeeps(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, Options{})
	for _, c := range []struct {
		name     string
		delivery delivery
		status   int
		says     string
		stored   bool
	}{
		{"a wrong signature", delivery{topic: "order.created", body: `{"id":1}`, secret: "guessed"}, 401, "signature", false},
		{"malformed JSON", delivery{topic: "order.created", body: `{"id":1`}, 400, "could not be read", true},
		{"a body over the limit", delivery{topic: "order.created", body: `{"id":1,"x":"` + strings.Repeat("x", event.DefaultBodyLimit) + `"}`}, 413, "more than", false},
		{"an unknown topic", delivery{topic: "subscription.created", body: `{"id":1}`}, 200, "subscription.created", true},
		{"an event of a switched-off or absent flow", delivery{topic: "coupon.created", body: `{"id":1}`}, 200, "no flow listens", true},
		{"an error body, as when the order is gone", delivery{topic: "order.updated", body: `{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}`}, 200, "", true},
	} {
		before, err := w.Engine.Store().Events(ctx, w.Instance, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		status, answer, err := w.post(ctx, c.delivery)
		if err != nil {
			t.Fatal(c.name, err)
		}
		var decoded map[string]any
		if err := json.Unmarshal([]byte(answer), &decoded); err != nil {
			t.Errorf("%s: the answer is no JSON: %q", c.name, answer)
		}
		if status != c.status || !strings.Contains(answer, c.says) {
			t.Errorf("%s: %d %s", c.name, status, answer)
		}
		after, err := w.Engine.Store().Events(ctx, w.Instance, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		if stored := len(after) > len(before); stored != c.stored {
			t.Errorf("%s: stored %v", c.name, stored)
		}
		if c.stored && after[0].Note == "" {
			t.Errorf("%s: the event says nothing of what is odd about it", c.name)
		}
	}
	runs, err := w.Engine.Store().Runs(ctx, store.RunFilter{Instance: w.Instance})
	if err != nil || len(runs) != 0 {
		t.Errorf("%d runs were started, %v", len(runs), err)
	}
}

// A ping announces nothing; WooCommerce repeats it before every delivery until
// it gets exactly 200.
func TestAPingIsAnswered200(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, Options{})
	if _, err := w.Open(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Shop.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	for _, hook := range w.Shop.Webhooks() {
		if hook.Status != "active" {
			t.Errorf("%s is %s", hook.Topic, hook.Status)
		}
	}
	for _, attempt := range w.Shop.Deliveries() {
		if attempt.Status != http.StatusOK {
			t.Error(fmt.Sprint("the ping was answered ", attempt.Status))
		}
	}
}
