package tax

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// tieTolerance is how near to a tie, relative to the amount, Odoo rounds as if
// it were one: 2^-50, its guard against the error of binary floats.
var tieTolerance = decimal.New(1, 0).DivRound(decimal.NewFromInt(1<<50), divisionDigits)

// round rounds half away from zero to a multiple of the currency's rounding.
func (e Engine) round(amount decimal.Decimal) decimal.Decimal { return Round(amount, e.Rounding) }

// Round rounds an amount to a multiple of unit, half away from zero, as Odoo's
// float_round with HALF-UP does.
func Round(amount, unit decimal.Decimal) decimal.Decimal {
	if amount.IsZero() || !unit.IsPositive() {
		return amount
	}
	steps := amount.DivRound(unit, divisionDigits)
	steps = steps.Add(steps.Mul(tieTolerance))
	return steps.Round(0).Mul(unit)
}

// roundOnSmallest is the way of 18: the difference between the rounded sum of a
// tax and the sum of its rounded parts goes to the line with the smallest total.
func (e Engine) roundOnSmallest(details []*detail) {
	type total struct {
		base, rawBase, amount, rawAmount decimal.Decimal
		lines                            []*detail
	}
	totals := map[int64]*total{}
	var order []int64
	for _, d := range details {
		for _, t := range d.taxes {
			sum := totals[t.tax.ID]
			if sum == nil {
				sum = &total{}
				totals[t.tax.ID] = sum
				order = append(order, t.tax.ID)
			}
			sum.base, sum.rawBase = sum.base.Add(t.base), sum.rawBase.Add(t.rawBase)
			sum.amount, sum.rawAmount = sum.amount.Add(t.amount), sum.rawAmount.Add(t.rawAmount)
			sum.lines = append(sum.lines, d)
		}
	}
	for _, id := range order {
		sum := totals[id]
		smallest := slices.MinFunc(sum.lines, func(a, b *detail) int {
			return e.round(a.rawIncluded).Cmp(e.round(b.rawIncluded))
		})
		for _, t := range smallest.taxes {
			if t.tax.ID == id {
				t.base = t.base.Add(e.round(sum.rawBase).Sub(sum.base))
				t.amount = t.amount.Add(e.round(sum.rawAmount).Sub(sum.amount))
			}
		}
	}
}

// roundSmoothly is the way of 19: differences are spread over the lines, the
// largest first. Pinned amounts count as exact.
func (e Engine) roundSmoothly(details []*detail) {
	type key struct {
		tax      int64
		included bool
	}
	groups := map[key][]*taxDetail{}
	var order []key
	allIncluded := true
	for _, d := range details {
		for _, t := range d.taxes {
			k := key{t.tax.ID, t.tax.Included}
			if _, ok := groups[k]; !ok {
				order = append(order, k)
			}
			groups[k] = append(groups[k], t)
			allIncluded = allIncluded && t.tax.Included
		}
	}
	for _, k := range order {
		e.roundTax(groups[k], k.included)
	}
	e.roundLines(details, allIncluded)
}

// roundTax spreads the differences of one tax: of its amount, and of its base,
// which of an included tax is what the rounded price leaves.
func (e Engine) roundTax(taxes []*taxDetail, included bool) {
	var amount, targetTax, base, targetBase decimal.Decimal
	amounts := make([]decimal.Decimal, len(taxes))
	bases := make([]decimal.Decimal, len(taxes))
	for i, t := range taxes {
		amount, targetTax = amount.Add(t.amount), targetTax.Add(t.targetTax)
		base, targetBase = base.Add(t.base), targetBase.Add(t.targetBase)
		amounts[i], bases[i] = t.rawAmount, t.rawBase
	}
	amountDelta := e.round(targetTax).Sub(amount)
	for i, share := range e.spread(amountDelta, amounts) {
		taxes[i].amount = taxes[i].amount.Add(share)
	}
	baseDelta := e.round(targetBase).Sub(base)
	if included {
		baseDelta = e.round(targetBase.Add(targetTax)).Sub(base.Add(amount).Add(amountDelta))
	}
	for i, share := range e.spread(baseDelta, bases) {
		taxes[i].base = taxes[i].base.Add(share)
	}
}

// roundLines spreads the difference of the document's total: of the total with
// tax where every tax is included, else of the total without.
func (e Engine) roundLines(details []*detail, included bool) {
	var sum, target decimal.Decimal
	weights := make([]decimal.Decimal, len(details))
	for i, d := range details {
		sum, target = sum.Add(d.excluded), target.Add(d.targetExcluded)
		weights[i] = d.rawExcluded
		if !included {
			continue
		}
		weights[i] = d.rawIncluded
		for _, t := range d.taxes {
			sum, target = sum.Add(t.amount), target.Add(t.targetTax)
		}
	}
	if target.IsZero() {
		return
	}
	for i, share := range e.spread(e.round(target).Sub(sum), weights) {
		details[i].delta = details[i].delta.Add(share)
	}
}

// spread divides a difference into smallest units of the currency and gives
// each weight its share of them, the largest weight first.
func (e Engine) spread(delta decimal.Decimal, weights []decimal.Decimal) []decimal.Decimal {
	shares := make([]decimal.Decimal, len(weights))
	unit := e.unit()
	units := delta.Abs().DivRound(unit, divisionDigits).RoundBank(0)
	if units.IsZero() || len(weights) == 0 {
		return shares
	}
	if delta.IsNegative() {
		unit = unit.Neg()
	}
	order := make([]int, len(weights))
	var whole decimal.Decimal
	for i, w := range weights {
		order[i] = i
		whole = whole.Add(w.Abs())
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(weights[b].Abs().Cmp(weights[a].Abs()))
	})
	left := units
	for _, i := range order {
		factor := decimal.New(1, 0).DivRound(decimal.NewFromInt(int64(len(weights))), divisionDigits)
		if !whole.IsZero() {
			factor = weights[i].Abs().DivRound(whole, divisionDigits)
		}
		// Python's round: a half goes to the even neighbour.
		share := decimal.Min(factor.Mul(units).RoundBank(0), left)
		left = left.Sub(share)
		shares[i] = share.Mul(unit)
	}
	for n := 0; left.IsPositive(); n++ {
		i := order[n%len(order)]
		shares[i] = shares[i].Add(unit)
		left = left.Sub(decimal.New(1, 0))
	}
	return shares
}

// unit is the step in which differences are spread: one of the currency's last
// decimal place.
func (e Engine) unit() decimal.Decimal {
	places := int32(0)
	for step := decimal.New(1, 0); step.GreaterThan(e.Rounding) && places < 12; places++ {
		step = step.Shift(-1)
	}
	return decimal.New(1, -places)
}
