package odoo

import (
	"maps"
	"path"
	"strings"
	"sync"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/schemas"
)

// openRecord is a record of which only the id is known.
func openRecord() *connectors.Schema {
	s := connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()}, "id")
	s.Open = true
	return s
}

func recordsOf(record *connectors.Schema) *connectors.Schema {
	return connectors.Object(map[string]*connectors.Schema{"records": connectors.Array(record)}, "records")
}

// recordTypes are types of records by model, which come before the shipped ones.
type recordTypes map[string]*connectors.Schema

func (own recordTypes) recordsFor(params map[string]any) *connectors.Schema {
	if record := own.recordFor(params); record != nil {
		return recordsOf(record)
	}
	return nil
}

// recordFor is the type of a record read with these constant parameters.
//
// Where model and fields are constant and the model's fields are known, it is
// closed: it has the fields that were asked for and are known, and id; a shipped
// type knows no custom fields (x_…), so those are of unknown type. A name that
// Odoo does not know is left out, so that its use is found before anything runs.
// Without constant fields a shipped type is open, because every database has
// fields of its own.
func (own recordTypes) recordFor(params map[string]any) *connectors.Schema {
	model, _ := params["model"].(string)
	known := own[model]
	if known == nil {
		known = recordSchema(model)
	}
	if known == nil {
		return nil
	}
	list, ok := params["fields"].([]any)
	if !ok {
		if params["fields"] == nil {
			return known
		}
		return nil
	}
	if len(list) == 0 {
		return known
	}
	record := connectors.Object(map[string]*connectors.Schema{"id": connectors.Integer()}, "id")
	for _, item := range list {
		name, ok := item.(string)
		if !ok {
			return known
		}
		if property, ok := known.Property(name); ok {
			record.Properties[name] = property
		} else if known.Open && strings.HasPrefix(name, "x_") {
			record.Properties[name] = connectors.Any()
		}
	}
	return record
}

// recordSchemas are read once: they are part of the program.
var recordSchemas = sync.OnceValue(func() map[string]*connectors.Schema {
	all := map[string]*connectors.Schema{}
	entries, err := schemas.Files.ReadDir("odoo")
	if err != nil {
		panic("odoo: the schemas of its records are not built in: " + err.Error())
	}
	for _, entry := range entries {
		if model, ok := strings.CutSuffix(path.Base(entry.Name()), ".json"); ok {
			all[model] = schemas.Resource("odoo", model)
		}
	}
	return all
})

// recordSchema is the type of a model's records, nil when it is not shipped.
func recordSchema(model string) *connectors.Schema {
	s, ok := recordSchemas()[model]
	if !ok {
		return nil
	}
	copied := *s
	copied.Properties = maps.Clone(s.Properties)
	return &copied
}
