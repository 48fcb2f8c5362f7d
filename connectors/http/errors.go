package http

import (
	"errors"
	"fmt"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// failure turns an answer that is not 2xx into the error that says what to do.
func (a *answer) failure() *connectors.Error {
	if a.status >= 300 && a.status < 400 {
		return a.redirected()
	}
	e := &connectors.Error{Class: connectors.Permanent, Code: "http_" + strconv.Itoa(a.status), RetryAfter: httpcall.RetryAfter(a.header, time.Now(), maxRetryAfter)}
	switch {
	case a.status == nethttp.StatusUnauthorized:
		e.Code, e.Advice = connectors.CodeUnauthorized, "Check the connection's auth, and the token or password: it may have expired."
	case a.status == nethttp.StatusForbidden:
		e.Code, e.Advice = connectors.CodeForbidden, "The credentials may be known and not allowed to do this, or a firewall stands before the API."
	case a.status == nethttp.StatusNotFound, a.status == nethttp.StatusGone:
		e.Code = connectors.CodeNotFound
	case a.status == nethttp.StatusTooManyRequests:
		e.Class, e.Code = connectors.Transient, connectors.CodeRateLimited
	case a.status == nethttp.StatusServiceUnavailable && e.RetryAfter > 0, a.status == nethttp.StatusTooEarly:
		e.Class = connectors.Transient // refused before it was begun
	case a.status == nethttp.StatusNotImplemented, a.status == nethttp.StatusHTTPVersionNotSupported:
	case a.status == nethttp.StatusRequestTimeout, a.status >= 500:
		e.Class = a.request.interrupted()
	}
	says := fmt.Sprintf("it answered HTTP %d", a.status)
	if title := httpcall.Title(a.body); title != "" {
		says += fmt.Sprintf(" with the page %q", title)
	} else if words := ownWords(a.body); words != "" {
		says += ": " + words
	}
	e.Message = a.request.failed(e.Class, says)
	return e
}

// ownWords finds the message in the error bodies that are common: those of
// RFC 9457 (title, detail), {message}, {error} as text or record, {errors}.
func ownWords(body []byte) string {
	raw, ok := httpcall.ReadJSON(body)
	if !ok {
		return ""
	}
	return httpcall.Shorten(strings.Join(strings.Fields(wordsOf(raw, 0)), " "), 300)
}

func wordsOf(raw any, depth int) string {
	if depth > 3 {
		return ""
	}
	switch v := raw.(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			return wordsOf(v[0], depth+1)
		}
	case map[string]any:
		for _, name := range []string{"detail", "message", "error_description", "error", "errors", "title", "msg"} {
			if words := wordsOf(v[name], depth+1); words != "" {
				return words
			}
		}
	}
	return ""
}

// redirected is a redirect that was not followed.
func (a *answer) redirected() *connectors.Error {
	e := &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadConfig}
	if a.status == nethttp.StatusSeeOther && a.request.action.writes() {
		// "Done, look there" (RFC 9110, 15.4.4), or a login page: it cannot be told.
		e.Class, e.Code = connectors.Unclear, connectors.CodeBadAnswer
	}
	next := a.redirect()
	if next == nil {
		e.Message = a.request.failed(e.Class, fmt.Sprintf("it answered HTTP %d without saying where to go", a.status))
		return e
	}
	where := next.Scheme + "://" + next.Host + next.EscapedPath()
	e.Message = a.request.failed(e.Class, "it redirects to "+where)
	e.Advice = "Use the address that it redirects to. Writes follow no redirect, and nothing follows one to another address."
	return e
}

// unusable is the error of an answer that is not the API's: after a write it is
// not known what happened.
func (r *request) unusable(says string) *connectors.Error {
	class := r.interrupted()
	return &connectors.Error{Class: class, Code: connectors.CodeBadAnswer, Message: r.failed(class, says),
		Advice: "Something may answer in the API's place: a firewall, a login page, a wrong base URL."}
}

// interrupted is the class of a request that was sent and got no usable answer.
func (r *request) interrupted() connectors.Class {
	if r.action.writes() {
		return connectors.Unclear
	}
	return connectors.Transient
}

// failed words an error: what was asked, without query and credentials, and what
// came of it.
func (r *request) failed(class connectors.Class, says string) string {
	message := fmt.Sprintf("%s %s%s: %s", r.action.method, r.target.Host, r.target.EscapedPath(), says)
	if class == connectors.Unclear {
		message += "; whether the write happened is not known"
	}
	return message
}

// unreached is the error of an exchange without an answer. Before there was a
// connection nothing can have happened; after it a write may have arrived.
func (r *request) unreached(cause error) *connectors.Error {
	if refused, ok := connectors.NotSent(cause); ok {
		return refused
	}
	e := &connectors.Error{Class: connectors.Transient, Code: connectors.CodeUnreachable, Err: cause}
	if u := (*httpcall.Unanswered)(nil); errors.As(cause, &u) && u.Connected {
		e.Class = r.interrupted()
	}
	var forbidden *forbiddenError
	if errors.As(cause, &forbidden) {
		e.Class, e.Code = connectors.Permanent, connectors.CodeBadConfig
		if forbidden.private {
			e.Advice = "Where that is meant, turn on allow_private in the connection's settings."
		}
		e.Message = r.failed(e.Class, "not connected: "+forbidden.Error())
		return e
	}
	var says string
	switch trouble := httpcall.Diagnose(cause); trouble.Reason {
	case httpcall.NameUnknown:
		says = fmt.Sprintf("the name %s is not known", trouble.Detail)
		e.Advice = "Check base_url and this machine's name resolution."
	case httpcall.CertificateUnsigned:
		says = "its certificate is signed by no authority known here"
		e.Advice = "Install a full certificate chain there, or name its root in FLOWCTL_CA_FILE."
	case httpcall.CertificateName:
		says = "its certificate is not for " + trouble.Detail
		e.Advice = "Check base_url."
	case httpcall.CertificateInvalid:
		says = "its certificate is not valid: " + trouble.Detail
	case httpcall.NotHTTPS:
		says = "it does not speak https at this port"
		e.Advice = "Check scheme and port of base_url."
	case httpcall.Cancelled:
		says = "the call was cancelled"
	case httpcall.NoAnswerInTime:
		says = "no answer in time"
		e.Advice = "Raise the connection's timeout if the API is just slow."
	case httpcall.Refused:
		says = "it refuses connections"
		e.Advice = "Is it running, and is the port right?"
	case httpcall.Broken:
		says = "the connection broke before the answer was complete: " + trouble.Detail
	default:
		says = "not reached: " + cause.Error()
	}
	e.Message = r.failed(e.Class, says)
	return e
}

// maxRetryAfter bounds how long an API may ask to be left alone.
const maxRetryAfter = 24 * time.Hour
