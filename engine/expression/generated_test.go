package expression

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// generator writes expressions that mostly make sense.
type generator struct {
	t     *rapid.T
	names []string // of functions
	depth int
}

var leaves = []string{
	`1`, `0`, `-3`, `2.50`, `0.01`, `"a"`, `""`, `"2024-05-01"`, `"12.5"`, `true`, `false`, `nil`, `[]`, `{}`, `x`, `order`, `order.id`, `order.total`,
	`order.number`, `order.created`, `order.paid`, `order.billing`, `order.shipping`, `order.shipping.city`, `order.lines`, `order.coupons`, `order.meta`,
	`partner`, `partner.name`, `settings.sync`, `country.ids`, `order.lines[0]`, `map(order.lines, .total)`, `order.prices_include_tax`,
}

var inLoop = []string{`#`, `.id`, `.sku`, `.total`, `.quantity`, `#index`, `.key`, `.items`, `#[0]`, `#[1]`}

func (g *generator) pick(label string, from []string) string {
	return rapid.SampledFrom(from).Draw(g.t, label)
}

// expression writes one; loops is how many loops are around it.
func (g *generator) expression(loops int) string {
	g.depth++
	defer func() { g.depth-- }()
	shape := rapid.IntRange(0, 12).Draw(g.t, "shape")
	if g.depth > 5 {
		shape = 0
	}
	sub := func() string { return g.expression(loops) }
	switch {
	case shape <= 2 && loops > 0 && rapid.Bool().Draw(g.t, "element"):
		return g.pick("element", inLoop)
	case shape <= 2:
		return g.pick("leaf", leaves)
	case shape == 3:
		return "(" + sub() + " " + g.pick("operator", []string{
			"+", "-", "*", "/", "%", "==", "!=", "<", ">=", "and", "or", "in", "??", "contains", "matches", "..", "**",
		}) + " " + sub() + ")"
	case shape == 4:
		return fmt.Sprintf("(%s ? %s : %s)", sub(), sub(), sub())
	case shape == 5:
		return fmt.Sprintf("[%s, %s]", sub(), sub())
	case shape == 6:
		return fmt.Sprintf(`{"id": %s, "sku": %s}`, sub(), sub())
	case shape == 7:
		return sub() + g.pick("access", []string{".id", ".sku", ".key", "[0]", "[1:]", `["total"]`, "[-1]", ".items"})
	case shape == 8:
		return g.pick("unary", []string{"not ", "-"}) + sub()
	}
	return g.call(loops)
}

func (g *generator) call(loops int) string {
	d := definitions[g.pick("function", g.names)]
	name, _, _ := strings.Cut(d.signature, "(")
	var args []string
	for _, p := range d.params {
		switch {
		case p.optional && rapid.Bool().Draw(g.t, "left out"):
		case p.predicate:
			args = append(args, "{"+g.expression(loops+1)+"}")
		case p.variadic:
			for range rapid.IntRange(0, 3).Draw(g.t, "arguments") {
				args = append(args, g.argument(p, loops))
			}
		default:
			args = append(args, g.argument(p, loops))
		}
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// argument writes one that mostly is of a kind that the function takes.
func (g *generator) argument(p parameter, loops int) string {
	if p.kinds == kindText && rapid.Bool().Draw(g.t, "a field") {
		return g.pick("field", []string{`"id"`, `"sku"`, `"total"`, `"desc"`, `"UTC"`})
	}
	if p.kinds&kindList != 0 && rapid.Bool().Draw(g.t, "a list") {
		return g.pick("list", []string{"order.lines", "country.ids", "map(order.lines, .total)", "order.coupons", "[1, 0.5]"})
	}
	return g.expression(loops)
}

// Whatever compiles evaluates to a value of the type that was promised, or to an
// error in words; never to a Go type that flows do not know, and never twice to
// different values.
func TestGeneratedExpressions(t *testing.T) {
	t.Parallel()
	env, vars := shop()
	ctx := WithLimits(context.Background(), Limits{Time: 5 * time.Second, Iterations: 20_000, Memory: 1 << 20, Output: 1 << 18})
	names := slices.Sorted(maps.Keys(definitions))
	compiled, evaluated := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t: t, names: names}
		for range 20 {
			source := g.expression(0)
			p, problems := Compile(source, env, nil)
			if p == nil {
				for _, problem := range problems {
					if problem.Offset < 0 || problem.Offset+problem.Length > len(source) || problem.Message == "" {
						t.Fatalf("%s: %+v", source, problem)
					}
				}
				continue
			}
			compiled++
			v, err := p.Eval(ctx, vars)
			var e *Error
			if err != nil {
				if !errors.As(err, &e) || e.Code == CodeInternal || e.Offset < 0 || e.Offset+e.Length > len(source) {
					t.Fatalf("%s: %#v", source, err)
				}
				continue
			}
			evaluated++
			checkCanonical(t, source, v)
			checkType(t, source, p.Type(), v)
			again, err := p.Eval(ctx, vars)
			if err != nil {
				t.Fatalf("%s: %v", source, err)
			}
			if is, err := newMeterPointer().equal(v, again); err != nil || !is {
				t.Fatalf("%s is not pure: %v, %v", source, v, again)
			}
		}
	})
	t.Logf("%d compiled, %d evaluated", compiled, evaluated)
}

func newMeterPointer() *meter {
	m := newMeter(context.Background())
	return &m
}
