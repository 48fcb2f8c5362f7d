package http

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"mime"
	nethttp "net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/flowctl/flowctl/connectors"
)

// answer is what came back, read to its end.
type answer struct {
	request *request
	status  int
	header  nethttp.Header
	body    []byte
}

func (a *answer) ok() bool { return a.status >= 200 && a.status < 300 }

// result is what the flow gets, or the error that the answer means.
func (a *answer) result() (any, error) {
	gone := a.status == nethttp.StatusNotFound || a.status == nethttp.StatusGone
	if gone && a.request.action.goneIsDone {
		return a.resultWith(nil), nil
	}
	if !a.ok() {
		return nil, a.failure()
	}
	body, err := a.decoded()
	if err != nil {
		return nil, err
	}
	return a.resultWith(body), nil
}

func (a *answer) resultWith(body any) map[string]any {
	return map[string]any{"status": int64(a.status), "headers": shownHeaders(a.header), "body": body}
}

// decoded reads the body: JSON, or plain text (some APIs answer a bare "ok"). A
// page for people is an error, whatever its status says.
func (a *answer) decoded() (any, error) {
	text := bytes.TrimPrefix(a.body, []byte("\ufeff"))
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	isJSON := err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
	if raw, ok := readJSON(text); ok {
		typed, err := connectors.Any().Convert(raw)
		if err != nil {
			return nil, a.unusable(fmt.Sprintf("its answer cannot be read: %v", err))
		}
		return typed, nil
	}
	switch title := pageTitle(text); {
	case title != "":
		return nil, a.unusable(fmt.Sprintf("it answered with the page %q instead of data", title))
	case isJSON:
		return nil, a.unusable(fmt.Sprintf("its answer is no JSON: it begins %q", shortened(string(text), 80)))
	case !utf8.Valid(text):
		return nil, a.unusable("its answer is neither JSON nor text")
	}
	return string(text), nil
}

// readJSON reads a text that is one JSON value. Numbers stay json.Number.
func readJSON(text []byte) (any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var raw any
	if decoder.Decode(&raw) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return raw, err == io.EOF
}

// redirect returns where a 3xx answer points, nil when it is none.
func (a *answer) redirect() *url.URL {
	switch a.status {
	case nethttp.StatusMovedPermanently, nethttp.StatusFound, nethttp.StatusSeeOther,
		nethttp.StatusTemporaryRedirect, nethttp.StatusPermanentRedirect:
	default:
		return nil
	}
	location := a.header.Get("Location")
	next, err := a.request.target.Parse(location)
	if err != nil || location == "" {
		return nil
	}
	return next
}

var (
	titleTag = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	anyTag   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// pageTitle returns the title of an HTML page, "" when the text is none.
func pageTitle(body []byte) string {
	head := string(body[:min(len(body), 64<<10)])
	if found := titleTag.FindStringSubmatch(head); found != nil {
		if title := plainText(found[1]); title != "" {
			return title
		}
		return "untitled"
	}
	start := strings.ToLower(head[:min(len(head), 512)])
	if strings.Contains(start, "<html") || strings.Contains(start, "<!doctype html") {
		return "untitled"
	}
	return ""
}

// plainText takes tags and entities out of a message for people.
func plainText(text string) string {
	text = html.UnescapeString(anyTag.ReplaceAllString(text, " "))
	return shortened(strings.Join(strings.Fields(text), " "), 300)
}

func shortened(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}
