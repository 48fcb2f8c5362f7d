package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// loadMessage is a row that load refuses, in the shape in which Odoo tells it.
type loadMessage struct {
	row     int
	field   *field
	message string
	more    map[string]any
}

func (m loadMessage) shown() map[string]any {
	out := map[string]any{
		"rows": map[string]any{"from": m.row, "to": m.row}, "type": "error", "record": m.row, "message": m.message,
	}
	if m.field != nil {
		out["field"], out["field_name"] = m.field.name, m.field.label
	}
	if m.more != nil {
		out["moreinfo"] = m.more
	}
	return out
}

// loaded is a record as its rows give it.
type loaded struct {
	row      int
	external string
	id       int64
	values   Values
	lines    map[*field][]*loaded
}

// loadMethod creates or updates records by external ids, all or none. What it
// refuses is no error but a message (odoo18/605 to 636, odoo19/570 to 572).
func (m *model) loadMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	paths := a.names(0, "fields")
	given, _ := a.get(1, "data")
	var rows [][]string
	for _, item := range asList(given) {
		var cells []string
		for _, cell := range asList(item) {
			if cell == false || cell == nil {
				cell = ""
			}
			cells = append(cells, toText(cell))
		}
		rows = append(rows, cells)
	}
	for _, path := range paths {
		if err := m.checkPath(tx, path); err != nil {
			return nil, err
		}
	}
	mark := len(tx.undo)
	var ids []int64
	var messages []any
	for i := 0; i < len(rows); {
		n := 1
		for i+n < len(rows) && continues(paths, rows[i+n], m) {
			n++
		}
		record, refused := tx.readRows(m, paths, rows[i:i+n], i)
		if refused == nil {
			var id int64
			if id, refused = tx.loadRecord(m, record, nil, 0); refused == nil {
				ids = append(ids, id)
			}
		}
		if refused != nil {
			messages = append(messages, refused.shown())
		}
		i += n
	}
	if len(messages) > 0 {
		for _, undo := range slices.Backward(tx.undo[mark:]) {
			undo()
		}
		tx.undo = tx.undo[:mark]
		return map[string]any{"ids": false, "messages": messages, "nextrow": 0}, nil
	}
	return map[string]any{"ids": ids, "messages": []any{}, "nextrow": 0}, nil
}

func (m *model) checkPath(tx *transaction, path string) error {
	name, rest, nested := strings.Cut(path, "/")
	if name == "id" || name == ".id" {
		return nil
	}
	f, ok := m.fields[name]
	if !ok {
		return valueError("Invalid field name '%s'", name)
	}
	if nested && f.relation != "" {
		return tx.must(f.relation).checkPath(tx, rest)
	}
	return nil
}

// continues tells whether a row only adds lines to the record before it.
func continues(paths, row []string, m *model) bool {
	anything := false
	for i, path := range paths {
		if i >= len(row) || row[i] == "" {
			continue
		}
		anything = true
		name, _, _ := strings.Cut(path, "/")
		if f := m.fields[name]; f == nil || f.kind != one2many {
			return false
		}
	}
	return anything
}

// readRows reads the cells of one record; at is the place of its first row.
func (tx *transaction) readRows(m *model, paths []string, rows [][]string, at int) (*loaded, *loadMessage) {
	record := &loaded{row: at, values: Values{}, lines: map[*field][]*loaded{}}
	nested := map[*field][]int{}
	var lists []*field
	for i, path := range paths {
		name, rest, deeper := strings.Cut(path, "/")
		cell := rows[0][i]
		f := m.fields[name]
		switch {
		case name == "id":
			record.external = cell
		case name == ".id":
			record.id, _ = strconv.ParseInt(cell, 10, 64)
		case f.kind == one2many:
			if nested[f] == nil {
				lists = append(lists, f)
			}
			nested[f] = append(nested[f], i)
		default:
			value, refused := tx.readCell(f, rest, deeper, cell, at)
			if refused != nil {
				return nil, refused
			}
			record.values[name] = value
		}
	}
	for _, f := range lists {
		var sub []string
		for _, i := range nested[f] {
			_, rest, _ := strings.Cut(paths[i], "/")
			sub = append(sub, rest)
		}
		for n, row := range rows {
			var cells []string
			empty := true
			for _, i := range nested[f] {
				cells = append(cells, row[i])
				empty = empty && row[i] == ""
			}
			if empty {
				continue
			}
			line, refused := tx.readRows(tx.must(f.relation), sub, [][]string{cells}, at+n)
			if refused != nil {
				return nil, refused
			}
			record.lines[f] = append(record.lines[f], line)
		}
	}
	return record, nil
}

// readCell types a cell. References come by external id (/id), by id (/.id) or by
// name.
func (tx *transaction) readCell(f *field, kindOf string, _ bool, cell string, at int) (any, *loadMessage) {
	refuse := func(format string, args ...any) *loadMessage {
		return &loadMessage{row: at, field: f, message: fmt.Sprintf(format, args...)}
	}
	if cell == "" {
		if f.kind.many() {
			return []any{command{number: commandSet}.list()}, nil
		}
		return false, nil
	}
	switch f.kind {
	case many2one, many2many:
		var ids []int64
		for part := range strings.SplitSeq(cell, ",") {
			id, refused := tx.findCell(f, kindOf, strings.TrimSpace(part), at)
			if refused != nil {
				return nil, refused
			}
			ids = append(ids, id)
		}
		if f.kind == many2one {
			return ids[0], nil
		}
		return []any{command{number: commandSet, ids: ids}.list()}, nil
	case integer:
		if n, err := strconv.ParseInt(cell, 10, 64); err == nil {
			return n, nil
		}
		return nil, refuse("'%s' does not seem to be an integer for field '%s'", cell, f.label)
	case float, monetary:
		if d, err := decimal.NewFromString(cell); err == nil {
			return d, nil
		}
		return nil, refuse("'%s' does not seem to be a number for field '%s'", cell, f.label)
	case boolean:
		return slices.Contains([]string{"1", "true", "yes"}, strings.ToLower(cell)), nil
	case selection:
		for _, choice := range f.options {
			if choice[0] == cell || choice[1] == cell {
				return choice[0], nil
			}
		}
		return nil, refuse("Value '%s' not found in selection field '%s'", cell, f.label)
	case jsonField:
		var tree any
		dec := json.NewDecoder(strings.NewReader(cell))
		dec.UseNumber()
		if err := dec.Decode(&tree); err != nil {
			return nil, refuse("'%s' does not seem to be a valid JSON for field '%s'", cell, f.label)
		}
		return tree, nil
	}
	return cell, nil
}

// list writes a command as clients do.
func (c command) list() []any { return []any{int64(c.number), c.id, toAny(c.ids)} }

func (tx *transaction) findCell(f *field, kindOf, cell string, at int) (int64, *loadMessage) {
	target := tx.must(f.relation)
	switch kindOf {
	case "id":
		if r := tx.external(cell); r != nil && r.text("model") == target.name && tx.row(target, number64(r.get("res_id"))) != nil {
			return number64(r.get("res_id")), nil
		}
		return 0, &loadMessage{row: at, field: f, message: fmt.Sprintf("No matching record found for external id '%s' in field '%s'", cell, f.label),
			more: map[string]any{"name": "Possible Values", "type": "ir.actions.act_window", "res_model": "ir.model.data"}}
	case ".id":
		if id, err := strconv.ParseInt(cell, 10, 64); err == nil && tx.row(target, id) != nil {
			return id, nil
		}
		return 0, &loadMessage{row: at, field: f, message: fmt.Sprintf("No matching record found for database id '%s' in field '%s'", cell, f.label)}
	}
	named := target.fields["name"]
	for _, r := range tx.all(target) {
		if tx.displayName(target, r) == cell || named != nil && tx.value(target, named, r) == cell {
			return r.id, nil
		}
	}
	return 0, &loadMessage{row: at, field: f, message: fmt.Sprintf("No matching record found for name '%s' in field '%s'", cell, f.label)}
}

// external finds the row of an external id.
func (tx *transaction) external(text string) *row {
	module, name := splitExternal(text)
	for _, r := range tx.erp.tables["ir.model.data"].rows {
		if r.text("module") == module && r.text("name") == name {
			return r
		}
	}
	return nil
}

// checkReference gives the model and the id of an external id, false where its
// record is gone. It needs no right to the table of external ids; archived
// records are found where the context says so. (Asked of a running 19.)
func checkReference(tx *transaction, _ []int64, a arguments) (any, error) {
	external := a.text(0, "module") + "." + a.text(1, "xml_id")
	r := tx.external(external)
	if r == nil {
		return nil, valueError("External ID not found in the system: %s", external)
	}
	ids, err := tx.search(tx.must(r.text("model")), []any{[]any{"id", "=", r.get("res_id")}}, query{})
	if err != nil || len(ids) == 0 {
		return []any{r.text("model"), false}, err
	}
	return []any{r.text("model"), ids[0]}, nil
}

// splitExternal: without a module it is that of imports (odoo18/608, 609).
func splitExternal(text string) (module, name string) {
	if module, name, ok := strings.Cut(text, "."); ok {
		return module, name
	}
	return "__import__", text
}

// loadRecord creates or updates a record, then its lines.
func (tx *transaction) loadRecord(m *model, record *loaded, back *field, owner int64) (int64, *loadMessage) {
	failed := func(err error) *loadMessage {
		message := err.Error()
		if f, ok := asFault(err); ok {
			message = strings.TrimPrefix(f.Message, "The operation cannot be completed: ")
			if !tx.erp.latest() {
				message = "'" + message + "'"
			}
		}
		return &loadMessage{row: record.row, message: message}
	}
	known := tx.external(record.external)
	if known != nil && record.external != "" && known.text("model") != m.name {
		return 0, &loadMessage{row: record.row, message: fmt.Sprintf(
			"For external id %s when trying to create/update a record of model %s found record of different model %s (%d)",
			record.external, m.name, known.text("model"), known.id)}
	}
	id := record.id
	if known != nil && record.external != "" && tx.row(m, number64(known.get("res_id"))) != nil {
		id = number64(known.get("res_id"))
	}
	values := record.values
	if back != nil {
		values = plus(values, Values{back.inverse: owner})
	}
	// Lines that are new come with the record, so that its rules see them.
	if id == 0 {
		var err error
		if id, err = tx.create(m, values); err != nil {
			return 0, failed(err)
		}
	} else if len(record.values) > 0 {
		if err := tx.write(m, []int64{id}, values); err != nil {
			return 0, failed(err)
		}
	}
	if record.external != "" {
		tx.nameExternal(known, record.external, m, id)
	}
	for f, lines := range record.lines {
		for _, line := range lines {
			if _, refused := tx.loadRecord(tx.must(f.relation), line, f, id); refused != nil {
				return 0, refused
			}
		}
	}
	return id, nil
}

func (tx *transaction) nameExternal(known *row, external string, m *model, id int64) {
	data := tx.must("ir.model.data")
	if known != nil {
		tx.settle(data, known.id, Values{"res_id": id})
		return
	}
	module, name := splitExternal(external)
	tx.insert(data, Values{"module": module, "name": name, "model": m.name, "res_id": id})
}
