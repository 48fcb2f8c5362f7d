package expression

import (
	"math/bits"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// maxPlaces bounds the digits that amounts are rounded to.
const maxPlaces = 100

var moneyFunctions = []definition{
	{
		signature: "round(value number, digits int?) -> decimal",
		summary:   "The number with so many digits after the point, none if left out; a half goes away from zero.",
		example:   `round(-2.345, 2)`, gives: `-2.35`,
		run: func(_ *evaluation, args []any) (any, error) {
			d, _ := toDecimal(args[0])
			digits, err := places(args[1])
			return d.Round(digits), err
		},
	},
	{
		signature: "round_half_down(value number, digits int) -> decimal",
		summary:   "As round(…), but a half goes towards zero: how WooCommerce rounds tax where prices include it.",
		example:   `round_half_down(4.995, 2)`, gives: `4.99`,
		run: func(_ *evaluation, args []any) (any, error) {
			d, _ := toDecimal(args[0])
			digits, err := places(args[1])
			if err != nil {
				return nil, err
			}
			return roundHalfDown(d, digits), nil
		},
	},
	{
		signature: "round_to(value number, unit number) -> decimal",
		summary:   "The nearest multiple of a currency's rounding unit, such as 0.01, 1, 0.001 or 0.05; a half goes away from zero.",
		example:   `round_to(7.475, 0.05)`, gives: `7.5`,
		run: func(_ *evaluation, args []any) (any, error) {
			d, _ := toDecimal(args[0])
			unit, err := unitOf(args[1])
			if err != nil {
				return nil, err
			}
			return inUnits(unitsOf(d, unit), unit), nil
		},
	},
	{
		signature: "allocate(total number, weights list, unit number) -> list of decimals",
		summary: "Splits a total into multiples of the unit, in proportion to the weights, that add up to the total exactly. " +
			"Units left over go to the parts that rounding took most from, then to the largest weight, then to the first. " +
			"If all weights are 0, the first part is all.",
		strict:  true,
		example: `allocate(10, [1, 1, 1], 0.01)`, gives: `[3.34, 3.33, 3.33]`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			c.wantsItems(call, 1, kindNumber)
			return listOf(typeDecimal)
		},
		run: func(e *evaluation, args []any) (any, error) {
			total, _ := toDecimal(args[0])
			return e.amounts(args[1].([]any), args[2], "allocate", func(list []decimal.Decimal, unit decimal.Decimal) ([]decimal.Decimal, error) {
				return allocate(total, list, unit)
			})
		},
	},
	{
		signature: "spread(values list, target number, unit number) -> list of decimals",
		summary: "Rounds each value to the unit, then adds or takes single units, the largest value first, until they add up to the target: " +
			"where the remaining cents of an order go.",
		example: `spread([10.005, 20.005, 5], 35, 0.01)`, gives: `[10, 20, 5]`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			c.wantsItems(call, 0, kindNumber)
			return listOf(typeDecimal)
		},
		run: func(e *evaluation, args []any) (any, error) {
			target, _ := toDecimal(args[1])
			return e.amounts(args[0].([]any), args[2], "spread", func(list []decimal.Decimal, unit decimal.Decimal) ([]decimal.Decimal, error) {
				return spread(list, target, unit)
			})
		},
	},
}

// places reads the number of digits to round to.
func places(v any) (int32, error) {
	n, _ := v.(int64)
	if n < -maxPlaces || n > maxPlaces {
		return 0, failf(CodeValue, "a number cannot be rounded to %d digits", n)
	}
	return int32(n), nil
}

// unitOf reads a rounding unit.
func unitOf(v any) (decimal.Decimal, error) {
	unit, _ := toDecimal(v)
	if unit.Sign() <= 0 {
		return unit, failf(CodeValue, "the unit %s is not positive", unit).hinted("a currency's unit is 0.01, 1, 0.001 …")
	}
	return unit, nil
}

// amounts runs an algorithm over a list of amounts and a unit.
func (e *evaluation) amounts(list []any, unit any, name string, run func([]decimal.Decimal, decimal.Decimal) ([]decimal.Decimal, error)) (any, error) {
	if err := e.buildList(len(list) * (6 + bits.Len(uint(len(list))))); err != nil {
		return nil, err
	}
	numbers, err := decimals(list, name)
	if err != nil {
		return nil, err
	}
	u, err := unitOf(unit)
	if err != nil {
		return nil, err
	}
	out, err := run(numbers, u)
	if err != nil {
		return nil, err
	}
	return listOfAny(out), nil
}
