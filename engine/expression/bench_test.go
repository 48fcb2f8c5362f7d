package expression

import (
	"context"
	"fmt"
	"testing"

	"github.com/expr-lang/expr"

	"github.com/flowctl/flowctl/connectors"
)

// fields is a map step of 20 fields, as an order becomes an ERP's record.
var fields = []string{
	`${order.id}`, `${order.number}`, `WC/${order.number}`, `${order.total}`, `${order.total * 1.2}`, `${order.status}`,
	`${lower(trim(order.billing.email))}`, `${order.billing.city}`, `${order.billing.country}`, `${date(order.created)}`,
	`${coalesce(order.shipping.city, order.billing.city)}`, `${choose(order.prices_include_tax, "included", "excluded")}`,
	`${sum(order.lines, .total)}`, `${len(order.lines)}`, `${first(country.ids)}`, `${join(order.coupons, ", ")}`,
	`${map(order.lines, {{"sku": .sku, "qty": .quantity, "price": .total / .quantity}})}`,
	`${filter(order.lines, .sku != nil)}`, `${round(order.total / 3, 2)}`, `${order.currency == "EUR"}`,
}

func BenchmarkCompileField(b *testing.B) {
	env, _ := shop()
	for i := 0; b.Loop(); i++ {
		if _, problems := CompileTemplate(fields[i%len(fields)], env); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkEvalTwentyFields(b *testing.B) {
	env, vars := shop()
	templates := make([]*Template, len(fields))
	for i, source := range fields {
		tpl, problems := CompileTemplate(source, env)
		if len(problems) > 0 {
			b.Fatal(problems)
		}
		templates[i] = tpl
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		for _, tpl := range templates {
			if _, err := tpl.Eval(ctx, vars); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// The same expression on this package and on expr's machine, on whole numbers.
func BenchmarkLoop(b *testing.B) {
	const source = `sum(filter(list, # % 3 == 0), # * 2)`
	list := make([]any, 1000)
	for i := range list {
		list[i] = i
	}
	vars := map[string]any{"list": list}
	b.Run("flowctl", func(b *testing.B) {
		p, problems := Compile(source, Env{"list": connectors.Array(connectors.Integer())}, nil)
		if len(problems) > 0 {
			b.Fatal(problems)
		}
		for b.Loop() {
			if _, err := p.Eval(context.Background(), vars); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("expr", func(b *testing.B) {
		p, err := expr.Compile(source, expr.Env(vars))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := expr.Run(p, vars); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func ExampleCompileTemplate() {
	env := Env{"order": connectors.Object(map[string]*connectors.Schema{
		"number": connectors.String(), "total": connectors.Decimal(),
	})}
	vars := map[string]any{"order": map[string]any{"number": "727", "total": decimalOfFloat(29.97)}}

	t, _ := CompileTemplate(`Order ${order.number}: ${order.total * 2}`, env)
	text, _ := t.Eval(context.Background(), vars)
	fmt.Println(text)

	_, problems := CompileTemplate(`${order.totl}`, env)
	fmt.Println(problems[0].Offset, problems[0].Message, "-", problems[0].Hint)
	// Output:
	// Order 727: 59.94
	// 8 there is no field "totl" - did you mean total?
}
