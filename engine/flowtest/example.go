package flowtest

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// testClock is when everything happens in a test that says no other time.
var testClock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// maxExampleDepth bounds examples of types that hold themselves.
const maxExampleDepth = 12

// example is the plainest value of a type: text "", number 0, false, an empty
// list, nothing where nothing may be. A field named id is 1.
func example(s *connectors.Schema, depth int) any {
	switch {
	case s == nil || s.Type == "" || s.Nullable || depth > maxExampleDepth:
		return nil
	case s.Default != nil:
		return s.Default
	case s.IsDecimal():
		return decimal.Decimal{}
	case s.IsTime():
		return testClock
	case s.Type == "string" && s.Format == "date":
		return testClock.Format(time.DateOnly)
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	switch s.Type {
	case "string":
		return ""
	case "integer":
		return int64(0)
	case "boolean":
		return false
	case "array":
		return []any{}
	case "object":
		record := map[string]any{}
		for name, property := range s.Properties {
			record[name] = example(property, depth+1)
			if name == "id" && record[name] == int64(0) {
				record[name] = int64(1)
			}
		}
		return record
	}
	return nil
}

// fill puts what is left out of a value, by the example of its type. A record
// that is given, also within a list, is filled; nothing stays nothing.
func fill(given any, s *connectors.Schema, depth int) any {
	if s == nil || depth > maxExampleDepth {
		return given
	}
	switch v := given.(type) {
	case map[string]any:
		if s.Type != "object" {
			return v
		}
		bare := *s
		bare.Nullable, bare.Default = false, nil
		record, _ := example(&bare, depth).(map[string]any)
		for name, item := range v {
			property, _ := s.Property(name)
			record[name] = fill(item, property, depth+1)
		}
		return record
	case []any:
		if s.Type != "array" {
			return v
		}
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = fill(item, s.Items, depth+1)
		}
		return list
	}
	return given
}
