package odoo

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// groupVersion is the first that has formatted_read_group, which replaces
// read_group (recordings odoo19/027, 028).
const groupVersion = 19

func groupOperation() connectors.Operation {
	return connectors.Operation{
		Name: "group", Title: "Group and sum", Effect: connectors.Read,
		Summary: "Groups the records that match a domain and sums or counts them in the database: stock by product, totals by state.",
		Params: connectors.Object(with(contextParams(),
			"domain", domainParam(),
			"by", connectors.Array(connectors.String()).Described("Fields to group by; dates as date_order:month"),
			"values", openObject("Names for what is computed: {total: amount_total:sum}; functions are sum, avg, min, max, count, count_distinct"),
			"limit", connectors.Integer().Described("At most so many groups"),
		), "model", "by"),
		Result: connectors.Object(map[string]*connectors.Schema{
			"groups": connectors.Array(connectors.Object(map[string]*connectors.Schema{
				"by":     openObject("The fields grouped by"),
				"values": openObject("What was computed, by its name"),
				"count":  connectors.Integer().Described("How many records"),
			}, "by", "count")),
		}, "groups"),
	}
}

// aggregate is a value to compute: its name in the flow and Odoo's spec of it.
type aggregate struct {
	name, spec string
	field      field
	function   string
}

func (c *Connection) group(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	domain, err := p.list("domain")
	if err != nil {
		return nil, err
	}
	encoded, err := c.encodeDomain(ctx, model, domain)
	if err != nil {
		return nil, err
	}
	keys, err := c.groupKeys(ctx, p, model)
	if err != nil {
		return nil, err
	}
	aggregates, err := c.aggregates(ctx, p, model)
	if err != nil {
		return nil, err
	}
	limit, err := p.number("limit")
	if err != nil {
		return nil, err
	}
	asked := limit
	if limit == 0 {
		limit = maxRecords + 1
	}
	version, err := c.serverVersion(ctx)
	if err != nil {
		return nil, err
	}
	specs := make([]string, len(aggregates))
	for i, a := range aggregates {
		specs[i] = a.spec
		if version.Major < groupVersion {
			// Its results are named by the field alone, unless they have a name.
			specs[i] = a.alias()
		}
	}
	by := make([]string, len(keys))
	for i, k := range keys {
		by[i] = k.spec
	}
	call := invocation{model: model}
	if version.Major >= groupVersion {
		call.method = "formatted_read_group"
		call.kwargs = map[string]any{"domain": encoded, "groupby": by, "aggregates": append(specs, "__count"), "limit": limit}
	} else {
		call.method = "read_group"
		call.kwargs = map[string]any{"domain": encoded, "groupby": by, "fields": specs, "limit": limit, "lazy": false}
	}
	if call.kwargs, err = c.kwargs(p, call.kwargs); err != nil {
		return nil, err
	}
	tree, err := c.answer(ctx, call)
	if err != nil {
		return nil, err
	}
	groups, err := readGroups(tree, keys, aggregates)
	if err != nil {
		return nil, unreadable(model, call.method, nil, err)
	}
	if asked == 0 && len(groups) > maxRecords {
		return nil, badParams("%s: more than %d groups; narrow the domain", model, maxRecords)
	}
	return map[string]any{"groups": groups}, nil
}

// groupKey is what is grouped by: its name in the flow and Odoo's spec of it.
type groupKey struct {
	name, spec string
	field      field
	part       bool // a month or the like of a date
}

func (c *Connection) groupKeys(ctx context.Context, p params, model string) ([]groupKey, error) {
	list, err := p.list("by")
	if err != nil {
		return nil, err
	}
	keys := make([]groupKey, 0, len(list))
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil, p.wrong("by", "names of fields")
		}
		name, part, parted := strings.Cut(text, ":")
		key := groupKey{name: text, part: parted}
		if key.spec, key.field, err = c.encodePath(ctx, model, name); err != nil {
			return nil, err
		}
		if parted {
			key.spec += ":" + part
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// read types a key. Part of a date is text, its name for people: 19 answers the
// beginning beside it, 18 the name alone.
func (k groupKey) read(value any) (any, error) {
	if !k.part {
		return k.field.read(value)
	}
	if pair, ok := value.([]any); ok && len(pair) == 2 {
		value = pair[1]
	}
	return field{Type: "char"}.read(value)
}

// alias is the spec in the form name:function(field), which read_group knows.
func (a aggregate) alias() string {
	return a.name + ":" + a.function + "(" + strings.TrimSuffix(a.spec, ":"+a.function) + ")"
}

var aggregateFunctions = []string{"sum", "avg", "min", "max", "count", "count_distinct"}

var aggregateName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

func (c *Connection) aggregates(ctx context.Context, p params, model string) ([]aggregate, error) {
	given, err := p.object("values")
	if err != nil {
		return nil, err
	}
	out := make([]aggregate, 0, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		text, _ := given[name].(string)
		path, function, ok := strings.Cut(text, ":")
		if !ok || !slices.Contains(aggregateFunctions, function) {
			return nil, badParams("odoo.group: values.%s wants field:function, such as amount_total:sum; functions are %s",
				name, strings.Join(aggregateFunctions, ", "))
		}
		if !aggregateName.MatchString(name) {
			return nil, badParams("odoo.group: %q is no name for a value; it has small letters, digits and _", name)
		}
		remote, f, err := c.encodePath(ctx, model, path)
		if err != nil {
			return nil, err
		}
		out = append(out, aggregate{name: name, spec: remote + ":" + function, field: f, function: function})
	}
	return out, nil
}

func readGroups(tree any, by []groupKey, aggregates []aggregate) ([]any, error) {
	list, err := listOf(tree)
	if err != nil {
		return nil, err
	}
	groups := make([]any, 0, len(list))
	for _, item := range list {
		raw, _ := item.(map[string]any)
		keys, values := map[string]any{}, map[string]any{}
		for _, k := range by {
			if keys[k.name], err = k.read(raw[k.spec]); err != nil {
				return nil, err
			}
		}
		for _, a := range aggregates {
			value, ok := raw[a.spec]
			if !ok {
				value = raw[a.name]
			}
			if values[a.name], err = a.read(value); err != nil {
				return nil, err
			}
		}
		count, err := wholeNumber(raw["__count"])
		if err != nil {
			return nil, err
		}
		groups = append(groups, map[string]any{"by": keys, "values": values, "count": count})
	}
	return groups, nil
}

func (a aggregate) read(value any) (any, error) {
	switch {
	case strings.HasPrefix(a.function, "count"):
		return wholeNumber(value)
	case a.function == "avg":
		return connectors.Decimal().Convert(value)
	}
	return a.field.read(value)
}
