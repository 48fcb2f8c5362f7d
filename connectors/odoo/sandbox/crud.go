package sandbox

import (
	"slices"
)

// accepted are the values of a call, sorted by what becomes of them.
type accepted struct {
	stored    Values           // typed, for the row itself
	lists     map[*field][]any // commands on lists of records
	order     []*field         // the fields of lists, as declared
	delegated Values           // for the record this one delegates to
}

// accept checks names and types values.
func (tx *transaction) accept(m *model, given Values, u use) (accepted, error) {
	a := accepted{stored: Values{}, lists: map[*field][]any{}, delegated: Values{}}
	for name := range given {
		if _, ok := m.fields[name]; !ok {
			return a, tx.unknownField(m, name, u)
		}
	}
	// In the order of declaration, so that the same call gives the same error.
	for _, f := range m.list {
		value, ok := given[f.name]
		switch {
		case !ok || f.settled || f.name == "id":
		case f.delegated:
			a.delegated[f.name] = value
		case f.compute != nil:
			// Odoo ignores values for what it computes.
		case f.kind.many():
			commands, err := toCommands(m, f, value)
			if err != nil {
				return a, err
			}
			a.lists[f] = commands
			a.order = append(a.order, f)
		default:
			typed, err := tx.convert(m, f, value)
			if err != nil {
				return a, err
			}
			a.stored[f.name] = typed
		}
	}
	return a, nil
}

// create makes a record.
func (tx *transaction) create(m *model, given Values) (int64, error) {
	if m.replace != nil {
		if id, replaced, err := m.replace(tx, given); replaced || err != nil {
			return id, err
		}
	}
	a, err := tx.accept(m, given, creating)
	if err != nil {
		return 0, err
	}
	if err := tx.delegate(m, &a); err != nil {
		return 0, err
	}
	for _, f := range m.list {
		if _, ok := a.stored[f.name]; ok || f.fallback == nil {
			continue
		}
		if _, ok := a.lists[f]; !ok {
			a.stored[f.name] = f.fallback(tx)
		}
	}
	if m.prepare != nil {
		if err := m.prepare(tx, given, a.stored); err != nil {
			return 0, err
		}
	}
	for _, f := range m.list {
		if f.required && f.stored() && !f.delegated && empty(f, a.stored[f.name]) {
			return 0, tx.mandatory(m, f)
		}
	}
	t := tx.erp.tables[m.name]
	id := t.next
	t.next++
	a.stored["create_date"], a.stored["create_uid"] = tx.now, tx.uid
	a.stored["write_date"], a.stored["write_uid"] = tx.now, tx.uid
	tx.put(m, &row{id: id, values: a.stored})
	if err := tx.applyLists(m, id, a); err != nil {
		return 0, err
	}
	return id, tx.follow(m, []int64{id}, given, true)
}

// delegate creates the record that a new one delegates to, unless one is given.
func (tx *transaction) delegate(m *model, a *accepted) error {
	if m.delegate == "" {
		return nil
	}
	target := tx.must(m.fields[m.delegate].relation)
	if id, _ := a.stored[m.delegate].(int64); id != 0 {
		if len(a.delegated) == 0 {
			return nil
		}
		return tx.write(target, []int64{id}, a.delegated)
	}
	return tx.withContext(fromVariant, true, func() error {
		id, err := tx.create(target, a.delegated)
		a.stored[m.delegate] = id
		return err
	})
}

// write changes records; without any it does nothing, as Odoo.
func (tx *transaction) write(m *model, ids []int64, given Values) error {
	a, err := tx.accept(m, given, writing)
	if err != nil {
		return err
	}
	rows, err := tx.existing(m, ids)
	if err != nil {
		return err
	}
	if m.guard != nil {
		if err := m.guard(tx, rows, a.stored); err != nil {
			return err
		}
	}
	for _, f := range m.list {
		if value, ok := a.stored[f.name]; ok && f.required && empty(f, value) {
			return tx.mandatory(m, f)
		}
	}
	for _, r := range rows {
		if len(a.delegated) > 0 {
			target := tx.must(m.fields[m.delegate].relation)
			if err := tx.write(target, []int64{r.ref(m.delegate)}, a.delegated); err != nil {
				return err
			}
		}
		// Also without a difference: Odoo stamps every write (odoo18/478, 479).
		tx.store(m, r.id, a.stored)
		if err := tx.applyLists(m, r.id, a); err != nil {
			return err
		}
	}
	return tx.follow(m, ids, given, false)
}

// follow runs a model's rules after a change.
func (tx *transaction) follow(m *model, ids []int64, given Values, created bool) error {
	if m.changed != nil {
		if err := m.changed(tx, ids, given, created); err != nil {
			return err
		}
	}
	if len(tx.staleVariants) > 0 && m.name == "product.template" {
		if err := tx.settleVariants(); err != nil {
			return err
		}
	}
	tx.announce(m, ids, given, created)
	if m.check == nil {
		return nil
	}
	rows, err := tx.existing(m, ids)
	if err != nil {
		return err
	}
	return m.check(tx, rows)
}

// empty tells whether a required field would be NULL in the database. Numbers
// and booleans never are.
func empty(f *field, value any) bool {
	switch f.kind {
	case boolean, integer, float, monetary, one2many, many2many:
		return false
	case many2one:
		id, _ := value.(int64)
		return id == 0
	}
	return value == nil
}

// unlink deletes records, with what cascades and the external ids that name them.
func (tx *transaction) unlink(m *model, ids []int64) error {
	rows, err := tx.existing(m, ids)
	if err != nil {
		return err
	}
	if m.removing != nil {
		if err := m.removing(tx, rows); err != nil {
			return err
		}
	}
	for _, r := range rows {
		if tx.row(m, r.id) == nil {
			continue // deleted by a cascade meanwhile
		}
		if err := tx.detach(m, r.id); err != nil {
			return err
		}
		if tx.row(m, r.id) != nil {
			tx.drop(m, r.id)
		}
	}
	if m.removed != nil {
		return m.removed(tx, rows)
	}
	return nil
}

// detach deals with the records that point to one that is about to go.
func (tx *transaction) detach(m *model, id int64) error {
	for _, user := range tx.erp.ordered {
		for _, f := range user.list {
			if f.relation != m.name || !f.stored() {
				continue
			}
			for _, r := range tx.all(user) {
				if err := tx.detachFrom(user, f, r, id); err != nil {
					return err
				}
			}
		}
	}
	for _, r := range tx.all(tx.must("ir.model.data")) {
		if r.text("model") == m.name && r.get("res_id") == id {
			tx.drop(tx.must("ir.model.data"), r.id)
		}
	}
	return nil
}

func (tx *transaction) detachFrom(user *model, f *field, r *row, id int64) error {
	switch f.kind {
	case many2many:
		if refs := r.refs(f.name); slices.Contains(refs, id) {
			kept := slices.DeleteFunc(slices.Clone(refs), func(ref int64) bool { return ref == id })
			tx.update(user, r.id, Values{f.name: kept})
		}
	case many2one:
		switch {
		case r.ref(f.name) != id:
		case f.cascade:
			return tx.unlink(user, []int64{r.id})
		case f.required || f.restrict:
			return tx.stillUsed(user, f)
		default:
			tx.update(user, r.id, Values{f.name: int64(0)})
		}
	}
	return nil
}
