package odoo_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo"
)

// before stands before a simulated Odoo and answers some calls in its place.
func (b *bench) before(answers func(w http.ResponseWriter, r *http.Request) bool) *bench {
	b.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answers(w, r) {
			b.erp.ServeHTTP(w, r)
		}
	}))
	b.t.Cleanup(server.Close)
	connection, err := odoo.Connector{}.Open(connectors.Config{Settings: params{
		"url": server.URL, "database": "sandbox", "login": "admin", "api_key": apiKey,
	}})
	if err != nil {
		b.t.Fatal(err)
	}
	return &bench{t: b.t, erp: b.erp, url: server.URL, connection: connection}
}

// asks tells whether a request is for a method, over either protocol.
func asks(r *http.Request, method string) bool {
	if strings.HasSuffix(r.URL.Path, "/"+method) {
		return true
	}
	body := new(bytes.Buffer)
	if _, err := body.ReadFrom(r.Body); err != nil {
		return false
	}
	r.Body = http.NoBody
	found := bytes.Contains(body.Bytes(), []byte(`"`+method+`"`))
	r.Body = readCloser{bytes.NewReader(body.Bytes())}
	return found
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// A redirect is told, not followed: neither the key nor the call go to another
// server.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer other.Close()
	eachVersion(t, func(t *testing.T, b *bench) {
		for _, status := range []int{301, 302, 303, 307, 308} {
			moved := b.before(func(w http.ResponseWriter, r *http.Request) bool {
				if !asks(r, "create") {
					return false
				}
				http.Redirect(w, r, other.URL+r.URL.Path, status)
				return true
			})
			e := moved.fails("create", params{"model": "res.partner", "values": params{"name": "x"}})
			if e.Class != connectors.Permanent || e.Code != connectors.CodeBadConfig || !strings.Contains(e.Message, other.URL) {
				t.Errorf("%d: %s %s %q", status, e.Class, e.Code, e.Message)
			}
		}
		if n := reached.Load(); n != 0 {
			t.Errorf("the other server was asked %d times", n)
		}
	})
}

// An answer without end is cut off, also one that only grows here; a write that
// got one may have been done.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	for range 66 {
		if _, err := zip.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	eachVersion(t, func(t *testing.T, b *bench) {
		large := b.before(func(w http.ResponseWriter, r *http.Request) bool {
			if !asks(r, "create") && !asks(r, "search_count") {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Bytes()) // the client goes away before the end
			return true
		})
		read := large.fails("count", params{"model": "res.partner"})
		write := large.fails("create", params{"model": "res.partner", "values": params{"name": "x"}})
		if read.Class != connectors.Permanent || write.Class != connectors.Unclear {
			t.Errorf("a read is %s, a write %s: %q", read.Class, write.Class, write.Message)
		}
		for _, e := range []*connectors.Error{read, write} {
			if e.Code != connectors.CodeBadAnswer || !strings.Contains(e.Message, "larger than 64 MB") {
				t.Errorf("%s %q", e.Code, e.Message)
			}
		}
	})
}

// A call whose context is over sends nothing.
func TestCallAfterTheEnd(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := b.connection.Call(ctx, connectors.Call{Operation: "create", Params: params{"model": "res.partner", "values": params{"name": "x"}}})
		if connectors.ClassOf(err) != connectors.Transient {
			t.Errorf("%v", err)
		}
		if n := b.erp.Requested("res.partner", "create"); n != 0 {
			t.Errorf("it was sent %d times", n)
		}
	})
}
