package flowtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/value"
)

// compare tells how a value differs from what is wanted of it. Records may have
// more fields than wanted; lists are as long as wanted.
func compare(ctx context.Context, what string, want *flow.Value, got any, vars map[string]any) []Failure {
	if fields := want.Fields(); fields != nil {
		record, ok := got.(map[string]any)
		if !ok {
			return []Failure{differs(ctx, what, want, got, vars)}
		}
		var failures []Failure
		for _, field := range fields {
			item, there := record[field.Name]
			where := what + "." + field.Name
			if !there && !isNothing(ctx, field.Value, vars) {
				f := differs(ctx, where, field.Value, nil, vars)
				f.Got = "no such field"
				failures = append(failures, f)
				continue
			}
			failures = append(failures, compare(ctx, where, field.Value, item, vars)...)
		}
		return failures
	}
	if items := want.Items(); items != nil {
		list, ok := got.([]any)
		if !ok || len(list) != len(items) {
			return []Failure{differs(ctx, what, want, got, vars)}
		}
		var failures []Failure
		for i, item := range items {
			failures = append(failures, compare(ctx, fmt.Sprintf("%s[%d]", what, i), item, list[i], vars)...)
		}
		return failures
	}
	wanted, err := want.Eval(ctx, vars)
	if err != nil {
		return []Failure{evalFailure(want.At, what, err)}
	}
	if !within(wanted, got) {
		return []Failure{{At: want.At, What: what, Want: show(wanted), Got: show(got)}}
	}
	return nil
}

func isNothing(ctx context.Context, want *flow.Value, vars map[string]any) bool {
	v, err := want.Eval(ctx, vars)
	return err == nil && v == nil
}

func differs(ctx context.Context, what string, want *flow.Value, got any, vars map[string]any) Failure {
	wanted, err := want.Eval(ctx, vars)
	if err != nil {
		return evalFailure(want.At, what, err)
	}
	return Failure{At: want.At, What: what, Want: show(wanted), Got: show(got)}
}

func evalFailure(at flow.Position, what string, err error) Failure {
	var eval *flow.EvalError
	if errors.As(err, &eval) {
		return Failure{At: eval.At, What: what + ": " + eval.Message}
	}
	return Failure{At: at, What: what + ": " + err.Error()}
}

// within tells whether a value is what is wanted: records may have more fields.
func within(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		record, ok := got.(map[string]any)
		if !ok {
			return false
		}
		for name, item := range want {
			if !within(item, record[name]) {
				return false
			}
		}
		return true
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range want {
			if !within(want[i], list[i]) {
				return false
			}
		}
		return true
	}
	return value.Equal(alike(want, got), got) || value.Equal(want, alike(got, want))
}

// alike brings a scalar to the type of another: a test writes an amount or an
// instant as text, and ids as YAML reads them.
func alike(v, other any) any {
	text, isText := v.(string)
	switch other.(type) {
	case decimal.Decimal:
		if d, err := connectors.ParseDecimal(text); isText && err == nil {
			return d
		}
		if i, ok := v.(int64); ok {
			return decimal.NewFromInt(i)
		}
	case time.Time:
		if t, err := connectors.DateTime().Convert(text); isText && err == nil && t != nil {
			return t
		}
	}
	return v
}

// maxShown bounds what a message shows of one value.
const maxShown = 600

// show is a value as people read it: JSON on one line, cut when it is long.
func show(v any) string {
	if v == nil {
		return "nothing"
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value.Plain(v)); err != nil {
		return fmt.Sprintf("%v", v)
	}
	text := strings.TrimSpace(b.String())
	if len(text) <= maxShown {
		return text
	}
	cut := maxShown
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
