package flow

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Render writes diagnostics for a format: "text" (file:line:col, snippet and
// caret), "json" (a list) or "github" (workflow annotations). sources holds the
// text of files by name; a file that is absent gets no snippet.
func (d Diagnostics) Render(w io.Writer, format string, sources map[string]string) error {
	switch format {
	case "json":
		list := d
		if list == nil {
			list = Diagnostics{}
		}
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(list)
	case "github":
		for _, x := range d {
			if _, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,title=%s::%s\n",
				x.Severity, x.File, x.Line, x.Column, x.Code, githubEscape(x.text())); err != nil {
				return err
			}
		}
		return nil
	case "text":
		for _, x := range d {
			if _, err := io.WriteString(w, x.snippet(sources[x.File])); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("unknown format %q: text, json or github", format)
}

func (d Diagnostic) text() string {
	if d.Hint != "" {
		return d.Message + " (" + d.Hint + ")"
	}
	return d.Message
}

func (d Diagnostic) snippet(source string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s [%s]\n", d.Position, d.Severity, d.Message, d.Code)
	lines := strings.Split(source, "\n")
	if source != "" && d.Line >= 1 && d.Line <= len(lines) {
		line := strings.TrimRight(lines[d.Line-1], "\r")
		gutter := fmt.Sprintf("%5d | ", d.Line)
		// Tabs before the caret are kept, so that it stands under its text.
		before := min(max(d.Column-1, 0), len(line))
		pad := strings.Map(func(r rune) rune {
			if r == '\t' {
				return r
			}
			return ' '
		}, line[:before])
		width := max(1, min(d.Length, len(line)-before))
		fmt.Fprintf(&b, "%s%s\n      | %s%s\n", gutter, line, pad, strings.Repeat("^", width))
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "      = %s\n", d.Hint)
	}
	return b.String()
}

func githubEscape(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}
