package expression

import (
	"github.com/flowctl/flowctl/connectors"
)

// arithmeticOperator computes a value of two.
type arithmeticOperator struct {
	// typ is the type of the result by the kinds of both sides, nil where the
	// operator does not work between them.
	typ func(a, b kind) *connectors.Schema
	run func(m *meter, a, b any) (any, error)
}

var arithmetic = map[string]arithmeticOperator{
	"+":  {typ: typeOfSum, run: (*meter).add},
	"-":  {typ: typeOfDifference, run: (*meter).subtract},
	"*":  {typ: typeOfProduct, run: (*meter).multiply},
	"/":  {typ: typeOfQuotient, run: (*meter).divide},
	"%":  {typ: typeOfProduct, run: (*meter).modulo},
	"**": {typ: typeOfQuotient, run: (*meter).power},
	"^":  {typ: typeOfQuotient, run: (*meter).power},
	"..": {typ: typeOfRange, run: (*meter).makeRange},
}

const (
	kindOpen    = kindUnknown | kindNull
	kindNumeric = kindNumber | kindOpen
)

// typeOfProduct is whole for whole numbers, decimal if one side is decimal.
func typeOfProduct(a, b kind) *connectors.Schema {
	switch {
	case a&kindNumeric == 0 || b&kindNumeric == 0:
		return nil
	case a == kindDecimal || b == kindDecimal:
		return typeDecimal
	case a == kindInteger && b == kindInteger:
		return typeInteger
	}
	return typeAny
}

// typeOfQuotient is always decimal.
func typeOfQuotient(a, b kind) *connectors.Schema {
	if a&kindNumeric == 0 || b&kindNumeric == 0 {
		return nil
	}
	return typeDecimal
}

func typeOfSum(a, b kind) *connectors.Schema {
	if a == kindText || b == kindText {
		if (a|b)&^(kindText|kindOpen) != 0 {
			return nil
		}
		return typeText
	}
	return typeOfProduct(a, b)
}

func typeOfDifference(a, b kind) *connectors.Schema {
	if a == kindInstant || b == kindInstant {
		if (a|b)&^(kindInstant|kindOpen) != 0 {
			return nil
		}
		return typeDecimal
	}
	return typeOfProduct(a, b)
}

func typeOfRange(a, b kind) *connectors.Schema {
	if a&kindNumeric == 0 || b&kindNumeric == 0 {
		return nil
	}
	return listOf(typeInteger)
}

// makeRange makes the list of whole numbers a..b, both included; it is empty
// where b is less than a.
func (m *meter) makeRange(a, b any) (any, error) {
	from, okFrom := toInteger(a)
	to, okTo := toInteger(b)
	if !okFrom || !okTo {
		return nil, failf(CodeType, "both ends of .. must be whole numbers, and these are %s and %s", describe(a), describe(b))
	}
	if to < from {
		return []any{}, nil
	}
	// Checked as a difference first, which the bounds of int64 may overflow.
	if length := to - from; length < 0 || length >= int64(m.limits.Iterations) {
		return nil, m.spend(m.limits.Iterations + 1)
	}
	length := int(to-from) + 1
	if err := m.buildList(length); err != nil {
		return nil, err
	}
	out := make([]any, length)
	for i := range out {
		out[i] = from + int64(i)
	}
	return out, nil
}
