package http

import (
	"bytes"
	"context"
	"errors"
	"io"
	nethttp "net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/flowctl/flowctl/connectors"
)

// MaxAnswer bounds the body of an answer, in bytes.
const MaxAnswer = 16 << 20

// maxRedirects bounds the redirects that a read follows.
const maxRedirects = 3

const userAgent = "flowctl (https://github.com/flowctl/flowctl)"

// Call performs an operation and returns {status, headers, body}.
func (c *Connection) Call(ctx context.Context, call connectors.Call) (any, error) {
	a, ok := actionNamed(call.Operation)
	if !ok {
		return nil, badParams("there is no operation %q", call.Operation)
	}
	r, err := c.request(a, call.Params)
	if err != nil {
		return nil, err
	}
	got, err := c.send(ctx, r)
	if err != nil {
		return nil, c.scrubbed(err)
	}
	result, err := got.result()
	if err != nil {
		return nil, c.scrubbed(err)
	}
	return result, nil
}

// send asks, following the redirects that a GET may follow: a POST that is
// redirected turns into a GET, and what another origin would get are our
// credentials.
func (c *Connection) send(ctx context.Context, r *request) (*answer, error) {
	for hop := 0; ; hop++ {
		got, err := c.exchange(ctx, r)
		if err != nil {
			return nil, err
		}
		next := got.redirect()
		if next == nil || r.action.method != nethttp.MethodGet || hop == maxRedirects || !sameOrigin(r.target, next) {
			return got, nil
		}
		redirected := *r
		redirected.target = next
		r = &redirected
	}
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host) && b.User == nil
}

// exchange sends one HTTP request and reads the whole answer.
func (c *Connection) exchange(ctx context.Context, r *request) (*answer, error) {
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	wire, err := nethttp.NewRequestWithContext(traced, r.action.method, r.target.String(), body)
	if err != nil {
		return nil, badParams("%s: the request cannot be built", r.action.Name)
	}
	wire.Header = r.header.Clone()
	for name, value := range map[string]string{"Accept": "application/json", "User-Agent": userAgent} {
		if wire.Header.Get(name) == "" {
			wire.Header.Set(name, value)
		}
	}
	if r.body != nil && wire.Header.Get("Content-Type") == "" {
		wire.Header.Set("Content-Type", "application/json")
	}
	c.authorize(wire)

	response, err := c.client.Do(wire)
	if err != nil {
		return nil, unreached(r, withoutURL(err), connected.Load())
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
	got := &answer{request: r, status: response.StatusCode, header: response.Header, body: data}
	switch {
	case err != nil && (got.ok() || len(data) == 0):
		return nil, unreached(r, withoutURL(err), true)
	case len(data) > MaxAnswer:
		return nil, got.unusable("its answer is larger than 16 MB")
	}
	return got, nil
}

func (c *Connection) authorize(wire *nethttp.Request) {
	switch s := c.settings; s.auth {
	case authBearer:
		wire.Header.Set("Authorization", "Bearer "+s.token)
	case authBasic:
		wire.SetBasicAuth(s.user, s.password)
	case authHeader:
		wire.Header.Set(s.tokenHeader, s.token)
	}
}

// withoutURL drops the address from an error of the HTTP client: a flow may have
// put a secret into the query.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
