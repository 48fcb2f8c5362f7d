package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"
)

// discounts spreads coupons over lines, in the shop's smallest unit (cents), as
// WooCommerce does: every cent goes to a line, the remainder to the dearest
// lines first.
type discounts struct {
	lines []*discountLine // dearest first
	// given is what each coupon took off each line.
	given map[string]map[int]decimal.Decimal
}

type discountLine struct {
	key       int
	price     decimal.Decimal // of the line, cents
	quantity  decimal.Decimal
	productID int64
	parentID  int64
}

func newDiscounts(lines []*discountLine) *discounts {
	sorted := slices.Clone(lines)
	// The shop sorts by price times quantity although price is the line's.
	slices.SortStableFunc(sorted, func(a, b *discountLine) int {
		return b.price.Mul(b.quantity).Cmp(a.price.Mul(a.quantity))
	})
	return &discounts{lines: sorted, given: map[string]map[int]decimal.Decimal{}}
}

// off is what all coupons took off a line.
func (d *discounts) off(key int) decimal.Decimal {
	total := zero
	for _, by := range d.given {
		total = total.Add(by[key])
	}
	return total
}

// left is what a line still costs, in whole cents.
func (d *discounts) left(line *discountLine) decimal.Decimal {
	return line.price.Sub(d.off(line.key)).Round(0).Abs()
}

func (d *discounts) take(code string, line *discountLine, amount decimal.Decimal) {
	d.given[code][line.key] = d.given[code][line.key].Add(amount)
}

// apply applies a coupon to the lines it is for.
func (d *discounts) apply(c *coupon, decimals int32) {
	if d.given[c.code] == nil {
		d.given[c.code] = map[int]decimal.Decimal{}
	}
	var lines []*discountLine
	for _, line := range d.lines {
		if !d.left(line).IsZero() && line.quantity.IsPositive() && c.isFor(line) {
			lines = append(lines, line)
		}
	}
	amount := amountOf(c.amount)
	cents := amount.Shift(decimals).Round(roundingDigits - decimals)
	switch c.kind {
	case "percent":
		d.percent(c.code, lines, amount)
	case "fixed_product":
		d.perUnit(c.code, lines, cents)
	case "fixed_cart":
		d.fixed(c.code, lines, cents)
	}
}

func (d *discounts) percent(code string, lines []*discountLine, percent decimal.Decimal) {
	total, given := zero, zero
	for _, line := range lines {
		price := line.price.Round(0)
		off := divide(price.Mul(percent), hundred).Floor()
		off = roundHalfDown(decimal.Min(d.left(line), off), 0)
		total, given = total.Add(price), given.Add(off)
		d.take(code, line, off)
	}
	due := roundHalfDown(divide(total.Mul(percent), hundred), 0)
	if given.LessThan(due) {
		d.remainder(code, lines, due.Sub(given))
	}
}

func (d *discounts) perUnit(code string, lines []*discountLine, amount decimal.Decimal) decimal.Decimal {
	given := zero
	for _, line := range lines {
		off := decimal.Min(d.left(line), amount.Mul(line.quantity))
		given = given.Add(off)
		d.take(code, line, off)
	}
	return given
}

func (d *discounts) fixed(code string, lines []*discountLine, amount decimal.Decimal) decimal.Decimal {
	count := zero
	var open []*discountLine
	for _, line := range lines {
		if d.left(line).IsPositive() {
			open = append(open, line)
			count = count.Add(line.quantity)
		}
	}
	if count.IsZero() || !amount.IsPositive() {
		return zero
	}
	each := divide(amount, count).Truncate(0)
	if !each.IsPositive() {
		return d.remainder(code, open, amount)
	}
	given := d.perUnit(code, open, each)
	if given.IsPositive() && given.LessThan(amount) {
		given = given.Add(d.fixed(code, open, amount.Sub(given)))
	}
	return given
}

// remainder gives out cents, one a unit, dearest lines first.
func (d *discounts) remainder(code string, lines []*discountLine, amount decimal.Decimal) decimal.Decimal {
	given := zero
	one := decimal.NewFromInt(1)
	for _, line := range lines {
		for unit := zero; unit.LessThan(line.quantity); unit = unit.Add(one) {
			off := decimal.Min(d.left(line), one)
			given = given.Add(off)
			d.take(code, line, off)
			if given.GreaterThanOrEqual(amount) {
				return given
			}
		}
	}
	return given
}

// byLine returns what a coupon took off, line by line, in a fixed order.
func (d *discounts) byLine(code string) []lineDiscount {
	var out []lineDiscount
	for _, line := range d.lines {
		out = append(out, lineDiscount{line.key, d.given[code][line.key]})
	}
	return out
}

type lineDiscount struct {
	key    int
	amount decimal.Decimal
}
