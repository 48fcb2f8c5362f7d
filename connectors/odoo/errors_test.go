package odoo_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

// Odoo's own errors, told apart by data.name.
func TestErrorsOfOdoo(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		operation string
		params    params
		code      string
		says      string
	}{
		"constraint": {"create", params{"model": "res.partner", "values": params{"phone": "1"}},
			"odoo.exceptions.ValidationError", "Contacts require a name"},
		"mandatory": {"create", params{"model": "sale.order", "values": params{"origin": "x"}},
			"odoo.exceptions.ValidationError", "Customer"},
		"missing record": {"write", params{"model": "res.partner", "id": int64(999), "values": params{"name": "x"}},
			connectors.CodeNotFound, "does not exist or has been deleted"},
		"missing reference": {"create", params{"model": "sale.order", "values": params{"partner_id": int64(999)}},
			"odoo.exceptions.MissingError", "res.partner(999,)"},
		"read of a missing record": {"get", params{"model": "res.partner", "id": int64(999), "fields": list("name")},
			connectors.CodeNotFound, "no res.partner with id 999"},
		"unknown model": {"search", params{"model": "x.none"},
			"odoo.exceptions.UserError", "Object x.none doesn't exist"},
		"unknown method": {"call", params{"model": "res.partner", "method": "frobnicate"},
			"builtins.AttributeError", "frobnicate"},
		"right": {"create", params{"model": "crm.team", "values": params{"name": "x"}},
			"odoo.exceptions.AccessError", "You are not allowed to create"},
		"redirect warning": {"unlink", params{"model": "res.partner", "id": int64(3)},
			"odoo.exceptions.RedirectWarning", "You should rather archive them"},
		"wrong selection": {"create", params{"model": "product.template", "values": params{"name": "x", "type": "product"}},
			"builtins.ValueError", "Wrong value for product.template.type"},
	}
	eachVersion(t, func(t *testing.T, b *bench) {
		b.erp.Deny("crm.team", "create")
		for name, c := range cases {
			e := b.fails(c.operation, c.params)
			if e.Code != c.code || !strings.Contains(e.Message, c.says) || e.Class != connectors.Permanent {
				t.Errorf("%s: %s %s %q", name, e.Class, e.Code, e.Message)
			}
			for _, hidden := range []string{"Traceback", "ir.actions", apiKey} {
				if strings.Contains(e.Message+e.Advice, hidden) {
					t.Errorf("%s shows %q: %q", name, hidden, e.Message)
				}
			}
			if e.Advice == "" {
				t.Errorf("%s has no advice", name)
			}
		}
	})
}

// What is wrong with the parameters is found before anything is sent.
func TestErrorsBeforeSending(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		operation string
		params    params
		says      string
	}{
		"no ids to write":  {"write", params{"model": "res.partner", "ids": list(), "values": params{"name": "x"}}, "ids is empty"},
		"no ids to unlink": {"unlink", params{"model": "res.partner", "ids": list()}, "ids is empty"},
		"no ids to call":   {"call", params{"model": "sale.order", "method": "action_confirm", "ids": list()}, "ids is empty"},
		"ids is nothing":   {"call", params{"model": "sale.order", "method": "action_confirm", "ids": nil}, "wants the id"},
		"no id":            {"write", params{"model": "res.partner", "values": params{"name": "x"}}, "wants the id"},
		"id and ids":       {"write", params{"model": "res.partner", "id": int64(1), "ids": list(int64(2)), "values": params{"name": "x"}}, "not both"},
		"private method":   {"call", params{"model": "res.partner", "method": "_write"}, "private"},
		"empty values":     {"write", params{"model": "res.partner", "id": int64(1), "values": params{}}, "values is empty"},
		"unknown field":    {"create", params{"model": "res.partner", "values": params{"e_mail": "x"}}, `did you mean "email"`},
		"unknown field read": {"search_read", params{"model": "res.partner", "fields": list("nmae")},
			`did you mean "name"`},
		"unknown field in a domain": {"count", params{"model": "res.partner", "domain": list(list("country_id.cod", "=", "US"))},
			`res.country has no field "cod"`},
		"unknown field in an order": {"search", params{"model": "res.partner", "order": "nome desc"}, "has no field"},
		"text as a reference": {"create", params{"model": "sale.order", "values": params{"partner_id": "Jane"}},
			"wants the id of a res.partner"},
		"comma in an amount": {"create", params{"model": "product.template", "values": params{"name": "x", "list_price": "12,50"}},
			"wants a number"},
		"instant as a day": {"create", params{"model": "sale.order", "values": params{"validity_date": time.Now()}},
			"wants a day"},
		"half a condition": {"count", params{"model": "res.partner", "domain": list(list("name", "="))}, "three parts"},
		"a bad command": {"create", params{"model": "res.partner", "values": params{"name": "x", "child_ids": list(list(int64(9)))}},
			"a command is"},
	}
	b := setup(t, sandbox.Options{})
	for name, c := range cases {
		e := b.fails(c.operation, c.params)
		if e.Code != connectors.CodeBadParams || !strings.Contains(e.Message, c.says) || e.Class != connectors.Permanent {
			t.Errorf("%s: %s %s %q", name, e.Class, e.Code, e.Message)
		}
	}
	for call, n := range b.erp.Requests() {
		if call.Service == "object" && call.Method != "fields_get" {
			t.Errorf("sent %v %d times", call, n)
		}
	}
}

// What goes wrong on the way, for a read and for a write.
func TestFaults(t *testing.T) {
	t.Parallel()
	const transient, unclear, permanent = connectors.Transient, connectors.Unclear, connectors.Permanent
	page := "<html><title>Just a moment...</title>"
	serialization := &sandbox.Fault{Name: "psycopg2.errors.SerializationFailure", Message: "could not serialize access due to concurrent update"}
	cases := map[string]faultCase{
		"connection dropped":   {sandbox.Incident{Drop: true}, transient, unclear, connectors.CodeUnreachable, "broke"},
		"dropped after it":     {sandbox.Incident{Drop: true, After: true}, transient, unclear, connectors.CodeUnreachable, "broke"},
		"no answer in time":    {sandbox.Incident{Hang: true}, transient, unclear, connectors.CodeUnreachable, "no answer in time"},
		"serialization":        {sandbox.Incident{Fault: serialization}, transient, transient, "psycopg2.errors.SerializationFailure", "serialize"},
		"gateway timeout":      {sandbox.Incident{Status: 504, Body: page}, transient, unclear, connectors.CodeBadAnswer, "Just a moment"},
		"bad gateway":          {sandbox.Incident{Status: 502}, transient, unclear, connectors.CodeBadAnswer, "502"},
		"internal error":       {sandbox.Incident{Status: 500, Body: "<h1>oops"}, transient, unclear, connectors.CodeBadAnswer, "500"},
		"unavailable":          {sandbox.Incident{Status: 503, Header: http.Header{"Retry-After": {"7"}}}, transient, transient, connectors.CodeUnreachable, "503"},
		"too many calls":       {sandbox.Incident{Status: 429, Header: http.Header{"Retry-After": {"7"}}}, transient, transient, connectors.CodeRateLimited, "429"},
		"firewall":             {sandbox.Incident{Status: 403, Body: page}, permanent, permanent, connectors.CodeForbidden, "Just a moment"},
		"password asked":       {sandbox.Incident{Status: 401}, permanent, permanent, connectors.CodeUnauthorized, "401"},
		"no such address":      {sandbox.Incident{Status: 404, Body: "<title>Odoo</title>"}, permanent, permanent, connectors.CodeBadAnswer, `"Odoo"`},
		"redirect":             {sandbox.Incident{Status: 303, Header: http.Header{"Location": {"https://other.example/x"}}}, permanent, permanent, connectors.CodeBadConfig, "https://other.example"},
		"a page instead":       {sandbox.Incident{Status: 200, Body: page}, transient, unclear, connectors.CodeBadAnswer, "Just a moment"},
		"an answer cut off":    {sandbox.Incident{Status: 200, Body: `{"jsonrpc": "2.0", "res`}, transient, unclear, connectors.CodeBadAnswer, "not Odoo's"},
		"database unreachable": {sandbox.Incident{Fault: &sandbox.Fault{Name: "psycopg2.OperationalError", Message: "server closed the connection"}}, transient, transient, "psycopg2.OperationalError", "closed"},
		"unknown database":     {sandbox.Incident{Fault: &sandbox.Fault{Name: "psycopg2.OperationalError", Message: "connection to server at \"10.0.0.7\", port 5432 failed: FATAL:  database \"shop\" does not exist\n"}}, permanent, permanent, connectors.CodeBadConfig, `no database "shop"`},
		"key repeated":         {sandbox.Incident{Fault: &sandbox.Fault{Name: "builtins.ValueError", Message: "bad " + apiKey}}, permanent, permanent, "builtins.ValueError", "bad •••"},
		"session":              {sandbox.Incident{Fault: &sandbox.Fault{Name: "odoo.http.SessionExpiredException", Message: "Session expired"}}, permanent, permanent, connectors.CodeUnauthorized, "expired"},
		"login refused":        {sandbox.Incident{Fault: &sandbox.Fault{Name: "odoo.exceptions.AccessDenied", Message: "Access Denied"}}, permanent, permanent, connectors.CodeUnauthorized, "refused the login"},
	}
	eachVersion(t, func(t *testing.T, on *bench) {
		for name, c := range cases {
			testFault(t, name, on.erp.Options().Version, c)
		}
	})
}

type faultCase struct {
	incident    sandbox.Incident
	read, write connectors.Class
	code        string
	says        string
}

func testFault(t *testing.T, name string, version int, c faultCase) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		b := setup(t, sandbox.Options{Version: version})
		b.call("count", params{"model": "res.partner"}) // logs in and asks for the fields
		b.erp.OnRequest(func(_ *http.Request, call sandbox.Call) *sandbox.Incident {
			if call.Method == "fields_get" {
				return nil
			}
			return &c.incident
		})
		try := func(operation string, p params, want connectors.Class) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if !c.incident.Hang {
				ctx = t.Context()
			}
			_, err := b.connection.Call(ctx, connectors.Call{Operation: operation, Params: p})
			e, ok := err.(*connectors.Error)
			if !ok {
				t.Fatalf("%s: %v is no *Error", operation, err)
			}
			if e.Class != want || e.Code != c.code || !strings.Contains(e.Message, c.says) {
				t.Errorf("%s: %s %s %q, want %s %s %q", operation, e.Class, e.Code, e.Message, want, c.code, c.says)
			}
			if strings.Contains(e.Message+e.Advice, apiKey) || e.Err != nil && strings.Contains(e.Err.Error(), apiKey) {
				t.Errorf("the key is shown: %q %v", e.Message, e.Err)
			}
			if c.incident.Header.Get("Retry-After") != "" && e.RetryAfter != 7*time.Second {
				t.Errorf("RetryAfter is %s", e.RetryAfter)
			}
		}
		try("count", params{"model": "res.partner"}, c.read)
		try("create", params{"model": "res.partner", "values": params{"name": "x"}}, c.write)
	})
}

// Before there is a connection nothing can have happened.
func TestNotReached(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{
		"refused":      "http://" + free,
		"unknown name": "http://odoo.does-not-exist.invalid",
	} {
		connection, err := odoo.Connector{}.Open(connectors.Config{Settings: params{
			"url": url, "database": "d", "login": "l", "api_key": apiKey,
		}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = connection.Call(t.Context(), connectors.Call{Operation: "create", Params: params{"model": "res.partner", "values": params{"name": "x"}}})
		if connectors.ClassOf(err) != connectors.Transient || !connectors.HasCode(err, connectors.CodeUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	for name, c := range map[string]struct {
		settings params
		code     string
	}{
		"wrong key":      {params{"api_key": "wrong-key-4711"}, connectors.CodeUnauthorized},
		"wrong login":    {params{"login": "nobody"}, connectors.CodeUnauthorized},
		"wrong database": {params{"database": "nodb"}, connectors.CodeBadConfig},
	} {
		_, err := b.open(c.settings).Call(t.Context(), connectors.Call{Operation: "count", Params: params{"model": "res.partner"}})
		if !connectors.HasCode(err, c.code) || connectors.ClassOf(err) != connectors.Permanent {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), "4711") {
			t.Errorf("%s shows the key: %v", name, err)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	whole := params{"url": "https://erp.example.com", "database": "d", "login": "l", "password": "p"}
	for name, c := range map[string]struct {
		changed params
		says    []string // none: it opens
	}{
		"whole":                  {nil, nil},
		"pasted from a browser":  {params{"url": "https://erp.example.com/web/login?redirect=x"}, nil},
		"all missing":            {params{"url": "", "database": nil, "login": "", "password": ""}, []string{"URL", "database", "login", "API key"}},
		"no scheme":              {params{"url": "erp.example.com"}, []string{"https://"}},
		"a password in the URL":  {params{"url": "https://me:hunter2@erp.example.com"}, []string{"must not hold a login"}},
		"a company that is text": {params{"company_id": "first"}, []string{"no whole number"}},
	} {
		settings := params{}
		for _, values := range []params{whole, c.changed} {
			for key, value := range values {
				settings[key] = value
			}
		}
		_, err := odoo.Connector{}.Open(connectors.Config{Settings: settings})
		if (err == nil) != (len(c.says) == 0) {
			t.Errorf("%s: %v", name, err)
		}
		for _, says := range c.says {
			if !connectors.HasCode(err, connectors.CodeBadConfig) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Errors after which nothing happened and another try may help.
func TestErrorsWorthAnotherTry(t *testing.T) {
	t.Parallel()
	html := http.Header{"Content-Type": {"text/html"}}
	faults := map[string]*sandbox.Incident{
		"a lock of 19":         {Fault: &sandbox.Fault{Name: "odoo.exceptions.LockError", Message: "Cannot lock records"}},
		"concurrency of 19":    {Fault: &sandbox.Fault{Name: "odoo.exceptions.ConcurrencyError", Message: "again"}},
		"serialization":        {Fault: &sandbox.Fault{Name: "psycopg2.errors.SerializationFailure", Message: "could not serialize access"}},
		"request not received": {Status: http.StatusRequestTimeout, Header: html, Body: "<title>408 Request Timeout</title>"},
		"too many, by a proxy": {Status: http.StatusTooManyRequests, Header: html},
		"too many, by Odoo": {Status: http.StatusTooManyRequests, Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {"7"}},
			Body: `{"name": "werkzeug.exceptions.TooManyRequests", "message": "slower", "arguments": ["slower", 429], "context": {}, "debug": ""}`},
		"starting, by Odoo": {Status: http.StatusServiceUnavailable, Header: http.Header{"Content-Type": {"application/json"}},
			Body: `{"name": "werkzeug.exceptions.ServiceUnavailable", "message": "starting", "arguments": ["starting", 503], "context": {}, "debug": ""}`},
	}
	eachVersion(t, func(t *testing.T, b *bench) {
		b.call("version", params{})
		b.call("fields", params{"model": "res.partner"})
		for name, incident := range faults {
			b.erp.OnRequest(func(_ *http.Request, call sandbox.Call) *sandbox.Incident {
				if call.Method != "create" {
					return nil
				}
				return incident
			})
			e := b.fails("create", params{"model": "res.partner", "values": params{"name": "x"}})
			if e.Class != connectors.Transient {
				t.Errorf("%s: %s %s %q", name, e.Class, e.Code, e.Message)
			}
			if strings.HasPrefix(name, "too many") && e.Code != connectors.CodeRateLimited {
				t.Errorf("%s has the code %s", name, e.Code)
			}
			if name == "too many, by Odoo" && e.RetryAfter != 7*time.Second {
				t.Errorf("%s: try again after %v", name, e.RetryAfter)
			}
		}
	})
}

// Names of models and methods become parts of addresses: nothing else may.
func TestNamesThatAreNone(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		for _, name := range []string{"..", "res/partner", "res.partner?x=1", "res.partner#", "../web", "res partner", "a..b"} {
			if e := b.fails("search", params{"model": name}); e.Code != connectors.CodeBadParams {
				t.Errorf("model %q: %s %q", name, e.Code, e.Message)
			}
			if e := b.fails("call", params{"model": "res.partner", "method": name}); e.Code != connectors.CodeBadParams {
				t.Errorf("method %q: %s %q", name, e.Code, e.Message)
			}
		}
		if len(b.erp.Requests()) != 0 {
			t.Errorf("asked %v", b.erp.Requests())
		}
	})
}
