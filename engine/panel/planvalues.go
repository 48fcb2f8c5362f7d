package panel

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/engine/run"
	"github.com/flowctl/flowctl/engine/value"
)

// plainValue writes a value of a plan on one line; what is not known yet stands
// in its own words.
func plainValue(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case run.Unknown:
		return v.String()
	case decimal.Decimal:
		return v.String()
	}
	data, err := json.Marshal(value.Plain(v))
	if err != nil {
		return fmt.Sprint(v)
	}
	return cut(maxField, string(data))
}

// plannedFields lists what a planned write would set.
func plannedFields(params any) []fieldView {
	fields, ok := params.(map[string]any)
	if !ok {
		return nil
	}
	for _, name := range []string{"values", "changes", "data", "body"} {
		if nested, ok := fields[name].(map[string]any); ok {
			fields = nested
			break
		}
	}
	var out []fieldView
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, fieldView{Field: name, New: cut(maxField, plainValue(fields[name]))})
	}
	return out
}

// told gives the words of an error that a visitor may read.
func told(err error) (message, advice string, ok bool) {
	var http *httpError
	var wrong *inputError
	switch {
	case errors.As(err, &http):
		return http.message, http.advice, true
	case errors.As(err, &wrong):
		return sentence(wrong.Error()), "", true
	}
	return "", "", false
}
