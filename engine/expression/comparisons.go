package expression

import (
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser/operator"

	"github.com/flowctl/flowctl/connectors"
)

// comparableTypes tells whether two types can have equal values.
func comparableTypes(a, b *connectors.Schema) bool {
	ka, kb := kindOf(a), kindOf(b)
	const open = kindUnknown | kindNull
	return ka&open != 0 || kb&open != 0 || ka == kb || ka&kindNumber != 0 && kb&kindNumber != 0
}

func (c *compiler) equality(left, right operand, at place, op string) operand {
	if !comparableTypes(left.typ, right.typ) {
		c.problem(at, CodeType, operatorHint(op, kindOf(left.typ), kindOf(right.typ)),
			"%s and %s are never equal", kindOf(left.typ), kindOf(right.typ))
		return operand{typ: typeBoolean}
	}
	want := op == "=="
	return operand{typ: typeBoolean, eval: func(e *evaluation) (any, error) {
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
		same, err := e.equal(a, b)
		if err != nil {
			return nil, at.fail(err)
		}
		return same == want, nil
	}}
}

// comparison is one of a chain a < b <= c.
type comparison struct {
	op string
	at place
}

// chainOf takes apart a comparison or a chain of them, which the parser makes
// into a < b and b <= c with the same node b in both. Taken apart, b is
// evaluated once, and nested chains do not double the work at each level.
func chainOf(n *ast.BinaryNode) []*ast.BinaryNode {
	if operator.IsComparison(n.Operator) {
		return []*ast.BinaryNode{n}
	}
	last, ok := n.Right.(*ast.BinaryNode)
	first, okFirst := n.Left.(*ast.BinaryNode)
	if n.Operator != "&&" || !ok || !okFirst || !operator.IsComparison(last.Operator) {
		return nil
	}
	chain := chainOf(first)
	if chain == nil || chain[len(chain)-1].Right != last.Left {
		return nil
	}
	return append(chain, last)
}

func (c *compiler) chain(nodes []*ast.BinaryNode) operand {
	operands := []operand{c.compile(nodes[0].Left)}
	links := make([]comparison, len(nodes))
	for i, n := range nodes {
		right := c.compile(n.Right)
		left := operands[i]
		operands = append(operands, right)
		links[i] = comparison{op: n.Operator, at: c.at(n)}
		if !c.ordered(left, right) {
			c.mismatch(left, right, links[i].at, n.Operator)
		}
	}
	return operand{typ: typeBoolean, eval: func(e *evaluation) (any, error) {
		left, err := operands[0].eval(e)
		if err != nil {
			return nil, err
		}
		for i, link := range links {
			right, err := operands[i+1].eval(e)
			if err != nil {
				return nil, err
			}
			is, err := e.compare(left, right, link.op)
			if err != nil || !is {
				return false, link.fail(err)
			}
			left = right
		}
		return true, nil
	}}
}

func (l comparison) fail(err error) error {
	if err == nil {
		return nil
	}
	return l.at.fail(err)
}

func (c *compiler) ordered(left, right operand) bool {
	const orders = kindText | kindNumber | kindInstant | kindUnknown | kindNull
	return comparableTypes(left.typ, right.typ) && kindOf(left.typ)&orders != 0 && kindOf(right.typ)&orders != 0
}

func (m *meter) compare(a, b any, op string) (bool, error) {
	if err := m.spend(1); err != nil {
		return false, err
	}
	if a == nil || b == nil || valueKind(a) != valueKind(b) && valueKind(a)|valueKind(b) != kindNumber {
		return false, badOperands(op, a, b)
	}
	sign, err := m.order(a, b)
	switch op {
	case "<":
		return sign < 0, err
	case "<=":
		return sign <= 0, err
	case ">":
		return sign > 0, err
	}
	return sign >= 0, err
}

// membership compiles x in list and name in record.
func (c *compiler) membership(left, right operand, at place) operand {
	switch kindOf(right.typ) {
	case kindText:
		c.problem(at, CodeType, "text contains part asks whether a text is in another", "in does not look into text")
	case kindList:
		if !comparableTypes(left.typ, right.typ.Items) {
			c.problem(at, CodeType, operatorHint("==", kindOf(left.typ), kindOf(right.typ.Items)),
				"%s is never in a list of %s", kindOf(left.typ), right.typ.Items)
		}
	default:
		c.wants(right, kindList|kindRecord, "the right side of in")
	}
	return operand{typ: typeBoolean, eval: func(e *evaluation) (any, error) {
		needle, err := left.eval(e)
		if err != nil {
			return nil, err
		}
		hay, err := right.eval(e)
		if err != nil {
			return nil, err
		}
		is, err := e.within(needle, hay)
		if err != nil {
			return nil, at.fail(err)
		}
		return is, nil
	}}
}

func (m *meter) within(needle, hay any) (bool, error) {
	if err := m.spend(1); err != nil {
		return false, err
	}
	switch hay := hay.(type) {
	case nil:
		return false, nil
	case []any:
		if err := m.spend(len(hay)); err != nil {
			return false, err
		}
		for _, item := range hay {
			if same, err := m.equal(needle, canonical(item)); same || err != nil {
				return same, err
			}
		}
		return false, nil
	case map[string]any:
		name, err := keyOf(needle)
		if err != nil {
			return false, err
		}
		_, has := hay[name]
		return has && needle != nil, m.spend(len(name) / 64)
	}
	return false, failf(CodeType, "in looks into lists and records, and this is %s", describe(hay))
}
