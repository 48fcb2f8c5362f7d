package woocommerce

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// MaxBatch is how many items a batch takes over create, update and delete
// together (recording woo/165).
const MaxBatch = 100

// request builds the request of a call from its parameters.
func (op *operation) request(params map[string]any) (*request, error) {
	params, err := op.complete(params)
	if err != nil {
		return nil, err
	}
	if err := op.checked(params); err != nil {
		return nil, err
	}
	r := &request{op: op, method: op.Method, namespace: op.Namespace, path: op.Path, query: url.Values{}}
	var body any = map[string]any{}
	for name, value := range params {
		schema, _ := op.Params.Property(name)
		switch op.Places[name] {
		case inPath:
			text, err := pathValue(value, op.zero[name])
			if err != nil {
				return nil, badParams("%s: %s: %v", op.Name, name, err)
			}
			r.path = strings.Replace(r.path, "{"+name+"}", text, 1)
		case inQuery:
			r.query.Set(name, queryValue(value))
		case wholeBody:
			body = wireValue(withDefaults(value, schema), schema)
		case inBody:
			if fields, ok := body.(map[string]any); ok {
				fields[name] = wireValue(value, schema)
			}
		}
	}
	if op.Method == "POST" || op.Method == "PUT" {
		if r.body, err = json.Marshal(body); err != nil {
			return nil, badParams("%s: %v", op.Name, err)
		}
	}
	return r, nil
}

// complete checks the names of parameters and fills in defaults. A null
// parameter counts as not given.
func (op *operation) complete(params map[string]any) (map[string]any, error) {
	full := map[string]any{}
	for name, value := range params {
		if _, known := op.Params.Property(name); !known {
			return nil, badParams("%s has no parameter %q; it takes %s", op.Name, name, strings.Join(op.Params.PropertyNames(), ", "))
		}
		if value != nil {
			full[name] = value
		}
	}
	for name, schema := range op.Params.Properties {
		if _, given := full[name]; !given && schema.Default != nil {
			full[name] = schema.Default
		}
	}
	for _, name := range op.Params.Required {
		if _, given := full[name]; !given {
			return nil, badParams("%s needs the parameter %q", op.Name, name)
		}
	}
	return full, nil
}

// withDefaults fills in the fields of a record that have a default of ours.
func withDefaults(value any, schema *connectors.Schema) any {
	record, ok := value.(map[string]any)
	if !ok {
		return value
	}
	full := maps.Clone(record)
	for name, property := range schema.Properties {
		if _, given := full[name]; !given && property.Default != nil {
			full[name] = property.Default
		}
	}
	return full
}

// pathValue writes an id or a slug. 0 and "" would address the whole list; there
// are records of id 0 only where zero says so.
func pathValue(value any, zero bool) (string, error) {
	switch v := value.(type) {
	case int64:
		if v < 0 || v == 0 && !zero {
			return "", fmt.Errorf("%d is no id", v)
		}
		return strconv.FormatInt(v, 10), nil
	case int:
		return pathValue(int64(v), zero)
	case decimal.Decimal:
		if v.IsInteger() {
			return pathValue(v.IntPart(), zero)
		}
	case string:
		if v != "" && !strings.ContainsAny(v, "/?#%.") {
			return url.PathEscape(v), nil
		}
	}
	return "", fmt.Errorf("%v is no id", value)
}

// queryValue writes a value as WordPress reads it from a query: lists with
// commas, instants without a zone (UTC, which dates_are_gmt says).
func queryValue(value any) string {
	switch v := value.(type) {
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, queryValue(item))
		}
		return strings.Join(parts, ",")
	case time.Time:
		return v.UTC().Format(wireTime)
	case decimal.Decimal:
		return v.String()
	}
	return fmt.Sprint(value)
}

// wireTime is how the API writes instants.
const wireTime = "2006-01-02T15:04:05"

// wireValue turns a typed value into JSON as the API wants it: amounts as text
// (woo/107 refuses numbers), whole numbers as numbers, instants without a zone.
func wireValue(value any, schema *connectors.Schema) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			property, _ := schema.Property(name)
			out[name] = wireValue(item, property)
		}
		return out
	case []any:
		var items *connectors.Schema
		if schema != nil {
			items = schema.Items
		}
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = wireValue(item, items)
		}
		return out
	case time.Time:
		return v.UTC().Format(wireTime)
	case decimal.Decimal:
		if schema != nil && slices.Contains([]string{"number", "integer"}, schema.Type) {
			return json.Number(v.String())
		}
		return v.String()
	case int64:
		if schema != nil && schema.Type == "string" {
			return strconv.FormatInt(v, 10)
		}
	case int:
		return wireValue(int64(v), schema)
	}
	return value
}
