package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"
)

// The sums of an order that the API made or changed. They follow WooCommerce's
// WC_Abstract_Order, which differs from the cart's way in when it rounds.

// recalculate works out taxes and totals from the lines.
func (s *Shop) recalculate(o *order) {
	dp := s.settings.Decimals
	lines, subtotals := zero, zero
	for _, item := range o.of(kindLine) {
		lines = lines.Add(s.settings.roundItem(s.inCents(item.total), 0))
		subtotals = subtotals.Add(s.settings.roundItem(s.inCents(item.subtotal), 0))
	}
	lines, subtotals = lines.Shift(-dp), subtotals.Shift(-dp)
	o.shippingTotal = zero
	for _, item := range o.of(kindShipping) {
		o.shippingTotal = o.shippingTotal.Add(item.total.Round(dp))
	}
	fees := zero
	for _, fee := range o.of(kindFee) {
		if fee.total.IsNegative() {
			least := sum(lines, fees, o.shippingTotal).Round(dp).Neg()
			if fee.total.LessThan(least) && least.IsNegative() {
				fee.total = least
			}
		}
		fees = fees.Add(fee.total)
	}
	s.taxItems(o)
	s.taxLines(o)
	net, before := zero, zero
	for _, item := range o.of(kindLine) {
		for _, t := range item.taxes {
			net, before = net.Add(t.total), before.Add(t.subtotal)
		}
	}
	o.discountTotal = subtotals.Sub(lines).Round(dp)
	o.discountTax = s.settings.roundTax(before.Sub(net), dp)
	o.total = sum(lines, fees, o.shippingTotal, o.cartTax, o.shippingTax).Round(dp)
}

func (s *Shop) inCents(d decimal.Decimal) decimal.Decimal {
	return d.Shift(s.settings.Decimals).Round(roundingDigits - s.settings.Decimals)
}

// taxItems taxes every line, fee and shipping line at the order's place.
func (s *Shop) taxItems(o *order) {
	at := s.taxedAt(o.billing, o.shipTo)
	exempt := slices.ContainsFunc(o.meta, func(m metaEntry) bool { return m.key == "is_vat_exempt" && m.value == "yes" })
	for _, item := range o.of(kindLine) {
		item.taxes = nil
		if item.taxStatus == "taxable" && !exempt {
			rates := s.ratesFor(item.taxClass, at)
			s.setTaxes(item, taxOn(item.total, rates, false), taxOn(item.subtotal, rates, false))
		} else {
			s.setTaxes(item, nil, nil)
		}
	}
	for _, item := range o.of(kindFee) {
		var taxes taxSet
		switch {
		case exempt:
		case item.total.IsNegative():
			taxes = spreadOver(item.total, s.classCosts(o), func(class string) []*TaxRate { return s.ratesFor(class, at) })
		case item.taxStatus == "taxable" && item.taxClass != "0":
			taxes = taxOn(item.total, s.ratesFor(item.taxClass, at), false)
		}
		s.setTaxes(item, taxes, nil)
	}
	class, ok := s.shippingClassFor(o.taxedClasses())
	for _, item := range o.of(kindShipping) {
		var taxes taxSet
		if ok && item.taxStatus == "taxable" && !exempt {
			taxes = taxOn(item.total, shippingRates(s.ratesFor(class, at)), false)
		}
		s.setTaxes(item, taxes, nil)
	}
}

// setTaxes keeps a line's tax and its rounded sum.
func (s *Shop) setTaxes(item *orderItem, total, subtotal taxSet) {
	item.taxes = nil
	item.totalTax, item.subtotalTax = zero, zero
	for _, one := range total {
		tax := itemTax{rate: one.rate, total: stored(one.amount)}
		item.totalTax = item.totalTax.Add(s.settings.roundLineTax(tax.total, s.settings.Decimals))
		if item.kind == kindLine {
			tax.subtotal, tax.hasSubtotal = stored(subtotal.of(one.rate)), true
			item.subtotalTax = item.subtotalTax.Add(s.settings.roundLineTax(tax.subtotal, s.settings.Decimals))
		}
		item.taxes = append(item.taxes, tax)
	}
	item.totalTax, item.subtotalTax = stored(item.totalTax), stored(item.subtotalTax)
}

// classCosts are the costs that a negative fee is spread over.
func (s *Shop) classCosts(o *order) []classCost {
	classes := o.taxedClasses()
	var costs []classCost
	add := func(class string, cost decimal.Decimal) {
		if i := slices.IndexFunc(costs, func(c classCost) bool { return c.class == class }); i >= 0 {
			costs[i].cost = costs[i].cost.Add(cost)
			return
		}
		costs = append(costs, classCost{class, cost})
	}
	for _, item := range o.items {
		if item.kind == kindTax || item.kind == kindCoupon || item.total.IsNegative() {
			continue
		}
		class := item.taxClass
		if item.kind == kindShipping {
			class = s.settings.ShippingTaxClass
			if class == "inherit" && len(classes) > 0 {
				class = classes[0]
			}
		}
		if item.taxStatus != "taxable" {
			class = notTaxable
		}
		add(class, item.total)
	}
	return costs
}

func (o *order) taxedClasses() []string {
	var classes []string
	for _, item := range o.of(kindLine) {
		if item.taxStatus != "none" && !slices.Contains(classes, item.taxClass) {
			classes = append(classes, item.taxClass)
		}
	}
	return classes
}

// taxLines sums the taxes by rate into the order's tax lines.
func (s *Shop) taxLines(o *order) {
	dp := s.settings.Decimals
	var cart, shipping taxSet
	for _, item := range o.items {
		for _, t := range item.taxes {
			rounded := s.settings.roundLineTax(t.total, dp)
			if item.kind == kindShipping {
				shipping.add(t.rate, rounded)
			} else {
				cart.add(t.rate, rounded)
			}
		}
	}
	for _, item := range o.of(kindTax) {
		if !cart.has(item.rate.ID) && !shipping.has(item.rate.ID) {
			o.drop(item.id)
		}
	}
	var both taxSet
	both.addAll(cart)
	both.addAll(shipping)
	for _, one := range both {
		rate := s.rates[one.rate]
		if rate == nil {
			continue
		}
		line := o.taxLine(one.rate)
		if line == nil {
			line = s.addItem(o, &orderItem{kind: kindTax})
		}
		line.rate, line.taxTotal, line.shippingTax = rate, stored(cart.of(one.rate)), stored(shipping.of(one.rate))
	}
	o.shippingTax, o.cartTax = stored(shipping.sum()), stored(cart.sum())
	o.totalTax = o.cartTax.Add(o.shippingTax).Round(dp)
}

func (o *order) taxLine(rate int64) *orderItem {
	for _, item := range o.of(kindTax) {
		if item.rate.ID == rate {
			return item
		}
	}
	return nil
}

func (t taxSet) has(rate int64) bool {
	return slices.ContainsFunc(t, func(one rateTax) bool { return one.rate == rate })
}

// addItem gives a line its id.
func (s *Shop) addItem(o *order, item *orderItem) *orderItem {
	s.ids.item++
	item.id = s.ids.item
	o.items = append(o.items, item)
	return item
}
