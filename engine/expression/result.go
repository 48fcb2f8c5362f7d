package expression

import (
	"maps"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// finish makes a result canonical through and through and holds it to the
// output limit. A whole number where the type promises a decimal becomes one:
// the sum of no amounts is an amount. What needs no change is not copied, so a
// result may share lists and records with the variables.
func (m *meter) finish(v any, s *connectors.Schema) (any, error) {
	f := finisher{meter: m}
	out, _, err := f.value(v, s, 0)
	return out, err
}

// maxValueDepth is how deep lists and records may stand in each other: deeper
// than any record of a real system, and no danger to the stack.
const maxValueDepth = 200

type finisher struct {
	*meter
	size int
}

// value returns the finished value and whether it is another than before.
func (f *finisher) value(v any, s *connectors.Schema, depth int) (any, bool, error) {
	if err := f.spend(1); err != nil {
		return nil, false, err
	}
	changed := !isCanonical(v)
	if changed {
		v = canonical(v)
	}
	switch x := v.(type) {
	case string:
		f.size += len(x)
	case int64:
		if s.IsDecimal() {
			v, changed = decimal.NewFromInt(x), true
		}
	case []any:
		f.size += len(x) * bytesItem
	case map[string]any:
		f.size += len(x) * bytesField
	case nil, bool, decimal.Decimal, time.Time:
	default:
		return nil, false, failf(CodeType, "a value of Go type %T is none that flows know", v)
	}
	if f.size > f.limits.Output {
		return nil, false, failf(CodeLimit, "the result is larger than %d bytes", f.limits.Output).
			hinted("pick() what is needed of it")
	}
	if depth > maxValueDepth {
		return nil, false, failf(CodeLimit, "the result is nested deeper than %d", maxValueDepth)
	}
	switch x := v.(type) {
	case []any:
		return f.list(x, itemsOf(s), changed, depth+1)
	case map[string]any:
		return f.record(x, s, changed, depth+1)
	}
	return v, changed, nil
}

func (f *finisher) list(list []any, items *connectors.Schema, changed bool, depth int) (any, bool, error) {
	out, copied := list, false
	for i, item := range list {
		done, itemChanged, err := f.value(item, items, depth)
		if err != nil {
			return nil, false, err
		}
		if itemChanged && !copied {
			out, copied = append([]any(nil), list...), true
		}
		if copied {
			out[i] = done
		}
	}
	return out, changed || copied, nil
}

func (f *finisher) record(record map[string]any, s *connectors.Schema, changed bool, depth int) (any, bool, error) {
	var out map[string]any
	for name, item := range record {
		property, _ := propertyOf(s, name)
		done, itemChanged, err := f.value(item, property, depth)
		if err != nil {
			return nil, false, err
		}
		if itemChanged && out == nil {
			out = maps.Clone(record)
		}
		if itemChanged {
			out[name] = done
		}
	}
	if out == nil {
		return record, changed, nil
	}
	return out, true, nil
}
