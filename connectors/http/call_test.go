package http

import (
	"fmt"
	nethttp "net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
)

func TestRequestsAsTheyReachTheAPI(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 30, 0, 0, time.FixedZone("", 3600))
	for name, test := range map[string]struct {
		operation string
		params    record
		want      string // method, address and body
	}{
		"get":            {"get", record{"path": "/items"}, "GET /v1/items "},
		"a value in it":  {"get", record{"path": "items/{sku}", "path_values": record{"sku": "a/b c?"}}, "GET /v1/items/a%2Fb%20c%3F "},
		"an id in it":    {"get", record{"path": "/items/{id}/parts", "path_values": record{"id": int64(12)}}, "GET /v1/items/12/parts "},
		"escapes stay":   {"get", record{"path": "/items/a%2Fb"}, "GET /v1/items/a%2Fb "},
		"query":          {"get", record{"path": "/items", "query": record{"id": []any{int64(1), int64(2)}, "q": "a&b", "none": nil, "since": at}}, "GET /v1/items?id=1&id=2&q=a%26b&since=2026-03-01T11%3A30%3A00Z "},
		"query by POST":  {"query", record{"path": "/search", "body": record{"q": "mug"}}, `POST /v1/search {"q":"mug"}`},
		"post":           {"post", record{"path": "/items", "body": record{"price": decimal.RequireFromString("12.50"), "at": at, "n": int64(9007199254740993)}}, `POST /v1/items {"at":"2026-03-01T11:30:00Z","n":9007199254740993,"price":12.5}`},
		"a list as body": {"put", record{"path": "/items", "body": []any{true, nil, "x"}}, `PUT /v1/items [true,null,"x"]`},
		"patch":          {"patch", record{"path": "/items/1", "body": record{}}, `PATCH /v1/items/1 {}`},
		"delete":         {"delete", record{"path": "/items/1"}, "DELETE /v1/items/1 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, answers(200, `{}`))
			b.call(t, test.operation, test.params)
			r := b.requests()[0]
			if got := r.method + " " + r.uri + " " + r.body; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if hasBody := r.body != ""; hasBody != (r.header.Get("Content-Type") == "application/json") {
				t.Errorf("content type %q", r.header.Get("Content-Type"))
			}
		})
	}
}

func TestWaysToProveWhoWeAre(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings     record
		header, want string
	}{
		"none":      {record{}, "Authorization", ""},
		"bearer":    {record{"auth": "bearer", "token": "t0k"}, "Authorization", "Bearer t0k"},
		"basic":     {record{"auth": "basic", "user": "jo", "password": " pw "}, "Authorization", "Basic am86IHB3IA=="},
		"header":    {record{"auth": "header", "token": "t0k"}, "X-Api-Key", "t0k"},
		"its name":  {record{"auth": "header", "token": "t0k", "token_header": "x-shop-key"}, "X-Shop-Key", "t0k"},
		"and more":  {record{"headers": record{"X-Tenant": "acme"}}, "X-Tenant", "acme"},
		"of a call": {record{"headers": record{"X-Tenant": "acme"}}, "Accept", "text/csv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serve(t, answers(200, `{}`), test.settings)
			params := record{"path": "/"}
			if name == "of a call" {
				params["headers"] = record{"accept": "text/csv"}
			}
			b.call(t, "get", params)
			if got := b.requests()[0].header.Get(test.header); got != test.want {
				t.Errorf("%s: %q, want %q", test.header, got, test.want)
			}
		})
	}
}

func TestPostOnceSendsItsKey(t *testing.T) {
	t.Parallel()
	b := serve(t, answers(201, `{"id": 7}`))
	got := b.call(t, "post_once", record{"path": "/orders", "body": record{}, "idempotency_key": "order-12"})
	if got["status"] != int64(201) || !reflect.DeepEqual(got["body"], record{"id": int64(7)}) {
		t.Errorf("got %v", got)
	}
	b.call(t, "post_once", record{"path": "/orders", "idempotency_key": "order-12", "idempotency_header": "X-Request-Key"})
	if first, second := b.requests()[0].header.Get("Idempotency-Key"), b.requests()[1].header.Get("X-Request-Key"); first != "order-12" || second != "order-12" {
		t.Errorf("keys %q and %q", first, second)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		operation string
		answer    nethttp.HandlerFunc
		status    int64
		body      any
	}{
		"a record":         {"get", answers(200, `{"total": 12.50, "id": 3, "big": 9007199254740993}`), 200, record{"total": decimal.RequireFromString("12.50"), "id": int64(3), "big": int64(9007199254740993)}},
		"a list":           {"get", answers(200, `[1]`, "Content-Type", "application/json"), 200, []any{int64(1)}},
		"nothing":          {"post", answers(204, ""), 204, nil},
		"a text":           {"post", answers(200, "ok", "Content-Type", "text/plain"), 200, "ok"},
		"a mark before it": {"get", answers(200, "\ufeff{}"), 200, record{}},
		"deleted":          {"delete", answers(200, `{}`), 200, record{}},
		"gone already":     {"delete", answers(404, `{"message": "no such item"}`), 404, nil},
		"gone for good":    {"delete", answers(410, ``), 410, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, test.answer).call(t, test.operation, record{"path": "/x"})
			// Decimals are compared by value.
			if got["status"] != test.status || fmt.Sprint(got["body"]) != fmt.Sprint(test.body) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestHeadersOfAnAnswer(t *testing.T) {
	t.Parallel()
	b := serve(t, answers(200, `{}`, "X-Total", "12", "Set-Cookie", "session=1", "X-Auth-Token", "t", "X-Long", strings.Repeat("x", 2000)))
	headers := b.call(t, "get", record{"path": "/"})["headers"].(record)
	if headers["x-total"] != "12" {
		t.Errorf("x-total is missing: %v", headers)
	}
	for _, name := range []string{"set-cookie", "x-auth-token", "x-long"} {
		if _, shown := headers[name]; shown {
			t.Errorf("%s is shown", name)
		}
	}
}

func TestParametersThatCannotBe(t *testing.T) {
	t.Parallel()
	b := serve(t, answers(200, `{}`), record{"auth": "header", "token": "t0k"})
	for name, test := range map[string]struct {
		operation string
		params    record
		says      string
	}{
		"no operation":           {"list", record{"path": "/"}, `no operation "list"`},
		"no path":                {"get", record{}, `needs the parameter "path"`},
		"an unknown one":         {"get", record{"path": "/", "body": record{}}, `no parameter "body"`},
		"a path that is no text": {"get", record{"path": int64(1)}, "path must be text"},
		"no key":                 {"post_once", record{"path": "/"}, `needs the parameter "idempotency_key"`},
		"an address":             {"get", record{"path": "https://evil.example/x"}, "not an address"},
		"another host":           {"get", record{"path": "//evil.example/x"}, "not an address"},
		"upwards":                {"get", record{"path": "/items/../admin"}, "must not hold . or .."},
		"upwards, escaped":       {"get", record{"path": "/items/%2e%2E/admin"}, "must not hold . or .."},
		"upwards by a value":     {"get", record{"path": "/items/{a}{b}", "path_values": record{"a": ".", "b": "."}}, "must not hold . or .."},
		"a query in it":          {"get", record{"path": "/items?a=b"}, "belong in query"},
		"a line break in it":     {"get", record{"path": "/a%0d%0ab"}, "control characters"},
		"no value":               {"get", record{"path": "/items/{sku}"}, "no value for {sku}"},
		"an empty value":         {"get", record{"path": "/items/{sku}", "path_values": record{"sku": ""}}, "no text or number"},
		"a value too many":       {"get", record{"path": "/items", "path_values": record{"sku": "x"}}, "the path has no {sku}"},
		"an open brace":          {"get", record{"path": "/items/{sku"}, "without its }"},
		"a record in the query":  {"get", record{"path": "/", "query": record{"a": record{}}}, "must be text"},
		"a broken header":        {"get", record{"path": "/", "headers": record{"X-A": "b\r\nX-C: d"}}, "line break"},
		"a header's name":        {"get", record{"path": "/", "headers": record{"X A": "b"}}, "no name of a header"},
		"our own header":         {"get", record{"path": "/", "headers": record{"x-api-key": "b"}}, "set by the connection"},
		"authorization":          {"get", record{"path": "/", "headers": record{"authorization": "b"}}, "set by the connection"},
		"the host":               {"get", record{"path": "/", "headers": record{"Host": "b"}}, "set by the connection"},
		"a broken key":           {"post_once", record{"path": "/", "idempotency_key": "a\nb"}, "line break"},
		"too much":               {"post", record{"path": "/", "body": strings.Repeat("x", MaxBody)}, "more than"},
	} {
		told := fail(t, b.conn, test.operation, test.params)
		if told.Code != connectors.CodeBadParams || told.Class != connectors.Permanent || !strings.Contains(told.Message, test.says) {
			t.Errorf("%s: %s, %s", name, told.Code, told.Message)
		}
	}
	if n := len(b.requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// Whatever stands in a path or a value, the request stays below the base URL.
func TestPathsStayBelowTheBase(t *testing.T) {
	t.Parallel()
	conn := open(t, nil, record{"base_url": "https://api.example.com/v1"})
	part := rapid.SampledFrom([]string{"a", "..", ".", "/", "%2e", "%2F", "{v}", "{w}", ":", "@", "http:", "é", ";", "%", " "})
	rapid.Check(t, func(t *rapid.T) {
		path := strings.Join(rapid.SliceOfN(part, 1, 8).Draw(t, "path"), "")
		values := record{"v": rapid.String().Draw(t, "v"), "w": rapid.SampledFrom([]string{"..", ".", "../x", "/", "\\", "a"}).Draw(t, "w")}
		for _, name := range []string{"v", "w"} {
			if !strings.Contains(path, "{"+name+"}") {
				delete(values, name)
			}
		}
		target, err := conn.target(path, values)
		if err != nil {
			return
		}
		escaped := target.EscapedPath()
		if target.Host != "api.example.com" || target.User != nil || !strings.HasPrefix(escaped, "/v1/") {
			t.Fatalf("%q became %s", path, target)
		}
		for segment := range strings.SplitSeq(escaped, "/") {
			if plain := strings.ReplaceAll(strings.ToLower(segment), "%2e", "."); plain == "." || plain == ".." {
				t.Fatalf("%q became %s", path, target)
			}
		}
		if again, err := target.Parse(target.String()); err != nil || again.EscapedPath() != escaped {
			t.Fatalf("%q became %s, which reads as %v", path, target, again)
		}
	})
}
