package sandbox

import (
	"net/http"
	"strconv"

	"github.com/shopspring/decimal"
)

// noRefund is how refund errors look: data is a bare status, and the answer 500
// whatever it says (woo/356, 357, 362).
func noRefund(code, message string, data int) *apiError {
	return &apiError{status: http.StatusInternalServerError, code: code, message: message, data: data}
}

// createRefund makes a refund of an amount, of lines, or of neither (woo/351 to
// 361). Left out, api_refund is true, and no gateway here can pay back.
func createRefund(c *call) (int, any, *apiError) {
	if refused := c.checkBody([]field{{name: "amount", kind: "string"}, {name: "reason", kind: "string"}}); refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	o, ok := s.orders[c.ids[0]]
	if !ok {
		return 0, nil, noRefund("woocommerce_rest_invalid_order_id", "Invalid order ID.", 404)
	}
	f := &refund{order: o.id, created: s.clock(), by: 1}
	f.reason, _ = c.text("reason")
	f.meta = s.writeMeta(nil, c.body["meta_data"])
	sums := c.refundItems(o, f)
	text, given := c.text("amount")
	f.amount = amountOf(text).Round(s.settings.Decimals)
	if !given {
		f.amount = sums.Round(s.settings.Decimals)
	}
	if f.amount.GreaterThan(s.refundable(o)) || f.amount.IsNegative() {
		return 0, nil, noRefund("woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.", 500)
	}
	if through, given := c.body["api_refund"]; !given || asBool(through) {
		return 0, nil, noRefund("woocommerce_rest_cannot_create_order_refund", "The payment gateway for this order does not support automatic refunds.", 500)
	}
	s.ids.post++
	f.id = s.ids.post
	for _, item := range f.items {
		s.ids.item++
		item.id = s.ids.item
	}
	if restock, given := c.body["api_restock"]; !given || asBool(restock) {
		s.restockRefund(o, f)
	}
	s.fire("woocommerce_update_order", o.id)
	s.keepRefund(o, f)
	if !s.refundable(o).IsPositive() && f.amount.IsPositive() {
		o.status = "refunded"
	}
	s.touch(o)
	c.header.Set("Location", c.root()+`/orders/(?P<order_id>[\d]+)/refunds/`+strconv.FormatInt(f.id, 10)) // as the shop writes it (woo/351)
	return http.StatusCreated, c.refundView(f, c.dp()), nil
}

// refundItems makes the refund's lines of those asked for and returns their
// sum. A line the order does not have is passed over in silence (woo/361).
func (c *call) refundItems(o *order, f *refund) decimal.Decimal {
	s := c.shop
	total := zero
	var cart, shipping taxSet
	for _, entry := range asArray(c.body["line_items"]) {
		r := asRecord(entry)
		item := o.item(asInt(r["id"]))
		if item == nil || item.kind == kindTax || item.kind == kindCoupon {
			continue
		}
		amount, _ := numeric(r["refund_total"])
		quantity, _ := numeric(r["quantity"])
		line := *item
		line.meta = []metaEntry{s.newMeta(refundItemKey, strconv.FormatInt(item.id, 10))}
		line.quantity = quantity.Neg()
		line.total, line.subtotal, line.taxes = stored(amount.Neg()), stored(amount.Neg()), nil
		line.totalTax, line.subtotalTax = zero, zero
		total = total.Add(amount)
		for _, t := range asArray(r["refund_tax"]) {
			part := asRecord(t)
			tax, _ := numeric(part["refund_total"])
			rate := asInt(part["id"])
			kept := itemTax{rate: rate, total: tax.Neg(), subtotal: tax.Neg(), hasSubtotal: item.kind == kindLine}
			line.taxes = append(line.taxes, kept)
			line.totalTax = line.totalTax.Sub(s.settings.roundLineTax(tax, s.settings.Decimals))
			total = total.Add(tax)
			if item.kind == kindShipping {
				shipping.add(rate, tax.Neg())
			} else {
				cart.add(rate, tax.Neg())
			}
		}
		if item.kind == kindLine {
			line.subtotalTax = line.totalTax
		}
		f.items = append(f.items, &line)
	}
	var both taxSet
	both.addAll(cart)
	both.addAll(shipping)
	for _, one := range both {
		if rate := s.rates[one.rate]; rate != nil {
			f.items = append(f.items, &orderItem{kind: kindTax, rate: rate, taxTotal: cart.of(one.rate), shippingTax: shipping.of(one.rate)})
		}
	}
	return total
}

// restockRefund puts refunded pieces back, no more than the line took.
func (s *Shop) restockRefund(o *order, f *refund) {
	for _, item := range f.items {
		if item.kind != kindLine || !item.quantity.IsNegative() {
			continue
		}
		line := o.item(amountOf(asText(item.meta[0].value)).IntPart())
		p := s.productOf(item)
		if line == nil || p == nil || s.keeper(p) == nil {
			continue
		}
		back := decimal.Min(item.quantity.Neg(), line.reduced())
		if !back.IsPositive() {
			continue
		}
		s.changeStock(p, back)
		s.setReduced(line, line.reduced().Sub(back))
		s.addRestocked(line, back)
	}
}

func (s *Shop) addRestocked(line *orderItem, quantity decimal.Decimal) {
	const key = "_restock_refunded_items"
	for i := range line.meta {
		if line.meta[i].key == key {
			line.meta[i].value = trimmed(amountOf(asText(line.meta[i].value)).Add(quantity))
			return
		}
	}
	line.meta = append(line.meta, s.newMeta(key, trimmed(quantity)))
}
