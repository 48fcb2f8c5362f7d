package http

import (
	"fmt"
	"maps"
	nethttp "net/http"
	"slices"
	"strings"
)

// ownHeaders belong to the connection: a flow that set them could send a request
// somewhere else, or another request within this one.
var ownHeaders = []string{
	"Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Te", "Trailer", "Expect",
	"Proxy-Authorization", "Proxy-Connection", "Accept-Encoding",
}

// addHeaders sets headers that a person or a flow wrote. What is wrong is "" when
// all of them can be sent.
func addHeaders(header nethttp.Header, given map[string]any, credential string) (wrong string) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if given[name] == nil {
			continue
		}
		key := nethttp.CanonicalHeaderKey(name)
		value, err := scalarText(given[name])
		switch {
		case !isHeaderName(name):
			return fmt.Sprintf("%q is no name of a header", name)
		case err != nil:
			return fmt.Sprintf("%s %v", name, err)
		case !isHeaderValue(value):
			return fmt.Sprintf("%s holds a line break or another character that no header can hold", name)
		case key == "Authorization", key == credential, slices.Contains(ownHeaders, key):
			return fmt.Sprintf("%s is set by the connection", name)
		}
		header.Set(key, value)
	}
	return ""
}

// addKey sets the header by which the API knows a request again.
func addKey(header nethttp.Header, p params, credential string) error {
	name := p.text("idempotency_header")
	if wrong := addHeaders(header, map[string]any{name: p.text("idempotency_key")}, credential); wrong != "" {
		return fmt.Errorf("idempotency_key: %s", wrong)
	}
	return nil
}

// isHeaderName tells whether a text is a token of RFC 9110, 5.6.2.
func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func isHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return isControl(r) && r != '\t' })
}

// hiddenHeaders are not given to flows: they hold secrets, addresses of people,
// or what only the transport cares for.
var hiddenHeaders = []string{
	"authorization", "cookie", "secret", "token", "password", "signature", "api-key", "apikey",
	"forwarded", "real-ip", "connecting-ip", "client-ip", "connection", "transfer-encoding", "accept-encoding", "content-length",
}

// maxHeaderValue bounds one header that is kept, in bytes.
const maxHeaderValue = 1 << 10

// shownHeaders are the headers that a flow may see, by lower-case name.
func shownHeaders(header nethttp.Header, also ...string) map[string]any {
	shown := map[string]any{}
	for name, values := range header {
		lower := strings.ToLower(name)
		hidden := func(part string) bool { return strings.Contains(lower, part) }
		value := strings.Join(values, ", ")
		if slices.ContainsFunc(hiddenHeaders, hidden) || slices.Contains(also, nethttp.CanonicalHeaderKey(name)) || len(value) > maxHeaderValue {
			continue
		}
		shown[lower] = value
	}
	return shown
}
