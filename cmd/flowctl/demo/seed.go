package demo

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// shopSettings is the demo's shop: in Berlin, prices in euros with tax included.
func shopSettings() *shopsandbox.Settings {
	s := shopsandbox.DefaultSettings()
	s.Name, s.Country, s.Timezone = "Demo shop", "DE", "Europe/Berlin"
	s.PricesIncludeTax = true
	s.TaxClasses = []string{"reduced-rate"}
	return &s
}

// article is something that shop and Odoo both know, by its SKU.
type article struct {
	sku, name, price, class string
}

var articles = []article{
	{"MUG-BLUE", "Mug, blue", "9.99", ""},
	{"MUG-RED", "Mug, red", "8.49", ""},
	{"BEANIE", "Beanie", "17.95", ""},
	{"BELT", "Belt", "24.90", ""},
	{"TSHIRT", "T-shirt", "12.00", ""},
	{"HOODIE", "Hoodie", "39.95", ""},
	{"COFFEE", "Coffee, 500 g", "7.35", "reduced-rate"},
	{"TEA", "Tea, 100 g", "3.33", "reduced-rate"},
	{"BOOK", "Cook book", "22.22", "reduced-rate"},
}

// catalogue makes the articles, taxes and coupons that shoppers need, in both
// systems.
func (w *World) catalogue(ctx context.Context) ([]int64, error) {
	w.Shop.AddTaxRate(shopsandbox.TaxRate{Rate: "19", Name: "VAT 19 %", Shipping: true})
	w.Shop.AddTaxRate(shopsandbox.TaxRate{Rate: "7", Name: "VAT 7 %", Shipping: true, Class: "reduced-rate"})
	w.Shop.AddCoupon(shopsandbox.Coupon{Code: "save10", Type: "percent", Amount: "10"})
	w.Shop.AddCoupon(shopsandbox.Coupon{Code: "minus5", Type: "fixed_cart", Amount: "5"})
	var ids []int64
	for _, a := range articles {
		ids = append(ids, w.Shop.AddProduct(shopsandbox.Product{Name: a.name, SKU: a.sku, RegularPrice: a.price, TaxClass: a.class}))
		if err := w.ensureProduct(ctx, a.sku, a.name); err != nil {
			return nil, err
		}
	}
	for _, percent := range []string{"19", "7"} {
		if err := w.ensureTax(ctx, decimal.RequireFromString(percent), true); err != nil {
			return nil, err
		}
	}
	return ids, w.ensurePricelist(ctx, "EUR")
}

func (w *World) ensureProduct(ctx context.Context, sku, name string) error {
	_, err := w.ensure(ctx, "product.product", []any{[]any{"default_code", "=", sku}}, map[string]any{
		"name": name, "default_code": sku, "type": "consu", "invoice_policy": "order",
		"taxes_id": []any{[]any{int64(6), int64(0), []any{}}},
	})
	return err
}

// ensureTax makes the sales tax of a rate whose amount is included in prices, or
// added to them.
func (w *World) ensureTax(ctx context.Context, percent decimal.Decimal, included bool) error {
	found, err := call(ctx, w.odoo, "search_read", map[string]any{
		"model":  "account.tax",
		"domain": []any{[]any{"type_tax_use", "=", "sale"}, []any{"amount_type", "=", "percent"}},
		"fields": []any{"amount", "price_include"},
	})
	if err != nil {
		return err
	}
	records, _ := found["records"].([]any)
	for _, record := range records {
		tax := record.(map[string]any)
		amount, ok := tax["amount"].(decimal.Decimal)
		if ok && amount.Equal(percent) && tax["price_include"] == included {
			return nil
		}
	}
	mode := map[bool]string{true: "tax_included", false: "tax_excluded"}[included]
	_, err = call(ctx, w.odoo, "create", map[string]any{"model": "account.tax", "values": map[string]any{
		"name":   fmt.Sprintf("%s %% (%s)", percent, map[bool]string{true: "included", false: "excluded"}[included]),
		"amount": percent, "amount_type": "percent", "type_tax_use": "sale", "price_include_override": mode,
	}})
	if err != nil {
		return fmt.Errorf("the tax of %s %%: %w", percent, err)
	}
	return nil
}

// ensurePricelist activates a currency and makes a pricelist in it.
func (w *World) ensurePricelist(ctx context.Context, currency string) error {
	found, err := call(ctx, w.odoo, "search", map[string]any{
		"model": "res.currency", "domain": []any{[]any{"name", "=", currency}},
		"context": map[string]any{"active_test": false}, "limit": int64(1),
	})
	if err != nil {
		return err
	}
	ids, _ := found["ids"].([]any)
	if len(ids) == 0 {
		return fmt.Errorf("the currency %s is unknown to Odoo", currency)
	}
	if _, err := call(ctx, w.odoo, "write", map[string]any{
		"model": "res.currency", "id": ids[0], "values": map[string]any{"active": true},
	}); err != nil {
		return err
	}
	_, err = w.ensure(ctx, "product.pricelist", []any{[]any{"currency_id", "=", ids[0]}},
		map[string]any{"name": "Shop " + currency, "currency_id": ids[0]})
	return err
}
