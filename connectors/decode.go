package connectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Decode reads JSON into typed values by the schema: amounts become
// decimal.Decimal, integers int64, instants time.Time in UTC. Values whose
// schema is unknown keep their JSON type, whole numbers as int64 and others as
// decimal.Decimal; no number passes through a float.
//
// A value that does not fit its schema is an error only where it would be
// dangerous to go on: an amount or an instant that cannot be read. Systems send
// "" and false where they mean nothing; both become nil for numbers, instants
// and objects.
func (s *Schema) Decode(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var raw any
	if err := dec.Decode(&raw); err != nil {
		return nil, err
	}
	return s.Convert(raw)
}

// Convert types a value that was decoded with json.Number, or types an already
// typed value again, which changes nothing.
func (s *Schema) Convert(raw any) (any, error) {
	return s.convert(raw, "")
}

func (s *Schema) convert(raw any, path string) (any, error) {
	switch v := raw.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			property, _ := s.Property(name)
			typed, err := property.convert(item, path+"."+name)
			if err != nil {
				return nil, err
			}
			out[name] = typed
		}
		return out, nil
	case []any:
		var items *Schema
		if s != nil {
			items = s.Items
		}
		out := make([]any, len(v))
		for i, item := range v {
			typed, err := items.convert(item, path+"["+strconv.Itoa(i)+"]")
			if err != nil {
				return nil, err
			}
			out[i] = typed
		}
		return out, nil
	default:
		typed, err := s.convertScalar(raw)
		if err != nil && path != "" {
			return nil, fmt.Errorf("%s: %w", strings.TrimPrefix(path, "."), err)
		}
		return typed, err
	}
}

func (s *Schema) convertScalar(raw any) (any, error) {
	switch {
	case s.IsDecimal():
		return toDecimal(raw)
	case s.IsTime():
		return toTime(raw)
	case s != nil && s.Type == "integer":
		return toInteger(raw)
	case s != nil && s.Type == "string":
		if n, ok := raw.(json.Number); ok {
			return n.String(), nil
		}
		if raw == false {
			return nil, nil
		}
	case s != nil && s.Type == "object":
		if raw == false || raw == "" {
			return nil, nil
		}
	}
	if n, ok := raw.(json.Number); ok {
		return untypedNumber(n)
	}
	if i, ok := raw.(int); ok {
		return int64(i), nil
	}
	return raw, nil
}

func untypedNumber(n json.Number) (any, error) {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return i, nil
	}
	return ParseDecimal(n.String())
}

func toDecimal(raw any) (any, error) {
	switch v := raw.(type) {
	case decimal.Decimal:
		return v, nil
	case json.Number:
		return ParseDecimal(v.String())
	case string:
		if v == "" {
			return nil, nil
		}
		return ParseDecimal(v)
	case int64:
		return decimal.NewFromInt(v), nil
	case int:
		return decimal.NewFromInt(int64(v)), nil
	case bool:
		if !v {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("%v is no amount", raw)
}

// MaxDecimalDigits bounds digits and exponent of an amount, so that a hostile
// "1e999999999" cannot eat the machine's memory.
const MaxDecimalDigits = 64

// ParseDecimal reads an amount exactly.
func ParseDecimal(text string) (decimal.Decimal, error) {
	if len(text) > MaxDecimalDigits {
		return decimal.Decimal{}, fmt.Errorf("an amount of %d characters", len(text))
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return decimal.Decimal{}, fmt.Errorf("%q is no amount", text)
	}
	if e := d.Exponent(); e > MaxDecimalDigits || e < -MaxDecimalDigits {
		return decimal.Decimal{}, fmt.Errorf("%q is out of range for an amount", text)
	}
	return d, nil
}

func toInteger(raw any) (any, error) {
	switch v := raw.(type) {
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i, nil
		}
		// 3.0 is how some systems write 3.
		if d, err := ParseDecimal(v.String()); err == nil && d.IsInteger() {
			return d.IntPart(), nil
		}
		return nil, fmt.Errorf("%s is no whole number", v)
	case string:
		if v == "" {
			return nil, nil
		}
		i, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", v)
		}
		return i, nil
	case bool:
		if !v {
			return nil, nil
		}
	case decimal.Decimal:
		if v.IsInteger() {
			return v.IntPart(), nil
		}
	}
	return nil, fmt.Errorf("%v is no whole number", raw)
}

var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05", // WooCommerce *_gmt
	"2006-01-02 15:04:05", // Odoo
}

func toTime(raw any) (any, error) {
	switch v := raw.(type) {
	case time.Time:
		return v.UTC(), nil
	case string:
		if v == "" {
			return nil, nil
		}
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, v); err == nil {
				return t.UTC(), nil
			}
		}
		return nil, fmt.Errorf("%q is no instant", v)
	case bool:
		if !v {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("%v is no instant", raw)
}
