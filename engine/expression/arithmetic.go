package expression

import (
	"math"
	"time"

	"github.com/shopspring/decimal"
)

// Bounds on decimals. They are far beyond any amount and keep a loop of
// multiplications from building numbers of millions of digits.
const (
	maxDigits   = 200
	maxExponent = 200
)

// divisionDigits is how many significant digits a quotient has at least.
const divisionDigits = 28

var zero = decimal.Decimal{}

func outOfRange(d decimal.Decimal) bool {
	e := d.Exponent()
	return e > maxExponent || e < -maxExponent
}

// checked refuses decimals beyond the bounds.
func checked(d decimal.Decimal) (any, error) {
	if outOfRange(d) || d.NumDigits() > maxDigits {
		return nil, failf(CodeValue, "a number of more than %d digits", maxDigits).hinted("round() on the way")
	}
	return d, nil
}

// compareDecimals compares by value. It does not bring numbers of far apart
// exponents to one scale.
func compareDecimals(a, b decimal.Decimal) int {
	if a.Sign() != b.Sign() || a.Sign() == 0 {
		return a.Sign() - b.Sign()
	}
	if outOfRange(a) || outOfRange(b) {
		am, bm := magnitude(a), magnitude(b)
		if am != bm {
			return compareOrdered(am, bm) * a.Sign()
		}
	}
	return a.Cmp(b)
}

// magnitude is the power of ten just above the number's absolute value.
func magnitude(d decimal.Decimal) int64 { return int64(d.NumDigits()) + int64(d.Exponent()) }

func overflow() *Error {
	return failf(CodeValue, "a whole number beyond 64 bits").hinted("make it a decimal(…) first")
}

// operands brings both sides of an operator to decimals.
func operands(operator string, a, b any) (x, y decimal.Decimal, err error) {
	x, okX := toDecimal(a)
	y, okY := toDecimal(b)
	if !okX || !okY {
		return x, y, badOperands(operator, a, b)
	}
	if outOfRange(x) || outOfRange(y) {
		_, err = checked(decimal.New(1, maxExponent+1))
	}
	return x, y, err
}

func badOperands(operator string, a, b any) *Error {
	switch {
	case a == nil && b == nil:
		return failf(CodeType, "both sides of %s are nil", operator).hinted("coalesce(x, 0) gives a number where there is none")
	case a == nil:
		return failf(CodeType, "the left side of %s is nil", operator).hinted("coalesce(x, 0) gives a number where there is none")
	case b == nil:
		return failf(CodeType, "the right side of %s is nil", operator).hinted("coalesce(x, 0) gives a number where there is none")
	}
	e := failf(CodeType, "%s does not work between %s and %s", operator, describe(a), describe(b))
	if hint := operatorHint(operator, valueKind(a), valueKind(b)); hint != "" {
		e.Hint = hint
	}
	return e
}

// add adds numbers and joins texts. Beside a text, nil is "" as in templates;
// beside a number it is an error, because no amount is not an amount of 0.
func (m *meter) add(a, b any) (any, error) {
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			sum := x + y
			if (sum > x) != (y > 0) {
				return nil, overflow()
			}
			return sum, nil
		}
	case string:
		if y, ok := b.(string); ok || b == nil {
			return m.joined(x, y)
		}
	case nil:
		if y, ok := b.(string); ok {
			return m.joined("", y)
		}
	}
	x, y, err := operands("+", a, b)
	if err != nil {
		return nil, err
	}
	return x.Add(y), m.build(bytesDecimal)
}

func (m *meter) joined(a, b string) (any, error) {
	if err := m.buildText(len(a) + len(b)); err != nil {
		return nil, err
	}
	return a + b, nil
}

// subtract subtracts numbers. The difference of two instants is a decimal of
// seconds.
func (m *meter) subtract(a, b any) (any, error) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			difference := x - y
			if (difference < x) != (y > 0) {
				return nil, overflow()
			}
			return difference, nil
		}
	}
	if x, ok := a.(time.Time); ok {
		if y, ok := b.(time.Time); ok {
			seconds := decimal.NewFromInt(x.Unix() - y.Unix())
			return seconds.Add(decimal.New(int64(x.Nanosecond()-y.Nanosecond()), -9)), nil
		}
	}
	x, y, err := operands("-", a, b)
	if err != nil {
		return nil, err
	}
	return x.Sub(y), m.build(bytesDecimal)
}

func (m *meter) multiply(a, b any) (any, error) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			product := x * y
			if x != 0 && (product/x != y || x == -1 && y == math.MinInt64) {
				return nil, overflow()
			}
			return product, nil
		}
	}
	x, y, err := operands("*", a, b)
	if err != nil {
		return nil, err
	}
	if err := m.build(bytesDecimal); err != nil {
		return nil, err
	}
	return checked(x.Mul(y))
}

// divide gives a decimal, also of whole numbers: 7 / 2 is 3.5.
func (m *meter) divide(a, b any) (any, error) {
	x, y, err := operands("/", a, b)
	if err != nil {
		return nil, err
	}
	if y.IsZero() {
		return nil, failf(CodeValue, "division by zero").hinted("choose(x == 0, …, … / x) divides only where it can")
	}
	if err := m.build(bytesDecimal); err != nil {
		return nil, err
	}
	return quotient(x, y), nil
}

// quotient divides to 28 significant digits, half away from zero, and never to
// less than whole units. y is not zero.
func quotient(x, y decimal.Decimal) decimal.Decimal {
	if x.IsZero() {
		return zero
	}
	mx, my := magnitude(x), magnitude(y)
	whole := mx - my // digits of the quotient before the point, at most one more
	if x.Abs().Shift(int32(-mx)).Cmp(y.Abs().Shift(int32(-my))) >= 0 {
		whole++
	}
	return x.DivRound(y, int32(max(divisionDigits-whole, 0))).Normalize()
}

// modulo is the remainder of the division towards zero: it has the sign of the
// left side.
func (m *meter) modulo(a, b any) (any, error) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok && y != 0 {
			if y == -1 { // the one quotient that overflows
				return int64(0), nil
			}
			return x % y, nil
		}
	}
	x, y, err := operands("%", a, b)
	if err != nil {
		return nil, err
	}
	if y.IsZero() {
		return nil, failf(CodeValue, "division by zero")
	}
	return x.Mod(y), m.build(bytesDecimal)
}

// power raises to a whole power and gives a decimal.
func (m *meter) power(a, b any) (any, error) {
	x, _, err := operands("**", a, b)
	if err != nil {
		return nil, err
	}
	n, ok := toInteger(b)
	if !ok || n < -1000 || n > 1000 {
		return nil, failf(CodeValue, "a power must be a whole number of at most 1000")
	}
	if n < 0 && x.IsZero() {
		return nil, failf(CodeValue, "division by zero")
	}
	result := decimal.NewFromInt(1)
	for range max(n, -n) {
		if err := m.spend(1); err != nil {
			return nil, err
		}
		result = result.Mul(x)
		if _, err := checked(result); err != nil {
			return nil, err
		}
	}
	if n < 0 {
		return quotient(decimal.NewFromInt(1), result), nil
	}
	return result, nil
}

func negate(v any) (any, error) {
	switch v := v.(type) {
	case int64:
		if v == math.MinInt64 {
			return nil, overflow()
		}
		return -v, nil
	case decimal.Decimal:
		return v.Neg(), nil
	case nil:
		return nil, nil
	}
	return nil, failf(CodeType, "- does not work on %s", describe(v))
}

// asDecimal turns whole numbers into decimals and leaves everything else.
func asDecimal(v any) any {
	if i, ok := v.(int64); ok {
		return decimal.NewFromInt(i)
	}
	return v
}
