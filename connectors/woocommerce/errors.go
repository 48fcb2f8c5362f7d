package woocommerce

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// failure turns an answer that is not 2xx into the error that says what to do.
// Each branch names the recording it follows.
func (a *answer) failure(way scheme) *connectors.Error {
	if a.status >= 300 && a.status < 400 {
		return a.redirected()
	}
	told, isAPI := a.refusal()
	if !isAPI {
		return a.pageFailure()
	}
	switch {
	case a.status == http.StatusUnauthorized:
		return a.unauthorized(told, way)
	case a.status == http.StatusForbidden:
		return a.told(connectors.Permanent, connectors.CodeForbidden, told,
			"Give the API key's user the role Administrator or Shop manager.")
	case a.status == http.StatusTooManyRequests:
		return a.told(connectors.Transient, connectors.CodeRateLimited, told, "")
	case told.Code == "rest_no_route": // woo/601
		return a.told(connectors.Permanent, told.Code, told,
			"The shop does not know this address: is WooCommerce (or the plugin behind it) active, and is the URL the shop's own?")
	case isUnknownRecord(a.status, told.Code):
		return a.told(connectors.Permanent, connectors.CodeNotFound, told, "")
	case a.status >= 500:
		return a.broken(told)
	}
	return a.told(connectors.Permanent, told.Code, told, adviceFor(told))
}

// told is the error in the shop's own words.
func (a *answer) told(class connectors.Class, code string, told refusal, advice string) *connectors.Error {
	message := strings.TrimSuffix(told.Message, ".")
	if message == "" {
		message = "the shop refused"
	}
	message = fmt.Sprintf("%s (%s, HTTP %d)", message, told.Code, a.status)
	if id, ok := told.Data["resource_id"]; ok { // woo/102: the record that has the SKU
		message += fmt.Sprintf("; it belongs to %v", id)
	}
	return &connectors.Error{Class: class, Code: code, Message: message, Advice: advice, RetryAfter: a.retryAfter()}
}

// isUnknownRecord: GET and DELETE answer 404, PUT answers 400 (woo/178, 179),
// with codes like woocommerce_rest_product_invalid_id. A variation asked of the
// products endpoint is …_invalid_product_id and does exist (woo/158).
func isUnknownRecord(status int, code string) bool {
	if status != http.StatusNotFound && status != http.StatusBadRequest {
		return false
	}
	return strings.HasSuffix(code, "_invalid_id") || code == "woocommerce_rest_term_invalid" ||
		code == "woocommerce_rest_data_invalid_location" // a country that the shop does not know
}

func adviceFor(told refusal) string {
	switch told.Code {
	case "product_invalid_sku": // woo/102, 103
		return "A SKU is unique in the shop whatever its case. Link to the product that has it, or change one of the two."
	case "woocommerce_rest_product_not_created": // woo/174, 629
		return "A product in the shop's trash may hold this SKU: restore it or delete it for good."
	case "registration-error-email-exists", "existing_user_login": // woo/202, 630
		return "Search the customer by e-mail with role=all and link to it."
	case "woocommerce_rest_request_entity_too_large": // woo/164
		return "A batch takes 100 items at most."
	}
	return ""
}

// broken is an API error of 5xx.
func (a *answer) broken(told refusal) *connectors.Error {
	maintenance := a.status == http.StatusServiceUnavailable && (a.header.Get("Retry-After") != "" || told.Code == "wp_die")
	noDatabase := told.Code == "wp_die" && strings.Contains(strings.ToLower(told.Message), "database connection")
	switch {
	case maintenance: // woo/643: WordPress stops before it does anything
		return a.told(connectors.Transient, told.Code, told, "The shop is in maintenance. It answers again when the update is done.")
	case noDatabase: // woo/642
		return a.told(connectors.Transient, told.Code, told, "The shop cannot reach its database.")
	case a.status == http.StatusInternalServerError && told.Data == nil, told.Code == "woocommerce_rest_cannot_create_order_refund":
		// woo/356, 357, 362: a refusal with data: 500 in place of an object
		return a.told(connectors.Permanent, told.Code, told, "")
	}
	return a.told(a.interrupted(), told.Code, told, "A fatal error in the shop: its error log (WooCommerce > Status > Logs) names the plugin.")
}

// interrupted is the class of an answer that broke off: a write may have happened.
func (a *answer) interrupted() connectors.Class {
	if a.request.writes() {
		return connectors.Unclear
	}
	return connectors.Transient
}

// pageFailure is an error answer that is not the API's.
func (a *answer) pageFailure() *connectors.Error {
	title := httpcall.Title(a.body)
	says := fmt.Sprintf("the shop answered HTTP %d", a.status)
	if title != "" {
		says += fmt.Sprintf(" with the page %q", title)
	}
	e := &connectors.Error{Class: a.interrupted(), Code: connectors.CodeBadAnswer, Message: says, RetryAfter: a.retryAfter()}
	switch {
	case a.status == http.StatusTooManyRequests:
		e.Class, e.Code = connectors.Transient, connectors.CodeRateLimited
	case a.status == http.StatusServiceUnavailable && e.RetryAfter > 0: // woo/625
		e.Class = connectors.Transient
		e.Advice = "The shop is in maintenance or overloaded, and says when to come back."
	case a.status == http.StatusUnauthorized:
		e.Class, e.Code = connectors.Permanent, connectors.CodeUnauthorized
		e.Advice = "The web server itself asks for a password (a staging lock, perhaps). Let /wp-json/ through."
	case a.status == http.StatusForbidden || a.status == http.StatusNotAcceptable:
		e.Class, e.Code = connectors.Permanent, connectors.CodeForbidden
		e.Advice = "A firewall or security plugin blocks the API. Let this machine's address through to /wp-json/."
	case a.status == http.StatusRequestEntityTooLarge: // the web server's own limit
		e.Class, e.Code = connectors.Permanent, codeTooLarge
		e.Advice = "The server before the shop takes no body of this size (client_max_body_size, post_max_size). Batches are made smaller by themselves."
	case a.status == http.StatusNotFound: // woo/603
		e.Class, e.Code = connectors.Permanent, connectors.CodeBadConfig
		e.Advice = "No WordPress API at " + a.where() + ". Check the URL (does the shop stand in a folder?) and that permalinks are not Plain."
	case a.status < 500:
		e.Class = connectors.Permanent
	default:
		e.Advice = "The shop or the server before it failed. Its error log says why."
	}
	return e
}

// redirected is a redirect that was not followed. Nothing happened: a server
// that redirects does not do the work.
func (a *answer) redirected() *connectors.Error {
	e := &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadConfig}
	next := a.redirect(a.address)
	if next == nil {
		e.Message = fmt.Sprintf("the shop answered HTTP %d without saying where to go", a.status)
		return e
	}
	next.RawQuery, next.User = "", nil
	if strings.TrimSuffix(next.Path, "/") == strings.TrimSuffix(a.address.Path, "/") && httpcall.SameOrigin(a.address, next) {
		return a.notServed()
	}
	e.Message = fmt.Sprintf("the shop redirects to %s", next)
	e.Advice = fmt.Sprintf("Set the shop's URL to the address it redirects to (%s://%s).", next.Scheme, next.Host)
	return e
}

// notServed is the error where permalinks are plain: WordPress redirects a read
// to the same address with a slash (woo/626), which is the front page.
func (a *answer) notServed() *connectors.Error {
	return &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadConfig,
		Message: "the shop redirects its API address to itself: WordPress does not serve /wp-json/",
		Advice:  "In the shop, Settings > Permalinks, choose anything but Plain (Post name, say) and save."}
}

// retryAfter is how long the shop asks to be left alone, at most a day.
func (a *answer) retryAfter() time.Duration {
	return httpcall.RetryAfter(a.header, time.Now(), 24*time.Hour)
}

func badParams(format string, args ...any) *connectors.Error {
	return connectors.Errorf(connectors.Permanent, connectors.CodeBadParams, format, args...)
}
