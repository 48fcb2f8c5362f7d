package expression

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// unary compiles not x, !x, -x and +x.
func (c *compiler) unary(n *ast.UnaryNode) operand {
	o := c.compile(n.Node)
	at := c.at(n)
	switch n.Operator {
	case "not", "!":
		test := c.condition(o, "the operand of "+n.Operator)
		return operand{typ: typeBoolean, eval: func(e *evaluation) (any, error) {
			v, err := test(e)
			return !v, err
		}}
	}
	if !c.wants(o, kindNumber, "the operand of "+n.Operator) {
		return c.broken(n)
	}
	typ := o.typ
	if kindOf(typ) == kindUnknown {
		typ = typeAny
	}
	plus := n.Operator == "+"
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		v, err := o.eval(e)
		if err != nil {
			return nil, err
		}
		if plus && valueKind(v)&(kindNumber|kindNull) != 0 {
			return v, nil
		}
		out, err := negate(v)
		if err != nil {
			return nil, at.fail(err)
		}
		return out, nil
	}}
}

// condition makes a test of an operand. nil counts as false: a flag that a
// system does not send is not set.
func (c *compiler) condition(o operand, role string) func(*evaluation) (bool, error) {
	c.wants(o, kindBoolean, role)
	at := c.at(o.node)
	return func(e *evaluation) (bool, error) {
		v, err := o.eval(e)
		if err != nil {
			return false, err
		}
		switch v := v.(type) {
		case bool:
			return v, nil
		case nil:
			return false, nil
		}
		return false, at.fail(failf(CodeType, "%s must be true or false, and this is %s", role, describe(v)))
	}
}

// conditional compiles cond ? a : b and if cond { a } else { b }.
func (c *compiler) conditional(n *ast.ConditionalNode) operand {
	return c.choice(c.compile(n.Cond), c.compile(n.Exp1), c.compile(n.Exp2))
}

// choice evaluates only the branch that it takes.
func (c *compiler) choice(cond, yes, no operand) operand {
	test := c.condition(cond, "a condition")
	return operand{typ: union(yes.typ, no.typ), eval: func(e *evaluation) (any, error) {
		if err := e.spend(1); err != nil {
			return nil, err
		}
		is, err := test(e)
		switch {
		case err != nil:
			return nil, err
		case is:
			return yes.eval(e)
		}
		return no.eval(e)
	}}
}

// binary compiles every operator between two operands.
func (c *compiler) binary(n *ast.BinaryNode) operand {
	if comparisons := chainOf(n); comparisons != nil {
		return c.chain(comparisons)
	}
	left, right := c.compile(n.Left), c.compile(n.Right)
	at := c.at(n)
	switch n.Operator {
	case "and", "&&":
		return c.logical(left, right, n.Operator, false)
	case "or", "||":
		return c.logical(left, right, n.Operator, true)
	case "??":
		return c.coalesceOperands([]operand{left, right}, false)
	case "==", "!=":
		return c.equality(left, right, at, n.Operator)
	case "in":
		return c.membership(left, right, at)
	case "contains", "startsWith", "endsWith":
		return c.textTest(left, right, at, n.Operator)
	case "matches":
		return c.matches(left, right, at)
	}
	op, ok := arithmetic[n.Operator]
	if !ok {
		c.problem(at, CodeSyntax, "", "there is no operator %s", n.Operator)
		return c.broken(n)
	}
	typ := op.typ(kindOf(left.typ), kindOf(right.typ))
	if typ == nil {
		c.mismatch(left, right, at, n.Operator)
		return c.broken(n)
	}
	run := op.run
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		a, err := left.eval(e)
		if err != nil {
			return nil, err
		}
		b, err := right.eval(e)
		if err != nil {
			return nil, err
		}
		if err := e.spend(1); err != nil {
			return nil, at.fail(err)
		}
		out, err := run(&e.meter, a, b)
		if err != nil {
			return nil, at.fail(err)
		}
		return out, nil
	}}
}

// mismatch reports operands between which an operator makes no sense.
func (c *compiler) mismatch(left, right operand, at place, op string) {
	a, b := kindOf(left.typ), kindOf(right.typ)
	c.problem(at, CodeType, operatorHint(op, a, b), "%s does not work between %s and %s", op, a, b)
}

// operatorHint says how to make both sides of an operator fit.
func operatorHint(op string, a, b kind) string {
	is := func(x, y kind) bool { return a&x != 0 && b&y != 0 || a&y != 0 && b&x != 0 }
	switch {
	case op == "+" && is(kindList, kindList):
		return "concat(a, b) puts lists together"
	case op == "+" && is(kindRecord, kindRecord):
		return "merge(a, b) puts records together"
	case (op == "+" || op == "-") && is(kindInstant, kindNumber):
		return "add_days(t, n) and add_seconds(t, n) move an instant"
	case op == "+" && is(kindText, kindNumber|kindBoolean|kindInstant):
		return "text(…) writes it as text, decimal(…) reads a number from text"
	case is(kindText, kindNumber):
		return "decimal(…) and int(…) read a number from text, text(…) writes one"
	case is(kindText, kindInstant):
		return "parse_time(…) reads an instant from text, date(…) gives the day as text"
	case is(kindList, kindText|kindNumber|kindRecord|kindBoolean|kindInstant):
		return "first(…) takes the first of a list; x in list asks whether it is there"
	}
	return ""
}

// logical compiles and, or. The right side is only evaluated if it decides.
func (c *compiler) logical(left, right operand, op string, stopAt bool) operand {
	a, b := c.condition(left, "the left side of "+op), c.condition(right, "the right side of "+op)
	return operand{typ: typeBoolean, eval: func(e *evaluation) (any, error) {
		if err := e.spend(1); err != nil {
			return nil, err
		}
		v, err := a(e)
		if err != nil || v == stopAt {
			return v, err
		}
		v, err = b(e)
		return v, err
	}}
}

// coalesceOperands evaluates operands until one is there: not nil and, where
// empty text counts as nothing too, not "".
func (c *compiler) coalesceOperands(operands []operand, skipEmpty bool) operand {
	typ := typeNever
	for i, o := range operands {
		t := o.typ
		if i < len(operands)-1 {
			if t == typeNull {
				continue
			}
			t = notNull(t)
		}
		typ = union(typ, t)
	}
	operands = slices.Clone(operands)
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		for i, o := range operands {
			if err := e.spend(1); err != nil {
				return nil, err
			}
			v, err := o.eval(e)
			if err != nil {
				return nil, err
			}
			if last := i == len(operands)-1; v == nil || skipEmpty && v == "" {
				if !last || v == nil {
					continue
				}
			}
			return v, nil
		}
		return nil, nil
	}}
}
