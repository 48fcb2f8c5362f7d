package connectors

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Class says what may be done after an error.
type Class string

// The classes of errors.
const (
	// Transient: nothing happened on the other side; trying again later is safe
	// and may help.
	Transient Class = "transient"
	// Unclear: a write was sent and no usable answer came. It may have happened.
	Unclear Class = "unclear"
	// Permanent: trying the same again gives the same error.
	Permanent Class = "permanent"
)

// Codes that the engine and flows rely on. All other codes are the remote
// system's own ("woocommerce_rest_cannot_view", "odoo.exceptions.AccessError").
const (
	CodeBadSignature = "bad_signature" // a webhook's signature does not match
	CodeBadDelivery  = "bad_delivery"  // a webhook's body cannot be read
	CodeBadConfig    = "bad_config"    // the connection's settings are incomplete or wrong
	CodeBadParams    = "bad_params"    // the call's parameters are wrong
	CodeNotFound     = "not_found"     // the record does not exist
	CodeUnreachable  = "unreachable"   // no connection, DNS, TLS, timeout
	CodeRateLimited  = "rate_limited"  // 429 or its like
	CodeBadAnswer    = "bad_answer"    // an answer that is not the API's (HTML, cut off)
	CodeUnauthorized = "unauthorized"  // keys or login refused
	CodeForbidden    = "forbidden"     // known, but not allowed to
)

// Error is what went wrong in a call, in words for the person who reads it.
type Error struct {
	Class   Class
	Code    string
	Message string // what happened, with the remote system's own words, never a secret
	Advice  string // what to do about it, "" when there is nothing to say
	// RetryAfter is how long the remote system asked to be left alone.
	RetryAfter time.Duration
	Err        error // cause, may be nil
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error of a class and code. %w wraps a cause.
func Errorf(class Class, code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Class: class, Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// ClassOf returns the class of an error. An error of no class is permanent,
// except that an ended context is transient.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Transient
	}
	return Permanent
}

// NotSent finds in an HTTP client's error that the request was not sent, because
// the other system is to be left alone for a while. Connectors return it as it is.
func NotSent(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// HasCode tells whether err is an [*Error] with that code.
func HasCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
