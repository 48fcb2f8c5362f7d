package woocommerce

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
)

// place is where a parameter goes in the request.
type place string

const (
	inPath  place = "path"
	inQuery place = "query"
	inBody  place = "body"
	// wholeBody parameters are the body itself: the values of a record.
	wholeBody place = "whole body"
)

// paramEntry is what a parameter says beside its schema.
type paramEntry struct {
	required, zero, whole, keyed bool
	// The resource whose values it holds: one record, or a list of them.
	values, list string
	also         map[string]any
	except       []string
	schema       map[string]any // what is left
}

func (op *operation) addParams(b *book, nodes map[string]yaml.Node) error {
	op.Params = connectors.Object(map[string]*connectors.Schema{})
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		node := nodes[name]
		var raw map[string]any
		if err := node.Decode(&raw); err != nil {
			return fmt.Errorf("param %s: %w", name, err)
		}
		entry, err := readParam(raw)
		if err != nil {
			return fmt.Errorf("param %s: %w", name, err)
		}
		if entry.required {
			op.Params.Required = append(op.Params.Required, name)
		}
		op.Places[name] = op.placeOf(name, entry)
		op.zero[name] = entry.zero
		if op.Params.Properties[name], err = entry.build(b); err != nil {
			return fmt.Errorf("param %s: %w", name, err)
		}
		if resource := entry.resource(); resource != "" {
			op.rules[name] = rulesOf(b.resources[resource], op.shape == shapeBatch)
		}
	}
	for _, name := range pathNames(op.Path) {
		if op.Places[name] != inPath || !slices.Contains(op.Params.Required, name) {
			return fmt.Errorf("path parameter %s is not declared as required", name)
		}
	}
	return nil
}

// readParam takes out what is no schema.
func readParam(raw map[string]any) (paramEntry, error) {
	entry := paramEntry{schema: maps.Clone(raw)}
	take := func(name string, into any) error {
		value, given := entry.schema[name]
		if !given {
			return nil
		}
		delete(entry.schema, name)
		ok := false
		switch into := into.(type) {
		case *bool:
			*into, ok = value.(bool)
		case *string:
			*into, ok = value.(string)
		case *map[string]any:
			*into, ok = value.(map[string]any)
		case *[]string:
			var list []any
			list, ok = value.([]any)
			for _, one := range list {
				*into = append(*into, fmt.Sprint(one))
			}
		}
		if !ok {
			return fmt.Errorf("%s cannot be %v", name, value)
		}
		return nil
	}
	for name, into := range map[string]any{
		"required": &entry.required, "zero": &entry.zero, "whole": &entry.whole, "keyed": &entry.keyed,
		"values": &entry.values, "values_list": &entry.list, "also": &entry.also, "except": &entry.except,
	} {
		if err := take(name, into); err != nil {
			return entry, err
		}
	}
	return entry, nil
}

func (entry paramEntry) resource() string { return entry.values + entry.list }

func (op *operation) placeOf(name string, entry paramEntry) place {
	switch {
	case strings.Contains(op.Path, "{"+name+"}"):
		return inPath
	case entry.values != "" || entry.whole:
		return wholeBody
	case op.Method == http.MethodGet || op.Method == http.MethodDelete:
		return inQuery
	}
	return inBody
}

// build is the parameter's schema. Values of a resource are its fields without
// those that the shop sets, plus those that are only written.
func (entry paramEntry) build(b *book) (*connectors.Schema, error) {
	if entry.resource() == "" {
		return schemaOf(entry.schema)
	}
	description, _ := entry.schema["description"].(string)
	delete(entry.schema, "description")
	if len(entry.schema) > 0 || entry.values != "" && entry.list != "" {
		return nil, fmt.Errorf("values of a resource take only also, except and a description beside required")
	}
	name := entry.resource()
	record, err := b.resource(name)
	if err != nil {
		return nil, err
	}
	resource := b.resources[name]
	except := slices.Concat(resource.SetByShop, entry.except)
	if entry.keyed {
		except = slices.DeleteFunc(except, func(field string) bool { return field == "id" })
	}
	schema := writable(record, "", except)
	more := maps.Clone(resource.Also)
	if more == nil {
		more = map[string]any{}
	}
	maps.Copy(more, entry.also)
	for field, form := range more {
		if schema.Properties[field], err = schemaOf(form); err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
	}
	if entry.keyed {
		schema.Required = []string{"id"}
	}
	if entry.list != "" {
		return connectors.Array(schema.Described("")).Described(description), nil
	}
	return schema.Described(description), nil
}

func pathNames(path string) []string {
	var names []string
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}
