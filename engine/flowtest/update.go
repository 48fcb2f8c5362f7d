package flowtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// Update writes what happened as what is expected: into the source of a test
// file, in the place of the expect of each case that failed or expects nothing.
// Comments, and what holds already, stay as they are; records keep to the fields
// that were compared. A case that asks for an answer that no mock gives is left
// alone: no expectation mends it.
func Update(source string, results []Result) (string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(source), &root); err != nil {
		return "", err
	}
	cases := child(root.Content[0], "cases")
	if cases == nil || cases.Kind != yaml.SequenceNode {
		return "", fmt.Errorf("there are no cases")
	}
	lines := strings.SplitAfter(source, "\n")
	// From the last to the first, so that the lines before keep their numbers.
	for i := len(cases.Content) - 1; i >= 0; i-- {
		node := cases.Content[i]
		at := slices.IndexFunc(results, func(r Result) bool { return r.Case.At.Line == node.Line && needsUpdate(r) })
		if at < 0 {
			continue
		}
		u := &updater{result: results[at], lines: lines}
		if node.Style&yaml.FlowStyle != 0 {
			return "", fmt.Errorf("%s: a case that is written in braces cannot be updated", u.result.Case.At)
		}
		var err error
		if lines, err = u.replace(node); err != nil {
			return "", fmt.Errorf("%s: %w", u.result.Case.At, err)
		}
	}
	return strings.Join(lines, ""), nil
}

// updater writes what one case came to into the lines of its file.
type updater struct {
	result Result
	lines  []string
}

// needsUpdate tells whether a new expectation would mend the case.
func needsUpdate(r Result) bool {
	unanswered := slices.ContainsFunc(r.Calls, func(c Call) bool { return connectors.HasCode(c.Err, codeNoMock) })
	return r.Outcome.State != "" && !unanswered && (r.Case.Expect == nil || !r.Passed())
}

// replace puts new lines in place of a case's expect, or adds them at its end.
func (u *updater) replace(node *yaml.Node) ([]string, error) {
	lines := u.lines
	indent := node.Column - 1
	expect := child(node, "expect")
	mapping := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	from, to := 0, 0
	if expect != nil {
		from = node.Content[keyIndex(node, "expect")].Line - 1
		to = endOfBlock(lines, from, indent)
		if expect.Kind == yaml.MappingNode {
			mapping = expect
		}
		mapping.HeadComment = ""
		dropTail(node.Content[keyIndex(node, "expect")], mapping)
	} else {
		from = endOfBlock(lines, node.Line-1, indent-1)
		to = from
	}
	u.amend(mapping)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	whole := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{scalarNode("expect"), mapping}}
	if err := enc.Encode(whole); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	var block []string
	for line := range strings.Lines(out.String()) {
		if strings.TrimSpace(line) != "" {
			line = strings.Repeat(" ", indent) + line
		}
		block = append(block, line)
	}
	if from > 0 && !strings.HasSuffix(lines[from-1], "\n") {
		lines[from-1] += "\n"
	}
	return append(append(append([]string{}, lines[:from]...), block...), lines[to:]...), nil
}

// endOfBlock is the line after the last one of the block that begins at a line:
// blank lines and comments at its end stay where they are.
func endOfBlock(lines []string, from, indent int) int {
	end := from + 1
	for i := from + 1; i < len(lines); i++ {
		text := strings.TrimLeft(lines[i], " ")
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if len(lines[i])-len(text) <= indent {
			break
		}
		end = i + 1
	}
	return end
}

// amend brings an expectation in line with what happened.
func (u *updater) amend(n *yaml.Node) {
	fresh := len(n.Content) == 0
	got := u.result.Outcome
	if outcome := child(n, "outcome"); fresh || outcome != nil && u.failedAt(outcome) || outcome == nil && (got.State == "failed" || got.State == "retrying") {
		fresh := scalarNode(got.State)
		if outcome != nil {
			fresh = likeness(outcome, fresh)
		}
		setChild(n, "outcome", fresh)
	}
	u.amendText(n, "code", got.Code, fresh)
	u.amendText(n, "reason", got.Reason, fresh)
	u.amendText(n, "advice", got.Advice, false)
	u.amendText(n, "key", got.Key, false)
	if calls := child(n, "calls"); fresh || calls != nil {
		setChild(n, "calls", u.amendCalls(calls, n))
	}
	if links := child(n, "links"); links != nil {
		u.amendLinks(links)
	}
	if steps := child(n, "steps"); steps != nil {
		values := map[string]any{}
		for _, s := range u.result.steps {
			values[s.path] = value.Plain(s.value)
		}
		setChild(n, "steps", u.amendValue(steps, values))
	}
	if result := child(n, "result"); result != nil {
		setChild(n, "result", u.amendValue(result, value.Plain(got.Result)))
	} else if fresh && got.Result != nil {
		setChild(n, "result", nodeOf(value.Plain(got.Result)))
	}
}

// amendText sets a text where it differs, or in a new expectation.
func (u *updater) amendText(n *yaml.Node, key, got string, fresh bool) {
	old := child(n, key)
	switch {
	case old == nil && fresh && got != "":
		setChild(n, key, scalarNode(got))
	case old != nil && u.failedAt(old) && got == "":
		removeChild(n, key)
	case old != nil && u.failedAt(old):
		setChild(n, key, likeness(old, scalarNode(got)))
	}
}

// amendCalls keeps the calls that were made as expected, with the fields that
// they compare, and adds those that are new.
func (u *updater) amendCalls(old, expect *yaml.Node) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	var before []*yaml.Node
	if old != nil {
		list.HeadComment, list.LineComment, list.FootComment = old.HeadComment, old.LineComment, old.FootComment
		before = old.Content
	}
	named := map[string]bool{}
	for _, n := range before {
		named[textOf(child(n, "call"))] = true
	}
	reads := textOf(child(expect, "reads")) == "true"
	for _, c := range u.result.Calls {
		if !c.Writes && !named[c.Name] && !reads {
			continue
		}
		at := slices.IndexFunc(before, func(n *yaml.Node) bool { return textOf(child(n, "call")) == c.Name })
		if at < 0 {
			list.Content = append(list.Content, nodeOf(map[string]any{"call": c.Name, "with": value.Plain(c.Params)}))
			continue
		}
		kept := before[at]
		before = before[at+1:]
		if with := child(kept, "with"); with != nil {
			setChild(kept, "with", u.amendValue(with, value.Plain(c.Params)))
		}
		list.Content = append(list.Content, kept)
	}
	if len(list.Content) == 0 {
		list.Style = yaml.FlowStyle
	}
	return list
}

// amendLinks gives links that are not there the other side that their record has,
// and drops those of records that have none.
func (u *updater) amendLinks(list *yaml.Node) {
	list.Content = slices.DeleteFunc(list.Content, func(n *yaml.Node) bool {
		if !u.failedAt(n) {
			return false
		}
		for _, row := range u.result.links {
			if row.Table != textOf(child(n, "table")) || row.State != store.Linked {
				continue
			}
			local, remote := child(n, "local"), child(n, "remote")
			switch {
			case remote != nil && textOf(remote) == row.Remote && local != nil:
				setChild(n, "local", likeness(local, keyNode(row.Local)))
				return false
			case local != nil && textOf(local) == row.Local && remote != nil:
				setChild(n, "remote", likeness(remote, keyNode(row.Remote)))
				return false
			}
		}
		return true
	})
}

// amendValue brings a value in line with what was got. Records keep to the
// fields that they have; what is right already, also by an expression, stays.
func (u *updater) amendValue(n *yaml.Node, got any) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		record, ok := got.(map[string]any)
		if !ok {
			break
		}
		for i := len(n.Content) - 2; i >= 0; i -= 2 {
			item, there := record[n.Content[i].Value]
			if there {
				n.Content[i+1] = u.amendValue(n.Content[i+1], item)
			} else if u.failedAt(n.Content[i+1]) {
				n.Content = slices.Delete(n.Content, i, i+2)
			}
		}
		return n
	case yaml.SequenceNode:
		list, ok := got.([]any)
		if !ok {
			break
		}
		var content []*yaml.Node
		for i, item := range list {
			if i < len(n.Content) {
				content = append(content, u.amendValue(n.Content[i], item))
			} else {
				content = append(content, nodeOf(item))
			}
		}
		n.Content = content
		return n
	case yaml.ScalarNode:
		if !u.failedAt(n) {
			return n
		}
	}
	return likeness(n, nodeOf(got))
}

// failedAt tells whether what a node expects is not what was got. yaml.v3 counts
// columns in characters, positions count bytes.
func (u *updater) failedAt(n *yaml.Node) bool {
	if n.Line < 1 || n.Line > len(u.lines) {
		return false
	}
	line := []rune(u.lines[n.Line-1])
	column := len(string(line[:min(n.Column-1, len(line))])) + 1
	return slices.ContainsFunc(u.result.Failures, func(f Failure) bool {
		return f.At.Line == n.Line && f.At.Column == column
	})
}
