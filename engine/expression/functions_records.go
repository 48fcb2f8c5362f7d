package expression

import (
	"maps"

	"github.com/flowctl/flowctl/connectors"
)

var recordFunctions = []definition{
	{
		signature: "keys(record record) -> texts",
		summary:   "The names of a record's fields, sorted.",
		example:   `keys({"b": 1, "a": 2})`, gives: `["a", "b"]`,
		run: func(e *evaluation, args []any) (any, error) {
			return listOfAny(sortedNames(args[0].(map[string]any))), e.buildList(len(args[0].(map[string]any)))
		},
	},
	{
		signature: "values(record record) -> list",
		summary:   "The values of a record's fields, in the order of their names.",
		example:   `values({"b": 1, "a": 2})`, gives: `[2, 1]`,
		typ: func(c *compiler, call *call) *connectors.Schema { return listOf(c.valuesType(call.typeOf(0))) },
		run: func(e *evaluation, args []any) (any, error) {
			record := args[0].(map[string]any)
			out := make([]any, 0, len(record))
			for _, name := range sortedNames(record) {
				out = append(out, record[name])
			}
			return out, e.buildList(len(out))
		},
	},
	{
		signature: "toPairs(record record) -> list of lists",
		summary:   "A record as a list of [name, value], sorted by name.",
		example:   `toPairs({"b": 1, "a": 2})`, gives: `[["a", 2], ["b", 1]]`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			values := c.valuesType(call.typeOf(0))
			pair := listOf(union(typeText, values))
			return listOf(c.remember(pair, shape{tuple: []*connectors.Schema{typeText, values}}))
		},
		run: func(e *evaluation, args []any) (any, error) {
			record := args[0].(map[string]any)
			out := make([]any, 0, len(record))
			for _, name := range sortedNames(record) {
				out = append(out, []any{name, record[name]})
			}
			return out, e.buildList(3 * len(out))
		},
	},
	{
		signature: "fromPairs(pairs list) -> record",
		summary:   "A record of a list of [name, value]; the last of equal names counts.",
		example:   `fromPairs([["a", 1], ["b", 2]])`, gives: `{"a": 1, "b": 2}`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			typ := &connectors.Schema{Type: "object", Open: true}
			if tuple := c.shapes[itemsOf(call.typeOf(0))].tuple; len(tuple) == 2 {
				c.remember(typ, shape{values: tuple[1]})
			}
			return typ
		},
		run: func(e *evaluation, args []any) (any, error) {
			list := args[0].([]any)
			if err := e.buildRecord(len(list)); err != nil {
				return nil, err
			}
			out := make(map[string]any, len(list))
			for i, item := range list {
				pair, ok := canonical(item).([]any)
				if !ok || len(pair) != 2 {
					return nil, failf(CodeType, "element %d of what fromPairs() takes is no [name, value]", i)
				}
				name, err := keyOf(canonical(pair[0]))
				if err != nil {
					return nil, err
				}
				out[name] = pair[1]
			}
			return out, nil
		},
	},
	{
		signature: "given(record record) -> record",
		summary:   "The record without the fields that are nil: what is not given is left out.",
		example:   `given({"name": "x", "phone": nil})`, gives: `{"name": "x"}`,
		typ: func(_ *compiler, call *call) *connectors.Schema {
			if kindOf(call.typeOf(0)) == kindRecord {
				return notNull(call.typeOf(0))
			}
			return typeRecord
		},
		run: func(e *evaluation, args []any) (any, error) {
			record := args[0].(map[string]any)
			if err := e.buildRecord(len(record)); err != nil {
				return nil, err
			}
			out := make(map[string]any, len(record))
			for name, v := range record {
				if v != nil {
					out[name] = v
				}
			}
			return out, nil
		},
	},
	{
		signature: "pick(record record, fields text...) -> record",
		summary:   "The record with only these fields, of which those count that it has.",
		example:   `pick({"id": 1, "name": "x", "meta": []}, "id", "name")`, gives: `{"id": 1, "name": "x"}`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			out := connectors.Object(map[string]*connectors.Schema{})
			for i := 1; i < len(call.args); i++ {
				name, ok := call.constantText(i)
				if !ok {
					out.Open = true
					continue
				}
				out.Properties[name] = c.namedField(call, 0, i)
			}
			return out
		},
		run: func(e *evaluation, args []any) (any, error) {
			record := args[0].(map[string]any)
			if err := e.buildRecord(len(args)); err != nil {
				return nil, err
			}
			out := make(map[string]any, len(args)-1)
			for _, name := range args[1:] {
				if v, has := record[name.(string)]; has {
					out[name.(string)] = v
				}
			}
			return out, nil
		},
	},
	{
		signature: "omit(record record, fields text...) -> record",
		summary:   "The record without these fields.",
		example:   `omit({"id": 1, "name": "x"}, "id")`, gives: `{"name": "x"}`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			from := call.typeOf(0)
			out := &connectors.Schema{Type: "object", Open: !knowsFields(from), Properties: map[string]*connectors.Schema{}}
			if kindOf(from) == kindRecord {
				maps.Copy(out.Properties, from.Properties)
			}
			for i := 1; i < len(call.args); i++ {
				if name, ok := call.constantText(i); ok {
					c.namedField(call, 0, i)
					delete(out.Properties, name)
				}
			}
			return out
		},
		run: func(e *evaluation, args []any) (any, error) {
			record := args[0].(map[string]any)
			if err := e.buildRecord(len(record) + len(args)); err != nil {
				return nil, err
			}
			out := make(map[string]any, len(record))
			maps.Copy(out, record)
			for _, name := range args[1:] {
				delete(out, name.(string))
			}
			return out, nil
		},
	},
	{
		signature: "merge(records record...) -> record",
		summary:   "One record of many; where they share a field, the last one's counts.",
		example:   `merge({"a": 1, "b": 1}, {"b": 2})`, gives: `{"a": 1, "b": 2}`,
		typ: func(_ *compiler, call *call) *connectors.Schema {
			out := typeEmptyRecord
			for _, arg := range call.args {
				switch {
				case arg.typ == typeNull || isEmptyRecord(arg.typ):
				case isEmptyRecord(out):
					out = notNull(arg.typ)
				default:
					out = mergedRecords(out, arg.typ)
				}
			}
			if kindOf(out) == kindUnknown {
				return typeRecord
			}
			return out
		},
		run: func(e *evaluation, args []any) (any, error) {
			fields := 0
			for _, record := range args {
				fields += len(record.(map[string]any))
			}
			if err := e.buildRecord(fields); err != nil {
				return nil, err
			}
			out := make(map[string]any, fields)
			for _, record := range args {
				maps.Copy(out, record.(map[string]any))
			}
			return out, nil
		},
	},
}

// namedField is the type of the field that an argument names, of a record that
// another argument is; it reports a field that the record does not have.
func (c *compiler) namedField(call *call, record, field int) *connectors.Schema {
	name, ok := call.constantText(field)
	from := call.typeOf(record)
	if !ok || kindOf(from) != kindRecord {
		return typeAny
	}
	return c.fieldType(from, name, c.at(call.args[field].node))
}

// valuesType is the type of all fields of a record.
func (c *compiler) valuesType(s *connectors.Schema) *connectors.Schema {
	if values := c.shapes[s].values; values != nil {
		return values
	}
	if !knowsFields(s) {
		return nil
	}
	out := typeNever
	for _, name := range s.PropertyNames() {
		out = union(out, s.Properties[name])
	}
	return out
}
