package expression

import (
	"github.com/flowctl/flowctl/connectors"
)

var listFunctions = []definition{
	{
		signature: "first(list list) -> any",
		summary:   "The first element, nil of an empty list.",
		example:   `first([7, 8])`, gives: `7`,
		typ: elementOfFirst,
		run: func(_ *evaluation, args []any) (any, error) {
			if list := args[0].([]any); len(list) > 0 {
				return canonical(list[0]), nil
			}
			return nil, nil
		},
	},
	{
		signature: "last(list list) -> any",
		summary:   "The last element, nil of an empty list.",
		example:   `last([7, 8])`, gives: `8`,
		typ: elementOfFirst,
		run: func(_ *evaluation, args []any) (any, error) {
			if list := args[0].([]any); len(list) > 0 {
				return canonical(list[len(list)-1]), nil
			}
			return nil, nil
		},
	},
	{
		signature: "get(value list|record|text, key any) -> any",
		summary:   "The element at an index or the field of a name, nil where there is none.",
		example:   `get([7, 8], 5)`, gives: `nil`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			if kindOf(call.typeOf(0)) == kindRecord {
				return c.namedField(call, 0, 1)
			}
			return elementOfFirst(c, call)
		},
		run: func(e *evaluation, args []any) (any, error) {
			if args[1] == nil {
				return nil, nil
			}
			v, _, err := e.element(args[0], args[1])
			return v, err
		},
	},
	{
		signature: "take(list list, length int) -> list",
		summary:   "The first elements, fewer if there are fewer.",
		example:   `take([1, 2, 3], 2)`, gives: `[1, 2]`,
		typ: sameList,
		run: func(_ *evaluation, args []any) (any, error) {
			list, n := args[0].([]any), args[1].(int64)
			if n < 0 {
				return nil, failf(CodeValue, "%d elements cannot be taken", n)
			}
			n = min(n, int64(len(list)))
			return list[:n:n], nil
		},
	},
	{
		signature: "reverse(list list) -> list",
		summary:   "The elements from last to first.",
		example:   `reverse([1, 2, 3])`, gives: `[3, 2, 1]`,
		typ: sameList,
		run: func(e *evaluation, args []any) (any, error) {
			list := args[0].([]any)
			out := make([]any, len(list))
			for i, item := range list {
				out[len(list)-1-i] = item
			}
			return out, e.buildList(len(list))
		},
	},
	{
		signature: "sort(list list, order text?) -> list",
		summary:   `The numbers, texts or instants in order, "asc" or "desc"; nil comes first.`,
		example:   `sort([2, 1.5, 3], "desc")`, gives: `[3, 2, 1.5]`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			if kindOf(itemsOf(call.typeOf(0))) == kindRecord {
				c.problem(c.over(call.args[0].node), CodeType, "sortBy(list, .field) sorts records", "records have no order")
			}
			return sameList(c, call)
		},
		run: func(e *evaluation, args []any) (any, error) {
			list := args[0].([]any)
			keys := make([]any, len(list))
			for i, item := range list {
				keys[i] = canonical(item)
			}
			return e.sorted(list, keys, args[1])
		},
	},
	{
		signature: "concat(lists list...) -> list",
		summary:   "One list of many.",
		example:   `concat([1], [2, 3])`, gives: `[1, 2, 3]`,
		typ: func(_ *compiler, call *call) *connectors.Schema {
			items := typeNever
			for _, arg := range call.args {
				items = union(items, itemsOf(arg.typ))
			}
			return listOf(items)
		},
		run: func(e *evaluation, args []any) (any, error) {
			length := 0
			for _, list := range args {
				length += len(list.([]any))
			}
			if err := e.buildList(length); err != nil {
				return nil, err
			}
			out := make([]any, 0, length)
			for _, list := range args {
				out = append(out, list.([]any)...)
			}
			return out, nil
		},
	},
	{
		signature: "flatten(list list) -> list",
		summary:   "The elements of the lists in a list, and of the lists in those.",
		example:   `flatten([[1, 2], [3, [4]]])`, gives: `[1, 2, 3, 4]`,
		typ: func(_ *compiler, call *call) *connectors.Schema {
			items := itemsOf(call.typeOf(0))
			for kindOf(items) == kindList {
				items = items.Items
			}
			return listOf(items)
		},
		run: func(e *evaluation, args []any) (any, error) {
			out := []any{}
			err := e.flatten(args[0].([]any), &out, 0)
			return out, err
		},
	},
	{
		signature: "compact(list list) -> list",
		summary:   `The elements that are neither nil nor "".`,
		example:   `compact(["Rue 1", "", nil, "Paris"])`, gives: `["Rue 1", "Paris"]`,
		typ: func(_ *compiler, call *call) *connectors.Schema { return listOf(notNull(itemsOf(call.typeOf(0)))) },
		run: func(e *evaluation, args []any) (any, error) {
			out := []any{}
			for _, item := range args[0].([]any) {
				if item != nil && item != "" {
					out = append(out, item)
				}
			}
			return out, e.buildList(len(out))
		},
	},
	{
		signature: "unique(list list, field text?) -> list",
		summary:   "The elements without those that are equal to one before, or equal in a field.",
		example:   `unique([1, 2, 1.0, "1"])`, gives: `[1, 2, "1"]`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			c.fieldOfItems(call, 0, 1)
			return sameList(c, call)
		},
		run: func(e *evaluation, args []any) (any, error) {
			out, seen := []any{}, map[string]bool{}
			for _, item := range args[0].([]any) {
				key, err := e.identityOf(item, args[1])
				if err != nil {
					return nil, err
				}
				if !seen[key] {
					seen[key] = true
					out = append(out, item)
				}
			}
			return out, e.buildList(len(out))
		},
	},
	{
		signature: "zip(a list, b list, more list...) -> list of lists",
		summary:   "Pairs the elements of lists of one length: [a, b] for each index.",
		example:   `zip(["a", "b"], [1, 2])`, gives: `[["a", 1], ["b", 2]]`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			items, tuple := typeNever, make([]*connectors.Schema, len(call.args))
			for i, arg := range call.args {
				tuple[i] = itemsOf(arg.typ)
				items = union(items, tuple[i])
			}
			return listOf(c.remember(listOf(items), shape{tuple: tuple}))
		},
		run: zipLists,
	},
}

// elementOfFirst is the type of an element of the first argument, or nil.
func elementOfFirst(c *compiler, call *call) *connectors.Schema {
	items := itemsOf(call.typeOf(0))
	if kindOf(call.typeOf(0)) == kindText {
		items = typeText
	}
	if items == nil || items == typeNever {
		return typeAny
	}
	return c.orNull(items)
}

// sameList is the type of a list of elements of the first argument.
func sameList(_ *compiler, call *call) *connectors.Schema {
	return listOf(itemsOf(call.typeOf(0)))
}

func (m *meter) flatten(list []any, out *[]any, depth int) error {
	if depth > maxValueDepth {
		return failf(CodeLimit, "the list is nested deeper than %d", maxValueDepth)
	}
	if err := m.buildList(len(list)); err != nil {
		return err
	}
	for _, item := range list {
		inner, ok := canonical(item).([]any)
		if !ok {
			*out = append(*out, item)
			continue
		}
		if err := m.flatten(inner, out, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func zipLists(e *evaluation, args []any) (any, error) {
	length := len(args[0].([]any))
	for _, list := range args {
		if n := len(list.([]any)); n != length {
			return nil, failf(CodeValue, "zip() of lists of %d and %d elements", length, n).hinted("take(…) cuts the longer one")
		}
	}
	if err := e.buildList(length * (len(args) + 2)); err != nil {
		return nil, err
	}
	out := make([]any, length)
	for i := range out {
		row := make([]any, len(args))
		for j, list := range args {
			row[j] = list.([]any)[i]
		}
		out[i] = row
	}
	return out, nil
}
