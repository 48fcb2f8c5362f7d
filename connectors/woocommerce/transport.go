package woocommerce

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// MaxAnswer bounds the body of an answer, in bytes: 100 orders with much meta
// data are some 2 MB.
const MaxAnswer = 32 << 20

// maxRedirects bounds the redirects that a read follows.
const maxRedirects = 3

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
		if next == nil || r.writes() || hop == maxRedirects || !httpcall.SameOrigin(target, next) {
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

// exchange sends one HTTP request and reads the whole answer.
func (c *Connection) exchange(ctx context.Context, r *request, way scheme, target *url.URL) (*answer, error) {
	header := http.Header{
		// Without it fatal errors and maintenance come as HTML pages (recordings woo/641 to 643).
		"Accept":     {"application/json"},
		"User-Agent": {httpcall.UserAgent},
	}
	if r.body != nil {
		// Without it the shop creates an empty record (recording woo/119).
		header.Set("Content-Type", "application/json; charset=utf-8")
	}
	address := c.authorize(way, r.method, target, header)

	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	wire, err := http.NewRequestWithContext(ctx, r.method, address.String(), body)
	if err != nil {
		return nil, badParams("the request cannot be built")
	}
	wire.Header = header

	got, err := httpcall.Do(c.client, wire, MaxAnswer)
	if told, ok := connectors.NotSent(err); ok {
		return nil, told
	}
	switch {
	case errors.Is(err, httpcall.ErrTooLarge):
		return nil, (&answer{request: r, address: target}).unusable("the shop's answer is larger than 32 MB")
	case err != nil:
		return nil, c.scrubbed(unreached(r, err))
	}
	return &answer{request: r, status: got.Status, header: got.Header, body: got.Body, address: target}, nil
}
