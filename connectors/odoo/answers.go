package odoo

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// statusError is about an answer that is neither 200 nor an error of Odoo's own
// (recordings odoo18/015 to 064): it comes from the web server or from what
// stands before it.
func statusError(answer *httpcall.Answer, call rpcCall) *connectors.Error {
	e := &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadAnswer}
	status := strconv.Itoa(answer.Status) + " " + http.StatusText(answer.Status)
	switch code := answer.Status; {
	case code == http.StatusTooManyRequests:
		e.Class, e.Code = connectors.Transient, connectors.CodeRateLimited
		e.RetryAfter = httpcall.RetryAfter(answer.Header, time.Now(), maxRetryAfter)
		e.Advice = "Odoo asks for fewer calls; the call is tried again later."
	case code == http.StatusRequestTimeout:
		// The request did not arrive whole, so it was not worked on.
		e.Class, e.Code = connectors.Transient, connectors.CodeUnreachable
	case code == http.StatusServiceUnavailable:
		// Sent by a proxy or by Odoo while it starts: the call was not taken.
		e.Class, e.Code = connectors.Transient, connectors.CodeUnreachable
		e.RetryAfter = httpcall.RetryAfter(answer.Header, time.Now(), maxRetryAfter)
		e.Advice = "Odoo is starting, being upgraded or overloaded."
	case code >= 500:
		e.Class = lostAnswer(call.call)
		e.Advice = "See the log of Odoo or of the proxy before it."
	case code == http.StatusUnauthorized:
		e.Code = connectors.CodeUnauthorized
		e.Advice = "Something before Odoo asks for a password of its own."
	case code == http.StatusForbidden:
		e.Code = connectors.CodeForbidden
		e.Advice = "A firewall before Odoo blocks the call; let POST " + call.address() + " pass."
	case code == http.StatusNotFound:
		e.Advice = "There is no Odoo API at this URL: check the address, and that the server lets POST " + call.address() + " through for this database."
		if call.address() == rpcPath {
			e.Advice += " An Odoo that has no " + rpcPath + " any more wants an API key instead of a password, and arguments by name (kwargs)."
		}
	case code >= 300 && code < 400:
		e.Code = connectors.CodeBadConfig
		e.Advice = "Set the Odoo URL to the address it redirects to."
		status += " to " + redirectTarget(answer)
	}
	e.Message = call.String() + ": the server answers " + status + page(answer.Body)
	if e.Class == connectors.Unclear {
		e.Message += "; it is not known whether Odoo did it"
	}
	return e
}

func redirectTarget(answer *httpcall.Answer) string {
	if u, err := url.Parse(answer.Header.Get("Location")); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host
	}
	return "another address"
}

// maxRetryAfter bounds how long a server may ask to be left alone.
const maxRetryAfter = time.Hour

// badAnswer is about a 200 that is not Odoo's: a maintenance page, a
// firewall's question, an answer that was cut off.
func badAnswer(body []byte, call rpcCall) *connectors.Error {
	e := &connectors.Error{
		Class:   lostAnswer(call.call),
		Code:    connectors.CodeBadAnswer,
		Message: call.String() + ": the answer is not Odoo's" + page(body),
		Advice:  "Check the Odoo URL, and whether a proxy or a maintenance page answers in its place.",
	}
	if e.Class == connectors.Unclear {
		e.Message += "; it is not known whether Odoo did it"
	}
	return e
}

// page names an HTML page by its title, or other text by its beginning.
func page(body []byte) string {
	text := strings.TrimSpace(string(body[:min(len(body), 8<<10)]))
	switch title := httpcall.Title(body); {
	case title != "" && title != httpcall.Untitled:
		return " (a page titled " + strconv.Quote(httpcall.Shorten(title, 120)) + ")"
	case title != "", strings.HasPrefix(text, "<"):
		return " (a page without a title)"
	case text == "":
		return " (empty)"
	}
	return " (" + strconv.Quote(httpcall.Shorten(text, 120)) + ")"
}
