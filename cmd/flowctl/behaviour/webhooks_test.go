package behaviour

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/connectors"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
)

// manage runs Manage Webhooks and returns its result.
func (w *world) manage() map[string]any {
	w.Helper()
	return w.result("manage-webhooks", nil)
}

// result runs a flow that must succeed, and returns what it made.
func (w *world) result(flow string, input map[string]any) map[string]any {
	w.Helper()
	r := w.run(flow, input)
	if r.State != store.Succeeded {
		w.Fatalf("%s is %s: %s", flow, r.State, r.Reason)
	}
	var out map[string]any
	if err := json.Unmarshal(r.Result, &out); err != nil {
		w.Fatal(err)
	}
	return out
}

// hooked are the topics that the shop delivers to us, each as often as it does.
func (w *world) hooked() []string {
	var topics []string
	for _, hook := range w.Shop.Webhooks() {
		if hook.Status == "active" && hook.URL == w.EngineURL+"/hooks/"+w.Instance+"/woocommerce" {
			topics = append(topics, hook.Topic)
		}
	}
	slices.Sort(topics)
	return topics
}

func (w *world) wantTopics(when string, want ...string) {
	w.Helper()
	if got := w.hooked(); !slices.Equal(got, want) {
		w.Errorf("%s the shop delivers %v, not %v", when, got, want)
	}
}

var (
	orderTopics    = []string{"order.created", "order.restored", "order.updated"}
	customerTopics = []string{"customer.created", "customer.updated"}
	productTopics  = []string{"product.created", "product.deleted", "product.restored", "product.updated"}
)

func TestWebhooksFollowTheSwitches(t *testing.T) {
	w := start(t, nil)
	foreign := w.Shop.Subscribe(shopsandbox.Webhook{Topic: "order.created", URL: w.EngineURL + "/elsewhere", Secret: "x", Name: "flowctl main order.created"})
	w.manage()
	if hooks := w.Shop.Webhooks(); len(hooks) != 1 {
		t.Fatalf("without a public address there are %d webhooks", len(hooks))
	}
	// Saving a setting is enough.
	w.set(map[string]any{"public_url": w.EngineURL})
	w.settle()
	w.wantTopics("at first", slices.Concat(customerTopics, orderTopics)...)
	w.quiet()
	w.manage()
	w.silent("the second run")

	for _, step := range []struct {
		values map[string]any
		want   []string
	}{
		{map[string]any{"sync_products_inbound": true}, slices.Concat(customerTopics, orderTopics, productTopics)},
		{map[string]any{"import_orders": false, "payment_events": false, "process_returns": false}, slices.Concat(customerTopics, orderTopics[1:], productTopics)},
		{map[string]any{"order_status_updates": false, "sync_customers_inbound": false}, productTopics},
		{map[string]any{"sync_products_inbound": false}, nil},
		{map[string]any{"payment_events": true}, orderTopics},
	} {
		w.set(step.values)
		w.settle()
		w.wantTopics("after a switch", step.want...)
		w.quiet()
		w.manage()
		w.silent("the run after a switch")
	}
	if hooks := w.Shop.Webhooks(); !slices.ContainsFunc(hooks, func(h shopsandbox.Webhook) bool { return h.ID == foreign }) {
		t.Error("the webhook of somebody else is gone")
	}
}

// A new address takes all webhooks along and leaves none behind.
func TestWebhooksFollowTheAddress(t *testing.T) {
	w := start(t, nil)
	w.set(map[string]any{"public_url": strings.Replace(w.EngineURL, "127.0.0.1", "localhost", 1)})
	w.settle()
	if n := len(w.Shop.Webhooks()); n != 5 {
		t.Fatalf("there are %d webhooks", n)
	}
	w.set(map[string]any{"public_url": w.EngineURL})
	w.settle()
	w.wantTopics("after the move", slices.Concat(customerTopics, orderTopics)...)
	if n := len(w.Shop.Webhooks()); n != 5 {
		t.Errorf("there are %d webhooks", n)
	}
}

// Without a secret one is made; with another one the webhooks are made anew.
func TestWebhooksHaveTheSecret(t *testing.T) {
	w := startWith(t, demo.Options{Panel: true, Settings: map[string]string{"webhook_secret": ""}})
	w.set(map[string]any{"public_url": w.EngineURL})
	w.settle()
	secrets := func() []string {
		var all []string
		for _, hook := range w.Shop.Webhooks() {
			all = append(all, hook.Secret)
		}
		return slices.Compact(all)
	}
	made := secrets()
	if len(made) != 1 || len(made[0]) < 20 {
		t.Fatalf("the secrets are %v", made)
	}
	articles := w.open() // its own webhooks, with another secret, go
	w.settle()
	w.set(map[string]any{"webhook_secret": "another one, chosen by a person"})
	w.settle()
	if got := secrets(); len(got) != 1 || got[0] != "another one, chosen by a person" {
		t.Errorf("the secrets are %v", got)
	}
	w.wantTopics("then", slices.Concat(customerTopics, orderTopics)...)
	w.sale(w.buy(one(articles)))
}

// A webhook that was made twice delivers everything twice.
func TestWebhooksAreThereOnce(t *testing.T) {
	w := start(t, nil)
	w.set(map[string]any{"public_url": w.EngineURL})
	w.settle()
	again := w.Shop.Webhooks()[0]
	w.Shop.Subscribe(again)
	if out := w.manage(); out["removed"] != 1.0 {
		t.Errorf("it says %v", out)
	}
	w.wantTopics("then", slices.Concat(customerTopics, orderTopics)...)
}

func TestD8ADisabledWebhookIsMadeAnewAndItsOrdersImported(t *testing.T) {
	w := startWith(t, demo.Options{Roles: engine.Roles()})
	articles := w.open()
	w.set(map[string]any{"public_url": w.EngineURL})
	w.settle()
	w.polled("shop_orders")
	for _, hook := range w.Shop.Webhooks() {
		w.shop("webhooks.update", map[string]any{"id": hook.ID, "status": "disabled"})
	}
	var placed []int64
	for range 3 {
		placed = append(placed, w.buy(one(articles)))
	}
	if found := w.find("sale.order", []any{[]any{"client_order_ref", "!=", false}}, "name"); len(found) != 0 {
		t.Fatalf("there are %d orders", len(found))
	}
	w.manage()
	w.wantTopics("then", slices.Concat(customerTopics, orderTopics)...)
	w.imported(placed...)
	w.sale(w.buy(one(articles))) // delivered again
}

// imported waits until each order has its one sale order.
func (w *world) imported(orders ...int64) {
	w.Helper()
	for len(w.find("sale.order", []any{[]any{"client_order_ref", "!=", false}}, "name")) < len(orders) {
		select {
		case <-w.ctx.Done():
			w.Fatal("the orders were not found")
		case <-time.After(50 * time.Millisecond):
		}
	}
	w.settle()
	for _, id := range orders {
		w.sale(id)
	}
}

// Made active again by hand, a webhook still has its count of failures, and the
// next one disables it again.
func TestD9AWebhookActivatedAfterSevenFailuresStillHeals(t *testing.T) {
	w := startWith(t, demo.Options{Roles: engine.Roles()})
	articles := w.open()
	w.set(map[string]any{"public_url": w.EngineURL})
	w.settle()
	w.polled("shop_orders")
	var placed []int64
	status := func(id int64) string {
		for _, hook := range w.Shop.Webhooks() {
			if hook.ID == id {
				return hook.Status
			}
		}
		return "gone"
	}
	err := w.Without(w.ctx, func(shop connectors.Connection) error {
		hooks := w.Shop.Webhooks()
		created := hooks[slices.IndexFunc(hooks, func(h shopsandbox.Webhook) bool { return h.Topic == "order.created" })].ID
		order := func() error {
			cart := one(articles)
			cart.Billing = ada()
			id, err := w.Shop.Checkout(cart)
			if err != nil {
				return err
			}
			placed = append(placed, id)
			return w.Shop.Drain(w.ctx)
		}
		for range 7 {
			if err := order(); err != nil {
				return err
			}
		}
		if got := status(created); got != "disabled" {
			t.Errorf("after seven failures the webhook is %s", got)
		}
		if _, err := shop.Call(w.ctx, connectors.Call{Operation: "webhooks.update", Params: map[string]any{"id": created, "status": "active"}}); err != nil {
			return err
		}
		if err := order(); err != nil {
			return err
		}
		if got := status(created); got != "disabled" {
			t.Errorf("after one more failure the webhook is %s", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.manage()
	w.wantTopics("then", slices.Concat(customerTopics, orderTopics)...)
	w.imported(placed...)
}
