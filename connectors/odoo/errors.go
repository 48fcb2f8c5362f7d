package odoo

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// lostAnswer is the class of a call that was sent and got no usable answer.
func lostAnswer(call invocation) connectors.Class {
	if call.write {
		return connectors.Unclear
	}
	return connectors.Transient
}

// unreachable says why there was no answer.
func unreachable(cause error, class connectors.Class, doing string) *connectors.Error {
	if refused, ok := connectors.NotSent(cause); ok {
		return refused
	}
	e := &connectors.Error{Class: class, Code: connectors.CodeUnreachable, Err: cause}
	var what string
	trouble := httpcall.Diagnose(cause)
	switch {
	case trouble.Reason == httpcall.NameUnknown:
		what = "the name " + strconv.Quote(trouble.Detail) + " is not known"
		e.Advice = "Check the host name in the Odoo URL."
	case trouble.Untrusted():
		e.Class, class = connectors.Permanent, connectors.Permanent
		what = "the server's certificate is not trusted: " + untrusted(trouble)
		e.Advice = "Use a certificate that is valid for this host; for one of your own authority set FLOWCTL_CA_FILE."
	case trouble.Reason == httpcall.NotHTTPS, trouble.Reason == httpcall.HungUp:
		what = "the server does not speak https at this port"
		e.Advice = "Check the scheme and port of the Odoo URL."
	case trouble.Reason == httpcall.NoAnswerInTime:
		what = "no answer in time"
		e.Advice = "Odoo is slow or out of reach; ask for fewer records at once if this keeps happening."
	case trouble.Reason == httpcall.Cancelled:
		what = "stopped before the answer came"
	case trouble.Reason == httpcall.Refused:
		what = "no connection: nobody listens there"
		e.Advice = "Check that Odoo runs and that the URL's host and port are right."
	case trouble.Reason == httpcall.Unreachable:
		what = "no connection: " + rootCause(cause)
		e.Advice = "Check that Odoo runs and that the URL's host and port are right."
	default:
		what = "the connection broke: " + rootCause(cause)
	}
	if class == connectors.Unclear {
		what += "; it is not known whether Odoo did it"
	}
	e.Message = doing + ": " + what
	return e
}

func untrusted(trouble httpcall.Trouble) string {
	switch trouble.Reason {
	case httpcall.CertificateUnsigned:
		return "it is signed by no authority known here"
	case httpcall.CertificateName:
		return "it is not for " + trouble.Detail
	}
	return trouble.Detail
}

func rootCause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// rpcError is the error member of an answer. Its code is always 200 up to
// version 18 and 0 in 19: what happened is told by data.name alone.
type rpcError struct {
	Message string       `json:"message"`
	Data    rpcErrorData `json:"data"`
}

// rpcErrorData is Odoo's own error: inside that of JSON-RPC, the whole body of
// JSON-2. The traceback (debug) is left out: it is not for people and shows the
// server's insides.
type rpcErrorData struct {
	Name      string `json:"name"`
	Message   string `json:"message"`
	Arguments []any  `json:"arguments"`
}

// maxMessage bounds Odoo's own words in a message, in characters.
const maxMessage = 1500

func (e *rpcError) translate(call rpcCall) *connectors.Error {
	name, text := e.Data.Name, e.words()
	out := &connectors.Error{
		Class:   connectors.Permanent,
		Code:    name,
		Message: call.String() + ": " + text,
	}
	if name == "" {
		out.Code = connectors.CodeBadAnswer
	}
	switch {
	case name == "odoo.exceptions.AccessDenied":
		out.Code = connectors.CodeUnauthorized
		out.Message = call.String() + ": Odoo refused the login (" + text + ")"
		out.Advice = "Check the login and the API key. Keys expire: make a new one in Odoo under Preferences > Account Security."
	case strings.HasSuffix(name, "SessionExpiredException"):
		out.Code = connectors.CodeUnauthorized
		out.Advice = "Log in again: check the login and the API key."
	case name == codeAccess:
		out.Advice = "The user of the flows lacks a right in Odoo; give it the group that the message names, or use another user."
	case name == "odoo.exceptions.MissingError":
		e.missing(call, text, out)
	case name == "odoo.exceptions.ValidationError", name == "odoo.exceptions.UserError", name == "odoo.exceptions.RedirectWarning":
		out.Advice = "Odoo's own rules forbid this; change the values, or the record in Odoo, and run it again."
		if strings.HasPrefix(text, "Object ") && strings.HasSuffix(text, "doesn't exist") {
			out.Advice = "Install the Odoo module that brings this model."
		}
	case slices.Contains(rolledBack, strings.TrimPrefix(strings.TrimPrefix(name, "psycopg2.errors."), "odoo.exceptions.")):
		// The transaction was undone: nothing happened, also for a write.
		out.Class = connectors.Transient
		out.Advice = "Others work on the same records; it is tried again."
	case strings.HasPrefix(name, "psycopg2."):
		databaseError(text, out)
	case name == "builtins.AttributeError":
		out.Advice = "This version of Odoo has no such method; check its name."
	case name == "builtins.ValueError", name == "builtins.KeyError", name == "builtins.TypeError":
		out.Advice = "Check the names of fields and the kinds of their values against this Odoo (odoo.fields lists them)."
	}
	return out
}

// rolledBack are the errors of PostgreSQL, and since 19 of Odoo, after which a
// transaction is undone and worth another try (recording odoo19/466).
var rolledBack = []string{
	"SerializationFailure", "DeadlockDetected", "LockNotAvailable", "QueryCanceled",
	"TransactionRollback", "AdminShutdown", "CannotConnectNow", "TooManyConnections",
	"ConcurrencyError", "LockError",
}

func databaseError(text string, out *connectors.Error) {
	switch {
	case strings.Contains(text, "database") && strings.Contains(text, "does not exist"):
		// The text names the database server's address, which helps nobody.
		name := ""
		if m := quoted.FindStringSubmatch(text[strings.Index(text, "database"):]); m != nil {
			name = m[1]
		}
		*out = *noDatabase(name)
	case out.Code == "psycopg2.OperationalError", out.Code == "psycopg2.InterfaceError":
		out.Class = connectors.Transient
		out.Advice = "Odoo cannot reach its own database."
	default:
		out.Advice = "Check the kinds of the values: Odoo's database did not take one."
	}
}

func noDatabase(name string) *connectors.Error {
	e := &connectors.Error{
		Class:   connectors.Permanent,
		Code:    connectors.CodeBadConfig,
		Message: "Odoo has no database of this name",
		Advice:  "Check the database's name; Odoo's login page and the address /web/database/selector show it.",
	}
	if name != "" {
		e.Message = "Odoo has no database " + strconv.Quote(name)
	}
	return e
}

var (
	quoted        = regexp.MustCompile(`"([^"]*)"`)
	missingRecord = regexp.MustCompile(`\(Record: ([a-z0-9_.]+)\(([0-9, ]*)\)`)
)

// missing tells a record that the call itself is about (not_found) from one
// that its values only refer to.
func (e *rpcError) missing(call rpcCall, text string, out *connectors.Error) {
	out.Advice = "The record was deleted in Odoo."
	m := missingRecord.FindStringSubmatch(text)
	if m == nil {
		return
	}
	if m[1] == "res.users" && call.call.model != "res.users" {
		// Odoo says this when the user behind the login is gone (odoo18/012).
		out.Code = connectors.CodeUnauthorized
		out.Advice = "The user of the flows was deleted in Odoo; check the login."
		return
	}
	if m[1] != call.call.model {
		return
	}
	for id := range strings.SplitSeq(m[2], ",") {
		if n, err := strconv.ParseInt(strings.TrimSpace(id), 10, 64); err == nil && slices.Contains(call.call.ids, n) {
			out.Code = connectors.CodeNotFound
			return
		}
	}
}

// words are Odoo's own, without a traceback and without what is not for people:
// a RedirectWarning appends an action to its text (recording odoo18/048).
func (e *rpcError) words() string {
	text := e.Data.Message
	if strings.HasSuffix(e.Data.Name, "RedirectWarning") && len(e.Data.Arguments) > 0 {
		if first, ok := e.Data.Arguments[0].(string); ok {
			text = first
		}
	}
	if text == "" {
		text = e.Message
	}
	if i := strings.Index(text, "Traceback (most recent call last)"); i >= 0 {
		text = strings.TrimSpace(text[:i]) + " (internal error of Odoo)"
	}
	if text = strings.TrimSpace(text); text == "" {
		text = "an error without a message"
	}
	return httpcall.Shorten(text, maxMessage)
}

// badParams is an error about the call's own parameters, found before anything
// is sent.
func badParams(format string, args ...any) error {
	return &connectors.Error{
		Class:   connectors.Permanent,
		Code:    connectors.CodeBadParams,
		Message: fmt.Sprintf(format, args...),
	}
}

// unreadable is about a result whose shape is not the one Odoo documents.
func unreadable(model, method string, raw json.RawMessage, cause error) error {
	e := connectors.Errorf(connectors.Permanent, connectors.CodeBadAnswer,
		"%s.%s: Odoo's result cannot be read%s", model, method, page(raw))
	e.Err = cause
	return e
}
