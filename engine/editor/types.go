package editor

import (
	"github.com/flowctl/flowctl/connectors"
)

// computed is a value with an expression in it, which may stand for any type.
func computed() object { return object{"type": "string", "pattern": `\$\{`} }

// maxDepth bounds how deep types are written out; what is deeper may be anything.
const maxDepth = 4

// parametersOf is the type of a with: just these names. What must be given is
// left to the validator, which knows what a merge key or a flow adds.
func parametersOf(s *connectors.Schema) object {
	out := object{"type": "object", "properties": properties(s, 0)}
	if !s.Open {
		out["additionalProperties"] = false
	}
	return out
}

func properties(s *connectors.Schema, depth int) object {
	out := object{}
	for name, property := range s.Properties {
		out[name] = typeOf(property, depth+1)
	}
	return out
}

// typeOf is the type of a parameter. It is never narrower than what the
// validator takes: an editor must not mark what is right.
func typeOf(s *connectors.Schema, depth int) object {
	if s == nil {
		return object{}
	}
	out := object{}
	if s.Description != "" {
		out["description"] = s.Description
	}
	if s.Default != nil {
		out["default"] = plainDefault(s.Default)
	}
	form := bare(s, depth)
	if form == nil {
		return out
	}
	forms := []any{form, object{"type": "null"}}
	if form["type"] != "string" {
		forms = append(forms, computed())
	}
	out["anyOf"] = forms
	return out
}

// bare is the form of a type's values as they are written out; nil for anything.
func bare(s *connectors.Schema, depth int) object {
	switch {
	case depth > maxDepth || s.Type == "":
		return nil
	case len(s.Enum) > 0 && s.Type == "string":
		// Text around an expression may become any of them.
		return object{"type": "string", "anyOf": []any{object{"enum": s.Enum}, computed()}}
	case s.IsDecimal():
		return object{"type": []string{"number", "string"}}
	}
	switch s.Type {
	case "string":
		return object{"type": []string{"string", "number"}}
	case "integer", "boolean":
		return object{"type": s.Type}
	case "array":
		out := object{"type": "array"}
		if s.Items != nil {
			out["items"] = typeOf(s.Items, depth+1)
		}
		return out
	case "object":
		out := object{"type": "object", "properties": properties(s, depth)}
		if !s.Open && len(s.Properties) > 0 {
			out["additionalProperties"] = false
		}
		return out
	}
	return nil
}

// plainDefault writes a default as JSON does: amounts as text.
func plainDefault(v any) any {
	switch v := v.(type) {
	case bool, string, int64, []any, map[string]any:
		return v
	case interface{ String() string }:
		return v.String()
	}
	return nil
}
