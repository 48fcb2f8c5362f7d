package flow

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	yamlErrorLine = regexp.MustCompile(`line (\d+): (.*)`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '([^']*)' referenced`)
	// blockBegin ends a line whose value is the block below it.
	blockBegin = regexp.MustCompile(`(^|[:\-]\s+)(&\S+\s+)?[|>][+-]?[1-9]?[+-]?\s*(\s#.*)?$`)
	keyBegin   = regexp.MustCompile(`^(- +)*("[^"]*"|'[^']*'|[\w$.<-]+):(\s|$)`)
)

// reportYAML reports why a file is no YAML. The parser often notices a mistake
// some lines after it; where the text shows the place itself, that is told.
func (d *document) reportYAML(err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	var typeErr *yaml.TypeError
	if errors.As(err, &typeErr) && len(typeErr.Errors) > 0 {
		message = typeErr.Errors[0]
	}
	line := 1
	if m := yamlErrorLine.FindStringSubmatch(message); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = max(1, min(n, len(d.src.lines)))
		}
		message = m[2]
	}
	at := Position{File: d.src.file, Line: line, Column: 1}
	hint, length := "", 0
	switch {
	case strings.Contains(message, "mapping values are not allowed"):
		at.Column, hint = d.colon(line)
	case strings.Contains(message, "did not find expected"):
		if lost, ok := d.lostIndent(); ok {
			at = lost
			message = "this line is indented like none above it"
			hint = "indent it by as many spaces as the keys that it stands beside"
		}
	case strings.Contains(message, "tab"):
		at.Column = 1 + max(0, strings.IndexByte(d.line(line), '\t'))
		hint = "indent with spaces"
	}
	if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		message = "there is no anchor &" + m[1] + " above"
		if i := strings.Index(d.src.text, "*"+m[1]); i >= 0 {
			at, length = d.src.position(i), len(m[1])+1
		}
	}
	d.report(at, length, "yaml", hint, "%s", message)
}

// line is a line's text, counted from 1.
func (d *document) line(n int) string {
	from := d.src.lines[n-1]
	text, _, _ := strings.Cut(d.src.text[from:], "\n")
	return strings.TrimRight(text, "\r")
}

// colon finds the ": " that cannot stand in a line: the second one, within a
// plain value, or that of a key which stands deeper than it should.
func (d *document) colon(n int) (column int, hint string) {
	line := d.line(n)
	indent := len(line) - len(strings.TrimLeft(line, " "))
	key := keyBegin.FindString(line[indent:])
	if key == "" {
		return 1, `a plain value must not hold ": "; put it in quotes or after |-`
	}
	if second := strings.Index(line[indent+len(key):], ": "); second >= 0 && !d.tooDeep(n, indent) {
		return indent + len(key) + second + 1, `a plain value must not hold ": "; put it in quotes or after |-`
	}
	return indent + 1, "it stands deeper than the line above, which has a value already; give both the same indentation"
}

// tooDeep tells whether a line stands deeper than the one above it, which has a
// value already.
func (d *document) tooDeep(n, indent int) bool {
	for n--; n >= 1; n-- {
		above := d.line(n)
		rest := strings.TrimLeft(above, " ")
		if rest == "" || rest[0] == '#' {
			continue
		}
		dashes := strings.TrimLeft(rest, "- ")
		key := keyBegin.FindString(dashes)
		return key != "" && strings.TrimSpace(dashes[len(key):]) != "" && len(above)-len(dashes) < indent
	}
	return false
}

// lostIndent finds the first line that is indented less than the one above it,
// and like none before that.
func (d *document) lostIndent() (Position, bool) {
	levels := []int{0}
	block := -1 // the indentation of the key whose block we are in
	for n := 1; n <= len(d.src.lines); n++ {
		line := d.line(n)
		rest := strings.TrimLeft(line, " ")
		if rest == "" || rest[0] == '#' {
			continue
		}
		indent := len(line) - len(rest)
		if block >= 0 && indent > block {
			continue
		}
		block = -1
		for len(levels) > 1 && levels[len(levels)-1] > indent {
			levels = levels[:len(levels)-1]
			if levels[len(levels)-1] < indent {
				return Position{File: d.src.file, Line: n, Column: indent + 1}, true
			}
		}
		if levels[len(levels)-1] < indent {
			levels = append(levels, indent)
		}
		for strings.HasPrefix(rest, "- ") {
			item := strings.TrimLeft(rest[1:], " ")
			indent += len(rest) - len(item)
			rest = item
			levels = append(levels, indent)
		}
		if blockBegin.MatchString(line) {
			block = levels[len(levels)-1]
		}
	}
	return Position{}, false
}
