package graph

import (
	"fmt"
	"io"
	"strings"
)

// Formats are the formats that Render writes.
var Formats = []string{"mermaid", "dot", "text"}

// Render writes the graph: "mermaid" for Markdown pages, "dot" for Graphviz,
// "text" for a terminal.
func (g *Graph) Render(w io.Writer, format string) error {
	var b strings.Builder
	switch format {
	case "mermaid":
		g.mermaid(&b)
	case "dot":
		g.dot(&b)
	case "text":
		g.text(&b)
	default:
		return fmt.Errorf("unknown format %q: %s", format, strings.Join(Formats, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidShapes are the brackets around a node's label.
var mermaidShapes = map[Kind][2]string{
	Event: {"([", "])"}, Flow: {"[[", "]]"}, Map: {"[/", "/]"}, Call: {"[", "]"}, Link: {"{{", "}}"}, End: {"((", "))"}, System: {"[(", ")]"},
}

// mermaidEscape keeps a text from being read as Mermaid's own or as HTML.
var mermaidEscape = strings.NewReplacer(
	"#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;", "\n", " ")

func (g *Graph) mermaid(b *strings.Builder) {
	fmt.Fprintf(b, "---\ntitle: %q\n---\nflowchart TD\n", g.Title)
	for _, n := range g.Nodes {
		lines := make([]string, len(n.Lines))
		for i, line := range n.Lines {
			lines[i] = mermaidEscape.Replace(line)
		}
		shape := mermaidShapes[n.Kind]
		fmt.Fprintf(b, "  %s%s\"%s\"%s\n", n.ID, shape[0], strings.Join(lines, "<br>"), shape[1])
	}
	for _, e := range g.Edges {
		arrow := "-->"
		if e.Maybe {
			arrow = "-.->"
		}
		if e.Label != "" {
			arrow += `|"` + mermaidEscape.Replace(e.Label) + `"|`
		}
		fmt.Fprintf(b, "  %s %s %s\n", e.From, arrow, e.To)
	}
}

// dotShapes are Graphviz's shapes.
var dotShapes = map[Kind]string{
	Event: "ellipse", Flow: "component", Map: "parallelogram", Call: "box", Link: "hexagon", End: "doublecircle", System: "cylinder",
}

var dotEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ")

func (g *Graph) dot(b *strings.Builder) {
	fmt.Fprintf(b, "digraph {\n  label=\"%s\"; labelloc=t; node [fontname=sans, fontsize=10]; edge [fontname=sans, fontsize=9];\n", dotEscape.Replace(g.Title))
	for _, n := range g.Nodes {
		var label strings.Builder
		for _, line := range n.Lines {
			label.WriteString(dotEscape.Replace(line) + `\n`)
		}
		fmt.Fprintf(b, "  %s [shape=%s, label=\"%s\"];\n", n.ID, dotShapes[n.Kind], strings.TrimSuffix(label.String(), `\n`))
	}
	for _, e := range g.Edges {
		style := ""
		if e.Maybe {
			style = ", style=dashed"
		}
		fmt.Fprintf(b, "  %s -> %s [label=\"%s\"%s];\n", e.From, e.To, dotEscape.Replace(e.Label), style)
	}
	b.WriteString("}\n")
}

// text lists each node that leads somewhere, with where it leads to.
func (g *Graph) text(b *strings.Builder) {
	names := map[string]string{}
	for _, n := range g.Nodes {
		names[n.ID] = n.Lines[0]
	}
	fmt.Fprintf(b, "%s\n", g.Title)
	for _, n := range g.Nodes {
		var to []string
		for _, e := range g.Edges {
			if e.From != n.ID {
				continue
			}
			word := names[e.To]
			if e.Label != "" {
				word = e.Label + " " + word
			}
			if e.Maybe {
				word += "?"
			}
			to = append(to, word)
		}
		if len(to) == 0 {
			continue
		}
		fmt.Fprintf(b, "  %-8s %s\n", n.Kind, strings.Join(n.Lines, "  "))
		fmt.Fprintf(b, "  %8s -> %s\n", "", strings.Join(to, ", "))
	}
}
