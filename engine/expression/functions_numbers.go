package expression

import (
	"strings"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

var numberFunctions = []definition{
	{
		signature: "decimal(value text|number) -> decimal",
		summary:   `A number, or the number that a text holds, exactly; nil of "".`,
		example:   `decimal("19.90") * 3`, gives: `59.7`,
		typ: func(_ *compiler, call *call) *connectors.Schema {
			if kindOf(call.typeOf(0))&kindNumber != 0 {
				return typeDecimal
			}
			return orNull(typeDecimal)
		},
		run: func(_ *evaluation, args []any) (any, error) {
			text, ok := args[0].(string)
			if !ok {
				return asDecimal(args[0]), nil
			}
			if text = strings.TrimSpace(text); text == "" {
				return nil, nil
			}
			d, err := connectors.ParseDecimal(text)
			if err != nil {
				return nil, failf(CodeValue, "%s is no number", excerpt(text)).hinted("a number is written like 1234.50")
			}
			return d, nil
		},
	},
	{
		signature: "int(value text|number) -> int",
		summary:   `A whole number, or the one that a text holds; nil of "". Numbers that are not whole are an error: round(…) them first.`,
		example:   `int("0042")`, gives: `42`,
		typ: func(_ *compiler, call *call) *connectors.Schema {
			if kindOf(call.typeOf(0))&kindNumber != 0 {
				return typeInteger
			}
			return orNull(typeInteger)
		},
		run: func(_ *evaluation, args []any) (any, error) {
			v := args[0]
			if text, ok := v.(string); ok {
				if text = strings.TrimSpace(text); text == "" {
					return nil, nil
				}
				d, err := connectors.ParseDecimal(text)
				if err != nil {
					return nil, failf(CodeValue, "%s is no whole number", excerpt(text))
				}
				v = d
			}
			whole, ok := toInteger(v)
			if !ok {
				text, _ := textOf(v)
				return nil, failf(CodeValue, "%s is no whole number of 64 bits", text).hinted("round(…), floor(…) or ceil(…) it first")
			}
			return whole, nil
		},
	},
	{
		signature: "abs(value number) -> number",
		summary:   "The number without its sign.",
		example:   `abs(-3.50)`, gives: `3.5`,
		typ: func(_ *compiler, call *call) *connectors.Schema {
			if kindOf(call.typeOf(0))&kindNumber != 0 {
				return notNull(call.typeOf(0))
			}
			return typeAny
		},
		run: func(_ *evaluation, args []any) (any, error) {
			if d, _ := toDecimal(args[0]); d.Sign() < 0 {
				return negate(args[0])
			}
			return args[0], nil
		},
	},
	{
		signature: "floor(value number) -> decimal",
		summary:   "The whole number at or below.",
		example:   `floor(-1.5)`, gives: `-2`,
		run: func(_ *evaluation, args []any) (any, error) {
			d, _ := toDecimal(args[0])
			return d.Floor(), nil
		},
	},
	{
		signature: "ceil(value number) -> decimal",
		summary:   "The whole number at or above.",
		example:   `ceil(1.2)`, gives: `2`,
		run: func(_ *evaluation, args []any) (any, error) {
			d, _ := toDecimal(args[0])
			return d.Ceil(), nil
		},
	},
	{
		signature: "min(values any...) -> any",
		summary:   "The least of the values, or of the elements of lists; nil of none. Numbers, texts or instants.",
		example:   `min([3, 1.5, 2])`, gives: `1.5`,
		typ: extremeType,
		run: func(e *evaluation, args []any) (any, error) { return e.extreme(args, -1) },
	},
	{
		signature: "max(values any...) -> any",
		summary:   "The greatest of the values, or of the elements of lists; nil of none. Numbers, texts or instants.",
		example:   `max(0, -3)`, gives: `0`,
		typ: extremeType,
		run: func(e *evaluation, args []any) (any, error) { return e.extreme(args, 1) },
	},
	{
		signature: "mean(list list) -> decimal",
		summary:   "The average of the numbers; 0 of none.",
		example:   `mean([1, 2, 4])`, gives: `7 / 3`,
		typ: numbersType,
		run: func(e *evaluation, args []any) (any, error) {
			numbers, err := decimals(args[0].([]any), "mean")
			if err != nil || len(numbers) == 0 {
				return zero, err
			}
			total := zero
			for _, d := range numbers {
				total = total.Add(d)
			}
			return quotient(total, decimal.NewFromInt(int64(len(numbers)))), nil
		},
	},
	{
		signature: "median(list list) -> decimal",
		summary:   "The number in the middle of the sorted numbers, or the average of the two; 0 of none.",
		example:   `median([5, 1, 2])`, gives: `2`,
		typ: numbersType,
		run: func(e *evaluation, args []any) (any, error) {
			numbers, err := decimals(args[0].([]any), "median")
			if err != nil || len(numbers) == 0 {
				return zero, err
			}
			ordered := listOfAny(numbers)
			if ordered, err = e.sorted(ordered, ordered, nil); err != nil {
				return nil, err
			}
			middle := len(ordered) / 2
			if len(ordered)%2 == 1 {
				return ordered[middle], nil
			}
			sum := ordered[middle-1].(decimal.Decimal).Add(ordered[middle].(decimal.Decimal))
			return quotient(sum, decimal.NewFromInt(2)), nil
		},
	},
}

// decimals reads a list of numbers.
func decimals(list []any, name string) ([]decimal.Decimal, error) {
	out := make([]decimal.Decimal, len(list))
	for i, item := range list {
		d, ok := toDecimal(canonical(item))
		if !ok {
			return nil, failf(CodeType, "element %d of what %s() takes is %s", i, name, describe(canonical(item)))
		}
		if outOfRange(d) {
			return nil, failf(CodeValue, "element %d of what %s() takes has more than %d digits", i, name, maxDigits)
		}
		out[i] = d
	}
	return out, nil
}

// numbersType checks that a list is one of numbers.
func numbersType(c *compiler, call *call) *connectors.Schema {
	c.wantsItems(call, 0, kindNumber)
	return call.result
}

// wantsItems reports a list whose elements cannot be of the kinds.
func (c *compiler) wantsItems(call *call, i int, kinds kind) {
	if i >= len(call.args) {
		return
	}
	if k := kindOf(itemsOf(call.typeOf(i))); k&(kinds|kindOpen) == 0 {
		c.problem(c.over(call.args[i].node), CodeType, conversionHint(k, kinds),
			"the elements of the %s argument of %s() must be %s, and these are %s", ordinal(i), call.name, kinds, k)
	}
}

func extremeType(c *compiler, call *call) *connectors.Schema {
	out := typeNever
	nullable := len(call.args) == 0
	for _, arg := range call.args {
		t := arg.typ
		if kindOf(t) == kindList {
			t, nullable = itemsOf(t), true
		}
		if k := kindOf(t); k&(kindNumber|kindText|kindInstant|kindOpen) == 0 {
			c.problem(c.over(arg.node), CodeType, "", "%s() compares numbers, texts or instants, and this is %s", call.name, k)
		}
		out = union(out, t)
	}
	if nullable {
		return orNull(out)
	}
	return out
}

// extreme finds the least (sign -1) or greatest (sign 1) of values and elements.
func (m *meter) extreme(args []any, sign int) (any, error) {
	var best any
	look := func(v any) error {
		v = canonical(v)
		if v == nil {
			return failf(CodeType, "one of the values to compare is nil").hinted("compact(…) drops those that are nil")
		}
		if best == nil {
			best = v
		}
		by, err := m.order(v, best) // also of the first, which must have an order
		if err == nil && by*sign > 0 {
			best = v
		}
		return err
	}
	for _, arg := range args {
		list, ok := arg.([]any)
		if !ok {
			list = []any{arg}
		}
		for _, v := range list {
			if err := look(v); err != nil {
				return nil, err
			}
		}
	}
	return best, nil
}
