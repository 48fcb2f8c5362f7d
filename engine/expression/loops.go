package expression

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/flowctl/flowctl/connectors"
)

// loopCall is a call with a predicate, taken apart.
type loopCall struct {
	at    place
	level int // of its loop in evaluation.loops
	list  func(*evaluation) ([]any, error)
	item  *connectors.Schema // type of the elements, nil when unknown
	body  operand            // the predicate; without one, the element itself
	extra []operand          // what follows the predicate
}

// predicateCall compiles the functions with a predicate: filter(list, .x > 1).
func (c *compiler) predicateCall(n *ast.BuiltinNode) operand {
	if len(c.loops) >= MaxNesting {
		c.problem(c.at(n), CodeTooLarge, "let a map step before this one do a part of it",
			"predicates are nested deeper than %d", MaxNesting)
		return c.broken(n)
	}
	call := loopCall{at: c.at(n), level: len(c.loops)}
	list := c.compile(n.Arguments[0])
	if !c.wants(list, kindList, "the 1st argument of "+n.Name+"()") {
		return c.broken(n)
	}
	call.list, call.item = c.elements(list, n.Name), itemsOf(list.typ)
	for _, argument := range n.Arguments[min(2, len(n.Arguments)):] {
		call.extra = append(call.extra, c.compile(argument))
	}
	if n.Name == "reduce" {
		return c.reduce(call, n)
	}
	if len(n.Arguments) > 1 {
		call.body = c.body(n.Arguments[1], loopTypes{item: call.item})
	} else {
		level := call.level
		call.body = operand{typ: call.item, node: n.Arguments[0], eval: func(e *evaluation) (any, error) {
			return e.loops[level].item, nil
		}}
		c.depth = max(c.depth, level+1)
	}
	switch n.Name {
	case "all", "any", "none", "one":
		return c.quantifier(call, n.Name)
	case "filter":
		return c.filter(call)
	case "map":
		return c.mapLoop(call)
	case "count":
		return c.count(call)
	case "sum":
		return c.sum(call)
	case "find", "findIndex":
		return c.find(call, n.Name)
	case "findLast", "findLastIndex":
		return c.findLast(call, n.Name)
	case "groupBy":
		return c.groupBy(call)
	case "sortBy":
		return c.sortBy(call)
	}
	c.problem(c.at(n), CodeUnknownFunc, "", "there is no function %s", n.Name)
	return c.broken(n)
}

// body compiles a predicate.
func (c *compiler) body(n ast.Node, types loopTypes) operand {
	if predicate, ok := n.(*ast.PredicateNode); ok {
		n = predicate.Node
	}
	c.loops = append(c.loops, types)
	c.depth = max(c.depth, len(c.loops))
	body := c.compile(n)
	c.loops = c.loops[:len(c.loops)-1]
	return body
}

// elements evaluates an operand that must be a list; nil is the empty one.
func (c *compiler) elements(o operand, name string) func(*evaluation) ([]any, error) {
	at := c.at(o.node)
	return func(e *evaluation) ([]any, error) {
		v, err := o.eval(e)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case []any:
			return v, nil
		case nil:
			return nil, nil
		}
		return nil, at.fail(failf(CodeType, "%s() works on a list, and this is %s", name, describe(v)))
	}
}

// each walks the list, with the loop set for each element, until do says stop.
func (l loopCall) each(e *evaluation, do func(i int, item any) (stop bool, err error)) error {
	list, err := l.list(e)
	if err != nil {
		return err
	}
	for i := range list {
		if _, stop, err := l.step(e, list, i, do); stop || err != nil {
			return err
		}
	}
	return nil
}

func (l loopCall) step(e *evaluation, list []any, i int, do func(int, any) (bool, error)) (item any, stop bool, err error) {
	if err := e.spend(1); err != nil {
		return nil, false, l.at.fail(err)
	}
	item = canonical(list[i])
	here := &e.loops[l.level]
	here.item, here.index = item, i
	stop, err = do(i, item)
	return item, stop, err
}

// quantifier compiles all, any, none and one.
func (c *compiler) quantifier(l loopCall, name string) operand {
	test := c.condition(l.body, "the predicate of "+name+"()")
	return operand{typ: typeBoolean, eval: func(e *evaluation) (any, error) {
		hits, misses := 0, 0
		err := l.each(e, func(int, any) (bool, error) {
			is, err := test(e)
			if is {
				hits++
			} else {
				misses++
			}
			stop := name == "all" && misses > 0 || (name == "any" || name == "none") && hits > 0 || hits > 1 && name == "one"
			return stop, err
		})
		if err != nil {
			return nil, err
		}
		switch name {
		case "all":
			return misses == 0, nil
		case "any":
			return hits > 0, nil
		case "none":
			return hits == 0, nil
		}
		return hits == 1, nil
	}}
}

func (c *compiler) filter(l loopCall) operand {
	test := c.condition(l.body, "the predicate of filter()")
	return operand{typ: listOf(l.item), eval: func(e *evaluation) (any, error) {
		out := []any{}
		err := l.each(e, func(_ int, item any) (bool, error) {
			is, err := test(e)
			if err != nil || !is {
				return false, err
			}
			out = append(out, item)
			return false, l.at.wrap(e.build(bytesItem))
		})
		return out, err
	}}
}

func (c *compiler) mapLoop(l loopCall) operand {
	return operand{typ: listOf(l.body.typ), eval: func(e *evaluation) (any, error) {
		out := []any{}
		err := l.each(e, func(int, any) (bool, error) {
			v, err := l.body.eval(e)
			if err != nil {
				return false, err
			}
			out = append(out, v)
			return false, l.at.wrap(e.build(bytesItem))
		})
		return out, err
	}}
}

func (c *compiler) count(l loopCall) operand {
	test := c.condition(l.body, "what count() counts")
	return operand{typ: typeInteger, eval: func(e *evaluation) (any, error) {
		hits := int64(0)
		err := l.each(e, func(int, any) (bool, error) {
			is, err := test(e)
			if is {
				hits++
			}
			return false, err
		})
		return hits, err
	}}
}

// sum adds numbers. The sum of no amounts is a decimal 0 where the type says
// that they are amounts, else the whole number 0.
func (c *compiler) sum(l loopCall) operand {
	c.wants(l.body, kindNumber, "what sum() adds")
	typ := notNull(l.body.typ)
	start := any(int64(0))
	switch kindOf(typ) {
	case kindDecimal:
		start, typ = zero, typeDecimal
	case kindInteger:
		typ = typeInteger
	default:
		typ = typeAny
	}
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		total := start
		err := l.each(e, func(i int, _ any) (bool, error) {
			v, err := l.body.eval(e)
			if err != nil {
				return false, err
			}
			if valueKind(v)&kindNumber == 0 {
				fault := failf(CodeType, "element %d of what sum() adds is %s", i, describe(v))
				if v == nil {
					fault.Hint = "coalesce(x, 0) gives a number where there is none"
				}
				return false, l.at.fail(fault)
			}
			total, err = e.add(total, v)
			return false, l.at.wrap(err)
		})
		return total, err
	}}
}

// wrap is fail for an error that may be nil.
func (p place) wrap(err error) error {
	if err == nil {
		return nil
	}
	return p.fail(err)
}

// find compiles find and findIndex: nil where there is no such element.
func (c *compiler) find(l loopCall, name string) operand {
	test := c.condition(l.body, "the predicate of "+name+"()")
	typ, index := c.foundType(l, name)
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		var found any
		err := l.each(e, func(i int, item any) (bool, error) {
			is, err := test(e)
			if is && index {
				found = int64(i)
			} else if is {
				found = item
			}
			return is, err
		})
		return found, err
	}}
}

// findLast compiles findLast and findLastIndex.
func (c *compiler) findLast(l loopCall, name string) operand {
	test := c.condition(l.body, "the predicate of "+name+"()")
	typ, index := c.foundType(l, name)
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		list, err := l.list(e)
		if err != nil {
			return nil, err
		}
		for i := range slices.Backward(list) {
			item, is, err := l.step(e, list, i, func(int, any) (bool, error) { return test(e) })
			switch {
			case err != nil:
				return nil, err
			case is && index:
				return int64(i), nil
			case is:
				return item, nil
			}
		}
		return nil, nil
	}}
}

func (c *compiler) foundType(l loopCall, name string) (typ *connectors.Schema, index bool) {
	if name == "findIndex" || name == "findLastIndex" {
		return orNull(typeInteger), true
	}
	return c.orNull(l.item), false
}
