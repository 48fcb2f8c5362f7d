// Package tax computes the taxes of a sale document as Odoo 18 and 19 do, to
// the cent: which tax is reckoned on what, and where rounding differences go.
//
// Odoo computes in binary floats and corrects for their error before it
// rounds; here all is decimal, and amounts so near a tie that Odoo would call
// them one are rounded as a tie (see [round]).
package tax

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// Kind is how a tax's amount is meant (account.tax amount_type).
type Kind string

// The kinds of taxes.
const (
	Percent  Kind = "percent"  // of the price without tax
	Division Kind = "division" // of the price with tax
	Fixed    Kind = "fixed"    // per unit, whatever the price
	Group    Kind = "group"    // stands for its Children
)

// Tax is an account.tax.
type Tax struct {
	ID       int64
	Sequence int64
	Kind     Kind
	Amount   decimal.Decimal // 20 is 20 %, or 20 of the currency when fixed
	// Included: the price contains the tax (price_include).
	Included bool
	// IncludeBase: later taxes are reckoned on the price with this tax
	// (include_base_amount).
	IncludeBase bool
	// BaseAffected: earlier taxes that include their amount in the base count
	// for this one (is_base_affected).
	BaseAffected bool
	Children     []Tax
}

// Line is a line of the document before tax.
type Line struct {
	Price    decimal.Decimal // of one unit, as stored on the line
	Quantity decimal.Decimal
	Discount decimal.Decimal // in percent
	Taxes    []Tax
	// Pin, when set, replaces computed amounts (Odoo 19's extra_tax_data, after
	// Odoo found that it fits the line).
	Pin *Pin
}

// Pin holds amounts that somebody fixed by hand.
type Pin struct {
	Excluded *decimal.Decimal // manual_total_excluded_currency
	Taxes    map[int64]PinnedTax
}

// PinnedTax fixes the amount and the base of one tax; nil leaves it computed.
type PinnedTax struct {
	Amount *decimal.Decimal // tax_amount_currency
	Base   *decimal.Decimal // base_amount_currency
}

// Method is a company's tax_calculation_rounding_method.
type Method string

// The two methods.
const (
	RoundPerLine  Method = "round_per_line"
	RoundGlobally Method = "round_globally"
)

// Engine computes documents by the rules of one version.
type Engine struct {
	Version  int             // 18 or 19
	Rounding decimal.Decimal // smallest amount of the document's currency: 0.01, 1, 0.001
	Method   Method
}

// LineAmounts are a line's amounts as shown on it, each rounded to the currency.
type LineAmounts struct {
	Excluded decimal.Decimal // price_subtotal
	Included decimal.Decimal // price_total
}

// Amount is one tax of a line after the document's rounding.
type Amount struct {
	Tax    int64
	Base   decimal.Decimal
	Amount decimal.Decimal
}

// Document is the result for all lines together.
type Document struct {
	Lines   []LineAmounts
	Taxes   [][]Amount        // by line, in the order they are reckoned
	Bases   []decimal.Decimal // by line: what it adds to Untaxed
	Untaxed decimal.Decimal   // amount_untaxed
	Tax     decimal.Decimal   // amount_tax
	Total   decimal.Decimal   // amount_total
}

// Compute computes a document's lines and totals.
func (e Engine) Compute(lines []Line) Document {
	details := make([]*detail, len(lines))
	doc := Document{Lines: make([]LineAmounts, len(lines)), Taxes: make([][]Amount, len(lines))}
	for i, line := range lines {
		details[i] = e.detail(line)
		doc.Lines[i] = e.lineAmounts(details[i])
	}
	if e.Version >= 19 {
		e.roundSmoothly(details)
	} else {
		e.roundOnSmallest(details)
	}
	for i, d := range details {
		base := e.untaxed(d)
		doc.Bases = append(doc.Bases, base)
		doc.Untaxed = doc.Untaxed.Add(base)
		for _, t := range d.taxes {
			doc.Tax = doc.Tax.Add(t.amount)
			doc.Taxes[i] = append(doc.Taxes[i], Amount{Tax: t.tax.ID, Base: t.base, Amount: t.amount})
		}
	}
	doc.Total = doc.Untaxed.Add(doc.Tax)
	return doc
}

// TaxOf is what all lines together owe of one tax.
func (d Document) TaxOf(id int64) decimal.Decimal {
	sum := decimal.Zero
	for _, line := range d.Taxes {
		for _, amount := range line {
			if amount.Tax == id {
				sum = sum.Add(amount.Amount)
			}
		}
	}
	return sum
}

// untaxed is what a line adds to the document's untaxed amount: 18 takes the
// base of its first tax, 19 its total without tax.
func (e Engine) untaxed(d *detail) decimal.Decimal {
	if e.Version < 19 && len(d.taxes) > 0 {
		return d.taxes[0].base
	}
	return d.excluded.Add(d.delta)
}

// lineAmounts are what the line itself shows: its own amounts, before
// differences of the whole document are spread.
func (e Engine) lineAmounts(d *detail) LineAmounts {
	if e.Version < 19 {
		return LineAmounts{Excluded: e.round(d.rawExcluded), Included: e.round(d.rawIncluded)}
	}
	included := d.excluded
	for _, t := range d.taxes {
		included = included.Add(t.amount)
	}
	return LineAmounts{Excluded: d.excluded, Included: included}
}

// detail is a line while the document is computed.
type detail struct {
	rawExcluded decimal.Decimal
	rawIncluded decimal.Decimal
	// targetExcluded is the raw amount, or the pinned one (19).
	targetExcluded decimal.Decimal
	excluded       decimal.Decimal
	// delta is what this line carries of the document's rounding (19).
	delta decimal.Decimal
	taxes []*taxDetail
}

type taxDetail struct {
	tax        Tax
	rawAmount  decimal.Decimal
	rawBase    decimal.Decimal
	targetTax  decimal.Decimal
	targetBase decimal.Decimal
	amount     decimal.Decimal
	base       decimal.Decimal
}

// detail computes a line's raw amounts, rounds them and puts pinned ones in
// their place.
func (e Engine) detail(line Line) *detail {
	price := line.Price.Mul(hundred.Sub(line.Discount)).Shift(-2)
	raw := e.evaluate(line.Taxes, price, line.Quantity, false)
	d := &detail{rawExcluded: raw.excluded, rawIncluded: raw.included}
	d.targetExcluded = raw.excluded
	d.excluded = e.round(raw.excluded)
	if pin := line.Pin; pin != nil && pin.Excluded != nil {
		d.targetExcluded, d.excluded = *pin.Excluded, *pin.Excluded
	}
	for _, r := range raw.taxes {
		t := &taxDetail{
			tax:       r.tax,
			rawAmount: r.amount, rawBase: r.base,
			targetTax: r.amount, targetBase: r.base,
			amount: e.round(r.amount), base: e.round(r.base),
		}
		if line.Pin != nil {
			pinned := line.Pin.Taxes[r.tax.ID]
			if pinned.Amount != nil {
				t.targetTax, t.amount = *pinned.Amount, e.round(*pinned.Amount)
			}
			if pinned.Base != nil {
				t.targetBase, t.base = *pinned.Base, e.round(*pinned.Base)
			}
		}
		d.taxes = append(d.taxes, t)
	}
	return d
}

// Flatten replaces groups by their children and sorts by sequence, then id.
func Flatten(taxes []Tax) []Tax {
	bySequence := func(a, b Tax) int {
		return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.ID, b.ID))
	}
	var flat []Tax
	for _, t := range slices.SortedStableFunc(slices.Values(taxes), bySequence) {
		members := []Tax{t}
		if t.Kind == Group {
			members = slices.SortedStableFunc(slices.Values(t.Children), bySequence)
		}
		for _, member := range members {
			if !slices.ContainsFunc(flat, func(known Tax) bool { return known.ID == member.ID }) {
				flat = append(flat, member)
			}
		}
	}
	return flat
}
