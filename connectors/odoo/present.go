package odoo

import (
	"maps"
	"slices"

	"github.com/flowctl/flowctl/connectors"
)

// presentOfWrite lets a dry run read what a write to one record would change.
func presentOfWrite(params map[string]any) (connectors.Present, bool) {
	id := params["id"]
	if ids, ok := params["ids"].([]any); ok && id == nil && len(ids) == 1 {
		id = ids[0]
	}
	values, _ := params["values"].(map[string]any)
	if id == nil || len(values) == 0 {
		return connectors.Present{}, false
	}
	fields := []any{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fields = append(fields, name)
	}
	read := map[string]any{"model": params["model"], "id": id, "fields": fields}
	if context, ok := params["context"]; ok {
		read["context"] = context
	}
	return connectors.Present{Read: connectors.Call{Operation: "get", Params: read}, Changes: values}, true
}
