package flow

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/schemas"
)

// structureSchema compiles a schema of the schemas folder once.
var structureSchema = func() func(name string) *jsonschema.Schema {
	var mu sync.Mutex
	compiled := map[string]*jsonschema.Schema{}
	return func(name string) *jsonschema.Schema {
		mu.Lock()
		defer mu.Unlock()
		if s, ok := compiled[name]; ok {
			return s
		}
		data, err := schemas.Files.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("flow: %v", err))
		}
		compiler := jsonschema.NewCompiler()
		if err := compiler.AddResource(name, bytes.NewReader(data)); err != nil {
			panic(fmt.Sprintf("flow: %s: %v", name, err))
		}
		compiled[name] = compiler.MustCompile(name)
		return compiled[name]
	}
}()

// checkStructure validates the document against a schema and reports each
// failure at the node, or the key, that it is about.
func (d *document) checkStructure(schemaName string) {
	schema := structureSchema(schemaName)
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(plainNode(d.root)); errors.As(err, &invalid) {
		for _, leaf := range leaves(invalid) {
			d.reportViolation(schema, leaf)
		}
	}
}

// plainNode turns nodes into the values that the schema library reads.
func plainNode(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = plainNode(n.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, item := range n.Content {
			out[i] = plainNode(item)
		}
		return out
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return i
		}
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}

// leaves are the failures themselves, without those that only say that
// something within failed. Of several alternatives the one that came furthest
// is kept.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	if strings.HasSuffix(e.KeywordLocation, "/anyOf") || strings.HasSuffix(e.KeywordLocation, "/oneOf") {
		var deepest []*jsonschema.ValidationError
		depth := -1
		for _, cause := range e.Causes {
			found := leaves(cause)
			if d := strings.Count(found[0].InstanceLocation, "/"); d > depth {
				deepest, depth = found, d
			}
		}
		if depth > strings.Count(e.InstanceLocation, "/") {
			return deepest
		}
		return []*jsonschema.ValidationError{e}
	}
	var all []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

var quoted = regexp.MustCompile(`'([^']*)'`)

func (d *document) reportViolation(schema *jsonschema.Schema, e *jsonschema.ValidationError) {
	node, name := d.locate(e.InstanceLocation)
	keyword := e.KeywordLocation[strings.LastIndexByte(e.KeywordLocation, '/')+1:]
	if strings.Contains(e.KeywordLocation, "/propertyNames/") {
		// The location is that of the name's value.
		parent, _ := d.locate(e.InstanceLocation[:strings.LastIndexByte(e.InstanceLocation, '/')])
		if key := keyNode(parent, name); key != nil {
			d.reportNode(key, "wrong-value", patternHint(e.Message), "%q cannot be a name here", name)
			return
		}
	}
	switch keyword {
	case "additionalProperties":
		known := knownProperties(schema, e.AbsoluteKeywordLocation)
		for _, m := range quoted.FindAllStringSubmatch(e.Message, -1) {
			if key := keyNode(node, m[1]); key != nil {
				hint := didYouMean(m[1], known)
				if above := emptyAbove(node, key); above != "" {
					hint = "indent it, if it belongs to " + above
				}
				if hint == "" && len(known) > 0 {
					hint = "known here: " + strings.Join(known, ", ")
				}
				d.reportNode(key, "unknown-key", hint, "unknown key %q", m[1])
			}
		}
	case "required":
		for _, m := range quoted.FindAllStringSubmatch(e.Message, -1) {
			d.report(d.at(node), 1, "missing-key", "", "the key %q is missing here", m[1])
		}
	case "type":
		d.reportNode(node, "wrong-type", "", "%s: %s", name, typeMessage(e.Message))
	case "enum", "const":
		d.reportNode(node, "wrong-value", "", "%s: %s", name, strings.Replace(e.Message, "value must be", "must be", 1))
	case "pattern":
		d.reportNode(node, "wrong-value", patternHint(e.Message), "%s cannot be %q", name, text(node))
	case "minItems", "minLength":
		d.reportNode(node, "wrong-value", "", "%s must not be empty", name)
	case "minimum", "maximum":
		d.reportNode(node, "wrong-value", "", "%s: %s", name, rangeMessage.Replace(e.Message))
	default:
		d.reportNode(node, "wrong-value", "", "%s: %s", name, e.Message)
	}
}

var rangeMessage = strings.NewReplacer(">=", "at least", "<=", "at most", " but found", ", not")

// typeWords are the types of the schemas as people read them.
var typeWords = map[string]string{
	"object": "a record", "array": "a list", "string": "text", "integer": "a whole number", "number": "a number",
	"boolean": "true or false", "null": "nothing",
}

// typeMessage words "expected string or null, but got object".
func typeMessage(message string) string {
	want, got, ok := strings.Cut(strings.TrimPrefix(message, "expected "), ", but got ")
	if !ok {
		return message
	}
	words := strings.Split(want, " or ")
	for i, word := range words {
		if plain, known := typeWords[word]; known {
			words[i] = plain
		}
	}
	if plain, known := typeWords[got]; known {
		got = plain
	}
	return strings.Join(words, " or ") + " was expected, not " + got
}

// emptyAbove is the name of the key before one, if it stands there without a
// value: "" otherwise.
func emptyAbove(mapping, key *yaml.Node) string {
	for i := 2; i+1 < len(mapping.Content); i += 2 {
		if before := mapping.Content[i-1]; mapping.Content[i] == key && before.Tag == "!!null" && before.Value == "" {
			return mapping.Content[i-2].Value
		}
	}
	return ""
}

func patternHint(message string) string {
	if m := quoted.FindStringSubmatch(message); m != nil {
		switch {
		case strings.Contains(m[1], "ms|s|m|h"):
			return "a duration, like 500ms, 30s, 5m"
		case strings.Contains(m[1], "[a-z0-9_]*"):
			return "lower-case letters, digits and _"
		case strings.Contains(m[1], "[a-z0-9-]*"):
			return "lower-case letters, digits and -"
		}
	}
	return ""
}

// knownProperties lists the properties of the object schema whose
// additionalProperties keyword failed.
func knownProperties(root *jsonschema.Schema, absolute string) []string {
	pointer := absolute[strings.LastIndexByte(absolute, '#')+1:]
	pointer = strings.TrimSuffix(pointer, "/additionalProperties")
	var names []string
	visitSchemas(root, map[*jsonschema.Schema]bool{}, func(s *jsonschema.Schema) {
		if s.Location[strings.LastIndexByte(s.Location, '#')+1:] == pointer {
			for name := range s.Properties {
				names = append(names, name)
			}
		}
	})
	return sortedCopy(names)
}

func visitSchemas(s *jsonschema.Schema, seen map[*jsonschema.Schema]bool, visit func(*jsonschema.Schema)) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	visit(s)
	visitSchemas(s.Ref, seen, visit)
	for _, p := range s.Properties {
		visitSchemas(p, seen, visit)
	}
	for _, p := range s.AnyOf {
		visitSchemas(p, seen, visit)
	}
	for _, nested := range []any{s.Items, s.AdditionalProperties} {
		if p, ok := nested.(*jsonschema.Schema); ok {
			visitSchemas(p, seen, visit)
		}
	}
}

// locate follows a JSON pointer to its node, and names it for people by its
// last key.
func (d *document) locate(pointer string) (*yaml.Node, string) {
	node, name := d.root, "the file"
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch node.Kind {
		case yaml.MappingNode:
			child := get(node, part)
			if child == nil {
				return node, name
			}
			node, name = child, part
		case yaml.SequenceNode:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(node.Content) {
				return node, name
			}
			node = node.Content[i]
		}
	}
	return node, name
}
