package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/singleflight"

	"github.com/flowctl/flowctl/connectors"
)

// jsonRPC is the transport over POST /jsonrpc, the only one before Odoo 19;
// 19 calls it deprecated.
type jsonRPC struct {
	wire *wire

	uid    atomic.Int64 // 0: not yet asked
	logins singleflight.Group
	nextID atomic.Int64
}

var _ transport = (*jsonRPC)(nil)

func (r *jsonRPC) version(ctx context.Context) (Version, error) {
	result, err := r.post(ctx, rpcCall{service: "common", method: "version"})
	if err != nil {
		return Version{}, err
	}
	var answer struct {
		Version string `json:"server_version"`
		Info    []any  `json:"server_version_info"`
	}
	if err := json.Unmarshal(result, &answer); err != nil || answer.Version == "" {
		return Version{}, connectors.Errorf(connectors.Permanent, connectors.CodeBadAnswer,
			"%s answers no version: it is no Odoo server", r.wire.settings.url)
	}
	return Version{Major: majorVersion(answer.Version), Text: answer.Version}, nil
}

// majorVersion reads 18 from "18.0", "18.0+e", "saas~18.2"; 0 when there is none.
func majorVersion(text string) int64 {
	text = strings.TrimPrefix(text, "saas~")
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(text)
	}
	major, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil {
		return 0
	}
	return major
}

func (r *jsonRPC) execute(ctx context.Context, call invocation) (json.RawMessage, error) {
	uid, err := r.login(ctx)
	if err != nil {
		return nil, err
	}
	args := make([]any, 0, len(call.args)+1)
	if call.ids != nil {
		args = append(args, call.ids)
	}
	for _, arg := range call.args {
		args = append(args, arg.value)
	}
	kwargs := call.kwargs
	if kwargs == nil {
		kwargs = map[string]any{}
	}
	result, err := r.post(ctx, rpcCall{
		service: "object",
		method:  "execute_kw",
		args:    []any{r.wire.settings.database, uid, r.wire.settings.secret, call.model, call.method, args, kwargs},
		call:    call,
	})
	if connectors.HasCode(err, connectors.CodeUnauthorized) {
		// The user may have been deleted and made again under another id.
		r.uid.Store(0)
	}
	return result, err
}

// login returns the user's id, asked for once.
func (r *jsonRPC) login(ctx context.Context) (int64, error) {
	if uid := r.uid.Load(); uid != 0 {
		return uid, nil
	}
	result := r.logins.DoChan("", func() (any, error) {
		// Shared by all who wait, so it must not end with the first one's context.
		return r.authenticate(context.WithoutCancel(ctx))
	})
	select {
	case <-ctx.Done():
		return 0, unreachable(ctx.Err(), connectors.Transient, "logging in at Odoo")
	case answer := <-result:
		if answer.Err != nil {
			return 0, answer.Err
		}
		return answer.Val.(int64), nil
	}
}

func (r *jsonRPC) authenticate(ctx context.Context) (int64, error) {
	s := r.wire.settings
	result, err := r.post(ctx, rpcCall{
		service: "common",
		method:  "authenticate",
		args:    []any{s.database, s.login, s.secret, map[string]any{}},
	})
	if err != nil {
		return 0, err
	}
	// A refused login is the answer false, not an error (recording odoo18/004).
	uid, err := strconv.ParseInt(string(bytes.TrimSpace(result)), 10, 64)
	if err != nil || uid <= 0 {
		return 0, &connectors.Error{
			Class:   connectors.Permanent,
			Code:    connectors.CodeUnauthorized,
			Message: "Odoo refused the login " + strconv.Quote(s.login) + " in the database " + strconv.Quote(s.database),
			Advice:  "Check the login and the API key. Keys expire: make a new one in Odoo under Preferences > Account Security.",
		}
	}
	r.uid.Store(uid)
	return uid, nil
}

// rpcCall is one JSON-RPC request.
type rpcCall struct {
	service string
	method  string
	args    []any
	call    invocation // of service object, for messages and classes
	path    string     // of the request; "" is /jsonrpc
}

func (c rpcCall) String() string {
	if c.service == "object" {
		return c.call.model + "." + c.call.method
	}
	return c.service + "." + c.method
}

func (r *jsonRPC) post(ctx context.Context, call rpcCall) (json.RawMessage, error) {
	result, err := r.roundTrip(ctx, call)
	if err != nil {
		return nil, r.wire.scrub(err)
	}
	return result, nil
}

func (r *jsonRPC) roundTrip(ctx context.Context, call rpcCall) (json.RawMessage, *connectors.Error) {
	args := call.args
	if args == nil {
		args = []any{}
	}
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0",
		"method":  "call",
		"id":      r.nextID.Add(1),
		"params":  map[string]any{"service": call.service, "method": call.method, "args": args},
	})
	if err != nil {
		return nil, unsendable(call, err)
	}
	answer, failed := r.wire.do(ctx, http.MethodPost, call, nil, body)
	switch {
	case failed != nil:
		return nil, failed
	case answer.Status != http.StatusOK:
		return nil, statusError(answer, call)
	}
	return decodeAnswer(answer.Body, call)
}

func decodeAnswer(data []byte, call rpcCall) (json.RawMessage, *connectors.Error) {
	var answer struct {
		JSONRPC string          `json:"jsonrpc"`
		Result  json.RawMessage `json:"result"`
		Error   *rpcError       `json:"error"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.JSONRPC == "" {
		return nil, badAnswer(data, call)
	}
	if answer.Error != nil {
		return nil, answer.Error.translate(call)
	}
	// A method that returns None has no result at all (recording odoo18/064).
	return answer.Result, nil
}
