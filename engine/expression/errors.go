package expression

import "fmt"

// Codes of problems and errors. They are stable: the validator shows them and
// tests name them.
const (
	CodeSyntax       = "syntax"           // the text is no expression
	CodeUnterminated = "unterminated"     // a ${ without its }
	CodeTooLarge     = "too-large"        // more text, nodes or nesting than an expression may have
	CodeUnknownName  = "unknown-name"     // no variable of that name here
	CodeUnknownField = "unknown-field"    // the record has no such field
	CodeUnknownFunc  = "unknown-function" // no function of that name
	CodeArguments    = "arguments"        // too many or too few arguments
	CodeType         = "type"             // a value of the wrong type
	CodeValue        = "value"            // a value of the right type that cannot be worked with
	CodeUnknown      = "unknown-value"    // an [Unknown] value was read
	CodeLimit        = "limit"            // an evaluation beyond its [Limits]
	CodeCanceled     = "canceled"         // the context ended
	CodeInternal     = "internal"         // a mistake of this package
)

// Problem is a mistake in an expression, found before anything runs.
type Problem struct {
	// Offset and Length are bytes within the source text given. Length may be 0
	// at the end of the text.
	Offset, Length int
	Code           string // one of the Code constants
	Message        string // what is wrong
	Hint           string // what to write instead, "" when there is nothing to say
}

// Error is a failure while evaluating.
type Error struct {
	// Offset and Length are bytes within the source text given to Compile or
	// CompileTemplate.
	Offset, Length int
	Code           string // one of the Code constants
	Message        string // what happened, in plain words
	Hint           string // what to do about it, "" when there is nothing to say
	Err            error  // cause: the context's error after CodeCanceled; may be nil
}

// Error returns the message, and the hint if there is one.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + " (" + e.Hint + ")"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// failf makes an error that has no place yet; the node that meets it adds one.
func failf(code, format string, args ...any) *Error {
	return &Error{Offset: unplaced, Code: code, Message: fmt.Sprintf(format, args...)}
}

// hinted returns the error with a hint.
func (e *Error) hinted(hint string) *Error { e.Hint = hint; return e }

// unplaced is the offset of an error that does not know its place yet.
const unplaced = -1
