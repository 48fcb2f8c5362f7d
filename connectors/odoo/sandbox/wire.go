package sandbox

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// wire gives a field's value as JSON-RPC shows it.
func (tx *transaction) wire(m *model, f *field, r *row) any {
	if f.shown != nil {
		return f.shown(tx, r)
	}
	switch v := tx.value(m, f, r).(type) {
	case nil:
		return false
	case decimal.Decimal:
		return number(v)
	case time.Time:
		return v.UTC().Format(timeLayout)
	case int64:
		if f.kind != many2one {
			return v
		}
		return tx.reference(f.relation, v)
	case []int64:
		if v == nil {
			return []int64{}
		}
		return v
	default:
		return v
	}
}

// reference is a many2one as shown: [id, name] or false.
func (tx *transaction) reference(relation string, id int64) any {
	m := tx.must(relation)
	r := tx.row(m, id)
	if id == 0 || r == nil {
		return false
	}
	return []any{id, tx.displayName(m, r)}
}

// number writes a decimal as Python writes a float: 69.0, 0.125.
func number(d decimal.Decimal) json.Number {
	s := d.String()
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return json.Number(s)
}

// displayName is a record's name for people.
func (tx *transaction) displayName(m *model, r *row) string {
	if m.display != nil {
		return m.display(tx, r)
	}
	if f, ok := m.fields["name"]; ok {
		if s, ok := tx.value(m, f, r).(string); ok {
			return s
		}
	}
	return m.name + "," + strconv.FormatInt(r.id, 10)
}

// value gives a field's value: stored, computed, or the records that point here.
func (tx *transaction) value(m *model, f *field, r *row) any {
	switch {
	case f.compute != nil:
		return f.compute(tx, r)
	case f.kind == one2many:
		return tx.pointingTo(f, r.id)
	case f.kind == many2many && !f.inactive:
		return tx.onlyActive(tx.must(f.relation), r.refs(f.name))
	}
	value, ok := r.values[f.name]
	if !ok {
		value = f.zero()
	}
	if f.otherwise != nil && same(value, f.zero()) {
		return f.otherwise(tx)
	}
	return value
}

// pointingTo lists the records of a one2many in their model's order.
func (tx *transaction) pointingTo(f *field, id int64) []int64 {
	target := tx.must(f.relation)
	var rows []*row
	for _, r := range tx.erp.tables[target.name].rows {
		if r.ref(f.inverse) == id && (f.only == nil || f.only(r)) {
			rows = append(rows, r)
		}
	}
	tx.sort(target, rows, mustOrder(target))
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	if f.inactive {
		return ids
	}
	return tx.onlyActive(target, ids)
}

// onlyActive leaves archived records out, unless the context asks for them.
func (tx *transaction) onlyActive(m *model, ids []int64) []int64 {
	if _, has := m.fields["active"]; !has || tx.context["active_test"] == false {
		return ids
	}
	kept := make([]int64, 0, len(ids))
	for _, id := range ids {
		if r := tx.row(m, id); r != nil && r.flag("active") {
			kept = append(kept, id)
		}
	}
	return kept
}

// binaryDifference is a - b as binary floats have it, written as Python writes
// them: Odoo shows price_tax as 6.600000000000001 (odoo18/232), and who takes
// that for an amount has to know.
func binaryDifference(a, b decimal.Decimal) json.Number {
	x, _ := a.Float64()
	y, _ := b.Float64()
	s := strconv.FormatFloat(x-y, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return json.Number(s)
}
