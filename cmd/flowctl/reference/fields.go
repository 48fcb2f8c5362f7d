package reference

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// Field is a parameter, a setting or a field of a record.
type Field struct {
	Name        string `json:"name"` // within records by dots, of a list's items with []: "line_items[].sku"
	Type        string `json:"type"` // in words
	Description string `json:"description,omitempty"`
	Required    bool   `json:"required,omitempty"`
	Nullable    bool   `json:"nullable,omitempty"`
	Secret      bool   `json:"secret,omitempty"`
	Default     any    `json:"default,omitempty"`
	Values      []any  `json:"values,omitempty"`
}

// maxFieldDepth bounds records within records.
const maxFieldDepth = 6

// FieldsOf lists the fields of an object and of the records within it. Anything
// but an object is one field without a name.
func FieldsOf(s *connectors.Schema) []Field {
	if s == nil {
		return nil
	}
	if s.Type == "object" {
		return fieldsBelow(s, "", 0)
	}
	return append([]Field{fieldOf("", s, false)}, fieldsBelow(s, "", 0)...)
}

func fieldsBelow(s *connectors.Schema, path string, depth int) []Field {
	if s == nil || depth > maxFieldDepth {
		return nil
	}
	if s.Type == "array" {
		return fieldsBelow(s.Items, path+"[]", depth)
	}
	var all []Field
	for _, name := range s.PropertyNames() {
		property := s.Properties[name]
		at := name
		if path != "" {
			at = path + "." + name
		}
		all = append(all, fieldOf(at, property, slices.Contains(s.Required, name)))
		all = append(all, fieldsBelow(property, at, depth+1)...)
	}
	return all
}

func fieldOf(name string, s *connectors.Schema, required bool) Field {
	f := Field{Name: name, Type: typeWords(s), Required: required}
	if s != nil {
		f.Description, f.Nullable, f.Secret, f.Default, f.Values = s.Description, s.Nullable, s.Secret, s.Default, s.Enum
	}
	return f
}

// typeWords names a type without its fields, which stand in rows of their own.
func typeWords(s *connectors.Schema) string {
	switch {
	case s != nil && s.Type == "object":
		return "record"
	case s != nil && s.Type == "array":
		return "list of " + plural(typeWords(s.Items))
	}
	return s.String()
}

func plural(words string) string {
	switch words {
	case "anything", "text", "true or false":
		return words
	}
	if rest, ok := strings.CutPrefix(words, "list of "); ok {
		return "lists of " + rest
	}
	return words + "s"
}

// notes is what there is to say beside the description.
func (f Field) notes() string {
	var notes []string
	if f.Description != "" {
		notes = append(notes, strings.TrimSuffix(f.Description, "."))
	}
	if len(f.Values) > 0 {
		texts := make([]string, len(f.Values))
		for i, value := range f.Values {
			texts[i] = literal(value)
		}
		notes = append(notes, "one of "+strings.Join(texts, ", "))
	}
	if f.Default != nil {
		notes = append(notes, "default "+literal(f.Default))
	}
	if f.Secret {
		notes = append(notes, "secret")
	}
	return strings.Join(notes, "; ")
}

// kind is the type with what may be in its place.
func (f Field) kind() string {
	if f.Nullable {
		return f.Type + " or null"
	}
	return f.Type
}

func literal(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case nil:
		return "null"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
