package http

import (
	"bytes"
	"context"
	"errors"
	"io"
	nethttp "net/http"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// MaxAnswer bounds the body of an answer, in bytes.
const MaxAnswer = 16 << 20

// maxRedirects bounds the redirects that a read follows.
const maxRedirects = 3

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
		return nil, c.scrubber.Error(err)
	}
	result, err := got.result()
	if err != nil {
		return nil, c.scrubber.Error(err)
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
		if next == nil || r.action.method != nethttp.MethodGet || hop == maxRedirects || !httpcall.SameOrigin(r.target, next) {
			return got, nil
		}
		redirected := *r
		redirected.target = next
		r = &redirected
	}
}

// exchange sends one HTTP request and reads the whole answer.
func (c *Connection) exchange(ctx context.Context, r *request) (*answer, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	wire, err := nethttp.NewRequestWithContext(ctx, r.action.method, r.target.String(), body)
	if err != nil {
		return nil, badParams("%s: the request cannot be built", r.action.Name)
	}
	wire.Header = r.header.Clone()
	for name, value := range map[string]string{"Accept": "application/json", "User-Agent": httpcall.UserAgent} {
		if wire.Header.Get(name) == "" {
			wire.Header.Set(name, value)
		}
	}
	if r.body != nil && wire.Header.Get("Content-Type") == "" {
		wire.Header.Set("Content-Type", "application/json")
	}
	c.authorize(wire)

	got, err := httpcall.Do(c.client, wire, MaxAnswer)
	if told, ok := connectors.NotSent(err); ok {
		return nil, told
	}
	switch {
	case errors.Is(err, httpcall.ErrTooLarge):
		return nil, r.unusable("its answer is larger than 16 MB")
	case err != nil:
		return nil, r.unreached(err)
	}
	return &answer{request: r, status: got.Status, header: got.Header, body: got.Body}, nil
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
