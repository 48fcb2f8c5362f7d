package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// furtherMethods are what every model can do besides reading and writing.
func furtherMethods(m *model) map[string]method {
	return map[string]method{
		"check_access_rights":  m.checkRightsMethod,
		"default_get":          m.defaultGetMethod,
		"web_search_read":      m.webSearchReadMethod,
		"read_group":           m.readGroupMethod,
		"formatted_read_group": m.formattedGroupMethod,
		"load":                 m.loadMethod,
		"action_archive":       m.archiveMethod(false),
		"action_unarchive":     m.archiveMethod(true),
		"message_subscribe": func(*transaction, []int64, arguments) (any, error) {
			return true, nil // odoo18/062; nobody follows anything here
		},
	}
}

// checkRightsMethod tells whether the user may do an operation (odoo18/181).
func (m *model) checkRightsMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	err := tx.allowed(m, a.text(0, "operation"))
	if raise, given := a.get(1, "raise_exception"); err != nil && (!given || raise == true) {
		return nil, err
	}
	return err == nil, nil
}

// defaultGetMethod gives the defaults of fields, those that have one (odoo19/025).
func (m *model) defaultGetMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	out := map[string]any{}
	for _, name := range a.names(0, "fields") {
		f, ok := m.fields[name]
		if !ok || f.fallback == nil || f.kind == many2one {
			continue
		}
		out[name] = tx.wire(m, f, &row{values: Values{name: f.fallback(tx)}})
	}
	return out, nil
}

func (m *model) archiveMethod(active bool) method {
	return func(tx *transaction, ids []int64, _ arguments) (any, error) {
		return nil, tx.write(m, ids, Values{"active": active})
	}
}

// webSearchReadMethod reads by a specification, references as deep as it asks
// (odoo18/180, odoo19/031).
func (m *model) webSearchReadMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	if err := tx.allowed(m, "read"); err != nil {
		return nil, err
	}
	domain, err := a.domain(0)
	if err != nil {
		return nil, err
	}
	specification, _ := a.get(1, "specification")
	all, err := tx.find(m, domain, query{})
	if err != nil {
		return nil, err
	}
	rows, err := tx.find(m, domain, query{offset: a.number(2, "offset"), limit: a.number(3, "limit"), order: a.text(4, "order")})
	if err != nil {
		return nil, err
	}
	records, err := tx.specified(m, rows, asObject(specification))
	return map[string]any{"length": len(all), "records": records}, err
}

func (tx *transaction) specified(m *model, rows []*row, specification map[string]any) ([]any, error) {
	out := make([]any, 0, len(rows))
	for _, r := range rows {
		shown := map[string]any{"id": r.id}
		for name, item := range specification {
			f, ok := m.fields[name]
			if !ok {
				return nil, tx.unknownField(m, name, reading)
			}
			inner, deeper := asObject(item)["fields"].(map[string]any)
			switch {
			case f.kind.many() && deeper:
				rows, err := tx.existing(tx.must(f.relation), tx.references(m, f, r))
				if err != nil {
					return nil, err
				}
				if shown[name], err = tx.specified(tx.must(f.relation), rows, inner); err != nil {
					return nil, err
				}
			case f.kind == many2one:
				id, _ := tx.value(m, f, r).(int64)
				shown[name] = false
				if target := tx.record(f.relation, id); target != nil {
					records, err := tx.specified(tx.must(f.relation), []*row{target}, inner)
					if err != nil {
						return nil, err
					}
					shown[name] = records[0]
				}
			default:
				shown[name] = tx.wire(m, f, r)
			}
		}
		out = append(out, shown)
	}
	return out, nil
}

// grouped is a group of rows with the same values.
type grouped struct {
	keys map[string]any // as shown
	rows []*row
}

// groupRows groups by plain fields, in the order in which the values sort.
func (m *model) groupRows(tx *transaction, a arguments, by []string) ([]grouped, error) {
	if err := tx.allowed(m, "read"); err != nil {
		return nil, err
	}
	domain, err := a.domain(0)
	if err != nil {
		return nil, err
	}
	rows, err := tx.find(m, domain, query{order: "id"})
	if err != nil {
		return nil, err
	}
	var keys []sortKey
	for _, name := range by {
		f, ok := m.fields[name]
		if !ok {
			return nil, tx.unknownField(m, name, ordering)
		}
		keys = append(keys, sortKey{field: f})
	}
	tx.sort(m, rows, keys)
	var groups []grouped
	last := ""
	for _, r := range rows {
		shown := map[string]any{}
		for _, name := range by {
			shown[name] = tx.wire(m, m.fields[name], r)
		}
		if key := fmt.Sprint(shown); len(groups) == 0 || key != last {
			groups, last = append(groups, grouped{keys: shown}), key
		}
		groups[len(groups)-1].rows = append(groups[len(groups)-1].rows, r)
	}
	if limit, _ := a.named["limit"]; limit != nil {
		if n, _ := asID(limit); n > 0 {
			groups = groups[:min(int(n), len(groups))]
		}
	}
	return groups, nil
}

// aggregate computes field:function over rows.
func (m *model) aggregate(tx *transaction, spec string, rows []*row) (any, error) {
	name, function, _ := strings.Cut(spec, ":")
	f, ok := m.fields[name]
	if !ok {
		return nil, tx.unknownField(m, name, ordering)
	}
	sum, best := decimal.Zero, any(nil)
	seen := map[string]bool{}
	for _, r := range rows {
		value := tx.value(m, f, r)
		switch v := value.(type) {
		case decimal.Decimal:
			sum = sum.Add(v)
		case int64:
			sum = sum.Add(decimal.NewFromInt(v))
		}
		seen[fmt.Sprint(value)] = true
		if c, ok := compare(value, best); best == nil || ok && (function == "min" && c < 0 || function == "max" && c > 0) {
			best = value
		}
	}
	switch function {
	case "count":
		return int64(len(rows)), nil
	case "count_distinct":
		return int64(len(seen)), nil
	case "min", "max":
		return tx.wire(m, f, &row{values: Values{name: best}}), nil
	case "avg":
		return number(sum.DivRound(decimal.NewFromInt(int64(len(rows))), 6)), nil
	}
	if f.kind == integer {
		return sum.IntPart(), nil
	}
	return number(sum), nil
}

func groupDomain(keys map[string]any) []any {
	domain := []any{}
	for name, value := range keys {
		if pair, ok := value.([]any); ok {
			value = pair[0]
		}
		domain = append(domain, []any{name, "=", value})
	}
	return domain
}

// formattedGroupMethod is how 19 groups (odoo19/027).
func (m *model) formattedGroupMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	if !tx.erp.latest() {
		return nil, tx.unknownMethod(m, "formatted_read_group")
	}
	groups, err := m.groupRows(tx, a, a.names(1, "groupby"))
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, g := range groups {
		shown := map[string]any{"__extra_domain": groupDomain(g.keys)}
		for name, value := range g.keys {
			shown[name] = value
		}
		for _, spec := range a.names(2, "aggregates") {
			if spec == "__count" {
				shown[spec] = len(g.rows)
			} else if shown[spec], err = m.aggregate(tx, spec, g.rows); err != nil {
				return nil, err
			}
		}
		out = append(out, shown)
	}
	return out, nil
}

// readGroupMethod is how Odoo grouped before (odoo18/177, odoo19/028).
func (m *model) readGroupMethod(tx *transaction, _ []int64, a arguments) (any, error) {
	by := a.names(2, "groupby")
	lazy := a.named["lazy"] != false
	if lazy && len(by) > 1 {
		by = by[:1]
	}
	groups, err := m.groupRows(tx, a, by)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, g := range groups {
		shown := map[string]any{"__domain": groupDomain(g.keys)}
		for name, value := range g.keys {
			shown[name] = value
		}
		for _, spec := range a.names(1, "fields") {
			name, function, ok := strings.Cut(spec, ":")
			if inner, path, aliased := strings.Cut(strings.TrimSuffix(function, ")"), "("); aliased {
				// name:function(field) names the result.
				spec, ok = path+":"+inner, true
			}
			if slices.Contains(by, name) || !ok && !m.fields[name].kind.summable() {
				continue
			}
			if function == "" {
				spec = name + ":sum"
			}
			if shown[name], err = m.aggregate(tx, spec, g.rows); err != nil {
				return nil, err
			}
		}
		if lazy && len(by) > 0 {
			shown[by[0]+"_count"] = len(g.rows)
		} else {
			shown["__count"] = len(g.rows)
		}
		out = append(out, shown)
	}
	return out, nil
}

func (k kind) summable() bool { return k == float || k == monetary || k == integer }
