package expression

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/flowctl/flowctl/connectors"
)

// inText fails on a place outside of the source.
func inText(t *testing.T, source string, offset, length int) {
	t.Helper()
	if offset < 0 || length < 0 || offset+length > len(source) {
		t.Fatalf("%q: a place outside of it: %d+%d", source, offset, length)
	}
	if utf8.ValidString(source) && offset < len(source) && !utf8.RuneStart(source[offset]) {
		t.Fatalf("%q: a place within a character: %d", source, offset)
	}
}

func seeds(f *testing.F) {
	for _, function := range Functions() {
		f.Add("${" + function.Example + "}")
	}
	for _, source := range hostile {
		f.Add("a ${" + source + "}")
	}
	for _, source := range []string{
		"", "$", "${", "$${", "${}", "${{}}", `${"}"}`, "é${order.id}é${order.totl}", "${`}`}", "${1 < 2 < 3}", "${order.lines[0]?.sku ?? 'x'}",
		"${if order.id > 1 { 1 } else { 2 }}", "${let a = 1; a}", "${map(order.lines, {{'a': #acc}})}", "${1e400}${0x}", "${#}", "${a | b}",
		"${order.created - order.created}", "${x.y(1)}", "${$env}", "${1..2..3}", "${not not not 1}", "${[1,2][0:1:2]}", "${'\xff'}", "${?:}",
	} {
		f.Add(source)
	}
}

// Whatever the text, CompileTemplate ends, keeps its word about problems, and
// what it compiled evaluates to a canonical value or an error with a place,
// within its limits.
func FuzzCompileTemplate(f *testing.F) {
	seeds(f)
	env, vars := shop()
	limits := Limits{Time: 2 * time.Second, Iterations: 50_000, Memory: 1 << 20, Output: 1 << 18}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 4096 {
			return
		}
		tpl, problems := CompileTemplate(source, env)
		if (tpl == nil) == (len(problems) == 0) {
			t.Fatalf("%q: template %v, problems %v", source, tpl != nil, problems)
		}
		for i, p := range problems {
			inText(t, source, p.Offset, p.Length)
			if p.Code == "" || p.Message == "" {
				t.Fatalf("%q: %+v", source, p)
			}
			if i > 0 && p.Offset < problems[i-1].Offset {
				t.Fatalf("%q: problems out of order", source)
			}
		}
		if tpl == nil {
			return
		}
		start := time.Now()
		v, err := tpl.Eval(WithLimits(context.Background(), limits), vars)
		if took := time.Since(start); took > 20*time.Second {
			t.Fatalf("%q: took %s", source, took)
		}
		var e *Error
		switch {
		case err == nil:
			checkCanonical(t, source, v)
			checkType(t, source, tpl.Type(), v)
		case !errors.As(err, &e):
			t.Fatalf("%q: %T", source, err)
		default:
			inText(t, source, e.Offset, e.Length)
			if e.Code == CodeInternal {
				t.Fatalf("%q: %v", source, e)
			}
		}
		if again, err2 := tpl.Eval(WithLimits(context.Background(), limits), vars); err == nil && err2 == nil && !same(t, again, v) {
			t.Fatalf("%q is not pure", source)
		}
		for _, name := range tpl.Names() {
			if _, known := env[name]; !known || !strings.Contains(source, name) {
				t.Fatalf("%q: reads %s", source, name)
			}
		}
		if !slices.IsSorted(tpl.Names()) {
			t.Fatal("names out of order")
		}
	})
}

// checkType fails on a value that is not of its type.
func checkType(t reporter, source string, typ *connectors.Schema, v any) {
	t.Helper()
	if v == nil || kindOf(typ)&kindOpen != 0 {
		return
	}
	if kindOf(typ) != valueKind(v) {
		t.Fatalf("%q: %s as %s", source, describe(v), typ)
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			checkType(t, source, typ.Items, item)
		}
	case map[string]any:
		for name, item := range v {
			property, known := typ.Property(name)
			if !known && knowsFields(typ) {
				t.Fatalf("%q: the type knows no field %s", source, name)
			}
			checkType(t, source, property, item)
		}
	}
}

// Any text can be written as a template: with $${ for each ${.
func FuzzTemplateLiteral(f *testing.F) {
	f.Add("a $ b")
	f.Add("$${a}")
	f.Fuzz(func(t *testing.T, text string) {
		tpl, problems := CompileTemplate(strings.ReplaceAll(text, "${", "$${"), nil)
		if len(problems) > 0 {
			t.Fatalf("%+v", problems)
		}
		if got, ok := tpl.Constant(); !ok || got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

// The texts of foreign systems are read without a slip.
func FuzzTextForms(f *testing.F) {
	for _, text := range []string{"<p>a</p>", "<a '", "<!--", "Jane <a@b.c>", "ÀÉ ß", "a@b@c", "</script", "<script><style>", "&#x110000;"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stripHTML(text)
		if utf8.ValidString(text) {
			if once := foldAccents(text); foldAccents(once) != once {
				t.Errorf("fold_accents(%q) is not folded: %q", text, once)
			}
			if once := slug(text); slug(once) != once || strings.ContainsAny(once, " /?#") {
				t.Errorf("slug(%q) = %q", text, once)
			}
		}
		if once := normaliseEmail(text); once != "" && normaliseEmail(once) != once {
			t.Errorf("normalise_email(%q) = %q", text, once)
		}
	})
}
