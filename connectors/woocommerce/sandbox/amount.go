package sandbox

import (
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// roundingDigits is WooCommerce's internal precision: amounts are stored with
// six decimals, whatever the shop shows.
const roundingDigits = 6

var (
	zero    = decimal.Zero
	hundred = decimal.NewFromInt(100)
)

// roundHalfDown rounds ties toward zero: 0.125 to two digits is 0.12.
func roundHalfDown(d decimal.Decimal, digits int32) decimal.Decimal {
	half := decimal.New(5, -digits-1)
	cut := d.Truncate(digits)
	if d.Sub(cut).Abs().GreaterThan(half) {
		return d.Round(digits)
	}
	return cut
}

// divide keeps far more digits than are ever looked at.
func divide(a, b decimal.Decimal) decimal.Decimal { return a.DivRound(b, 30) }

func sum(amounts ...decimal.Decimal) decimal.Decimal {
	total := zero
	for _, a := range amounts {
		total = total.Add(a)
	}
	return total
}

// stored rounds an amount to the six digits that the database keeps.
//
// PHP prints the binary number nearest to the amount, so a tie at the seventh
// digit falls as that number falls: 5.3715375 is kept as 5.371537 (case B11).
// Only for this is the amount put through a float.
func stored(d decimal.Decimal) decimal.Decimal {
	if d.Exponent() >= -roundingDigits {
		return d
	}
	nearest, err := decimal.NewFromString(strconv.FormatFloat(d.InexactFloat64(), 'f', roundingDigits, 64))
	if err != nil {
		return d.Round(roundingDigits)
	}
	return nearest
}

// trimmed writes an amount without trailing zeros: "4.5", "0".
func trimmed(d decimal.Decimal) string {
	text := d.String()
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" || text == "" {
		return "0"
	}
	return text
}

// fixed writes an amount with dp decimals, ties away from zero.
func fixed(d decimal.Decimal, dp int32) string { return d.StringFixed(dp) }

// parseAmount reads an amount as WooCommerce does: what is no digit, dot or
// sign is dropped, the shop's decimal comma becomes a dot (woo/106). ok is
// false for a text without a number.
func parseAmount(text string) (decimal.Decimal, bool) {
	cleaned := cleanAmount(text)
	if cleaned == "" {
		return zero, false
	}
	d, err := decimal.NewFromString(cleaned)
	return d, err == nil
}

func cleanAmount(text string) string {
	text = strings.ReplaceAll(text, ",", ".")
	if last := strings.LastIndexByte(text, '.'); last >= 0 {
		text = strings.ReplaceAll(text[:last], ".", "") + text[last:]
	}
	var b strings.Builder
	for _, r := range text {
		if r >= '0' && r <= '9' || r == '.' || r == '-' {
			b.WriteRune(r)
		}
	}
	cleaned := b.String()
	if _, err := decimal.NewFromString(cleaned); err != nil || len(cleaned) > 40 {
		return ""
	}
	return cleaned
}

func amountOf(text string) decimal.Decimal {
	d, _ := parseAmount(text)
	return d
}

// perUnit is how the API shows a line's price: a binary division, printed with
// as few digits as tell it apart (woo/402). It is for show, never for sums.
func perUnit(total, quantity decimal.Decimal) number {
	if quantity.IsZero() {
		return "0"
	}
	return floatNumber(total.InexactFloat64() / quantity.InexactFloat64())
}

// number is a JSON number written as it stands.
type number string

// MarshalJSON writes the digits.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func floatNumber(f float64) number { return number(strconv.FormatFloat(f, 'f', -1, 64)) }

func plainNumber(d decimal.Decimal) number { return number(trimmed(d)) }
