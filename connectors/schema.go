package connectors

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Schema is the type of a value: the part of JSON Schema that flows are checked
// against. The zero Schema and a nil *Schema accept anything.
//
// Values have these Go types: string, bool, int64 (type integer),
// decimal.Decimal (type number, or type string with format decimal), time.Time
// in UTC (format date-time), string YYYY-MM-DD (format date), []any,
// map[string]any and nil.
type Schema struct {
	Type        string             `json:"type,omitempty"`   // object, array, string, integer, number, boolean; "" is anything
	Format      string             `json:"format,omitempty"` // decimal, date-time, date; others are hints for people
	Nullable    bool               `json:"nullable,omitempty"`
	Description string             `json:"description,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	// Open objects may have more properties than listed; what they are is not known.
	Open    bool    `json:"open,omitempty"`
	Items   *Schema `json:"items,omitempty"`
	Enum    []any   `json:"enum,omitempty"`
	Default any     `json:"default,omitempty"`
	// Secret values are sealed at rest and scrubbed from everything shown.
	Secret bool `json:"secret,omitempty"`
}

// Shorthands for writing schemas in code.

// Any accepts anything.
func Any() *Schema { return &Schema{} }

// String is text.
func String() *Schema { return &Schema{Type: "string"} }

// Integer is an int64.
func Integer() *Schema { return &Schema{Type: "integer"} }

// Boolean is true or false.
func Boolean() *Schema { return &Schema{Type: "boolean"} }

// Decimal is an exact decimal number.
func Decimal() *Schema { return &Schema{Type: "number", Format: "decimal"} }

// DateTime is an instant in UTC.
func DateTime() *Schema { return &Schema{Type: "string", Format: "date-time"} }

// Array is a list.
func Array(items *Schema) *Schema { return &Schema{Type: "array", Items: items} }

// Object is a record with just these properties.
func Object(properties map[string]*Schema, required ...string) *Schema {
	return &Schema{Type: "object", Properties: properties, Required: required}
}

// OrNull returns a copy that also accepts null.
func (s *Schema) OrNull() *Schema { c := *s; c.Nullable = true; return &c }

// Described returns a copy with a description.
func (s *Schema) Described(text string) *Schema { c := *s; c.Description = text; return &c }

// Property finds a property of an object.
func (s *Schema) Property(name string) (*Schema, bool) {
	if s == nil {
		return nil, false
	}
	p, ok := s.Properties[name]
	return p, ok
}

// PropertyNames lists the properties, sorted.
func (s *Schema) PropertyNames() []string {
	if s == nil {
		return nil
	}
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// IsDecimal tells whether values are decimal.Decimal.
func (s *Schema) IsDecimal() bool {
	return s != nil && (s.Type == "number" || s.Type == "string" && s.Format == "decimal")
}

// IsTime tells whether values are time.Time.
func (s *Schema) IsTime() bool {
	return s != nil && s.Type == "string" && s.Format == "date-time"
}

// String names the type for people: "text", "list of whole numbers".
func (s *Schema) String() string {
	switch {
	case s == nil || s.Type == "":
		return "anything"
	case s.IsDecimal():
		return "decimal"
	case s.IsTime():
		return "instant"
	case s.Type == "string" && s.Format == "date":
		return "date"
	case s.Type == "string":
		return "text"
	case s.Type == "integer":
		return "whole number"
	case s.Type == "boolean":
		return "true or false"
	case s.Type == "array":
		return "list of " + s.Items.String()
	case s.Type == "object" && !s.Open:
		return "record {" + strings.Join(s.PropertyNames(), ", ") + "}"
	case s.Type == "object":
		return "record"
	}
	return s.Type
}

// ParseSchema reads a schema from its JSON form. Unknown keywords are errors,
// so that a schema never promises what nobody checks.
func ParseSchema(data []byte) (*Schema, error) {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	var s Schema
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf("reading a schema: %w", err)
	}
	return &s, nil
}
