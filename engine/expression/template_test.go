package expression

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
)

func TestTemplates(t *testing.T) {
	t.Parallel()
	env, vars := shop()
	for _, c := range []struct{ source, want string }{ // want is an expression
		{``, `""`},
		{`plain`, `"plain"`},
		{`${order.id}`, `727`},
		{`${order.total}`, `29.97`},
		{`${order.billing}`, `order.billing`},
		{`${ order.coupons }`, `order.coupons`},
		{`${nil}`, `nil`},
		{`order:${order.id}`, `"order:727"`},
		{`${order.id}${order.total}`, `"72729.97"`},
		{` ${order.id}`, `" 727"`},
		{"${order.id}\n", "\"727\\n\""},
		{`${order.total * 10} on ${order.created}`, `"299.7 on 2024-05-01T23:30:00Z"`},
		{`${order.shipping.city}, ${partner.name}!`, `", !"`},
		{`${order.prices_include_tax}!`, `"true!"`},
		{`$${order.id}`, "\"${order.id}\""},
		{`$$${order.id}`, "\"$${order.id}\""},
		{`costs $5 and $${x} for ${order.id}$`, `"costs $5 and ${x} for 727$"`},
		{`$ { } }`, `"$ { } }"`},
		{`${{"a": {"b": 1}}.a.b}`, `1`},
		{`${map(order.coupons, {{"c": #}})}`, `[{"c": "SAVE"}, {"c": "SAVE"}]`},
		{`${"}"}${'}'}` + "${`}`}", `"}}}"`},
		{`${"\"}"}x`, `"\"}x"`},
		{"${`a``}`}x", "\"a`}x\""},
		{`${"${x}"}`, `"${x}"`},
		{`${order.id /* } */}`, `727`},
		{"${order.id // }\n}", `727`},
		{`é${order.id}é`, `"é727é"`},
	} {
		t.Run(c.source, func(t *testing.T) {
			t.Parallel()
			tpl, problems := CompileTemplate(c.source, env)
			if len(problems) > 0 {
				t.Fatalf("%+v", problems)
			}
			got, err := tpl.Eval(context.Background(), vars)
			if err != nil {
				t.Fatal(err)
			}
			if !same(t, got, mustEvaluate(t, c.want)) {
				t.Errorf("%s gives %#v, want %s", c.source, got, c.want)
			}
			if constant, ok := tpl.Constant(); ok != !strings.Contains(strings.ReplaceAll(c.source, "$${", ""), "${") || ok && constant != got {
				t.Errorf("constant %v, %v", constant, ok)
			}
		})
	}
}

func TestTemplateProblems(t *testing.T) {
	t.Parallel()
	env, _ := shop()
	for _, c := range []struct{ source, code, hint string }{
		{`a ‹${›order.id`, CodeUnterminated, `YAML cuts a plain value at " #"`},
		{`‹${›map(order.lines,`, CodeUnterminated, `YAML cuts`},
		{`${"a" + ‹"›b}`, CodeUnterminated, `quotes or in a block that begins with |-`},
		{`‹${›{"a": 1}`, CodeUnterminated, `": "`},
		{`‹${›order.id // }`, CodeUnterminated, ``},
		{`‹${›order.id /* }`, CodeUnterminated, ``},
		{`${‹›}`, CodeSyntax, ``},
		{`a ${order.‹totl›} b`, CodeUnknownField, `did you mean total?`},
		{`é ${"é" + order.‹totl›}`, CodeUnknownField, `did you mean total?`},
		{`a ‹${order.lines}›`, CodeType, `join(…)`},
		{"‹${order.billing}›\n", CodeType, `|-`},
	} {
		t.Run(c.source, func(t *testing.T) {
			t.Parallel()
			source, offset, length := marked(c.source)
			tpl, problems := CompileTemplate(source, env)
			if tpl != nil || len(problems) != 1 {
				t.Fatalf("%s: %+v", source, problems)
			}
			p := problems[0]
			if p.Code != c.code || !strings.Contains(p.Hint, c.hint) || p.Offset != offset || p.Length != length {
				t.Errorf("%s: want %d+%d: %+v", source, offset, length, p)
			}
		})
	}
	if _, problems := CompileTemplate(`${ordr} ${order.totl}`, env); len(problems) != 2 {
		t.Errorf("not all at once: %+v", problems)
	}
	if _, problems := CompileTemplate(strings.Repeat(`${1}`, maxParts+1), env); len(problems) != 1 || problems[0].Code != CodeTooLarge {
		t.Errorf("too many parts: %+v", problems)
	}
}

func TestTemplateErrorsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	env, vars := shop()
	source, offset, length := marked(`é ${order.id} ${1 ‹/› 0}`)
	tpl, problems := CompileTemplate(source, env)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	_, err := tpl.Eval(context.Background(), vars)
	var e *Error
	if !errors.As(err, &e) || e.Offset != offset || e.Length != length {
		t.Errorf("%#v", err)
	}
	tpl, _ = CompileTemplate(`a ${from_json("[]")}`, env)
	if _, err = tpl.Eval(context.Background(), vars); !errors.As(err, &e) || e.Code != CodeType || e.Offset != 2 {
		t.Errorf("a list in a text: %#v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	env, _ := shop()
	tpl, _ := CompileTemplate(`${order.id} ${let y = x; y} ${country.ids[0]} ${order.total}`, env)
	if got := tpl.Names(); !slices.Equal(got, []string{"country", "order", "x"}) {
		t.Error(got)
	}
	p, _ := Compile(`any(order.lines, .id == partner.id)`, env, nil)
	if got := p.Names(); !slices.Equal(got, []string{"order", "partner"}) {
		t.Error(got)
	}
	constant, _ := CompileTemplate("x", env)
	if got := constant.Names(); len(got) != 0 {
		t.Error(got)
	}
}

// The type of a result, as people read it.
func TestTypes(t *testing.T) {
	t.Parallel()
	env, _ := shop()
	for source, want := range map[string]string{
		`1`:                            "whole number",
		`1.0`:                          "decimal",
		`1 + 1`:                        "whole number",
		`1 + 0.5`:                      "decimal",
		`1 / 1`:                        "decimal",
		`order.id % 2`:                 "whole number",
		`order.total > 1`:              "true or false",
		`x`:                            "anything",
		`x + 1`:                        "anything",
		`"a" + x`:                      "text",
		`order.lines`:                  "list of record {id, quantity, sku, tax, total}",
		`filter(order.lines, .id > 1)`: "list of record {id, quantity, sku, tax, total}",
		`first(order.lines)`:           "record {id, quantity, sku, tax, total}",
		`map(order.lines, .total)`:     "list of decimal",
		`sum(order.lines, .total)`:     "decimal",
		`sum(order.lines, .quantity)`:  "whole number",
		`count(order.lines, true)`:     "whole number",
		`map(order.lines, {{"a": .id, "b": [.sku]}})`: "list of record {a, b}",
		`{"a": 1, "b": {c: 2}}`:                       "record {a, b}",
		`{("a" + "b"): 1}`:                            "record",
		`[1, 0.5]`:                                    "list of decimal",
		`[1, "a"]`:                                    "list of anything",
		`[]`:                                          "list of anything",
		`concat([], [1])`:                             "list of whole number",
		`choose(true, 1, 0.5)`:                        "decimal",
		`choose(true, 1, nil)`:                        "whole number",
		`coalesce(partner.name, "x")`:                 "text",
		`group(order.lines, "sku")`:                   "list of record {items, key}",
		`group(order.lines, "sku")[0].key`:            "text",
		`zip(country.ids, order.coupons)[0][0]`:       "whole number",
		`zip(country.ids, order.coupons)[0][1]`:       "text",
		`zip([1], [2])`:                               "list of list of whole number",
		`merge(order.billing, {"vat": 1})`:            "record {city, country, email, vat}",
		`merge({}, {"a": 1})`:                         "record {a}",
		`pick(order, "id")`:                           "record {id}",
		`reduce(order.lines, #acc + .total, 0)`:       "decimal",
		`reduce([1], concat(#acc, [#]), [])`:          "list of whole number",
		`sort(country.ids)`:                           "list of whole number",
		`max(1, 2.5)`:                                 "decimal",
		`allocate(1, [1], 0.01)`:                      "list of decimal",
		`date(order.created)`:                         "date",
		`order.created - order.created`:               "decimal",
		`split("a", "b")`:                             "list of text",
		`1..3`:                                        "list of whole number",
		`from_json("1")`:                              "anything",
	} {
		p, problems := Compile(source, env, nil)
		if len(problems) > 0 {
			t.Errorf("%s: %+v", source, problems)
			continue
		}
		if got := p.Type().String(); got != want {
			t.Errorf("%s is %s, want %s", source, got, want)
		}
	}
	for source, want := range map[string]bool{
		`partner.name`: true, `lower(partner.name)`: true, `first(order.lines)`: true, `order.id`: false,
		`coalesce(partner.name, "x")`: false, `order.shipping.city`: true, `decimal(order.number)`: true,
		`order.total + 1`: false, `choose(true, 1, nil)`: true,
	} {
		if p, problems := Compile(source, env, nil); len(problems) > 0 || p.Type().Nullable != want {
			t.Errorf("%s: nullable must be %v (%v)", source, want, problems)
		}
	}
}

// A type given by one expression types the next one, as from step to step.
func TestTypesGoOn(t *testing.T) {
	t.Parallel()
	env, _ := shop()
	tpl, problems := CompileTemplate(`${map(order.lines, {{"code": .sku, "unit": .total / .quantity}})}`, env)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	env["rows"] = tpl.Type()
	if p, problems := Compile(`sum(rows, .unit)`, env, nil); len(problems) > 0 || !p.Type().IsDecimal() {
		t.Errorf("%+v", problems)
	}
	if _, problems := Compile(`map(rows, .kode)`, env, nil); len(problems) != 1 || problems[0].Hint != "did you mean code?" {
		t.Errorf("%+v", problems)
	}
	if typ := tpl.Type(); typ.Type != "array" || typ.Items.Properties["code"].Type != connectors.String().Type {
		t.Errorf("%+v", typ)
	}
}
