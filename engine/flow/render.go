package flow

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
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
				x.Severity, githubProperty(x.File), x.Line, x.Column, x.Code, githubEscape(x.text())); err != nil {
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
		width := max(1, utf8.RuneCountInString(line[before:min(before+d.Length, len(line))]))
		line, pad, width = clip(line, pad, width)
		fmt.Fprintf(&b, "%s%s\n      | %s%s\n", gutter, line, pad, strings.Repeat("^", width))
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "      = %s\n", d.Hint)
	}
	return b.String()
}

// maxSnippet is how much of a line is shown.
const maxSnippet = 200

// clip cuts a long line around what is marked in it. pad has a character for each
// of the line's before the mark.
func clip(line, pad string, width int) (string, string, int) {
	runes := []rune(line)
	if len(runes) <= maxSnippet {
		return line, pad, width
	}
	at := len([]rune(pad))
	from := max(0, min(at-maxSnippet/2, len(runes)-maxSnippet))
	cut := string(runes[from:min(from+maxSnippet, len(runes))])
	pad = string([]rune(pad)[from:])
	if from > 0 {
		cut, pad = "…"+cut, " "+pad
	}
	if from+maxSnippet < len(runes) {
		cut += "…"
	}
	return cut, pad, min(width, maxSnippet-(at-from))
}

func githubEscape(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

// githubProperty escapes what stands before the text of an annotation.
func githubProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(githubEscape(text))
}
