package expression

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
)

// Each line is a rule that holds.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		// Money is decimal.
		`0.1 + 0.2 == 0.3`,
		`1.10 == 1.1`,
		`text(1.10) == "1.1"`,
		`text(1e3) == "1000"`,
		`.5 + 1. == 1.5`,
		`1_000.25 == 1000.25`,
		`0.1234567890123456789012345678 != 0.1234567890123456789012345679`,
		`order.total * 2 == 59.94`,
		`order.total - 0.97 == 29`,
		`2 * 0.5 == 1`,
		`-order.total == -29.97`,
		`10.5 % 3 == 1.5 and -7 % 3 == -1`,
		`7 / 2 == 3.5 and 6 / 3 == 2`,
		`text(1 / 3) == "0.3333333333333333333333333333"`,
		`text(200 / 3) == "66.66666666666666666666666667"`,
		`2 ** 10 == 1024 and 2 ^ -1 == 0.5 and 1.1 ** 2 == 1.21`,
		`sum(order.lines, .total) == 29.97`,
		`sum(map(order.lines, .total)) == order.total`,
		`min(map(order.lines, .total)) == 0.1 and max(order.total, 3) == 29.97`,
		`mean([0.1, 0.2]) == 0.15 and median([0.1, 0.3]) == 0.2`,
		`sort([0.3, 0.10, 0.2]) == [0.1, 0.20, 0.3]`,
		`[1.10, {"a": 2.0}] == [1.1, {"a": 2}]`,
		`1.0 in [1, 2] and 0.10 in [0.1]`,
		`int(2.0) == 2 and abs(-0.5) == 0.5 and floor(-0.5) == -1 and ceil(0.1) == 1`,
		`round(2.5) == 3 and round(-2.5) == -3 and round(2.345, 2) == 2.35 and round(125, -1) == 130`,
		`round_half_down(2.5, 0) == 2 and round_half_down(-2.51, 0) == -3 and round_half_down(25, -1) == 20`,
		`round_to(1.005, 0.01) == 1.01 and round_to(1234.5, 1) == 1235 and round_to(0.0005, 0.001) == 0.001`,

		// Ids are whole numbers and equal to literals everywhere.
		`order.id == 727`,
		`727 == order.id and order.id != 728`,
		`order.id in [1, 727]`,
		`order.id not in [1, 2, 3]`,
		`[1, 727][1] == order.id`,
		`{"727": "found"}[order.id] == "found"`,
		`order.id in {"727": 1}`,
		`text(order.id) == order.number and int(order.number) == order.id`,
		`index(order.lines, "id")[2].total == 0.2`,
		`first(country.ids) == 75`,
		`9007199254740993 != 9007199254740992`,
		`0xff == 255`,

		// Everything of nil is nil.
		`order.shipping.city == nil`,
		`order?.shipping?.city == nil`,
		`partner.name == nil and partner["name"] == nil`,
		`x.y.z == nil and x[0] == nil and x[1:2] == nil`,
		`order.meta.nothing == nil`,
		`(partner.name ?? "none") == "none"`,
		`not settings.sync`,
		`(settings.sync ? 1 : 2) == 2`,
		`lower(partner.email) == nil`,
		`len(partner.email) == 0 and len(nil) == 0`,
		`map(nil, #) == [] and filter(nil, true) == [] and sum(nil) == 0 and first(nil) == nil`,
		`"a" + nil + "b" == "ab"`,
		`partner.name + " " + partner.email == " "`,
		`nil not in [1] and not (1 in nil)`,
		`not (partner.name contains "x") and not (partner.name matches "x")`,
		`get([1, 2], 5) == nil and get(order.meta, "b") == nil`,
		`find(order.lines, .id == 9) == nil and findIndex(order.lines, .id == 9) == nil`,
		`min([]) == nil and max() == nil`,
		`allocate(0, [], 0.01) == [] and spread([], 0, 0.01) == []`,
		`decimal("") == nil and int("") == nil and parse_time("") == nil and date("") == nil`,

		// Text is text.
		`"Łódź"[0] == "Ł" and "Łódź"[1:3] == "ód" and "Łódź"[-1] == "ź" and "abc"[:-1] == "ab"`,
		`order.billing.city startsWith "Ł" and order.status endsWith "ing" and not ("a" contains "b")`,
		`order.status matches "^proc" and order.status matches ("^" + "proc")`,
		`split("a b  c", " ", 2) == ["a", "b  c"] and split("ab", "") == ["a", "b"] and split("a", "x", 0) == []`,
		`replace("aaa", "a", "b", 2) == "bba"`,
		`join([1, 0.50, nil, "x", true], "-") == "1-0.5--x-true"`,
		`trim("xxaxx", "x") == "a"`,
		`slug("  Größe: XL / rot ") == "grosse-xl-rot"`,
		`fold_accents("Đặng ﬁ 한국 Ægir") == "Dang ﬁ 한국 AEgir"`,
		`normalise_email("José <JOSÉ@Example.COM>") == "JOSÉ@example.com"`,
		`normalise_email("a@b.c, d@e.f") == nil and normalise_email("nobody") == nil and normalise_email("a b@c.d") == nil`,
		`strip_html("a<br/>b<script>x < y</script> 1 < 2 <!-- <p> --><i title='>'>c</i>") == "a\nb 1 < 2 c"`,
		`html_unescape("&lt;a&gt;&amp;") == "<a>&"`,
		`"a" < "b" and "b" >= "b"`,
		"`raw \\n` == \"raw \\\\n\"",
		`"  " + 'single' == "  single"`,

		// Records and lists.
		`pick(order, "id", "number") == {"id": 727, "number": "727"}`,
		`omit({"a": 1, "b": 2}, "a") == {b: 2}`,
		`merge({"a": 1}, nil, {"b": 2}) == {"a": 1, "b": 2}`,
		`{"a": 1, ("b" + "c"): 2}.bc == 2`,
		`where(order.lines, {sku: "A", quantity: 2})[0].id == 1`,
		`lookup(order.lines, "sku", "B").id == 3 and lookup(order.lines, "sku", "Z") == nil`,
		`unique(order.coupons) == ["SAVE"] and len(unique(order.lines, "sku")) == 3`,
		`map(group(order.lines, "sku"), .key) == ["A", nil, "B"]`,
		`sum(groupBy(order.lines, .quantity > 1).true, .quantity) == 5`,
		`map(zip(order.lines, [1.5, 2.5, 3.5]), #[0].id + #[1]) == [2.5, 4.5, 6.5]`,
		`map(order.lines, {{"row": #index, "code": coalesce(.sku, "none")}})[1] == {"row": 1, "code": "none"}`,
		`map(order.lines, {let t = .total; t + .tax})[0] == 0.12`,
		`filter(order.lines, .sku != nil) | map(.sku) | join("+") == "A+B"`,
		`map([1, 2], map([10, 20], # + 1)) == [[11, 21], [11, 21]]`,
		`map([[1], [2, 3]], sum(#)) == [1, 5]`,
		`sortBy(order.lines, .sku)[0].id == 2 and sortBy(order.lines, .quantity, "desc")[0].id == 3`,
		`sortBy([{"n": 1, "i": 1}, {"n": 0, "i": 2}, {"n": 1, "i": 3}], .n) | map(.i) == [2, 1, 3]`,
		`reduce(order.lines, #acc + .total, 0) == 29.97 and reduce([1, 2, 3], #acc + #) == 6`,
		`reduce([1, 2], concat(#acc, [#]), []) == [1, 2]`,
		`1..3 == [1, 2, 3] and 3..1 == []`,
		`[1, 2, 3][-1] == 3 and [1, 2, 3][1:] == [2, 3] and [1, 2, 3][5:9] == []`,
		`count([true, false, true]) == 2 and all([], false) and none([], true) and one([1, 2], # == 2)`,
		`fromPairs(toPairs({"a": 1, "b": "x"})) == {"a": 1, "b": "x"}`,
		`compact([nil, "", 0, false]) == [0, false]`,
		`flatten([1, [2, [3, []]]]) == [1, 2, 3]`,
		`from_json(json(order)).lines[2].total == 29.67`,
		`json(parse_time("2024-05-01")) == "\"2024-05-01T00:00:00Z\"" and json("a\"<\n") == "\"a\\\"<\\n\""`,
		`from_base64(base64("Łódź")) == "Łódź"`,

		// Instants.
		`date(order.created) == "2024-05-01" and date_in(order.created, "Europe/Warsaw") == "2024-05-02"`,
		`date_in("2024-05-01", "Asia/Tokyo") == "2024-05-01"`,
		`order.created > parse_time("2024-01-01") and order.created == parse_time("2024-05-02T01:30:00+02:00")`,
		`order.created - parse_time("2024-05-01") == 84600`,
		`add_days(order.created, 1) - order.created == 86400 and add_days("2024-12-31", 1) == "2025-01-01"`,
		`add_seconds(order.created, 0.5) - order.created == 0.5`,
		`max([parse_time("2024-01-01"), order.created]) == order.created`,

		// Choices.
		`coalesce(partner.name, "", order.number) == "727"`,
		`coalesce(nil, "") == "" and coalesce("", nil) == nil`,
		`choose(order.total > 100, 1 / 0, 5) == 5`,
		`(false and 1 / 0 > 1) == false and (true or 1 / 0 > 1)`,
		`1 < 2 <= 2 < 3 and not (1 < 3 < 2)`,
		`(if order.id > 1 { "many" } else if true { "one" } else { "none" }) == "many"`,
		`(1 == 1 ? "a" : "b") == "a" and (nil ?: 3) == 3`,
		`let a = 1; let b = a + 1; a + b == 3`,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if got := mustEvaluate(t, rule); got != true {
				t.Errorf("%s is %v", rule, got)
			}
		})
	}
}

// Each expression fails when evaluated, with the code, at the place between ‹ ›
// and with the words given.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, code, words string }{
		{`order.total ‹/› (order.id - 727)`, CodeValue, "division by zero"},
		{`1 ‹%› 0`, CodeValue, "division by zero"},
		{`x ‹+› 1`, CodeType, "the left side of + is nil"},
		{`1 ‹<› x`, CodeType, "the right side of < is nil"},
		{`9223372036854775807 ‹+› 1`, CodeValue, "beyond 64 bits"},
		{`-9223372036854775807 ‹-› 2`, CodeValue, "beyond 64 bits"},
		{`9223372036854775807 ‹*› 2`, CodeValue, "beyond 64 bits"},
		{`order.lines‹[›9].id`, CodeValue, "no element 9 among 3"},
		{`order.meta._vat.‹code›`, CodeType, `text has no field "code"`},
		{`‹int›(2.5)`, CodeValue, "no whole number"},
		{`‹int›("12a")`, CodeValue, "no whole number"},
		{`‹decimal›("1,50")`, CodeValue, "no number"},
		{`‹round›(1.5, 1000)`, CodeValue, "cannot be rounded"},
		{`‹round_to›(1.5, 0)`, CodeValue, "not positive"},
		{`‹allocate›(1.005, [1], 0.01)`, CodeValue, "no multiple"},
		{`‹allocate›(1, [], 0.01)`, CodeValue, "empty list"},
		{`‹allocate›(1, [1, -1], 0.01)`, CodeValue, "partly negative"},
		{`‹allocate›(x, [1], 0.01)`, CodeType, "is nil"},
		{`‹spread›([1], 1.001, 0.01)`, CodeValue, "no multiple"},
		{`‹zip›([1], [1, 2])`, CodeValue, "1 and 2 elements"},
		{`‹sum›([1, x])`, CodeType, "element 1 of what sum() adds is nil"},
		{`‹reduce›([], #acc)`, CodeValue, "empty list"},
		{`‹parse_time›("yesterday")`, CodeValue, "no instant"},
		{`‹date_in›(order.created, "Local")`, CodeValue, "no time zone"},
		{`‹date_in›(order.created, "../etc/passwd")`, CodeValue, "no time zone"},
		{`‹add_days›(order.created, 4000000)`, CodeValue, "the year"},
		{`‹from_json›("{")`, CodeValue, "no JSON"},
		{`‹from_base64›("***")`, CodeValue, "no base64"},
		{`‹sort›([1, "a"])`, CodeType, "no order"},
		{`order.status ‹matches› ("(" + "")`, CodeValue, "pattern"},
		{`"é" + text(1) + ‹repeat›("a", -1)`, CodeValue, "cannot be repeated"},
		{`(x ‹??› 1) and true`, CodeType, "must be true or false"},
	} {
		t.Run(c.source, func(t *testing.T) {
			t.Parallel()
			source, offset, length := marked(c.source)
			_, err := evaluate(t, source)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%s: error %v", source, err)
			}
			if e.Code != c.code || !strings.Contains(e.Message, c.words) {
				t.Errorf("%s: %s: %s", source, e.Code, e.Message)
			}
			if e.Offset != offset || e.Length != length {
				t.Errorf("%s: at %d+%d, want %d+%d", source, e.Offset, e.Length, offset, length)
			}
		})
	}
}

// marked takes the ‹ › out of a source and returns what they were around.
func marked(s string) (source string, offset, length int) {
	before, rest, _ := strings.Cut(s, "‹")
	inner, after, _ := strings.Cut(rest, "›")
	return before + inner + after, len(before), len(inner)
}

func TestWant(t *testing.T) {
	t.Parallel()
	env, vars := shop()
	for _, c := range []struct {
		source string
		want   *connectors.Schema
		result any
	}{
		{`settings.sync`, connectors.Boolean(), false},
		{`settings.sync`, connectors.Boolean().OrNull(), nil},
		{`x`, connectors.Array(nil), []any{}},
		{`order.id`, connectors.Decimal(), int64(727)},
		{`order.number`, connectors.String(), "727"},
	} {
		p, problems := Compile(c.source, env, c.want)
		if len(problems) > 0 {
			t.Fatalf("%s: %v", c.source, problems)
		}
		got, err := p.Eval(context.Background(), vars)
		if err != nil || !same(t, got, c.result) {
			t.Errorf("%s as %s: %v, %v", c.source, c.want, got, err)
		}
	}
	if _, problems := Compile(`order.id`, env, connectors.Boolean()); len(problems) != 1 || problems[0].Code != CodeType || problems[0].Length != 8 {
		t.Errorf("a number as a condition: %+v", problems)
	}
	p, _ := Compile(`order.meta._vat`, env, connectors.Boolean())
	if _, err := p.Eval(context.Background(), vars); err == nil {
		t.Error("a text as a condition")
	}
}
