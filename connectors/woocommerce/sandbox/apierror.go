package sandbox

import (
	"fmt"
	"net/http"
	"strings"
)

// apiError is an error answer of the REST API.
type apiError struct {
	status  int
	code    string
	message string
	data    any // nil means {status}
	// hideAllow: the route's permission check failed, so no Allow header is sent.
	hideAllow bool
	more      object // members beside code, message and data
}

func (e *apiError) body() object {
	data := e.data
	if data == nil {
		data = object{{"status", e.status}}
	}
	return append(object{{"code", e.code}, {"message", e.message}, {"data", data}}, e.more...)
}

func refuse(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// refuseData adds members to data, after the status.
func refuseData(status int, code, message string, more ...member) *apiError {
	return &apiError{status: status, code: code, message: message,
		data: append(object{{"status", status}}, more...)}
}

// problem is what is wrong with one parameter.
type problem struct {
	param   string
	code    string
	message string
	data    any
}

// invalid is the answer to parameters of the wrong form (woo/611).
func invalid(problems []problem) *apiError {
	var names []string
	params, details := object{}, object{}
	for _, p := range problems {
		names = append(names, p.param)
		params = append(params, member{p.param, p.message})
		details = append(details, member{p.param, object{{"code", p.code}, {"message", p.message}, {"data", p.data}}})
	}
	return refuseData(http.StatusBadRequest, "rest_invalid_param",
		"Invalid parameter(s): "+strings.Join(names, ", "), member{"params", params}, member{"details", details})
}

func missing(names ...string) *apiError {
	return refuseData(http.StatusBadRequest, "rest_missing_callback_param",
		"Missing parameter(s): "+strings.Join(names, ", "), member{"params", names})
}

func noRoute() *apiError {
	e := refuse(http.StatusNotFound, "rest_no_route", "No route was found matching the URL and request method.")
	e.hideAllow = true
	return e
}

// fatal is what a PHP fatal error answers to a client that accepts JSON (woo/155, 322).
func fatal(cause string) *apiError {
	return &apiError{status: http.StatusInternalServerError, code: "internal_server_error", hideAllow: true,
		message: `<p>There has been a critical error on this website.</p><p><a href="https://wordpress.org/documentation/article/faq-troubleshooting/">Learn more about troubleshooting WordPress.</a></p>`,
		data:    object{{"status", 500}, {"error", object{{"type", 1}, {"message", "Uncaught Error: " + cause}}}},
		more:    object{{"additional_errors", []any{}}}}
}

// enumText joins values as WordPress does: a, b, and c.
func enumText(values []string) string {
	switch len(values) {
	case 0:
		return ""
	case 1:
		return values[0]
	case 2:
		return values[0] + " and " + values[1]
	}
	return strings.Join(values[:len(values)-1], ", ") + ", and " + values[len(values)-1]
}
