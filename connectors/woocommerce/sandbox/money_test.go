package sandbox

import (
	"strconv"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func cents(t *rapid.T, name string, low, high int) decimal.Decimal {
	return decimal.New(int64(rapid.IntRange(low, high).Draw(t, name)), -2)
}

func drawRates(t *rapid.T) []*TaxRate {
	var rates []*TaxRate
	for i := range rapid.IntRange(0, 4).Draw(t, "rates") {
		rates = append(rates, &TaxRate{ID: int64(i + 1), Priority: int64(i + 1), Compound: rapid.Bool().Draw(t, "compound"),
			Rate: decimal.New(int64(rapid.IntRange(0, 300000).Draw(t, "rate")), -4).String()})
	}
	return rates
}

// TestTaxInvertsItself: the tax within a gross amount is the tax on top of its
// net, to within the rounding of each rate.
func TestTaxInvertsItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		gross, rates := cents(t, "gross", 0, 10_000_000), drawRates(t)
		within := taxOn(gross, rates, true)
		net := gross.Sub(within.sum())
		onTop := taxOn(net, rates, false)
		slack := decimal.New(int64(3*len(rates)+1), -roundingDigits)
		if net.Add(onTop.sum()).Sub(gross).Abs().GreaterThan(slack) {
			t.Fatalf("%s gross is %s net, which is %s gross", gross, net, net.Add(onTop.sum()))
		}
	})
}

// TestDiscountsGiveEveryCent: a coupon takes off what it says, to the cent, and
// never more than a line costs.
func TestDiscountsGiveEveryCent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var lines []*discountLine
		total, pieces := zero, zero
		for i := range rapid.IntRange(1, 6).Draw(t, "lines") {
			quantity := decimal.NewFromInt(int64(rapid.IntRange(1, 9).Draw(t, "quantity")))
			price := decimal.NewFromInt(int64(rapid.IntRange(0, 100_00).Draw(t, "unit"))).Mul(quantity)
			lines = append(lines, &discountLine{key: i, price: price, quantity: quantity, productID: int64(i + 1)})
			total = total.Add(price)
			if price.IsPositive() {
				pieces = pieces.Add(quantity)
			}
		}
		d := newDiscounts(lines)
		kind := rapid.SampledFrom([]string{"percent", "fixed_cart", "fixed_product"}).Draw(t, "kind")
		amount := decimal.NewFromInt(int64(rapid.IntRange(1, 200).Draw(t, "amount")))
		if kind == "percent" {
			amount = decimal.Min(amount, hundred)
		}
		d.apply(&coupon{code: "c", kind: kind, amount: amount.String()}, 2)
		given := zero
		for _, line := range lines {
			off := d.off(line.key)
			if off.IsNegative() || off.GreaterThan(line.price) || !off.IsInteger() {
				t.Fatalf("line %d of %s gets %s off", line.key, line.price, off)
			}
			given = given.Add(off)
		}
		var want decimal.Decimal
		switch kind {
		case "percent":
			want = roundHalfDown(divide(total.Mul(amount), hundred), 0)
		case "fixed_cart":
			want = decimal.Min(amount.Shift(2), total)
		default:
			for _, line := range lines {
				want = want.Add(decimal.Min(line.price, amount.Shift(2).Mul(line.quantity)))
			}
		}
		if !given.Equal(want) {
			t.Fatalf("%s %s off %s gives %s, want %s", kind, amount, total, given, want)
		}
	})
}

// TestOrdersAddUp: whatever the shop's settings, an order's total is its parts,
// to within a cent a line, and recalculating it changes nothing.
func TestOrdersAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := DefaultSettings()
		set.PricesIncludeTax, set.RoundAtSubtotal = rapid.Bool().Draw(t, "incl"), rapid.Bool().Draw(t, "subtotal")
		s := New(Options{Settings: &set})
		defer s.Close()
		for i, rate := range drawRates(t) {
			s.AddTaxRate(TaxRate{Rate: rate.Rate, Priority: int64(i + 1), Shipping: true})
		}
		s.AddTaxRate(TaxRate{Rate: "5.5000", Class: "reduced-rate"})
		cart := Cart{Billing: map[string]string{"country": "FR"}}
		for i := range rapid.IntRange(1, 5).Draw(t, "items") {
			class := rapid.SampledFrom([]string{"", "reduced-rate", "zero-rate"}).Draw(t, "class")
			id := s.AddProduct(Product{Name: "P" + strconv.Itoa(i), RegularPrice: cents(t, "price", 1, 20000).StringFixed(2), TaxClass: class})
			cart.Items = append(cart.Items, CartItem{id, int64(rapid.IntRange(1, 12).Draw(t, "quantity"))})
		}
		if rapid.Bool().Draw(t, "coupon") {
			s.AddCoupon(Coupon{Code: "c", Type: rapid.SampledFrom([]string{"percent", "fixed_cart"}).Draw(t, "kind"), Amount: "15"})
			cart.Coupons = []string{"c"}
		}
		if rapid.Bool().Draw(t, "ship") {
			cart.Shipping = &CartShipping{Title: "Flat", MethodID: "flat_rate", Cost: cents(t, "cost", 0, 3000).StringFixed(2)}
		}
		if rapid.Bool().Draw(t, "fee") {
			cart.Fees = []CartFee{{Name: "Fee", Amount: cents(t, "fee", -500, 500).StringFixed(2), Taxable: rapid.Bool().Draw(t, "taxable")}}
		}
		id, err := s.Checkout(cart)
		if err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		o := s.orders[id]
		parts := sum(o.cartTax, o.shippingTax, o.shippingTotal)
		for _, item := range o.items {
			if item.kind == kindLine || item.kind == kindFee {
				parts = parts.Add(item.total)
			}
		}
		slack := decimal.New(int64(len(o.items)+1), -2)
		// A shop owes nobody: fees below the cart's worth end at nothing.
		parts = decimal.Max(parts, decimal.Zero)
		if parts.Sub(o.total).Abs().GreaterThan(slack) {
			t.Fatalf("the parts are %s, the total %s", parts, o.total)
		}
		if o.total.IsNegative() || !o.total.Equal(o.total.Round(2)) || !o.totalTax.Equal(o.totalTax.Round(2)) {
			t.Fatalf("total %s, tax %s", o.total, o.totalTax)
		}
		before := o.total
		s.recalculate(o)
		if o.total.Sub(before).Abs().GreaterThan(slack) {
			t.Fatalf("recalculated from %s to %s", before, o.total)
		}
	})
}

// FuzzParseAmount: no text makes an amount panic or grow, and what it reads it
// writes back.
func FuzzParseAmount(f *testing.F) {
	for _, text := range []string{"12,50 EUR", "1.234,56", "-3", "1e999999999", "", "..", "--1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := parseAmount(text)
		if !ok {
			return
		}
		if back, again := parseAmount(trimmed(d)); !again || !back.Equal(d) {
			t.Fatalf("%q is %s, which reads as %s", text, d, back)
		}
		stored(d)
		fixed(d, 2)
	})
}
