package sandbox

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox/tax"
)

const timeLayout = "2006-01-02 15:04:05"

// convert types a value given for a field, as Odoo does before it stores it.
// Lists of records are not converted here (see commands).
func (tx *transaction) convert(m *model, f *field, value any) (any, error) {
	if value == nil || value == false {
		return f.zero(), nil
	}
	switch f.kind {
	case boolean:
		b, ok := value.(bool)
		return !ok || b, nil
	case integer:
		return tx.toInteger(value)
	case float, monetary:
		d, err := toDecimal(value)
		if err != nil {
			return nil, err
		}
		return tx.rounded(f, d), nil
	case many2one:
		return tx.toReference(f, value)
	case selection:
		s, _ := value.(string)
		for _, choice := range f.options {
			if choice[0] == s {
				return s, nil
			}
		}
		return nil, valueError("Wrong value for %s.%s: %s", m.name, f.name, python(value))
	case datetime:
		return toTime(value, timeLayout, "%Y-%m-%d %H:%M:%S")
	case date:
		t, err := toTime(value, time.DateOnly, "%Y-%m-%d")
		if err != nil {
			return nil, err
		}
		return t.Format(time.DateOnly), nil
	case html:
		return cleanHTML(toText(value)), nil
	case char, text:
		return toText(value), nil
	case jsonField:
		return asJSON(value), checkPin(value)
	}
	return value, nil
}

// rounded applies the decimal places of a field: fixed ones, or those of a
// decimal.precision. Since 19 "Product Price" only says how many are shown.
func (tx *transaction) rounded(f *field, d decimal.Decimal) decimal.Decimal {
	n := f.places
	if f.digits != "" && !(tx.erp.latest() && f.digits == productPrice) {
		n = tx.precision(f.digits)
	}
	if n < 0 {
		return d
	}
	return tax.Round(d, decimal.New(1, -n))
}

// precision reads a decimal.precision by its name; 2 when there is none.
func (tx *transaction) precision(name string) int32 {
	for _, r := range tx.all(tx.must("decimal.precision")) {
		if r.text("name") == name {
			n, _ := r.get("digits").(int64)
			return int32(n)
		}
	}
	return 2
}

func (tx *transaction) toInteger(value any) (any, error) {
	switch v := value.(type) {
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	case bool:
		return int64(1), nil
	case json.Number:
		if d, err := decimal.NewFromString(v.String()); err == nil {
			return d.IntPart(), nil
		}
	case decimal.Decimal:
		return v.IntPart(), nil
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return n, nil
		}
	}
	return nil, valueError("invalid literal for int() with base 10: %s", python(value))
}

func toDecimal(value any) (decimal.Decimal, error) {
	switch v := value.(type) {
	case decimal.Decimal:
		return v, nil
	case int:
		return decimal.NewFromInt(int64(v)), nil
	case int64:
		return decimal.NewFromInt(v), nil
	case json.Number:
		return decimal.NewFromString(v.String())
	case string:
		if d, err := decimal.NewFromString(strings.TrimSpace(v)); err == nil {
			return d, nil
		}
		return decimal.Zero, valueError("could not convert string to float: %s", python(value))
	case bool:
		return decimal.NewFromInt(1), nil
	}
	return decimal.Zero, fault("builtins.TypeError",
		"float() argument must be a string or a real number, not '%s'", pythonType(value))
}

func pythonType(value any) string {
	switch value.(type) {
	case []any, []int64:
		return "list"
	case map[string]any:
		return "dict"
	case string:
		return "str"
	}
	return "object"
}

// toReference reads a many2one. Text is passed on by Odoo to PostgreSQL, which
// does not take it (odoo18/026).
func (tx *transaction) toReference(f *field, value any) (any, error) {
	id, ok := asID(value)
	if !ok {
		if s, isText := value.(string); isText {
			return nil, fault("psycopg2.errors.InvalidTextRepresentation",
				"invalid input syntax for type integer: %q\nLINE 1: ...%s...\n", s, python(s))
		}
		return nil, fault("builtins.TypeError", "unhashable type: '%s'", pythonType(value))
	}
	if id == 0 {
		return int64(0), nil
	}
	target := tx.must(f.relation)
	if tx.row(target, id) == nil {
		return nil, tx.missing(target, id)
	}
	return id, nil
}

func asID(value any) (int64, bool) {
	switch v := value.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case json.Number:
		id, err := strconv.ParseInt(v.String(), 10, 64)
		return id, err == nil
	case bool:
		return 0, !v
	case nil:
		return 0, true
	}
	return 0, false
}

// asIDs reads a list of ids, or one bare id (odoo18/157).
func asIDs(value any) ([]int64, bool) {
	switch v := value.(type) {
	case []int64:
		return v, true
	case []any:
		ids := make([]int64, 0, len(v))
		for _, item := range v {
			id, ok := asID(item)
			if !ok {
				return nil, false
			}
			ids = append(ids, id)
		}
		return ids, true
	}
	if id, ok := asID(value); ok && id != 0 {
		return []int64{id}, true
	}
	return nil, false
}

// toTime reads an instant or a day. T and Z are refused when written
// (odoo18/030, 031).
func toTime(value any, layout, python19 string) (time.Time, error) {
	switch v := value.(type) {
	case time.Time:
		return v.UTC(), nil
	case string:
		cut := v
		if len(cut) > len(layout) && !strings.ContainsAny(cut, "TZ") {
			cut = cut[:len(layout)] // microseconds, or the time of a day
		}
		t, err := time.Parse(layout, cut)
		if err == nil {
			return t, nil
		}
		if layout == timeLayout && len(v) == len(time.DateOnly) {
			if t, err := time.Parse(time.DateOnly, v); err == nil {
				return t, nil
			}
		}
		return time.Time{}, valueError("time data %s does not match format '%s'", python(v), python19)
	}
	return time.Time{}, fault("builtins.TypeError", "expected string or datetime, got '%s'", pythonType(value))
}

func toText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case decimal.Decimal:
		return v.String()
	case bool:
		return "True"
	}
	out, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(out)
}

// asJSON gives a value the form it has when read from JSON; no time or other
// type of Go is left in it.
func asJSON(value any) any {
	switch v := value.(type) {
	case decimal.Decimal:
		return number(v)
	case int:
		return json.Number(strconv.Itoa(v))
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = asJSON(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = asJSON(item)
		}
		return out
	}
	return value
}
