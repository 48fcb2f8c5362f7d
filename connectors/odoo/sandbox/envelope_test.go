package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func post(erp *ERP, path, contentType, body string) *http.Response {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	recorder := httptest.NewRecorder()
	erp.ServeHTTP(recorder, request)
	return recorder.Result()
}

func bodyOf(t *testing.T, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// What is no JSON-RPC is refused by the web server, not by Odoo (odoo18/051 to 056).
func TestEnvelope(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	for name, c := range map[string]struct {
		path, contentType, body string
		status                  int
		says                    string
	}{
		"no JSON (051)":      {"/jsonrpc", "application/json", "{not json", 400, "Invalid JSON data"},
		"a list (052)":       {"/jsonrpc", "application/json", "[]", 400, "Invalid JSON-RPC data"},
		"a form (053)":       {"/jsonrpc", "application/x-www-form-urlencoded", `{"params":{}}`, 400, "<title>400 Bad Request</title>"},
		"another path (056)": {"/nope", "application/json", "{}", 404, "<title>Odoo</title>"},
	} {
		response := post(erp, c.path, c.contentType, c.body)
		if body := bodyOf(t, response); response.StatusCode != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", name, response.StatusCode, body)
		}
	}
	empty := bodyOf(t, post(erp, "/jsonrpc", "application/json", `{"jsonrpc": "2.0", "method": "call", "params": {}, "id": 1}`))
	if !strings.Contains(empty, "missing 3 required positional arguments") {
		t.Errorf("054: %s", empty)
	}
}

// services calls one and gives result and error's data.
func service(t *testing.T, erp *ERP, service, method string, args ...any) (any, map[string]any) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 7, "params": map[string]any{"service": service, "method": method, "args": args}})
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(bodyOf(t, post(erp, "/jsonrpc", "application/json", string(body)))), &answer); err != nil {
		t.Fatal(err)
	}
	if answer["id"] != 7.0 || answer["jsonrpc"] != "2.0" {
		t.Errorf("the envelope is %v", answer)
	}
	failed := asObject(answer["error"])
	if failed == nil {
		return answer["result"], nil
	}
	code := 200.0
	if erp.latest() {
		code = 0
	}
	if failed["code"] != code || failed["message"] != "Odoo Server Error" {
		t.Errorf("the error's envelope is %v", failed)
	}
	data := asObject(failed["data"])
	if !slices.Contains(asList(data["arguments"]), data["message"]) || asObject(data["context"]) == nil || data["debug"] == "" {
		t.Errorf("the error's data is %v", data)
	}
	return nil, data
}

// Logins and services (odoo18/001 to 014, 057 to 059, odoo19/160 to 167).
func TestServices(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		erp := New(Options{Version: version, APIKey: "key"})
		serie := map[int]string{18: "18.0", 19: "19.0"}[version]
		want := map[string]any{"server_version": serie, "server_serie": serie, "protocol_version": 1.0,
			"server_version_info": []any{float64(version), 0.0, 0.0, "final", 0.0, ""}}
		if got, _ := service(t, erp, "common", "version"); !reflect.DeepEqual(got, want) {
			t.Errorf("001: %v", got)
		}
		for login, c := range map[string]struct{ database, user, key, want any }{
			"right": {"sandbox", "admin", "key", 2.0}, "wrong key": {"sandbox", "admin", "x", false}, "wrong login": {"sandbox", "x", "key", false},
		} {
			if got, _ := service(t, erp, "common", "authenticate", c.database, c.user, c.key, map[string]any{}); got != c.want {
				t.Errorf("login %s: %v", login, got)
			}
		}
		for name, c := range map[string]struct {
			service, method string
			args            []any
			error, says     string
		}{
			"unknown database (006)": {"common", "authenticate", []any{"nodb", "admin", "key", nil}, "psycopg2.OperationalError", `FATAL:  database "nodb" does not exist`},
			"wrong key (011)":        {"object", "execute_kw", []any{"sandbox", 2, "x", "res.partner", "search", []any{}}, "odoo.exceptions.AccessDenied", "Access Denied"},
			"unknown user (012)":     {"object", "execute_kw", []any{"sandbox", 9999, "key", "res.partner", "search", []any{}}, "odoo.exceptions.MissingError", "(Record: res.users(9999,), User: 9999)"},
			"no user (013)":          {"object", "execute_kw", []any{"sandbox", false, "key", "res.partner", "search", []any{}}, "odoo.exceptions.AccessDenied", "Access Denied"},
			"unknown service (057)":  {"nosvc", "version", nil, "builtins.KeyError", "nosvc"},
			"unknown method (058)":   {"common", "nomethod", nil, "builtins.Exception", "Method not found: nomethod"},
			"unknown call (059)":     {"object", "nomethod", []any{"sandbox", 2, "key", "res.partner", "search"}, "builtins.NameError", "Method not available nomethod"},
		} {
			_, failed := service(t, erp, c.service, c.method, c.args...)
			if failed["name"] != c.error || !strings.Contains(failed["message"].(string), c.says) {
				t.Errorf("%s: %v", name, failed)
			}
		}
		if got, _ := service(t, erp, "object", "execute", "sandbox", 2, "key", "res.partner", "search_count", []any{}); got != 3.0 && got != 2.0 {
			t.Errorf("061: %v", got)
		}
	}
}

// Where the version is told without JSON-RPC (odoo18/010, odoo19/145 to 148).
func TestVersionPages(t *testing.T) {
	t.Parallel()
	for version, page := range map[int]int{18: 404, 19: 200} {
		erp := New(Options{Version: version})
		if got := post(erp, "/web/version", "", "").StatusCode; got != page {
			t.Errorf("%d: /web/version answers %d", version, got)
		}
		if got := bodyOf(t, post(erp, "/web/webclient/version_info", "application/json", "{}")); !strings.Contains(got, `"server_version_info"`) {
			t.Errorf("%d: version_info answers %s", version, got)
		}
	}
}

// A user without rights (odoo18/039, 040).
func TestRights(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	erp.Deny("product.template", "write")
	key := erp.Options().APIKey
	_, failed := service(t, erp, "object", "execute_kw", "sandbox", 2, key, "product.template", "write", []any{[]any{1}, map[string]any{"name": "x"}})
	if failed["name"] != "odoo.exceptions.AccessError" ||
		!strings.HasPrefix(failed["message"].(string), "You are not allowed to modify 'Product' (product.template) records.\n\nThis operation is allowed for the following groups:\n\t- ") {
		t.Errorf("%v", failed)
	}
	if read, _ := service(t, erp, "object", "execute_kw", "sandbox", 2, key, "product.template", "search_count", []any{[]any{}}); read == nil {
		t.Error("reading is not allowed any more")
	}
}
