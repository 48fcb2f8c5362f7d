package expression

// Functions with a predicate are compiled in loops.go; this is their
// documentation. The parser of expr fixes their names.
var loopFunctions = []definition{
	{
		signature: "all(list list, test predicate) -> bool",
		summary:   "Whether the test holds for every element; it does for none.",
		example:   `all([2, 4], # % 2 == 0)`, gives: `true`,
	},
	{
		signature: "any(list list, test predicate) -> bool",
		summary:   "Whether the test holds for at least one element.",
		example:   `any([1, 2], # > 1)`, gives: `true`,
	},
	{
		signature: "none(list list, test predicate) -> bool",
		summary:   "Whether the test holds for no element.",
		example:   `none([1, 2], # > 2)`, gives: `true`,
	},
	{
		signature: "one(list list, test predicate) -> bool",
		summary:   "Whether the test holds for exactly one element.",
		example:   `one([1, 2, 3], # > 2)`, gives: `true`,
	},
	{
		signature: "filter(list list, test predicate) -> list",
		summary:   "The elements for which the test holds. # is the element, .field a field of it, #index its index.",
		example:   `filter([{"sku": "a", "qty": 1}, {"sku": "b", "qty": 0}], .qty > 0)`, gives: `[{"sku": "a", "qty": 1}]`,
	},
	{
		signature: "map(list list, body predicate) -> list",
		summary:   "What the body gives for each element. A record as the body needs double braces.",
		example:   `map([{"sku": "a"}, {"sku": "b"}], {{"code": upper(.sku), "row": #index}})`,
		gives:     `[{"code": "A", "row": 0}, {"code": "B", "row": 1}]`,
	},
	{
		signature: "find(list list, test predicate) -> any",
		summary:   "The first element for which the test holds, nil if there is none.",
		example:   `find([{"id": 7}, {"id": 8}], .id == 8)`, gives: `{"id": 8}`,
	},
	{
		signature: "findIndex(list list, test predicate) -> int",
		summary:   "The index of the first element for which the test holds, nil if there is none.",
		example:   `findIndex(["a", "b"], # == "b")`, gives: `1`,
	},
	{
		signature: "findLast(list list, test predicate) -> any",
		summary:   "The last element for which the test holds, nil if there is none.",
		example:   `findLast([1, 2, 3], # < 3)`, gives: `2`,
	},
	{
		signature: "findLastIndex(list list, test predicate) -> int",
		summary:   "The index of the last element for which the test holds, nil if there is none.",
		example:   `findLastIndex([1, 2, 3], # < 3)`, gives: `1`,
	},
	{
		signature: "count(list list, test predicate?) -> int",
		summary:   "How many elements the test holds for; without a test, how many are true. len(…) counts all.",
		example:   `count([1, 2, 3], # > 1)`, gives: `2`,
	},
	{
		signature: "sum(list list, value predicate?) -> number",
		summary:   "The sum of the numbers, or of what the body gives for each element; exact, and 0 for none.",
		example:   `sum([{"total": 0.10}, {"total": 0.20}], .total)`, gives: `0.3`,
	},
	{
		signature: "groupBy(list list, key predicate) -> record",
		summary:   "A record of lists: the elements by the text of their key. group(…) keeps the order of the groups.",
		example:   `groupBy([1, 2, 3], # % 2 == 0 ? "even" : "odd")`, gives: `{"odd": [1, 3], "even": [2]}`,
	},
	{
		signature: "sortBy(list list, key predicate, order text?) -> list",
		summary:   `The elements in the order of their key, "asc" or "desc"; equal ones keep their order, nil comes first.`,
		example:   `sortBy([{"n": 2}, {"n": 1}], .n)`, gives: `[{"n": 1}, {"n": 2}]`,
	},
	{
		signature: "reduce(list list, body predicate, initial any?) -> any",
		summary:   "Folds a list: #acc is what the elements before made, # the element.",
		example:   `reduce([1, 2, 3], #acc * 10 + #, 0)`, gives: `123`,
	},
}

var choiceFunctions = []definition{
	{
		signature: "coalesce(values any...) -> any",
		summary:   `The first value that is neither nil nor "". The last one is given as it is; those after the first found are not evaluated.`,
		example:   `coalesce(nil, "", "guest")`, gives: `"guest"`,
		form: func(c *compiler, call *call) operand {
			if len(call.args) == 0 {
				c.problem(call.at, CodeArguments, call.signature, "coalesce() takes at least 1 argument")
				return operand{typ: typeAny, eval: call.evaluate}
			}
			return c.coalesceOperands(call.args, true)
		},
	},
	{
		signature: "choose(condition bool, yes any, no any) -> any",
		summary:   "One of two values; the other is not evaluated. It is the ternary operator without a colon, which YAML would break at.",
		example:   `choose(2 > 1, "more", "less")`, gives: `"more"`,
		form: func(c *compiler, call *call) operand {
			return c.choice(call.args[0], call.args[1], call.args[2])
		},
	},
}
