package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// field is a member of a request's body and the form it must have. The shop
// checks these in single requests, not in the items of a batch (woo/163, 720).
type field struct {
	name  string
	kind  string // string, integer, boolean, array, email-in (an object with an email)
	enum  []string
	items []field // of arrays of objects
}

// checkBody refuses members of the wrong form, all at once.
func (c *call) checkBody(fields []field) *apiError {
	if c.batch {
		return nil
	}
	var problems []problem
	for _, f := range fields {
		value, given := c.body[f.name]
		if !given {
			continue
		}
		if found := f.check(f.name, value); found != nil {
			found.param = f.name
			problems = append(problems, *found)
		}
	}
	if problems != nil {
		return invalid(problems)
	}
	return nil
}

func (f field) check(path string, value any) *problem {
	wrong := &problem{code: "rest_invalid_type", message: fmt.Sprintf("%s is not of type %s.", path, f.kind), data: object{{"param", path}}}
	switch f.kind {
	case "string":
		text, ok := value.(string)
		if !ok {
			return wrong
		}
		if f.enum != nil && !slices.Contains(f.enum, text) {
			return &problem{code: "rest_not_in_enum", message: path + " is not one of " + enumText(f.enum) + "."}
		}
	case "integer":
		if n, ok := numeric(value); !ok || !n.IsInteger() {
			return wrong
		}
	case "boolean":
		if _, ok := value.(bool); !ok && !slices.Contains([]string{"true", "false", "1", "0"}, fmt.Sprint(value)) {
			return wrong
		}
	case "email-in":
		record, _ := value.(map[string]any)
		if email, _ := record["email"].(string); email != "" && !isEmail(email) {
			return &problem{code: "rest_invalid_email", message: "Invalid email address."}
		}
	case "array":
		items, ok := value.([]any)
		if !ok {
			return wrong
		}
		for i, item := range items {
			record, ok := item.(map[string]any)
			if !ok {
				continue
			}
			for _, inner := range f.items {
				at := fmt.Sprintf("%s[%d][%s]", path, i, inner.name)
				if v := record[inner.name]; v != nil {
					if found := inner.check(at, v); found != nil {
						return found
					}
				}
			}
		}
	}
	return nil
}

// numeric reads a JSON number or a text that is one.
func numeric(value any) (decimal.Decimal, bool) {
	switch v := value.(type) {
	case json.Number:
		d, err := decimal.NewFromString(v.String())
		return d, err == nil
	case string:
		d, err := decimal.NewFromString(strings.TrimSpace(v))
		return d, err == nil
	}
	return zero, false
}

// The readers below take a value as PHP would where nothing checked it.

func asText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "1"
		}
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

func asInt(value any) int64 {
	if d, ok := numeric(value); ok {
		return d.IntPart()
	}
	return 0
}

func asBool(value any) bool {
	switch v := value.(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "1" || v == "yes"
	case json.Number:
		return v.String() != "0"
	}
	return false
}

func (c *call) text(name string) (string, bool) {
	value, given := c.body[name]
	return asText(value), given
}

func asRecord(value any) map[string]any {
	record, _ := value.(map[string]any)
	return record
}

func asArray(value any) []any {
	items, _ := value.([]any)
	return items
}
