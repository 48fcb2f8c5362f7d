package expression

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"github.com/shopspring/decimal"
)

// The language is expr's: what expr's own machine gives, we give, up to the
// types of numbers. Money, nil and characters, where we differ on purpose, are
// in TestRules.
func TestSameAsExpr(t *testing.T) {
	t.Parallel()
	vars := map[string]any{
		"i": 7, "j": -3, "s": "Hello, World", "e": "", "yes": true, "no": false, "none": nil,
		"list": []any{3, 1, 2}, "words": []any{"pear", "apple", "fig"},
		"rows": []any{
			map[string]any{"id": 1, "name": "a", "tags": []any{"x"}, "ok": true},
			map[string]any{"id": 2, "name": "b", "tags": []any{"x", "y"}, "ok": false},
			map[string]any{"id": 3, "name": "c", "tags": []any{}, "ok": true},
		},
		"rec": map[string]any{"a": 1, "b": map[string]any{"c": "deep"}},
	}
	env := Env{}
	for name := range vars {
		env[name] = nil
	}
	for _, source := range []string{
		// Precedence and associativity.
		`1 + 2 * 3 - 4`, `(1 + 2) * 3`, `10 - 4 - 3`, `2 * 3 % 4`, `-i + j`, `- -i`, `+i`, `not no and yes`, `not (no and yes)`,
		`yes or no and no`, `yes || no && no`, `i > 1 and j < 0`, `1 < i < 10`, `1 < 2 < 3 == true`, `i == 7 ? "a" : "b"`,
		`no ? 1 : yes ? 2 : 3`, `i in [1, 7]`, `i not in [1, 7]`, `not (i in [1])`, `-2 ** 2`, `2 ** 3 ** 2`, `7 / 2`, `6 / 4 * 2`,
		`s contains "World" and s startsWith "Hello"`, `s not contains "x"`, `s matches "^H.*d$"`, `s endsWith "d"`, `s not matches "x"`,
		`1..5`, `len(1..i)`, `2..1`, `i .. i + 2`, `none ?? 5`, `(none ?? none) ?? 1`, `i ?? 5`, `none == nil`, `i != nil`,
		`0xFF + 0b11 + 0o17`, `1_000`, `1e3`, `.5 + .25`, `"a" + 'b' + ` + "`c`", `"\u00e9\n\t\"" + '\''`,
		`i == 7 // comment`, `/* comment */ i`, `i >= 7 && i <= 7`, `if i > 5 { 1 } else { 2 }`, `let x = i * 2; x + 1`,
		// Access.
		`rec.a`, `rec["b"].c`, `rec?.b?.c`, `rec.b["c"]`, `list[0]`, `list[-1]`, `list[1:]`, `list[:-1]`, `list[0:2]`, `list[5:9]`, `s[0:5]`, `s[-5:]`,
		`rows[1].tags[0]`, `none?.a.b`, `none?.a?.b`, `"a" in rec`, `"z" in rec`, `{"k": i}.k`, `{k: 1, "l": 2}`, `[i, s, [no]]`, `{}`, `[]`,
		`{(s[0:1]): i}`, `rec == {"a": 1, "b": {"c": "deep"}}`, `[1, 2] == [1, 2]`, `[1] == [1, 2]`,
		// Predicates.
		`filter(rows, .ok)`, `filter(list, # > 1)`, `map(rows, .name)`, `map(rows, {{"n": .name}})`, `map(list, # * #index)`, `map(rows, {.id})`,
		`map(rows, len(.tags))`, `map(rows, map(.tags, # + "!"))`, `all(list, # > 0)`, `any(list, # > 2)`, `none([1], # > 1)`,
		`one(list, # == 3)`, `count(rows, .ok)`, `count([yes, no, yes])`, `sum(list)`, `sum(rows, .id)`, `find(rows, .id == 2).name`,
		`find(rows, .id == 9)`, `findIndex(rows, .id == 2)`, `findIndex(rows, .id == 9)`, `findLast(rows, .ok).id`, `findLastIndex(rows, .ok)`,
		`sortBy(rows, .name, "desc")`, `sortBy(words, #)`, `sortBy(words, len(#))`, `reduce(list, #acc + #)`, `reduce(list, #acc + #, 10)`,
		`reduce(list, #acc + #index, 0)`, `rows | filter(.ok) | map(.id) | sum()`, `filter(rows, "y" in .tags)`, `filter(1..10, # % 3 == 0)`,
		`map(filter(rows, .ok), .id)[0]`, `len(filter(rows, not .ok))`, `map(1..3, {let x = #; map(1..x, # * x)})`,
		`groupBy(words, len(#) > 3 ? "long" : "short")`, `all([], no)`, `any([], yes)`, `sum([])`,
		// Functions.
		`len(s)`, `len(list)`, `len(rec)`, `trim("  a ")`, `trim("xax", "x")`, `trimPrefix(s, "Hello")`, `trimSuffix(s, "World")`,
		`upper(s)`, `lower(s)`, `split("a,b,c", ",")`, `split("a,b,c", ",", 2)`, `split("abc", "")`, `replace(s, "l", "L")`, `replace(s, "l", "L", 1)`,
		`repeat("ab", 3)`, `join(words, "-")`, `join(words)`, `indexOf(s, "o")`, `lastIndexOf(s, "o")`, `indexOf(s, "z")`,
		`hasPrefix(s, "He")`, `hasSuffix(s, "x")`, `max(1, 5, 3)`, `min(list)`, `max(list)`, `mean([1, 2, 3])`, `mean([1, 2])`, `median([3, 1, 2])`,
		`median([4, 1, 2, 3])`, `mean([])`, `abs(j)`, `abs(-2.5)`, `ceil(1.5)`, `floor(-1.5)`, `round(2.5)`, `round(-2.5)`, `int("12")`, `int(3)`,
		`first(list)`, `last(list)`, `first([])`, `get(list, 1)`, `get(list, 9)`, `get(rec, "a")`, `get(rec, "z")`, `take(list, 2)`, `take(list, 9)`,
		`reverse(list)`, `sort(list)`, `sort(words, "desc")`, `concat(list, [9])`, `flatten([1, [2, [3]]])`,
		`keys({"a": 1})`, `values({"a": 1})`, `toPairs({"a": 1})`, `fromPairs([["a", 1], ["b", 2]])`,
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			want, err := expr.Eval(source, vars)
			if err != nil {
				t.Fatalf("expr refuses it: %v", err)
			}
			p, problems := Compile(source, env, nil)
			if len(problems) > 0 {
				t.Fatalf("%+v", problems)
			}
			got, err := p.Eval(context.Background(), vars)
			if err != nil {
				t.Fatal(err)
			}
			if !same(t, got, converted(want)) {
				t.Errorf("%s = %#v, expr gives %#v", source, got, want)
			}
			checkCanonical(t, source, got)
		})
	}
}

// converted makes a value of expr canonical.
func converted(v any) any {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Slice, reflect.Array:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = converted(r.Index(i).Interface())
		}
		return out
	case reflect.Map:
		out := make(map[string]any)
		for key, item := range r.Seq2() {
			out[key.Interface().(string)] = converted(item.Interface())
		}
		return out
	}
	return canonical(v)
}

// checkCanonical fails on any value that is not of a canonical Go type.
func checkCanonical(t reporter, source string, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil, string, bool, int64, decimal.Decimal:
	case time.Time:
		if v.Location() != time.UTC {
			t.Errorf("%s: an instant not in UTC", source)
		}
	case []any:
		for _, item := range v {
			checkCanonical(t, source, item)
		}
	case map[string]any:
		for _, item := range v {
			checkCanonical(t, source, item)
		}
	default:
		t.Errorf("%s gives a %T", source, v)
	}
}

// What a test or a YAML file hands in becomes canonical on the way.
func TestForeignValues(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	vars := map[string]any{
		"f": 0.1, "i": 3, "list": []string{"a"}, "rows": []map[string]any{{"n": 1, "at": time.Date(2024, 5, 1, 1, 0, 0, 0, zone)}},
		"deep": []any{map[string]any{"x": 1.5, "y": []any{int(2)}}},
	}
	env := Env{"f": nil, "i": nil, "list": nil, "rows": nil, "deep": nil}
	for source, want := range map[string]string{
		`f + f + f == 0.3`: `true`, `i == 3 and i in [3]`: `true`, `list[0] == "a"`: `true`, `rows[0].n + 1`: `2`,
		`[deep, rows, list]`: `[[{"x": 1.5, "y": [2]}], [{"n": 1, "at": parse_time("2024-05-01")}], ["a"]]`,
	} {
		p, problems := Compile(source, env, nil)
		if len(problems) > 0 {
			t.Fatalf("%+v", problems)
		}
		got, err := p.Eval(context.Background(), vars)
		if err != nil {
			t.Fatal(err)
		}
		checkCanonical(t, source, got)
		switch source {
		case `[deep, rows, list]`:
			if at := got.([]any)[1].([]any)[0].(map[string]any)["at"]; at != time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC) {
				t.Errorf("%v", at)
			}
			if vars["deep"].([]any)[0].(map[string]any)["x"] != 1.5 {
				t.Error("a variable was changed")
			}
		default:
			if !same(t, got, mustEvaluate(t, want)) {
				t.Errorf("%s = %v", source, got)
			}
		}
	}
	if _, problems := Compile(`i`, Env{"i": nil}, nil); len(problems) > 0 {
		t.Fatal(problems)
	}
	p, _ := Compile(`[i]`, Env{"i": nil}, nil)
	if _, err := p.Eval(context.Background(), map[string]any{"i": make(chan int)}); err == nil {
		t.Error("a channel as a value")
	}
}

// Where the type says decimal the value is one, also where the sum is of nothing
// or a branch is whole.
func TestDecimalsWhereTheTypeSaysSo(t *testing.T) {
	t.Parallel()
	env, vars := shop()
	for _, source := range []string{
		`sum(filter(order.lines, false), .total)`, `choose(true, 1, 0.5)`, `coalesce(1, order.total)`,
		`{"a": [{"b": choose(true, 1, 2.5)}]}.a[0].b`, `max(1, 0.5)`,
	} {
		p, problems := Compile(source, env, nil)
		if len(problems) > 0 {
			t.Fatalf("%s: %+v", source, problems)
		}
		got, err := p.Eval(context.Background(), vars)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := got.(decimal.Decimal); !ok || !p.Type().IsDecimal() {
			t.Errorf("%s: %T as %s", source, got, p.Type())
		}
	}
}
