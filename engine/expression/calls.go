package expression

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// call is a call of a function while it is compiled.
type call struct {
	*definition
	name string
	at   place
	args []operand
}

// call compiles a call of a function without a predicate.
func (c *compiler) call(n *ast.CallNode) operand {
	args := make([]operand, len(n.Arguments))
	for i, node := range n.Arguments {
		args[i] = c.compile(node)
	}
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		c.problem(c.at(n.Callee), CodeUnknownFunc, "functions stand before: lower(x), or x | lower()", "values have no functions of their own")
		return c.broken(n)
	}
	d := definitions[callee.Value]
	if d == nil {
		c.problem(c.at(callee), CodeUnknownFunc, functionHint(callee.Value), "there is no function %q", callee.Value)
		return c.broken(n)
	}
	call := &call{definition: d, name: callee.Value, at: c.at(callee), args: args}
	if !c.takes(call) {
		return c.broken(n)
	}
	if d.form != nil {
		return d.form(c, call)
	}
	typ := d.result
	if d.typ != nil {
		typ = d.typ(c, call)
	}
	if len(args) > 0 && d.passesNil() {
		typ = c.orNullIf(typ, args[0].typ)
	}
	return operand{typ: typ, eval: call.evaluate}
}

func functionHint(name string) string {
	if hint := replaced[name]; hint != "" {
		return hint
	}
	return didYouMean(name, slices.Collect(maps.Keys(definitions)))
}

// takes reports arguments that are too few, too many or of the wrong kind.
func (c *compiler) takes(call *call) bool {
	least, most := len(call.params), len(call.params)
	for _, p := range call.params {
		if p.optional || p.variadic {
			least--
		}
		if p.variadic {
			most = 1 << 30
		}
	}
	if n := len(call.args); n < least || n > most {
		c.problem(call.at, CodeArguments, call.signature, "%s() takes %s, and these are %d", call.name, countOf(least, most), n)
		return false
	}
	fine := true
	for i, arg := range call.args {
		if p := call.param(i); p.kinds != 0 {
			wanted := p.kinds
			if wanted == kindInteger {
				wanted = kindNumber // 2.0 is whole; the call itself looks
			}
			fine = c.wants(arg, wanted, "the "+ordinal(i)+" argument of "+call.name+"()") && fine
		}
	}
	return fine
}

func countOf(least, most int) string {
	switch {
	case least == most && least == 1:
		return "1 argument"
	case least == most:
		return strconv.Itoa(least) + " arguments"
	case most == 1<<30:
		return "at least " + strconv.Itoa(least) + " arguments"
	}
	return fmt.Sprintf("%d to %d arguments", least, most)
}

func ordinal(i int) string {
	switch i {
	case 0:
		return "1st"
	case 1:
		return "2nd"
	case 2:
		return "3rd"
	}
	return strconv.Itoa(i+1) + "th"
}

// param is the parameter of the i-th argument.
func (d *definition) param(i int) parameter {
	return d.params[min(i, len(d.params)-1)]
}

// passesNil tells whether the function of nil is nil: where the first argument
// is a single value. nil as a list is the empty list, nil as a record the empty
// record.
func (d *definition) passesNil() bool {
	return len(d.params) > 0 && !d.strict && !d.params[0].variadic && d.params[0].kinds != 0 &&
		d.params[0].kinds&(kindList|kindRecord) == 0
}

// evaluate evaluates the arguments and runs the function.
func (call *call) evaluate(e *evaluation) (any, error) {
	if err := e.spend(1); err != nil {
		return nil, call.at.fail(err)
	}
	args := make([]any, max(len(call.args), len(call.params)))
	for i, arg := range call.args {
		v, err := arg.eval(e)
		if err != nil {
			return nil, err
		}
		if v == nil && i == 0 && call.passesNil() {
			return nil, nil
		}
		if args[i], err = call.argument(e, i, v); err != nil {
			return nil, call.at.fail(err)
		}
	}
	if last := len(call.params) - 1; last >= 0 && call.params[last].variadic && len(call.args) <= last {
		args = args[:last]
	}
	out, err := call.run(e, args)
	if err != nil {
		return nil, call.at.fail(err)
	}
	return out, nil
}

// argument checks a value and pays for the walk over it.
func (call *call) argument(e *evaluation, i int, v any) (any, error) {
	p := call.param(i)
	switch x := v.(type) {
	case nil:
		switch {
		case p.kinds == 0 || p.optional:
			return nil, nil
		case p.kinds&kindList != 0:
			return []any(nil), nil
		case p.kinds&kindRecord != 0:
			return map[string]any(nil), nil
		}
		return nil, failf(CodeType, "the %s argument of %s() is nil", ordinal(i), call.name)
	case string:
		if err := e.spend(len(x) / 64); err != nil {
			return nil, err
		}
	case []any:
		if err := e.spend(len(x)); err != nil {
			return nil, err
		}
	case map[string]any:
		if err := e.spend(len(x)); err != nil {
			return nil, err
		}
	case decimal.Decimal:
		if outOfRange(x) {
			return nil, failf(CodeValue, "a number of more than %d digits", maxDigits)
		}
	}
	if p.kinds == kindInteger {
		if whole, ok := toInteger(v); ok {
			return whole, nil
		}
	}
	if p.kinds != 0 && valueKind(v)&p.kinds == 0 {
		return nil, failf(CodeType, "the %s argument of %s() must be %s, and this is %s", ordinal(i), call.name, p.kinds, describe(v)).
			hinted(conversionHint(valueKind(v), p.kinds))
	}
	return v, nil
}

// typeOf is the type of an argument, nil where it is left out.
func (call *call) typeOf(i int) *connectors.Schema {
	if i < len(call.args) {
		return call.args[i].typ
	}
	return nil
}

// constantText is the value of an argument that is written as a text.
func (call *call) constantText(i int) (string, bool) {
	if i >= len(call.args) {
		return "", false
	}
	text, ok := call.args[i].node.(*ast.StringNode)
	if !ok {
		return "", false
	}
	return text.Value, true
}
