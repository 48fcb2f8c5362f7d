package woocommerce

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/flowctl/flowctl/connectors"
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
	if raw, ok := readJSON(a.body); ok {
		return raw, nil
	}
	if a.slashed && a.status == http.StatusOK {
		return nil, a.notServed()
	}
	if title := pageTitle(a.body); title != "" {
		e := a.unusable(fmt.Sprintf("%s answered with the page %q instead of data", a.where(), title))
		e.Advice = "Open that address in a browser. Is it the shop's own page, then something answers in the API's place: a firewall or a cache (let /wp-json/ through), a page for visitors while the shop is closed, or Settings > Permalinks is Plain. Is it another site's, the shop's URL is wrong."
		return nil, e
	}
	if len(bytes.TrimSpace(a.body)) == 0 {
		return nil, a.unusable("the shop's answer is empty")
	}
	return nil, a.unusable(fmt.Sprintf("the shop's answer is no JSON: it begins %q", shortened(string(a.body), 80)))
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
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	next, err := from.Parse(a.header.Get("Location"))
	if err != nil || a.header.Get("Location") == "" {
		return nil
	}
	return next
}

// refusal is the body of an API error: {code, message, data}. data is an
// object, or a bare status (recordings woo/357, 362).
type refusal struct {
	Code    string
	Message string
	Data    map[string]any
}

func (a *answer) refusal() (refusal, bool) {
	raw, ok := readJSON(a.body)
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

// readJSON reads one JSON value that ends the text; what stands before it is
// skipped. Numbers stay json.Number.
func readJSON(body []byte) (any, bool) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if raw, ok := wholeJSON(body); ok {
		return raw, true
	}
	// PHP notices hold brackets of their own; the JSON starts a line or follows a tag.
	for offset, tries := 0, 0; tries < 64; tries++ {
		next := bytes.IndexAny(body[offset:], "{[")
		if next < 0 {
			return nil, false
		}
		offset += next
		if raw, ok := wholeJSON(body[offset:]); ok {
			return raw, true
		}
		offset++
	}
	return nil, false
}

func wholeJSON(text []byte) (any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var raw any
	if decoder.Decode(&raw) != nil {
		return nil, false
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, false
	}
	return raw, true
}

var (
	titleTag = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	anyTag   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// pageTitle returns the title of an HTML page, "" when the text is none.
func pageTitle(body []byte) string {
	if found := titleTag.FindSubmatch(body[:min(len(body), 64<<10)]); found != nil {
		return plainText(string(found[1]))
	}
	head := strings.ToLower(string(body[:min(len(body), 512)]))
	if strings.Contains(head, "<html") || strings.Contains(head, "<!doctype html") {
		return "untitled"
	}
	return ""
}

// plainText takes tags and entities out of a message for people.
func plainText(text string) string {
	text = html.UnescapeString(anyTag.ReplaceAllString(text, " "))
	return shortened(strings.Join(strings.Fields(text), " "), 500)
}

func shortened(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit]) + "…"
}
