package httpcall_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

func ask(t *testing.T, client *http.Client, address string, limit int64) (*httpcall.Answer, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return httpcall.Do(httpcall.NoRedirects(client), request, limit)
}

func TestAnswersAreReadWhole(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/well", http.StatusTemporaryRedirect)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		case "/cut-error":
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<title>502</title>")
		default:
			_, _ = io.WriteString(w, strings.Repeat("x", 10))
		}
	}))
	defer server.Close()
	for _, c := range []struct {
		path   string
		limit  int64
		status int // 0: no answer
	}{
		{"/well", 10, 200}, {"/well", 9, 0}, {"/moved", 100, 307}, {"/cut", 100, 0}, {"/cut-error", 100, 502},
	} {
		answer, err := ask(t, nil, server.URL+c.path, c.limit)
		var unanswered *httpcall.Unanswered
		switch {
		case c.status == 0:
			if !errors.As(err, &unanswered) || !unanswered.Connected {
				t.Errorf("%s in %d bytes: %v", c.path, c.limit, err)
			}
			if tooLarge := c.path == "/well"; errors.Is(err, httpcall.ErrTooLarge) != tooLarge {
				t.Errorf("%s in %d bytes: %v", c.path, c.limit, err)
			}
		case err != nil || answer.Status != c.status:
			t.Errorf("%s: %+v %v", c.path, answer, err)
		}
	}
}

func TestTroubles(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	trusting := &http.Client{Transport: secure.Client().Transport.(*http.Transport).Clone()}
	trusting.Transport.(*http.Transport).TLSClientConfig.ServerName = "other.example"
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // else its context does not end with the client
		<-r.Context().Done()
	}))
	defer hanging.Close()
	dropping := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer dropping.Close()
	unsigned := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}}

	for name, c := range map[string]struct {
		client    *http.Client
		address   string
		reason    httpcall.Reason
		connected bool
	}{
		"name":      {nil, "http://no-such-name.invalid/", httpcall.NameUnknown, false},
		"nobody":    {nil, "http://" + nobody, httpcall.Refused, false},
		"not https": {nil, strings.Replace(plain.URL, "http:", "https:", 1), httpcall.NotHTTPS, false},
		"unsigned":  {unsigned, secure.URL, httpcall.CertificateUnsigned, false},
		"host":      {trusting, secure.URL, httpcall.CertificateName, false},
		"slow":      {&http.Client{Timeout: 50 * time.Millisecond}, hanging.URL, httpcall.NoAnswerInTime, true},
		"dropped":   {nil, dropping.URL, httpcall.Broken, true},
	} {
		_, err := ask(t, c.client, c.address, 100)
		var unanswered *httpcall.Unanswered
		if !errors.As(err, &unanswered) || unanswered.Connected != c.connected {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := httpcall.Diagnose(err)
		if got.Reason != c.reason {
			t.Errorf("%s: %+v (%v)", name, got, err)
		}
		if strings.Contains(got.Detail, "http://") {
			t.Errorf("%s shows the address: %+v", name, got)
		}
	}
	if got := httpcall.Diagnose(context.Canceled); got.Reason != httpcall.Cancelled {
		t.Errorf("cancelled: %+v", got)
	}
}

func TestPagesAndJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"<html><title>\n 502 &amp; <b>more</b> </title>": "502 & more", "<!DOCTYPE html><p>x": httpcall.Untitled,
		"<html><title></title>": httpcall.Untitled, `{"title": "x"}`: "", "plain": "", "": "",
	} {
		if got := httpcall.Title([]byte(text)); got != want {
			t.Errorf("%q has the title %q", text, got)
		}
	}
	for text, want := range map[string]bool{
		`{"a": 1}`: true, "\ufeff[1]": true, "<b>Warning</b>: x in [line 3]\n{\"a\": 1}": true, "Notice: {x} [1]": true,
		`{"a": 1} trailing`: false, "": false, "no": false, strings.Repeat("[", 1000): false,
	} {
		if _, ok := httpcall.FindJSON([]byte(text)); ok != want {
			t.Errorf("%.40q: %v", text, ok)
		}
	}
	if _, ok := httpcall.ReadJSON([]byte(`x {"a": 1}`)); ok {
		t.Error("JSON after a prefix was read as whole")
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "1.5": 1500 * time.Millisecond, "-3": 0, "soon": 0, "NaN": 0, "Inf": 0, "1e9": 0,
		"99999999999999999999": time.Hour, "Mon, 23 Nov 2026 09:02:00 GMT": 2 * time.Minute, "Mon, 23 Nov 2026 08:00:00 GMT": 0,
	} {
		if got := httpcall.RetryAfter(http.Header{"Retry-After": {text}}, now, time.Hour); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

func TestRedirectsAndOrigins(t *testing.T) {
	t.Parallel()
	from := &url.URL{Scheme: "https", Host: "shop.example", Path: "/a/b"}
	for location, c := range map[string]struct {
		next string
		same bool
	}{
		"/c": {"https://shop.example/c", true}, "c": {"https://shop.example/a/c", true}, "https://SHOP.example/x": {"https://SHOP.example/x", true},
		"http://shop.example/": {"http://shop.example/", false}, "//evil.example/": {"https://evil.example/", false},
		"https://u:p@shop.example/": {"https://u:p@shop.example/", false},
	} {
		next := httpcall.Redirect(302, http.Header{"Location": {location}}, from)
		if next == nil || next.String() != c.next || httpcall.SameOrigin(from, next) != c.same {
			t.Errorf("%q leads to %v", location, next)
		}
	}
	if next := httpcall.Redirect(200, http.Header{"Location": {"/c"}}, from); next != nil {
		t.Errorf("a 200 leads to %v", next)
	}
	if next := httpcall.Redirect(302, http.Header{}, from); next != nil {
		t.Errorf("nowhere leads to %v", next)
	}
}

func TestSecretsAreTakenOut(t *testing.T) {
	t.Parallel()
	secret := `p&"ss/wörd+1`
	scrubber := httpcall.NewScrubber(secret, "", "p&")
	for _, form := range []string{secret, "p%26%22ss%2Fw%C3%B6rd%2B1", `p\u0026\"ss/wörd+1`, "cCYic3Mvd8O2cmQrMQ=="} {
		err := scrubber.Error(&connectors.Error{Message: "got " + form + "!", Advice: form, Err: errors.New(form)})
		var e *connectors.Error
		if !errors.As(err, &e) || e.Message != "got •••!" || e.Advice != "•••" || e.Err != nil {
			t.Errorf("%q: %+v", form, e)
		}
	}
	plain := errors.New(secret)
	if scrubber.Error(plain) != plain || scrubber.Error(nil) != nil {
		t.Error("an error of another type does not pass")
	}
}
