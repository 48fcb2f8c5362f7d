package limit

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/flowctl/flowctl/connectors"
)

const (
	// patience is how long a request waits for a pause to end, before it is sent
	// back: its worker has other work.
	patience = 2 * time.Second
	// queueing is how long it waits for its turn under the rate.
	queueing = 30 * time.Second
	// unsaidPause is the pause after a 429 that names none.
	unsaidPause = 10 * time.Second
)

// transport sends the requests of one account.
type transport struct {
	limiter *Limiter
	login   string
	rate    Rate
	next    http.RoundTripper
}

// CloseIdleConnections lets the connections beneath go.
func (t *transport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// errUndecided is an answer, or none, that says nothing about the system's
// health; errDown is one that says that it is down.
var errUndecided, errDown = errors.New("undecided"), errors.New("down")

// RoundTrip sends a request when it may be sent. One that may not is an
// *connectors.Error: it was not sent, and may be tried again later.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	s := t.limiter.system(strings.ToLower(r.URL.Scheme+"://"+r.URL.Host), t.login)
	if err := t.ready(r, s); err != nil {
		closeBody(r)
		return nil, err
	}
	response, err := s.breaker.Execute(func() (*http.Response, error) {
		response, err := t.next.RoundTrip(r)
		return response, t.judge(r, s, response, err)
	})
	var failed *sendError
	switch {
	case errors.As(err, &failed):
		return nil, failed.err
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		closeBody(r)
		left, failure := s.resting()
		return nil, notSent(connectors.CodeUnreachable, left, "%s is down (%s) and is left alone for a moment", s.origin, failure)
	}
	return response, nil
}

// ready waits until the request may be sent, or says that it may not yet. The
// pause is looked at last: one that began while it waited for its turn counts.
func (t *transport) ready(r *http.Request, s *system) error {
	if err := t.unpaused(r, s); err != nil {
		return err
	}
	rate, limited := t.rate.of(r.URL.Hostname())
	if !limited {
		return nil
	}
	waited, err := t.turn(r.Context(), s, rate)
	if err != nil || !waited {
		return err
	}
	return t.unpaused(r, s)
}

func (t *transport) unpaused(r *http.Request, s *system) error {
	for {
		left := s.paused()
		if t.limiter.shared != nil {
			if known, ok := t.limiter.shared.paused(r.Context(), s.key); ok {
				left = max(left, known)
				s.pause(known)
			}
		}
		if left <= 0 {
			return nil
		}
		if left > patience {
			return notSent(connectors.CodeRateLimited, left, "%s asked to be left alone for %s more", s.origin, left.Round(time.Second))
		}
		if err := sleep(r.Context(), left+time.Millisecond); err != nil {
			return err
		}
	}
}

// turn waits for the request's turn under the rate.
func (t *transport) turn(ctx context.Context, s *system, rate Rate) (waited bool, err error) {
	busy := func(wait time.Duration) error {
		return notSent(connectors.CodeRateLimited, wait, "there is more to ask of %s than the %g requests a second it is given", s.origin, rate.PerSecond)
	}
	for deadline := time.Now().Add(queueing); t.limiter.shared != nil; waited = true {
		wait, ok := t.limiter.shared.take(ctx, s.key, rate)
		if !ok {
			break
		}
		if wait == 0 {
			return waited, nil
		}
		if time.Now().Add(wait).After(deadline) {
			return true, busy(wait)
		}
		if err := sleep(ctx, wait); err != nil {
			return true, err
		}
	}
	reserved := s.take(rate)
	wait := reserved.Delay()
	if wait > queueing {
		reserved.Cancel()
		return waited, busy(wait)
	}
	if wait <= 0 {
		return waited, nil
	}
	return true, sleep(ctx, wait)
}

// sendError is what the transport beneath said.
type sendError struct{ err, verdict error }

func (e *sendError) Error() string { return e.err.Error() }
func (e *sendError) Unwrap() error { return e.verdict }

// judge says what an answer means for the requests after it.
func (t *transport) judge(r *http.Request, s *system, response *http.Response, err error) error {
	if err != nil {
		if errors.Is(r.Context().Err(), context.Canceled) {
			return &sendError{err, errUndecided} // we hung up
		}
		s.failed(err.Error())
		return &sendError{err, errDown}
	}
	pause := retryAfter(response.Header.Get("Retry-After"))
	switch code := response.StatusCode; {
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable && pause > 0:
		if pause <= 0 {
			pause = unsaidPause
		}
		pause = min(pause, longestPause)
		s.pause(pause)
		if t.limiter.shared != nil {
			t.limiter.shared.pause(r.Context(), s.key, pause)
		}
		t.limiter.log.Warn("a system asks to be left alone", "system", s.origin, "status", code, "for", pause)
		return errUndecided
	case code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		s.failed(response.Status)
		return errDown
	}
	return nil
}

// retryAfter reads a Retry-After: seconds, or an instant by the sender's clock.
func retryAfter(header string) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

func notSent(code string, after time.Duration, format string, args ...any) *connectors.Error {
	e := connectors.Errorf(connectors.Transient, code, format, args...)
	e.RetryAfter = after
	return e
}

// closeBody does what a transport owes a request that it does not send.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // nothing was read of it, so nothing is lost
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
