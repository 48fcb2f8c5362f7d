package sandbox

import (
	"cmp"
	"slices"
	"strings"
)

// query is how much of a search is wanted, and in which order.
type query struct {
	order  string
	limit  int64 // 0: all
	offset int64
}

// search finds the ids that match a domain.
func (tx *transaction) search(m *model, domain []any, q query) ([]int64, error) {
	rows, err := tx.find(m, domain, q)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	return ids, nil
}

func (tx *transaction) find(m *model, domain []any, q query) ([]*row, error) {
	tx.settleOrders()
	match, err := tx.compile(m, domain)
	if err != nil {
		return nil, err
	}
	order := q.order
	if order == "" {
		order = m.order
	}
	keys, err := tx.parseOrder(m, order)
	if err != nil {
		return nil, err
	}
	onlyActive := tx.hidesArchived(m, domain)
	var rows []*row
	for _, r := range tx.erp.tables[m.name].rows {
		if onlyActive && !r.flag("active") {
			continue
		}
		if match(r) {
			rows = append(rows, r)
		}
	}
	tx.sort(m, rows, keys)
	rows = rows[min(q.offset, int64(len(rows))):]
	if q.limit > 0 {
		rows = rows[:min(q.limit, int64(len(rows)))]
	}
	return rows, nil
}

// hidesArchived tells whether a search leaves archived records out: it does
// unless the context says otherwise or the domain itself asks about active.
func (tx *transaction) hidesArchived(m *model, domain []any) bool {
	if _, has := m.fields["active"]; !has || tx.context["active_test"] == false {
		return false
	}
	for _, item := range domain {
		if condition, ok := item.([]any); ok && len(condition) > 0 && condition[0] == "active" {
			return false
		}
	}
	return true
}

// sortKey is a field to sort by.
type sortKey struct {
	field      *field
	descending bool
}

// parseOrder reads "date_order desc, id" (errors: odoo18/174, 175).
func (tx *transaction) parseOrder(m *model, order string) ([]sortKey, error) {
	var keys []sortKey
	for part := range strings.SplitSeq(order, ",") {
		words := strings.Fields(part)
		valid := len(words) == 1 || len(words) == 2 &&
			(strings.EqualFold(words[1], "asc") || strings.EqualFold(words[1], "desc"))
		if !valid {
			return nil, userError("Invalid \"order\" specified (%s). A valid \"order\" specification is a "+
				"comma-separated list of valid field names (optionally followed by asc/desc for the direction)", order)
		}
		f, ok := m.fields[words[0]]
		if !ok {
			return nil, tx.unknownField(m, words[0], ordering)
		}
		keys = append(keys, sortKey{field: f, descending: len(words) == 2 && strings.EqualFold(words[1], "desc")})
	}
	return keys, nil
}

// mustOrder reads a model's own order.
func mustOrder(m *model) []sortKey {
	keys, err := (&transaction{erp: &ERP{}}).parseOrder(m, m.order)
	if err != nil {
		panic("sandbox: " + m.name + ": " + err.Error())
	}
	return keys
}

// sort sorts rows by the keys, then by id so that the order is always the same.
func (tx *transaction) sort(m *model, rows []*row, keys []sortKey) {
	slices.SortFunc(rows, func(a, b *row) int {
		for _, key := range keys {
			c := tx.compareBy(m, key.field, a, b)
			if key.descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Compare(a.id, b.id)
	})
}

// compareBy compares two rows by a field; nothing comes last, as in PostgreSQL.
// A reference counts by the order of the model it points to.
func (tx *transaction) compareBy(m *model, f *field, a, b *row) int {
	x, y := tx.value(m, f, a), tx.value(m, f, b)
	if f.kind == many2one {
		idA, _ := x.(int64)
		idB, _ := y.(int64)
		if idA == idB {
			return 0
		}
		target := tx.must(f.relation)
		rowA, rowB := tx.row(target, idA), tx.row(target, idB)
		if rowA == nil || rowB == nil {
			return nothingLast(rowA == nil, rowB == nil)
		}
		for _, key := range mustOrder(target) {
			if key.field.kind == many2one {
				continue
			}
			c := tx.compareBy(target, key.field, rowA, rowB)
			if key.descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Compare(idA, idB)
	}
	if x == nil || y == nil {
		return nothingLast(x == nil, y == nil)
	}
	c, _ := compare(x, y)
	return c
}

func nothingLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
