package odoo

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// encodeValues turns the values of a flow into what Odoo takes, with the
// server's names. Nested values of x2many commands are typed by the fields of
// the model they belong to.
func (c *Connection) encodeValues(ctx context.Context, model string, values map[string]any) (map[string]any, error) {
	fields, err := c.fields.of(ctx, model)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		remote, f, ok, err := c.fields.lookup(ctx, fields, name)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, fields.unknown(name, c.knownVersion())
		}
		if out[remote], err = c.encodeField(ctx, model, name, f, values[name]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *Connection) encodeField(ctx context.Context, model, name string, f field, value any) (any, error) {
	if f.isMany() {
		return c.encodeMany(ctx, model, name, f, value)
	}
	encoded, problem := f.write(value)
	if problem != "" {
		return nil, badParams("%s.%s: %s", model, name, problem)
	}
	return encoded, nil
}

// write turns a value into Odoo's form. The problem is "" when there is none.
func (f field) write(value any) (encoded any, problem string) {
	if f.Type == "json" || f.Type == "properties" {
		if value == nil {
			return false, ""
		}
		return plain(value)
	}
	if value == nil {
		return false, "" // how Odoo writes nothing, for every kind of field
	}
	switch f.Type {
	case "boolean":
		if b, ok := value.(bool); ok {
			return b, ""
		}
		return nil, "wants true or false"
	case "integer", "many2one_reference":
		if id, ok := toID(value); ok {
			return id, ""
		}
		return nil, "wants a whole number"
	case "many2one":
		if id, ok := toReference(value); ok {
			return id, ""
		}
		return nil, "wants the id of a " + f.Relation
	case "float", "monetary":
		if n, ok := toNumber(value); ok {
			return n, ""
		}
		return nil, "wants a number"
	case "datetime":
		return writeTime(value)
	case "date":
		return writeDate(value)
	case "char", "text", "html", "binary", "reference":
		switch v := value.(type) {
		case string:
			return v, ""
		case bool:
			if !v {
				return false, ""
			}
		case int64, decimal.Decimal:
			return plainText(v), ""
		}
		return nil, "wants text"
	}
	return plain(value)
}

func plainText(value any) string {
	if d, ok := value.(decimal.Decimal); ok {
		return d.String()
	}
	return decimal.NewFromInt(value.(int64)).String()
}

func toID(value any) (int64, bool) {
	switch v := value.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case decimal.Decimal:
		if v.IsInteger() && v.Abs().LessThanOrEqual(decimal.NewFromInt(math.MaxInt32)) {
			return v.IntPart(), true
		}
	}
	return 0, false
}

// toReference accepts an id, the {id, name} that a read gave, and false.
func toReference(value any) (any, bool) {
	switch v := value.(type) {
	case bool:
		return false, !v
	case map[string]any:
		id, ok := toID(v["id"])
		return id, ok
	}
	id, ok := toID(value)
	return id, ok && id > 0
}

// toNumber keeps every digit: the number is written to JSON as it stands.
func toNumber(value any) (json.Number, bool) {
	switch v := value.(type) {
	case decimal.Decimal:
		return json.Number(v.String()), true
	case int64, int:
		n, _ := toID(v)
		return json.Number(decimal.NewFromInt(n).String()), true
	case string:
		// Odoo itself would read "12.50", but call "12,50" an internal error
		// (recording odoo18/027).
		d, err := connectors.ParseDecimal(strings.TrimSpace(v))
		return json.Number(d.String()), err == nil
	}
	return "", false
}

func writeTime(value any) (any, string) {
	switch v := value.(type) {
	case time.Time:
		return v.UTC().Format(timeLayout), ""
	case bool:
		if !v {
			return false, ""
		}
	case string:
		// Odoo refuses T and Z (recordings odoo18/030, 031).
		typed, err := connectors.DateTime().Convert(v)
		if t, ok := typed.(time.Time); ok && err == nil {
			return t.Format(timeLayout), ""
		}
		if typed == nil && err == nil {
			return false, ""
		}
	}
	return nil, "wants an instant"
}

func writeDate(value any) (any, string) {
	switch v := value.(type) {
	case bool:
		if !v {
			return false, ""
		}
	case string:
		if v == "" {
			return false, ""
		}
		if _, err := time.Parse(time.DateOnly, v); err == nil {
			return v, ""
		}
	case time.Time:
		return nil, "wants a day as text YYYY-MM-DD; which day an instant falls on depends on the company's zone"
	}
	return nil, "wants a day as text YYYY-MM-DD"
}

// plain writes a value of which only its own type is known.
func plain(value any) (any, string) {
	switch v := value.(type) {
	case nil, bool, string, int64, int, json.Number:
		return v, ""
	case decimal.Decimal:
		return json.Number(v.String()), ""
	case time.Time:
		return v.UTC().Format(timeLayout), ""
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			encoded, problem := plain(item)
			if problem != "" {
				return nil, problem
			}
			out[i] = encoded
		}
		return out, ""
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			encoded, problem := plain(item)
			if problem != "" {
				return nil, problem
			}
			out[key] = encoded
		}
		return out, ""
	}
	return nil, "holds a value that cannot be sent"
}
