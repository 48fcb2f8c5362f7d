package sandbox

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// kind is the type of a field, by Odoo's names.
type kind string

const (
	char      kind = "char"
	text      kind = "text"
	html      kind = "html"
	boolean   kind = "boolean"
	integer   kind = "integer"
	float     kind = "float"
	monetary  kind = "monetary"
	date      kind = "date"
	datetime  kind = "datetime"
	selection kind = "selection"
	many2one  kind = "many2one"
	one2many  kind = "one2many"
	many2many kind = "many2many"
	jsonField kind = "json"
	binary    kind = "binary"
)

func (k kind) many() bool { return k == one2many || k == many2many }

// field is a field of a model.
type field struct {
	name     string
	label    string
	kind     kind
	relation string // of many2one and x2many
	inverse  string // of one2many: the many2one that points back
	options  [][2]string
	required bool
	readonly bool
	// cascade deletes this record with the one it points to, restrict forbids
	// that deletion, as a required reference does; another is emptied.
	cascade, restrict bool
	// inactive: lists of records show archived ones as well.
	inactive bool
	// digits names the decimal.precision that values are rounded to.
	digits string
	// places are decimal places fixed in the program; -1 for none.
	places int32
	// fallback is the value of a new record that was given none.
	fallback func(*transaction) any
	// otherwise is what an empty value reads as.
	otherwise func(*transaction) any
	// compute gives the value on reading; nothing is stored.
	compute func(*transaction, *row) any
	// only leaves out some records of a one2many.
	only func(*row) bool
	// delegated: the value belongs to the record this one delegates to.
	delegated bool
	// settled says that the field is stored but set by the model's rules alone.
	settled bool
	// shown gives the value as it goes over the wire, where that differs.
	shown func(*transaction, *row) any
}

// stored tells whether the row holds the value.
func (f *field) stored() bool { return f.compute == nil && f.kind != one2many }

// option changes a field while it is declared.
type option func(*field)

func declare(name string, k kind, label string, options ...option) *field {
	f := &field{name: name, kind: k, label: label, places: -1}
	for _, o := range options {
		o(f)
	}
	return f
}

func to(model string) option { return func(f *field) { f.relation = model } }

func by(inverse string) option { return func(f *field) { f.inverse = inverse } }

func required(f *field) { f.required = true }

func readonly(f *field) { f.readonly = true }

func cascade(f *field) { f.cascade = true }

func restrict(f *field) { f.restrict = true }

func withInactive(f *field) { f.inactive = true }

// settled marks a stored field that only the model's rules set: a given value
// is ignored, as Odoo ignores one for sale.order currency_id.
func settled(f *field) { f.settled, f.readonly = true, true }

func digits(precision string) option { return func(f *field) { f.digits = precision } }

func places(n int32) option { return func(f *field) { f.places = n } }

func initial(value any) option {
	return func(f *field) { f.fallback = func(*transaction) any { return value } }
}

func initially(value func(*transaction) any) option {
	return func(f *field) { f.fallback = value }
}

func otherwise(value func(*transaction) any) option {
	return func(f *field) { f.otherwise = value }
}

func computed(value func(*transaction, *row) any) option {
	return func(f *field) { f.compute, f.readonly = value, true }
}

func shownAs(value func(*transaction, *row) any) option {
	return func(f *field) { f.shown = value }
}

// only shows the records of a one2many that pass a test.
func only(test func(*row) bool) option { return func(f *field) { f.only = test } }

// choices are the values of a selection and their labels.
func choices(pairs ...string) option {
	return func(f *field) {
		for i := 0; i+1 < len(pairs); i += 2 {
			f.options = append(f.options, [2]string{pairs[i], pairs[i+1]})
		}
	}
}

// method is a public method of a model.
type method func(tx *transaction, ids []int64, args arguments) (any, error)

// model is a model and its rules. Rules are called within the transaction of
// the call that caused them.
type model struct {
	name  string
	label string
	order string // default order of a search
	// list is the fields as declared; fields by name.
	list   []*field
	fields map[string]*field
	// parent is the reference that makes a tree (child_of).
	parent string
	// delegate is the reference to the record whose fields this model also has
	// (a product variant has those of its template).
	delegate string

	// display is the record's name for people; the field name by default.
	display func(*transaction, *row) string
	// replace may do something else in place of making a record, and gives the
	// record that it found.
	replace func(tx *transaction, given Values) (id int64, replaced bool, err error)
	// prepare completes the values of a new record before it is stored; given is
	// what the call asked for.
	prepare func(tx *transaction, given, values Values) error
	// guard refuses a change before it is made; it may change the values.
	guard func(tx *transaction, rows []*row, values Values) error
	// changed follows up on a change: values are those that were given.
	changed func(tx *transaction, ids []int64, values Values, created bool) error
	// check refuses records as they now are.
	check func(tx *transaction, rows []*row) error
	// removing refuses or follows up on a deletion before it is made.
	removing func(tx *transaction, rows []*row) error
	// removed follows up on a deletion.
	removed func(tx *transaction, rows []*row) error
	methods map[string]method
}

// complete adds the fields and methods that every model has.
func (m *model) complete() {
	common := []*field{
		declare("id", integer, "ID", readonly, computed(func(_ *transaction, r *row) any { return r.id })),
		declare("display_name", char, "Display Name", computed(func(tx *transaction, r *row) any {
			return tx.displayName(m, r)
		})),
		declare("create_uid", many2one, "Created by", to("res.users"), settled),
		declare("create_date", datetime, "Created on", settled),
		declare("write_uid", many2one, "Last Updated by", to("res.users"), settled),
		declare("write_date", datetime, "Last Updated on", settled),
	}
	for _, f := range common {
		// Some models declare one of these themselves, to name it otherwise.
		if !slices.ContainsFunc(m.list, func(own *field) bool { return own.name == f.name }) {
			m.list = append(m.list, f)
		}
	}
	m.fields = make(map[string]*field, len(m.list))
	for _, f := range m.list {
		if _, twice := m.fields[f.name]; twice {
			panic(fmt.Sprintf("sandbox: %s.%s is declared twice", m.name, f.name))
		}
		m.fields[f.name] = f
	}
	if m.order == "" {
		m.order = "id"
	}
	m.methods = overlay(commonMethods(m), m.methods)
}

func overlay(base, over map[string]method) map[string]method {
	for name, f := range over {
		base[name] = f
	}
	return base
}

// checkModels finds references to models that do not exist.
func (e *ERP) checkModels() {
	for _, m := range e.models {
		for _, f := range m.list {
			if f.relation != "" && e.models[f.relation] == nil {
				panic(fmt.Sprintf("sandbox: %s.%s points to %s, which is not there", m.name, f.name, f.relation))
			}
		}
	}
}

// zero is what a field holds when it holds nothing.
func (f *field) zero() any {
	switch f.kind {
	case boolean:
		return false
	case integer, many2one:
		return int64(0)
	case float, monetary:
		return decimal.Zero
	case one2many, many2many:
		return []int64(nil)
	}
	return nil
}
