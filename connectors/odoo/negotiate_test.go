package odoo_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

// protocols counts the requests by the protocol they came by.
func protocols(b *bench) *struct{ rpc, json2 int } {
	seen := &struct{ rpc, json2 int }{}
	b.erp.OnRequest(func(r *http.Request, _ sandbox.Call) *sandbox.Incident {
		switch {
		case r.URL.Path == "/jsonrpc":
			seen.rpc++
		case strings.HasPrefix(r.URL.Path, "/json/2/"):
			seen.json2++
		}
		return nil
	})
	return seen
}

// JSON-2 is spoken where the server has it and there is a key for it.
func TestProtocolIsChosen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		version  int
		settings params
		json2    bool
	}{
		"18 with a key":      {18, nil, false},
		"19 with a key":      {19, nil, true},
		"19 with a password": {19, params{"api_key": nil, "password": apiKey}, false},
		"19 with both":       {19, params{"password": "x"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, sandbox.Options{Version: c.version})
			b.connection = b.open(c.settings)
			seen := protocols(b)
			if got := b.call("count", params{"model": "res.partner"})["count"]; got == int64(0) {
				t.Error("no partner is there")
			}
			if (seen.json2 > 0) != c.json2 || (seen.rpc > 0) == c.json2 {
				t.Errorf("asked %d times over JSON-RPC, %d over JSON-2", seen.rpc, seen.json2)
			}
		})
	}
}

// The version is asked for once, also by many calls.
func TestVersionIsAskedOnce(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		for range 3 {
			b.call("count", params{"model": "res.partner"})
			b.call("version", nil)
		}
		if n := b.erp.Requested("", "version"); n > 2 {
			t.Errorf("asked for the version %d times", n)
		}
	})
}

// Arguments that only have a place go where places count.
func TestArgumentsByPlace(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		for name, p := range map[string]params{
			"by place": {"args": list(list(list("name", "=", "Administrator")))},
			"by name":  {"kwargs": params{"domain": list(list("name", "=", "Administrator"))}},
		} {
			p["model"], p["method"] = "res.partner", "search_count"
			if got := b.call("call", p)["result"]; got != int64(1) {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

// What a key that is refused and a wrong database look like over JSON-2.
func TestJSON2Refused(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{Version: 19})
	for name, c := range map[string]struct {
		settings params
		code     string
		says     string
	}{
		"wrong key":      {params{"api_key": "wrong-key-4711"}, connectors.CodeUnauthorized, "refused the API key (Invalid apikey)"},
		"wrong database": {params{"database": "nodb"}, connectors.CodeBadConfig, `no database "nodb"`},
	} {
		_, err := b.open(c.settings).Call(t.Context(), connectors.Call{Operation: "count", Params: params{"model": "res.partner"}})
		if !connectors.HasCode(err, c.code) || connectors.ClassOf(err) != connectors.Permanent || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), "4711") {
			t.Errorf("%s shows the key: %v", name, err)
		}
	}
}

// A server that cannot answer which version it is is not asked anything else.
func TestVersionUnknown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		incident sandbox.Incident
		class    connectors.Class
		code     string
	}{
		"starting": {sandbox.Incident{Status: 503}, connectors.Transient, connectors.CodeUnreachable},
		"dropped":  {sandbox.Incident{Drop: true}, connectors.Transient, connectors.CodeUnreachable},
	} {
		b := setup(t, sandbox.Options{Version: 19})
		b.erp.OnRequest(func(_ *http.Request, call sandbox.Call) *sandbox.Incident {
			if call.Service == "web" {
				return &c.incident
			}
			return nil
		})
		e := b.fails("create", params{"model": "res.partner", "values": params{"name": "x"}})
		if e.Class != c.class || e.Code != c.code {
			t.Errorf("%s: %s %s %s", name, e.Class, e.Code, e.Message)
		}
		if n := b.erp.Requested("res.partner", "create"); n != 0 {
			t.Errorf("%s: created %d times", name, n)
		}
	}
}
