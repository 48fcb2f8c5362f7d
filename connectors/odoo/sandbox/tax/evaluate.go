package tax

import (
	"slices"

	"github.com/shopspring/decimal"
)

var hundred = decimal.NewFromInt(100)

// divisionDigits is how far a division is carried out; rounding follows, so
// this only has to be far beyond any currency.
const divisionDigits = 40

// raw are a line's amounts before the document is rounded.
type raw struct {
	excluded decimal.Decimal
	included decimal.Decimal
	taxes    []rawTax
}

type rawTax struct {
	tax    Tax
	amount decimal.Decimal
	base   decimal.Decimal
}

// state is a tax while a line is evaluated.
type state struct {
	tax Tax
	// batch are the positions of the taxes that are reckoned together: of
	// several included percentages none is reckoned on the other.
	batch []int
	// included tells whether the price contains the tax, which special
	// evaluations deny.
	included bool
	// extraForTax and extraForBase are what other taxes add to the base.
	extraForTax  decimal.Decimal
	extraForBase decimal.Decimal
	amount       decimal.Decimal
	known        bool
	base         decimal.Decimal
}

// evaluate computes the taxes of a quantity at a price. With fromExcluded the
// price is taken to contain no tax, whatever the taxes say.
func (e Engine) evaluate(taxes []Tax, price, quantity decimal.Decimal, fromExcluded bool) raw {
	states := newStates(Flatten(taxes), fromExcluded)
	base := price.Mul(quantity)
	if e.Method == RoundPerLine {
		base = e.round(base)
	}
	settle := func(i int, amount decimal.Decimal) {
		if e.Method == RoundPerLine {
			amount = e.round(amount)
		}
		states[i].amount, states[i].known = amount, true
		e.propagate(states, i, fromExcluded)
	}
	reversed := func(visit func(i int)) {
		for i := len(states) - 1; i >= 0; i-- {
			visit(i)
		}
	}
	// Fixed taxes first: they may change the base of included ones.
	reversed(func(i int) {
		if t := states[i].tax; t.Kind == Fixed {
			amount := t.Amount.Mul(quantity)
			if e.Version >= 19 && price.IsNegative() {
				amount = amount.Neg()
			}
			settle(i, amount)
		}
	})
	// Then what the price contains, from the last to the first.
	reversed(func(i int) {
		if s := states[i]; s.included && !s.known {
			settle(i, containedIn(base.Add(s.extraForTax), states, i))
		}
	})
	// Then what comes on top, from the first to the last.
	for i := range states {
		if s := states[i]; !s.included && !s.known {
			settle(i, addedTo(base.Add(s.extraForTax), states, i))
		}
	}
	result := raw{excluded: base, included: base}
	reversed(func(i int) {
		s := states[i]
		s.base = base.Add(s.extraForBase)
		if s.included {
			for _, j := range s.batch {
				s.base = s.base.Sub(states[j].amount)
			}
		}
	})
	for i, s := range states {
		if i == 0 {
			result.excluded, result.included = s.base, s.base
		}
		result.included = result.included.Add(s.amount)
		result.taxes = append(result.taxes, rawTax{tax: s.tax, amount: s.amount, base: s.base})
	}
	return result
}

// containedIn is the tax that an amount with tax contains.
func containedIn(amount decimal.Decimal, states []*state, i int) decimal.Decimal {
	s := states[i]
	if s.tax.Kind == Division {
		return amount.Mul(s.tax.Amount).DivRound(hundred, divisionDigits)
	}
	whole := hundred
	for _, j := range s.batch {
		whole = whole.Add(states[j].tax.Amount)
	}
	if whole.IsZero() {
		return decimal.Zero
	}
	return amount.Mul(s.tax.Amount).DivRound(whole, divisionDigits)
}

// addedTo is the tax that comes on top of an amount without it.
func addedTo(amount decimal.Decimal, states []*state, i int) decimal.Decimal {
	s := states[i]
	if s.tax.Kind == Percent {
		return amount.Mul(s.tax.Amount).DivRound(hundred, divisionDigits)
	}
	rest := hundred
	for _, j := range s.batch {
		rest = rest.Sub(states[j].tax.Amount)
	}
	if rest.IsZero() {
		rest = hundred
	}
	return amount.Mul(s.tax.Amount).DivRound(rest, divisionDigits)
}

// newStates puts the taxes into batches: neighbours of the same kind, the same
// inclusion and the same effect on the base, as long as none of them is
// reckoned on another.
func newStates(taxes []Tax, fromExcluded bool) []*state {
	states := make([]*state, len(taxes))
	for i, t := range taxes {
		states[i] = &state{tax: t, included: t.Included && !fromExcluded}
	}
	var batch []int
	close := func() {
		for _, i := range batch {
			states[i].batch = batch
		}
		batch = nil
	}
	affected := false // whether the tax after this one is reckoned on it
	for i := len(taxes) - 1; i >= 0; i-- {
		t := taxes[i]
		if len(batch) > 0 {
			head := taxes[batch[0]]
			same := t.Kind == head.Kind &&
				(fromExcluded || t.Included == head.Included) &&
				t.IncludeBase == head.IncludeBase &&
				(!t.IncludeBase || !affected)
			if !same {
				close()
			}
		}
		affected = t.BaseAffected
		batch = append(batch, i)
	}
	close()
	return states
}

// propagate adds the tax just settled to the bases of those it matters for.
// This is where the two versions differ: 19 asks each later tax whether it is
// affected at all, 18 does not.
func (e Engine) propagate(states []*state, i int, fromExcluded bool) {
	s := states[i]
	add := func(j int, amount decimal.Decimal) {
		other := states[j]
		if !other.known {
			other.extraForTax = other.extraForTax.Add(amount)
		}
		other.extraForBase = other.extraForBase.Add(amount)
	}
	first, last := slices.Min(s.batch), slices.Max(s.batch)
	before := func(visit func(j int)) {
		for j := 0; j < first; j++ {
			visit(j)
		}
	}
	after := func(visit func(j int)) {
		for j := len(states) - 1; j > last; j-- {
			visit(j)
		}
	}
	latest := e.Version >= 19
	switch {
	case s.tax.Included && !fromExcluded:
		after(func(j int) {
			other := states[j].tax
			switch {
			case latest && (!s.tax.IncludeBase || !other.BaseAffected),
				!latest && !s.tax.IncludeBase && other.Included:
				add(j, s.amount.Neg())
			}
		})
		before(func(j int) { add(j, s.amount.Neg()) })
	case s.tax.Included:
		after(func(j int) {
			other := states[j].tax
			switch {
			case latest && s.tax.IncludeBase && other.BaseAffected,
				!latest && (!other.Included || s.tax.IncludeBase):
				add(j, s.amount)
			}
		})
	case s.tax.IncludeBase:
		after(func(j int) {
			if !latest || states[j].tax.BaseAffected {
				add(j, s.amount)
			}
		})
	}
}

// AdaptPrice turns the price of one unit from one set of taxes to another, as
// Odoo does when a fiscal position maps a product's taxes: only a price whose
// taxes are all included changes.
func (e Engine) AdaptPrice(price decimal.Decimal, from, to []Tax) decimal.Decimal {
	for _, t := range from {
		if !t.Included {
			return price
		}
	}
	if sameTaxes(from, to) {
		return price
	}
	one := decimal.NewFromInt(1)
	e.Method = RoundGlobally
	net := e.evaluate(from, price, one, false).excluded
	adapted := net
	for _, t := range e.evaluate(to, net, one, true).taxes {
		if t.tax.Included {
			adapted = adapted.Add(t.amount)
		}
	}
	return adapted
}

func sameTaxes(a, b []Tax) bool {
	return slices.EqualFunc(a, b, func(x, y Tax) bool { return x.ID == y.ID })
}
