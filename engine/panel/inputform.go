package panel

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// inputField is a field of the form by which a flow is started.
type inputField struct {
	Name, Title, Help, Kind string // Kind: text, integer, decimal, switch, choice, time, date, json
	Required                bool
	More                    bool // seldom filled in
	Default                 string
	Choices                 []string
}

// maxInputFields is where a form becomes unreadable: JSON is the better form.
const maxInputFields = 15

// inputFields makes a form of an input's schema. Events have many fields of
// which a flow mostly reads the id: they are written as JSON, as are records that
// may have any field.
func inputFields(schema *connectors.Schema, event bool) (fields []inputField, free bool) {
	if schema == nil || schema.Type != "object" || schema.Open && len(schema.Properties) == 0 {
		return nil, true
	}
	names := schema.PropertyNames()
	if event && len(names) > maxInputFields {
		return nil, true
	}
	for _, name := range names {
		property := schema.Properties[name]
		f := inputField{Name: name, Title: sentence(strings.ReplaceAll(name, "_", " ")), Help: property.Description, Kind: "text", Required: slices.Contains(schema.Required, name) && property.Default == nil}
		if property.Default != nil {
			f.Default = plainWords(property.Default)
		}
		for _, choice := range property.Enum {
			f.Choices = append(f.Choices, fmt.Sprint(choice))
		}
		switch {
		case len(f.Choices) > 0:
			f.Kind = "choice"
		case property.Type == "integer":
			f.Kind = "integer"
		case property.IsDecimal():
			f.Kind = "decimal"
		case property.Type == "boolean":
			f.Kind = "switch"
		case property.IsTime():
			f.Kind = "time"
		case property.Format == "date":
			f.Kind = "date"
		case property.Type == "array", property.Type == "object", property.Type == "":
			f.Kind = "json"
		}
		f.More = event && !f.Required && name != "id"
		fields = append(fields, f)
	}
	slices.SortStableFunc(fields, func(a, b inputField) int { return rank(a) - rank(b) })
	return fields, false
}

// rank puts what must be filled in before what may be.
func rank(f inputField) int {
	switch {
	case f.Required:
		return 0
	case !f.More:
		return 1
	}
	return 2
}

// readInputForm reads what the form sends. Empty fields are absent.
func readInputForm(schema *connectors.Schema, event bool, form url.Values) (map[string]any, error) {
	fields, free := inputFields(schema, event)
	if free {
		return inputOf(schema, form.Get("json"))
	}
	input := map[string]any{}
	for _, f := range fields {
		text := strings.TrimSpace(form.Get("in." + f.Name))
		property := schema.Properties[f.Name]
		if f.Kind == "switch" {
			input[f.Name] = text == "true"
			continue
		}
		if text == "" {
			if f.Required {
				return nil, &inputError{fmt.Errorf("%s is needed", f.Title)}
			}
			continue
		}
		var typed any
		var err error
		switch f.Kind {
		case "text", "choice", "date":
			typed, err = property.Convert(text)
		case "time":
			// A browser's field has neither seconds nor zone: UTC, as its label says.
			if len(text) == len("2006-01-02T15:04") {
				text += ":00Z"
			}
			typed, err = property.Convert(text)
		default:
			typed, err = property.Decode([]byte(text))
		}
		if err != nil {
			return nil, &inputError{fmt.Errorf("%s: %w", f.Title, err)}
		}
		input[f.Name] = typed
	}
	return input, nil
}
