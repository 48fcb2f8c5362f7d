package sandbox

import (
	"slices"
	"strings"

	markup "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Elements that a stored text loses, with all inside.
var droppedElements = []atom.Atom{atom.Script, atom.Style, atom.Iframe, atom.Object, atom.Embed, atom.Title, atom.Meta, atom.Link, atom.Base, atom.Noscript}

// voidElements have no end.
var voidElements = []atom.Atom{atom.Br, atom.Hr, atom.Img, atom.Input, atom.Wbr, atom.Col}

// cleanHTML is a text as Odoo stores it: scripts, handlers and comments gone,
// elements closed, plain text inside a paragraph (odoo18/474, 475, and asked of a
// running 19). What is read back differs from what was written.
func cleanHTML(s string) string {
	if s == "" {
		return s
	}
	if !strings.Contains(s, "<") || !strings.HasPrefix(strings.TrimSpace(s), "<") {
		return "<p>" + escapeText(markup.UnescapeString(s)) + "</p>"
	}
	body := &markup.Node{Type: markup.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := markup.ParseFragment(strings.NewReader(s), body)
	if err != nil {
		return "<p>" + escapeText(s) + "</p>" // a reader of memory never fails
	}
	var out strings.Builder
	for _, n := range nodes {
		writeClean(&out, n)
	}
	return out.String()
}

func writeClean(out *strings.Builder, n *markup.Node) {
	switch {
	case n.Type == markup.TextNode:
		out.WriteString(escapeText(n.Data))
		return
	case n.Type != markup.ElementNode || slices.Contains(droppedElements, n.DataAtom):
		return
	}
	out.WriteString("<" + n.Data)
	for _, a := range n.Attr {
		key := strings.ToLower(a.Key)
		if strings.HasPrefix(key, "on") {
			continue
		}
		value := a.Val
		if (key == "href" || key == "src") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(value)), "javascript:") {
			value = ""
		}
		out.WriteString(" " + key + `="` + strings.ReplaceAll(escapeText(value), `"`, "&quot;") + `"`)
	}
	out.WriteString(">")
	if slices.Contains(voidElements, n.DataAtom) {
		return
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		writeClean(out, child)
	}
	out.WriteString("</" + n.Data + ">")
}

var textEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escapeText(s string) string { return textEscapes.Replace(s) }
