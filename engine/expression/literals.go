package expression

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// constantValue is the value of a literal node.
func constantValue(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.BoolNode:
		return n.Value, true
	case *ast.IntegerNode:
		return int64(n.Value), true
	case *ast.StringNode:
		return n.Value, true
	}
	return nil, false
}

func constant(v any, typ *connectors.Schema) operand {
	return operand{typ: typ, eval: func(*evaluation) (any, error) { return v, nil }}
}

func (c *compiler) literal(n ast.Node) operand {
	switch n := n.(type) {
	case *ast.BoolNode:
		return constant(n.Value, typeBoolean)
	case *ast.IntegerNode:
		return constant(int64(n.Value), typeInteger)
	case *ast.StringNode:
		return constant(n.Value, typeText)
	case *ast.FloatNode:
		return c.decimalLiteral(n)
	}
	return constant(nil, typeNull)
}

// decimalLiteral reads the literal from the source text: the parser has already
// made a float of it, which 0.1 is not.
func (c *compiler) decimalLiteral(n *ast.FloatNode) operand {
	from, to := c.span(n.Location())
	text := strings.ReplaceAll(c.text[from:to], "_", "")
	if len(text) > maxDigits {
		c.problem(c.at(n), CodeValue, "", "a number of %d characters", len(text))
		return c.broken(n)
	}
	d, err := decimal.NewFromString(text)
	if err != nil || outOfRange(d) {
		c.problem(c.at(n), CodeValue, "", "%q is no number that flows can work with", text)
		return c.broken(n)
	}
	return constant(d, typeDecimal)
}

// list compiles [a, b, c]. Its elements share one type; which each of them has
// is known while the list does not leave the expression.
func (c *compiler) list(n *ast.ArrayNode) operand {
	items := make([]evalFunc, len(n.Nodes))
	types := make([]*connectors.Schema, len(n.Nodes))
	item := typeNever
	for i, node := range n.Nodes {
		compiled := c.compile(node)
		items[i], types[i] = compiled.eval, compiled.typ
		item = union(item, compiled.typ)
	}
	typ := c.remember(listOf(item), shape{tuple: types})
	at := c.at(n)
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		if err := e.buildList(len(items)); err != nil {
			return nil, at.fail(err)
		}
		out := make([]any, len(items))
		for i, item := range items {
			v, err := item(e)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	}}
}

type pair struct {
	name  string   // of a constant key
	key   evalFunc // of a computed one, else nil
	at    place
	value evalFunc
}

// record compiles {"a": x, b: y, (k): z}.
func (c *compiler) record(n *ast.MapNode) operand {
	pairs := make([]pair, 0, len(n.Pairs))
	typ := &connectors.Schema{Type: "object", Properties: make(map[string]*connectors.Schema, len(n.Pairs))}
	for _, node := range n.Pairs {
		written := node.(*ast.PairNode)
		p := pair{at: c.at(written.Key)}
		value := c.compile(written.Value)
		p.value = value.eval
		if name, ok := constantValue(written.Key); ok {
			p.name, _ = textOf(name)
			if _, twice := typ.Properties[p.name]; twice {
				c.problem(p.at, CodeSyntax, "", "the field %q stands twice in this record", p.name)
			}
			typ.Properties[p.name] = value.typ
			typ.Required = append(typ.Required, p.name)
		} else {
			key := c.compile(written.Key)
			c.wants(key, kindText|kindNumber|kindBoolean, "the name of a field")
			p.key = key.eval
			typ.Open = true
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 {
		typ = typeEmptyRecord
	}
	at := c.at(n)
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		if err := e.buildRecord(len(pairs)); err != nil {
			return nil, at.fail(err)
		}
		out := make(map[string]any, len(pairs))
		for _, p := range pairs {
			name, err := p.fieldName(e)
			if err != nil {
				return nil, p.at.fail(err)
			}
			if out[name], err = p.value(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	}}
}

func (p pair) fieldName(e *evaluation) (string, error) {
	if p.key == nil {
		return p.name, nil
	}
	v, err := p.key(e)
	if err != nil {
		return "", err
	}
	return keyOf(v)
}

// wants reports an operand that cannot be of one of the kinds.
func (c *compiler) wants(o operand, kinds kind, role string) bool {
	k := kindOf(o.typ)
	if k == kindUnknown || k == kindNull || k&kinds != 0 {
		return true
	}
	c.problem(c.over(o.node), CodeType, conversionHint(k, kinds), "%s must be %s, and this is %s", role, kinds, k)
	return false
}

// conversionHint says how to make one kind of another.
func conversionHint(from, to kind) string {
	switch {
	case from == kindText && to&kindDecimal != 0:
		return "decimal(…) reads a number from text"
	case from == kindText && to&kindInteger != 0:
		return "int(…) reads a whole number from text"
	case from == kindText && to&kindInstant != 0:
		return "parse_time(…) reads an instant from text"
	case from == kindDecimal && to&kindInteger != 0:
		return "int(…), after round(…) if need be, makes a whole number"
	case from == kindInstant && to&kindText != 0:
		return "date(…) gives the day, text(…) the instant as text"
	case from&(kindNumber|kindBoolean) != 0 && to&kindText != 0:
		return "text(…) writes it as text"
	case from == kindList && to&kindText != 0:
		return "join(…) makes one text of many"
	case from == kindList && to&kindRecord != 0:
		return "first(…) takes the first of a list, map(…) works on each"
	case from == kindRecord && to&kindList != 0:
		return "values(…) gives the values of a record's fields"
	case to&kindBoolean != 0:
		return "compare it: … != nil, … != \"\", … > 0"
	}
	return ""
}
