package expression

import (
	"fmt"
	"strings"
)

// templatePiece is a stretch of a template.
type templatePiece struct {
	text       string // of a literal, $${ already read; of an expression, without ${ and }
	expression bool
	at         place // of an expression, with ${ and }
}

// cutTemplate cuts a template into literals and expressions.
func cutTemplate(source string) ([]templatePiece, *Problem) {
	var pieces []templatePiece
	var literal strings.Builder
	expressions := 0
	flush := func() {
		if literal.Len() > 0 {
			pieces = append(pieces, templatePiece{text: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(source); {
		rest := source[i:]
		switch {
		case strings.HasPrefix(rest, "$${"):
			literal.WriteString("${")
			i += len("$${")
		case strings.HasPrefix(rest, "${"):
			flush()
			inner := rest[len("${"):]
			end, problem := endOfExpression(inner)
			if problem != nil {
				problem.Offset += i
				return nil, problem
			}
			if expressions++; expressions > maxParts {
				return nil, &Problem{Offset: i, Length: 2, Code: CodeTooLarge, Message: fmt.Sprintf("more than %d expressions in one text", maxParts)}
			}
			length := len("${") + end + len("}")
			pieces = append(pieces, templatePiece{text: inner[:end], expression: true, at: place{offset: i, length: length}})
			i += length
		default:
			next := strings.IndexByte(rest[1:], '$') + 1
			if next == 0 {
				next = len(rest)
			}
			literal.WriteString(rest[:next])
			i += next
		}
	}
	flush()
	return pieces, nil
}

// endOfExpression finds the } that ends an expression, skipping what the lexer
// of expr takes as strings and comments and counting braces. The offset of a
// problem is from the ${ on.
func endOfExpression(text string) (int, *Problem) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i, nil
			}
			depth--
		case '"', '\'', '`':
			length := quotedLength(text[i:])
			if length == 0 {
				return 0, &Problem{
					Offset: len("${") + i, Length: 1, Code: CodeUnterminated,
					Message: "the text that begins here has no closing quote, so its ${ has no end",
					Hint:    unterminatedHint,
				}
			}
			i += length - 1
		case '/':
			length, closed := commentLength(text[i:])
			if !closed {
				return 0, unterminated()
			}
			i += max(length, 1) - 1
		}
	}
	return 0, unterminated()
}

func unterminated() *Problem {
	return &Problem{Length: len("${"), Code: CodeUnterminated, Message: "this ${ has no end", Hint: unterminatedHint}
}

// quotedLength is the length of the string that the text begins with, with its
// quotes; 0 if it does not end.
func quotedLength(text string) int {
	quote := text[0]
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote != '`':
			i++
		case text[i] == quote && quote == '`' && i+1 < len(text) && text[i+1] == quote:
			i++ // `` is a ` within
		case text[i] == quote:
			return i + 1
		}
	}
	return 0
}

// commentLength is the length of the comment that the text begins with, 0 if it
// is none; closed tells whether it ends.
func commentLength(text string) (length int, closed bool) {
	switch {
	case strings.HasPrefix(text, "//"):
		end := strings.IndexByte(text, '\n')
		return end + 1, end >= 0
	case strings.HasPrefix(text, "/*"):
		end := strings.Index(text[2:], "*/")
		return end + 4, end >= 0
	}
	return 0, true
}
