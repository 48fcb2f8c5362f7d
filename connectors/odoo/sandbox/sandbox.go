// Package sandbox is a simulated Odoo, version 18 or 19: an http.Handler that
// speaks JSON-RPC as the real one does and keeps its records in memory.
//
// It knows the models that an incoming order touches, with Odoo's own rules for
// defaults, prices, taxes, states and errors. A model or field it does not know
// is answered as Odoo answers an unknown one, never made up. Tests and the
// demo run against it; its rules are checked against recordings of real
// servers (odoo18/…, odoo19/…).
package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"
)

// Options say what kind of Odoo to simulate. The zero value is Odoo 18 with a
// company in US dollars and everything as a fresh installation has it.
type Options struct {
	// Version is 18 (the default) or 19.
	Version int
	// ProductPriceDigits is decimal.precision "Product Price"; 0 means 2.
	ProductPriceDigits int
	// RoundingMethod is the company's tax_calculation_rounding_method:
	// round_per_line (the default of 18) or round_globally (of 19).
	RoundingMethod string
	// Currency is the company's: an ISO code, "USD" by default.
	Currency string
	// Database, Login and APIKey are what a client must give: "sandbox",
	// "admin" and "sandbox-api-key" by default. The key works as a password too.
	Database string
	Login    string
	APIKey   string
	// MoreDatabases says that the server has others as well, so that a request must
	// name the one it is for.
	MoreDatabases bool
	// Now is the clock; nil means the machine's.
	Now func() time.Time
}

// ERP is a simulated Odoo. It is safe for concurrent use: calls are worked one
// after the other, each whole or not at all.
type ERP struct {
	options Options
	models  map[string]*model
	ordered []*model // as declared
	counts  counters
	server  server

	mu     sync.Mutex
	tables map[string]*table
	// sequences number documents (S00001); as in Odoo, a number taken by a call
	// that failed is lost.
	sequences map[string]int64
	denied    map[string]bool // "model operation"
}

var _ http.Handler = (*ERP)(nil)

// New returns a simulated Odoo with the records of a fresh installation. Options
// that make no sense are a mistake in the program: it panics.
func New(options Options) *ERP {
	options = withDefaults(options)
	erp := &ERP{
		options:   options,
		models:    map[string]*model{},
		tables:    map[string]*table{},
		sequences: map[string]int64{},
		denied:    map[string]bool{},
	}
	for _, m := range erp.declareModels() {
		m.complete()
		erp.models[m.name] = m
		erp.ordered = append(erp.ordered, m)
		erp.tables[m.name] = &table{rows: map[int64]*row{}, next: 1}
	}
	erp.checkModels()
	if err := erp.within(erp.seed); err != nil {
		panic(fmt.Sprintf("sandbox: its own records do not fit: %v", err))
	}
	return erp
}

func withDefaults(o Options) Options {
	text := func(value *string, fallback string) {
		if *value == "" {
			*value = fallback
		}
	}
	if o.Version == 0 {
		o.Version = 18
	}
	if o.Version != 18 && o.Version != 19 {
		panic(fmt.Sprintf("sandbox: there is no simulated Odoo %d, only 18 and 19", o.Version))
	}
	if o.ProductPriceDigits == 0 {
		o.ProductPriceDigits = 2
	}
	method := "round_per_line"
	if o.Version >= 19 {
		method = "round_globally"
	}
	text(&o.RoundingMethod, method)
	if !slices.Contains([]string{"round_per_line", "round_globally"}, o.RoundingMethod) {
		panic(fmt.Sprintf("sandbox: %q is no rounding method", o.RoundingMethod))
	}
	text(&o.Currency, "USD")
	text(&o.Database, "sandbox")
	text(&o.Login, "admin")
	text(&o.APIKey, "sandbox-api-key")
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Options returns the options in force, defaults filled in.
func (e *ERP) Options() Options { return e.options }

func (e *ERP) latest() bool { return e.options.Version >= 19 }

// Values are a record's values by field, in Go types: bool, int and int64,
// decimal.Decimal, string, time.Time, nil, []int64 for lists of records, []any
// for their commands.
type Values = map[string]any

// Create makes a record and returns its id. Errors are of type *Fault, with the
// words of Odoo.
func (e *ERP) Create(modelName string, values Values) (int64, error) {
	var id int64
	err := e.within(func(tx *transaction) error {
		m, err := tx.model(modelName)
		if err != nil {
			return err
		}
		id, err = tx.create(m, values)
		return err
	})
	return id, err
}

// Write changes records.
func (e *ERP) Write(modelName string, ids []int64, values Values) error {
	return e.within(func(tx *transaction) error {
		m, err := tx.model(modelName)
		if err != nil {
			return err
		}
		return tx.write(m, ids, values)
	})
}

// Unlink deletes records.
func (e *ERP) Unlink(modelName string, ids []int64) error {
	return e.within(func(tx *transaction) error {
		m, err := tx.model(modelName)
		if err != nil {
			return err
		}
		return tx.unlink(m, ids)
	})
}

// Search finds the ids of the records that match a domain, in the model's own
// order, archived ones too.
func (e *ERP) Search(modelName string, domain []any) ([]int64, error) {
	var ids []int64
	err := e.within(func(tx *transaction) error {
		m, err := tx.model(modelName)
		if err != nil {
			return err
		}
		tx.context["active_test"] = false
		ids, err = tx.search(m, domain, query{})
		return err
	})
	return ids, err
}

// Read reads one record. Values have the types of [Values], references to one
// record are an int64, 0 for none.
func (e *ERP) Read(modelName string, id int64, fields ...string) (Values, error) {
	out := Values{}
	err := e.within(func(tx *transaction) error {
		m, err := tx.model(modelName)
		if err != nil {
			return err
		}
		r := tx.row(m, id)
		if r == nil {
			return tx.missing(m, id)
		}
		for _, name := range fields {
			f, ok := m.fields[name]
			if !ok {
				return tx.unknownField(m, name, reading)
			}
			out[name] = tx.value(m, f, r)
		}
		return nil
	})
	return out, err
}

// Call calls a method of a model as a client would, with the types of [Values].
func (e *ERP) Call(modelName, method string, ids []int64, context map[string]any) (any, error) {
	var result any
	err := e.within(func(tx *transaction) error {
		m, err := tx.model(modelName)
		if err != nil {
			return err
		}
		for key, value := range context {
			tx.context[key] = value
		}
		perform, ok := m.methods[method]
		if !ok {
			return tx.unknownMethod(m, method)
		}
		result, err = perform(tx, ids, arguments{})
		return err
	})
	return result, err
}

// Deny takes a right from the client's user: operation is read, write, create
// or unlink on a model. Calls that need it get Odoo's AccessError.
func (e *ERP) Deny(modelName, operation string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.denied[modelName+" "+operation] = true
}

// Amount reads a decimal written in a test or a seed; it panics on a typing
// mistake.
func Amount(text string) decimal.Decimal { return decimal.RequireFromString(text) }
