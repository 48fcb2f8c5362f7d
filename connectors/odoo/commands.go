package odoo

import (
	"context"
)

// The commands of an x2many field, by their number in Odoo's API.
const (
	commandCreate = 0 // [0, 0, values]
	commandUpdate = 1 // [1, id, values]
	commandDelete = 2 // [2, id, 0]
	commandUnlink = 3 // [3, id, 0]
	commandLink   = 4 // [4, id, 0]
	commandClear  = 5 // [5, 0, 0]
	commandSet    = 6 // [6, 0, ids]
)

// encodeMany writes the commands of an x2many field. A many2many also takes a
// plain list of ids, which is what a read gives, and sets it to just these.
func (c *Connection) encodeMany(ctx context.Context, model, name string, f field, value any) (any, error) {
	if value == nil || value == false {
		return []any{[]any{commandClear, 0, 0}}, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, badParams("%s.%s: wants a list of commands such as [[6, 0, [1, 2]]]", model, name)
	}
	if f.Type == "many2many" {
		if ids, ok := toIDs(list); ok && len(list) > 0 {
			return []any{[]any{commandSet, 0, ids}}, nil
		}
		if len(list) == 0 {
			// An empty list of commands would change nothing, an empty list of
			// records must leave none.
			return []any{[]any{commandSet, 0, []int64{}}}, nil
		}
	}
	out := make([]any, len(list))
	for i, item := range list {
		command, err := c.encodeCommand(ctx, model, name, f, item)
		if err != nil {
			return nil, err
		}
		out[i] = command
	}
	return out, nil
}

func (c *Connection) encodeCommand(ctx context.Context, model, name string, f field, item any) (any, error) {
	wrong := badParams("%s.%s: a command is [0, 0, {values}], [1, id, {values}], [2 to 4, id], [5] or [6, 0, [ids]]", model, name)
	parts, ok := item.([]any)
	if !ok || len(parts) == 0 {
		return nil, wrong
	}
	number, ok := toID(parts[0])
	if !ok {
		return nil, wrong
	}
	part := func(i int) any {
		if i < len(parts) {
			return parts[i]
		}
		return nil
	}
	switch number {
	case commandClear:
		return []any{commandClear, 0, 0}, nil
	case commandSet:
		list, ok := part(2).([]any)
		if !ok {
			return nil, wrong
		}
		ids, ok := toIDs(list)
		if !ok {
			return nil, wrong
		}
		return []any{commandSet, 0, ids}, nil
	case commandCreate, commandUpdate:
		values, ok := part(2).(map[string]any)
		if !ok {
			return nil, wrong
		}
		var id any = 0
		if number == commandUpdate {
			if id, ok = toReference(part(1)); !ok {
				return nil, wrong
			}
		}
		encoded, err := c.encodeValues(ctx, f.Relation, values)
		if err != nil {
			return nil, err
		}
		return []any{number, id, encoded}, nil
	case commandDelete, commandUnlink, commandLink:
		id, ok := toReference(part(1))
		if !ok {
			return nil, wrong
		}
		return []any{number, id, 0}, nil
	}
	return nil, wrong
}

func toIDs(list []any) ([]int64, bool) {
	ids := make([]int64, len(list))
	for i, item := range list {
		id, ok := toReference(item)
		n, whole := id.(int64)
		if !ok || !whole {
			return nil, false
		}
		ids[i] = n
	}
	return ids, true
}
