package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxRequest bounds a request's body.
const maxRequest = 64 << 20

// rpcRequest is a JSON-RPC request. The id is repeated as it came.
type rpcRequest struct {
	ID     any `json:"id"`
	Params struct {
		Service string `json:"service"`
		Method  string `json:"method"`
		Args    []any  `json:"args"`
	} `json:"params"`
}

// ServeHTTP answers as Odoo's web server does.
func (e *ERP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close") // as every recorded answer
	w.Header().Set("Date", e.options.Now().UTC().Format(http.TimeFormat))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		plainAnswer(w, http.StatusRequestEntityTooLarge, "<title>413 Request Entity Too Large</title>")
		return
	}
	switch path := strings.TrimSuffix(r.URL.Path, "/"); {
	case path == "/jsonrpc":
		e.serveRPC(w, r, body)
	case path == "/web/session/authenticate", path == "/web/session/destroy":
		e.serveSession(w, path, body)
	case path == "/web/webclient/version_info":
		jsonAnswer(w, map[string]any{"jsonrpc": "2.0", "id": nil, "result": e.versionInfo()})
	case path == "/web/version" && e.latest(), path == "/json/version" && e.latest():
		e.serveVersion(w, r)
	case (path == "/json/2" || strings.HasPrefix(path, "/json/2/")) && e.latest():
		e.serveJSON2(w, r, body)
	case path == "/web/database/list" && r.Method == http.MethodPost:
		jsonAnswer(w, map[string]any{"jsonrpc": "2.0", "id": nil, "result": []any{e.options.Database}})
	case path == "/web/health":
		jsonAnswer(w, map[string]any{"status": "pass"})
	case e.latest():
		// 19 asks to log in first (odoo19/136, 150).
		w.Header().Set("Location", "/web/login?redirect="+url.QueryEscape(r.URL.Path+"?"))
		plainAnswer(w, http.StatusSeeOther, "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n")
	default:
		plainAnswer(w, http.StatusNotFound, "<!DOCTYPE html>\n<html><head><title>Odoo</title></head><body></body></html>")
	}
}

// serveVersion is the page that tells the version without a login (odoo19/145).
func (e *ERP) serveVersion(w http.ResponseWriter, r *http.Request) {
	call := Call{Service: "web", Method: "version"}
	e.counts.add(call)
	if incident := e.server.incident(r, call); incident != nil {
		incident.answer(w, r, func(f *Fault) { e.answerJSON2(w, nil, f) })
		return
	}
	info := e.versionInfo()
	jsonAnswer(w, map[string]any{"version_info": info["server_version_info"], "version": info["server_version"]})
}

func plainAnswer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that went away is no concern here
}

func jsonAnswer(w http.ResponseWriter, answer any) {
	data, err := json.Marshal(answer)
	if err != nil {
		plainAnswer(w, http.StatusInternalServerError, "<title>500 Internal Server Error</title>")
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(data)
}

// serveRPC checks the envelope (odoo18/051 to 055) and answers.
func (e *ERP) serveRPC(w http.ResponseWriter, r *http.Request, body []byte) {
	if kind := r.Header.Get("Content-Type"); r.Method == http.MethodPost &&
		!strings.HasPrefix(kind, "application/json") {
		plainAnswer(w, http.StatusBadRequest, "<!doctype html>\n<html lang=en>\n<title>400 Bad Request</title>\n<h1>Bad Request</h1>\n")
		return
	}
	var tree any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil || r.Method != http.MethodPost {
		plainAnswer(w, http.StatusBadRequest, "Invalid JSON data")
		return
	}
	if _, ok := tree.(map[string]any); !ok {
		plainAnswer(w, http.StatusBadRequest, "Invalid JSON-RPC data")
		return
	}
	request, err := parseRequest(body)
	if err != nil {
		plainAnswer(w, http.StatusBadRequest, "Invalid JSON-RPC data")
		return
	}
	call := request.call()
	e.counts.add(call)
	incident := e.server.incident(r, call)
	fail := func(f *Fault) { e.answerRPC(w, request.ID, nil, f) }
	if incident != nil && !incident.After {
		incident.answer(w, r, fail)
		return
	}
	result, fault := e.perform(request)
	if incident != nil {
		incident.answer(w, r, fail)
		return
	}
	e.answerRPC(w, request.ID, result, fault)
}

func parseRequest(body []byte) (rpcRequest, error) {
	var request rpcRequest
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	err := dec.Decode(&request)
	return request, err
}

// answerRPC writes a result or an error as Odoo does. A method that returns
// nothing has no result at all (odoo18/064).
func (e *ERP) answerRPC(w http.ResponseWriter, id, result any, f *Fault) {
	answer := map[string]any{"jsonrpc": "2.0", "id": id}
	switch {
	case f != nil:
		arguments := f.Arguments
		if arguments == nil {
			arguments = []any{f.Message}
		}
		code := 200
		if e.latest() {
			code = 0
		}
		answer["error"] = map[string]any{
			"code": code, "message": "Odoo Server Error",
			"data": map[string]any{
				"name": f.Name, "message": f.Message, "arguments": arguments, "context": map[string]any{},
				"debug": "Traceback (most recent call last):\n  (of the simulated server)\n" + f.Name + ": " + f.Message,
			},
		}
	case result != nil:
		answer["result"] = result
	}
	jsonAnswer(w, answer)
}

// perform dispatches to a service.
func (e *ERP) perform(request rpcRequest) (any, *Fault) {
	result, err := e.dispatch(request)
	return result, toFault(err)
}

// toFault is Odoo's word for an error; nil for none.
func toFault(err error) *Fault {
	if err == nil {
		return nil
	}
	if f, ok := asFault(err); ok {
		return f
	}
	return fault("builtins.RuntimeError", "%v", err)
}

func (e *ERP) dispatch(request rpcRequest) (any, error) {
	p := request.Params
	switch p.Service {
	case "":
		return nil, fault("builtins.TypeError",
			"RPC.jsonrpc() missing 3 required positional arguments: 'service', 'method', and 'args'")
	case "common":
		return e.common(p.Method, p.Args)
	case "db":
		switch p.Method {
		case "list":
			return []any{e.options.Database}, nil
		case "server_version":
			return e.versionInfo()["server_version"], nil
		}
		return nil, fault("builtins.Exception", "Method not found: %s", p.Method)
	case "object":
		return e.object(p.Method, p.Args)
	}
	return nil, fault("builtins.KeyError", "%s", p.Service)
}

func (e *ERP) versionInfo() map[string]any {
	v := e.options.Version
	text := "18.0"
	if v >= 19 {
		text = "19.0"
	}
	return map[string]any{
		"server_version": text, "server_version_info": []any{v, 0, 0, "final", 0, ""},
		"server_serie": text, "protocol_version": 1,
	}
}

// common is the service that needs no login. A login that is refused is false,
// no error (odoo18/004, 005).
func (e *ERP) common(method string, args []any) (any, error) {
	switch method {
	case "version":
		return e.versionInfo(), nil
	case "authenticate", "login":
		if len(args) < 3 {
			return nil, fault("builtins.TypeError", "exp_%s() missing required positional arguments", method)
		}
		if err := e.rightDatabase(args[0]); err != nil {
			return nil, err
		}
		if args[1] != e.options.Login || args[2] != e.options.APIKey {
			return false, nil
		}
		return adminID, nil
	}
	return nil, fault("builtins.Exception", "Method not found: %s", method)
}

// rightDatabase is about a database that is not there (odoo18/006).
func (e *ERP) rightDatabase(name any) error {
	if name == e.options.Database {
		return nil
	}
	return fault("psycopg2.OperationalError",
		"connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  database \"%v\" does not exist\n", name)
}

// object calls a method of a model.
func (e *ERP) object(service string, args []any) (any, error) {
	if !slices.Contains([]string{"execute_kw", "execute"}, service) {
		return nil, fault("builtins.NameError", "Method not available %s", service)
	}
	if len(args) < 5 {
		return nil, fault("builtins.TypeError", "%s() missing required positional arguments", service)
	}
	if err := e.rightDatabase(args[0]); err != nil {
		return nil, err
	}
	if err := e.rightUser(args[1], args[2]); err != nil {
		return nil, err
	}
	modelName, _ := args[3].(string)
	name, _ := args[4].(string)
	list, named := args[5:], map[string]any{}
	if service == "execute_kw" {
		list = nil
		if len(args) > 5 {
			list, _ = args[5].([]any)
		}
		if len(args) > 6 {
			named, _ = args[6].(map[string]any)
		}
	}
	var result any
	err := e.within(func(tx *transaction) (err error) {
		if result, err = tx.call(modelName, name, list, named); err == nil {
			tx.settleOrders()
		}
		return err
	})
	return result, err
}

// rightUser is about a wrong key, an unknown user and none (odoo18/011 to 013).
func (e *ERP) rightUser(uid, key any) error {
	id, ok := asID(uid)
	switch {
	case !ok || id == 0 || key != e.options.APIKey:
		return accessDenied()
	case id != adminID:
		return fault("odoo.exceptions.MissingError",
			"Record does not exist or has been deleted.\n(Record: res.users(%d,), User: %d)", id, id)
	}
	return nil
}

// call tells which model and method a request is for.
func (r rpcRequest) call() Call {
	c := Call{Service: r.Params.Service, Method: r.Params.Method}
	if r.Params.Service == "object" && len(r.Params.Args) > 4 {
		c.Model, _ = r.Params.Args[3].(string)
		c.Method, _ = r.Params.Args[4].(string)
	}
	return c
}
