package expression

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"github.com/flowctl/flowctl/connectors"
)

// identifier reads a let or a variable of the environment.
func (c *compiler) identifier(n *ast.IdentifierNode) operand {
	for _, l := range slices.Backward(c.locals) {
		if l.name == n.Value {
			slot := l.slot
			return operand{typ: l.typ, eval: func(e *evaluation) (any, error) { return e.lets[slot], nil }}
		}
	}
	typ, known := c.env[n.Value]
	if !known {
		c.problem(c.at(n), CodeUnknownName, c.nameHint(n.Value), "there is no %q here", n.Value)
		return c.broken(n)
	}
	c.names[n.Value] = true
	name := n.Value
	at := c.at(n)
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		v := e.vars[name]
		if err := readable(v); err != nil {
			return nil, at.fail(err)
		}
		return canonical(v), nil
	}}
}

func (c *compiler) nameHint(name string) string {
	if _, is := definitions[name]; is {
		return name + " is a function: " + name + "(…)"
	}
	switch name {
	case "null", "None", "undefined", "NULL":
		return "nothing is nil"
	case "True", "False", "TRUE", "FALSE":
		return "write " + strings.ToLower(name)
	}
	known := slices.Collect(maps.Keys(c.env))
	for _, l := range c.locals {
		known = append(known, l.name)
	}
	return didYouMean(name, known)
}

// let compiles let name = value; expression.
func (c *compiler) let(n *ast.VariableDeclaratorNode) operand {
	value := c.compile(n.Value)
	if problem := c.mayNotName(n.Name); problem != "" {
		c.problem(c.at(n), CodeSyntax, "", "%s", problem)
	}
	slot := c.slots
	c.slots++
	c.locals = append(c.locals, local{name: n.Name, slot: slot, typ: value.typ})
	body := c.compile(n.Expr)
	c.locals = c.locals[:len(c.locals)-1]
	return operand{typ: body.typ, eval: func(e *evaluation) (any, error) {
		v, err := value.eval(e)
		if err != nil {
			return nil, err
		}
		e.lets[slot] = v
		return body.eval(e)
	}}
}

func (c *compiler) mayNotName(name string) string {
	if _, taken := c.env[name]; taken {
		return "let " + name + " would hide the variable of that name"
	}
	if slices.ContainsFunc(c.locals, func(l local) bool { return l.name == name }) {
		return "let " + name + " stands twice"
	}
	if IsReserved(name) {
		return "let " + name + " would hide the function or word of that name"
	}
	return ""
}

// pointer compiles #, #index and #acc.
func (c *compiler) pointer(n *ast.PointerNode) operand {
	level := len(c.loops) - 1
	if level < 0 {
		c.problem(c.at(n), CodeSyntax, "", "# stands for an element and needs a map(…), filter(…) or their like around it")
		return c.broken(n)
	}
	here := c.loops[level]
	switch n.Name {
	case "":
		return operand{typ: here.item, eval: func(e *evaluation) (any, error) { return e.loops[level].item, nil }}
	case "index":
		return operand{typ: typeInteger, eval: func(e *evaluation) (any, error) { return int64(e.loops[level].index), nil }}
	case "acc":
		if here.inReduce {
			return operand{typ: here.acc, eval: func(e *evaluation) (any, error) { return e.loops[level].acc, nil }}
		}
		c.problem(c.at(n), CodeUnknownName, "", "#acc is only known in reduce(…)")
		return c.broken(n)
	}
	c.problem(c.at(n), CodeUnknownName, "a field of the element is ."+n.Name, "there is no #%s, only #, #index and, in reduce, #acc", n.Name)
	return c.broken(n)
}

// member compiles a.b, a["b"], a[i] and their ?. forms. Everything of nil is
// nil, and so is a field that the record does not have.
func (c *compiler) member(n *ast.MemberNode) operand {
	base := c.compile(n.Node)
	at := c.at(n)
	if name, ok := n.Property.(*ast.StringNode); ok {
		return c.field(base, name.Value, at, c.at(name))
	}
	index := c.compile(n.Property)
	typ := c.elementType(base, index, n)
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		from, err := base.eval(e)
		if err != nil {
			return nil, err
		}
		i, err := index.eval(e)
		if err != nil {
			return nil, err
		}
		v, found, err := e.element(from, i)
		if err != nil {
			return nil, at.fail(err)
		}
		if !found {
			return nil, at.fail(outside(from, i))
		}
		return v, nil
	}}
}

// field compiles the access to a field whose name is known.
func (c *compiler) field(base operand, name string, at, nameAt place) operand {
	typ := c.fieldType(base.typ, name, nameAt)
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		from, err := base.eval(e)
		if err != nil {
			return nil, err
		}
		switch from := from.(type) {
		case map[string]any:
			v := from[name]
			if err := readable(v); err != nil {
				return nil, at.fail(err)
			}
			return canonical(v), nil
		case nil:
			return nil, nil
		}
		return nil, at.fail(noFields(from, name))
	}}
}

func noFields(v any, name string) *Error {
	e := failf(CodeType, "%s has no field %q", describe(v), name)
	if valueKind(v) == kindList {
		e.Hint = "first(…) takes the first of a list, map(…) works on each"
	}
	return e
}

func (c *compiler) fieldType(s *connectors.Schema, name string, at place) *connectors.Schema {
	switch kindOf(s) {
	case kindUnknown, kindNull:
		return typeAny
	case kindRecord:
	case kindList:
		c.problem(at, CodeType, "first(…) takes the first of a list, map(…, ."+name+") works on each", "a list has no field %q", name)
		return typeAny
	default:
		c.problem(at, CodeType, "", "%s has no field %q", kindOf(s), name)
		return typeAny
	}
	if p, ok := s.Property(name); ok {
		if p == nil {
			return typeAny
		}
		if p.Secret {
			c.secrets = append(c.secrets, name)
		}
		if s.Nullable {
			return c.orNull(p)
		}
		return p
	}
	if known, has := c.shapes[s]; has && known.values != nil {
		return c.orNull(known.values)
	}
	if knowsFields(s) {
		c.problem(at, CodeUnknownField, didYouMean(name, s.PropertyNames()), "there is no field %q", name)
	}
	return typeAny
}

// elementType is the type of base[index] where the index is computed or a number.
func (c *compiler) elementType(base, index operand, n *ast.MemberNode) *connectors.Schema {
	switch kindOf(base.typ) {
	case kindList:
		if !c.wants(index, kindInteger|kindDecimal, "the index of a list") {
			return typeAny
		}
		if i, ok := constantValue(n.Property); ok {
			if tuple := c.shapes[base.typ].tuple; tuple != nil {
				if i := i.(int64); i >= 0 && i < int64(len(tuple)) {
					return c.orNullIf(tuple[i], base.typ)
				}
			}
		}
		if base.typ.Items == nil || base.typ.Items == typeNever {
			return typeAny
		}
		return c.orNullIf(base.typ.Items, base.typ)
	case kindRecord:
		c.wants(index, kindText|kindNumber, "the name of a field")
		if values := c.shapes[base.typ].values; values != nil {
			return c.orNull(values)
		}
		return typeAny
	case kindText:
		c.wants(index, kindInteger|kindDecimal, "the index of a character")
		return typeText
	case kindUnknown, kindNull:
		return typeAny
	}
	c.problem(c.over(n.Node), CodeType, "", "%s has no elements", kindOf(base.typ))
	return typeAny
}

func (c *compiler) orNullIf(t, other *connectors.Schema) *connectors.Schema {
	if other != nil && other.Nullable {
		return c.orNull(t)
	}
	return t
}

// element finds from[i]: the field named i, the i-th element or character, from
// the end where i is negative. found is false where a list or a text is too
// short.
func (m *meter) element(from, i any) (v any, found bool, err error) {
	switch from := from.(type) {
	case nil:
		return nil, true, nil
	case map[string]any:
		name, err := keyOf(i)
		if err != nil {
			return nil, false, err
		}
		return canonical(from[name]), true, m.spend(len(name) / 64)
	case []any:
		index, err := indexIn(i, len(from))
		if err != nil || index < 0 {
			return nil, false, err
		}
		return canonical(from[index]), true, nil
	case string:
		if err := m.spend(len(from) / 64); err != nil {
			return nil, false, err
		}
		index, err := indexIn(i, utf8.RuneCountInString(from))
		if err != nil || index < 0 {
			return nil, false, err
		}
		return characters(from, index, index+1), true, nil
	}
	return nil, false, failf(CodeType, "%s has no elements", describe(from))
}

// indexIn resolves an index, -1 when there is no such element.
func indexIn(i any, length int) (int, error) {
	n, ok := toInteger(i)
	if !ok {
		return 0, failf(CodeType, "an index must be a whole number, and this is %s", describe(i))
	}
	if n < 0 {
		n += int64(length)
	}
	if n < 0 || n >= int64(length) {
		return -1, nil
	}
	return int(n), nil
}

func outside(from, i any) *Error {
	text, _ := textOf(i)
	length := 0
	switch from := from.(type) {
	case []any:
		length = len(from)
	case string:
		length = utf8.RuneCountInString(from)
	}
	return failf(CodeValue, "there is no element %s among %d", text, length).
		hinted("first(…), last(…) and get(…, i) give nil where there is none")
}
