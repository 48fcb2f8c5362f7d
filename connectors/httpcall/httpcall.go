// Package httpcall is the part of an HTTP call that every connector needs: one
// exchange, read whole and bounded, and what may be learnt from an answer that is
// not the one hoped for. What it means for a system, and the words for people, are
// the connector's own.
package httpcall

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// UserAgent is how connectors introduce themselves.
const UserAgent = "flowctl (https://github.com/flowctl/flowctl)"

// Answer is an answer, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Sent and Received are the moments before and after, by this machine's clock.
	Sent, Received time.Time
}

// Unanswered is an exchange without a usable answer.
type Unanswered struct {
	// Cause is what went wrong, without the address, in which keys may stand.
	Cause error
	// Connected: there was a connection, so the request may have arrived. Without
	// one nothing can have happened on the other side.
	Connected bool
}

// Error returns the cause's.
func (u *Unanswered) Error() string { return u.Cause.Error() }

// Unwrap returns the cause.
func (u *Unanswered) Unwrap() error { return u.Cause }

// ErrTooLarge is the cause of an answer larger than its limit. It did answer.
var ErrTooLarge = errors.New("the answer is too large")

// Do sends a request once and reads the answer, of at most limit bytes. A body
// that broke off is no answer where the status says that all went well; of an
// error, the status says enough. Errors are of type *[Unanswered].
func Do(client *http.Client, request *http.Request, limit int64) (*Answer, error) {
	var connected atomic.Bool
	request = request.WithContext(traced(request.Context(), &connected))
	answer := &Answer{Sent: time.Now()}
	response, err := client.Do(request)
	if err != nil {
		return nil, &Unanswered{Cause: withoutURL(err), Connected: connected.Load()}
	}
	defer response.Body.Close()
	answer.Received = time.Now()
	answer.Status, answer.Header = response.StatusCode, response.Header
	answer.Body, err = io.ReadAll(io.LimitReader(response.Body, limit+1))
	well := answer.Status >= 200 && answer.Status < 300
	switch {
	case err != nil && (well || len(answer.Body) == 0):
		return nil, &Unanswered{Cause: withoutURL(err), Connected: true}
	case int64(len(answer.Body)) > limit:
		return nil, &Unanswered{Cause: ErrTooLarge, Connected: true}
	}
	return answer, nil
}

func traced(ctx context.Context, connected *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
}

// withoutURL drops the address from an error of the HTTP client.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// NoRedirects returns a client that follows no redirect by itself, with the
// transport and timeout of the one given: a POST that is redirected turns into a
// GET, and what another address would get are our keys.
func NoRedirects(given *http.Client) *http.Client {
	client := &http.Client{}
	if given != nil {
		*client = *given
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}
