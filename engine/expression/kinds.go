package expression

import (
	"maps"
	"slices"

	"github.com/flowctl/flowctl/connectors"
)

// kind is what a type is to operators and functions.
type kind uint

// The kinds. They are bits, so that a parameter can take several.
const (
	kindUnknown kind = 1 << iota
	kindNull
	kindText
	kindInteger
	kindDecimal
	kindBoolean
	kindInstant
	kindList
	kindRecord

	kindNumber = kindInteger | kindDecimal
)

var kindNames = map[kind]string{
	kindUnknown: "anything",
	kindNull:    "nil",
	kindText:    "text",
	kindInteger: "a whole number",
	kindDecimal: "a decimal",
	kindBoolean: "true or false",
	kindInstant: "an instant",
	kindList:    "a list",
	kindRecord:  "a record",
	kindNumber:  "a number",
}

// String names the kind with its article: "a list or text".
func (k kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	var names []string
	if k&kindNumber == kindNumber {
		names = append(names, kindNames[kindNumber])
		k &^= kindNumber
	}
	for bit := kindUnknown; bit <= kindRecord; bit <<= 1 {
		if k&bit != 0 {
			names = append(names, kindNames[bit])
		}
	}
	out := ""
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			out += " or "
		default:
			out += ", "
		}
		out += name
	}
	return out
}

// typeNull is the type of nil, typeNever that of the elements of an empty list.
// They are told by their address; to everyone else they are "anything".
var (
	typeAny   = connectors.Any()
	typeNull  = &connectors.Schema{Nullable: true}
	typeNever = &connectors.Schema{}
)

// Types of which there is no more to say; they are shared and never changed.
var (
	typeText    = connectors.String()
	typeDate    = &connectors.Schema{Type: "string", Format: "date"}
	typeInteger = connectors.Integer()
	typeDecimal = connectors.Decimal()
	typeBoolean = connectors.Boolean()
	typeInstant = connectors.DateTime()
	typeList    = connectors.Array(nil)
	typeTexts   = connectors.Array(typeText)
	typeRecord  = &connectors.Schema{Type: "object", Open: true}
)

// kindOf classifies a type.
func kindOf(s *connectors.Schema) kind {
	switch {
	case s == nil:
		return kindUnknown
	case s == typeNull:
		return kindNull
	case s.IsDecimal():
		return kindDecimal
	case s.IsTime():
		return kindInstant
	}
	switch s.Type {
	case "string":
		return kindText
	case "integer":
		return kindInteger
	case "boolean":
		return kindBoolean
	case "array":
		return kindList
	case "object":
		return kindRecord
	}
	return kindUnknown
}

// knowsFields tells whether a record type lists all fields that there are. A
// record of which no field is listed is one of which nothing is known.
func knowsFields(s *connectors.Schema) bool {
	return kindOf(s) == kindRecord && !s.Open && len(s.Properties) > 0
}

// orNull returns the type with nil allowed.
func orNull(s *connectors.Schema) *connectors.Schema {
	if s == nil || s == typeNever || s.Nullable || s.Type == "" {
		return s
	}
	return s.OrNull()
}

// notNull returns the type without nil.
func notNull(s *connectors.Schema) *connectors.Schema {
	if s == nil || s == typeNull || !s.Nullable {
		return s
	}
	c := *s
	c.Nullable = false
	return &c
}

// itemsOf returns the type of a list's elements, nil when unknown.
func itemsOf(s *connectors.Schema) *connectors.Schema {
	if kindOf(s) == kindList {
		return s.Items
	}
	return nil
}

// listOf returns a list type.
func listOf(items *connectors.Schema) *connectors.Schema { return connectors.Array(items) }

// union returns the narrowest type that we can name of values that are of one
// type or the other.
func union(a, b *connectors.Schema) *connectors.Schema {
	switch {
	case a == b || b == typeNever:
		return a
	case a == typeNever:
		return b
	case a == typeNull:
		return orNull(b)
	case b == typeNull:
		return orNull(a)
	}
	ka, kb := kindOf(a), kindOf(b)
	var out *connectors.Schema
	switch {
	case ka == kindUnknown || kb == kindUnknown:
		return typeAny
	case ka == kindRecord && kb == kindRecord:
		out = unionOfRecords(a, b)
	case ka == kindList && kb == kindList:
		out = listOf(union(a.Items, b.Items))
	case ka == kb:
		out = &connectors.Schema{Type: a.Type}
		if a.Format == b.Format {
			out.Format = a.Format
		}
		if ka == kindDecimal {
			out = typeDecimal
		}
	case ka&kindNumber != 0 && kb&kindNumber != 0:
		out = typeDecimal
	default:
		return typeAny
	}
	if a.Nullable || b.Nullable {
		out = orNull(out)
	}
	return out
}

// unionOfRecords has the fields of both; a field of only one may be nil.
func unionOfRecords(a, b *connectors.Schema) *connectors.Schema {
	out := &connectors.Schema{Type: "object", Open: !knowsFields(a) || !knowsFields(b)}
	out.Properties = make(map[string]*connectors.Schema, len(a.Properties)+len(b.Properties))
	for name, p := range a.Properties {
		if other, both := b.Properties[name]; both {
			out.Properties[name] = union(p, other)
		} else {
			out.Properties[name] = orNull(p)
		}
	}
	for name, p := range b.Properties {
		if _, both := a.Properties[name]; !both {
			out.Properties[name] = orNull(p)
		}
	}
	for _, name := range a.Required {
		if slices.Contains(b.Required, name) {
			out.Required = append(out.Required, name)
		}
	}
	return out
}

// mergedRecords is the type of a record with another laid over it.
func mergedRecords(a, b *connectors.Schema) *connectors.Schema {
	out := &connectors.Schema{Type: "object", Open: !knowsFields(a) || !knowsFields(b)}
	out.Properties = make(map[string]*connectors.Schema)
	for _, s := range []*connectors.Schema{a, b} {
		if kindOf(s) == kindRecord {
			maps.Copy(out.Properties, s.Properties)
		}
	}
	// Where the second may have anything, it may replace any field of the first.
	if !knowsFields(b) && !isEmptyRecord(b) {
		for name := range out.Properties {
			if _, known := propertyOf(b, name); !known {
				out.Properties[name] = typeAny
			}
		}
	}
	return out
}

func propertyOf(s *connectors.Schema, name string) (*connectors.Schema, bool) {
	if kindOf(s) != kindRecord {
		return nil, false
	}
	return s.Property(name)
}

// isEmptyRecord tells whether the type is that of the literal {}.
func isEmptyRecord(s *connectors.Schema) bool { return s == typeEmptyRecord }

// typeEmptyRecord is the type of the literal {}, told by its address.
var typeEmptyRecord = &connectors.Schema{Type: "object", Properties: map[string]*connectors.Schema{}}

// fits tells whether values of one type may stand where the other is wanted, as
// far as is known before they exist.
func fits(got, want *connectors.Schema) bool {
	g, w := kindOf(got), kindOf(want)
	switch {
	case g == kindUnknown || w == kindUnknown || g == kindNull:
		return true
	case w == kindDecimal:
		return g&kindNumber != 0
	}
	return g == w
}
