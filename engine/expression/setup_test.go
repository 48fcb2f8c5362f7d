package expression

import (
	"context"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// shop is an environment like a flow's: an order as the shop gives it, a partner
// as the ERP gives it, settings, and a value of which nothing is known.
func shop() (Env, map[string]any) {
	text, whole, amount := connectors.String, connectors.Integer, connectors.Decimal
	line := connectors.Object(map[string]*connectors.Schema{
		"id": whole(), "sku": text().OrNull(), "quantity": whole(), "total": amount(), "tax": amount(),
	})
	address := connectors.Object(map[string]*connectors.Schema{"city": text(), "country": text(), "email": text()})
	env := Env{
		"order": connectors.Object(map[string]*connectors.Schema{
			"id": whole(), "number": text(), "status": text(), "total": amount(), "currency": text(),
			"created": connectors.DateTime(), "paid": connectors.DateTime().OrNull(),
			"billing": address, "shipping": address.OrNull(), "lines": connectors.Array(line),
			"coupons": connectors.Array(text()), "meta": {Type: "object", Open: true},
			"prices_include_tax": connectors.Boolean(),
		}),
		"partner":  connectors.Object(map[string]*connectors.Schema{"id": whole(), "name": text().OrNull(), "email": text().OrNull()}).OrNull(),
		"settings": connectors.Object(map[string]*connectors.Schema{"sync": connectors.Boolean().OrNull(), "unit": amount()}),
		"country":  connectors.Object(map[string]*connectors.Schema{"ids": connectors.Array(whole())}),
		"x":        nil,
	}
	dec := decimal.RequireFromString
	vars := map[string]any{
		"order": map[string]any{
			"id": int64(727), "number": "727", "status": "processing", "total": dec("29.97"), "currency": "EUR",
			"created": time.Date(2024, 5, 1, 23, 30, 0, 0, time.UTC), "paid": nil,
			"billing":  map[string]any{"city": "Łódź", "country": "PL", "email": "Jane@Example.COM"},
			"shipping": nil,
			"lines": []any{
				map[string]any{"id": int64(1), "sku": "A", "quantity": int64(2), "total": dec("0.10"), "tax": dec("0.02")},
				map[string]any{"id": int64(2), "sku": nil, "quantity": int64(1), "total": dec("0.20"), "tax": dec("0.04")},
				map[string]any{"id": int64(3), "sku": "B", "quantity": int64(3), "total": dec("29.67"), "tax": dec("5.93")},
			},
			"coupons": []any{"SAVE", "SAVE"}, "meta": map[string]any{"_vat": "PL123"},
			"prices_include_tax": true,
		},
		"partner":  nil,
		"settings": map[string]any{"sync": nil, "unit": dec("0.01")},
		"country":  map[string]any{"ids": []any{int64(75)}},
		"x":        nil,
	}
	return env, vars
}

// evaluate compiles and evaluates in the shop's environment.
func evaluate(t testing.TB, source string) (any, error) {
	t.Helper()
	env, vars := shop()
	p, problems := Compile(source, env, nil)
	if len(problems) > 0 {
		t.Fatalf("%s: %+v", source, problems)
	}
	return p.Eval(context.Background(), vars)
}

func mustEvaluate(t testing.TB, source string) any {
	t.Helper()
	v, err := evaluate(t, source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return v
}

// same compares results as expressions do, and their kinds too.
func same(t testing.TB, a, b any) bool {
	t.Helper()
	m := newMeter(context.Background())
	is, err := m.equal(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// reporter is what tests, fuzz targets and rapid have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}
