package woocommerce

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/schemas"
)

// The shop has no list of what plugins add to its records: they add fields while
// an answer is made. So the types of a shop's own records are the shipped ones
// and what a sample of records has besides. Nothing is taken away, because a
// field that was not seen may come with the next order.

// sampleSize is how many records are looked at: a page.
const sampleSize = 100

// sampled are the lists that a sample is taken from, by resource. Others are
// below one record and would need a request for each.
var sampled = map[string]string{
	"coupon": "coupons.list", "customer": "customers.list", "order": "orders.list", "product": "products.list",
}

// Retype returns a connector that describes records by these types, by resource.
func (c Connector) Retype(resources map[string]*connectors.Schema) (connectors.Connector, error) {
	for name, record := range resources {
		if !schemas.HasResource(Name, name) {
			return nil, fmt.Errorf("%s: no operation knows such a record; there are: %s", name, strings.Join(resourceNames(), ", "))
		}
		if record.Type != "object" {
			return nil, fmt.Errorf("%s: the type of a record must be an object", name)
		}
	}
	retyped, err := loadCatalogue(operationFiles, maps.Clone(resources))
	if err != nil {
		return nil, err
	}
	return Connector{extended: retyped}, nil
}

func resourceNames() []string {
	var names []string
	for _, path := range schemas.Resources() {
		if name, ok := strings.CutPrefix(path, Name+"/"); ok {
			names = append(names, name)
		}
	}
	return names
}

// ReadResources looks at a sample of the shop's newest records of each kind. Of
// their values it keeps nothing but the kind.
func (c *Connection) ReadResources(ctx context.Context, names []string) ([]connectors.Resource, error) {
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(sampled))
	}
	all := make([]connectors.Resource, 0, len(names))
	for _, name := range names {
		list, ok := sampled[name]
		if !ok {
			all = append(all, connectors.Resource{Name: name, Note: "the shop has no list of it to look at"})
			continue
		}
		result, err := c.Call(ctx, connectors.Call{Operation: list, Params: map[string]any{"per_page": int64(sampleSize)}})
		if err != nil {
			return nil, err
		}
		page, _ := result.(map[string]any)
		records, _ := page["items"].([]any)
		added := []string{}
		record := widened(schemas.Resource(Name, name), records, "", &added)
		note := fmt.Sprintf("%d records looked at, no field that is not shipped", len(records))
		if len(added) > 0 {
			slices.Sort(added)
			note = fmt.Sprintf("%d records looked at, fields found: %s", len(records), strings.Join(added, ", "))
		}
		all = append(all, connectors.Resource{Name: name, Type: record, Note: note})
	}
	return all, nil
}

// widened is a type with the fields that values have besides, which are added to
// the list of names.
func widened(known *connectors.Schema, values []any, path string, added *[]string) *connectors.Schema {
	if known == nil {
		return nil
	}
	wide := *known
	switch {
	case known.Type == "array":
		var items []any
		for _, value := range values {
			list, _ := value.([]any)
			items = append(items, list...)
		}
		wide.Items = widened(known.Items, items, path+"[]", added)
	case known.Type == "object" && known.Properties != nil:
		byField := map[string][]any{}
		for _, value := range values {
			record, _ := value.(map[string]any)
			for name, field := range record {
				byField[name] = append(byField[name], field)
			}
		}
		wide.Properties = maps.Clone(known.Properties)
		for name, fields := range byField {
			property, ok := known.Property(name)
			if ok {
				wide.Properties[name] = widened(property, fields, path+"."+name, added)
				continue
			}
			*added = append(*added, strings.TrimPrefix(path+"."+name, "."))
			wide.Properties[name] = seen(fields).Described(fmt.Sprintf("Of a plugin: seen in %d of %d records", len(fields), len(values)))
		}
	}
	return &wide
}

// seen is the type that values have in common. It promises little: the next
// value may be another, and a type that it does not fit would make the whole
// record unreadable.
func seen(values []any) *connectors.Schema {
	kinds := map[string]bool{}
	for _, value := range values {
		switch value.(type) {
		case nil:
		case string:
			kinds["string"] = true
		case bool:
			kinds["boolean"] = true
		case []any:
			kinds["array"] = true
		case map[string]any:
			kinds["object"] = true
		case int64, decimal.Decimal:
			kinds["number"] = true // of which sort, the next one may decide otherwise
		}
	}
	if len(kinds) != 1 || kinds["number"] {
		return connectors.Any()
	}
	for kind := range kinds {
		return &connectors.Schema{Type: kind, Nullable: true, Open: kind == "object"}
	}
	return connectors.Any()
}
