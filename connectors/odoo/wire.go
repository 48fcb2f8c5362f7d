package odoo

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/flowctl/flowctl/connectors"
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

// httpAnswer is a whole answer, whatever its status.
type httpAnswer struct {
	response *http.Response // its body is closed
	body     []byte
}

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
func (w *wire) do(ctx context.Context, method string, call rpcCall, header http.Header, body []byte) (httpAnswer, *connectors.Error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, maxWait)
		defer cancel()
	}
	// Before there is a connection nothing can have happened on the other side.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, method, w.settings.url+call.address(), bytes.NewReader(body))
	if err != nil {
		return httpAnswer{}, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig, "%s: %w", call, err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	sent := time.Now()
	resp, err := w.client.Do(req)
	if err != nil {
		class := connectors.Transient
		if connected.Load() {
			class = lostAnswer(call.call)
		}
		return httpAnswer{}, unreachable(err, class, call.String())
	}
	defer resp.Body.Close()
	if finding, ok := connectors.ClockCheck(resp.Header, sent, time.Now()); ok {
		w.clock.Store(&finding)
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		w.dated.Store(&dated{server: at, received: time.Now()})
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case resp.StatusCode != http.StatusOK:
		// The status says enough, even when the body broke off.
	case err != nil:
		return httpAnswer{}, unreachable(err, lostAnswer(call.call), call.String())
	case len(data) > maxAnswer:
		return httpAnswer{}, tooLarge(call)
	}
	return httpAnswer{response: resp, body: data}, nil
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
	for _, secret := range []string{w.settings.secret, w.settings.pushSecret} {
		if secret == "" {
			continue
		}
		clean := func(text string) string { return strings.ReplaceAll(text, secret, "[secret]") }
		if err.Err != nil && strings.Contains(err.Err.Error(), secret) {
			err.Err = nil
		}
		err.Message, err.Advice = clean(err.Message), clean(err.Advice)
	}
	return err
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
