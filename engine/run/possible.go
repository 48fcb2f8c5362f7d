package run

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
	"github.com/flowctl/flowctl/engine/value"
)

// possible is a value in a plan. One that depends on writes which are not done
// has holes: v has expression.Unknown there, and a and b are two examples that
// differ there.
//
// An expression is evaluated with v first. When it reads a hole it fails, and is
// evaluated with both examples: they show what it makes of the rest, such as the
// fields of a record that are known, and where the holes went.
type possible struct {
	v, a, b any
	// because are the steps whose writes decide it; nil for a known value.
	because []string
}

func known(v any) possible { return possible{v: v, a: v, b: v} }

func (p possible) isKnown() bool { return p.because == nil }

// scope is the names that expressions of a plan read.
type scope struct {
	*inventor
	v, a, b map[string]any
	because map[string][]string
}

func newScope(n *inventor, vars map[string]any) *scope {
	return &scope{inventor: n, v: vars, a: maps.Clone(vars), b: maps.Clone(vars), because: map[string][]string{}}
}

func (s *scope) clone() *scope {
	return &scope{inventor: s.inventor, v: maps.Clone(s.v), a: maps.Clone(s.a), b: maps.Clone(s.b), because: maps.Clone(s.because)}
}

func (s *scope) set(name string, p possible) {
	s.v[name], s.a[name], s.b[name] = p.v, p.a, p.b
	delete(s.because, name)
	if !p.isKnown() {
		s.because[name] = p.because
	}
}

func (s *scope) get(name string) possible {
	return possible{s.v[name], s.a[name], s.b[name], s.because[name]}
}

// eval evaluates something that reads these names. An error counts only when
// nothing unknown had a part in it.
func (s *scope) eval(names []string, do func(vars map[string]any) (any, error)) (possible, error) {
	v, err := do(s.v)
	var because []string
	for _, name := range names {
		because = union(because, s.because[name])
	}
	if because == nil || err == nil && !hasHoles(v) {
		return known(v), err
	}
	var failed *expression.Error
	if err != nil && errors.As(err, &failed) && failed.Code == expression.CodeLimit {
		return possible{}, err
	}
	a, errA := do(s.a)
	b, errB := do(s.b)
	if errA != nil || errB != nil {
		return s.invent(nil, "", because), nil
	}
	if err != nil {
		v = holes(a, b, true)
	}
	return possible{v, a, b, because}, nil
}

// holes makes one value of two examples, with a hole wherever they differ. A
// plain value that was computed from something unknown is a hole in any case:
// two examples prove nothing.
func holes(a, b any, top bool) any {
	if record, ok := a.(map[string]any); ok {
		if other, ok := b.(map[string]any); ok {
			out := make(map[string]any, len(record))
			for name, item := range record {
				out[name] = holes(item, other[name], false)
			}
			for name := range other {
				if _, both := record[name]; !both {
					out[name] = expression.Unknown{}
				}
			}
			return out
		}
	}
	if list, ok := a.([]any); ok {
		if other, ok := b.([]any); ok && len(list) == len(other) {
			out := make([]any, len(list))
			for i, item := range list {
				out[i] = holes(item, other[i], false)
			}
			return out
		}
	}
	if !top && value.Equal(a, b) {
		return a
	}
	return expression.Unknown{}
}

func hasHoles(v any) bool {
	switch v := v.(type) {
	case expression.Unknown:
		return true
	case map[string]any:
		for _, item := range v {
			if hasHoles(item) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasHoles)
	}
	return false
}

func union(a, b []string) []string {
	for _, item := range b {
		if !slices.Contains(a, item) {
			a = append(slices.Clip(a), item)
		}
	}
	return a
}

// inventor makes the examples of unknown values. No two of its values are equal,
// so that each can be recognised wherever it turns up.
type inventor struct {
	made   int64
	labels map[string]string // of the examples a, by their text
}

// maxInventedDepth bounds the examples of nested records.
const maxInventedDepth = 6

// invent makes examples of a type. of says what it is, "" for nothing special.
func (n *inventor) invent(s *connectors.Schema, of string, because []string) possible {
	a, b := n.examples(s, of, 0)
	return possible{holes(a, b, true), a, b, because}
}

func (n *inventor) examples(s *connectors.Schema, of string, depth int) (a, b any) {
	n.made++
	one, other := -1_000_000_000_000-n.made, 1_000_000_000_000+n.made
	switch {
	case s.IsDecimal():
		a, b = decimal.NewFromInt(one), decimal.NewFromInt(other)
	case s.IsTime():
		a, b = time.Unix(-n.made, 0).UTC(), time.Unix(other/1000+n.made, 0).UTC()
	case s == nil || s.Type == "" || s.Type == "string" || depth > maxInventedDepth:
		a, b = fmt.Sprintf("⟨%d⟩", one), fmt.Sprintf("⟨%d⟩", other)
	case s.Type == "integer":
		a, b = one, other
	case s.Type == "boolean":
		return true, false
	case s.Type == "array":
		item, _ := n.examples(s.Items, of, depth+1)
		return []any{item}, []any{}
	default:
		first, second := map[string]any{}, map[string]any{}
		for _, name := range s.PropertyNames() {
			first[name], second[name] = n.examples(s.Properties[name], fieldOf(name, of), depth+1)
		}
		return first, second
	}
	if n.labels == nil {
		n.labels = map[string]string{}
	}
	n.labels[fmt.Sprint(a)] = of
	return a, b
}

func fieldOf(name, of string) string {
	if of == "" {
		return ""
	}
	return name + " of " + of
}

// show writes a value as it stands in a plan, with Unknown in its holes.
func (n *inventor) show(p possible) any {
	switch v := p.v.(type) {
	case expression.Unknown:
		return n.unknown(p)
	case map[string]any:
		if p.isKnown() {
			return v
		}
		a, _ := p.a.(map[string]any)
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[name] = n.show(possible{v: item, a: a[name], because: p.because})
		}
		return out
	case []any:
		if p.isKnown() {
			return v
		}
		a, _ := p.a.([]any)
		out := make([]any, len(v))
		for i, item := range v {
			var example any
			if i < len(a) {
				example = a[i]
			}
			out[i] = n.show(possible{v: item, a: example, because: p.because})
		}
		return out
	}
	return p.v
}

// unknown says what a hole is, by its example: something invented, or a text
// with such in it.
func (n *inventor) unknown(p possible) Unknown {
	u := Unknown{DependsOn: p.because}
	switch a := p.a.(type) {
	case int64, decimal.Decimal, time.Time:
		u.Of = n.labels[fmt.Sprint(a)]
	case string:
		if u.Of = n.labels[a]; u.Of != "" || len(a) > maxExampleText {
			return u
		}
		text := exampleText.ReplaceAllStringFunc(a, func(example string) string {
			if label := n.labels[example]; label != "" {
				return "⟨" + label + "⟩"
			}
			return "⟨…⟩"
		})
		if text != a {
			u.Text = text
		}
	}
	return u
}

// exampleText finds the examples of examples() within a text.
var exampleText = regexp.MustCompile(`⟨-1\d{12}⟩|-1\d{12}\b`)

// maxExampleText bounds the texts that are looked through for examples.
const maxExampleText = 10_000

func joined(names []string) string { return strings.Join(names, ", ") }
