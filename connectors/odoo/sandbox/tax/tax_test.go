package tax_test

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox/tax"
)

func d(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func percent(id int64, amount string) tax.Tax {
	return tax.Tax{ID: id, Sequence: id, Kind: tax.Percent, Amount: d(amount), BaseAffected: true}
}

func included(t tax.Tax) tax.Tax { t.Included = true; return t }

func inBase(t tax.Tax) tax.Tax { t.IncludeBase = true; return t }

func line(price, quantity string, taxes ...tax.Tax) tax.Line {
	return tax.Line{Price: d(price), Quantity: d(quantity), Taxes: taxes}
}

func discounted(l tax.Line, discount string) tax.Line { l.Discount = d(discount); return l }

func pin(l tax.Line, excluded string, amounts ...string) tax.Line {
	total := d(excluded)
	l.Pin = &tax.Pin{Excluded: &total, Taxes: map[int64]tax.PinnedTax{}}
	for i, text := range amounts {
		amount := d(text)
		l.Pin.Taxes[l.Taxes[i].ID] = tax.PinnedTax{Amount: &amount, Base: &total}
	}
	return l
}

// Documents whose amounts a real Odoo gave.
func TestDocuments(t *testing.T) {
	t.Parallel()
	vat, gross := percent(1, "20"), included(percent(1, "20"))
	both := []int{18, 19}
	const perLine, globally = tax.RoundPerLine, tax.RoundGlobally
	cases := map[string]struct {
		versions []int
		method   tax.Method
		rounding string
		lines    []tax.Line
		untaxed  string
		tax      string
	}{
		"an order with discount and coupon (odoo18/231, odoo19/253)": {both, perLine, "0.01", []tax.Line{
			line("11", "3", vat), discounted(line("20", "2", vat), "10"), line("-5", "1", vat), line("5", "1", vat),
		}, "69", "13.80"},
		"price with tax (odoo18/236, odoo19/258)": {both, perLine, "0.01", []tax.Line{line("24", "1", gross)}, "20", "4"},
		"no tax":                       {both, perLine, "0.01", []tax.Line{line("9.99", "3")}, "29.97", "0"},
		"half a cent up, tax included": {both, perLine, "0.01", []tax.Line{line("9.99", "3", gross)}, "24.97", "5.00"},
		"each line rounded":            {both, perLine, "0.01", []tax.Line{line("1.12", "1", vat), line("1.12", "1", vat)}, "2.24", "0.44"},
		"the sum rounded":              {both, globally, "0.01", []tax.Line{line("1.12", "1", vat), line("1.12", "1", vat)}, "2.24", "0.45"},
		"included, the sum rounded (Odoo's own example)": {both, globally, "0.01", []tax.Line{
			line("21.53", "1", included(percent(1, "21"))), line("21.53", "1", included(percent(1, "21"))),
		}, "35.59", "7.47"},
		"yen":                {both, perLine, "1", []tax.Line{line("1234", "1", percent(1, "10"))}, "1234", "123"},
		"dinar":              {both, perLine, "0.001", []tax.Line{line("1.2345", "1", percent(1, "5"))}, "1.235", "0.062"},
		"two taxes, stacked": {both, perLine, "0.01", []tax.Line{line("100", "1", inBase(percent(1, "5")), percent(2, "10"))}, "100", "15.50"},
		"two taxes, side by side, included": {both, perLine, "0.01", []tax.Line{
			line("115", "1", included(percent(1, "5")), included(percent(2, "10"))),
		}, "100", "15"},
		"fixed per unit": {both, perLine, "0.01", []tax.Line{
			line("10", "3", tax.Tax{ID: 1, Kind: tax.Fixed, Amount: d("0.42"), BaseAffected: true}),
		}, "30", "1.26"},
		"fixed on a credit: 18": {[]int{18}, perLine, "0.01", []tax.Line{
			line("-10", "1", tax.Tax{ID: 1, Kind: tax.Fixed, Amount: d("0.42"), BaseAffected: true}),
		}, "-10", "0.42"},
		"fixed on a credit: 19": {[]int{19}, perLine, "0.01", []tax.Line{
			line("-10", "1", tax.Tax{ID: 1, Kind: tax.Fixed, Amount: d("0.42"), BaseAffected: true}),
		}, "-10", "-0.42"},
		"a group": {both, perLine, "0.01", []tax.Line{
			line("100", "1", tax.Tax{ID: 9, Kind: tax.Group, Children: []tax.Tax{percent(1, "5"), percent(2, "9.975")}}),
		}, "100", "14.98"},
		"pinned (odoo19/270)":           {[]int{19}, globally, "0.01", []tax.Line{pin(line("3.33", "3", vat), "9.98", "2.01")}, "9.98", "2.01"},
		"pinned, included (odoo19/273)": {[]int{19}, globally, "0.01", []tax.Line{pin(line("24", "1", gross), "19.99", "4.01")}, "19.99", "4.01"},
		"pinned without tax (odoo19/518)": {[]int{19}, globally, "0.01",
			[]tax.Line{pin(line("10", "1"), "9.97")}, "9.97", "0"},
		"four pinned lines (odoo19/500)": {[]int{19}, globally, "0.01", []tax.Line{
			pin(line("11.11", "3", vat), "33.32", "6.67"), pin(line("16.67", "2", vat), "33.33", "6.66"),
			pin(line("-5", "1", vat), "-5.00", "-1.01"), pin(line("4.17", "1", vat), "4.16", "0.84"),
		}, "65.81", "13.16"},
		"pinned, rounded globally (odoo19/590)": {[]int{19}, globally, "0.01", []tax.Line{
			pin(line("11.11", "3", vat), "33.32", "6.67"), pin(line("0.07", "1", vat), "0.06", "0.02"),
		}, "33.38", "6.69"},
	}
	for name, c := range cases {
		for _, version := range c.versions {
			doc := tax.Engine{Version: version, Rounding: d(c.rounding), Method: c.method}.Compute(c.lines)
			if !doc.Untaxed.Equal(d(c.untaxed)) || !doc.Tax.Equal(d(c.tax)) || !doc.Total.Equal(doc.Untaxed.Add(doc.Tax)) {
				t.Errorf("%s, Odoo %d: %s + %s = %s, want %s + %s", name, version, doc.Untaxed, doc.Tax, doc.Total, c.untaxed, c.tax)
			}
		}
	}
}

func TestRound(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"2.675", "0.01", "2.68"}, {"-2.675", "0.01", "-2.68"}, {"2.6749", "0.01", "2.67"},
		// What binary floats make of a tie counts as one.
		{"2.67499999999999999", "0.01", "2.68"}, {"0.62499999999999999", "0.01", "0.63"},
		{"123.5", "1", "124"}, {"1.0005", "0.001", "1.001"}, {"1.03", "0.05", "1.05"}, {"0", "0.01", "0"},
	} {
		if got := tax.Round(d(c[0]), d(c[1])); !got.Equal(d(c[2])) {
			t.Errorf("%s to %s is %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

// A price changes with its taxes only where it contains all of them.
func TestAdaptPrice(t *testing.T) {
	t.Parallel()
	six, twentyOne := included(percent(1, "6")), included(percent(2, "21"))
	for name, c := range map[string]struct {
		price    string
		from, to []tax.Tax
		want     string
	}{
		"from included to included": {"106", []tax.Tax{six}, []tax.Tax{twentyOne}, "121"},
		"from included to none":     {"106", []tax.Tax{six}, nil, "100"},
		"from excluded to included": {"100", []tax.Tax{percent(3, "15")}, []tax.Tax{six}, "100"},
		"from included to excluded": {"106", []tax.Tax{six}, []tax.Tax{percent(3, "15")}, "100"},
		"to the same":               {"106", []tax.Tax{six}, []tax.Tax{six}, "106"},
	} {
		for _, version := range []int{18, 19} {
			engine := tax.Engine{Version: version, Rounding: d("0.01"), Method: tax.RoundPerLine}
			if got := engine.AdaptPrice(d(c.price), c.from, c.to); !got.Round(10).Equal(d(c.want)) {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
	}
}
