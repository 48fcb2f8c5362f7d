package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// serveSession answers the web client's own way to log in, which some clients use
// before they call /jsonrpc with login and key.
func (e *ERP) serveSession(w http.ResponseWriter, path string, body []byte) {
	var request struct {
		ID     any `json:"id"`
		Params struct {
			Database string `json:"db"`
			Login    string `json:"login"`
			Password string `json:"password"`
		} `json:"params"`
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&request); err != nil {
		plainAnswer(w, http.StatusBadRequest, "Invalid JSON data")
		return
	}
	if path == "/web/session/destroy" {
		jsonAnswer(w, map[string]any{"jsonrpc": "2.0", "id": request.ID, "result": nil})
		return
	}
	if err := e.rightDatabase(request.Params.Database); err != nil {
		e.answerRPC(w, request.ID, nil, toFault(err))
		return
	}
	if request.Params.Login != e.options.Login || request.Params.Password != e.options.APIKey {
		e.answerRPC(w, request.ID, nil, toFault(accessDenied()))
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "session_id", Value: "simulated", Path: "/", HttpOnly: true})
	e.answerRPC(w, request.ID, map[string]any{
		"uid": adminID, "db": e.options.Database, "username": e.options.Login, "is_admin": true,
		"user_context":   map[string]any{"lang": "en_US", "tz": false, "uid": adminID},
		"server_version": e.versionInfo()["server_version"], "server_version_info": e.versionInfo()["server_version_info"],
	}, nil)
}
