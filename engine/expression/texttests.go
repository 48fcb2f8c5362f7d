package expression

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/expr-lang/expr/ast"
)

var textTests = map[string]func(text, part string) bool{
	"contains":   strings.Contains,
	"startsWith": strings.HasPrefix,
	"endsWith":   strings.HasSuffix,
}

// textTest compiles contains, startsWith and endsWith. nil has no part and is
// part of nothing.
func (c *compiler) textTest(left, right operand, at place, op string) operand {
	if kindOf(left.typ) == kindList && op == "contains" {
		c.problem(at, CodeType, "x in list asks whether it is there", "contains looks into text, and this is a list")
	} else {
		c.wants(left, kindText, "the left side of "+op)
	}
	c.wants(right, kindText, "the right side of "+op)
	test := textTests[op]
	return c.texts(left, right, at, op, func(e *evaluation, text, part string) (bool, error) {
		return test(text, part), e.spend(1 + (len(text)+len(part))/64)
	})
}

// texts makes a test of two texts that is false where one of them is nil.
func (c *compiler) texts(left, right operand, at place, op string, test func(e *evaluation, a, b string) (bool, error)) operand {
	return operand{typ: typeBoolean, eval: func(e *evaluation) (any, error) {
		a, err := left.eval(e)
		if err != nil {
			return nil, err
		}
		b, err := right.eval(e)
		if err != nil {
			return nil, err
		}
		if a == nil || b == nil {
			return false, nil
		}
		x, okX := a.(string)
		y, okY := b.(string)
		if !okX || !okY {
			return nil, at.fail(badOperands(op, a, b))
		}
		is, err := test(e, x, y)
		if err != nil {
			return nil, at.fail(err)
		}
		return is, nil
	}}
}

// Bounds on regular expressions. Go's match in time linear to text × program,
// and nothing can stop one once it runs: so the product is bounded before.
const (
	maxPattern      = 1000       // characters of a pattern
	maxInstructions = 5000       // of the compiled pattern: (a{1000}){…} grows
	maxMatchWork    = 20_000_000 // instructions × bytes of one match, about half a second
)

// pattern is a compiled regular expression and the cost of it for each byte.
type pattern struct {
	*regexp.Regexp
	instructions int
}

func compilePattern(text string) (*pattern, *Error) {
	if len(text) > maxPattern {
		return nil, failf(CodeLimit, "a pattern of more than %d characters", maxPattern)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, failf(CodeValue, "the pattern cannot be read: %v", err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, failf(CodeValue, "the pattern cannot be read: %v", err)
	}
	if len(program.Inst) > maxInstructions {
		return nil, failf(CodeLimit, "the pattern repeats too much")
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, failf(CodeValue, "the pattern cannot be read: %v", err)
	}
	return &pattern{Regexp: compiled, instructions: len(program.Inst)}, nil
}

// match tells whether the pattern occurs in the text.
func (m *meter) match(p *pattern, text string) (bool, error) {
	if len(text) > maxMatchWork/p.instructions {
		return false, failf(CodeLimit, "a text of %d characters is too long for this pattern", len(text)).
			hinted("truncate(…) it first")
	}
	if err := m.spend(1 + len(text)*p.instructions/16); err != nil {
		return false, err
	}
	return p.MatchString(text), nil
}

// pattern compiles a computed pattern once in an evaluation.
func (e *evaluation) pattern(text string) (*pattern, error) {
	if p := e.patterns[text]; p != nil {
		return p, nil
	}
	// Compiling costs far more than matching a short text.
	if err := e.spend(1000); err != nil {
		return nil, err
	}
	p, fault := compilePattern(text)
	if fault != nil {
		return nil, fault
	}
	if err := e.build(p.instructions * bytesField); err != nil {
		return nil, err
	}
	if e.patterns == nil {
		e.patterns = make(map[string]*pattern)
	}
	e.patterns[text] = p
	return p, nil
}

// matches compiles text matches pattern. A constant pattern is compiled once.
func (c *compiler) matches(left, right operand, at place) operand {
	c.wants(left, kindText, "the left side of matches")
	c.wants(right, kindText, "the right side of matches")
	literal, ok := right.node.(*ast.StringNode)
	if !ok {
		return c.texts(left, right, at, "matches", func(e *evaluation, text, source string) (bool, error) {
			p, err := e.pattern(source)
			if err != nil {
				return false, err
			}
			return e.match(p, text)
		})
	}
	p, fault := compilePattern(literal.Value)
	if fault != nil {
		c.problem(c.at(literal), fault.Code, "", "%s", fault.Message)
		return c.broken(right.node)
	}
	return c.texts(left, right, at, "matches", func(e *evaluation, text, _ string) (bool, error) {
		return e.match(p, text)
	})
}
