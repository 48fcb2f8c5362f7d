package sandbox

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// modelMethods are called on the model, without ids before their arguments.
var modelMethods = []string{
	"search", "search_read", "search_count", "create", "fields_get", "name_search",
	"default_get", "check_access_rights", "name_create", "load", "web_search_read", "read_group", "formatted_read_group",
	"toggle_noupdate", "check_object_reference", "context_get",
}

// commonMethods are what every model can do.
func commonMethods(m *model) map[string]method {
	methods := map[string]method{
		"search":       m.searchMethod,
		"search_read":  m.searchReadMethod,
		"search_count": m.searchCountMethod,
		"read":         m.readMethod,
		"create":       m.createMethod,
		"write":        m.writeMethod,
		"unlink":       m.unlinkMethod,
		"fields_get":   m.fieldsGetMethod,
		"name_search":  m.nameSearchMethod,
		"exists":       m.existsMethod,
		"has_access":   m.hasAccessMethod,

		"get_external_id": m.externalIDMethod,
	}
	return overlay(methods, furtherMethods(m))
}

func (m *model) searchMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	if err := tx.allowed(m, "read"); err != nil {
		return nil, err
	}
	domain, err := a.domain(0)
	if err != nil {
		return nil, err
	}
	return tx.search(m, domain, query{
		offset: a.number(1, "offset"), limit: a.number(2, "limit"), order: a.text(3, "order"),
	})
}

func (m *model) searchCountMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	if err := tx.allowed(m, "read"); err != nil {
		return nil, err
	}
	if len(a.list) > 2 {
		return nil, fault("builtins.TypeError",
			"BaseModel.search_count() takes from 2 to 3 positional arguments but %d were given", len(a.list)+1)
	}
	if given, ok := a.get(0, "domain"); ok && given == nil && tx.erp.latest() {
		return nil, notDomain(nil)
	}
	domain, err := a.domain(0)
	if err != nil {
		return nil, err
	}
	ids, err := tx.search(m, domain, query{limit: a.number(1, "limit")})
	return int64(len(ids)), err
}

func (m *model) searchReadMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	if err := tx.allowed(m, "read"); err != nil {
		return nil, err
	}
	domain, err := a.domain(0)
	if err != nil {
		return nil, err
	}
	rows, err := tx.find(m, domain, query{
		offset: a.number(2, "offset"), limit: a.number(3, "limit"), order: a.text(4, "order"),
	})
	if err != nil {
		return nil, err
	}
	return tx.show(m, rows, a.names(1, "fields"))
}

// readMethod leaves out ids that do not exist, and repeats those asked for
// twice (odoo18/032, 033, 159).
func (m *model) readMethod(tx *transaction, ids []int64, a arguments) (any, error) {
	if err := tx.allowed(m, "read"); err != nil {
		return nil, err
	}
	tx.settleOrders()
	if tx.noSuchWarehouse() && slices.ContainsFunc(a.names(0, "fields"), stocked) {
		return []any{}, nil
	}
	var rows []*row
	for _, id := range ids {
		if r := tx.row(m, id); r != nil {
			rows = append(rows, r)
		}
	}
	shown, err := tx.show(m, rows, a.names(0, "fields"))
	if load, given := a.get(1, "load"); given && (load == nil || load == "") {
		withoutNames(m, shown)
	}
	return shown, err
}

// withoutNames turns [id, name] into the id alone (odoo18/158).
func withoutNames(m *model, records []any) {
	for _, item := range records {
		for name, value := range item.(map[string]any) {
			if pair, ok := value.([]any); ok && m.fields[name].kind == many2one && len(pair) == 2 {
				item.(map[string]any)[name] = pair[0]
			}
		}
	}
}

// show gives rows as they go over the wire; no names mean every field.
func (tx *transaction) show(m *model, rows []*row, names []string) ([]any, error) {
	var fields []*field
	for _, name := range names {
		f, ok := m.fields[name]
		if !ok {
			return nil, tx.unknownField(m, name, reading)
		}
		fields = append(fields, f)
	}
	if len(names) == 0 {
		fields = m.list
	}
	out := make([]any, len(rows))
	for i, r := range rows {
		shown := map[string]any{"id": r.id}
		for _, f := range fields {
			shown[f.name] = tx.wire(m, f, r)
		}
		out[i] = shown
	}
	return out, nil
}

// createMethod answers a list with a list and one record with its id.
func (m *model) createMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	if err := tx.allowed(m, "create"); err != nil {
		return nil, err
	}
	value, _ := a.get(0, "vals_list")
	switch given := value.(type) {
	case map[string]any:
		return tx.create(m, given)
	case []any:
		ids := make([]int64, 0, len(given))
		for _, item := range given {
			values, ok := item.(map[string]any)
			if !ok {
				return nil, fault("builtins.AttributeError", "'%s' object has no attribute 'items'", pythonType(item))
			}
			id, err := tx.create(m, values)
			if err != nil {
				return nil, err
			}
			ids = append(ids, id)
		}
		return ids, nil
	}
	return nil, fault("builtins.TypeError", "missing a required argument: 'vals_list'")
}

func (m *model) writeMethod(tx *transaction, ids []int64, a arguments) (any, error) {
	if err := tx.allowed(m, "write"); err != nil {
		return nil, err
	}
	values, err := a.values(0, "vals")
	if err != nil {
		return nil, err
	}
	return true, tx.write(m, ids, values)
}

func (m *model) unlinkMethod(tx *transaction, ids []int64, _ arguments) (any, error) {
	if err := tx.allowed(m, "unlink"); err != nil {
		return nil, err
	}
	return true, tx.unlink(m, ids)
}

// existsMethod keeps the ids that exist (odoo18/037); it is private since 19.
func (m *model) existsMethod(tx *transaction, ids []int64, _ arguments) (any, error) {
	if tx.erp.latest() {
		return nil, tx.private(m, "exists")
	}
	kept := []int64{}
	for _, id := range ids {
		if tx.row(m, id) != nil {
			kept = append(kept, id)
		}
	}
	return kept, nil
}

// hasAccessMethod tells whether the user may do an operation (odoo18/182).
func (m *model) hasAccessMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	return tx.allowed(m, a.text(0, "operation")) == nil, nil
}

// externalIDMethod gives the external id of each record, "" where there is none
// (odoo19/576).
func (m *model) externalIDMethod(tx *transaction, ids []int64, _ arguments) (any, error) {
	out := map[string]any{}
	for _, id := range ids {
		out[strconv.FormatInt(id, 10)] = ""
	}
	for _, r := range tx.all(tx.must("ir.model.data")) {
		key := strconv.FormatInt(number64(r.get("res_id")), 10)
		if _, asked := out[key]; asked && r.text("model") == m.name {
			out[key] = strings.TrimPrefix(r.text("module")+"."+r.text("name"), ".")
		}
	}
	return out, nil
}

func (m *model) nameSearchMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	if err := tx.allowed(m, "read"); err != nil {
		return nil, err
	}
	domain, _ := a.get(1, "domain")
	if domain == nil {
		domain = a.named["args"]
	}
	conditions, _ := domain.([]any)
	name, operator := a.text(0, "name"), a.text(2, "operator")
	if operator == "" {
		operator = "ilike"
	}
	limit := a.number(3, "limit")
	if limit == 0 {
		limit = 100
	}
	rows, err := tx.find(m, conditions, query{})
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, r := range rows {
		if shown := tx.displayName(m, r); matchText(operator, shown, name) && int64(len(out)) < limit {
			out = append(out, []any{r.id, shown})
		}
	}
	return out, nil
}

// fieldsGetMethod describes fields, with those attributes that were asked for.
func (m *model) fieldsGetMethod(_ *transaction, _ []int64, a arguments) (any, error) {
	only := a.names(0, "allfields")
	attributes := a.names(1, "attributes")
	out := map[string]any{}
	for _, f := range m.list {
		if len(only) > 0 && !slices.Contains(only, f.name) {
			continue
		}
		described := map[string]any{
			"name": f.name, "type": string(f.kind), "string": f.label, "required": f.required,
			"readonly": f.readonly, "store": f.compute == nil,
		}
		if f.relation != "" {
			described["relation"] = f.relation
		}
		if f.kind == selection {
			pairs := make([]any, len(f.options))
			for i, choice := range f.options {
				pairs[i] = []any{choice[0], choice[1]}
			}
			described["selection"] = pairs
		}
		if len(attributes) > 0 {
			for name := range described {
				if !slices.Contains(attributes, name) {
					delete(described, name)
				}
			}
		}
		out[f.name] = described
	}
	return out, nil
}

// call performs one execute_kw.
func (tx *transaction) call(modelName, name string, list []any, named map[string]any) (any, error) {
	m, err := tx.model(modelName)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, "_") {
		return nil, tx.private(m, name)
	}
	if _, ok := m.methods[name]; !ok {
		return nil, tx.unknownMethod(m, name)
	}
	args := arguments{list: list, named: named}
	var ids []int64
	if !slices.Contains(modelMethods, name) {
		var ok bool
		if len(list) > 0 {
			if ids, ok = asIDs(list[0]); !ok && !isEmptyList(list[0]) {
				return nil, valueError("Invalid ids: %s", python(list[0]))
			}
			args.list = list[1:]
		} else if given, ok := named["ids"]; ok {
			ids, _ = asIDs(given)
		}
	}
	return tx.invoke(m, name, ids, args)
}

// invoke performs a method of a model that has it, in the context given.
func (tx *transaction) invoke(m *model, name string, ids []int64, args arguments) (any, error) {
	if given, ok := args.named["context"].(map[string]any); ok {
		tx.context = maps.Clone(given)
		if lang, ok := given["lang"].(string); ok && !tx.speaks(lang) {
			return nil, userError("Invalid language code: %s", lang)
		}
	}
	if tx.context == nil {
		tx.context = map[string]any{}
	}
	return m.methods[name](tx, ids, args)
}

func isEmptyList(value any) bool {
	list, ok := value.([]any)
	return ok && len(list) == 0 || value == false
}

// speaks tells whether a language is installed (odoo18/179).
func (tx *transaction) speaks(lang string) bool {
	for _, r := range tx.all(tx.must("res.lang")) {
		if r.text("code") == lang && r.flag("active") {
			return true
		}
	}
	return false
}
