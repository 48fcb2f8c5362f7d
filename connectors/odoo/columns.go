package odoo

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
)

// columns are the fields a read asks for: those named, or all. All does not mean
// binary fields that Odoo computes: images in five sizes, and values of its own
// that it cannot even write as JSON (account.move needed_terms, on 19).
func (c *Connection) columns(ctx context.Context, p params, model string) ([]column, error) {
	list, err := p.list("fields")
	if err != nil {
		return nil, err
	}
	fields, err := c.fields.of(ctx, model)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		columns := make([]column, 0, len(fields.byName))
		for _, remote := range slices.Sorted(maps.Keys(fields.byName)) {
			f := fields.byName[remote]
			if f.Type == "binary" && !f.Store {
				continue
			}
			columns = append(columns, column{fields.flowName(remote), remote, f})
		}
		return columns, nil
	}
	columns := make([]column, 0, len(list)+1)
	for _, item := range list {
		name, ok := item.(string)
		if !ok {
			return nil, p.wrong("fields", "names of fields")
		}
		remote, f, ok, err := c.fields.lookup(ctx, fields, name)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, fields.unknown(name, c.knownVersion())
		}
		columns = append(columns, column{name, remote, f})
	}
	return columns, nil
}

func remoteNames(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.remote
	}
	return names
}

// answer executes a read and gives its result as a tree.
func (c *Connection) answer(ctx context.Context, call invocation) (any, error) {
	raw, err := c.master.execute(ctx, call)
	if err != nil {
		return nil, err
	}
	return parse(raw, call)
}

func parse(raw json.RawMessage, call invocation) (any, error) {
	tree, err := decodeTree(raw)
	if err != nil {
		return nil, unreadable(call.model, call.method, raw, err)
	}
	return tree, nil
}

func recordList(tree any, columns []column) ([]any, error) {
	list, err := listOf(tree)
	if err != nil {
		return nil, err
	}
	records := make([]any, len(list))
	for i, item := range list {
		if records[i], err = record(item, columns); err != nil {
			return nil, err
		}
	}
	return records, nil
}
