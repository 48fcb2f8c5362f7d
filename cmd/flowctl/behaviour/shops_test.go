package behaviour

import (
	"fmt"
	"testing"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// second opens another shop on the same Odoo, as an instance of the same engine:
// its world differs from w's in the shop alone. Both shops count from the same
// ids, and sell one article under one SKU.
func (w *world) second() (other *world, article int64) {
	w.Helper()
	set := shopsandbox.DefaultSettings()
	set.Name, set.Country, set.Timezone, set.PricesIncludeTax = "Second shop", "DE", "Europe/Berlin", true
	shop := shopsandbox.New(shopsandbox.Options{Settings: &set})
	url, err := shop.Start("127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := shop.Close(); err != nil {
			w.Error(err)
		}
	})
	shop.AddTaxRate(shopsandbox.TaxRate{Rate: "19", Name: "VAT 19 %", Shipping: true})
	article = shop.AddProduct(shopsandbox.Product{Name: "Mug of the second shop", SKU: "MUG-BLUE", RegularPrice: "11.11"})

	const name, secret = "second", "a secret of the second shop"
	if err := w.Engine.Instances().Add(w.ctx, name, "Second shop"); err != nil {
		w.Fatal(err)
	}
	odoo := w.ERP.Options()
	other = &world{T: w.T, ctx: w.ctx, World: &demo.World{
		Shop: shop, ERP: w.ERP, Engine: w.Engine, Instance: name, ShopURL: url, OdooURL: w.OdooURL, EngineURL: w.EngineURL,
	}}
	other.set(map[string]any{
		"shop_url": url, "consumer_key": "ck_sandbox", "consumer_secret": "cs_sandbox", "webhook_secret": secret,
		"odoo_url": w.OdooURL, "odoo_db": odoo.Database, "odoo_login": odoo.Login, "odoo_api_key": odoo.APIKey,
		"payment_journal": w.bank(),
	})
	for _, topic := range []string{"order.created", "order.updated"} {
		shop.Subscribe(shopsandbox.Webhook{Topic: topic, URL: w.EngineURL + "/hooks/" + name + "/woocommerce", Secret: secret})
	}
	return other, article
}

// The shops' orders have the same ids, the shoppers the same e-mail.
func TestTwoShopsOnOneOdooDoNotMix(t *testing.T) {
	each(t, nil, func(first *world) {
		articles := first.open()
		second, article := first.second()
		cart := shopsandbox.Cart{
			Items:         []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}},
			PaymentMethod: "stripe", PaymentTitle: "Card", TransactionID: "ch_1",
		}
		id := first.buy(cart)
		cart.Items = []shopsandbox.CartItem{{ProductID: article, Quantity: 3}}
		same := second.buy(cart)
		for same < id { // until both shops have an order of this id
			same = second.buy(cart)
		}
		for id < same {
			cart.Items = []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 2}}
			id = first.buy(cart)
		}

		sales := map[any]bool{}
		for _, w := range []*world{first, second} {
			w.ended("webhook-payment", store.Succeeded)
			order, sale := w.shop("orders.get", map[string]any{"id": id}), w.sale(id)
			sales[sale["id"]] = true
			w.same(w.Instance+": the sale order", sale["amount_total"], order["total"])
			w.same(w.Instance+": its tax", sale["amount_tax"], order["total_tax"])
			invoices, payments := w.moves(id, "out_invoice"), w.payments(id)
			if len(invoices) != 1 || len(payments) != 1 {
				w.Fatalf("%s: %d invoices, %d payments", w.Instance, len(invoices), len(payments))
			}
			w.same(w.Instance+": the invoice", invoices[0]["amount_total"], order["total"])
			w.same(w.Instance+": the payment", payments[0]["amount"], order["total"])
			link, err := w.Engine.Store().FindLink(w.ctx, w.Instance, store.LinkKey{Table: "sale_order", Side: store.Remote, Value: fmt.Sprint(id)})
			if err != nil || link == nil || link.Local != text(sale["id"]) {
				w.Errorf("%s: the order is linked to %v, not to %v: %v", w.Instance, link, sale["id"], err)
			}
		}
		if len(sales) != 2 {
			t.Fatal("both shops' orders are one sale order")
		}
		if n := len(first.find("product.product", []any{[]any{"default_code", "=", "MUG-BLUE"}}, "name")); n != 1 {
			t.Errorf("the article that both sell is %d products", n)
		}

		// What happens to an order of one shop leaves the other's alone.
		second.deliver(id)
		first.change(id, map[string]any{"status": "cancelled"})
		if state := second.sale(id)["state"]; state != "sale" {
			t.Errorf("the second shop's sale order is %v, for the first shop cancelled one of its own", state)
		}
		order := second.shop("orders.get", map[string]any{"id": id})
		refund := second.refund(id, map[string]any{"amount": order["total"]})
		second.credited(id, refund)
		first.credited(id)

		// A feed of one shop finds the other's sale orders too: it does nothing to them.
		first.quiet()
		first.announce("feed.odoo_orders", map[string]any{"id": id})
		second.announce("feed.odoo_orders", map[string]any{"id": id})
		first.silent("a second look at orders that are done")
	})
}
