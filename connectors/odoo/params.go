package odoo

import (
	"regexp"
	"strings"
	"sync"

	"github.com/flowctl/flowctl/connectors"
)

// params reads the parameters of one call. The validator has checked constants
// against the operation's schema; what expressions gave is checked here.
type params struct {
	operation string
	values    map[string]any
}

// described are the parameters of all operations.
var described = sync.OnceValue(func() map[string]*connectors.Schema {
	all := map[string]*connectors.Schema{}
	for _, op := range operations(nil) {
		all[op.Name] = op.Params
	}
	return all
})

// known refuses a parameter that the operation does not have.
func (p params) known() error {
	schema := described()[p.operation]
	for name := range p.values {
		if _, ok := schema.Property(name); !ok {
			return badParams("odoo.%s has no parameter %q; it takes %s", p.operation, name, strings.Join(schema.PropertyNames(), ", "))
		}
	}
	return nil
}

func (p params) wrong(name, wants string) error {
	return badParams("odoo.%s: %s wants %s", p.operation, name, wants)
}

func (p params) given(name string) bool { return p.values[name] != nil }

func (p params) text(name string) (string, error) {
	if !p.given(name) {
		return "", nil
	}
	s, ok := p.values[name].(string)
	if !ok {
		return "", p.wrong(name, "text")
	}
	return s, nil
}

func (p params) required(name string) (string, error) {
	s, err := p.text(name)
	if err == nil && s == "" {
		err = p.wrong(name, "a name")
	}
	return s, err
}

// modelName is what Odoo allows; it becomes a part of an address.
var modelName = regexp.MustCompile(`^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$`)

func (p params) model() (string, error) {
	name, err := p.required("model")
	if err == nil && !modelName.MatchString(name) {
		err = p.wrong("model", "the technical name of a model, such as sale.order")
	}
	return name, err
}

func (p params) object(name string) (map[string]any, error) {
	if !p.given(name) {
		return nil, nil
	}
	m, ok := p.values[name].(map[string]any)
	if !ok {
		return nil, p.wrong(name, "a record")
	}
	return m, nil
}

func (p params) list(name string) ([]any, error) {
	if !p.given(name) {
		return nil, nil
	}
	l, ok := p.values[name].([]any)
	if !ok {
		return nil, p.wrong(name, "a list")
	}
	return l, nil
}

// number reads a whole number that is not negative.
func (p params) number(name string) (int64, error) {
	if !p.given(name) {
		return 0, nil
	}
	n, ok := toID(p.values[name])
	if !ok || n < 0 {
		return 0, p.wrong(name, "a whole number")
	}
	return n, nil
}

func (p params) flag(name string) (bool, error) {
	if !p.given(name) {
		return false, nil
	}
	b, ok := p.values[name].(bool)
	if !ok {
		return false, p.wrong(name, "true or false")
	}
	return b, nil
}

// id reads one record's id. A missing one is an error before anything is sent.
func (p params) id() (int64, error) {
	id, ok := toReference(p.values["id"])
	n, whole := id.(int64)
	if !ok || !whole || n <= 0 {
		return 0, p.wrong("id", "the id of a record")
	}
	return n, nil
}

// ids reads id or ids. Neither, and an empty list, are errors: Odoo 19 answers
// true to a write on no records and does nothing (recording odoo19/014).
func (p params) ids() ([]int64, error) {
	if p.given("id") && p.given("ids") {
		return nil, badParams("odoo.%s: give id or ids, not both", p.operation)
	}
	if !p.given("ids") {
		id, err := p.id()
		if err != nil {
			return nil, badParams("odoo.%s: wants the id of a record, or a list of ids", p.operation)
		}
		return []int64{id}, nil
	}
	return p.idList("ids")
}

// idList reads a list of ids that must not be empty.
func (p params) idList(name string) ([]int64, error) {
	list, err := p.list(name)
	if err != nil {
		return nil, err
	}
	ids, ok := toIDs(list)
	if !ok {
		return nil, p.wrong(name, "ids of records")
	}
	if len(ids) == 0 {
		return nil, &connectors.Error{
			Class:   connectors.Permanent,
			Code:    connectors.CodeBadParams,
			Message: "odoo." + p.operation + ": " + name + " is empty, so there is nothing to work on",
			Advice:  "Put a when on the step that skips it for an empty list.",
		}
	}
	return ids, nil
}
