package woocommerce

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
)

// MaxAnswer bounds the body of an answer, in bytes: 100 orders with much meta
// data are some 2 MB.
const MaxAnswer = 32 << 20

// maxRedirects bounds the redirects that a read follows.
const maxRedirects = 3

const userAgent = "flowctl (https://github.com/flowctl/flowctl)"

// request is one call, not yet authorized.
type request struct {
	op        *operation
	method    string
	namespace string // wc/v3, or a plugin's
	path      string // below the namespace, escaped
	query     url.Values
	body      []byte // JSON, nil for none
}

func (r *request) writes() bool { return r.method != http.MethodGet }

// do sends a request and returns an answer of 2xx, or an *Error.
func (c *Connection) do(ctx context.Context, r *request) (*answer, error) {
	target, err := url.Parse(c.base + apiRoot + "/" + r.namespace + r.path)
	if err != nil {
		return nil, badParams("the address %q cannot be built", r.path)
	}
	target.RawQuery = r.query.Encode()

	way := c.schemes.current(c.base)
	got, err := c.send(ctx, r, way, target)
	if err != nil {
		return nil, err
	}
	if way == schemeUnproven {
		got, way, err = c.settle(ctx, r, target, got)
		if err != nil {
			return nil, err
		}
	}
	if got.status >= 200 && got.status < 300 {
		c.schemes.remember(way)
		return got, nil
	}
	return nil, c.scrubbed(got.failure(way))
}

// settle finds out whether the Authorization header reaches WordPress. An
// answer as without a key had no effect, so the request may be sent again with
// the keys in the query.
func (c *Connection) settle(ctx context.Context, r *request, target *url.URL, first *answer) (*answer, scheme, error) {
	if !keysUnseen(first) {
		return first, schemeBasic, nil
	}
	second, err := c.send(ctx, r, schemeQuery, target)
	if err != nil {
		return nil, schemeQuery, err
	}
	if keysUnseen(second) {
		return first, schemeUnproven, nil
	}
	return second, schemeQuery, nil
}

// send asks once, following the redirects a read may follow.
func (c *Connection) send(ctx context.Context, r *request, way scheme, target *url.URL) (*answer, error) {
	slashed := false
	for hop := 0; ; hop++ {
		got, err := c.exchange(ctx, r, way, target)
		if err != nil {
			return nil, err
		}
		got.slashed = slashed
		next := got.redirect(target)
		if next == nil || r.writes() || hop == maxRedirects || !sameOrigin(target, next) {
			return got, nil
		}
		// The keys are added anew: a Location echoes those of the last address.
		query := next.Query()
		for name := range query {
			if strings.HasPrefix(name, "oauth_") || name == "consumer_key" || name == "consumer_secret" {
				query.Del(name)
			}
		}
		next.RawQuery = query.Encode()
		slashed = next.Path == target.Path+"/"
		target = next
	}
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}

// exchange sends one HTTP request and reads the whole answer.
func (c *Connection) exchange(ctx context.Context, r *request, way scheme, target *url.URL) (*answer, error) {
	header := http.Header{
		// Without it fatal errors and maintenance come as HTML pages (recordings woo/641 to 643).
		"Accept":     {"application/json"},
		"User-Agent": {userAgent},
	}
	if r.body != nil {
		// Without it the shop creates an empty record (recording woo/119).
		header.Set("Content-Type", "application/json; charset=utf-8")
	}
	address := c.authorize(way, r.method, target, header)

	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	wire, err := http.NewRequestWithContext(traced, r.method, address.String(), body)
	if err != nil {
		return nil, badParams("the request cannot be built")
	}
	wire.Header = header

	response, err := c.client.Do(wire)
	if err != nil {
		return nil, c.scrubbed(unreached(r, withoutURL(err), connected.Load()))
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
	got := &answer{request: r, status: response.StatusCode, header: response.Header, body: data, address: target}
	switch {
	case err != nil && (got.status >= 200 && got.status < 300 || len(data) == 0):
		return nil, c.scrubbed(unreached(r, withoutURL(err), true))
	case len(data) > MaxAnswer:
		return nil, got.unusable("the shop's answer is larger than 32 MB")
	}
	return got, nil
}

// withoutURL drops the address from an error of the HTTP client: the keys may
// stand in it.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
