package odoo

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

const (
	// maxAnswer bounds an answer's body. A page of 100 products with images is
	// some MB.
	maxAnswer = 64 << 20
	// maxWait bounds a call whose context has no deadline. Odoo itself ends a
	// request after two minutes (limit_time_real).
	maxWait = 130 * time.Second
)

// wire sends HTTP requests to one server; the protocols share it.
type wire struct {
	client   *http.Client
	settings settings
	clock    atomic.Pointer[connectors.Finding] // by the last answer that had a date
	dated    atomic.Pointer[dated]
}

// dated is the server's time as of an answer.
type dated struct{ server, received time.Time }

// rpcPath is where JSON-RPC is served.
const rpcPath = "/jsonrpc"

// address is the path of a call.
func (c rpcCall) address() string {
	if c.path == "" {
		return rpcPath
	}
	return c.path
}

// do sends one request and reads the answer. An error means that there is no
// answer; its class says whether the call may have taken effect.
func (w *wire) do(ctx context.Context, method string, call rpcCall, header http.Header, body []byte) (*httpcall.Answer, *connectors.Error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, maxWait)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, method, w.settings.url+call.address(), bytes.NewReader(body))
	if err != nil {
		return nil, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig, "%s: %w", call, err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", httpcall.UserAgent)
	answer, err := httpcall.Do(w.client, req, maxAnswer)
	if told, ok := connectors.NotSent(err); ok {
		return nil, told
	}
	switch {
	case errors.Is(err, httpcall.ErrTooLarge):
		return nil, tooLarge(call)
	case err != nil:
		class := connectors.Transient
		if u := (*httpcall.Unanswered)(nil); errors.As(err, &u) && u.Connected {
			class = lostAnswer(call.call)
		}
		return nil, unreachable(err, class, call.String())
	}
	if finding, ok := connectors.ClockCheck(answer.Header, answer.Sent, answer.Received); ok {
		w.clock.Store(&finding)
	}
	if at, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		w.dated.Store(&dated{server: at, received: answer.Received})
	}
	return answer, nil
}

// tooLarge is about an answer that is not read to its end. A write was done.
func tooLarge(call rpcCall) *connectors.Error {
	e := &connectors.Error{
		Class:   connectors.Permanent,
		Code:    connectors.CodeBadAnswer,
		Message: call.String() + ": Odoo's answer is larger than 64 MB",
		Advice:  "Ask for fewer records at once (limit) or for fewer fields, images above all.",
	}
	if call.call.write {
		e.Class = connectors.Unclear
		e.Message += "; it is not known whether Odoo did it"
	}
	return e
}

// unsendable is about arguments that have no JSON form.
func unsendable(call rpcCall, err error) *connectors.Error {
	return connectors.Errorf(connectors.Permanent, connectors.CodeBadParams, "%s: a value cannot be sent: %w", call, err)
}

// scrub takes the secrets out of a message, in case the other side repeats them.
func (w *wire) scrub(err *connectors.Error) error {
	return httpcall.NewScrubber(w.settings.secret, w.settings.pushSecret).Error(err)
}

func (w *wire) clockFinding() (connectors.Finding, bool) {
	finding := w.clock.Load()
	if finding == nil {
		return connectors.Finding{}, false
	}
	return *finding, true
}

// serverTime is the time on the server by its last answer; whole seconds are cut
// off there, so it is rather too early than too late. Without an answer it is
// this machine's, and not known.
func (w *wire) serverTime() (time.Time, bool) {
	d := w.dated.Load()
	if d == nil {
		return time.Now(), false
	}
	return d.server.Add(time.Since(d.received)), true
}
