package woocommerce

import (
	"maps"
	"slices"

	"github.com/flowctl/flowctl/connectors"
)

// listOf is the type of a page of records.
func listOf(record *connectors.Schema) *connectors.Schema {
	return connectors.Object(map[string]*connectors.Schema{
		"items": connectors.Array(record),
		"total": connectors.Integer().OrNull().Described("Records on all pages; null where the shop does not say"),
		"pages": connectors.Integer().OrNull().Described("Pages of this size; null where the shop does not say"),
	}, "items", "total", "pages")
}

// pageOf is the type of a step of a walk.
func pageOf(record *connectors.Schema) *connectors.Schema {
	return connectors.Object(map[string]*connectors.Schema{
		"items":  connectors.Array(record),
		"cursor": connectors.String().OrNull().Described("Give it to the next call; null when the walk must begin anew"),
		"more":   connectors.Boolean().Described("There is more to read now"),
	}, "items", "cursor", "more")
}

// batchOf is the type of a batch's answer. An item that failed holds its error
// and an id, 0 where it was to be created (recording woo/163).
func batchOf(record *connectors.Schema) *connectors.Schema {
	item := *record
	item.Properties = maps.Clone(record.Properties)
	item.Properties["error"] = (&connectors.Schema{
		Type: "object", Open: true,
		Properties: map[string]*connectors.Schema{
			"code":    connectors.String(),
			"message": connectors.String(),
		},
	}).OrNull().Described("Why this item failed; null when it did not")
	items := connectors.Array(&item)
	return connectors.Object(map[string]*connectors.Schema{
		"create": items.OrNull(), "update": items.OrNull(), "delete": items.OrNull(),
	})
}

// writable is the type of a record's values in a write: no field is required,
// each may be null, and the fields named in except (dotted, below lists too)
// are the shop's to set. The record itself is closed, because the shop accepts
// a misspelled field in silence (recording woo/111).
func writable(record *connectors.Schema, path string, except []string) *connectors.Schema {
	if record == nil {
		return nil
	}
	w := *record
	w.Required, w.Nullable = nil, true
	if path == "" {
		w.Open, w.Nullable = false, false
	}
	w.Items = writable(record.Items, path+"[]", except)
	if record.Properties != nil {
		w.Properties = map[string]*connectors.Schema{}
		for name, property := range record.Properties {
			at := name
			if path != "" {
				at = path + "." + name
			}
			if !slices.Contains(except, at) {
				w.Properties[name] = writable(property, at, except)
			}
		}
	}
	return &w
}
