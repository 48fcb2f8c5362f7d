package http

import (
	"bytes"
	"fmt"
	"mime"
	nethttp "net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
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
	if raw, ok := httpcall.ReadJSON(text); ok {
		typed, err := connectors.Any().Convert(raw)
		if err != nil {
			return nil, a.request.unusable(fmt.Sprintf("its answer cannot be read: %v", err))
		}
		return typed, nil
	}
	switch title := httpcall.Title(text); {
	case title != "":
		return nil, a.request.unusable(fmt.Sprintf("it answered with the page %q instead of data", title))
	case isJSON:
		return nil, a.request.unusable(fmt.Sprintf("its answer is no JSON: it begins %q", httpcall.Shorten(string(text), 80)))
	case !utf8.Valid(text):
		return nil, a.request.unusable("its answer is neither JSON nor text")
	}
	return string(text), nil
}

// redirect returns where a 3xx answer points, nil when it is none.
func (a *answer) redirect() *url.URL {
	return httpcall.Redirect(a.status, a.header, a.request.target)
}
