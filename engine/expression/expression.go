// Package expression compiles and evaluates the expressions of flows.
//
// The language is that of expr-lang/expr, read by its parser: its syntax, its
// precedence and its builtins. Types and evaluation are this package's own,
// because flows need what expr's checker and virtual machine cannot give:
// connectors.Schema as the type of everything, amounts that are decimal and
// never float, everything of nil is nil, and bounds on the time, work and memory
// of an evaluation without a goroutine that nobody can stop. A test runs
// expressions through both and compares.
//
// Expressions are pure: they read the variables given, and no file, network,
// environment, clock or random source.
//
// What differs from expr:
//   - 0.1 is the decimal 0.1; numbers are whole (int64) or decimal.
//   - / and ** give decimals; 7 / 2 is 3.5. Division is to at least 28
//     significant digits.
//   - a.b.c is nil where a or a.b is nil; so is a field that a record lacks.
//   - nil counts as false in conditions, as "" beside a text in +, as the empty
//     list or record where one is wanted. In arithmetic and < it is an error.
//   - Texts are counted, indexed and sliced in characters, not bytes.
//   - keys, values and toPairs are in the order of the names; groups are keyed
//     by text.
//   - #acc's and every list's and record's type is known, see [Program.Type].
package expression

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/flowctl/flowctl/connectors"
)

// Env is what names an expression may use, and their types. A nil schema is the
// type of a value of which nothing is known.
type Env map[string]*connectors.Schema

// Program is a compiled expression, safe for concurrent use.
type Program struct {
	code
	want  *connectors.Schema
	names []string
}

// Compile compiles a bare expression, as in when, for_each and enabled. want may
// be nil, or a schema whose Type the result must fit: boolean, array …; then a
// result of nil becomes false or the empty list, unless want is nullable.
//
// Either the problems are empty or the program is nil. Problems are in the order
// of the text.
func Compile(source string, env Env, want *connectors.Schema) (*Program, []Problem) {
	names := make(map[string]bool)
	compiled, problems := compile(source, 0, env, names)
	if problems != nil {
		return nil, problems
	}
	if !fits(compiled.typ, want) {
		return nil, []Problem{{
			Length: len(source), Code: CodeType, Hint: conversionHint(kindOf(compiled.typ), kindOf(want)),
			Message: fmt.Sprintf("this must be %s, and is %s", kindOf(want), kindOf(compiled.typ)),
		}}
	}
	return &Program{code: compiled, want: want, names: slices.Sorted(maps.Keys(names))}, nil
}

// Type is the type of the result.
func (p *Program) Type() *connectors.Schema { return p.typ }

// Names lists the variables that the expression reads, sorted.
func (p *Program) Names() []string { return slices.Clone(p.names) }

// Eval evaluates the expression. The result is canonical (see
// connectors.Schema); it may share lists and records with vars, so neither may
// be modified after. Errors are of type [*Error].
func (p *Program) Eval(ctx context.Context, vars map[string]any) (any, error) {
	e := newEvaluation(ctx, vars, p.lets, p.loops)
	v, err := p.run(e)
	if err != nil {
		return nil, err
	}
	return p.wanted(v)
}

// wanted brings the result into the wanted type.
func (p *Program) wanted(v any) (any, error) {
	want := kindOf(p.want)
	if want == kindUnknown {
		return v, nil
	}
	if v == nil {
		switch {
		case p.want.Nullable:
		case want == kindBoolean:
			return false, nil
		case want == kindList:
			return []any{}, nil
		}
		return v, nil
	}
	got := valueKind(v)
	if want == kindDecimal && got == kindInteger {
		return asDecimal(v), nil
	}
	if got != want {
		return nil, &Error{
			Code: CodeType, Message: fmt.Sprintf("the result must be %s, and is %s", want, got),
			Hint: conversionHint(got, want),
		}
	}
	return v, nil
}

func newEvaluation(ctx context.Context, vars map[string]any, lets, loops int) *evaluation {
	e := &evaluation{meter: newMeter(ctx), vars: vars}
	if lets > 0 {
		e.lets = make([]any, lets)
	}
	if loops > 0 {
		e.loops = make([]loop, loops)
	}
	return e
}

// run evaluates compiled code and finishes its result. A panic is a mistake of
// this package or of a library; it fails the expression, not the worker.
func (c code) run(e *evaluation) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, &Error{Code: CodeInternal, Message: fmt.Sprintf("the expression cannot be evaluated: %v", r)}
		}
	}()
	if err := e.look(); err != nil {
		return nil, place{}.fail(err)
	}
	if v, err = c.eval(e); err != nil {
		return nil, place{}.fail(err)
	}
	if c.plain { // a variable, which is canonical and was there before
		return v, nil
	}
	if v, err = e.finish(v, c.typ); err != nil {
		return nil, place{}.fail(err)
	}
	return v, nil
}
