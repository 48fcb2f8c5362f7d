package sandbox

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// setCoupons replaces the coupons of an order by codes (woo/302, 314, 398, 399).
func (s *Shop) setCoupons(o *order, codes []string) *apiError {
	var found []*coupon
	for _, code := range codes {
		c := s.couponByCode(code)
		if c == nil {
			return refuse(http.StatusBadRequest, "woocommerce_rest_invalid_coupon",
				"Coupon &quot;%s&quot; does not exist!", html.EscapeString(strings.ToLower(code)))
		}
		if err := c.usable(s, s.orderSubtotal(o)); err != nil {
			return refuse(http.StatusBadRequest, "woocommerce_rest_invalid_coupon", "%s", err.Error())
		}
		found = append(found, c)
	}
	o.items = slices.DeleteFunc(o.items, func(item *orderItem) bool { return item.kind == kindCoupon })
	for _, c := range found {
		s.addItem(o, s.couponItem(c))
	}
	s.recalculateCoupons(o)
	return nil
}

func (s *Shop) couponItem(c *coupon) *orderItem {
	info := fmt.Sprintf(`[%d,%q,%q,%s]`, c.id, c.code, c.kind, trimmed(amountOf(c.amount)))
	if c.kind == "fixed_cart" { // the default kind is written as null (case A1)
		info = fmt.Sprintf(`[%d,%q,null,%s]`, c.id, c.code, trimmed(amountOf(c.amount)))
	}
	return &orderItem{kind: kindCoupon, name: c.code, discountType: c.kind, nominal: c.amount, freeShipping: c.freeShipping,
		meta: []metaEntry{s.newMeta("coupon_info", info)}}
}

func (s *Shop) orderSubtotal(o *order) decimal.Decimal {
	total := zero
	for _, line := range o.of(kindLine) {
		total = total.Add(line.subtotal)
		if o.pricesIncludeTax {
			total = total.Add(line.subtotalTax)
		}
	}
	return total
}

// recalculateCoupons puts the lines back to their price before discounts and
// applies the order's coupons anew.
func (s *Shop) recalculateCoupons(o *order) {
	at := s.taxedAt(o.billing, o.shipTo)
	lines := o.of(kindLine)
	var discounted []*discountLine
	for i, line := range lines {
		line.total, line.totalTax = line.subtotal, line.subtotalTax
		price := s.inCents(line.subtotal)
		if o.pricesIncludeTax {
			price = price.Add(s.inCents(line.subtotalTax))
		}
		entry := &discountLine{key: i, price: price, quantity: line.quantity, productID: line.productID}
		if line.variationID > 0 {
			entry.productID, entry.parentID = line.variationID, line.productID
		}
		discounted = append(discounted, entry)
	}
	d := newDiscounts(discounted)
	for _, item := range o.of(kindCoupon) {
		c := s.couponByCode(item.name)
		if c == nil { // deleted since: what the order remembers of it
			c = &coupon{code: item.name, kind: item.discountType, amount: item.nominal}
		}
		d.apply(c, s.settings.Decimals)
	}
	for _, item := range o.of(kindCoupon) {
		net, tax := zero, zero
		for _, part := range d.byLine(item.name) {
			line, off := lines[part.key], part.amount.Shift(-s.settings.Decimals)
			net = net.Add(off)
			if line.taxStatus != "taxable" {
				continue
			}
			taxed := s.settings.roundLineTax(taxOn(off, s.ratesFor(line.taxClass, at), o.pricesIncludeTax).sum(), s.settings.Decimals)
			tax = tax.Add(taxed)
			if o.pricesIncludeTax {
				net = net.Sub(taxed)
			}
		}
		item.discount, item.discountTax = stored(net), stored(tax)
	}
	for i, line := range lines {
		off := d.off(i).Shift(-s.settings.Decimals)
		if o.pricesIncludeTax && line.taxStatus == "taxable" {
			off = off.Sub(taxOn(off, s.ratesFor(line.taxClass, at), true).sum())
		}
		line.total = stored(decimal.Max(zero, line.total.Sub(off)))
	}
	s.recalculate(o)
}
