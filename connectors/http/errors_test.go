package http

import (
	"context"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

const (
	permanent = connectors.Permanent
	transient = connectors.Transient
	unclear   = connectors.Unclear
)

func TestErrorAnswers(t *testing.T) {
	t.Parallel()
	page := `<html><head><title>Just a moment…</title></head></html>`
	for name, test := range map[string]struct {
		operation string
		answer    nethttp.HandlerFunc
		class     connectors.Class
		code      string
		says      string
	}{
		"unknown":                {"get", answers(404, `{"message": "no such item"}`), permanent, connectors.CodeNotFound, "no such item"},
		"refused":                {"post", answers(422, `{"errors": [{"detail": "sku is taken"}]}`), permanent, "http_422", "sku is taken"},
		"a problem document":     {"post", answers(409, `{"title": "Conflict", "detail": "exists already"}`), permanent, "http_409", "exists already"},
		"an error by its record": {"get", answers(400, `{"error": {"message": "bad filter"}}`), permanent, "http_400", "bad filter"},
		"not known":              {"get", answers(401, ``), permanent, connectors.CodeUnauthorized, "HTTP 401"},
		"not allowed":            {"get", answers(403, page), permanent, connectors.CodeForbidden, `"Just a moment…"`},
		"too many":               {"post", answers(429, ``, "Retry-After", "7"), transient, connectors.CodeRateLimited, "HTTP 429"},
		"back soon":              {"post", answers(503, ``, "Retry-After", "7"), transient, "http_503", "HTTP 503"},
		"a read that broke":      {"get", answers(502, page), transient, "http_502", "Just a moment"},
		"a write that broke":     {"post", answers(502, page), unclear, "http_502", "not known"},
		"a put that broke":       {"put", answers(500, ``), unclear, "http_500", "not known"},
		"a question that broke":  {"query", answers(500, ``), transient, "http_500", ""},
		"not offered":            {"post", answers(501, ``), permanent, "http_501", ""},
		"a page for people":      {"get", answers(200, page), transient, connectors.CodeBadAnswer, "Just a moment"},
		"a page after a write":   {"post", answers(200, page), unclear, connectors.CodeBadAnswer, "not known"},
		"JSON cut off":           {"get", answers(200, `{"a": `, "Content-Type", "application/json"), transient, connectors.CodeBadAnswer, "no JSON"},
		"no text at all":         {"get", answers(200, "\xff\xfe\x00"), transient, connectors.CodeBadAnswer, "neither JSON nor text"},
		"a huge number":          {"get", answers(200, `{"a": 1e999999999}`), transient, connectors.CodeBadAnswer, "cannot be read"},
		"a redirected write":     {"post", answers(302, ``, "Location", "/v1/login"), permanent, connectors.CodeBadConfig, "redirects to https://"},
		"a write seen elsewhere": {"post", answers(303, ``, "Location", "/v1/new"), unclear, connectors.CodeBadAnswer, "not known"},
		"a redirected delete":    {"delete", answers(307, ``, "Location", "/v1/new"), permanent, connectors.CodeBadConfig, "redirects to"},
		"round and round":        {"get", answers(302, ``, "Location", "/v1/x"), permanent, connectors.CodeBadConfig, "redirects to"},
		"to another origin":      {"get", answers(302, ``, "Location", "https://evil.example/x?token=1"), permanent, connectors.CodeBadConfig, "redirects to https://evil.example/x"},
		"to nowhere":             {"get", answers(302, ``), permanent, connectors.CodeBadConfig, "without saying where"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, test.answer)
			told := fail(t, b.conn, test.operation, record{"path": "/x", "query": record{"private": "yes"}})
			if told.Class != test.class || told.Code != test.code || !strings.Contains(told.Message, test.says) {
				t.Errorf("%s, %s: %s", told.Class, told.Code, told.Message)
			}
			if strings.Contains(told.Message, "private") || strings.Contains(told.Message, "token=1") {
				t.Errorf("the query is shown: %s", told.Message)
			}
			if wantsWait := strings.Contains(name, "soon") || strings.Contains(name, "many"); wantsWait != (told.RetryAfter == 7*time.Second) {
				t.Errorf("to be left alone for %s", told.RetryAfter)
			}
		})
	}
}

func TestRedirectsWithinTheAddressAreFollowed(t *testing.T) {
	t.Parallel()
	b := serve(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.URL.Path == "/v1/old" {
			nethttp.Redirect(w, r, "/v1/new", nethttp.StatusMovedPermanently)
			return
		}
		answers(200, `"here"`)(w, r)
	}, record{"auth": "bearer", "token": "t0k"})
	if got := b.call(t, "get", record{"path": "/old"}); got["body"] != "here" {
		t.Errorf("got %v", got)
	}
	if got := b.requests()[1].header.Get("Authorization"); got != "Bearer t0k" {
		t.Errorf("asked there as %q", got)
	}
}

func TestSecretsAreNotEchoed(t *testing.T) {
	t.Parallel()
	echo := func(w nethttp.ResponseWriter, r *nethttp.Request) {
		answers(400, `{"message": "what is `+r.Header.Get("Authorization")+`?"}`)(w, r)
	}
	for name, settings := range map[string]record{
		"bearer": {"auth": "bearer", "token": "s3cret"},
		"basic":  {"auth": "basic", "user": "jo", "password": "s3cret"},
	} {
		told := fail(t, serve(t, echo, settings).conn, "get", record{"path": "/"})
		if strings.Contains(told.Message, "s3cret") || strings.Contains(told.Message, "am86czNjcmV0") || !strings.Contains(told.Message, "•••") {
			t.Errorf("%s: %s", name, told.Message)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	hangUp := func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		conn, _, err := w.(nethttp.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	server := httptest.NewServer(nethttp.HandlerFunc(hangUp))
	t.Cleanup(server.Close)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + nobody.Addr().String()
	nobody.Close()
	private := record{"allow_private": true}
	for name, test := range map[string]struct {
		url, operation string
		class          connectors.Class
	}{
		"a read, refused":      {closed, "get", transient},
		"a write, refused":     {closed, "post", transient},
		"a read, hung up":      {server.URL, "get", transient},
		"a write, hung up":     {server.URL, "post", unclear},
		"a delete, hung up":    {server.URL, "delete", unclear},
		"https at a http port": {strings.Replace(server.URL, "http:", "https:", 1), "get", transient},
	} {
		told := fail(t, open(t, nil, private, record{"base_url": test.url}), test.operation, record{"path": "/"})
		if told.Class != test.class || told.Code != connectors.CodeUnreachable {
			t.Errorf("%s: %s, %s: %s", name, told.Class, told.Code, told.Message)
		}
	}
}

func TestTooSlow(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := serve(t, func(nethttp.ResponseWriter, *nethttp.Request) { <-release })
	t.Cleanup(func() { close(release) })
	for operation, class := range map[string]connectors.Class{"get": transient, "post": unclear} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := b.conn.Call(ctx, connectors.Call{Operation: operation, Params: record{"path": "/"}})
		cancel()
		if connectors.ClassOf(err) != class || !strings.Contains(err.Error(), "in time") {
			t.Errorf("%s: %s: %v", operation, connectors.ClassOf(err), err)
		}
	}
}

func TestRetryAfterIsRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, " 5 ": 5 * time.Second, "-5": 0, "soon": 0, "1e9": 0, "99999999": maxRetryAfter,
		"Sun, 01 Mar 2026 12:00:30 GMT": 30 * time.Second, "Sun, 01 Mar 2026 11:00:30 GMT": 0,
	} {
		if got := httpcall.RetryAfter(nethttp.Header{"Retry-After": {text}}, now, maxRetryAfter); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
