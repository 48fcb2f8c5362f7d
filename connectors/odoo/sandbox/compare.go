package sandbox

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// onValue compares a plain field.
func (tx *transaction) onValue(m *model, f *field, operator string, value any) (test, error) {
	if strings.HasSuffix(operator, "like") {
		pattern := toText(value)
		positive := strings.TrimPrefix(operator, "not ")
		return func(r *row) bool {
			s, ok := tx.value(m, f, r).(string)
			if !ok {
				// Nothing is not like anything, but anything is like "".
				return (pattern == "") == (positive == operator)
			}
			return matchText(positive, s, pattern) == (positive == operator)
		}, nil
	}
	if operator == "=?" {
		if value == nil || value == false {
			return func(*row) bool { return true }, nil
		}
		operator = "="
	}
	if operator == "=" || operator == "!=" || operator == "in" || operator == "not in" {
		wanted := make([]any, 0, 1)
		for _, item := range asList(value) {
			typed, err := tx.comparable(m, f, operator, item)
			if err != nil {
				return nil, err
			}
			wanted = append(wanted, typed)
		}
		negative := operator == "!=" || operator == "not in"
		return func(r *row) bool {
			actual := tx.seen(tx.value(m, f, r))
			found := slices.ContainsFunc(wanted, func(w any) bool { return equal(f, actual, w) })
			return found != negative
		}, nil
	}
	wanted, err := tx.comparable(m, f, operator, value)
	if err != nil {
		return nil, err
	}
	return func(r *row) bool {
		c, ok := compare(tx.seen(tx.value(m, f, r)), wanted)
		return ok && ordered(operator, c)
	}, nil
}

// seen is a stored value as a comparison sees it: 19 compares whole seconds, 18
// microseconds (odoo18/162 to 165, odoo19/470 to 473).
func (tx *transaction) seen(value any) any {
	if t, ok := value.(time.Time); ok && tx.erp.latest() {
		return t.Truncate(time.Second)
	}
	return value
}

// comparable types the value of a condition.
func (tx *transaction) comparable(m *model, f *field, operator string, value any) (any, error) {
	if value == nil || value == false {
		if f.kind == boolean {
			return false, nil
		}
		return nil, nil
	}
	switch f.kind {
	case datetime:
		return tx.comparableTime(operator, value)
	case float, monetary:
		return toDecimal(value)
	case integer:
		return tx.toInteger(value)
	case boolean:
		return value != false, nil
	case selection, char, text, html, date:
		return toText(value), nil
	}
	return value, nil
}

func (tx *transaction) comparableTime(operator string, value any) (any, error) {
	s, ok := value.(string)
	if !ok {
		return toTime(value, timeLayout, "")
	}
	if tx.erp.latest() && strings.HasSuffix(s, "Z") {
		return nil, valueError("expecting only datetimes with no timezone: %s", python(s))
	}
	if len(s) == len(time.DateOnly) {
		if operator == ">" || operator == "<=" {
			s += " 23:59:59"
		} else {
			s += " 00:00:00"
		}
	}
	s = strings.TrimSuffix(strings.Replace(s, "T", " ", 1), "Z")
	t, err := time.Parse("2006-01-02 15:04:05.999999", s)
	if err != nil {
		return nil, valueError("Invalid isoformat string: %s", python(value))
	}
	return tx.seen(t), nil
}

// equal compares a value with one wanted. Nothing is nil; for numbers 0 stands
// for it, and for texts "" is the same.
func equal(f *field, actual, wanted any) bool {
	switch f.kind {
	case float, monetary, integer:
		if wanted == nil {
			wanted = f.zero()
		}
	case char, text, html:
		if wanted == nil || wanted == "" {
			return actual == nil || actual == ""
		}
	}
	return same(actual, wanted)
}

func compare(a, b any) (int, bool) {
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y), true
		}
	case decimal.Decimal:
		if y, ok := b.(decimal.Decimal); ok {
			return x.Cmp(y), true
		}
	case string:
		if y, ok := b.(string); ok {
			return cmp.Compare(x, y), true
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), true
		}
	case bool:
		if y, ok := b.(bool); ok && x == y {
			return 0, true
		} else if ok && y {
			return -1, true
		} else if ok {
			return 1, true
		}
	}
	return 0, false
}

func ordered(operator string, c int) bool {
	switch operator {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// matchText is SQL's LIKE: like and ilike search anywhere, =like and =ilike
// match the whole; % and _ are wildcards.
func matchText(operator, s, pattern string) bool {
	if strings.HasSuffix(operator, "ilike") {
		s, pattern = strings.ToLower(s), strings.ToLower(pattern)
	}
	switch operator {
	case "=", "in":
		return s == pattern
	case "like", "ilike":
		pattern = "%" + pattern + "%"
	}
	return wildcard([]rune(s), []rune(pattern))
}

func wildcard(s, pattern []rune) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for i < len(s) {
		switch {
		case j < len(pattern) && pattern[j] == '%':
			star, mark = j, i
			j++
		case j < len(pattern) && (pattern[j] == '_' || pattern[j] == s[i]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(pattern) && pattern[j] == '%' {
		j++
	}
	return j == len(pattern)
}
