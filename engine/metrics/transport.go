package metrics

import (
	"context"
	"net/http"
	"time"
)

// Waits tells how long each request is held back by what limited makes of a
// transport, before it is sent.
func Waits(limited func(http.RoundTripper) http.RoundTripper, told func(time.Duration)) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		if next == nil {
			next = http.DefaultTransport
		}
		return asked{passing{limited(sent{passing{next}, told})}}
	}
}

// passing passes on what a client asks of its transport.
type passing struct{ http.RoundTripper }

// CloseIdleConnections lets the connections beneath go.
func (p passing) CloseIdleConnections() {
	if closer, ok := p.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

type askedKey struct{}

// asked notes when a request was asked for, sent when it goes out.
type (
	asked struct{ passing }
	sent  struct {
		passing
		told func(time.Duration)
	}
)

// RoundTrip sends a request.
func (a asked) RoundTrip(r *http.Request) (*http.Response, error) {
	return a.passing.RoundTrip(r.WithContext(context.WithValue(r.Context(), askedKey{}, time.Now())))
}

// RoundTrip sends a request.
func (s sent) RoundTrip(r *http.Request) (*http.Response, error) {
	if at, ok := r.Context().Value(askedKey{}).(time.Time); ok {
		s.told(time.Since(at))
	}
	return s.passing.RoundTrip(r)
}
