package sandbox

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// TaxRate is a row of the shop's tax table.
type TaxRate struct {
	ID      int64  // given by AddTaxRate when 0
	Country string // ISO 3166 alpha-2, "" for everywhere
	State   string // "" for all
	Rate    string // percent: "20.0000"
	Name    string
	// Priority: of one priority only the first rate that matches counts; the
	// matching rates of several priorities stack.
	Priority int64
	Compound bool   // tax on the taxes before it
	Shipping bool   // applies to shipping
	Class    string // "" is the standard class
}

// AddTaxRate adds a rate and returns its id. Without a name it is Tax, without
// a priority 1.
func (s *Shop) AddTaxRate(r TaxRate) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.ID == 0 {
		r.ID = s.ids.rate + 1
	}
	s.ids.rate = max(s.ids.rate, r.ID)
	if r.Priority == 0 {
		r.Priority = 1
	}
	if r.Class == "standard" {
		r.Class = ""
	}
	s.rates[r.ID] = &r
	return r.ID
}

func (r *TaxRate) percent() decimal.Decimal { return amountOf(r.Rate) }

// code names the rate on orders: FR-VAT-1.
func (r *TaxRate) code() string {
	name := r.Name
	if name == "" {
		name = "TAX"
	}
	var parts []string
	for _, part := range []string{r.Country, r.State, name, decimal.NewFromInt(r.Priority).String()} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.ToUpper(strings.Join(parts, "-"))
}

func (r *TaxRate) label() string {
	if r.Name == "" {
		return "Tax"
	}
	return r.Name
}

// place is where something is taxed.
type place struct{ country, state string }

// ratesFor finds the rates of a class at a place, in the order they apply.
func (s *Shop) ratesFor(class string, at place) []*TaxRate {
	if at.country == "" {
		return nil
	}
	var found []*TaxRate
	for _, r := range s.rates {
		if r.Class == class && (r.Country == "" || strings.EqualFold(r.Country, at.country)) &&
			(r.State == "" || strings.EqualFold(r.State, at.state)) {
			found = append(found, r)
		}
	}
	emptyLast := func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == "":
			return 1
		case b == "":
			return -1
		}
		return strings.Compare(a, b)
	}
	slices.SortFunc(found, func(a, b *TaxRate) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), emptyLast(a.Country, b.Country), emptyLast(a.State, b.State), cmp.Compare(a.ID, b.ID))
	})
	var first []*TaxRate
	for i, r := range found {
		if i == 0 || found[i-1].Priority != r.Priority {
			first = append(first, r)
		}
	}
	return first
}

func shippingRates(rates []*TaxRate) []*TaxRate {
	var out []*TaxRate
	for _, r := range rates {
		if r.Shipping {
			out = append(out, r)
		}
	}
	return out
}

// base is the shop's own place.
func (s *Shop) base() place { return place{s.settings.Country, s.settings.State} }

// taxSet is an amount of tax by rate, in the order the rates were met.
type taxSet []rateTax

type rateTax struct {
	rate   int64
	amount decimal.Decimal
}

func (t taxSet) sum() decimal.Decimal {
	total := zero
	for _, one := range t {
		total = total.Add(one.amount)
	}
	return total
}

func (t *taxSet) add(rate int64, amount decimal.Decimal) {
	for i := range *t {
		if (*t)[i].rate == rate {
			(*t)[i].amount = (*t)[i].amount.Add(amount)
			return
		}
	}
	*t = append(*t, rateTax{rate, amount})
}

func (t *taxSet) addAll(more taxSet) {
	for _, one := range more {
		t.add(one.rate, one.amount)
	}
}

func (t taxSet) of(rate int64) decimal.Decimal {
	for _, one := range t {
		if one.rate == rate {
			return one.amount
		}
	}
	return zero
}

func (t taxSet) each(change func(decimal.Decimal) decimal.Decimal) taxSet {
	out := make(taxSet, len(t))
	for i, one := range t {
		out[i] = rateTax{one.rate, change(one.amount)}
	}
	return out
}

// taxOn works out the tax on an amount, rounded to six digits per rate. An
// inclusive amount has the tax in it.
func taxOn(amount decimal.Decimal, rates []*TaxRate, inclusive bool) taxSet {
	var taxes taxSet
	if inclusive {
		taxes = taxWithin(amount, rates)
	} else {
		taxes = taxOnTop(amount, rates)
	}
	return taxes.each(func(d decimal.Decimal) decimal.Decimal { return d.Round(roundingDigits) })
}

func taxWithin(amount decimal.Decimal, rates []*TaxRate) taxSet {
	amounts := map[int64]decimal.Decimal{}
	left := amount
	regular := zero
	for _, r := range slices.Backward(rates) {
		if !r.Compound {
			regular = regular.Add(r.percent())
			continue
		}
		tax := left.Sub(divide(left.Mul(hundred), hundred.Add(r.percent())))
		amounts[r.ID] = tax
		left = left.Sub(tax)
	}
	var taxes taxSet
	for _, r := range rates {
		if !r.Compound {
			amounts[r.ID] = divide(left.Mul(r.percent()), hundred.Add(regular))
		}
		taxes = append(taxes, rateTax{r.ID, amounts[r.ID]})
	}
	return taxes
}

func taxOnTop(amount decimal.Decimal, rates []*TaxRate) taxSet {
	var taxes taxSet
	for _, r := range rates {
		if !r.Compound {
			taxes.add(r.ID, divide(amount.Mul(r.percent()), hundred))
		}
	}
	for _, r := range rates {
		if r.Compound {
			taxes.add(r.ID, divide(amount.Add(taxes.sum()).Mul(r.percent()), hundred))
		}
	}
	return taxes
}
