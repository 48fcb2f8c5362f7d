package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// serveJSON2 answers POST /json/2/<model>/<method> in the order in which Odoo
// looks: content type, database, key, body, path (odoo19/115 to 135).
func (e *ERP) serveJSON2(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Method == http.MethodPost && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && len(body) > 0 {
		w.Header().Set("Accept", "application/json")
		plainAnswer(w, http.StatusUnsupportedMediaType, "<!doctype html>\n<html lang=en>\n<title>415 Unsupported Media Type</title>\n"+
			"<h1>Unsupported Media Type</h1>\n<p>Request inferred type is compatible with [&#39;http&#39;] but "+
			"&#39;/json/2/&lt;__model__&gt;/&lt;__method__&gt;&#39; is type=&#39;json2&#39;.<br><br>"+
			"Please verify the Content-Type request header and try again.</p>\n")
		return
	}
	if name := r.Header.Get("X-Odoo-Database"); name != e.options.Database && (name != "" || e.options.MoreDatabases) {
		plainAnswer(w, http.StatusNotFound, "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"+
			"<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>\n"+
			"<p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>\n\n"+
			"<!-- Alternatively, use the X-Odoo-Database header. -->\n")
		return
	}
	parts := strings.Split(strings.TrimPrefix(strings.TrimSuffix(r.URL.Path, "/"), "/json/2"), "/")
	if r.Method != http.MethodPost || len(parts) != 3 {
		e.answerJSON2(w, nil, werkzeug(http.StatusNotFound, "Did you mean POST /json/2/<model>/<method>?"))
		return
	}
	call := Call{Service: "object", Model: parts[1], Method: parts[2]}
	e.counts.add(call)
	incident := e.server.incident(r, call)
	fail := func(f *Fault) { e.answerJSON2(w, nil, f) }
	if incident != nil && !incident.After {
		incident.answer(w, r, fail)
		return
	}
	result, err := e.performJSON2(r, call, body)
	if incident != nil {
		incident.answer(w, r, fail)
		return
	}
	e.answerJSON2(w, result, toFault(err))
}

// werkzeug is an error of the web framework, which has its status as a second
// argument.
func werkzeug(status int, message string) *Fault {
	names := map[int]string{
		http.StatusBadRequest: "BadRequest", http.StatusUnauthorized: "Unauthorized",
		http.StatusNotFound: "NotFound", http.StatusUnprocessableEntity: "UnprocessableEntity",
	}
	return &Fault{Name: "werkzeug.exceptions." + names[status], Message: message, Arguments: []any{message, status}}
}

// statusOf is the status of an error over JSON-2 (odoo19/075 to 110).
func statusOf(f *Fault) int {
	switch f.Name {
	case "werkzeug.exceptions.BadRequest":
		return http.StatusBadRequest
	case "werkzeug.exceptions.Unauthorized", "odoo.exceptions.AccessDenied", "odoo.http.SessionExpiredException":
		return http.StatusUnauthorized
	case "odoo.exceptions.AccessError":
		return http.StatusForbidden
	case "werkzeug.exceptions.NotFound", "odoo.exceptions.MissingError":
		return http.StatusNotFound
	case "werkzeug.exceptions.UnprocessableEntity", "odoo.exceptions.UserError",
		"odoo.exceptions.ValidationError", "odoo.exceptions.RedirectWarning":
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// answerJSON2 writes a result, null for none (odoo19/033), or an error.
func (e *ERP) answerJSON2(w http.ResponseWriter, result any, f *Fault) {
	if f == nil {
		jsonAnswer(w, result)
		return
	}
	status := statusOf(f)
	arguments := f.Arguments
	if arguments == nil {
		arguments = []any{f.Message}
	}
	data, err := json.Marshal(map[string]any{
		"name": f.Name, "message": f.Message, "arguments": arguments, "context": map[string]any{},
		"debug": "Traceback (most recent call last):\n  (of the simulated server)\n" + f.Name + ": " + f.Message,
	})
	if err != nil {
		plainAnswer(w, http.StatusInternalServerError, "<title>500 Internal Server Error</title>")
		return
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer ")
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that went away is no concern here
}

func (e *ERP) performJSON2(r *http.Request, call Call, body []byte) (any, error) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case !strings.EqualFold(scheme, "bearer") || strings.TrimSpace(key) == "":
		return nil, werkzeug(http.StatusUnauthorized, "User not authenticated, use an API Key with a Bearer Authorization header.")
	case key != e.options.APIKey:
		return nil, werkzeug(http.StatusUnauthorized, "Invalid apikey")
	}
	var tree any
	if len(bytes.TrimSpace(body)) > 0 {
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		if err := dec.Decode(&tree); err != nil {
			return nil, werkzeug(http.StatusBadRequest, "could not parse the body as json: "+err.Error())
		}
	}
	named, _ := tree.(map[string]any) // anything else counts as nothing (odoo19/050, 058, 059)
	if named == nil {
		named = map[string]any{}
	}
	var result any
	err := e.within(func(tx *transaction) (err error) {
		if result, err = tx.callNamed(call.Model, call.Method, named); err == nil {
			tx.settleOrders()
		}
		return err
	})
	return result, err
}

// callNamed calls a method with named arguments only (odoo19/034 to 068).
func (tx *transaction) callNamed(modelName, name string, given map[string]any) (any, error) {
	m, ok := tx.erp.models[modelName]
	if !ok {
		return nil, werkzeug(http.StatusNotFound, "the model '"+modelName+"' does not exist")
	}
	if strings.HasPrefix(name, "_") || privateMethods[name] {
		return nil, tx.private(m, name)
	}
	if _, ok := m.methods[name]; !ok {
		return nil, werkzeug(http.StatusNotFound, "The method '"+modelName+"."+name+"' does not exist")
	}
	named := map[string]any{}
	for key, value := range given {
		if key != "ids" {
			named[key] = value
		}
	}
	if text, ok := named["context"].(string); ok {
		return nil, valueError("dictionary update sequence element #0 has length %d; 2 is required", len(text))
	}
	var ids []int64
	if list, ok := given["ids"]; ok {
		if isModelMethod(name) {
			return nil, werkzeug(http.StatusUnprocessableEntity, "cannot call "+modelName+"."+name+" with ids")
		}
		ids = looseIDs(list)
	}
	if err := checkSignature(name, named); err != nil {
		return nil, err
	}
	if name == "create" {
		// One record or several: the answer is always a list (odoo19/010).
		if one, ok := named["vals_list"].(map[string]any); ok {
			named["vals_list"] = []any{one}
		}
	}
	return tx.invoke(m, name, ids, arguments{named: named})
}

// looseIDs reads ids as JSON-2 does: what is no number is no record
// (odoo19/060 to 062).
func looseIDs(value any) []int64 {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var ids []int64
	for _, item := range list {
		if id, ok := asID(item); ok && id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// privateMethods are public in name but not to be called from outside since 19.
var privateMethods = map[string]bool{
	"browse": true, "sudo": true, "exists": true, "with_context": true, "with_user": true, "mapped": true, "filtered": true,
}
