package odoo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// codeLoad is the code of rows that Odoo's load refuses.
const codeLoad = "load_refused"

func (c *Connection) load(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	list, err := p.list("fields")
	if err != nil {
		return nil, err
	}
	rows, err := p.list("rows")
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return map[string]any{"ids": []any{}}, nil
	}
	columns, err := c.loadColumns(ctx, p, model, list)
	if err != nil {
		return nil, err
	}
	data := make([]any, len(rows))
	for i, item := range rows {
		row, ok := item.([]any)
		if !ok || len(row) != len(columns) {
			return nil, badParams("odoo.load: row %d wants %d cells, one for each column", i+1, len(columns))
		}
		if data[i], err = loadRow(columns, row, i); err != nil {
			return nil, err
		}
	}
	paths := make([]string, len(columns))
	for i, col := range columns {
		paths[i] = col.remote
	}
	ids, err := c.loadRows(ctx, p, model, paths, data)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ids": ids}, nil
}

// loadColumn is a column of load: its path in the server's names, and the field
// whose value its cells are; none for ids.
type loadColumn struct {
	remote string
	many   string // the list of lines it belongs to, "" for the record itself
	isID   bool   // the external id, or id, of the record or line
	field  field
}

// loadColumns translates the columns and refuses those that would not be safe
// to load twice: records and lines without external ids (recordings odoo18/628
// to 630).
func (c *Connection) loadColumns(ctx context.Context, p params, model string, list []any) ([]loadColumn, error) {
	columns := make([]loadColumn, 0, len(list))
	named := map[string]bool{}
	for _, item := range list {
		path, ok := item.(string)
		if !ok {
			return nil, p.wrong("fields", "names of columns")
		}
		col, err := c.loadColumn(ctx, model, path)
		if err != nil {
			return nil, err
		}
		if col.isID {
			named[col.many] = true
		}
		columns = append(columns, col)
	}
	if !named[""] {
		return nil, badParams("odoo.load: a column id with external ids, or .id with ids, is missing; without it every load makes new records")
	}
	for _, col := range columns {
		if col.many != "" && !named[col.many] {
			return nil, badParams("odoo.load: a column %s/id with external ids is missing; without it every load adds the lines again", col.many)
		}
	}
	return columns, nil
}

func (c *Connection) loadColumn(ctx context.Context, model, path string) (loadColumn, error) {
	if path == "id" || path == ".id" {
		return loadColumn{remote: path, isID: true}, nil
	}
	name, rest, nested := strings.Cut(path, "/")
	remote, f, err := c.encodePath(ctx, model, name)
	if err != nil {
		return loadColumn{}, err
	}
	if !nested {
		return loadColumn{remote: remote, field: f}, nil
	}
	byID := rest == "id" || rest == ".id"
	switch {
	case f.Type == "one2many":
		inner, err := c.loadColumn(ctx, f.Relation, rest)
		if err != nil {
			return loadColumn{}, err
		}
		if inner.many != "" {
			return loadColumn{}, badParams("odoo.load: %s has lines of lines, which cannot be loaded at once", path)
		}
		return loadColumn{remote: remote + "/" + inner.remote, many: remote, isID: inner.isID, field: inner.field}, nil
	case f.Relation != "" && byID:
		return loadColumn{remote: remote + "/" + rest}, nil
	}
	return loadColumn{}, badParams("odoo.load: the column %s is none; a reference is given as %s/id or %s/.id", path, name, name)
}

// loadRow writes cells as text. Rows that begin a record need its external id;
// rows of further lines have no cell but the lines'.
func loadRow(columns []loadColumn, row []any, place int) ([]any, error) {
	cells := make([]any, len(row))
	begins, identified := false, false
	for i, value := range row {
		text, problem := loadCell(columns[i].field, value)
		if problem != "" {
			return nil, badParams("odoo.load: row %d, column %s: %s", place+1, columns[i].remote, problem)
		}
		cells[i] = text
		if columns[i].many == "" && text != "" {
			begins = true
			identified = identified || columns[i].isID
		}
	}
	if begins && !identified || !begins && place == 0 {
		return nil, badParams("odoo.load: row %d has no external id", place+1)
	}
	return cells, nil
}

// loadCell is a value as load reads it.
func loadCell(f field, value any) (text, problem string) {
	encoded := value
	switch {
	case value == nil:
		return "", ""
	case f.Type == "json":
		plainValue, problem := plain(value)
		if problem != "" {
			return "", problem
		}
		data, err := json.Marshal(plainValue)
		if err != nil {
			return "", err.Error()
		}
		return string(data), ""
	case f.Type != "" && f.Relation == "":
		if encoded, problem = f.write(value); problem != "" {
			return "", problem
		}
	default:
		if encoded, problem = plain(value); problem != "" {
			return "", problem
		}
	}
	switch v := encoded.(type) {
	case bool:
		switch {
		case v:
			return "1", ""
		case f.Type == "boolean":
			return "0", ""
		}
		return "", ""
	case string:
		return v, ""
	case json.Number, int64, int:
		return fmt.Sprint(v), ""
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = fmt.Sprint(item)
		}
		return strings.Join(parts, ","), ""
	}
	return "", "holds a value that has no text"
}

// loadRows calls load and turns what it refuses into an error: Odoo itself
// answers {ids: false, messages: [...]} with 200 (recordings odoo18/610 to 613).
func (c *Connection) loadRows(ctx context.Context, p params, model string, paths []string, data []any) ([]any, error) {
	kwargs, err := c.kwargs(p, nil)
	if err != nil {
		return nil, err
	}
	about, _ := kwargs["context"].(map[string]any)
	if about == nil {
		about = map[string]any{}
	}
	// load reads instants in the zone of the user; here they are all UTC.
	about["tz"] = "UTC"
	call := invocation{
		model: model, method: "load", args: []argument{{"fields", paths}, {"data", data}},
		kwargs: map[string]any{"context": about}, write: true,
	}
	tree, err := c.change(ctx, call)
	if err != nil {
		return nil, err
	}
	answer, ok := tree.(map[string]any)
	if !ok {
		return nil, afterWrite(call, nil)
	}
	if answer["ids"] == false || answer["ids"] == nil {
		return nil, refusedRows(model, answer["messages"])
	}
	ids, err := readIDs(answer["ids"])
	if err != nil {
		return nil, afterWrite(call, err)
	}
	return ids.([]any), nil
}

// undone tells a row that PostgreSQL refused because of another transaction: load
// tells these as it tells wrong values, where other calls try again by themselves.
// The words are the database's own, in English on nearly every server.
func undone(said string) bool {
	return slices.ContainsFunc([]string{
		"could not serialize access", "deadlock detected", "could not obtain lock", "canceling statement due to",
	}, func(words string) bool { return strings.Contains(said, words) })
}

// shownRefusals bounds how many refused rows a message names.
const shownRefusals = 5

func refusedRows(model string, messages any) error {
	list, _ := messages.([]any)
	var said []string
	for _, item := range list {
		m, _ := item.(map[string]any)
		if kind, _ := m["type"].(string); kind != "" && kind != "error" {
			continue
		}
		text, _ := m["message"].(string)
		where := ""
		if row, err := wholeNumber(m["record"]); err == nil {
			where = fmt.Sprintf("row %d: ", row+1)
		}
		said = append(said, where+httpcall.Shorten(strings.TrimSpace(text), 300))
	}
	more := ""
	if len(said) > shownRefusals {
		more = fmt.Sprintf(" and %d more", len(said)-shownRefusals)
		said = said[:shownRefusals]
	}
	if len(said) == 0 {
		said = []string{"without saying why"}
	}
	if slices.ContainsFunc(said, undone) {
		return &connectors.Error{
			Class:   connectors.Transient,
			Code:    codeLoad,
			Message: model + ".load: others work on the same records, nothing was loaded: " + said[0],
			Advice:  "It is tried again.",
		}
	}
	return &connectors.Error{
		Class:   connectors.Permanent,
		Code:    codeLoad,
		Message: model + ".load: Odoo refused the rows, nothing was loaded: " + strings.Join(said, "; ") + more,
		Advice:  "Change the values of the rows that the message names.",
	}
}
