package expression

import (
	"github.com/expr-lang/expr/ast"

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
		signature: "where(list list, fields record) -> list",
		summary:   "The records whose fields equal the given ones. It is filter(…) without operators, which YAML may trip over.",
		example:   `where([{"id": 1, "type": "a"}, {"id": 2, "type": "b"}], {type: "b"})`, gives: `[{"id": 2, "type": "b"}]`,
		typ: whereType,
		run: func(e *evaluation, args []any) (any, error) {
			out, fields := []any{}, args[1].(map[string]any)
			for _, item := range args[0].([]any) {
				is, err := e.hasFields(item, fields)
				if err != nil {
					return nil, err
				}
				if is {
					out = append(out, item)
				}
			}
			return out, e.buildList(len(out))
		},
	},
	{
		signature: "lookup(list list, field text, value any) -> any",
		summary:   "The first record whose field has the value, nil if there is none.",
		example:   `lookup([{"code": "FR", "id": 75}], "code", "FR").id`, gives: `75`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			if field := c.fieldOfItems(call, 0, 1); !comparableTypes(field, call.typeOf(2)) {
				c.problem(c.over(call.args[2].node), CodeType, operatorHint("==", kindOf(field), kindOf(call.typeOf(2))),
					"the field is %s and never equal to %s", kindOf(field), kindOf(call.typeOf(2)))
			}
			return elementOfFirst(c, call)
		},
		run: func(e *evaluation, args []any) (any, error) {
			fields := map[string]any{args[1].(string): args[2]}
			for _, item := range args[0].([]any) {
				if is, err := e.hasFields(item, fields); is || err != nil {
					return canonical(item), err
				}
			}
			return nil, nil
		},
	},
	{
		signature: "group(list list, field text) -> list of {key, items}",
		summary:   "The records in groups of equal values of a field, in the order in which the values first occur.",
		example:   `group([{"tax": 2, "id": 1}, {"tax": 1, "id": 2}, {"tax": 2, "id": 3}], "tax")`,
		gives: `[{"key": 2, "items": [{"tax": 2, "id": 1}, {"tax": 2, "id": 3}]}, ` +
			`{"key": 1, "items": [{"tax": 1, "id": 2}]}]`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			return listOf(connectors.Object(map[string]*connectors.Schema{
				"key":   c.fieldOfItems(call, 0, 1),
				"items": listOf(itemsOf(call.typeOf(0))),
			}, "key", "items"))
		},
		run: groupRecords,
	},
	{
		signature: "index(list list, field text) -> record",
		summary:   "A record of the records, each under the text of its field; the first of equal ones, and none without the field.",
		example:   `index([{"sku": "a", "id": 1}, {"sku": "b", "id": 2}], "sku")["b"].id`, gives: `2`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			c.fieldOfItems(call, 0, 1)
			typ := &connectors.Schema{Type: "object", Open: true}
			return c.remember(typ, shape{values: itemsOf(call.typeOf(0))})
		},
		run: func(e *evaluation, args []any) (any, error) {
			list := args[0].([]any)
			out := make(map[string]any, len(list))
			for _, item := range list {
				value, err := fieldOf(item, args[1].(string))
				if err != nil {
					return nil, err
				}
				key, err := keyOf(value)
				if err != nil {
					return nil, err
				}
				if _, taken := out[key]; !taken && value != nil {
					out[key] = item
				}
			}
			return out, e.buildRecord(len(out))
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

// fieldOfItems is the type of the field that an argument names, of the elements
// of another; it reports a field that they do not have.
func (c *compiler) fieldOfItems(call *call, list, field int) *connectors.Schema {
	name, ok := call.constantText(field)
	items := itemsOf(call.typeOf(list))
	if !ok || items == nil || items == typeNever {
		return typeAny
	}
	return c.fieldType(items, name, c.at(call.args[field].node))
}

func whereType(c *compiler, call *call) *connectors.Schema {
	items := itemsOf(call.typeOf(0))
	written, ok := call.args[1].node.(*ast.MapNode)
	if !ok || items == nil || items == typeNever {
		return sameList(c, call)
	}
	for _, node := range written.Pairs {
		pair := node.(*ast.PairNode)
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			continue
		}
		field := c.fieldType(items, key.Value, c.at(key))
		if value, _ := propertyOf(call.typeOf(1), key.Value); !comparableTypes(field, value) {
			c.problem(c.over(pair.Value), CodeType, operatorHint("==", kindOf(field), kindOf(value)),
				"the field %q is %s and never equal to %s", key.Value, kindOf(field), kindOf(value))
		}
	}
	return sameList(c, call)
}

// fieldOf reads a field of an element that must be a record or nil.
func fieldOf(item any, name string) (any, error) {
	switch record := canonical(item).(type) {
	case map[string]any:
		return canonical(record[name]), nil
	case nil:
		return nil, nil
	default:
		return nil, noFields(record, name)
	}
}

func (m *meter) hasFields(item any, fields map[string]any) (bool, error) {
	for name, want := range fields {
		if err := m.spend(1); err != nil {
			return false, err
		}
		v, err := fieldOf(item, name)
		if err != nil {
			return false, err
		}
		if same, err := m.equal(v, canonical(want)); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// identityOf is the identity of an element, or of one field of it.
func (m *meter) identityOf(item, field any) (string, error) {
	if err := m.spend(1); err != nil {
		return "", err
	}
	name, ok := field.(string)
	if !ok {
		return m.identity(canonical(item))
	}
	v, err := fieldOf(item, name)
	if err != nil {
		return "", err
	}
	return m.identity(v)
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

func groupRecords(e *evaluation, args []any) (any, error) {
	type groupOf struct {
		key   any
		items []any
	}
	var groups []*groupOf
	byIdentity := map[string]*groupOf{}
	for _, item := range args[0].([]any) {
		value, err := fieldOf(item, args[1].(string))
		if err != nil {
			return nil, err
		}
		identity, err := e.identity(value)
		if err != nil {
			return nil, err
		}
		g := byIdentity[identity]
		if g == nil {
			g = &groupOf{key: value}
			byIdentity[identity] = g
			groups = append(groups, g)
			if err := e.build(3 * bytesField); err != nil {
				return nil, err
			}
		}
		g.items = append(g.items, item)
		if err := e.buildList(1); err != nil {
			return nil, err
		}
	}
	out := make([]any, len(groups))
	for i, g := range groups {
		out[i] = map[string]any{"key": g.key, "items": g.items}
	}
	return out, nil
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
