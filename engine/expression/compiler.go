package expression

import (
	"fmt"
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"github.com/flowctl/flowctl/connectors"
)

// evalFunc evaluates a compiled node.
type evalFunc func(*evaluation) (any, error)

// operand is a compiled node: how to evaluate it and what type it has.
type operand struct {
	eval evalFunc
	typ  *connectors.Schema
	node ast.Node
}

// evaluation is the state of one evaluation. Compiled nodes hold none.
type evaluation struct {
	meter
	vars  map[string]any
	lets  []any  // values of let, by slot
	loops []loop // the loops we are in, outermost first

	patterns map[string]*pattern       // of matches, where they are computed
	zones    map[string]*time.Location // of date_in
}

// loop is what a predicate sees: # and #index, and #acc in reduce.
type loop struct {
	item  any
	index int
	acc   any
}

// compiler compiles one expression: it checks each node and makes its evalFunc.
type compiler struct {
	source
	env      Env
	problems []Problem
	names    map[string]bool // variables read
	secrets  []string        // fields read that are secret

	locals []local // of let, innermost last
	slots  int     // let slots in use
	loops  []loopTypes
	depth  int // deepest nesting of loops

	// shapes knows more of some types than a schema can say, by their address.
	shapes map[*connectors.Schema]shape
}

type local struct {
	name string
	slot int
	typ  *connectors.Schema
}

type loopTypes struct {
	item, acc *connectors.Schema
	inReduce  bool
}

// shape is what we know of a type beyond its schema: the types of a tuple's
// elements, or the one type of all fields of a record whose names are data.
type shape struct {
	tuple  []*connectors.Schema
	values *connectors.Schema
}

// code is a compiled expression.
type code struct {
	eval  evalFunc
	typ   *connectors.Schema
	lets  int
	loops int
	plain bool // it only reads a variable or a field and makes nothing new

	secrets []string // fields read that are secret
}

// compile compiles the text of one expression that begins at base in the text
// that the caller knows.
func compile(text string, base int, env Env, names map[string]bool) (out code, problems []Problem) {
	// A panic is a mistake of the parser or of this package. It refuses the
	// expression; it must not end a validator that has other files to read.
	defer func() {
		if r := recover(); r != nil {
			out, problems = code{}, []Problem{{
				Offset: base, Length: len(text), Code: CodeInternal, Message: fmt.Sprintf("this expression cannot be read: %v", r),
			}}
		}
	}()
	c := &compiler{source: newSource(text, base), env: env, names: names}
	node, problem := c.parse()
	if problem != nil {
		return code{}, []Problem{*problem}
	}
	body := c.compile(node)
	if len(c.problems) > 0 {
		slices.SortStableFunc(c.problems, func(a, b Problem) int { return a.Offset - b.Offset })
		return code{}, c.problems
	}
	return code{eval: body.eval, typ: body.typ, lets: c.slots, loops: c.depth, plain: isPlain(node), secrets: c.secrets}, nil
}

func isPlain(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return true
	case *ast.MemberNode:
		return isPlain(n.Node)
	case *ast.ChainNode:
		return isPlain(n.Node)
	}
	return false
}

// maxProblems bounds what one expression can report.
const maxProblems = 20

func (c *compiler) problem(at place, code, hint, format string, args ...any) {
	if len(c.problems) >= maxProblems {
		return
	}
	c.problems = append(c.problems, Problem{
		Offset: at.offset, Length: at.length, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// broken stands for a node that has a problem: of any type, so that one mistake
// is reported once.
func (c *compiler) broken(n ast.Node) operand {
	return operand{typ: typeAny, node: n, eval: func(*evaluation) (any, error) {
		return nil, failf(CodeInternal, "an expression with problems was evaluated")
	}}
}

// at is where a node stands. The parser gives operators the place of their sign,
// fields that of their name; if … else has none, so we take its condition's.
func (c *compiler) at(n ast.Node) place {
	if conditional, ok := n.(*ast.ConditionalNode); ok {
		return c.at(conditional.Cond)
	}
	return c.place(n.Location())
}

// over is where a node and all in it stand, for problems with a whole operand.
func (c *compiler) over(n ast.Node) place {
	s := spanOf{location: n.Location()}
	if _, ok := n.(*ast.ConditionalNode); ok {
		s.location = c.location(n)
	}
	ast.Walk(&n, &s)
	return c.place(s.location)
}

func (c *compiler) location(n ast.Node) file.Location {
	for {
		conditional, ok := n.(*ast.ConditionalNode)
		if !ok {
			return n.Location()
		}
		n = conditional.Cond
	}
}

// spanOf grows to cover all nodes that have a place.
type spanOf struct{ location file.Location }

// Visit implements ast.Visitor.
func (s *spanOf) Visit(n *ast.Node) {
	if _, ok := (*n).(*ast.ConditionalNode); ok {
		return
	}
	at := (*n).Location()
	s.location.From = min(s.location.From, at.From)
	s.location.To = max(s.location.To, at.To)
}

// fail gives an error its place, if it has none.
func (p place) fail(err error) error {
	if e, ok := err.(*Error); ok {
		if e.Offset == unplaced {
			e.Offset, e.Length = p.offset, p.length
		}
		return e
	}
	return &Error{Offset: p.offset, Length: p.length, Code: CodeValue, Message: err.Error(), Err: err}
}

// compile compiles a node.
func (c *compiler) compile(n ast.Node) operand {
	var out operand
	switch n := n.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		out = c.literal(n)
	case *ast.ArrayNode:
		out = c.list(n)
	case *ast.MapNode:
		out = c.record(n)
	case *ast.IdentifierNode:
		out = c.identifier(n)
	case *ast.PointerNode:
		out = c.pointer(n)
	case *ast.MemberNode:
		out = c.member(n)
	case *ast.ChainNode: // every access here is an optional one
		out = c.compile(n.Node)
	case *ast.SliceNode:
		out = c.slice(n)
	case *ast.UnaryNode:
		out = c.unary(n)
	case *ast.BinaryNode:
		out = c.binary(n)
	case *ast.ConditionalNode:
		out = c.conditional(n)
	case *ast.VariableDeclaratorNode:
		out = c.let(n)
	case *ast.CallNode:
		out = c.call(n)
	case *ast.BuiltinNode:
		out = c.predicateCall(n)
	case *ast.SequenceNode:
		c.problem(c.over(n), CodeSyntax, "a ; only follows let", "several expressions in one: only the last would count")
		out = c.broken(n)
	case *ast.BytesNode:
		c.problem(c.at(n), CodeType, `write "…" without the b`, "there are no byte strings")
		out = c.broken(n)
	default:
		c.problem(c.at(n), CodeSyntax, "", "this cannot stand here")
		out = c.broken(n)
	}
	out.node = n
	return out
}

func (c *compiler) remember(t *connectors.Schema, s shape) *connectors.Schema {
	if c.shapes == nil {
		c.shapes = make(map[*connectors.Schema]shape)
	}
	c.shapes[t] = s
	return t
}

// orNull is [orNull] for types that may have a shape.
func (c *compiler) orNull(t *connectors.Schema) *connectors.Schema {
	out := orNull(t)
	if s, has := c.shapes[t]; has && out != t {
		c.remember(out, s)
	}
	return out
}
