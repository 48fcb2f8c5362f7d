package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
)

// Bounds on files: flow files are trusted less than code.
const (
	maxFileBytes = 1 << 20
	maxNodes     = 50_000 // after aliases are followed
	maxDepth     = 60
)

// document is one YAML file being read.
type document struct {
	src       *source
	root      *yaml.Node // the top mapping, nil when unreadable
	resources resources  // that it may refer to
	findings  *Diagnostics
}

func (d *document) report(at Position, length int, code, hint, format string, args ...any) {
	*d.findings = append(*d.findings, Diagnostic{
		Position: at, Length: length, Severity: SeverityError,
		Code: code, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

func (d *document) warn(at Position, length int, code, hint, format string, args ...any) {
	d.report(at, length, code, hint, format, args...)
	d.last().Severity = SeverityWarning
}

// warnNode warns of a node.
func (d *document) warnNode(n *yaml.Node, code, hint, format string, args ...any) {
	d.warn(d.at(n), nodeLength(n), code, hint, format, args...)
}

func (d *document) last() *Diagnostic { return &(*d.findings)[len(*d.findings)-1] }

func (d *document) at(n *yaml.Node) Position { return d.src.node(n) }

func nodeLength(n *yaml.Node) int {
	if n.Kind == yaml.ScalarNode && n.Style == 0 && !strings.Contains(n.Value, "\n") {
		return len(n.Value)
	}
	return 1
}

func (d *document) reportNode(n *yaml.Node, code, hint, format string, args ...any) {
	d.report(d.at(n), nodeLength(n), code, hint, format, args...)
}

// parseDocument reads a file's text into nodes. The root is nil when it is no
// YAML mapping, and then findings say so.
func parseDocument(file, text string, findings *Diagnostics) *document {
	d := &document{src: newSource(file, text), findings: findings}
	start := Position{File: file, Line: 1, Column: 1}
	if len(text) > maxFileBytes {
		d.report(start, 0, "file-too-large", "", "the file has %d bytes; at most %d are read", len(text), maxFileBytes)
		return d
	}
	var root yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		d.reportYAML(err)
		return d
	}
	if root.Kind == 0 || len(root.Content) == 0 {
		d.report(start, 0, "empty-file", "", "the file is empty")
		return d
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil && len(second.Content) > 0 && second.Content[0].Tag != "!!null" {
		at := d.at(second.Content[0])
		d.report(at, 1, "two-documents", "leave out the --- and what follows, or make a file of it", "a file holds one document; nothing would read this one")
	} else if err != nil && !errors.Is(err, io.EOF) {
		d.reportYAML(err)
		return d
	}
	top := root.Content[0]
	budget := maxNodes
	if !d.flatten(top, &budget, 0, map[*yaml.Node]bool{}) {
		return d
	}
	if top.Kind != yaml.MappingNode {
		d.reportNode(top, "not-a-mapping", "", "a mapping with keys like flow, trigger and steps was expected")
		return d
	}
	d.root = top
	return d
}

// flatten replaces aliases and merge keys by what they stand for, within bounds,
// and finds doubled keys.
func (d *document) flatten(n *yaml.Node, budget *int, depth int, within map[*yaml.Node]bool) bool {
	*budget--
	if *budget < 0 || depth > maxDepth {
		d.reportNode(n, "file-too-complex", "", "the file holds more than %d values or is nested deeper than %d", maxNodes, maxDepth)
		return false
	}
	if within[n] {
		d.reportNode(n, "alias-cycle", "", "an alias holds itself")
		return false
	}
	within[n] = true
	defer delete(within, n)
	for i, child := range n.Content {
		if child.Kind == yaml.AliasNode {
			n.Content[i] = child.Alias
			child = child.Alias
		}
		if !d.flatten(child, budget, depth+1, within) {
			return false
		}
	}
	if n.Kind == yaml.MappingNode {
		n.Content = d.merged(n)
	}
	return true
}

func (d *document) merged(n *yaml.Node) []*yaml.Node {
	seen := map[string]bool{}
	var own, inherited []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			sources := []*yaml.Node{value}
			if value.Kind == yaml.SequenceNode {
				sources = value.Content
			}
			for _, source := range sources {
				if source.Kind == yaml.MappingNode {
					inherited = append(inherited, source.Content...)
				} else {
					d.reportNode(source, "bad-merge", "", "<< takes a mapping or a list of mappings")
				}
			}
			continue
		}
		if seen[key.Value] {
			d.reportNode(key, "duplicate-key", "", "the key %q stands twice in this mapping", key.Value)
			continue
		}
		seen[key.Value] = true
		own = append(own, key, value)
	}
	for i := 0; i+1 < len(inherited); i += 2 {
		if key := inherited[i]; !seen[key.Value] {
			seen[key.Value] = true
			own = append(own, key, inherited[i+1])
		}
	}
	return own
}

// get finds a key's value in a mapping; nil when absent.
func get(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// keyNode finds a key itself in a mapping; nil when absent.
func keyNode(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i]
		}
	}
	return nil
}

func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// value reads a node as a template value, not compiled yet.
func (d *document) value(n *yaml.Node) *Value {
	if n == nil {
		return nil
	}
	v := &Value{At: d.at(n), node: n, doc: d, kind: n.Kind}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if strings.Contains(key.Value, "${") {
				d.reportNode(key, "computed-key", "use merge() in an expression", "a key cannot be computed")
			}
			v.fields = append(v.fields, Field{At: d.at(key), Name: key.Value, Value: d.value(n.Content[i+1])})
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			v.items = append(v.items, d.value(item))
		}
	case yaml.ScalarNode:
		v.constant = d.scalar(n)
	}
	return v
}

// scalar types a plain YAML scalar: no number passes through a float.
func (d *document) scalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			d.reportNode(n, "yaml", "", "%q is neither true nor false", n.Value)
		}
		return b
	case "!!int":
		var i int64
		if err := n.Decode(&i); err != nil {
			d.reportNode(n, "yaml", "", "%s is too large for a whole number", n.Value)
		}
		return i
	case "!!float":
		amount, err := connectors.ParseDecimal(strings.ReplaceAll(n.Value, "_", ""))
		if err != nil {
			d.reportNode(n, "yaml", "put it in quotes if it is text", "%s is no number", n.Value)
		}
		return amount
	}
	return n.Value
}

// expressionProblems reports problems of an expression that stands in a scalar.
func (d *document) expressionProblems(n *yaml.Node, problems []expression.Problem) {
	for _, p := range problems {
		hint := p.Hint
		if hint == "" && d.cutByComment(n) {
			hint = `YAML takes what follows " #" for a comment; put the value in quotes or after |-`
		}
		d.report(d.src.within(n, p.Offset), p.Length, p.Code, hint, "%s", p.Message)
	}
}

// cutByComment tells whether a plain scalar ends where a comment begins: it may
// have been meant to go on.
func (d *document) cutByComment(n *yaml.Node) bool {
	if n.Style != 0 {
		return false
	}
	rest := d.src.text[min(d.src.offset(n.Line, n.Column)+len(n.Value), len(d.src.text)):]
	line, _, _ := strings.Cut(rest, "\n")
	return strings.HasPrefix(strings.TrimLeft(line, " "), "#")
}

func (d *document) evalError(n *yaml.Node, err error) error {
	at := d.at(n)
	var failed *expression.Error
	if errors.As(err, &failed) {
		at = d.src.within(n, failed.Offset)
	}
	return &EvalError{At: at, Message: err.Error(), Err: err}
}

// hash identifies a node's text, whatever its place in the file.
func (d *document) hash(n *yaml.Node) string {
	encoded, err := yaml.Marshal(n)
	if err != nil {
		encoded = []byte(d.src.text)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:8])
}
