package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"
)

// addFees works out the fees. A negative fee is a discount: its tax is spread
// over the tax classes of the cart in proportion to their cost (case B6).
func (t *totals) addFees() {
	running := zero
	for _, fee := range t.cart.Fees {
		line := &cartLine{fee: fee, class: fee.TaxClass, taxable: fee.Taxable}
		line.total = t.cents(amountOf(fee.Amount))
		if line.total.IsNegative() {
			// It may not take the order below nothing.
			least := t.itemsTotal.Add(running).Add(t.shippingCost).Round(0).Neg()
			line.total = decimal.Max(line.total, least)
		}
		running = running.Add(line.total)
		switch {
		case line.total.IsNegative():
			line.taxes = t.spread(line.total)
		case fee.Taxable:
			line.taxes = taxOn(line.total, t.shop.ratesFor(fee.TaxClass, t.at), false)
		}
		t.fees = append(t.fees, line)
	}
}

// notTaxable stands for the cost that carries no tax.
const notTaxable = "non-taxable"

type classCost struct {
	class string
	cost  decimal.Decimal
}

// spread taxes an amount by the classes' shares of the cart.
func (t *totals) spread(amount decimal.Decimal) taxSet {
	var costs []classCost
	add := func(class string, cost decimal.Decimal) {
		if i := slices.IndexFunc(costs, func(c classCost) bool { return c.class == class }); i >= 0 {
			costs[i].cost = costs[i].cost.Add(cost)
			return
		}
		costs = append(costs, classCost{class, cost})
	}
	for _, line := range slices.Concat(t.items, t.fees) {
		switch {
		case line.total.IsNegative():
		case line.taxable:
			add(line.class, line.total)
		default:
			add(notTaxable, line.total)
		}
	}
	if t.cart.Shipping != nil {
		class := t.shippingClass
		if class == "inherit" && len(t.items) > 0 {
			class = t.items[0].class // the first item's, not the first of the classes
		}
		add(class, t.shippingCost)
	}
	return spreadOver(amount, costs, func(class string) []*TaxRate { return t.shop.ratesFor(class, t.at) })
}

func spreadOver(amount decimal.Decimal, costs []classCost, rates func(class string) []*TaxRate) taxSet {
	whole := zero
	for _, c := range costs {
		whole = whole.Add(c.cost)
	}
	var taxes taxSet
	if whole.IsZero() {
		return taxes
	}
	for _, c := range costs {
		if c.class != notTaxable && !c.cost.IsZero() {
			taxes.addAll(taxOn(divide(amount.Mul(c.cost), whole), rates(c.class), false))
		}
	}
	return taxes
}

// merged sums taxes by rate, each rounded as a line's.
func (t *totals) merged(sets ...taxSet) taxSet {
	var out taxSet
	for _, set := range sets {
		for _, one := range set {
			out.add(one.rate, t.set.roundLineTax(one.amount, 0))
		}
	}
	return out
}

func (t *totals) itemTaxes() taxSet {
	var sets []taxSet
	for _, line := range t.items {
		sets = append(sets, line.taxes)
	}
	return t.merged(sets...)
}

// feeTaxes are not rounded: the tax lines of an order show their sum (case A10).
func (t *totals) feeTaxes() taxSet {
	var out taxSet
	for _, fee := range t.fees {
		out.addAll(fee.taxes)
	}
	return out
}

// sumUp makes the cart's total.
func (t *totals) sumUp() {
	sets := []taxSet{t.shippingTaxes}
	fees := zero
	for _, line := range t.items {
		sets = append(sets, line.taxes)
	}
	for _, fee := range t.fees {
		sets = append(sets, fee.taxes)
		fees = fees.Add(fee.total)
	}
	t.total = sum(t.itemsTotal, fees, t.shippingCost, t.merged(sets...).sum()).Round(0)
	t.total = decimal.Max(t.total, zero)
}
