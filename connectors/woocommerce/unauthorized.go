package woocommerce

import (
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// unauthorized tells the ways apart in which a key fails. The shop has three
// codes for a dozen causes; the rest is in its English message, which WordPress
// translates only where a language pack is installed, so the way we asked is
// the second witness.
func (a *answer) unauthorized(told refusal, way scheme) *connectors.Error {
	says := strings.ToLower(told.Message)
	has := func(words string) bool { return strings.Contains(says, words) }
	switch {
	case told.Code == "woocommerce_rest_authentication_missing_parameter": // woo/009
		return a.told(connectors.Permanent, connectors.CodeUnauthorized, told,
			"Something between here and the shop drops parts of the query. Use https.")
	case strings.HasPrefix(told.Code, "woocommerce_rest_cannot_"):
		return a.told(connectors.Permanent, connectors.CodeUnauthorized, told, unseenAdvice(way))
	case has("write permission"): // woo/018: 401, not 403
		return a.told(connectors.Permanent, connectors.CodeForbidden, told,
			"The API key may only read. Make one with the permission Read/Write.")
	case has("read permission"): // woo/019
		return a.told(connectors.Permanent, connectors.CodeForbidden, told,
			"The API key may only write. Make one with the permission Read/Write.")
	case has("nonce"): // woo/006: the next attempt has another nonce
		return a.told(connectors.Transient, connectors.CodeUnauthorized, told, "")
	case has("timestamp"): // woo/007
		return a.told(connectors.Permanent, connectors.CodeUnauthorized, told,
			"The clock of this machine or of the shop is wrong by more than 15 minutes.")
	case has("signature"): // woo/004
		return a.told(connectors.Permanent, connectors.CodeUnauthorized, told,
			"The consumer secret is wrong, or the shop knows itself under another address than the URL given here (WordPress > Settings > General). https avoids signatures.")
	case has("consumer key"):
		return a.told(connectors.Permanent, connectors.CodeUnauthorized, told,
			"The shop does not know this consumer key. Was it revoked, or does it belong to another shop?")
	case has("secret"): // woo/015, 020
		return a.told(connectors.Permanent, connectors.CodeUnauthorized, told,
			"The consumer key is right, its secret is wrong. Enter the secret again, or make a new key.")
	}
	return a.told(connectors.Permanent, connectors.CodeUnauthorized, told, "Check the consumer key and its secret.")
}

// unseenAdvice explains an answer as without any key (woo/002, 014, 016, 614).
func unseenAdvice(way scheme) string {
	if way == schemeOAuth {
		return "The shop saw no key. Something between here and the shop drops the query, or the API key's user may not see this."
	}
	if way == schemeBasic || way == schemeQuery {
		return "The key was accepted before: was it revoked, or was its user's role changed?"
	}
	return "The shop does not know this consumer key, neither in the Authorization header nor in the query. " +
		"Was it revoked, or does it belong to another shop? Behind a proxy, WordPress must also learn that the request came by https (X-Forwarded-Proto)."
}
