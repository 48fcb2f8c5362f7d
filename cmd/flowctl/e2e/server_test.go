package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
)

func TestServerIsOdoo19(t *testing.T) {
	t.Parallel()
	o := fromEnvironment(t)

	var common struct {
		Serie string          `json:"server_serie"`
		Info  json.RawMessage `json:"server_version_info"`
	}
	if err := o.rpc(t, &common, "common", "version"); err != nil {
		t.Fatal(err)
	}
	if common.Serie != "19.0" {
		t.Errorf("common.version says %q, want 19.0 (%s)", common.Serie, common.Info)
	}

	// The page that tells 19 and later from what came before (DOMAIN: protocols).
	data, err := o.request(t, http.MethodGet, "/web/version", nil)
	if err != nil {
		t.Fatal(err)
	}
	var web struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(data, &web); err != nil {
		t.Fatalf("/web/version answers %q: %v", data, err)
	}
	if web.Version != "19.0" {
		t.Errorf("/web/version says %q, want 19.0", web.Version)
	}
}

func TestKeyLogsIn(t *testing.T) {
	t.Parallel()
	o := fromEnvironment(t)
	uid, err := o.authenticate(t, o.key)
	if err != nil || uid < 1 {
		t.Errorf("the key of %s gives user %d, error %v", o.login, uid, err)
	}
	if uid, err := o.authenticate(t, "no such key"); err == nil {
		t.Errorf("a wrong key logs in as user %d", uid)
	}
}

func TestModulesAreInstalled(t *testing.T) {
	t.Parallel()
	o := connect(t)
	want := []string{
		"account", "base_automation", "contacts", "delivery", "sale_management", "sale_stock", "stock", "stock_delivery",
	}
	var modules []struct{ Name, State string }
	o.call(t, &modules, "ir.module.module", "search_read",
		[]any{[]any{[]any{"name", "in", want}}, []string{"name", "state"}}, nil)
	state := map[string]string{}
	for _, m := range modules {
		state[m.Name] = m.State
	}
	for _, name := range want {
		if state[name] != "installed" {
			t.Errorf("module %s is %q, want installed", name, state[name])
		}
	}
}
