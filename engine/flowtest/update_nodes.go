package flowtest

import (
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/engine/value"
)

// child finds a key's value in a mapping; nil when absent.
func child(n *yaml.Node, key string) *yaml.Node {
	if i := keyIndex(n, key); i >= 0 {
		return n.Content[i+1]
	}
	return nil
}

// keyIndex is where a key stands in a mapping; -1 when absent.
func keyIndex(n *yaml.Node, key string) int {
	if n == nil || n.Kind != yaml.MappingNode {
		return -1
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// setChild sets a key's value in a mapping, at the end when it is new.
func setChild(n *yaml.Node, key string, v *yaml.Node) {
	if i := keyIndex(n, key); i >= 0 {
		n.Content[i+1] = v
		return
	}
	n.Content = append(n.Content, scalarNode(key), v)
}

func removeChild(n *yaml.Node, key string) {
	if i := keyIndex(n, key); i >= 0 {
		n.Content = append(n.Content[:i], n.Content[i+2:]...)
	}
}

func textOf(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}

func scalarNode(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}

// nodeOf writes a value as YAML. Amounts are text within values, so that no digit
// is lost.
func nodeOf(v any) *yaml.Node {
	n := &yaml.Node{}
	if err := n.Encode(value.Plain(v)); err != nil {
		return scalarNode(show(v))
	}
	return n
}

// keyNode writes a link's key: a number where it is one, as ids are written.
func keyNode(key string) *yaml.Node {
	if i, err := strconv.ParseInt(key, 10, 64); err == nil {
		return nodeOf(i)
	}
	return scalarNode(key)
}

// dropTail forgets the comments that follow a block: they stay in the text
// around it.
func dropTail(key, v *yaml.Node) {
	key.FootComment = ""
	for v != nil {
		v.FootComment = ""
		n := len(v.Content)
		if n == 0 {
			return
		}
		if v.Kind == yaml.MappingNode {
			v.Content[n-2].FootComment = ""
		}
		v = v.Content[n-1]
	}
}

// likeness gives a new node the comments of the one it replaces.
func likeness(old, fresh *yaml.Node) *yaml.Node {
	fresh.HeadComment, fresh.LineComment, fresh.FootComment = old.HeadComment, old.LineComment, old.FootComment
	return fresh
}
