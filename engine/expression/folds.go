package expression

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/flowctl/flowctl/connectors"
)

// groupBy makes a record of lists, by the text of the predicate's value.
func (c *compiler) groupBy(l loopCall) operand {
	c.wants(l.body, kindText|kindNumber|kindBoolean|kindInstant, "the key of groupBy()")
	typ := c.remember(&connectors.Schema{Type: "object", Open: true}, shape{values: listOf(l.item)})
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		out := map[string]any{}
		err := l.each(e, func(_ int, item any) (bool, error) {
			v, err := l.body.eval(e)
			if err != nil {
				return false, err
			}
			key, err := keyOf(v)
			if err != nil {
				return false, l.at.fail(err)
			}
			group, _ := out[key].([]any)
			out[key] = append(group, item)
			return false, l.at.wrap(e.build(bytesItem + bytesField))
		})
		return out, err
	}}
}

// sortBy sorts stably by the predicate's value, nil first.
func (c *compiler) sortBy(l loopCall) operand {
	c.wants(l.body, kindText|kindNumber|kindInstant, "the key of sortBy()")
	if len(l.extra) > 0 {
		c.wants(l.extra[0], kindText, "the order of sortBy()")
	}
	return operand{typ: listOf(l.item), eval: func(e *evaluation) (any, error) {
		var keys, items []any
		err := l.each(e, func(_ int, item any) (bool, error) {
			key, err := l.body.eval(e)
			if err != nil {
				return false, err
			}
			keys, items = append(keys, key), append(items, item)
			return false, l.at.wrap(e.build(2 * bytesItem))
		})
		if err != nil {
			return nil, err
		}
		var direction any
		if len(l.extra) > 0 {
			if direction, err = l.extra[0].eval(e); err != nil {
				return nil, err
			}
		}
		out, err := e.sorted(items, keys, direction)
		return out, l.at.wrap(err)
	}}
}

// sorted returns the items in the order of their keys.
func (m *meter) sorted(items, keys []any, direction any) ([]any, error) {
	descending := direction == "desc"
	if !descending && direction != nil && direction != "asc" {
		return nil, failf(CodeValue, `the order is "asc" or "desc", not %q`, fmt.Sprint(direction))
	}
	if err := m.buildList(2 * len(items)); err != nil {
		return nil, err
	}
	if err := m.spend(len(items) * bits.Len(uint(len(items)))); err != nil {
		return nil, err
	}
	places := make([]int, len(items))
	for i := range places {
		places[i] = i
	}
	var fault error
	slices.SortStableFunc(places, func(i, j int) int {
		if fault != nil {
			return 0
		}
		sign, err := m.orderNil(keys[i], keys[j])
		if err != nil {
			fault = err
		}
		if descending {
			return -sign
		}
		return sign
	})
	out := make([]any, len(items))
	for to, from := range places {
		out[to] = items[from]
	}
	return out, fault
}

// reduce folds a list: #acc is what the elements before made, # the element.
// Without an initial value the first element is that.
func (c *compiler) reduce(l loopCall, n *ast.BuiltinNode) operand {
	acc := l.item
	if len(l.extra) > 0 {
		acc = l.extra[0].typ
	}
	// The type of #acc is that of the initial value or of the body, and the
	// body's depends on it: a first pass, whose problems do not count, finds it.
	problems, slots := len(c.problems), c.slots
	probe := c.body(n.Arguments[1], loopTypes{item: l.item, acc: acc, inReduce: true})
	c.problems, c.slots = c.problems[:problems], slots
	acc = union(acc, probe.typ)
	body := c.body(n.Arguments[1], loopTypes{item: l.item, acc: acc, inReduce: true})
	return operand{typ: union(acc, body.typ), eval: func(e *evaluation) (any, error) {
		list, err := l.list(e)
		if err != nil {
			return nil, err
		}
		var result any
		from := 0
		switch {
		case len(l.extra) > 0:
			if result, err = l.extra[0].eval(e); err != nil {
				return nil, err
			}
		case len(list) == 0:
			return nil, l.at.fail(failf(CodeValue, "reduce() of an empty list").hinted("give it an initial value: reduce(list, …, 0)"))
		default:
			result, from = canonical(list[0]), 1
		}
		for i := from; i < len(list); i++ {
			e.loops[l.level].acc = result
			if _, _, err := l.step(e, list, i, func(int, any) (bool, error) {
				result, err = body.eval(e)
				return false, err
			}); err != nil {
				return nil, err
			}
		}
		return result, nil
	}}
}
