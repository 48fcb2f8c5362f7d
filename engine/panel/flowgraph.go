package panel

import (
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

// nodeView is a step in a flow's graph.
type nodeView struct {
	Kind        string // trigger, read, write, link, flow, map
	Name, What  string
	If, ForEach string
	Calls       string // the flow that it calls
}

// graphOf draws a flow from top to bottom, as its steps are done.
func graphOf(f *flow.Flow) []nodeView {
	start := "Started by you"
	switch {
	case f.Trigger.Called:
		start = "Called by other flows"
	case len(f.Trigger.Events) > 0:
		start = strings.Join(f.Trigger.Events, " · ")
	}
	nodes := []nodeView{{Kind: "trigger", What: start}}
	if f.Trigger.Enabled != nil {
		nodes[0].If = f.Trigger.Enabled.Source
	}
	for _, s := range f.Steps {
		n := nodeView{Kind: "map", Name: s.Name, What: stepWords(s, "")}
		if s.When != nil {
			n.If = s.When.Source
		}
		if s.ForEach != nil {
			n.ForEach = s.ForEach.Source
		}
		switch call := s.Call; {
		case s.Link != nil:
			n.Kind = "link"
			n.What = linkWords(s.Link)
		case call == nil:
		case call.Flow != nil:
			n.Kind, n.Calls = "flow", call.Flow.Name
		case call.Operation.Effect == connectors.Read:
			n.Kind = "read"
		default:
			n.Kind = "write"
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// linkWords says what a link step does about a record without link.
func linkWords(l *flow.Link) string {
	words := "find the link"
	if l.Table != nil {
		words = "find the " + l.Table.Title
	}
	var parts []string
	for _, part := range []struct {
		word string
		call *flow.Call
	}{{"match by", l.Match}, {"create by", l.Create}, {"update by", l.Update}} {
		if part.call != nil {
			parts = append(parts, part.word+" "+part.call.Name)
		}
	}
	if len(parts) > 0 {
		words += "; " + strings.Join(parts, ", ")
	}
	return words
}

// lineView is a line of a file in pieces, and what is wrong with it.
type lineView struct {
	Pieces []piece
	Mark   string // "marked", "marked warning" or ""
	Said   string
}

type piece struct{ Kind, Text string }

// sourceLines splits YAML into what a reader looks for: comments, keys and
// expressions. It is no parser: what it does not know stays plain.
func sourceLines(text string, found flow.Diagnostics) []lineView {
	var lines []lineView
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		view := lineView{Pieces: pieces(line)}
		for _, d := range found {
			if d.Line != i+1 {
				continue
			}
			if d.Severity == flow.SeverityError {
				view.Mark = "marked"
			} else if view.Mark == "" {
				view.Mark = "marked warning"
			}
			view.Said = d.Message
		}
		lines = append(lines, view)
	}
	return lines
}

func pieces(line string) []piece {
	trimmed := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(trimmed)]
	if strings.HasPrefix(trimmed, "#") {
		return []piece{{"c", line}}
	}
	var out []piece
	rest := line
	key, after, ok := strings.Cut(strings.TrimPrefix(trimmed, "- "), ":")
	if ok && !strings.ContainsAny(key, " \"'{}[]$") && (after == "" || after[0] == ' ') {
		lead := indent
		if strings.HasPrefix(trimmed, "- ") {
			lead += "- "
		}
		out = append(out, piece{"", lead}, piece{"k", key}, piece{"", ":"})
		rest = after
	}
	for rest != "" {
		i := strings.Index(rest, "${")
		j := strings.Index(rest, " #")
		switch {
		case j >= 0 && (i < 0 || j < i) && strings.Count(rest[:j], `"`)%2 == 0:
			return append(out, piece{"", rest[:j]}, piece{"c", rest[j:]})
		case i < 0:
			return append(out, piece{"", rest})
		}
		end := strings.Index(rest[i:], "}")
		if end < 0 {
			return append(out, piece{"", rest})
		}
		out = append(out, piece{"", rest[:i]}, piece{"e", rest[i : i+end+1]})
		rest = rest[i+end+1:]
	}
	return out
}
