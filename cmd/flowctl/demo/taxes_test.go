package demo

import (
	"context"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// A tax on tax (compound) needs an Odoo tax that affects the base of those after
// it. Where Odoo has none, the order is held: with prices that include tax its
// total would even be equal, and its tax wrong.
func TestTaxOnTax(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		included bool
		affects  bool // Odoo has a 5 % tax that affects the next one's base
		version  int
		run      store.State
	}{
		{name: "added, Odoo 18 has the tax", affects: true, version: 18, run: store.Succeeded},
		{name: "included, Odoo 18 has the tax", included: true, affects: true, version: 18, run: store.Succeeded},
		{name: "added, Odoo 18 lacks it", version: 18, run: store.Held},
		{name: "included, Odoo 18 lacks it", included: true, version: 18, run: store.Held},
		{name: "added, Odoo 19 is told the taxes", version: 19, run: store.Succeeded},
		{name: "included, Odoo 19 is told the taxes", included: true, version: 19, run: store.Succeeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			settings := shopsandbox.DefaultSettings()
			settings.PricesIncludeTax, settings.Currency = c.included, "USD"
			w, ctx := start(t, Options{OdooVersion: c.version, PriceDigits: 6, Shop: &settings})
			w.Shop.AddTaxRate(shopsandbox.TaxRate{Rate: "5", Name: "GST", Priority: 1, Shipping: true})
			w.Shop.AddTaxRate(shopsandbox.TaxRate{Rate: "10", Name: "PST", Priority: 2, Compound: true, Shipping: true})
			// A plain tax of the same rate stands first: it must not be taken.
			for _, percent := range []string{"5", "10"} {
				if err := w.ensureTax(ctx, decimal.RequireFromString(percent), c.included); err != nil {
					t.Fatal(err)
				}
			}
			if c.affects {
				addAffectingTax(t, ctx, w, "5", c.included)
			}
			order := buy(t, ctx, w, "USD", "129.95", "4.95")
			if err := w.announce(ctx, []int64{order}); err != nil {
				t.Fatal(err)
			}
			o := settled(t, ctx, w, order)
			if o.Run != c.run {
				t.Fatalf("the run is %s, want %s: %s", o.Run, c.run, o.Reason)
			}
			if c.run == store.Held {
				if o.State == "sale" || !strings.Contains(o.Reason, "10 %") {
					t.Errorf("the order is %q; the reason must name the tax: %s", o.State, o.Reason)
				}
				return
			}
			if !o.Equal() || !o.OdooTax.Equal(o.ShopTax) {
				t.Errorf("%s tax %s in the shop, %s tax %s in Odoo", o.ShopTotal, o.ShopTax, o.OdooTotal, o.OdooTax)
			}
		})
	}
}

// A shop may count finer than its currency: four decimals of a dollar, or two of
// a yen where a plugin adds currencies. What is paid is the rounded amount.
func TestTotalsFinerThanTheCurrency(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		currency, price, shipping string
		decimals                  int32
		unit                      string
	}{
		{currency: "USD", price: "3.3333", shipping: "4.9512", decimals: 4, unit: "0.01"},
		{currency: "JPY", price: "498.75", shipping: "333.33", decimals: 2, unit: "1"},
	} {
		for _, version := range []int{18, 19} {
			t.Run(c.currency+map[int]string{18: ", Odoo 18", 19: ", Odoo 19"}[version], func(t *testing.T) {
				t.Parallel()
				settings := shopsandbox.DefaultSettings()
				settings.Currency, settings.Decimals = c.currency, c.decimals
				w, ctx := start(t, Options{OdooVersion: version, PriceDigits: 6, Shop: &settings})
				w.Shop.AddTaxRate(shopsandbox.TaxRate{Rate: "19", Shipping: true})
				if err := w.ensureTax(ctx, decimal.RequireFromString("19"), false); err != nil {
					t.Fatal(err)
				}
				order := buy(t, ctx, w, c.currency, c.price, c.shipping)
				if err := w.announce(ctx, []int64{order}); err != nil {
					t.Fatal(err)
				}
				o := settled(t, ctx, w, order)
				unit := decimal.RequireFromString(c.unit)
				want := o.ShopTotal.Div(unit).Round(0).Mul(unit)
				if o.ShopTotal.Equal(want) {
					t.Fatalf("the order's total %s is no example", o.ShopTotal)
				}
				if o.Run != store.Succeeded || !o.OdooTotal.Equal(want) {
					t.Errorf("%s in the shop, %s in Odoo, want %s; %s: %s", o.ShopTotal, o.OdooTotal, want, o.Run, o.Reason)
				}
			})
		}
	}
}

// addAffectingTax makes a tax of the rate that affects the base of those after it.
func addAffectingTax(t *testing.T, ctx context.Context, w *World, percent string, included bool) {
	t.Helper()
	mode := map[bool]string{true: "tax_included", false: "tax_excluded"}[included]
	if _, err := call(ctx, w.odoo, "create", map[string]any{"model": "account.tax", "values": map[string]any{
		"name": percent + " % before tax", "amount": decimal.RequireFromString(percent), "amount_type": "percent", "type_tax_use": "sale",
		"price_include_override": mode, "include_base_amount": true, "sequence": int64(0),
	}}); err != nil {
		t.Fatal(err)
	}
}

// buy places an order of seven pieces of one article, known to both systems.
func buy(t *testing.T, ctx context.Context, w *World, currency, price, shipping string) int64 {
	t.Helper()
	article := w.Shop.AddProduct(shopsandbox.Product{Name: "Article", SKU: "ART", RegularPrice: price})
	if err := w.ensureProduct(ctx, "ART", "Article"); err != nil {
		t.Fatal(err)
	}
	if err := w.ensurePricelist(ctx, currency); err != nil {
		t.Fatal(err)
	}
	order, err := w.Shop.Checkout(shopsandbox.Cart{
		Items:    []shopsandbox.CartItem{{ProductID: article, Quantity: 7}},
		Shipping: &shopsandbox.CartShipping{Title: "Parcel", MethodID: "flat_rate", Cost: shipping},
		Billing: map[string]string{"first_name": "Ada", "last_name": "Long", "address_1": "1 Low Road", "city": "Leeds", "postcode": "LS1",
			"country": "GB", "email": "ada@example.com"},
		PaymentMethod: "stripe",
	})
	if err != nil {
		t.Fatal(err)
	}
	return order
}

// settled waits until the order is worked off and returns what became of it.
func settled(t *testing.T, ctx context.Context, w *World, order int64) Outcome {
	t.Helper()
	if err := w.Settle(ctx, nil); err != nil {
		t.Fatal(err)
	}
	outcomes, err := w.Outcomes(ctx, []int64{order})
	if err != nil {
		t.Fatal(err)
	}
	return outcomes[0]
}
