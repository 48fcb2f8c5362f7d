package flow

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// source is a file's text with the start of each line.
type source struct {
	file  string
	text  string
	lines []int // byte offset of each line's start
}

func newSource(file, text string) *source {
	s := &source{file: file, text: text, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// offset is the byte offset of a node's first character. yaml.v3 counts columns
// in characters.
func (s *source) offset(line, column int) int {
	if line < 1 || line > len(s.lines) {
		return len(s.text)
	}
	at := s.lines[line-1]
	for range column - 1 {
		if at >= len(s.text) {
			break
		}
		at += runeLength(s.text[at])
	}
	return at
}

func runeLength(first byte) int {
	switch {
	case first < 0x80:
		return 1
	case first < 0xE0:
		return 2
	case first < 0xF0:
		return 3
	}
	return 4
}

func (s *source) position(offset int) Position {
	offset = min(offset, len(s.text))
	line := 0
	for line+1 < len(s.lines) && s.lines[line+1] <= offset {
		line++
	}
	return Position{File: s.file, Line: line + 1, Column: offset - s.lines[line] + 1}
}

func (s *source) node(n *yaml.Node) Position {
	return s.position(s.offset(n.Line, n.Column))
}

// within finds where the byte at valueOffset of a scalar's value stands in the
// file. It walks value and source side by side, by the node's style: quotes and
// escapes, folded lines and the indentation of block scalars stand in the source
// only.
func (s *source) within(n *yaml.Node, valueOffset int) Position {
	at := s.offset(n.Line, n.Column)
	switch n.Style {
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		at++
	case yaml.LiteralStyle, yaml.FoldedStyle:
		if n.Line < len(s.lines) {
			at = s.lines[n.Line]
		}
	}
	value := n.Value
	for i := 0; i < valueOffset && i < len(value); {
		taken, made := s.step(n.Style, at, value[i:])
		if taken == 0 && made == 0 {
			return s.node(n)
		}
		at, i = at+taken, i+made
	}
	// Indentation and fold before the character itself.
	if valueOffset < len(value) && !isSpace(value[valueOffset]) {
		for at < len(s.text) && isSpace(s.text[at]) {
			at++
		}
	}
	return s.position(at)
}

// step says how many source bytes the next piece takes and how many value bytes
// it makes; 0, 0 when they do not match.
func (s *source) step(style yaml.Style, at int, value string) (taken, made int) {
	if at >= len(s.text) {
		return 0, 0
	}
	rest := s.text[at:]
	switch {
	case style == yaml.DoubleQuotedStyle && rest[0] == '\\':
		return escape(rest)
	case style == yaml.SingleQuotedStyle && strings.HasPrefix(rest, "''"):
		return 2, 1
	case rest[0] == value[0]:
		return 1, 1
	case isSpace(value[0]):
		// A fold: white space of any length for white space of any length.
		for taken < len(rest) && isSpace(rest[taken]) {
			taken++
		}
		for made < len(value) && isSpace(value[made]) {
			made++
		}
		return taken, made
	case isSpace(rest[0]):
		return 1, 0
	}
	return 0, 0
}

// escape measures an escape sequence of a double-quoted scalar.
func escape(rest string) (taken, made int) {
	if len(rest) < 2 {
		return 1, 1
	}
	width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[rest[1]]
	if width > 0 {
		taken = min(2+width, len(rest))
		var code rune
		for _, digit := range rest[2:taken] {
			code = code<<4 | rune(strings.IndexRune("0123456789abcdef", lower(digit)))
		}
		return taken, len(string(code))
	}
	switch rest[1] {
	case '\n': // an escaped line end and the next line's indentation make nothing
		taken = 2
		for taken < len(rest) && (rest[taken] == ' ' || rest[taken] == '\t') {
			taken++
		}
		return taken, 0
	case 'N', '_':
		return 2, 2
	case 'L', 'P':
		return 2, 3
	}
	return 2, 1
}

func lower(r rune) rune {
	if r >= 'A' && r <= 'F' {
		return r + 'a' - 'A'
	}
	return r
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }
