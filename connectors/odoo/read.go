package odoo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

// column is a field of a result: the name the flow asked for and the server's.
type column struct {
	name   string
	remote string
	field  field
}

// decodeTree reads JSON without passing numbers through a float.
func decodeTree(raw json.RawMessage) (any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	return tree, nil
}

// untyped types a value of which nothing is known: whole numbers int64, other
// numbers decimal.
func untyped(tree any) (any, error) { return connectors.Any().Convert(tree) }

// record types one record of an answer. Columns that the answer lacks are left
// out; id is always there.
func record(tree any, columns []column) (map[string]any, error) {
	raw, ok := tree.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a record is %T", tree)
	}
	out := make(map[string]any, len(columns)+1)
	id, err := wholeNumber(raw["id"])
	if err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	out["id"] = id
	for _, c := range columns {
		value, ok := raw[c.remote]
		if !ok || c.remote == "id" {
			continue
		}
		typed, err := c.field.read(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		out[c.name] = typed
	}
	return out, nil
}

// read types a value as read from Odoo, which says false where it means nothing.
//
//	boolean            bool
//	integer            int64
//	float, monetary    decimal
//	datetime           time.Time in UTC, or nil
//	date               text YYYY-MM-DD, or nil
//	many2one           {id, name}, or nil
//	x2many             list of int64
//	other              text or nil; json and the like as they come
func (f field) read(value any) (any, error) {
	if f.Type == "boolean" {
		b, ok := value.(bool)
		if !ok {
			return nil, fmt.Errorf("%v is neither true nor false", value)
		}
		return b, nil
	}
	if value == nil || value == false {
		if f.isMany() {
			return []any{}, nil
		}
		return nil, nil
	}
	switch f.Type {
	case "integer", "many2one_reference":
		return wholeNumber(value)
	case "float", "monetary":
		return connectors.Decimal().Convert(value)
	case "datetime":
		return readTime(value)
	case "many2one":
		return readReference(value)
	case "one2many", "many2many":
		return readIDs(value)
	case "char", "text", "html", "date", "binary", "reference":
		if text, ok := value.(string); ok {
			return text, nil
		}
	}
	// json, properties, selections of numbers, and computed binaries that are
	// records (tax_totals).
	return untyped(value)
}

func wholeNumber(value any) (int64, error) {
	typed, err := connectors.Integer().Convert(value)
	if err != nil {
		return 0, err
	}
	n, ok := typed.(int64)
	if !ok {
		return 0, fmt.Errorf("%v is no whole number", value)
	}
	return n, nil
}

// timeLayout is how Odoo writes an instant: UTC, whole seconds.
const timeLayout = "2006-01-02 15:04:05"

func readTime(value any) (any, error) {
	text, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("%v is no instant", value)
	}
	t, err := time.Parse(timeLayout, text)
	if err != nil {
		return nil, fmt.Errorf("%q is no instant", text)
	}
	return t.UTC(), nil
}

// readReference reads [id, name]; a bare id where names were not asked for.
func readReference(value any) (any, error) {
	pair, ok := value.([]any)
	if !ok {
		id, err := wholeNumber(value)
		return map[string]any{"id": id, "name": nil}, err
	}
	if len(pair) != 2 {
		return nil, fmt.Errorf("a reference of %s parts", strconv.Itoa(len(pair)))
	}
	id, err := wholeNumber(pair[0])
	if err != nil {
		return nil, err
	}
	name := pair[1]
	if name == false {
		name = nil
	}
	return map[string]any{"id": id, "name": name}, nil
}

func readIDs(value any) (any, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%v is no list of records", value)
	}
	ids := make([]any, len(list))
	for i, item := range list {
		id, err := wholeNumber(item)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

func listOf(tree any) ([]any, error) {
	list, ok := tree.([]any)
	if !ok {
		return nil, fmt.Errorf("the answer is %T, not a list", tree)
	}
	return list, nil
}
