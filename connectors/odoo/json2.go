package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// firstJSON2 is the version that brought JSON-2.
const firstJSON2 = 19

// json2 is the transport over POST /json/2/<model>/<method>: an API key as
// bearer, arguments by name only, statuses that mean what they say, and one
// transaction a call (recordings odoo19/001 to 140).
type json2 struct {
	wire *wire
}

// execute calls a method. All arguments must have names.
func (j *json2) execute(ctx context.Context, call invocation) (json.RawMessage, error) {
	path := "/json/2/" + url.PathEscape(call.model) + "/" + url.PathEscape(call.method)
	request := rpcCall{service: "object", call: call, path: path}
	body := make(map[string]any, len(call.args)+len(call.kwargs)+1)
	for name, value := range call.kwargs {
		body[name] = value
	}
	for _, arg := range call.args {
		body[arg.name] = arg.value
	}
	if call.ids != nil {
		body["ids"] = call.ids
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, unsendable(request, err)
	}
	answer, failed := j.wire.do(ctx, http.MethodPost, request, http.Header{
		"Authorization":   {"bearer " + j.wire.settings.secret},
		"X-Odoo-Database": {j.wire.settings.database},
	}, data)
	if failed == nil {
		failed = j.check(answer, request)
	}
	if failed != nil {
		return nil, j.wire.scrub(failed)
	}
	return bytes.TrimSpace(answer.Body), nil
}

// check tells an answer from an error. Odoo's own errors are JSON with a name;
// anything else was said by something before Odoo or by its web server.
func (j *json2) check(answer *httpcall.Answer, call rpcCall) *connectors.Error {
	if answer.Status == http.StatusOK {
		if !json.Valid(answer.Body) {
			return badAnswer(answer.Body, call)
		}
		return nil
	}
	var told rpcErrorData
	if err := json.Unmarshal(answer.Body, &told); err == nil && told.Name != "" && !ofWebServer(told.Name) {
		return (&rpcError{Data: told}).translateStatus(call, answer.Status)
	}
	if answer.Status == http.StatusNotFound && strings.Contains(string(answer.Body), "No database is selected") {
		return noDatabase(j.wire.settings.database)
	}
	return statusError(answer, call)
}

// ofWebServer tells errors of Odoo's web server that its status says best (too
// many requests, a body too large, starting) from those that are about the call.
func ofWebServer(name string) bool {
	kind, web := strings.CutPrefix(name, "werkzeug.exceptions.")
	return web && !slices.Contains([]string{"Unauthorized", "NotFound", "UnprocessableEntity", "BadRequest"}, kind)
}

// translateStatus names an error of JSON-2 as JSON-RPC would, so that flows see
// the same codes over both.
func (e *rpcError) translateStatus(call rpcCall, status int) *connectors.Error {
	text := e.Data.Message
	switch {
	case status == http.StatusUnauthorized && e.Data.Name == "werkzeug.exceptions.Unauthorized":
		return &connectors.Error{
			Class:   connectors.Permanent,
			Code:    connectors.CodeUnauthorized,
			Message: call.String() + ": Odoo refused the API key (" + e.words() + ")",
			Advice:  "Odoo takes an API key here, no password. Keys expire: make a new one in Odoo under Preferences > Account Security.",
		}
	case e.Data.Name == "werkzeug.exceptions.NotFound" && strings.HasPrefix(text, "the model "):
		e.Data.Name = "odoo.exceptions.UserError"
		e.Data.Message = "Object " + call.call.model + " doesn't exist"
	case e.Data.Name == "werkzeug.exceptions.NotFound" && strings.HasPrefix(text, "The method "):
		e.Data.Name = "builtins.AttributeError"
	case e.Data.Name == "werkzeug.exceptions.UnprocessableEntity":
		// Arguments that are missing, unknown or of the wrong place.
		e.Data.Name = "builtins.TypeError"
	}
	return e.translate(call)
}
