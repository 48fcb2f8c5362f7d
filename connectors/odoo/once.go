package odoo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// createOnce creates a record under an external id, by load, which makes both
// in one transaction. So there is no moment at which the record is there and
// its name is not: a crash leaves all or nothing, and the name finds it.
func (c *Connection) createOnce(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	given, err := p.required("external_id")
	if err != nil {
		return nil, err
	}
	name, err := externalID(given)
	if err != nil {
		return nil, err
	}
	values, err := p.object("values")
	if err != nil {
		return nil, err
	}
	name, id, err := c.onceNamed(ctx, p, model, name)
	if err != nil {
		return nil, err
	}
	table, err := c.onceTable(ctx, model, name, values)
	if err != nil {
		return nil, err
	}
	// What is there is left as it is: load would write the values again, over
	// what people changed since.
	if id != 0 {
		return map[string]any{"id": id, "created": false}, nil
	}
	ids, err := c.loadRows(ctx, p, model, table.paths, table.rows())
	if err != nil {
		if connectors.ClassOf(err) == connectors.Unclear {
			return nil, err
		}
		// Refused, perhaps because another made it in this very moment.
		if known, again := c.byExternalID(ctx, model, []string{name}); again == nil && known[name] != 0 {
			return map[string]any{"id": known[name], "created": false}, nil
		}
		return nil, err
	}
	if len(ids) != 1 {
		return nil, afterWrite(invocation{model: model, method: "load"}, nil)
	}
	return map[string]any{"id": ids[0], "created": true}, nil
}

// maxNamesakes bounds the records of one name that are not the one meant any
// more.
const maxNamesakes = 20

// onceNamed finds the record of a name, 0 when there is none, and the name that
// it has. A record that no longer matches the domain gave its name away: the one
// that is meant is named after it.
func (c *Connection) onceNamed(ctx context.Context, p params, model, given string) (name string, id int64, err error) {
	domain, err := p.list("domain")
	if err != nil {
		return "", 0, err
	}
	name = given
	for range maxNamesakes {
		known, err := c.byExternalID(ctx, model, []string{name})
		if err != nil || known[name] == 0 || domain == nil {
			return name, known[name], err
		}
		matches, err := c.matches(ctx, p, model, domain, known[name])
		if err != nil || matches {
			return name, known[name], err
		}
		name = fmt.Sprintf("%s_%d", name, known[name])
		if _, err := externalID(name); err != nil {
			return "", 0, err
		}
	}
	return "", 0, &connectors.Error{
		Class: connectors.Permanent, Code: codeNamesakes,
		Message: fmt.Sprintf("odoo.create_once: there are %d records named after %s, and none of them is the one that is meant", maxNamesakes, given),
		Advice:  "Look why they no longer match: they may all have been cancelled or changed.",
	}
}

// codeNamesakes is the code of a name that was given away too often.
const codeNamesakes = "too_many_namesakes"

// matches tells whether a record is one that the domain finds.
func (c *Connection) matches(ctx context.Context, p params, model string, domain []any, id int64) (bool, error) {
	given := map[string]any{"model": model, "domain": append(slices.Clone(domain), []any{"id", "=", id}), "limit": int64(1)}
	if about, ok := p.values["context"]; ok {
		given["context"] = about
	}
	found, err := c.search(ctx, params{operation: p.operation, values: given})
	if err != nil {
		return false, err
	}
	ids, _ := found.(map[string]any)["ids"].([]any)
	return len(ids) > 0, nil
}

// loadTable is a table for load, filled cell by cell.
type loadTable struct {
	paths []string
	cells []map[string]string // a row by path
}

func (t *loadTable) set(row int, path, text string) {
	for len(t.cells) <= row {
		t.cells = append(t.cells, map[string]string{})
	}
	if !slices.Contains(t.paths, path) {
		t.paths = append(t.paths, path)
	}
	t.cells[row][path] = text
}

func (t *loadTable) rows() []any {
	rows := make([]any, len(t.cells))
	for i, cells := range t.cells {
		row := make([]any, len(t.paths))
		for j, path := range t.paths {
			row[j] = cells[path]
		}
		rows[i] = row
	}
	return rows
}

// onceTable writes the values of one record as a table: the record in the first
// row, its lines one below the other.
func (c *Connection) onceTable(ctx context.Context, model, name string, values map[string]any) (*loadTable, error) {
	t := &loadTable{}
	t.set(0, "id", name)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		remote, f, err := c.encodePath(ctx, model, key)
		if err != nil {
			return nil, err
		}
		if f.Type == "one2many" {
			if err := c.onceLines(ctx, t, model, name, key, remote, f, values[key]); err != nil {
				return nil, err
			}
			continue
		}
		path, text, err := onceCell(model, key, remote, f, values[key])
		if err != nil {
			return nil, err
		}
		t.set(0, path, text)
	}
	return t, nil
}

// onceLines writes the lines of a record. An empty cell empties its field, and
// does not leave it to the default; so all lines must give the same fields.
func (c *Connection) onceLines(ctx context.Context, t *loadTable, model, name, key, remote string, f field, value any) error {
	list, ok := value.([]any)
	if value != nil && !ok {
		return badParams("%s.%s: wants a list of commands [0, 0, {values}]", model, key)
	}
	var fields []string
	for i, item := range list {
		command, ok := item.([]any)
		var line map[string]any
		if ok && len(command) == 3 {
			if number, whole := toID(command[0]); whole && number == commandCreate {
				line, _ = command[2].(map[string]any)
			}
		}
		if line == nil {
			return badParams("%s.%s: create_once only takes commands [0, 0, {values}]", model, key)
		}
		names := slices.Sorted(maps.Keys(line))
		if i > 0 && !slices.Equal(names, fields) {
			return badParams("%s.%s: create_once wants the same fields on every line; line %d has %s, the first %s",
				model, key, i+1, strings.Join(names, ", "), strings.Join(fields, ", "))
		}
		fields = names
		t.set(i, remote+"/id", fmt.Sprintf("%s_%s_%d", name, remote, i+1))
		for _, field := range names {
			inner, kind, err := c.encodePath(ctx, f.Relation, field)
			if err != nil {
				return err
			}
			if kind.Type == "one2many" {
				return badParams("%s.%s: create_once cannot make lines of lines (%s)", model, key, field)
			}
			path, text, err := onceCell(f.Relation, field, inner, kind, line[field])
			if err != nil {
				return err
			}
			t.set(i, remote+"/"+path, text)
		}
	}
	return nil
}

// onceCell is a field's column and cell. References are given by their ids.
func onceCell(model, key, remote string, f field, value any) (path, text string, err error) {
	var problem string
	switch f.Type {
	case "many2one":
		remote += "/.id"
		if value != nil {
			id, ok := toReference(value)
			if !ok {
				problem = "wants the id of a " + f.Relation
			}
			if id != false {
				text = fmt.Sprint(id)
			}
		}
	case "many2many":
		remote += "/.id"
		ids, ok := linkedIDs(value)
		if !ok {
			problem = "wants a list of ids"
		}
		texts := make([]string, len(ids))
		for i, id := range ids {
			texts[i] = fmt.Sprint(id)
		}
		text = strings.Join(texts, ",")
	default:
		text, problem = loadCell(f, value)
	}
	if problem != "" {
		return "", "", badParams("%s.%s: %s", model, key, problem)
	}
	return remote, text, nil
}

// linkedIDs reads the ids of a new record's many2many: a plain list, or the
// commands that only link.
func linkedIDs(value any) ([]int64, bool) {
	if value == nil || value == false {
		return nil, true
	}
	list, ok := value.([]any)
	if !ok {
		return nil, false
	}
	if ids, ok := toIDs(list); ok {
		return ids, true
	}
	var ids []int64
	for _, item := range list {
		command, ok := item.([]any)
		if !ok || len(command) == 0 {
			return nil, false
		}
		number, _ := toID(command[0])
		switch {
		case number == commandClear:
			ids = nil
		case number == commandLink && len(command) > 1:
			id, ok := toID(command[1])
			if !ok {
				return nil, false
			}
			ids = append(ids, id)
		case number == commandSet && len(command) > 2:
			given, ok := command[2].([]any)
			if !ok {
				return nil, false
			}
			if ids, ok = toIDs(given); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return ids, true
}
