package odoo

import (
	"context"
	"slices"
	"strings"
)

// encodeDomain turns a domain of a flow into Odoo's: names along dotted paths
// become the server's, values the form Odoo compares with.
//
// Besides Odoo's own prefix operators ("|", condition, condition) a domain may
// hold {or: [...]}, {and: [...]} and {not: [...]}, which can be read aloud and
// counted by nobody.
func (c *Connection) encodeDomain(ctx context.Context, model string, domain []any) ([]any, error) {
	out := make([]any, 0, len(domain))
	for _, item := range domain {
		switch term := item.(type) {
		case string:
			if term != "&" && term != "|" && term != "!" {
				return nil, badParams("the domain on %s: %q is no operator; it has &, | and !, and conditions [field, operator, value]", model, term)
			}
			out = append(out, term)
		case []any:
			condition, err := c.encodeCondition(ctx, model, term)
			if err != nil {
				return nil, err
			}
			out = append(out, condition)
		case map[string]any:
			words, err := c.encodeWords(ctx, model, term)
			if err != nil {
				return nil, err
			}
			out = append(out, words...)
		default:
			return nil, badParams("the domain on %s: %v is no condition [field, operator, value]", model, item)
		}
	}
	return out, nil
}

// encodeWords turns {or: [...]}, {and: [...]} or {not: [...]} into prefix form.
// Each part is a condition or words again; an empty or matches nothing, an
// empty and everything.
func (c *Connection) encodeWords(ctx context.Context, model string, term map[string]any) ([]any, error) {
	wrong := badParams("the domain on %s: a group is {or: [...]}, {and: [...]} or {not: [...]} with a list of conditions", model)
	if len(term) != 1 {
		return nil, wrong
	}
	for word, value := range term {
		parts, ok := value.([]any)
		if !ok || word != "or" && word != "and" && word != "not" {
			return nil, wrong
		}
		// One bare condition may stand without a list around it.
		if len(parts) == 3 && !isCondition(parts[0]) {
			parts = []any{parts}
		}
		join := map[string]string{"or": "|", "and": "&", "not": "&"}[word]
		joined, err := c.encodeParts(ctx, model, parts, join)
		if err != nil || word != "not" {
			return joined, err
		}
		return append([]any{"!"}, joined...), nil
	}
	return nil, wrong
}

func isCondition(value any) bool {
	switch value.(type) {
	case []any, map[string]any:
		return true
	}
	return value == "!" || value == "|" || value == "&"
}

func (c *Connection) encodeParts(ctx context.Context, model string, parts []any, join string) ([]any, error) {
	if len(parts) == 0 {
		always := int64(1)
		if join == "|" {
			always = 0
		}
		return []any{[]any{always, "=", int64(1)}}, nil
	}
	var out []any
	for range len(parts) - 1 {
		out = append(out, join)
	}
	for _, part := range parts {
		if _, isText := part.(string); isText {
			return nil, badParams("the domain on %s: inside a group there are conditions, not %v", model, part)
		}
		encoded, err := c.encodeDomain(ctx, model, []any{part})
		if err != nil {
			return nil, err
		}
		out = append(out, encoded...)
	}
	return out, nil
}

func (c *Connection) encodeCondition(ctx context.Context, model string, condition []any) (any, error) {
	if len(condition) != 3 {
		return nil, badParams("the domain on %s: a condition has three parts [field, operator, value], not %d", model, len(condition))
	}
	operator, ok := condition[1].(string)
	if !ok {
		return nil, badParams("the domain on %s: %v is no operator", model, condition[1])
	}
	// [1, "=", 1] and [0, "=", 1] stand for always and never.
	if _, number := toID(condition[0]); number {
		return condition, nil
	}
	path, ok := condition[0].(string)
	if !ok {
		return nil, badParams("the domain on %s: %v is no field", model, condition[0])
	}
	remote, f, err := c.encodePath(ctx, model, path)
	if err != nil {
		return nil, err
	}
	if operator == "any" || operator == "not any" {
		inner, ok := condition[2].([]any)
		if !ok || f.Relation == "" {
			return nil, badParams("the domain on %s: %q wants a domain on the records of %s", model, operator, path)
		}
		encoded, err := c.encodeDomain(ctx, f.Relation, inner)
		if err != nil {
			return nil, err
		}
		return []any{remote, operator, encoded}, nil
	}
	value, problem := compared(f, condition[2])
	if problem != "" {
		return nil, badParams("the domain on %s: the value for %s %s", model, path, problem)
	}
	return []any{remote, operator, value}, nil
}

// compared writes the value of a condition. A field can be compared with more
// than it holds (a many2one with a name, a number with false), so kinds are not
// enforced here.
func compared(f field, value any) (any, string) {
	switch v := value.(type) {
	case nil:
		return false, ""
	case map[string]any:
		if id, ok := toID(v["id"]); ok {
			return id, ""
		}
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			encoded, problem := compared(f, item)
			if problem != "" {
				return nil, problem
			}
			out[i] = encoded
		}
		return out, ""
	case string:
		// 18 takes T and Z in a domain, 19 answers an internal error for Z
		// (recordings odoo18/167, odoo19/475).
		if f.Type == "datetime" && strings.ContainsAny(v, "TZ") {
			return writeTime(v)
		}
	}
	return plain(value)
}

// encodePath translates a dotted path and gives the field at its end.
func (c *Connection) encodePath(ctx context.Context, model, path string) (string, field, error) {
	segments := strings.Split(path, ".")
	remote := make([]string, len(segments))
	var f field
	for i, name := range segments {
		fields, err := c.fields.of(ctx, model)
		if err != nil {
			return "", field{}, err
		}
		var ok bool
		if remote[i], f, ok, err = c.fields.lookup(ctx, fields, name); err != nil {
			return "", field{}, err
		}
		if !ok {
			return "", field{}, fields.unknown(name, c.knownVersion())
		}
		rest := segments[i+1:]
		if len(rest) > 0 && f.Relation == "" {
			// A date's part (date_order.year_number), a property's name.
			if slices.Contains([]string{"date", "datetime", "properties"}, f.Type) {
				return strings.Join(append(remote[:i+1], rest...), "."), f, nil
			}
			return "", field{}, badParams("%s.%s is no reference, so %q cannot be read through it", model, name, strings.Join(rest, "."))
		}
		model = f.Relation
	}
	return strings.Join(remote, "."), f, nil
}

// encodeOrder translates "date_order desc, id".
func (c *Connection) encodeOrder(ctx context.Context, model, order string) (string, error) {
	if strings.TrimSpace(order) == "" {
		return "", nil
	}
	fields, err := c.fields.of(ctx, model)
	if err != nil {
		return "", err
	}
	var out []string
	for term := range strings.SplitSeq(order, ",") {
		words := strings.Fields(term)
		if len(words) == 0 {
			return "", badParams("the order %q of %s has an empty part", order, model)
		}
		name, rest, dotted := strings.Cut(words[0], ".")
		remote, _, ok, err := c.fields.lookup(ctx, fields, name)
		switch {
		case err != nil:
			return "", err
		case !ok:
			return "", fields.unknown(name, c.knownVersion())
		}
		if dotted {
			remote += "." + rest
		}
		out = append(out, strings.Join(append([]string{remote}, words[1:]...), " "))
	}
	return strings.Join(out, ", "), nil
}
