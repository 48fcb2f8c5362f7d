package expression

import (
	"context"
	"fmt"
	"math/big"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
)

// amount draws a decimal of at most 18 digits, 8 of them after the point.
func amount(t *rapid.T, label string) decimal.Decimal {
	return decimal.New(rapid.Int64Range(-1e18, 1e18).Draw(t, label), -rapid.Int32Range(0, 8).Draw(t, label+" digits"))
}

func unitDrawn(t *rapid.T) decimal.Decimal {
	return decimal.RequireFromString(rapid.SampledFrom([]string{"0.01", "1", "0.001", "0.05", "0.25", "10", "0.1"}).Draw(t, "unit"))
}

// numbers are the variables of the properties below.
var numbers = Env{
	"a": connectors.Decimal(), "b": connectors.Decimal(), "unit": connectors.Decimal(), "digits": connectors.Integer(),
	"list": connectors.Array(connectors.Decimal()), "m": connectors.Integer(), "n": connectors.Integer(),
}

// programs are compiled once: rapid runs each property a hundred times.
func programs(t *testing.T, sources ...string) []*Program {
	t.Helper()
	out := make([]*Program, len(sources))
	for i, source := range sources {
		p, problems := Compile(source, numbers, nil)
		if len(problems) > 0 {
			t.Fatalf("%s: %+v", source, problems)
		}
		out[i] = p
	}
	return out
}

func run(t *rapid.T, p *Program, vars map[string]any) any {
	v, err := p.Eval(context.Background(), vars)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func runDecimal(t *rapid.T, p *Program, vars map[string]any) decimal.Decimal {
	d, ok := run(t, p, vars).(decimal.Decimal)
	if !ok {
		t.Fatalf("no decimal")
	}
	return d
}

func listDrawn(t *rapid.T, least int) ([]any, []decimal.Decimal) {
	n := rapid.IntRange(least, 12).Draw(t, "length")
	list, numbers := make([]any, n), make([]decimal.Decimal, n)
	for i := range n {
		numbers[i] = amount(t, fmt.Sprintf("element %d", i))
		list[i] = numbers[i]
	}
	return list, numbers
}

// Operators on decimals give what rational arithmetic gives.
func TestDecimalArithmeticIsExact(t *testing.T) {
	t.Parallel()
	p := programs(t, `a + b`, `a - b`, `a * b`, `-a`, `a < b`, `a == b`, `a >= b`, `abs(a)`, `a % b`, `sum([a, b, a])`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := amount(t, "a"), amount(t, "b")
		if rapid.Bool().Draw(t, "close") {
			b = a.Add(decimal.New(rapid.Int64Range(-1, 1).Draw(t, "by"), -8))
		}
		vars := map[string]any{"a": a, "b": b}
		x, y := a.Rat(), b.Rat()
		for i, want := range []*big.Rat{
			new(big.Rat).Add(x, y), new(big.Rat).Sub(x, y), new(big.Rat).Mul(x, y), new(big.Rat).Neg(x),
		} {
			if got := runDecimal(t, p[i], vars); got.Rat().Cmp(want) != 0 {
				t.Fatalf("%s with %s, %s = %s", []string{"+", "-", "*", "neg"}[i], a, b, got)
			}
		}
		if run(t, p[4], vars) != (x.Cmp(y) < 0) || run(t, p[5], vars) != (x.Cmp(y) == 0) || run(t, p[6], vars) != (x.Cmp(y) >= 0) {
			t.Fatalf("comparisons of %s and %s", a, b)
		}
		if got := runDecimal(t, p[7], vars); got.Rat().Cmp(new(big.Rat).Abs(x)) != 0 {
			t.Fatalf("abs(%s) = %s", a, got)
		}
		if !b.IsZero() {
			rest := runDecimal(t, p[8], vars)
			whole := new(big.Rat).Quo(new(big.Rat).Sub(x, rest.Rat()), y)
			if !whole.IsInt() || rest.Abs().Cmp(b.Abs()) >= 0 || rest.Sign()*a.Sign() < 0 {
				t.Fatalf("%s %% %s = %s", a, b, rest)
			}
		}
		twice := new(big.Rat).Add(x, x)
		if got := runDecimal(t, p[9], vars); got.Rat().Cmp(twice.Add(twice, y)) != 0 {
			t.Fatalf("sum = %s", got)
		}
	})
}

// A quotient is right to half a unit of its 28th significant digit.
func TestDivision(t *testing.T) {
	t.Parallel()
	p := programs(t, `a / b`, `m / n`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := amount(t, "a"), amount(t, "b")
		if b.IsZero() {
			return
		}
		exact := new(big.Rat).Quo(a.Rat(), b.Rat())
		got := runDecimal(t, p[0], map[string]any{"a": a, "b": b})
		off := new(big.Rat).Sub(exact, got.Rat())
		bound := new(big.Rat).Mul(new(big.Rat).Abs(exact), new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(divisionDigits-1), nil)))
		if off.Abs(off).Cmp(bound.Quo(bound, big.NewRat(2, 1))) > 0 {
			t.Fatalf("%s / %s = %s", a, b, got)
		}
		m, n := rapid.Int64Range(-1e9, 1e9).Draw(t, "m"), rapid.Int64Range(1, 1e4).Draw(t, "n")
		if back := runDecimal(t, p[1], map[string]any{"m": m * n, "n": n}); !back.Equal(decimal.NewFromInt(m)) {
			t.Fatalf("%d / %d = %s", m*n, n, back)
		}
	})
}

// nearest rounds to a whole number; a half goes away from zero or towards it.
func nearest(x *big.Rat, awayFromZero bool) *big.Int {
	twice := new(big.Rat).Mul(new(big.Rat).Abs(x), big.NewRat(2, 1))
	n := new(big.Int).Quo(new(big.Int).Add(twice.Num(), twice.Denom()), new(big.Int).Lsh(twice.Denom(), 1))
	isHalf := twice.IsInt() && twice.Num().Bit(0) == 1
	if isHalf && !awayFromZero {
		n.Sub(n, big.NewInt(1))
	}
	if x.Sign() < 0 {
		n.Neg(n)
	}
	return n
}

func TestRounding(t *testing.T) {
	t.Parallel()
	p := programs(t, `round(a, digits)`, `round_half_down(a, digits)`, `round_to(a, unit)`, `round(a)`)
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.Int64Range(-3, 9).Draw(t, "digits")
		a := amount(t, "a")
		if rapid.Bool().Draw(t, "on the half") {
			a = decimal.New(rapid.Int64Range(-1e6, 1e6).Draw(t, "halves")*5, int32(-digits)-1)
		}
		unit := unitDrawn(t)
		vars := map[string]any{"a": a, "digits": digits, "unit": unit}
		power := decimal.New(1, int32(-digits))
		inUnits := func(unit decimal.Decimal) *big.Rat { return new(big.Rat).Quo(a.Rat(), unit.Rat()) }
		for i, want := range []decimal.Decimal{
			decimal.NewFromBigInt(nearest(inUnits(power), true), 0).Mul(power),
			decimal.NewFromBigInt(nearest(inUnits(power), false), 0).Mul(power),
			decimal.NewFromBigInt(nearest(inUnits(unit), true), 0).Mul(unit),
			decimal.NewFromBigInt(nearest(a.Rat(), true), 0),
		} {
			if got := runDecimal(t, p[i], vars); !got.Equal(want) {
				t.Fatalf("%d: of %s with %d digits or %s: %s, want %s", i, a, digits, unit, got, want)
			}
		}
	})
}

func TestAllocate(t *testing.T) {
	t.Parallel()
	p := programs(t, `allocate(a, list, unit)`)[0]
	rapid.Check(t, func(t *rapid.T) {
		unit := unitDrawn(t)
		total := unit.Mul(decimal.NewFromInt(rapid.Int64Range(-1e6, 1e6).Draw(t, "units")))
		list, weights := listDrawn(t, 1)
		sign := rapid.SampledFrom([]int64{1, -1, 0}).Draw(t, "sign of the weights")
		sum := zero
		for i, w := range weights {
			weights[i] = w.Abs().Mul(decimal.NewFromInt(sign))
			if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
				weights[i] = zero
			}
			list[i], sum = weights[i], sum.Add(weights[i])
		}
		parts := run(t, p, map[string]any{"a": total, "list": list, "unit": unit}).([]any)
		added := zero
		for i, part := range parts {
			d := part.(decimal.Decimal)
			added = added.Add(d)
			if !d.Mod(unit).IsZero() {
				t.Fatalf("%s is no multiple of %s", d, unit)
			}
			if sum.IsZero() {
				if i > 0 && !d.IsZero() {
					t.Fatalf("of no weights, part %d is %s", i, d)
				}
				continue
			}
			exact := new(big.Rat).Mul(total.Rat(), new(big.Rat).Quo(weights[i].Rat(), sum.Rat()))
			if off := exact.Sub(exact, d.Rat()); off.Abs(off).Cmp(unit.Rat()) >= 0 {
				t.Fatalf("part %d, %s, is a unit off", i, d)
			}
			if d.Sign()*total.Sign() < 0 || weights[i].IsZero() && !d.IsZero() {
				t.Fatalf("part %d is %s of %s", i, d, total)
			}
		}
		if !added.Equal(total) || len(parts) != len(list) {
			t.Fatalf("%v add up to %s, not %s", parts, added, total)
		}
	})
}

func TestAllocateOrder(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		`allocate(0.05, [1, 1], 0.01) == [0.03, 0.02]`,                   // equal: the first
		`allocate(0.05, [1, 3], 0.01) == [0.01, 0.04]`,                   // 1.25 and 3.75: the larger rest
		`allocate(0.02, [1, 2, 1], 0.01) == [0.01, 0.01, 0]`,             // .5, 1, .5: the first of equal rests
		`allocate(0.03, [1, 5, 1, 5], 0.01) == [0, 0.02, 0, 0.01]`,       // .25, 1.25, .25, 1.25: the larger weight
		`allocate(-10, [1, 1, 1], 0.01) == [-3.34, -3.33, -3.33]`,        // a refund as its order
		`allocate(-3, [20, 10], 0.01) == [-2, -1]`,                       // a loyalty fee over two rates
		`allocate(5, [0, 0], 0.01) == [5, 0]`,                            // no weights
		`allocate(0, [1, 2], 0.01) == [0, 0]`,                            // nothing
		`allocate(100, [1, 1, 1], 1) == [34, 33, 33]`,                    // yen
		`allocate(1, [1, 1, 1], 0.001) == [0.334, 0.333, 0.333]`,         // dinars
		`allocate(1, [1, 1, 1], 0.05) == [0.35, 0.35, 0.30]`,             // Swiss cash
		`allocate(1, [0.1, 0.20, 0.7], 0.01) == [0.1, 0.2, 0.7]`,         // weights that are amounts
		`allocate(1.00, [-1, -3], 0.01) == [0.25, 0.75]`,                 // weights of one sign
		`spread([1.004, 2.004, 3.004], 6.01, 0.01) == [1, 2, 3.01]`,      // the largest first
		`spread([1, 2, 3], 6.04, 0.01) == [1.01, 2.01, 3.02]`,            // round and round
		`spread([1, 2, 3], 5.96, 0.01) == [0.99, 1.99, 2.98]`,            // taken as well
		`spread([1, -3], -2.01, 0.01) == [1, -3.01]`,                     // by absolute value
		`spread([1, 1], 2.01, 0.01) == [1.01, 1]`,                        // equal: the first
		`spread([0.005, -0.005], 0, 0.01) == [0.01, -0.01]`,              // half away from zero
		`spread([10.00], 1000000000, 0.01) == [1000000000]`,              // far away
		`round_half_down(29.97 * 20 / 120, 2) == 4.99`,                   // 3 × 9.99 with 20 % in it
		`map([29.97 * 20 / 120, 4.996], round_half_down(#, 2))[1] == 5.`, // more than a half
	} {
		if got := mustEvaluate(t, rule); got != true {
			t.Errorf("not so: %s", rule)
		}
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	p := programs(t, `spread(list, a, unit)`)[0]
	rapid.Check(t, func(t *rapid.T) {
		unit := unitDrawn(t)
		list, values := listDrawn(t, 1)
		rounded := make([]decimal.Decimal, len(values))
		target := zero
		for i, v := range values {
			rounded[i] = inUnits(unitsOf(v, unit), unit)
			target = target.Add(rounded[i])
		}
		steps := rapid.Int64Range(-40, 40).Draw(t, "units off")
		target = target.Add(unit.Mul(decimal.NewFromInt(steps)))

		// The rule, one unit at a time.
		byHand := append([]decimal.Decimal(nil), rounded...)
		order := ranked(len(values), func(i, j int) int { return values[j].Abs().Cmp(values[i].Abs()) })
		for k := int64(0); k < max(steps, -steps); k++ {
			i := order[int(k)%len(order)]
			byHand[i] = byHand[i].Add(unit.Mul(decimal.NewFromInt(steps / max(steps, -steps))))
		}

		added := zero
		for i, v := range run(t, p, map[string]any{"list": list, "a": target, "unit": unit}).([]any) {
			d := v.(decimal.Decimal)
			added = added.Add(d)
			if !d.Equal(byHand[i]) {
				t.Fatalf("element %d is %s, by hand %s", i, d, byHand[i])
			}
		}
		if !added.Equal(target) {
			t.Fatalf("adds up to %s, not %s", added, target)
		}
	})
}

// Laws of lists: what is zipped, grouped or sorted is all there, in order.
func TestLaws(t *testing.T) {
	t.Parallel()
	p := programs(t,
		`map(zip(list, list), #[0]) == list and map(zip(list, list), #[1]) == list`,
		`let rows = map(list, {{"k": int(floor(#)) % 3, "v": #}}); let g = group(rows, "k");
		 len(flatten(map(g, .items))) == len(rows) and len(unique(map(g, .key))) == len(g) and
		 all(g, {let here = .key; all(.items, .k == here)}) and map(g, .key) == unique(map(rows, .k)) and
		 map(g, .items[0]) == unique(rows, "k")`,
		`sort(reverse(sort(list))) == sort(list) and len(sort(list)) == len(list) and sum(sort(list)) == sum(list)`,
		`sum(list) == reduce(list, #acc + #, 0) and (list == [] or mean(list) >= min(list) and mean(list) <= max(list))`,
	)
	rapid.Check(t, func(t *rapid.T) {
		list, _ := listDrawn(t, 0)
		for i, p := range p {
			if run(t, p, map[string]any{"list": list}) != true {
				t.Fatalf("law %d does not hold for %v", i, list)
			}
		}
	})
}
