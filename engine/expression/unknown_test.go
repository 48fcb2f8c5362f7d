package expression

import (
	"errors"
	"testing"

	"github.com/flowctl/flowctl/connectors"
)

// What is unknown disturbs only the expressions that read it.
func TestUnknownValues(t *testing.T) {
	t.Parallel()
	env := Env{"made": connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer(), "created": connectors.Boolean()}), "other": connectors.Integer()}
	vars := map[string]any{"made": map[string]any{"id": Unknown{}, "created": true}, "other": Unknown{}}
	for source, want := range map[string]any{
		"not made.created": false, "made.created ? 1 : made.id": int64(1), "made != nil": true,
	} {
		program, problems := Compile(source, env, nil)
		if problems != nil {
			t.Fatal(source, problems)
		}
		if got, err := program.Eval(t.Context(), vars); err != nil || got != want {
			t.Errorf("%s is %v, %v", source, got, err)
		}
	}
	for _, source := range []string{"made.id", "made.id == 5", "other in [1, 2]", "coalesce(made.id, 1)", "[made.id]"} {
		program, problems := Compile(source, env, nil)
		if problems != nil {
			t.Fatal(source, problems)
		}
		var failed *Error
		if got, err := program.Eval(t.Context(), vars); !errors.As(err, &failed) || failed.Code != CodeUnknown {
			t.Errorf("%s is %v, %v", source, got, err)
		}
	}
}
