package editor

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// The least length of a type that is written once for all of its uses.
const minShared = 300

// shareTypes writes a type that stands in several operations once, among the
// definitions: an order's lines are the same whatever is done with the order.
func shareTypes(root object) {
	uses := map[string]int{}
	count := func(key string, _ object) bool { uses[key]++; return uses[key] == 1 }
	definitions := root["definitions"].(object)
	operations := definitions["operations"]
	eachLarge(operations, count)
	eachLarge(operations, func(key string, v object) bool {
		if uses[key] < 2 {
			return true
		}
		name := "type_" + key
		if _, there := definitions[name]; !there {
			definitions[name] = maps.Clone(v)
		}
		clear(v)
		v["$ref"] = "#/definitions/" + name
		return false
	})
}

// eachLarge visits the types within a value that are long enough to be shared, by
// a name made of their content; visit says whether to look into them.
func eachLarge(v any, visit func(key string, v object) bool) {
	switch v := v.(type) {
	case object:
		_, isType := v["type"]
		if text := compact(v); isType && len(text) >= minShared {
			sum := sha256.Sum256([]byte(text))
			if !visit(hex.EncodeToString(sum[:4]), v) {
				return
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			eachLarge(v[name], visit)
		}
	case []any:
		for _, item := range v {
			eachLarge(item, visit)
		}
	}
}

func compact(v any) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("editor: a schema that is no JSON: " + err.Error()) // made here of plain values
	}
	return strings.TrimSpace(out.String())
}

// lineLength is how long a value may be to stand on one line.
const lineLength = 140

// write writes the schema so that people can read its differences: what fits on a
// line stands on one.
func write(root object) ([]byte, error) {
	// Through JSON once, so that all lists and records are of one Go type.
	var plain any
	if err := json.Unmarshal([]byte(compact(root)), &plain); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	pretty(&out, plain, 0)
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func pretty(out *bytes.Buffer, v any, indent int) {
	text := compact(v)
	if len(text)+indent <= lineLength {
		out.WriteString(text)
		return
	}
	pad := strings.Repeat(" ", indent+1)
	switch v := v.(type) {
	case object:
		out.WriteString("{\n")
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				out.WriteString(",\n")
			}
			out.WriteString(pad + compact(name) + ": ")
			pretty(out, v[name], indent+1)
		}
		out.WriteString("\n" + pad[1:] + "}")
	case []any:
		out.WriteString("[\n")
		for i, item := range v {
			if i > 0 {
				out.WriteString(",\n")
			}
			out.WriteString(pad)
			pretty(out, item, indent+1)
		}
		out.WriteString("\n" + pad[1:] + "]")
	default:
		out.WriteString(text)
	}
}
