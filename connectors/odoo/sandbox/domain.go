package sandbox

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// test decides whether a record matches.
type test func(*row) bool

// errShort is about an operator that lacks an operand.
var errShort = errors.New("the domain ends too early")

// compile turns a domain in prefix notation into a test.
func (tx *transaction) compile(m *model, domain []any) (test, error) {
	rest := domain
	var all []test
	for len(rest) > 0 {
		t, left, err := tx.term(m, rest)
		if errors.Is(err, errShort) {
			return nil, valueError("Domain() malformed domain %s", pythonList(domain))
		}
		if err != nil {
			return nil, err
		}
		all, rest = append(all, t), left
	}
	return func(r *row) bool {
		for _, t := range all {
			if !t(r) {
				return false
			}
		}
		return true
	}, nil
}

// term reads one term and gives what is left.
func (tx *transaction) term(m *model, domain []any) (test, []any, error) {
	if len(domain) == 0 {
		return nil, nil, errShort
	}
	head, rest := domain[0], domain[1:]
	switch head {
	case "!":
		inner, rest, err := tx.term(m, rest)
		if err != nil {
			return nil, nil, err
		}
		return func(r *row) bool { return !inner(r) }, rest, nil
	case "&", "|":
		left, rest, err := tx.term(m, rest)
		if err != nil {
			return nil, nil, err
		}
		right, rest, err := tx.term(m, rest)
		if err != nil {
			return nil, nil, err
		}
		if head == "&" {
			return func(r *row) bool { return left(r) && right(r) }, rest, nil
		}
		return func(r *row) bool { return left(r) || right(r) }, rest, nil
	}
	condition, ok := head.([]any)
	if !ok || len(condition) != 3 {
		shown := python(head)
		if ok {
			shown = pythonList(condition)
		}
		return nil, nil, valueError("Domain() invalid item in domain: %s", shown)
	}
	t, err := tx.condition(m, condition)
	return t, rest, err
}

func (tx *transaction) condition(m *model, condition []any) (test, error) {
	operator, _ := condition[1].(string)
	if a, ok := asID(condition[0]); ok {
		b, _ := asID(condition[2])
		return func(*row) bool { return a == b }, nil
	}
	path, _ := condition[0].(string)
	name, rest, dotted := strings.Cut(path, ".")
	f, ok := m.fields[name]
	if !ok {
		return nil, tx.unknownInDomain(m, path, condition)
	}
	operator = strings.ToLower(operator)
	if operator == "<>" {
		operator = "!="
	}
	if !slices.Contains(operators, operator) {
		if tx.erp.latest() {
			return nil, valueError("Invalid operator in condition %s", python(condition))
		}
		return nil, valueError("Invalid leaf %s", pythonList(condition))
	}
	value := condition[2]
	switch {
	case dotted && f.relation != "":
		inner, err := tx.condition(tx.must(f.relation), []any{rest, operator, value})
		if err != nil {
			return nil, err
		}
		return tx.related(m, f, inner), nil
	case operator == "any" || operator == "not any":
		domain, ok := value.([]any)
		if !ok || f.relation == "" {
			return nil, valueError("Invalid condition %s", python(condition))
		}
		inner, err := tx.compile(tx.must(f.relation), domain)
		if err != nil {
			return nil, err
		}
		match := tx.related(m, f, inner)
		return func(r *row) bool { return match(r) == (operator == "any") }, nil
	case operator == "child_of" || operator == "parent_of":
		return tx.inTree(m, f, operator, value)
	case f.kind == many2one || f.kind.many():
		return tx.onReferences(m, f, operator, value)
	}
	return tx.onValue(m, f, operator, value)
}

var operators = []string{
	"=", "!=", ">", ">=", "<", "<=", "in", "not in", "=?", "any", "not any",
	"like", "not like", "ilike", "not ilike", "=like", "=ilike", "child_of", "parent_of",
}

// related tests the records that a field points to: one is enough.
func (tx *transaction) related(m *model, f *field, inner test) test {
	target := tx.must(f.relation)
	return func(r *row) bool {
		for _, id := range tx.references(m, f, r) {
			if other := tx.row(target, id); other != nil && inner(other) {
				return true
			}
		}
		return false
	}
}

// references lists the ids a relational field holds, archived ones too.
func (tx *transaction) references(m *model, f *field, r *row) []int64 {
	if f.kind == many2one {
		id, _ := tx.value(m, f, r).(int64)
		if id == 0 {
			return nil
		}
		return []int64{id}
	}
	if f.kind == one2many && f.compute == nil {
		return tx.children(tx.must(f.relation), f, r.id)
	}
	if f.compute == nil {
		return r.refs(f.name)
	}
	ids, _ := tx.value(m, f, r).([]int64)
	return ids
}

// onReferences compares a relational field with ids, names or nothing.
func (tx *transaction) onReferences(m *model, f *field, operator string, value any) (test, error) {
	target := tx.must(f.relation)
	negative := operator == "!=" || strings.HasPrefix(operator, "not ")
	if name, ok := value.(string); ok {
		positive := strings.TrimPrefix(strings.Replace(operator, "!=", "=", 1), "not ")
		named := func(r *row) bool { return matchText(positive, tx.displayName(target, r), name) }
		match := tx.related(m, f, named)
		return func(r *row) bool { return match(r) != negative }, nil
	}
	if operator == "=?" {
		if value == nil || value == false {
			return func(*row) bool { return true }, nil
		}
		operator = "="
	}
	if !slices.Contains([]string{"=", "!=", "in", "not in"}, operator) {
		wanted, ok := asID(value)
		if !ok {
			return nil, valueError("Invalid condition on %s.%s", m.name, f.name)
		}
		return func(r *row) bool {
			id, _ := tx.value(m, f, r).(int64)
			return id != 0 && ordered(operator, cmp.Compare(id, wanted))
		}, nil
	}
	var wanted []int64
	nothing := false
	for _, item := range asList(value) {
		id, ok := asID(item)
		switch {
		case !ok:
			return nil, valueError("Invalid value %s for %s.%s", python(item), m.name, f.name)
		case id == 0:
			nothing = true
		default:
			wanted = append(wanted, id)
		}
	}
	return func(r *row) bool {
		ids := tx.references(m, f, r)
		match := nothing && len(ids) == 0
		for _, id := range ids {
			match = match || slices.Contains(wanted, id)
		}
		return match != negative
	}, nil
}

func asList(value any) []any {
	switch v := value.(type) {
	case []any:
		return v
	case []int64:
		out := make([]any, len(v))
		for i, id := range v {
			out[i] = id
		}
		return out
	}
	return []any{value}
}

// inTree tests whether a record is below (child_of) or above (parent_of) others.
func (tx *transaction) inTree(m *model, f *field, operator string, value any) (test, error) {
	target := m
	if f.relation != "" {
		target = tx.must(f.relation)
	}
	roots, ok := asIDs(value)
	if !ok && value != false {
		return nil, valueError("Invalid value %s for %s.%s", python(value), m.name, f.name)
	}
	above := func(id int64) []int64 {
		chain := []int64{id}
		for target.parent != "" {
			r := tx.row(target, chain[len(chain)-1])
			if r == nil || r.ref(target.parent) == 0 || len(chain) > 100 {
				break
			}
			chain = append(chain, r.ref(target.parent))
		}
		return chain
	}
	var over []int64
	for _, id := range roots {
		over = append(over, above(id)...)
	}
	match := func(id int64) bool {
		if operator == "parent_of" {
			return slices.Contains(over, id)
		}
		return slices.ContainsFunc(above(id), func(a int64) bool { return slices.Contains(roots, a) })
	}
	return func(r *row) bool {
		// Asked of the reference that makes the tree, it is about the record.
		if f.relation == "" || f.name == m.parent {
			return match(r.id)
		}
		return slices.ContainsFunc(tx.references(m, f, r), match)
	}, nil
}
