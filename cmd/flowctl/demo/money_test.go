package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// till is a kind of shop for which random carts are rung up.
type till struct {
	name     string
	settings func(*shopsandbox.Settings)
	rates    []shopsandbox.TaxRate
	odoo     Options
	prices   int32 // decimals of catalogue prices
	taxEqual bool
}

var tills = []till{
	{
		name: "included, three rates", odoo: Options{OdooVersion: 19}, prices: 2, taxEqual: true,
		settings: func(s *shopsandbox.Settings) {
			s.PricesIncludeTax, s.TaxClasses, s.ShippingTaxClass = true, []string{"reduced", "zero"}, "inherit"
		},
		rates: []shopsandbox.TaxRate{
			{Rate: "20", Shipping: true}, {Rate: "5.5", Class: "reduced", Shipping: true}, {Rate: "0", Class: "zero", Shipping: true},
		},
	},
	{
		name: "excluded, stacked rates, rounding at subtotal", odoo: Options{OdooVersion: 19}, prices: 2, taxEqual: true,
		settings: func(s *shopsandbox.Settings) {
			s.RoundAtSubtotal, s.Currency, s.TaxClasses = true, "CAD", []string{"reduced"}
		},
		rates: []shopsandbox.TaxRate{
			{Rate: "5", Name: "GST", Priority: 1, Shipping: true}, {Rate: "9.975", Name: "QST", Priority: 2, Shipping: true},
			{Rate: "5", Name: "GST", Class: "reduced", Shipping: true},
		},
	},
	{
		name: "yen, included", odoo: Options{OdooVersion: 19}, prices: 0, taxEqual: true,
		settings: func(s *shopsandbox.Settings) {
			s.PricesIncludeTax, s.Currency, s.Decimals, s.TaxClasses = true, "JPY", 0, []string{"reduced"}
		},
		rates: []shopsandbox.TaxRate{{Rate: "10", Shipping: true}, {Rate: "8", Class: "reduced", Shipping: true}},
	},
	{
		name: "included, on Odoo 18", odoo: Options{OdooVersion: 18}, prices: 2,
		settings: func(s *shopsandbox.Settings) { s.PricesIncludeTax, s.TaxClasses = true, []string{"reduced"} },
		rates:    []shopsandbox.TaxRate{{Rate: "19", Shipping: true}, {Rate: "7", Class: "reduced", Shipping: true}},
	},
	{
		name: "excluded, on Odoo 18 with 6 digits", odoo: Options{OdooVersion: 18, PriceDigits: 6}, prices: 2,
		settings: func(s *shopsandbox.Settings) { s.TaxClasses = []string{"reduced"} },
		rates:    []shopsandbox.TaxRate{{Rate: "8.25", Shipping: true}, {Rate: "2", Class: "reduced"}},
	},
}

// Whatever a shopper puts into the cart, the sale order has the shop's total, or
// is held with the reason that the totals differ. On Odoo 19 the tax is equal too.
func TestRandomOrdersKeepTheirTotals(t *testing.T) {
	t.Parallel()
	const carts = 60
	for _, kind := range tills {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			settings := shopsandbox.DefaultSettings()
			kind.settings(&settings)
			options := kind.odoo
			options.Shop = &settings
			w, ctx := start(t, options)
			random := rand.New(rand.NewPCG(seed, 1))
			articles := stock(t, ctx, w, kind, settings, random)
			var orders []int64
			for range carts {
				id, err := w.Shop.Checkout(randomCart(random, articles, settings.Decimals))
				if err != nil {
					continue // a cart that the shop refuses is no order
				}
				orders = append(orders, id)
			}
			if len(orders) < carts/2 {
				t.Fatalf("the shop refused %d of %d carts", carts-len(orders), carts)
			}
			judge(t, ctx, w, orders, kind.taxEqual)
		})
	}
}

// stock makes the till's taxes, articles and coupons in both systems.
func stock(t *testing.T, ctx context.Context, w *World, kind till, settings shopsandbox.Settings, random *rand.Rand) []int64 {
	t.Helper()
	for _, rate := range kind.rates {
		w.Shop.AddTaxRate(rate)
		if err := w.ensureTax(ctx, decimal.RequireFromString(rate.Rate), settings.PricesIncludeTax); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.ensurePricelist(ctx, settings.Currency); err != nil {
		t.Fatal(err)
	}
	w.Shop.AddCoupon(shopsandbox.Coupon{Code: "percent", Type: "percent", Amount: "15"})
	w.Shop.AddCoupon(shopsandbox.Coupon{Code: "cart", Type: "fixed_cart", Amount: "7"})
	w.Shop.AddCoupon(shopsandbox.Coupon{Code: "each", Type: "fixed_product", Amount: "1"})
	classes := append([]string{""}, settings.TaxClasses...)
	var articles []int64
	for i := range 12 {
		sku := fmt.Sprintf("ART-%d", i)
		price := decimal.New(1+random.Int64N(9999), -2)
		if kind.prices == 0 {
			price = decimal.New(10+random.Int64N(5000), 0)
		}
		articles = append(articles, w.Shop.AddProduct(shopsandbox.Product{
			Name: "Article " + sku, SKU: sku, RegularPrice: price.String(), TaxClass: classes[i%len(classes)],
		}))
		if err := w.ensureProduct(ctx, sku, "Article "+sku); err != nil {
			t.Fatal(err)
		}
	}
	return articles
}

func randomCart(random *rand.Rand, articles []int64, decimals int32) shopsandbox.Cart {
	amount := func(max int64) string { return decimal.New(1+random.Int64N(max), -min(decimals, 2)).String() }
	c := cart(random, articles)
	c.Coupons, c.Fees, c.Shipping = nil, nil, nil
	for _, code := range []string{"percent", "cart", "each"} {
		if random.IntN(4) == 0 {
			c.Coupons = append(c.Coupons, code)
		}
	}
	if random.IntN(3) > 0 {
		c.Shipping = &shopsandbox.CartShipping{Title: "Parcel", MethodID: "flat_rate", Cost: amount(999), NotTaxable: random.IntN(6) == 0}
	}
	if random.IntN(3) == 0 {
		c.Fees = append(c.Fees, shopsandbox.CartFee{Name: "Wrapping", Amount: amount(500), Taxable: random.IntN(2) == 0})
	}
	if random.IntN(3) == 0 {
		c.Fees = append(c.Fees, shopsandbox.CartFee{Name: "Loyalty", Amount: "-" + amount(200), Taxable: true})
	}
	return c
}

func judge(t *testing.T, ctx context.Context, w *World, orders []int64, taxEqual bool) {
	t.Helper()
	if err := w.announce(ctx, orders); err != nil {
		t.Fatal(err)
	}
	if err := w.Settle(ctx, nil); err != nil {
		t.Fatal(err)
	}
	outcomes, err := w.Outcomes(ctx, orders)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, o := range outcomes {
		switch {
		case o.Run == store.Held && o.State == "draft" && !o.OdooTotal.Equal(o.ShopTotal):
			held++
			t.Logf("held: %s", o.Reason)
		case !o.Equal():
			body, _ := w.Shop.Order(o.Order, 6)
			t.Errorf("%s in the shop, %s in Odoo, %s: %s\n%s", o.ShopTotal, o.OdooTotal, o.Run, o.Reason, body)
		case taxEqual && !o.OdooTax.Equal(o.ShopTax):
			body, _ := w.Shop.Order(o.Order, 6)
			t.Errorf("total %s, tax %s in the shop, %s in Odoo\n%s", o.ShopTotal, o.ShopTax, o.OdooTax, body)
		}
	}
	t.Logf("%d orders, %d held", len(outcomes), held)
	// Rounding is no reason to bother a person.
	if held > len(outcomes)/20 {
		t.Errorf("%d of %d orders were held", held, len(outcomes))
	}
}
