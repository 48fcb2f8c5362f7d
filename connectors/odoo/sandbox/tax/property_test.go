package tax_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox/tax"
)

// engines and lines to draw from.

func drawEngine(t *rapid.T) tax.Engine {
	return tax.Engine{
		Version:  rapid.SampledFrom([]int{18, 19}).Draw(t, "version"),
		Rounding: d(rapid.SampledFrom([]string{"0.01", "1", "0.001"}).Draw(t, "rounding")),
		Method:   rapid.SampledFrom([]tax.Method{tax.RoundPerLine, tax.RoundGlobally}).Draw(t, "method"),
	}
}

func drawAmount(t *rapid.T, name string, units int64) decimal.Decimal {
	return decimal.New(rapid.Int64Range(-units, units).Draw(t, name), -rapid.Int32Range(0, 4).Draw(t, name+" places"))
}

func drawTaxes(t *rapid.T) []tax.Tax {
	n := rapid.IntRange(0, 3).Draw(t, "taxes")
	taxes := make([]tax.Tax, n)
	for i := range taxes {
		rate := decimal.New(rapid.Int64Range(0, 3000).Draw(t, "rate"), -2)
		taxes[i] = tax.Tax{
			ID: int64(i + 1), Sequence: int64(i), Kind: tax.Percent, Amount: rate, BaseAffected: true,
			Included: rapid.Bool().Draw(t, "included"), IncludeBase: rapid.Bool().Draw(t, "in base"),
		}
	}
	return taxes
}

func drawLines(t *rapid.T) []tax.Line {
	taxes := drawTaxes(t)
	lines := make([]tax.Line, rapid.IntRange(1, 8).Draw(t, "lines"))
	for i := range lines {
		lines[i] = tax.Line{
			Price:    drawAmount(t, "price", 100_000),
			Quantity: decimal.New(rapid.Int64Range(1, 50).Draw(t, "quantity"), 0),
			Discount: decimal.New(rapid.Int64Range(0, 100).Draw(t, "discount"), 0),
			Taxes:    taxes,
		}
	}
	return lines
}

// All amounts are multiples of the currency's smallest, and they add up.
func TestAmountsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		engine, lines := drawEngine(t), drawLines(t)
		doc := engine.Compute(lines)
		sum := decimal.Zero
		whole := func(what string, amount decimal.Decimal) {
			if !amount.Mod(engine.Rounding).IsZero() {
				t.Fatalf("%s is %s", what, amount)
			}
		}
		for i, amounts := range doc.Taxes {
			whole("a line's total", doc.Lines[i].Included)
			whole("a line's subtotal", doc.Lines[i].Excluded)
			for _, a := range amounts {
				whole("a tax", a.Amount)
				sum = sum.Add(a.Amount)
			}
		}
		if !sum.Equal(doc.Tax) || !doc.Untaxed.Add(doc.Tax).Equal(doc.Total) {
			t.Fatalf("taxes %s of %s, %s + %s", sum, doc.Tax, doc.Untaxed, doc.Total)
		}
	})
}

// Rounded line by line, a document's amounts are the sums of its lines.
func TestDocumentIsTheSumOfItsLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		engine, lines := drawEngine(t), drawLines(t)
		engine.Method = tax.RoundPerLine
		doc := engine.Compute(lines)
		var excluded, included decimal.Decimal
		for _, l := range doc.Lines {
			excluded, included = excluded.Add(l.Excluded), included.Add(l.Included)
		}
		if !excluded.Equal(doc.Untaxed) || !included.Equal(doc.Total) {
			t.Fatalf("lines give %s and %s, the document says %s and %s", excluded, included, doc.Untaxed, doc.Total)
		}
	})
}

// What tax is put on a price is what is taken out of it again, but for a
// smallest unit of rounding.
func TestIncludedIsTheInverseOfExcluded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		engine := drawEngine(t)
		rate := percent(1, decimal.New(rapid.Int64Range(1, 5000).Draw(t, "rate"), -2).String())
		net := tax.Round(drawAmount(t, "net", 1_000_000), engine.Rounding)
		one := decimal.NewFromInt(1)
		gross := engine.Compute([]tax.Line{{Price: net, Quantity: one, Taxes: []tax.Tax{rate}}}).Total
		back := engine.Compute([]tax.Line{{Price: gross, Quantity: one, Taxes: []tax.Tax{included(rate)}}})
		if !back.Total.Equal(gross) {
			t.Fatalf("the price %s became a total of %s", gross, back.Total)
		}
		if off := back.Untaxed.Sub(net).Abs(); off.GreaterThan(engine.Rounding) {
			t.Fatalf("%s with tax is %s, without it again %s", net, gross, back.Untaxed)
		}
	})
}

// A document with all signs turned has all amounts with the sign turned.
func TestSignsAreSymmetric(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		engine, lines := drawEngine(t), drawLines(t)
		engine.Method = tax.RoundPerLine
		doc := engine.Compute(lines)
		for i := range lines {
			lines[i].Quantity = lines[i].Quantity.Neg()
		}
		turned := engine.Compute(lines)
		if !turned.Untaxed.Neg().Equal(doc.Untaxed) || !turned.Tax.Neg().Equal(doc.Tax) {
			t.Fatalf("%s + %s turned is %s + %s", doc.Untaxed, doc.Tax, turned.Untaxed, turned.Tax)
		}
	})
}

// Rounded globally, a document is off by no more than the rounding of each tax
// and of its base.
func TestGlobalRoundingStaysNear(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		engine, lines := drawEngine(t), drawLines(t)
		engine.Method = tax.RoundGlobally
		exact := engine
		exact.Rounding = decimal.New(1, -12)
		rounded, precise := engine.Compute(lines), exact.Compute(lines)
		parts := decimal.NewFromInt(int64(len(lines[0].Taxes) + 2))
		if len(lines[0].Taxes) == 0 && engine.Version == 18 {
			// Lines without tax are rounded one by one in 18.
			parts = decimal.NewFromInt(int64(len(lines)))
		}
		if off := rounded.Total.Sub(precise.Total).Abs(); off.GreaterThan(engine.Rounding.Mul(parts)) {
			t.Fatalf("%s, exactly %s", rounded.Total, precise.Total)
		}
	})
}

// A pin that fits is the result, whatever the line says.
func TestPinIsTheResult(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		engine := drawEngine(t)
		engine.Version = 19
		vat := percent(1, "20")
		vat.Included = rapid.Bool().Draw(t, "included")
		var untaxed, sum decimal.Decimal
		var lines []tax.Line
		for range rapid.IntRange(1, 6).Draw(t, "lines") {
			base := tax.Round(drawAmount(t, "base", 10_000), engine.Rounding)
			amount := tax.Round(drawAmount(t, "tax", 10_000), engine.Rounding)
			l := line("7", "3", vat)
			l.Pin = &tax.Pin{Excluded: &base, Taxes: map[int64]tax.PinnedTax{1: {Amount: &amount, Base: &base}}}
			lines = append(lines, l)
			untaxed, sum = untaxed.Add(base), sum.Add(amount)
		}
		doc := engine.Compute(lines)
		if !doc.Untaxed.Equal(untaxed) || !doc.Tax.Equal(sum) {
			t.Fatalf("%s + %s, pinned to %s + %s", doc.Untaxed, doc.Tax, untaxed, sum)
		}
	})
}
