package behaviour

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"testing"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// signed is the webhook secret of the tests that deliver themselves.
var signed = map[string]string{"webhook_secret": "known to the test"}

// post posts a signed webhook as the shop does, and returns the answer's
// status. All deliveries have the same Delivery-ID, as those of one second.
func (w *world) post(topic string, body []byte) int {
	w.Helper()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.EngineURL+"/hooks/"+w.Instance+"/woocommerce", bytes.NewReader(body))
	if err != nil {
		w.Error(err)
		return 0
	}
	mac := hmac.New(sha256.New, []byte(signed["webhook_secret"]))
	mac.Write(body)
	resource, verb, _ := strings.Cut(topic, ".")
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-WC-Webhook-Source": w.ShopURL + "/", "X-WC-Webhook-Topic": topic,
		"X-WC-Webhook-Resource": resource, "X-WC-Webhook-Event": verb, "X-WC-Webhook-ID": "7", "X-WC-Webhook-Delivery-ID": "same-second",
		"X-WC-Webhook-Signature": base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	} {
		req.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Error(err)
		return 0
	}
	if err := answer.Body.Close(); err != nil {
		w.Error(err)
	}
	return answer.StatusCode
}

func one(articles []int64) shopsandbox.Cart {
	return shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}, PaymentMethod: "stripe", TransactionID: "ch_1"}
}

func TestD1FiveParallelDeliveriesAreOneOrder(t *testing.T) {
	w := start(t, signed)
	id := w.buy(one(w.open()))
	body, _ := w.Shop.Order(id, -1)
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			if status := w.post("order.created", body); status != http.StatusOK {
				w.Errorf("a delivery was answered %d", status)
			}
		})
	}
	group.Wait()
	w.settle()
	w.sale(id) // fails unless there is one
	if invoices, payments := w.moves(id, "out_invoice"), w.payments(id); len(invoices) != 1 || len(payments) != 1 {
		t.Errorf("%d invoices, %d payments", len(invoices), len(payments))
	}
}

func TestD2TwoOrdersWithTheSameDeliveryIDAreBothImported(t *testing.T) {
	w := start(t, signed)
	articles := w.open()
	first, second := w.buy(one(articles)), w.buy(one(articles))
	for _, id := range []int64{first, second} {
		body, _ := w.Shop.Order(id, -1)
		w.post("order.created", body)
	}
	w.settle()
	w.sale(first)
	w.sale(second)
}

func TestD3ADraftOfTheCheckoutIsImportedWhenItIsAnOrder(t *testing.T) {
	w := start(t, nil)
	articles := w.open()
	cart := one(articles)
	cart.Billing = ada()
	id, err := w.Shop.Draft(cart)
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.skipped("webhook-order-created", "checkout-draft")
	if orders := w.find("sale.order", []any{}, "name"); len(orders) != 0 {
		t.Errorf("the draft was imported: %v", orders)
	}
	if err := w.Shop.Place(id); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if state := w.sale(id)["state"]; state != "sale" {
		t.Errorf("the order is %v", state)
	}
}

func TestD16ASignedErrorBodyStartsNothing(t *testing.T) {
	w := start(t, signed)
	w.open()
	if status := w.post("order.updated", []byte(`{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}`)); status != http.StatusOK {
		t.Errorf("it was answered %d", status)
	}
	w.settle()
	events, err := w.Engine.Store().Events(w.ctx, w.Instance, 0, 10)
	if err != nil || len(events) == 0 || !strings.Contains(events[0].Note, "Invalid ID") {
		t.Errorf("the event says nothing of it: %v, %v", events, err)
	}
	for _, flow := range []string{"webhook-order-created", "webhook-order-updated", "webhook-payment"} {
		if runs := w.runs(flow); len(runs) != 0 {
			t.Errorf("%s ran: %s", flow, runs[0].Reason)
		}
	}
}

// PHP warnings before every answer of the shop, and an answer of Odoo that is
// lost after it made the order.
func TestD17WarningsAndALostAnswerDoubleNothing(t *testing.T) {
	w := start(t, nil)
	articles := w.open()
	w.Shop.SetFault(func(r *http.Request) *shopsandbox.Fault {
		if r.Method != http.MethodGet {
			return nil
		}
		return &shopsandbox.Fault{Prefix: "<br />\n<b>Warning</b>: Undefined array key in /var/www/x.php on line 7<br />\n"}
	})
	lost := false
	w.ERP.OnRequest(func(_ *http.Request, call odoosandbox.Call) *odoosandbox.Incident {
		if call.Model != "sale.order" || call.Method != "load" && call.Method != "create" || lost {
			return nil
		}
		lost = true
		return &odoosandbox.Incident{Status: http.StatusGatewayTimeout, After: true}
	})
	id := w.buy(one(articles))
	w.Shop.SetFault(nil)
	if !lost {
		t.Fatal("no answer was lost")
	}
	w.ended("webhook-order-created", store.Succeeded)
	if state := w.sale(id)["state"]; state != "sale" {
		t.Errorf("the order is %v", state)
	}
}
