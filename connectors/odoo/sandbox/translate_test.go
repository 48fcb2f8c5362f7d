package sandbox

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// words leaves out what a message quotes of one server's own state.
func (p *replay) words(message string) string {
	if i := strings.Index(message, "\nLINE 1:"); i >= 0 {
		message = message[:i]
	}
	if i := strings.Index(message, "\n{'type'"); i >= 0 {
		message = message[:i]
	}
	return message
}

func (p *replay) ids(m *model, value any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = p.ids(m, item)
		}
		return out
	case json.Number:
		id, err := strconv.ParseInt(v.String(), 10, 64)
		if err == nil {
			return p.here(m.name, id)
		}
	}
	return value
}

// translate turns recorded ids in an argument into those here, and leaves
// fields out that the sandbox does not know.
func (p *replay) translate(m *model, argument string, value any) any {
	switch argument {
	case "domain":
		list, _ := value.([]any)
		out := make([]any, len(list))
		for i, item := range list {
			out[i] = item
			if c, ok := item.([]any); ok && len(c) == 3 {
				out[i] = []any{c[0], c[1], p.fieldValue(m, c[0], c[2])}
			}
		}
		return out
	case "fields", "adr_pref":
		list, _ := value.([]any)
		if argument == "adr_pref" {
			return value
		}
		var out []any
		for _, item := range list {
			name := item.(string)
			if _, ok := m.fields[name]; ok || p.invalid(name) {
				out = append(out, item)
			} else {
				p.left[m.name+"."+name] = true
			}
		}
		return out
	case "data":
		return p.cells(m, asList(value))
	case "context":
		return p.context(asObject(value))
	case "vals", "vals_list":
		return p.values(m, value)
	}
	return value
}

// cells translates ids in the rows of a load, where the first cell is one.
func (p *replay) cells(m *model, rows []any) []any {
	out := make([]any, len(rows))
	for i, item := range rows {
		row := slices.Clone(asList(item))
		if first, ok := row[0].(string); ok {
			if id, err := strconv.ParseInt(first, 10, 64); err == nil {
				row[0] = strconv.FormatInt(p.here(m.name, id), 10)
			}
		}
		out[i] = row
	}
	return out
}

// contextModels are the records that keys of a context name.
var contextModels = map[string]string{
	"button_validate_picking_ids": "stock.picking", "picking_ids_not_to_backorder": "stock.picking", "location": "stock.location",
}

func (p *replay) context(given map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range given {
		model := contextModels[name]
		if name == "active_ids" || name == "active_id" {
			model, _ = given["active_model"].(string)
		}
		if m := p.erp.models[model]; m != nil {
			value = p.ids(m, value)
		}
		out[name] = value
	}
	return out
}

// invalid tells names that are meant to be unknown.
func (p *replay) invalid(name string) bool {
	return strings.HasPrefix(name, "no_such") || name == "nope" || name == "quantity_done"
}

func (p *replay) values(m *model, value any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = p.values(m, item)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, item := range v {
			out[name] = p.fieldValue(m, name, item)
		}
		if about, _ := v["model"].(string); m.name == "ir.model.data" && p.erp.models[about] != nil {
			out["res_id"] = p.ids(p.erp.models[about], v["res_id"])
		}
		return out
	}
	return value
}

func (p *replay) fieldValue(m *model, name, value any) any {
	text, _ := name.(string)
	if text == "id" {
		return p.ids(m, value)
	}
	f, ok := m.fields[text]
	if !ok {
		return value
	}
	if f.kind == jsonField {
		return p.pinIDs(value)
	}
	if f.relation == "" {
		return value
	}
	target := p.erp.models[f.relation]
	list, ok := value.([]any)
	if !ok || f.kind == many2one {
		return p.ids(target, value)
	}
	out := make([]any, len(list))
	for i, item := range list {
		c, ok := item.([]any)
		if !ok || len(c) < 2 {
			out[i] = p.ids(target, item)
			continue
		}
		command := []any{c[0], p.ids(target, c[1])}
		if len(c) > 2 {
			third := c[2]
			if n, _ := asID(c[0]); n == commandSet {
				third = p.ids(target, c[2])
			} else {
				third = p.values(target, third)
			}
			command = append(command, third)
		}
		out[i] = command
	}
	return out
}

// pinIDs translates the ids of taxes and currency in extra_tax_data.
func (p *replay) pinIDs(value any) any {
	data := asObject(value)
	out := map[string]any{}
	for name, item := range data {
		out[name] = item
	}
	if id, ok := asID(data["currency_id"]); ok && data["currency_id"] != nil {
		out["currency_id"] = p.here("res.currency", id)
	}
	amounts := map[string]any{}
	for key, item := range asObject(data["manual_tax_amounts"]) {
		id, _ := strconv.ParseInt(key, 10, 64)
		amounts[strconv.FormatInt(p.here("account.tax", id), 10)] = item
	}
	if data["manual_tax_amounts"] != nil {
		out["manual_tax_amounts"] = amounts
	}
	return out
}
