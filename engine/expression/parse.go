package expression

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// noBuiltins makes the parser read every call but those with predicates as a
// plain call, so that one table of functions serves all.
var noBuiltins = func() map[string]bool {
	disabled := make(map[string]bool, len(builtin.Names))
	for _, name := range builtin.Names {
		disabled[name] = true
	}
	return disabled
}()

// place is a stretch of the source text, in bytes.
type place struct{ offset, length int }

// source is the text of one expression and where it stands in the text that the
// caller gave.
type source struct {
	text string
	base int
	// starts holds the byte offset of each character; nil while all characters
	// are one byte long.
	starts []int
}

func newSource(text string, base int) source {
	s := source{text: text, base: base}
	if utf8.RuneCountInString(text) == len(text) {
		return s
	}
	s.starts = make([]int, 0, len(text))
	for i := range text {
		s.starts = append(s.starts, i)
	}
	return s
}

// byteOffset turns the parser's count of characters into one of bytes.
func (s source) byteOffset(character int) int {
	switch {
	case character < 0:
		return 0
	case s.starts == nil:
		return min(character, len(s.text))
	case character >= len(s.starts):
		return len(s.text)
	}
	return s.starts[character]
}

// span is the text that a location of the parser covers.
func (s source) span(at file.Location) (from, to int) {
	from = s.byteOffset(at.From)
	return from, max(from, s.byteOffset(at.To))
}

func (s source) place(at file.Location) place {
	from, to := s.span(at)
	return place{offset: s.base + from, length: to - from}
}

// parse reads the text with the parser of expr-lang/expr.
func (s source) parse() (ast.Node, *Problem) {
	if len(s.text) > MaxSource {
		return nil, &Problem{
			Offset: s.base, Code: CodeTooLarge,
			Message: "the expression is longer than 64 KB",
			Hint:    "split it over several map steps",
		}
	}
	if strings.TrimSpace(s.text) == "" {
		return nil, &Problem{Offset: s.base, Length: len(s.text), Code: CodeSyntax, Message: "there is no expression"}
	}
	if at := tooDeep(s.text); at >= 0 {
		return nil, &Problem{
			Offset: s.base + at, Length: 1, Code: CodeTooLarge,
			Message: fmt.Sprintf("brackets are nested deeper than %d", maxBrackets),
		}
	}
	tree, err := parser.ParseWithConfig(s.text, &conf.Config{MaxNodes: MaxNodes, Disabled: noBuiltins})
	if err == nil {
		return tree.Node, nil
	}
	var fault *file.Error
	if !errors.As(err, &fault) {
		return nil, &Problem{Offset: s.base, Length: len(s.text), Code: CodeSyntax, Message: err.Error()}
	}
	return nil, s.syntaxProblem(fault)
}

// maxBrackets bounds how deep brackets stand in each other: the parser, which
// counts nodes only once it has read them, goes as deep as they do.
const maxBrackets = 200

// tooDeep finds the first bracket that is nested too deep, -1 where none is.
func tooDeep(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '[', '{':
			if depth++; depth > maxBrackets {
				return i
			}
		case ')', ']', '}':
			depth--
		case '"', '\'', '`':
			length := quotedLength(text[i:])
			if length == 0 { // the parser will say so
				return -1
			}
			i += length - 1
		}
	}
	return -1
}

var tokenInMessage = regexp.MustCompile(`(?s)^unexpected token (EOF|\w+\("(.*)"\))$`)

// syntaxProblem says in plain words what the parser found.
func (s source) syntaxProblem(fault *file.Error) *Problem {
	at := s.place(fault.Location)
	p := &Problem{Offset: at.offset, Length: at.length, Code: CodeSyntax, Message: fault.Message}
	if strings.Contains(fault.Message, "exceeds maximum allowed nodes") {
		p.Code = CodeTooLarge
		p.Message = "the expression has more than 2000 names, literals and operators"
		p.Hint = "split it over several map steps"
		return p
	}
	if strings.Contains(fault.Message, "literal not terminated") {
		p.Message = "a text that begins with a quote has no closing quote"
		return p
	}
	if strings.Contains(fault.Message, "value out of range") {
		p.Message = "a whole number of more than 18 digits"
		p.Hint = `decimal("…") reads a longer number from text`
		return p
	}
	match := tokenInMessage.FindStringSubmatch(fault.Message)
	switch {
	case match == nil:
		return p
	case match[1] == "EOF":
		p.Message = "the expression ends too early"
		p.Offset, p.Length = s.base+len(s.text), 0
	default:
		p.Message = `unexpected "` + match[2] + `"`
	}
	switch match[2] {
	case "startsWith", "endsWith", "contains", "matches":
		p.Hint = "it stands between two values: a " + match[2] + " b"
	case "AND", "OR", "NOT":
		p.Hint = "write " + strings.ToLower(match[2])
	case "is":
		p.Hint = "== nil and != nil compare with nothing"
	case "=":
		p.Hint = "== compares"
	case ":":
		if strings.Contains(s.text, "{") {
			p.Hint = `a record as the body of a predicate needs double braces: map(xs, {{"sku": .sku}})`
		}
	case "#", ".":
		p.Hint = "# and .field stand for an element, inside map(…), filter(…) and their like"
	}
	return p
}
