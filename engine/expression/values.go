package expression

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// valueKind classifies a canonical value.
func valueKind(v any) kind {
	switch v.(type) {
	case nil:
		return kindNull
	case string:
		return kindText
	case int64:
		return kindInteger
	case decimal.Decimal:
		return kindDecimal
	case bool:
		return kindBoolean
	case time.Time:
		return kindInstant
	case []any:
		return kindList
	case map[string]any:
		return kindRecord
	}
	return kindUnknown
}

// describe names a value's kind for people.
func describe(v any) string { return valueKind(v).String() }

// isCanonical tells whether a value has the Go type that its kind has here.
func isCanonical(v any) bool {
	switch v := v.(type) {
	case nil, string, int64, decimal.Decimal, bool, []any, map[string]any:
		return true
	case time.Time:
		return v.Location() == time.UTC
	}
	return false
}

// canonical gives a value read from the variables the Go type that its kind has
// here. The contract promises them (see connectors.Schema); this catches what a
// test or a YAML file hands in. It does not look into lists and records.
func canonical(v any) any {
	switch v := v.(type) {
	case nil, string, int64, decimal.Decimal, bool, []any, map[string]any:
		return v
	case time.Time:
		if v.Location() != time.UTC {
			return v.UTC()
		}
		return v
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case uint32:
		return int64(v)
	case float64:
		return decimalOfFloat(v)
	case float32:
		return decimalOfFloat(float64(v))
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i
		}
		if d, err := connectors.ParseDecimal(v.String()); err == nil {
			return d
		}
		return v.String()
	case []string:
		return listOfAny(v)
	case []int64:
		return listOfAny(v)
	case []map[string]any:
		return listOfAny(v)
	case map[string]string:
		out := make(map[string]any, len(v))
		for name, text := range v {
			out[name] = text
		}
		return out
	}
	return v
}

func listOfAny[T any](list []T) []any {
	out := make([]any, len(list))
	for i, item := range list {
		out[i] = item
	}
	return out
}

// decimalOfFloat is the shortest decimal that reads back as the float. Infinity
// and NaN, which no amount is, become nil.
func decimalOfFloat(f float64) any {
	d, err := decimal.NewFromString(strconv.FormatFloat(f, 'g', -1, 64))
	if err != nil {
		return nil
	}
	return d
}

// toDecimal returns a number as decimal.
func toDecimal(v any) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case decimal.Decimal:
		return v, true
	case int64:
		return decimal.NewFromInt(v), true
	}
	return decimal.Decimal{}, false
}

// toInteger returns a whole number as int64.
func toInteger(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case decimal.Decimal:
		if v.IsInteger() && !outOfRange(v) && v.BigInt().IsInt64() {
			return v.BigInt().Int64(), true
		}
	}
	return 0, false
}

// textOf writes a scalar as text: decimals plainly, instants as RFC 3339, nil
// as "". Lists and records have no text of their own.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case decimal.Decimal:
		return v.String(), true
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), true
	}
	return "", false
}

// keyOf writes a value as the name of a record's field.
func keyOf(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	if text, ok := textOf(v); ok {
		return text, nil
	}
	return "", failf(CodeType, "%s cannot name a field", describe(v))
}

// equal compares deeply. Numbers are equal by value, 1.10 to 1.1 and to no text;
// values of different kinds are never equal.
func (m *meter) equal(a, b any) (bool, error) {
	switch x := a.(type) {
	case nil:
		return b == nil, nil
	case string:
		y, ok := b.(string)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return x == y, m.spend(len(x) / 64)
	case bool:
		y, ok := b.(bool)
		return ok && x == y, nil
	case int64:
		if y, ok := b.(int64); ok {
			return x == y, nil
		}
		y, ok := b.(decimal.Decimal)
		return ok && compareDecimals(decimal.NewFromInt(x), y) == 0, nil
	case decimal.Decimal:
		y, ok := toDecimal(b)
		return ok && compareDecimals(x, y) == 0, nil
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y), nil
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return m.equalLists(x, y)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return m.equalRecords(x, y)
	}
	return false, nil
}

func (m *meter) equalLists(x, y []any) (bool, error) {
	if err := m.spend(len(x)); err != nil {
		return false, err
	}
	for i := range x {
		if same, err := m.equal(canonical(x[i]), canonical(y[i])); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (m *meter) equalRecords(x, y map[string]any) (bool, error) {
	if err := m.spend(len(x)); err != nil {
		return false, err
	}
	for name, item := range x {
		other, has := y[name]
		if !has {
			return false, nil
		}
		if same, err := m.equal(canonical(item), canonical(other)); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// order compares two values of one kind that has an order: numbers, texts,
// instants, and false before true.
func (m *meter) order(a, b any) (int, error) {
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return compareOrdered(x, y), nil
		}
		if y, ok := b.(decimal.Decimal); ok {
			return compareDecimals(decimal.NewFromInt(x), y), nil
		}
	case decimal.Decimal:
		if y, ok := toDecimal(b); ok {
			return compareDecimals(x, y), nil
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), m.spend(min(len(x), len(y)) / 64)
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), nil
		}
	}
	return 0, failf(CodeType, "%s and %s have no order", describe(a), describe(b))
}

func compareOrdered(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// orderNil is order with nil before everything, for sorting.
func (m *meter) orderNil(a, b any) (int, error) {
	switch {
	case a == nil && b == nil:
		return 0, nil
	case a == nil:
		return -1, nil
	case b == nil:
		return 1, nil
	}
	return m.order(a, b)
}

// sortedNames lists a record's fields in the one order that everything here
// walks records in.
func sortedNames(record map[string]any) []string {
	names := make([]string, 0, len(record))
	for name := range record {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
