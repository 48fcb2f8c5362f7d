package expression

import (
	"slices"
	"testing"

	"github.com/expr-lang/expr/builtin"
)

// Every function's example gives what its documentation says.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, f := range Functions() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			if f.Summary == "" || f.Example == "" || f.Result == "" {
				t.Fatalf("%s is not documented", f.Signature)
			}
			got, want := mustEvaluate(t, f.Example), mustEvaluate(t, f.Result)
			if !same(t, got, want) {
				t.Errorf("%s = %v, documented as %s", f.Example, got, f.Result)
			}
		})
	}
}

// Each builtin of expr is ours too, or we say what to write instead.
func TestBuiltinsOfExpr(t *testing.T) {
	t.Parallel()
	left := []string{"type", "bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr", "bitnot"}
	for _, name := range builtin.Names {
		if definitions[name] == nil && replaced[name] == "" && !slices.Contains(left, name) {
			t.Errorf("%s is neither offered nor replaced", name)
		}
		if !IsReserved(name) {
			t.Errorf("%s may name a step", name)
		}
	}
}

func TestIsReserved(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"coalesce": true, "filter": true, "now": true, "in": true, "let": true, "nil": true, "if": true,
		"order": false, "customer": false, "acc": false,
	} {
		if got := IsReserved(name); got != want {
			t.Errorf("IsReserved(%q) = %v", name, got)
		}
	}
}
