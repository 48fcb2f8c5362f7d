package expression

import (
	"strings"
	"testing"
	"time"
)

// Each expression is refused with the code, at the place between ‹ › and with
// the hint given.
func TestProblems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, code, hint string }{
		// Unknown fields, wherever they stand.
		{`order.‹totl›`, CodeUnknownField, "did you mean total?"},
		{`order.billing.‹contry›`, CodeUnknownField, "did you mean country?"},
		{`order?.shipping?.‹ctiy›`, CodeUnknownField, "did you mean city?"},
		{`order[‹"totl"›]`, CodeUnknownField, "did you mean total?"},
		{`order.lines[0].‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`map(order.lines, .‹skuu›)`, CodeUnknownField, "did you mean sku?"},
		{`filter(order.lines, #.‹skuu› == "A")`, CodeUnknownField, "did you mean sku?"},
		{`first(filter(order.lines, .quantity > 1)).‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`find(order.lines, .id == 1).‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`sortBy(order.lines, .id)[0].‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`groupBy(order.lines, .sku).A[0].‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`group(order.lines, "sku")[0].‹item›`, CodeUnknownField, "did you mean items?"},
		{`group(order.lines, "sku")[0].items[0].‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`group(order.lines, ‹"skuu"›)`, CodeUnknownField, "did you mean sku?"},
		{`index(order.lines, "sku")["A"].‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`where(order.lines, {‹skuu›: "A"})`, CodeUnknownField, "did you mean sku?"},
		{`where(order.lines, {sku: "A"})[0].‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`lookup(order.lines, "id", 1).‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`map(order.lines, {{"code": .sku}})[0].‹kode›`, CodeUnknownField, "did you mean code?"},
		{`map(zip(order.lines, country.ids), #[0].‹skuu›)`, CodeUnknownField, "did you mean sku?"},
		{`toPairs({"a": order.billing})[0][1].‹cty›`, CodeUnknownField, "did you mean city?"},
		{`choose(true, order.billing, order.shipping).‹cty›`, CodeUnknownField, "did you mean city?"},
		{`coalesce(order.shipping, order.billing).‹cty›`, CodeUnknownField, "did you mean city?"},
		{`(order.shipping ?? order.billing).‹cty›`, CodeUnknownField, "did you mean city?"},
		{`(true ? order.shipping : order.billing).‹cty›`, CodeUnknownField, "did you mean city?"},
		{`merge(order.billing, {"vat": "x"}).‹vatt›`, CodeUnknownField, "did you mean vat?"},
		{`pick(order, "id", ‹"totl"›)`, CodeUnknownField, "did you mean total?"},
		{`pick(order, "id", "total").‹number›`, CodeUnknownField, "there are id, total"},
		{`omit(order.billing, "email").‹email›`, CodeUnknownField, "there are city, country"},
		{`reduce(order.lines, merge(#acc, {"n": .‹skuu›}), {})`, CodeUnknownField, "did you mean sku?"},
		{`reduce(order.lines, #).‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`let l = first(order.lines); l.‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`max(map(order.lines, .‹totl›))`, CodeUnknownField, "did you mean total?"},
		{`sum(order.lines, .‹totl›)`, CodeUnknownField, "did you mean total?"},
		{`flatten([order.lines])[0].‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`concat(order.lines, order.lines)[0].‹skuu›`, CodeUnknownField, "did you mean sku?"},
		{`"é" + order.‹nummer›`, CodeUnknownField, "did you mean number?"},

		// Unknown names and functions.
		{`‹ordr›.total`, CodeUnknownName, "did you mean order?"},
		{`‹first›.id`, CodeUnknownName, "first is a function: first(…)"},
		{`‹$env›`, CodeUnknownName, ""},
		{`‹colesce›(1, 2)`, CodeUnknownFunc, "did you mean coalesce?"},
		{`‹now›()`, CodeUnknownFunc, "same result whenever"},
		{`‹float›("1")`, CodeUnknownFunc, "decimal(…)"},
		{`order.‹total›()`, CodeUnknownFunc, "lower(x)"},
		{`count([true], ‹#›acc > 1)`, CodeUnknownName, ""},

		// Types.
		{`order.id ‹==› order.number`, CodeType, "text(…) writes one"},
		{`order.created ‹<› "2024-01-01"`, CodeType, "parse_time"},
		{`order.id ‹in› ["1", "2"]`, CodeType, "text(…) writes one"},
		{`"a" ‹in› order.number`, CodeType, "text contains part"},
		{`order.number ‹+› 1`, CodeType, "text(…)"},
		{`order.total ‹*› order.number`, CodeType, "decimal(…)"},
		{`order.lines ‹+› order.lines`, CodeType, "concat"},
		{`order.created ‹+› 1`, CodeType, "add_days"},
		{`order.lines.‹sku›`, CodeType, "map(…, .sku)"},
		{`order.number.‹length›`, CodeType, ""},
		{`lower(‹order.id›)`, CodeType, "text(…)"},
		{`join(‹order.billing›, ",")`, CodeType, "values(…)"},
		{`sum(‹order.coupons›)`, CodeType, "decimal(…)"},
		{`mean(‹order.coupons›)`, CodeType, "decimal(…)"},
		{`allocate(1, ‹order.coupons›, 0.01)`, CodeType, "decimal(…)"},
		{`sort(‹order.lines›)`, CodeType, "sortBy"},
		{`not ‹order.total›`, CodeType, "compare it"},
		{`‹order.number› and true`, CodeType, "compare it"},
		{`filter(order.lines, ‹.sku›)`, CodeType, "compare it"},
		{`map(‹order.billing›, 1)`, CodeType, "values(…)"},
		{`where(order.lines, {sku: ‹5›})`, CodeType, "text(…) writes one"},
		{`lookup(order.lines, "id", ‹"5"›)`, CodeType, "int(…)"},
		{`-‹order.number›`, CodeType, "decimal(…)"},
		{`‹lower›()`, CodeArguments, "lower(value text) -> text"},
		{`‹lower›("a", "b")`, CodeArguments, "lower(value text) -> text"},
		{`‹coalesce›()`, CodeArguments, "coalesce("},
		{`"a" matches ‹"("›`, CodeValue, ""},
		{`text(‹order.lines›)`, CodeType, "join(…)"},

		// Syntax.
		{`order.total +‹›`, CodeSyntax, ""},
		{`order.total ‹=› 1`, CodeSyntax, "== compares"},
		{`map(order.lines, {"sku"‹:› .sku})`, CodeSyntax, "double braces"},
		{`‹#›.id`, CodeSyntax, "inside map(…)"},
		{`"abc‹›`, CodeSyntax, ""},
		{`‹1; 2›`, CodeSyntax, "only follows let"},
		{`let ‹order› = 1; order`, CodeSyntax, ""},
		{`let ‹first› = 1; 2`, CodeSyntax, ""},
		{`‹b"x"›`, CodeType, "without the b"},
		{`{"a": 1, ‹"a"›: 2}`, CodeSyntax, ""},
		{`‹  ›`, CodeSyntax, ""},
	} {
		t.Run(c.source, func(t *testing.T) {
			t.Parallel()
			env, _ := shop()
			source, offset, length := marked(c.source)
			p, problems := Compile(source, env, nil)
			if p != nil || len(problems) == 0 {
				t.Fatalf("%s: no problem", source)
			}
			got := problems[0]
			if len(problems) != 1 {
				t.Errorf("%s: %d problems: %+v", source, len(problems), problems)
			}
			if got.Code != c.code || !strings.Contains(got.Hint, c.hint) || got.Message == "" {
				t.Errorf("%s: %+v", source, got)
			}
			if got.Offset != offset || got.Length != length {
				t.Errorf("%s: at %d+%d, want %d+%d", source, got.Offset, got.Length, offset, length)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	env, _ := shop()
	_, problems := Compile(`order.totl + order.nummer * colesce(x)`, env, nil)
	if len(problems) != 3 {
		t.Errorf("%+v", problems)
	}
	for i, p := range problems[1:] {
		if p.Offset < problems[i].Offset {
			t.Error("problems out of order")
		}
	}
}

// Whatever the text, compiling it ends soon and says why it refuses.
func TestHostileSources(t *testing.T) {
	t.Parallel()
	env, _ := shop()
	chain := "1"
	for range 100 { // not refused: 2^100 steps, if each level cost two of the next
		chain = "1 < (" + chain + " < 1 ? 1 : 2) < 1 ? 1 : 2"
	}
	nested := "1"
	for range 12 {
		nested = "reduce(1..9, #acc + " + nested + ", 0)"
	}
	for name, source := range map[string]string{
		"long":               strings.Repeat("1+", MaxSource) + "1",
		"many nodes":         strings.Repeat("1+", MaxNodes) + "1",
		"parentheses":        strings.Repeat("(", MaxSource/2) + "1" + strings.Repeat(")", MaxSource/2),
		"open parentheses":   strings.Repeat("(", MaxSource-1),
		"brackets":           strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
		"signs":              strings.Repeat("- ", MaxSource/2-1) + "1",
		"escaped quotes":     strings.Repeat(`\"`, MaxSource/2-1),
		"brackets in a text": strings.Repeat("'(' + ", 300) + "'('",
		"nots":               strings.Repeat("!", 1500) + "true",
		"nested comparisons": chain,
		"nested reduce":      nested,
		"nested ternaries":   strings.Repeat("true ? 1 : ", 600) + "1",
		"pattern":            `"a" matches "((a{500}){2})(((b{500}){2}))((c{500}){2})((d{500}){2})((e{500}){2})"`,
		"pattern bomb":       `"a" matches "(((a{1000}){1000}){1000})"`,
		"digits":             strings.Repeat("9", 1000),
		"fraction":           "0." + strings.Repeat("9", 1000),
		"exponent":           "1e300",
		"invalid UTF-8":      "\"\xff\xfe\" + \xff",
		"zero bytes":         "\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			p, problems := Compile(source, env, nil)
			if (p == nil) == (len(problems) == 0) {
				t.Errorf("program %v, problems %v", p != nil, problems)
			}
			for _, problem := range problems {
				if problem.Offset < 0 || problem.Length < 0 || problem.Offset+problem.Length > len(source) {
					t.Errorf("a problem outside of the text: %+v", problem)
				}
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}
