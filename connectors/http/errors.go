package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

// failure turns an answer that is not 2xx into the error that says what to do.
func (a *answer) failure() *connectors.Error {
	if a.status >= 300 && a.status < 400 {
		return a.redirected()
	}
	e := &connectors.Error{Class: connectors.Permanent, Code: "http_" + strconv.Itoa(a.status), RetryAfter: retryAfter(a.header.Get("Retry-After"), time.Now())}
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
	if title := pageTitle(a.body); title != "" {
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
	raw, ok := readJSON(body)
	if !ok {
		return ""
	}
	return shortened(strings.Join(strings.Fields(wordsOf(raw, 0)), " "), 300)
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
func (a *answer) unusable(says string) *connectors.Error {
	class := a.request.interrupted()
	return &connectors.Error{Class: class, Code: connectors.CodeBadAnswer, Message: a.request.failed(class, says),
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
func unreached(r *request, cause error, connected bool) *connectors.Error {
	e := &connectors.Error{Class: connectors.Transient, Code: connectors.CodeUnreachable, Err: cause}
	if connected {
		e.Class = r.interrupted()
	}
	var (
		forbidden   *forbiddenError
		dns         *net.DNSError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		timeout     net.Error
		says        string
	)
	switch {
	case errors.As(cause, &forbidden):
		e.Class, e.Code = connectors.Permanent, connectors.CodeBadConfig
		says = "not connected: " + forbidden.Error()
		if forbidden.private {
			e.Advice = "Where that is meant, turn on allow_private in the connection's settings."
		}
	case errors.As(cause, &dns):
		says = fmt.Sprintf("the name %s is not known", dns.Name)
		e.Advice = "Check base_url and this machine's name resolution."
	case errors.As(cause, &authority):
		says = "its certificate is signed by no authority known here"
		e.Advice = "Install a full certificate chain there, or name its root in FLOWCTL_CA_FILE."
	case errors.As(cause, &hostname):
		says = "its certificate is not for " + hostname.Host
		e.Advice = "Check base_url."
	case errors.As(cause, &certificate):
		says = "its certificate is not valid: " + certificate.Err.Error()
	case errors.As(cause, &record), strings.Contains(cause.Error(), "HTTP response to HTTPS client"):
		says = "it does not speak https at this port"
		e.Advice = "Check scheme and port of base_url."
	case errors.Is(cause, context.Canceled):
		says = "the call was cancelled"
	case errors.Is(cause, context.DeadlineExceeded), errors.As(cause, &timeout) && timeout.Timeout():
		says = "no answer in time"
		e.Advice = "Raise the connection's timeout if the API is just slow."
	case errors.Is(cause, syscall.ECONNREFUSED):
		says = "it refuses connections"
		e.Advice = "Is it running, and is the port right?"
	case connected:
		says = "the connection broke before the answer was complete: " + cause.Error()
	default:
		says = "not reached: " + cause.Error()
	}
	e.Message = r.failed(e.Class, says)
	return e
}

// maxRetryAfter bounds how long an API may ask to be left alone.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads the header in seconds or as a date; 0 when absent.
func retryAfter(text string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := nethttp.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// scrubbed takes the secrets out of an error: an API may echo what it got.
func (c *Connection) scrubbed(err error) error {
	var e *connectors.Error
	if !errors.As(err, &e) {
		return err
	}
	var pairs []string
	for _, secret := range c.secrets {
		pairs = append(pairs, secret, "•••")
		if e.Err != nil && strings.Contains(e.Err.Error(), secret) {
			e.Err = nil
		}
	}
	clean := strings.NewReplacer(pairs...)
	e.Message, e.Advice = clean.Replace(e.Message), clean.Replace(e.Advice)
	return e
}
