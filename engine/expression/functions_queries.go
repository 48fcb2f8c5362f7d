package expression

import (
	"github.com/expr-lang/expr/ast"

	"github.com/flowctl/flowctl/connectors"
)

// queryFunctions find records in lists by their fields. They take the name of a
// field as text: only expr's own functions can take a predicate.
var queryFunctions = []definition{
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
