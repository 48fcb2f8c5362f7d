package sandbox

import (
	"fmt"
	"strconv"
	"strings"
)

// Fault is an error with Odoo's own class and words, as recorded.
type Fault struct {
	Name      string // odoo.exceptions.UserError, builtins.ValueError, …
	Message   string
	Arguments []any // the message alone by default
}

// Error returns the message.
func (f *Fault) Error() string { return f.Message }

func fault(name, format string, args ...any) *Fault {
	return &Fault{Name: name, Message: fmt.Sprintf(format, args...)}
}

func userError(format string, args ...any) error {
	return fault("odoo.exceptions.UserError", format, args...)
}

func valueError(format string, args ...any) error {
	return fault("builtins.ValueError", format, args...)
}

// notPossible is a constraint of the database (odoo18/023).
func notPossible(format string, args ...any) error {
	return fault("odoo.exceptions.ValidationError", "The operation cannot be completed: "+format, args...)
}

// missing is about a record that does not exist (odoo18/034).
func (tx *transaction) missing(m *model, id int64) error {
	return fault("odoo.exceptions.MissingError",
		"Record does not exist or has been deleted.\n(Record: %s(%d,), User: %d)", m.name, id, tx.uid)
}

// mandatory is about a required field without a value (odoo18/024, odoo19/096).
func (tx *transaction) mandatory(m *model, f *field) error {
	if tx.erp.latest() {
		return notPossible("Missing required value for the field '%s' (%s).\nModel: '%s' (%s)\n"+
			"- create/update: a mandatory field is not set\n"+
			"- delete: another model requires the record being deleted, you can archive it instead\n",
			f.label, f.name, m.label, m.name)
	}
	return fault("odoo.exceptions.ValidationError", "The operation cannot be completed:\n"+
		"- Create/update: a mandatory field is not set.\n"+
		"- Delete: another model requires the record being deleted. If possible, archive it instead.\n\n"+
		"Model: %s (%s)\nField: %s (%s)\n", m.label, m.name, f.label, f.name)
}

// stillUsed is about deleting a record that another needs (odoo18/047, odoo19/099).
func (tx *transaction) stillUsed(user *model, f *field) error {
	if tx.erp.latest() {
		return notPossible("Another model is using the record you are trying to delete.\n\n"+
			"The troublemaker is: '%s' (%s)\nThanks to the following constraint: '%s' (%s)\n"+
			"How about archiving the record instead?", user.label, user.name, f.label, f.name)
	}
	return notPossible("another model requires the record being deleted. If possible, archive it instead.\n\n"+
		"Model: %s (%s)\nConstraint: %s_%s_fkey\n", user.label, user.name, underscored(user.name), f.name)
}

func underscored(name string) string {
	out := []byte(name)
	for i := range out {
		if out[i] == '.' {
			out[i] = '_'
		}
	}
	return string(out)
}

// use says what an unknown field was named for: Odoo words it differently.
type use int

const (
	reading use = iota
	creating
	writing
	ordering
)

// unknownField is about a field that the model lacks (odoo18/018 to 022,
// odoo19/081 to 086, 250).
func (tx *transaction) unknownField(m *model, name string, u use) error {
	if !tx.erp.latest() || u == ordering {
		return valueError("Invalid field '%s' on model '%s'", name, m.name)
	}
	switch u {
	case creating:
		return valueError("Invalid field '%s' in '%s'", name, m.name)
	case writing:
		return &Fault{Name: "builtins.KeyError", Message: name}
	}
	return valueError("Invalid field '%s' on '%s'", name, m.name)
}

// unknownInDomain is about a condition on a field that the model lacks
// (odoo18/020, odoo19/083).
func (tx *transaction) unknownInDomain(m *model, path string, condition []any) error {
	word := "leaf"
	if tx.erp.latest() {
		word = "condition"
	}
	return valueError("Invalid field %s.%s in %s %s", m.name, path, word, python(condition))
}

// unknownMethod is about a method that the model lacks (odoo18/016, odoo19/172).
func (tx *transaction) unknownMethod(m *model, name string) error {
	if tx.erp.latest() {
		return fault("builtins.AttributeError", "The method '%s.%s' does not exist", m.name, name)
	}
	return fault("builtins.AttributeError", "The method '%s' does not exist on the model '%s'", name, m.name)
}

// private is about a method that begins with an underscore (odoo18/017, odoo19/173).
func (tx *transaction) private(m *model, name string) error {
	if tx.erp.latest() {
		return fault("odoo.exceptions.AccessError",
			"Private methods (such as '%s.%s') cannot be called remotely.", m.name, name)
	}
	return fault("odoo.exceptions.AccessError",
		"Private methods (such as %s) cannot be called remotely.", name)
}

// operations of access rights, and the verb Odoo uses for them.
var verbs = map[string]string{"read": "access", "write": "modify", "create": "create", "unlink": "delete"}

// allowed checks the rights taken by [ERP.Deny] (odoo18/039, 040).
func (tx *transaction) allowed(m *model, operation string) error {
	if !tx.erp.denied[m.name+" "+operation] {
		return nil
	}
	return fault("odoo.exceptions.AccessError",
		"You are not allowed to %s '%s' (%s) records.\n\n"+
			"This operation is allowed for the following groups:\n\t- Administration/Settings\n\n"+
			"Contact your administrator to request access if necessary.", verbs[operation], m.label, m.name)
}

func accessDenied() error { return fault("odoo.exceptions.AccessDenied", "Access Denied") }

// pythonList writes a list as Python would show it.
func pythonList(list []any) string {
	items := make([]string, len(list))
	for i, item := range list {
		items[i] = python(item)
		if inner, ok := item.([]any); ok {
			items[i] = pythonList(inner)
		}
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// python writes a value as Python would show it, for messages that quote one.
func python(value any) string {
	switch v := value.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return "'" + v + "'"
	case []any:
		out := "("
		for i, item := range v {
			if i > 0 {
				out += ", "
			}
			out += python(item)
		}
		return out + ")"
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return fmt.Sprint(value)
}
