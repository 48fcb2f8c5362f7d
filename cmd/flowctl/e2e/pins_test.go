package e2e

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// line is a sale order line whose amounts are pinned: what the shop charged, to
// the cent, whatever Odoo would have computed.
type line struct {
	quantity, price string
	untaxed         string
	// taxes of the line in the order they are charged.
	taxes []charge
}

// charge is what one tax amounts to on a line, and on which base.
type charge struct {
	tax          int64
	amount, base string
}

func number(text string) float64 { return decimal.RequireFromString(text).InexactFloat64() }

// values are the line's fields. Odoo takes the pin only if its currency, price,
// discount and quantity are the line's and every tax of the line is a key; a
// line without tax needs some key all the same (recordings odoo19/276-281,
// 516-519). An explicit technical_price_unit keeps a later quantity write from
// resetting the price (recordings odoo19/528-531).
func (l line) values(product, currency int64) map[string]any {
	taxes := []int64{}
	pinned := map[string]any{}
	for _, c := range l.taxes {
		taxes = append(taxes, c.tax)
		pinned[strconv.FormatInt(c.tax, 10)] = map[string]any{
			"tax_amount_currency": number(c.amount), "base_amount_currency": number(c.base),
		}
	}
	if len(l.taxes) == 0 {
		pinned["0"] = map[string]any{"tax_amount_currency": 0.0, "base_amount_currency": number(l.untaxed)}
	}
	return map[string]any{
		"product_id":           product,
		"product_uom_qty":      number(l.quantity),
		"price_unit":           number(l.price),
		"technical_price_unit": 0.0,
		"discount":             0.0,
		"tax_ids":              []any{[]any{6, 0, taxes}},
		"extra_tax_data": map[string]any{
			"currency_id":                    currency,
			"price_unit":                     number(l.price),
			"discount":                       0.0,
			"quantity":                       number(l.quantity),
			"rate":                           1.0,
			"manual_total_excluded_currency": number(l.untaxed),
			"manual_tax_amounts":             pinned,
		},
	}
}

var serial atomic.Int64

// unique returns a name that no other record of this database has.
func unique(prefix string) string {
	return fmt.Sprintf("%s %d-%d", prefix, time.Now().UnixNano(), serial.Add(1))
}

// tax makes a sale tax. Prices include it or not; a base tax is part of the base
// of the taxes after it (WooCommerce's compound).
func (o *odoo) tax(t *testing.T, rate string, included, base bool) int64 {
	t.Helper()
	override, sequence := "tax_excluded", 2
	if included {
		override = "tax_included"
	}
	if base {
		sequence = 1
	}
	return o.create(t, "account.tax", map[string]any{
		"name": unique(rate + "%"), "amount": number(rate), "amount_type": "percent", "type_tax_use": "sale",
		"price_include_override": override, "include_base_amount": base, "sequence": sequence,
	})
}

// currency makes a currency usable and returns its id and a price list in it,
// which is what an order takes its currency from.
func (o *odoo) currency(t *testing.T, name string) (id, priceList int64) {
	t.Helper()
	var ids []int64
	o.call(t, &ids, "res.currency", "search", []any{[]any{[]any{"name", "=", name}}},
		map[string]any{"context": map[string]any{"active_test": false}})
	if len(ids) != 1 {
		t.Fatalf("Odoo knows %d currencies named %s", len(ids), name)
	}
	o.call(t, nil, "res.currency", "write", []any{ids, map[string]any{"active": true}}, nil)
	return ids[0], o.create(t, "product.pricelist", map[string]any{"name": unique(name), "currency_id": ids[0]})
}

// TestPinnedAmountsReachTheInvoice proves on a running Odoo what the order
// import relies on: pinned amounts hold from the draft order to the posted
// invoice, where Odoo's own arithmetic would differ.
func TestPinnedAmountsReachTheInvoice(t *testing.T) {
	t.Parallel()
	o := connect(t)
	included20, excluded12 := o.tax(t, "20", true, false), o.tax(t, "12", false, false)
	gst, qst := o.tax(t, "5", false, false), o.tax(t, "9.975", false, false)
	first, second := o.tax(t, "5", false, true), o.tax(t, "10", false, false)

	cases := []struct {
		name, currency string
		lines          []line
		want           [3]string
	}{
		{"prices with tax, rounded half down", "EUR", []line{
			{"3", "9.99", "24.98", []charge{{included20, "4.99", "24.98"}}},
		}, [3]string{"24.98", "4.99", "29.97"}},
		{"coupon, and shipping without tax", "EUR", []line{
			{"1", "8.99", "7.49", []charge{{included20, "1.50", "7.49"}}},
			{"1", "-5", "-4.17", []charge{{included20, "-0.83", "-4.17"}}},
			{"1", "9.59", "9.59", nil},
		}, [3]string{"12.91", "0.67", "13.58"}},
		{"tax rounded at the subtotal", "EUR", []line{
			{"1", "35.71", "35.71", []charge{{excluded12, "4.28", "35.71"}}},
			{"1", "3.13", "3.13", []charge{{excluded12, "0.38", "3.13"}}},
		}, [3]string{"38.84", "4.66", "43.5"}},
		{"two taxes on one base", "CAD", []line{
			{"3", "17.95", "53.85", []charge{{gst, "2.69", "53.85"}, {qst, "5.37", "53.85"}}},
		}, [3]string{"53.85", "8.06", "61.91"}},
		{"tax on tax", "CAD", []line{
			{"1", "99.99", "99.99", []charge{{first, "5.01", "99.99"}, {second, "10.49", "105"}}},
		}, [3]string{"99.99", "15.5", "115.49"}},
		{"no decimals", "JPY", []line{
			{"3", "333", "908", []charge{{included20, "91", "908"}}},
			{"1", "500.5", "455", []charge{{included20, "46", "455"}}},
		}, [3]string{"1363", "137", "1500"}},
		{"a price of four decimals", "EUR", []line{
			{"1000", "0.0125", "12.5", []charge{{excluded12, "2.5", "12.5"}}},
		}, [3]string{"12.5", "2.5", "15"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := amounts{
				decimal.RequireFromString(c.want[0]), decimal.RequireFromString(c.want[1]), decimal.RequireFromString(c.want[2]),
			}
			order := o.pinnedOrder(t, c.currency, c.lines)
			if got := o.amounts(t, "sale.order", order); !got.equal(want) {
				t.Errorf("the draft order says %s, want %s", got, want)
			}
			o.call(t, nil, "sale.order", "action_confirm", []any{[]int64{order}}, nil)
			if got := o.amounts(t, "sale.order", order); !got.equal(want) {
				t.Errorf("the confirmed order says %s, want %s", got, want)
			}
			invoice := o.invoice(t, order)
			o.call(t, nil, "account.move", "action_post", []any{[]int64{invoice}}, nil)
			if got := o.amounts(t, "account.move", invoice); !got.equal(want) {
				t.Errorf("the posted invoice says %s, want %s", got, want)
			}
		})
	}
}

// pinnedOrder makes a draft order of the lines.
func (o *odoo) pinnedOrder(t *testing.T, currencyName string, lines []line) int64 {
	t.Helper()
	currency, priceList := o.currency(t, currencyName)
	partner := o.create(t, "res.partner", map[string]any{"name": unique("Customer")})
	product := o.create(t, "product.product", map[string]any{
		"name": unique("Product"), "type": "consu", "invoice_policy": "order",
	})
	commands := []any{}
	for _, l := range lines {
		commands = append(commands, []any{0, 0, l.values(product, currency)})
	}
	return o.create(t, "sale.order", map[string]any{
		"partner_id": partner, "pricelist_id": priceList, "order_line": commands,
	})
}

// invoice makes the draft invoice of a confirmed order, as the button does.
func (o *odoo) invoice(t *testing.T, order int64) int64 {
	t.Helper()
	scope := map[string]any{"context": map[string]any{
		"active_model": "sale.order", "active_ids": []int64{order}, "active_id": order,
	}}
	var wizard []int64
	o.call(t, &wizard, "sale.advance.payment.inv", "create",
		[]any{[]any{map[string]any{"advance_payment_method": "delivered"}}}, scope)
	var action struct {
		Invoice int64 `json:"res_id"`
	}
	o.call(t, &action, "sale.advance.payment.inv", "create_invoices", []any{wizard}, scope)
	if action.Invoice == 0 {
		t.Fatal("the order gave no single invoice")
	}
	return action.Invoice
}
