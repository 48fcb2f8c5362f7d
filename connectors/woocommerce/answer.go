package woocommerce

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// answer is what came back, read to its end.
type answer struct {
	request *request
	status  int
	header  http.Header
	body    []byte
	address *url.URL // without keys
	slashed bool     // a redirect to the same address with a slash led here
}

// decoded reads the JSON of an answer, also behind a byte order mark or
// whatever PHP printed before it (recordings woo/618 to 621).
func (a *answer) decoded() (any, error) {
	if raw, ok := httpcall.FindJSON(a.body); ok {
		return raw, nil
	}
	if a.slashed && a.status == http.StatusOK {
		return nil, a.notServed()
	}
	if title := httpcall.Title(a.body); title != "" {
		e := a.unusable(fmt.Sprintf("%s answered with the page %q instead of data", a.where(), title))
		e.Advice = "Open that address in a browser. Is it the shop's own page, then something answers in the API's place: a firewall or a cache (let /wp-json/ through), a page for visitors while the shop is closed, or Settings > Permalinks is Plain. Is it another site's, the shop's URL is wrong."
		return nil, e
	}
	if len(bytes.TrimSpace(a.body)) == 0 {
		return nil, a.unusable("the shop's answer is empty")
	}
	return nil, a.unusable(fmt.Sprintf("the shop's answer is no JSON: it begins %q", httpcall.Shorten(string(a.body), 80)))
}

// unusable is the error of an answer that is not the API's: after a write it is
// not known what happened.
func (a *answer) unusable(message string) *connectors.Error {
	class := connectors.Transient
	if a.request.writes() {
		class = connectors.Unclear
	}
	return &connectors.Error{Class: class, Code: connectors.CodeBadAnswer, Message: message,
		Advice: "A firewall, a cache or a plugin answers in the API's place, or prints into it. Look at the address " + a.where() + " and into the shop's error log."}
}

func (a *answer) where() string {
	plain := *a.address
	plain.RawQuery = ""
	return plain.String()
}

// redirect returns where a 3xx answer points, nil when it is none.
func (a *answer) redirect(from *url.URL) *url.URL {
	return httpcall.Redirect(a.status, a.header, from)
}

// refusal is the body of an API error: {code, message, data}. data is an
// object, or a bare status (recordings woo/357, 362).
type refusal struct {
	Code    string
	Message string
	Data    map[string]any
}

func (a *answer) refusal() (refusal, bool) {
	raw, ok := httpcall.FindJSON(a.body)
	if !ok {
		return refusal{}, false
	}
	return refusalOf(raw)
}

func refusalOf(raw any) (refusal, bool) {
	record, ok := raw.(map[string]any)
	if !ok {
		return refusal{}, false
	}
	code, _ := record["code"].(string)
	message, _ := record["message"].(string)
	data, _ := record["data"].(map[string]any)
	return refusal{Code: code, Message: plainText(message), Data: data}, code != ""
}

// maxWords bounds the shop's own words in a message, in characters.
const maxWords = 500

// plainText takes tags and entities out of a message for people.
func plainText(text string) string { return httpcall.Shorten(httpcall.Plain(text), maxWords) }
