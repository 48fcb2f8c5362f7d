package expression

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// characters cuts a text by characters, not bytes.
func characters(text string, from, to int) string {
	if from >= to {
		return ""
	}
	start, count := -1, 0
	for i := range text {
		if count == from {
			start = i
		}
		if count == to {
			return text[start:i]
		}
		count++
	}
	if start < 0 {
		return ""
	}
	return text[start:]
}

// slice compiles a[from:to] of lists and texts.
func (c *compiler) slice(n *ast.SliceNode) operand {
	base := c.compile(n.Node)
	if !c.wants(base, kindList|kindText, "what is sliced") {
		return c.broken(n)
	}
	bound := func(node ast.Node) evalFunc {
		if node == nil {
			return nil
		}
		o := c.compile(node)
		c.wants(o, kindNumber, "a bound of a slice")
		return o.eval
	}
	from, to := bound(n.From), bound(n.To)
	typ := base.typ
	if c.shapes[typ].tuple != nil {
		typ = listOf(typ.Items)
	}
	at := c.at(n)
	return operand{typ: typ, eval: func(e *evaluation) (any, error) {
		v, err := base.eval(e)
		if err != nil {
			return nil, err
		}
		out, err := e.sliced(v, from, to)
		if err != nil {
			return nil, at.fail(err)
		}
		return out, nil
	}}
}

func (e *evaluation) sliced(v any, from, to evalFunc) (any, error) {
	var length int
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		length = len(v)
	case string:
		length = utf8.RuneCountInString(v)
	default:
		return nil, failf(CodeType, "%s cannot be sliced", describe(v))
	}
	first, err := e.bound(from, 0, length)
	if err != nil {
		return nil, err
	}
	end, err := e.bound(to, length, length)
	if err != nil {
		return nil, err
	}
	first = min(first, end)
	if list, ok := v.([]any); ok {
		return list[first:end:end], nil
	}
	text := v.(string)
	if err := e.spend(len(text) / 64); err != nil {
		return nil, err
	}
	return strings.Clone(characters(text, first, end)), e.build(len(text))
}

// bound evaluates a bound of a slice and brings it into 0 … length.
func (e *evaluation) bound(eval evalFunc, absent, length int) (int, error) {
	if eval == nil {
		return absent, nil
	}
	v, err := eval(e)
	if err != nil {
		return 0, err
	}
	n, ok := toInteger(v)
	if !ok {
		return 0, failf(CodeType, "a bound of a slice must be a whole number, and this is %s", describe(v))
	}
	if n < 0 {
		n += int64(length)
	}
	return int(max(0, min(n, int64(length)))), nil
}
