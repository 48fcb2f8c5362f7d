package sandbox

import (
	"errors"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// table holds the rows of a model.
type table struct {
	rows map[int64]*row
	next int64 // ids of calls that failed are lost, as in Odoo
}

// row is a record. It is never changed: a write puts another in its place, so
// that a failed call can put it back.
type row struct {
	id     int64
	values Values
}

func (r *row) get(name string) any { return r.values[name] }

func (r *row) text(name string) string { s, _ := r.values[name].(string); return s }

func (r *row) ref(name string) int64 { id, _ := r.values[name].(int64); return id }

func (r *row) flag(name string) bool { b, _ := r.values[name].(bool); return b }

func (r *row) amount(name string) decimal.Decimal {
	d, _ := r.values[name].(decimal.Decimal)
	return d
}

func (r *row) refs(name string) []int64 { ids, _ := r.values[name].([]int64); return ids }

// transaction is one call: all of it happens or nothing.
type transaction struct {
	erp     *ERP
	now     time.Time // of all records it touches, as in PostgreSQL
	uid     int64
	context map[string]any
	undo    []func()
	// stale are orders whose amounts are to be computed before anybody looks.
	stale map[int64]bool
	// staleInvoices are invoices likewise.
	staleInvoices map[int64]bool
	// staleVariants are templates whose variants are to be made.
	staleVariants map[int64]bool
	// posts are announcements to be sent before the call ends.
	posts []announcement
}

// adminID is the user that clients log in as; 1 is Odoo's own OdooBot.
const adminID = 2

// within performs work as one transaction.
func (e *ERP) within(work func(*transaction) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	tx := &transaction{
		erp:     e,
		now:     e.options.Now().UTC().Truncate(time.Microsecond),
		uid:     adminID,
		context: map[string]any{},
		stale:   map[int64]bool{},

		staleInvoices: map[int64]bool{},
		staleVariants: map[int64]bool{},
	}
	finished := false
	defer func() {
		// Also when a rule panics: the records must not be left half changed.
		if !finished {
			tx.rollback()
		}
	}()
	if err := work(tx); err != nil {
		return err
	}
	if err := tx.settleVariants(); err != nil {
		return err
	}
	tx.settleOrders()
	e.send(tx.posts)
	finished = true
	return nil
}

func (tx *transaction) rollback() {
	for _, undo := range slices.Backward(tx.undo) {
		undo()
	}
	tx.undo = nil
}

// model finds a model by name.
func (tx *transaction) model(name string) (*model, error) {
	m, ok := tx.erp.models[name]
	if !ok {
		return nil, fault("odoo.exceptions.UserError", "Object %s doesn't exist", name)
	}
	return m, nil
}

// must finds a model that the sandbox's own rules use.
func (tx *transaction) must(name string) *model {
	m, ok := tx.erp.models[name]
	if !ok {
		panic("sandbox: no model " + name)
	}
	return m
}

func (tx *transaction) row(m *model, id int64) *row { return tx.erp.tables[m.name].rows[id] }

// record is row by the model's name.
func (tx *transaction) record(name string, id int64) *row { return tx.row(tx.must(name), id) }

// existing gives the rows of ids; one that is missing is an error.
func (tx *transaction) existing(m *model, ids []int64) ([]*row, error) {
	rows := make([]*row, 0, len(ids))
	for _, id := range ids {
		r := tx.row(m, id)
		if r == nil {
			return nil, tx.missing(m, id)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// all gives the rows of a model in the order of their ids.
func (tx *transaction) all(m *model) []*row {
	t := tx.erp.tables[m.name]
	rows := make([]*row, 0, len(t.rows))
	for _, r := range t.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *row) int { return int(a.id - b.id) })
	return rows
}

// where gives the rows that pass a test, in the order of their ids.
func (tx *transaction) where(m *model, test func(*row) bool) []*row {
	var rows []*row
	for _, r := range tx.erp.tables[m.name].rows {
		if test(r) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *row) int { return int(a.id - b.id) })
	return rows
}

// holding gives the rows whose reference points to a record.
func (tx *transaction) holding(model, reference string, id int64) []*row {
	return tx.where(tx.must(model), func(r *row) bool { return r.ref(reference) == id })
}

// put stores a row in place of the one with its id, if any.
func (tx *transaction) put(m *model, r *row) {
	t := tx.erp.tables[m.name]
	old := t.rows[r.id]
	t.rows[r.id] = r
	tx.undo = append(tx.undo, func() {
		if old == nil {
			delete(t.rows, r.id)
		} else {
			t.rows[r.id] = old
		}
	})
}

func (tx *transaction) drop(m *model, id int64) {
	t := tx.erp.tables[m.name]
	old := t.rows[id]
	delete(t.rows, id)
	tx.undo = append(tx.undo, func() { t.rows[id] = old })
}

// update changes stored values of a row for a rule of its model or of another
// one; that is announced too (odoo18/672, 675).
func (tx *transaction) update(m *model, id int64, values Values) {
	tx.store(m, id, values)
	tx.announce(m, []int64{id}, values, false)
}

// store changes stored values of a row and stamps it, without any rules.
func (tx *transaction) store(m *model, id int64, values Values) {
	old := tx.row(m, id)
	changed := Values{}
	for name, value := range old.values {
		changed[name] = value
	}
	for name, value := range values {
		changed[name] = value
	}
	changed["write_date"], changed["write_uid"] = tx.now, tx.uid
	tx.put(m, &row{id: id, values: changed})
}

// settle is update for values that rules compute: nothing happens when they are
// what they were.
func (tx *transaction) settle(m *model, id int64, values Values) {
	old := tx.row(m, id)
	for name, value := range values {
		if !same(old.values[name], value) {
			tx.update(m, id, values)
			return
		}
	}
}

func same(a, b any) bool {
	switch x := a.(type) {
	case decimal.Decimal:
		y, ok := b.(decimal.Decimal)
		return ok && x.Equal(y)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case []int64:
		y, ok := b.([]int64)
		return ok && slices.Equal(x, y)
	case map[string]any, []any:
		return false
	}
	return a == b
}

// number takes the next number of a sequence. It is not given back.
func (tx *transaction) number(sequence string) int64 {
	tx.erp.sequences[sequence]++
	return tx.erp.sequences[sequence]
}

// flag reads a boolean of the call's context.
func (tx *transaction) flag(name string) bool {
	b, _ := tx.context[name].(bool)
	return b
}

// withContext runs work with a value of the context changed.
func (tx *transaction) withContext(name string, value any, work func() error) error {
	old, had := tx.context[name]
	tx.context[name] = value
	err := work()
	if had {
		tx.context[name] = old
	} else {
		delete(tx.context, name)
	}
	return err
}

// asFault tells Odoo's own errors from mistakes of the sandbox.
func asFault(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}
