package expression

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
)

// hostile are expressions that would hang a worker or eat its memory.
var hostile = map[string]string{
	"a huge range":              `map(1..1000000000, #)`,
	"the hugest range":          `-9223372036854775807..9223372036854775807`,
	"nested ranges":             `map(1..10000, map(1..10000, map(1..10000, # + 1)))`,
	"nested counting":           `count(1..100000, count(1..100000, # > 0) > 0)`,
	"sums of sums":              `sum(1..100000, sum(1..100000, # * 1.5))`,
	"a repeated text":           `repeat("a", 1000000000)`,
	"repeated repeats":          `repeat(repeat(repeat("abcdefgh", 1000), 1000), 1000)`,
	"a doubling text":           `reduce(1..60, #acc + #acc, "ab")`,
	"a doubling list":           `reduce(1..60, concat(#acc, #acc), [1])`,
	"a doubling tree":           `reduce(1..60, [#acc, #acc], [1])`,
	"a doubling record":         `reduce(1..60, {{"a": #acc, "b": #acc}}, {})`,
	"a doubling tree as JSON":   `len(json(reduce(1..60, [#acc, #acc], [1])))`,
	"doubling trees compared":   `reduce(1..60, [#acc, #acc], [1]) == reduce(1..60, [#acc, #acc], [1])`,
	"a doubling tree flattened": `len(flatten(reduce(1..60, [#acc, #acc], [1])))`,
	"unique doubling trees":     `len(unique([reduce(1..60, [#acc, #acc], [1])]))`,
	"a doubling join":           `reduce(1..60, join([#acc, #acc], "x"), "a")`,
	"a doubling replace":        `reduce(1..60, replace(#acc, "a", "aa"), "a")`,
	"replaced nothings":         `reduce(1..60, replace(#acc, "", "abc"), "a")`,
	"a growing JSON":            `reduce(1..60, json(#acc + #acc), "\"")`,
	"growing base64":            `reduce(1..200, base64(#acc), "abc")`,
	"a deep value":              `reduce(1..100000, [#acc], 1)`,
	"squared numbers":           `reduce(1..1000, #acc * #acc, 1.5)`,
	"a huge power":              `99999.5 ** 1000`,
	"exponents":                 `reduce(1..1000, #acc * 1e60, 1.0)`,
	"many decimals":             `map(1..1000000, map(1..1000000, 1.5 * #))`,
	"long texts compared":       `let s = repeat("a", 10000000); count(1..1000000, s + "b" == s + "c")`,
	"long texts searched":       `let s = repeat("a", 10000000); count(1..1000000, s contains "b")`,
	"long texts indexed":        `let s = repeat("a", 10000000); count(1..1000000, s[-1] == "b")`,
	"long texts sliced":         `let s = repeat("a", 10000000); count(1..1000000, s[:-1] == "b")`,
	"long texts cut":            `let s = repeat("a", 10000000); count(1..1000000, truncate(s, 9000000) == "b")`,
	"long texts ordered":        `let s = repeat("a", 10000000); count(1..1000000, s < s)`,
	"long names":                `let s = repeat("a", 10000000); count(1..1000000, ({"a": 1})[s] == 1)`,
	"long texts in lists":       `let s = repeat("a", 1000000); len(unique(map(1..100000, s)))`,
	"long texts hashed":         `let s = repeat("a", 10000000); count(1..1000000, sha256(s) == "")`,
	"long texts counted":        `let s = repeat("a", 10000000); count(1..1000000, len(s) == 1)`,
	"a search in long lists":    `let l = 1..1000000; count(l, # in l)`,
	"a sort of long lists":      `let l = 1..1000000; count(l, sort(l)[0] == 1)`,
	"zipped lists":              `let l = 1..1000000; map(l, zip(l, l))`,
	"a pattern on a long text":  `repeat("a", 10000000) matches "(a|aa)*(b|c)(x{1000})"`,
	"patterns":                  `let s = repeat("a", 5000); count(1..100000, s matches "(a?){500}a{500}b")`,
	"computed patterns":         `count(1..100000, "a" matches ("a" + text(#) + "{1,900}"))`,
	"broken HTML":               `let s = repeat("<a '", 2000000); count(1..100000, strip_html(s) == "")`,
	"more broken HTML":          `let s = repeat("<!--<p '<script>", 1000000); count(1..100000, strip_html(s) == "")`,
	"deep JSON":                 `from_json(repeat("[", 10000) + repeat("]", 10000))`,
	"long JSON":                 `count(1..100000, from_json("[" + repeat("1,", 1000000) + "1]") == 1)`,
	"doubling records merged":   `reduce(1..100000, merge(#acc, {(text(#)): #acc}), {})`,
	"pairs":                     `reduce(1..10000, fromPairs(concat(toPairs(#acc), [[text(#), 1]])), {})`,
	"groups":                    `let l = map(1..100000, {{"a": #}}); count(l, len(group(l, "a")) == 1)`,
	"allocations":               `let l = 1..100000; count(l, allocate(1, l, 0.01) == [])`,
	"accents":                   `let s = repeat("é", 1000000); count(1..100000, fold_accents(s) == "")`,
	"splits":                    `let s = repeat("a", 1000000); count(1..100000, len(split(s, "")) == 1)`,
	"zones":                     `count(1..1000000, date_in("2024-05-01T00:00:00Z", "Zone/" + text(#)) == "")`,
}

// A hostile expression fails soon, in bounded memory, with words that say so.
func TestHostileExpressions(t *testing.T) {
	t.Parallel()
	env, vars := shop()
	ctx := WithLimits(context.Background(), Limits{Time: 2 * time.Second, Iterations: 1_000_000, Memory: 32 << 20, Output: 8 << 20})
	for name, source := range hostile {
		t.Run(name, func(t *testing.T) { // one after another: each may use its whole memory
			p, problems := Compile(source, env, nil)
			if len(problems) > 0 {
				t.Fatalf("%+v", problems)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := p.Eval(ctx, vars)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			var e *Error
			if !errors.As(err, &e) || e.Code != CodeLimit && e.Code != CodeValue {
				t.Errorf("error %v", err)
			}
			if took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			t.Logf("%v, %d MB: %v", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	env, vars := shop()
	for _, c := range []struct {
		name, source string
		limits       Limits
	}{
		{"iterations", `sum(1..1000)`, Limits{Iterations: 1000}},
		{"memory", `repeat("a", 1000)`, Limits{Memory: 999}},
		{"output", `let s = repeat("a", 100); [s, s, s]`, Limits{Output: 299}},
		{"time", `count(1..100000, true)`, Limits{Time: 1}},
	} {
		p, problems := Compile(c.source, env, nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if _, err := p.Eval(context.Background(), vars); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		_, err := p.Eval(WithLimits(context.Background(), c.limits), vars)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeLimit || e.Hint == "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	env, vars := shop()
	p, _ := Compile(`count(1..4000000, true)`, env, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := p.Eval(ctx, vars)
	var e *Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Code != CodeCanceled {
		t.Errorf("%v", err)
	}
}

// One program serves many runs at once (run with -race).
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	env, vars := shop()
	tpl, problems := CompileTemplate(
		`${let s = sum(order.lines, .total); join(map(order.lines, text(.total / s)), ",") matches order.status} ${date_in(order.created, "Europe/Paris")}`, env)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want, err := tpl.Eval(context.Background(), vars)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if got, err := tpl.Eval(context.Background(), vars); err != nil || got != want {
					t.Errorf("%v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}
