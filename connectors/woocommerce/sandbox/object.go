package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// object is a JSON object that keeps the order of its members, as PHP does.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal writes JSON without escaping < > &, which PHP does not do either.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// marshalPHP writes JSON as PHP does: slashes and all but ASCII escaped. It is
// the raw text that webhooks sign.
func marshalPHP(v any) ([]byte, error) {
	data, err := marshal(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, r := range string(data) {
		switch {
		case r == '/':
			b.WriteString(`\/`)
		case r < 0x80:
			b.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.Bytes(), nil
}

func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// list never marshals to null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// only keeps the members that _fields asks for: names, and dotted paths into
// records but not into lists (woo/410).
func only(v any, fields []string) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = only(item, fields)
		}
		return out
	case object:
		out := object{}
		for _, m := range v {
			if slices.Contains(fields, m.name) {
				out = append(out, m)
				continue
			}
			var below []string
			for _, field := range fields {
				if rest, ok := strings.CutPrefix(field, m.name+"."); ok {
					below = append(below, rest)
				}
			}
			if nested, ok := m.value.(object); ok && below != nil {
				if kept := only(nested, below).(object); len(kept) > 0 {
					out = append(out, member{m.name, kept})
				}
			}
			if _, isList := m.value.([]any); isList && below != nil && isBatchKey(m.name) {
				out = append(out, member{m.name, []any{}}) // woo/167
			}
		}
		return out
	}
	return v
}

func isBatchKey(name string) bool { return name == "create" || name == "update" || name == "delete" }

// local and gmt write an instant as the API does, null for the zero time.
func (s *Shop) local(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.In(s.zone).Format(wireTime)
}

func gmt(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(wireTime)
}

const wireTime = "2006-01-02T15:04:05"

// links are the _links of a record at path, below the API's root.
func (c *call) links(path string, methods []string, more ...member) member {
	collection := path[:strings.LastIndexByte(path, '/')]
	self := object{{"href", c.root() + path}, {"targetHints", object{{"allow", methods}}}}
	return member{"_links", append(object{
		{"self", []any{self}},
		{"collection", []any{object{{"href", c.root() + collection}}}},
	}, more...)}
}

func link(name, href string) member { return member{name, []any{object{{"href", href}}}} }

var (
	allMethods    = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	readDelete    = []string{"GET", "DELETE"}
	editableFrom  = []string{"GET", "POST", "PUT", "PATCH"}
	listMethods   = []string{"GET", "POST"}
	batchMethods  = []string{"POST", "PUT", "PATCH"}
	singleMethods = []string{"GET"}
)
