package woocommerce

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

const (
	page502     = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body>\r\n</html>"
	fatalPage   = "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head>\n\t<title>WordPress &rsaquo; Error</title>\n</head><body></body></html>"
	fatalJSON   = `{"code":"internal_server_error","message":"<p>There has been a critical error on this website.<\/p>","data":{"status":500,"error":{"type":1}},"additional_errors":[]}`
	dbJSON      = `{"code":"wp_die","message":"<h1>Error establishing a database connection<\/h1>","data":{"status":500},"additional_errors":[]}`
	maintenance = `{"code":"wp_die","message":"Briefly unavailable for scheduled maintenance. Check back in a minute.","data":{"status":503},"additional_errors":[]}`
	refundJSON  = `{"code":"woocommerce_rest_cannot_create_order_refund","message":"Invalid refund amount.","data":500}`
)

func TestFaults(t *testing.T) {
	t.Parallel()
	html := http.Header{"Content-Type": {"text/html"}}
	wait := http.Header{"Retry-After": {"600"}}
	for _, c := range []struct {
		name        string
		fault       sandbox.Fault
		read, write connectors.Class // "" means success
		code        string
		says        string
		retry       time.Duration
	}{
		{"a PHP warning before the JSON (woo/618, 621)", sandbox.Fault{Prefix: "<br />\n<b>Warning</b>:  foo[1] in <b>/x.php</b> on line <b>18</b><br />\n"}, "", "", "", "", 0},
		{"a byte order mark (woo/620)", sandbox.Fault{Prefix: "\ufeff\n"}, "", "", "", "", 0},
		{"a fatal error page (woo/622)", sandbox.Fault{Status: 500, Header: html, Body: fatalPage}, connectors.Transient, connectors.Unclear, connectors.CodeBadAnswer, `page "WordPress › Error"`, 0},
		{"a fatal error (woo/641)", sandbox.Fault{Status: 500, Body: fatalJSON}, connectors.Transient, connectors.Unclear, "internal_server_error", "critical error on this website", 0},
		{"no database (woo/642)", sandbox.Fault{Status: 500, Body: dbJSON}, connectors.Transient, connectors.Transient, "wp_die", "database connection", 0},
		{"maintenance (woo/643)", sandbox.Fault{Status: 503, Header: wait, Body: maintenance}, connectors.Transient, connectors.Transient, "wp_die", "scheduled maintenance", 10 * time.Minute},
		{"a maintenance page (woo/625)", sandbox.Fault{Status: 503, Header: wait, Body: "<title>Maintenance</title>"}, connectors.Transient, connectors.Transient, connectors.CodeBadAnswer, `page "Maintenance"`, 10 * time.Minute},
		{"an overloaded proxy", sandbox.Fault{Status: 503, Header: html, Body: "<title>Backend fetch failed</title>"}, connectors.Transient, connectors.Unclear, connectors.CodeBadAnswer, "Backend fetch failed", 0},
		{"a bad gateway (woo/624)", sandbox.Fault{Status: 502, Header: html, Body: page502}, connectors.Transient, connectors.Unclear, connectors.CodeBadAnswer, `page "502 Bad Gateway"`, 0},
		{"too many requests", sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: "slow down"}, connectors.Transient, connectors.Transient, connectors.CodeRateLimited, "429", 7 * time.Second},
		{"too many requests, told by a plugin", sandbox.Fault{Status: 429, Body: `{"code":"rate_limit","message":"Slow down.","data":{"status":429}}`}, connectors.Transient, connectors.Transient, connectors.CodeRateLimited, "Slow down", 0},
		{"a firewall", sandbox.Fault{Status: 403, Header: html, Body: "<title>Access denied | Shield</title>"}, connectors.Permanent, connectors.Permanent, connectors.CodeForbidden, "Access denied | Shield", 0},
		{"a firewall's page with 200", sandbox.Fault{Status: 200, Header: html, Body: "<!doctype html><title>Checking your browser</title>"}, connectors.Transient, connectors.Unclear, connectors.CodeBadAnswer, `answered with the page "Checking your browser"`, 0},
		{"an empty answer", sandbox.Fault{Status: 200}, connectors.Transient, connectors.Unclear, connectors.CodeBadAnswer, "empty", 0},
		{"half an answer", sandbox.Fault{Status: 200, Body: `{"id": 1, "name"`}, connectors.Transient, connectors.Unclear, connectors.CodeBadAnswer, "no JSON", 0},
		{"a body cut off", sandbox.Fault{After: true, Cut: true, CutAfter: 40}, connectors.Transient, connectors.Unclear, connectors.CodeUnreachable, "connection broke", 0},
		{"a connection cut off", sandbox.Fault{Cut: true}, connectors.Transient, connectors.Unclear, connectors.CodeUnreachable, "connection broke", 0},
		{"a refusal with 500 (woo/357)", sandbox.Fault{Status: 500, Body: refundJSON}, connectors.Permanent, connectors.Permanent, "woocommerce_rest_cannot_create_order_refund", "Invalid refund amount", 0},
		{"a page that is not there (woo/603)", sandbox.Fault{Status: 404, Header: html, Body: "<title>Page not found &#8211; Live Woo</title>"}, connectors.Permanent, connectors.Permanent, connectors.CodeBadConfig, "Page not found – Live Woo", 0},
		{"a password on the whole site", sandbox.Fault{Status: 401, Header: html, Body: "<title>Authorization Required</title>"}, connectors.Permanent, connectors.Permanent, connectors.CodeUnauthorized, "Authorization Required", 0},
		{"a redirect to another host", sandbox.Fault{Status: 301, Header: http.Header{"Location": {"https://www.elsewhere.test/wp-json/wc/v3/products/1?consumer_secret=x"}}}, connectors.Permanent, connectors.Permanent, connectors.CodeBadConfig, "redirects to https://www.elsewhere.test/wp-json", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := overTLS(t, nil, sandbox.Options{})
			blue, _ := addMugs(b.shop)
			b.call(t, "products.get", map[string]any{"id": blue}) // the way in is known
			b.shop.SetFault(func(*http.Request) *sandbox.Fault { f := c.fault; return &f })
			for _, attempt := range []struct {
				operation string
				params    map[string]any
				want      connectors.Class
			}{
				{"products.get", map[string]any{"id": blue}, c.read},
				{"products.update", map[string]any{"id": blue, "values": map[string]any{"name": "New"}}, c.write},
			} {
				if attempt.want == "" {
					b.call(t, attempt.operation, attempt.params)
					continue
				}
				e := fail(t, b.conn, attempt.operation, attempt.params)
				if e.Class != attempt.want || e.Code != c.code || !strings.Contains(e.Message, c.says) || e.RetryAfter != c.retry {
					t.Errorf("%s: %s, %s, %q, %v; want %s, %s, %q, %v", attempt.operation, e.Class, e.Code, e.Message, e.RetryAfter, attempt.want, c.code, c.says, c.retry)
				}
				if strings.Contains(e.Message+e.Advice, "consumer_secret") {
					t.Errorf("%s shows a query: %q", attempt.operation, e.Message)
				}
			}
		})
	}
}

// TestNoAnswer: a write that arrived and was never answered is unclear, a read
// is only tried again.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	blue, _ := addMugs(b.shop)
	b.shop.SetFault(func(*http.Request) *sandbox.Fault { return &sandbox.Fault{Delay: time.Hour, After: true} })
	for _, c := range []struct {
		operation string
		params    map[string]any
		want      connectors.Class
	}{
		{"products.get", map[string]any{"id": blue}, connectors.Transient},
		{"products.update", map[string]any{"id": blue, "values": map[string]any{"name": "Late"}}, connectors.Unclear},
	} {
		b.shop.ForgetRequests()
		ctx, cancel := context.WithCancel(context.Background())
		go func() { // gives up once the shop has done its work
			for len(b.shop.Requests()) == 0 || b.shop.Requests()[0].Status == 0 {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		_, err := b.conn.Call(ctx, connectors.Call{Operation: c.operation, Params: c.params})
		if connectors.ClassOf(err) != c.want || !connectors.HasCode(err, connectors.CodeUnreachable) {
			t.Errorf("%s: %v (%s), want %s", c.operation, err, connectors.ClassOf(err), c.want)
		}
	}
	b.shop.SetFault(nil)
	if got := b.call(t, "products.get", map[string]any{"id": blue}); got["name"] != "Late" {
		t.Errorf("the write that was not answered did not happen: %v", got["name"])
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	b.shop.SetFault(func(*http.Request) *sandbox.Fault { return &sandbox.Fault{Delay: time.Hour} })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := b.conn.Call(ctx, connectors.Call{Operation: "orders.list"})
	if connectors.ClassOf(err) != connectors.Transient || !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("%v (%s)", err, connectors.ClassOf(err))
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	for _, c := range []struct{ url, says string }{
		{"http://" + address, "refuses connections"},
		{"https://" + address, "refuses connections"},
		{"http://no-such-shop.invalid", "no-such-shop.invalid"},
	} {
		conn := open(t, c.url, nil)
		e := fail(t, conn, "products.create", map[string]any{"values": map[string]any{"name": "x"}})
		if e.Class != connectors.Transient || e.Code != connectors.CodeUnreachable || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: %s, %s, %q", c.url, e.Class, e.Code, e.Message)
		}
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for url, says := range map[string]string{
		server.URL: "signed by no authority",
		strings.Replace(plain.URL, "http:", "https:", 1): "does not speak https",
		"https://" + hangsUp(t):                          "hangs up instead of speaking https",
	} {
		e := fail(t, open(t, url, nil), "products.get", map[string]any{"id": int64(1)})
		if e.Class != connectors.Transient || !strings.Contains(e.Message, says) {
			t.Errorf("%s: %s, %q; want %q", url, e.Class, e.Message, says)
		}
	}
}

// hangsUp is the address of a server that closes each connection at its first
// bytes, as PHP's own does when it is asked for https.
func hangsUp(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			// Read to the end, or the close is a reset.
			_, _ = conn.Read(make([]byte, 64<<10))
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

// TestRedirects: reads follow within the shop, with fresh keys; writes never.
func TestRedirects(t *testing.T) {
	t.Parallel()
	moved := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/") {
				target := *r.URL
				target.Path += "/"
				http.Redirect(w, r, target.String(), http.StatusMovedPermanently)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	b := overTLS(t, moved, sandbox.Options{})
	blue, _ := addMugs(b.shop)
	b.call(t, "products.get", map[string]any{"id": blue})
	e := fail(t, b.conn, "products.update", map[string]any{"id": blue, "values": map[string]any{"name": "x"}})
	if e.Class != connectors.Permanent || b.shop.Writes() != 0 {
		t.Errorf("a redirected write: %s, %q, %d writes", e.Class, e.Message, b.shop.Writes())
	}
}

// TestPlainPermalinks: a read is redirected to the same address with a slash
// (woo/626), where the front page is; a write gets the front page at once.
func TestPlainPermalinks(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{Settings: &sandbox.Settings{Name: "Lab", PlainPermalinks: true, Currency: "EUR", Decimals: 2}})
	read := fail(t, b.conn, "products.get", map[string]any{"id": int64(1)})
	if read.Class != connectors.Permanent || read.Code != connectors.CodeBadConfig || !strings.Contains(read.Advice, "Permalinks") {
		t.Errorf("a read: %s, %s, %q, %q", read.Class, read.Code, read.Message, read.Advice)
	}
	write := fail(t, b.conn, "products.update", map[string]any{"id": int64(1), "values": map[string]any{"name": "x"}})
	if write.Code != connectors.CodeBadAnswer || !strings.Contains(write.Message, `page "Lab"`) || !strings.Contains(write.Advice, "Permalinks") {
		t.Errorf("a write: %s, %q, %q", write.Code, write.Message, write.Advice)
	}
}

// TestRedirectToItself: a redirect to the same address, for ever.
func TestRedirectToItself(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", strings.TrimSuffix(r.URL.Path, "/")+"/")
		w.WriteHeader(http.StatusMovedPermanently)
	}))
	defer server.Close()
	e := fail(t, open(t, server.URL, server.Client()), "products.list", nil)
	if e.Code != connectors.CodeBadConfig || !strings.Contains(e.Advice, "Permalinks") {
		t.Errorf("%s, %q, %q", e.Code, e.Message, e.Advice)
	}
}

// TestHugeAnswer: a body is read up to its bound and no further.
func TestHugeAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range 40 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	e := fail(t, open(t, server.URL, server.Client()), "products.list", nil)
	if e.Code != connectors.CodeBadAnswer || !strings.Contains(e.Message, "larger than") {
		t.Errorf("%s, %q", e.Code, e.Message)
	}
}
