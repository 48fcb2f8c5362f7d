// Package value writes the typed values that flow between steps as JSON and
// reads them back without loss: decimals stay decimals, instants instants.
package value

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// The keys that mark a value which JSON has no type for. A record of exactly
// one such key is never produced by a remote system's API.
const (
	decimalKey = "$decimal"
	timeKey    = "$time"
)

// Encode writes a typed value (see [connectors.Schema]) as JSON.
func Encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(mark(v)); err != nil {
		return nil, fmt.Errorf("encoding a value: %w", err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// Decode reads what Encode wrote. Empty input is nil.
func Decode(data []byte) (any, error) {
	if len(data) == 0 {
		return nil, nil
	}
	raw, err := connectors.Any().Decode(data)
	if err != nil {
		return nil, fmt.Errorf("decoding a value: %w", err)
	}
	return unmark(raw)
}

// DecodeRecord reads an encoded record; empty input is an empty record.
func DecodeRecord(data []byte) (map[string]any, error) {
	v, err := Decode(data)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return map[string]any{}, nil
	}
	record, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("decoding a value: a record was expected, not %T", v)
	}
	return record, nil
}

// Plain returns a copy for people and foreign programs: decimals and instants as
// text, everything else as it is.
func Plain(v any) any {
	switch v := v.(type) {
	case decimal.Decimal:
		return v.String()
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return rebuild(v, Plain)
}

func mark(v any) any {
	switch v := v.(type) {
	case decimal.Decimal:
		return map[string]any{decimalKey: v.String()}
	case time.Time:
		return map[string]any{timeKey: v.UTC().Format(time.RFC3339Nano)}
	}
	return rebuild(v, mark)
}

func rebuild(v any, each func(any) any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[name] = each(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = each(item)
		}
		return out
	}
	return v
}

func unmark(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 1 {
			if text, ok := v[decimalKey].(string); ok {
				return connectors.ParseDecimal(text)
			}
			if text, ok := v[timeKey].(string); ok {
				return connectors.DateTime().Convert(text)
			}
		}
		for name, item := range v {
			typed, err := unmark(item)
			if err != nil {
				return nil, err
			}
			v[name] = typed
		}
	case []any:
		for i, item := range v {
			typed, err := unmark(item)
			if err != nil {
				return nil, err
			}
			v[i] = typed
		}
	}
	return v, nil
}

// Equal compares typed values: decimals by amount, instants by instant, whole
// numbers and decimals with each other, records and lists deeply.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case decimal.Decimal:
		switch b := b.(type) {
		case decimal.Decimal:
			return a.Equal(b)
		case int64:
			return a.Equal(decimal.NewFromInt(b))
		}
		return false
	case int64:
		if d, ok := b.(decimal.Decimal); ok {
			return d.Equal(decimal.NewFromInt(a))
		}
		return a == b
	case time.Time:
		t, ok := b.(time.Time)
		return ok && a.Equal(t)
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for name, item := range a {
			twin, there := other[name]
			if !there || !Equal(item, twin) {
				return false
			}
		}
		return true
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for i := range a {
			if !Equal(a[i], other[i]) {
				return false
			}
		}
		return true
	}
	return a == b
}
