package sandbox

import (
	"slices"
)

// Commands on a list of records, by Odoo's numbers.
const (
	commandCreate = 0
	commandUpdate = 1
	commandDelete = 2
	commandUnlink = 3
	commandLink   = 4
	commandClear  = 5
	commandSet    = 6
)

// command is one of them, read.
type command struct {
	number int64
	id     int64
	values Values
	ids    []int64
}

// toCommands reads what may be given for a list: commands, or plain ids to set.
func toCommands(m *model, f *field, value any) ([]any, error) {
	switch v := value.(type) {
	case nil, bool:
		return []any{command{number: commandClear}}, nil
	case []int64:
		return []any{command{number: commandSet, ids: v}}, nil
	case []any:
		if ids, ok := asIDs(v); ok && len(v) > 0 {
			return []any{command{number: commandSet, ids: ids}}, nil
		}
		out := make([]any, len(v))
		for i, item := range v {
			c, ok := readCommand(item)
			if !ok {
				return nil, valueError("Wrong value for %s.%s: %s", m.name, f.name, pythonList(v))
			}
			out[i] = c
		}
		return out, nil
	}
	return nil, valueError("Wrong value for %s.%s: %v", m.name, f.name, value)
}

func readCommand(item any) (command, bool) {
	parts, ok := item.([]any)
	if !ok || len(parts) == 0 {
		return command{}, false
	}
	number, ok := asID(parts[0])
	if !ok {
		return command{}, false
	}
	c := command{number: number}
	if len(parts) > 1 {
		c.id, _ = asID(parts[1])
	}
	switch number {
	case commandCreate, commandUpdate:
		if len(parts) < 3 {
			return command{}, false
		}
		c.values, ok = parts[2].(map[string]any)
	case commandSet:
		if len(parts) < 3 {
			return command{}, false
		}
		c.ids, ok = asIDs(parts[2])
	}
	return c, ok
}

// applyLists carries out the commands of a call on one record.
func (tx *transaction) applyLists(m *model, id int64, a accepted) error {
	for _, f := range a.order {
		for _, item := range a.lists[f] {
			var err error
			if f.kind == one2many {
				err = tx.applyToChildren(f, id, item.(command))
			} else {
				err = tx.applyToLinks(m, f, id, item.(command))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// applyToChildren works on records that point to this one.
func (tx *transaction) applyToChildren(f *field, id int64, c command) error {
	target := tx.must(f.relation)
	back := target.fields[f.inverse]
	leave := func(ids []int64) error {
		if len(ids) == 0 {
			return nil
		}
		// A child that cannot be without this record goes.
		if back.required || back.cascade {
			return tx.unlink(target, ids)
		}
		return tx.write(target, ids, Values{f.inverse: int64(0)})
	}
	switch c.number {
	default:
		return nil // Odoo passes over numbers it does not know
	case commandCreate:
		values := Values{}
		for name, value := range c.values {
			values[name] = value
		}
		values[f.inverse] = id
		_, err := tx.createNested(target, values)
		return err
	case commandUpdate:
		return tx.write(target, []int64{c.id}, c.values)
	case commandDelete:
		return tx.unlink(target, []int64{c.id})
	case commandUnlink:
		return leave([]int64{c.id})
	case commandLink:
		return tx.write(target, []int64{c.id}, Values{f.inverse: id})
	case commandClear:
		return leave(tx.children(target, f, id))
	case commandSet:
	}
	// Set: those not named leave, those named come.
	current := tx.children(target, f, id)
	var gone []int64
	for _, child := range current {
		if !slices.Contains(c.ids, child) {
			gone = append(gone, child)
		}
	}
	if err := leave(gone); err != nil {
		return err
	}
	for _, child := range c.ids {
		if !slices.Contains(current, child) {
			if err := tx.write(target, []int64{child}, Values{f.inverse: id}); err != nil {
				return err
			}
		}
	}
	return nil
}

// createNested is create, except that 19 words an unknown field otherwise
// (odoo19/250).
func (tx *transaction) createNested(m *model, values Values) (int64, error) {
	for name := range values {
		if _, ok := m.fields[name]; !ok {
			return 0, valueError("Invalid field '%s' on model '%s'", name, m.name)
		}
	}
	return tx.create(m, values)
}

// children lists all records that point to this one, archived ones too.
func (tx *transaction) children(target *model, f *field, id int64) []int64 {
	var ids []int64
	for _, r := range tx.all(target) {
		if r.ref(f.inverse) == id {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// applyToLinks works on a many2many.
func (tx *transaction) applyToLinks(m *model, f *field, id int64, c command) error {
	target := tx.must(f.relation)
	ids := slices.Clone(tx.row(m, id).refs(f.name))
	remove := func(gone int64) {
		ids = slices.DeleteFunc(ids, func(ref int64) bool { return ref == gone })
	}
	switch c.number {
	case commandCreate:
		created, err := tx.create(target, c.values)
		if err != nil {
			return err
		}
		ids = append(ids, created)
	case commandUpdate:
		return tx.write(target, []int64{c.id}, c.values)
	case commandDelete:
		return tx.unlink(target, []int64{c.id})
	case commandUnlink:
		remove(c.id)
	case commandLink:
		if !slices.Contains(ids, c.id) {
			ids = append(ids, c.id)
		}
	case commandClear:
		ids = nil
	case commandSet:
		ids = slices.Clone(c.ids)
	}
	if _, err := tx.existing(target, ids); err != nil {
		return err
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	// Read back in the order of their model, as Odoo does.
	rows, err := tx.existing(target, ids)
	if err != nil {
		return err
	}
	tx.sort(target, rows, mustOrder(target))
	for i, r := range rows {
		ids[i] = r.id
	}
	tx.update(m, id, Values{f.name: ids})
	return nil
}
