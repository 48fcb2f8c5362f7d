package behaviour

import (
	"strings"
	"testing"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine"
)

// line is the line of a result's checks with this name.
func line(t *testing.T, out map[string]any, name string) map[string]any {
	t.Helper()
	for _, item := range out["checks"].([]any) {
		if check := item.(map[string]any); check["name"] == name {
			return check
		}
	}
	t.Fatalf("nothing is said of %q: %v", name, out)
	return nil
}

func TestSettingsPanelBeginsEverything(t *testing.T) {
	w := startWith(t, demo.Options{Roles: engine.Roles(), Settings: map[string]string{"sync_shipping_methods": "true"}})
	w.set(map[string]any{"public_url": w.EngineURL})
	w.settle()
	out := w.result("settings-panel", nil)
	if out["ok"] != true {
		t.Errorf("it says %v", out)
	}
	for _, name := range []string{"WooCommerce: login", "Odoo: login", "Store URL", "WooCommerce REST API", "Company", "Feeds", "Shipping methods", "Choices of Warehouse", "Webhooks"} {
		if l := line(t, out, name); l["ok"] != true || l["level"] != "ok" {
			t.Errorf("%s: %v", name, l)
		}
	}
	for _, setting := range []string{"warehouse", "payment_journal", "payment_journals.value", "tax", "odoo_company", "pricelist"} {
		choices, err := w.Engine.Settings().Choices(w.ctx, w.Instance, setting)
		if err != nil || len(choices) == 0 || choices[0].Label == "" {
			t.Errorf("the choices of %s are %v, %v", setting, choices, err)
		}
	}
	w.quiet()
	w.result("settings-panel", nil)
	if shop, odoo := w.writes(); odoo != 0 || shop > 2 { // the check of the keys' permission is refused
		t.Errorf("the second run wrote: %d in the shop, %d in Odoo", shop, odoo)
	}
}

// Of a record that another company owns, and one that is gone, the panel is told.
func TestSettingsPanelWantsOneCompany(t *testing.T) {
	w := start(t, nil)
	partner := w.odoo("create", map[string]any{"model": "res.partner", "values": map[string]any{"name": "Other Ltd"}})["id"]
	other := w.odoo("create", map[string]any{"model": "res.company", "values": map[string]any{
		"name": "Other Ltd", "partner_id": partner, "currency_id": w.find("res.company", []any{}, "currency_id")[0]["currency_id"].(map[string]any)["id"]}})["id"].(int64)
	own := w.find("stock.warehouse", []any{}, "company_id")[0]
	journal := w.odoo("create", map[string]any{"model": "account.journal", "values": map[string]any{"name": "Other bank", "code": "OTH", "type": "bank", "company_id": other}})["id"].(int64)
	w.set(map[string]any{"warehouse": own["id"], "payment_journal": journal, "tax": int64(987654)})
	out := w.result("settings-panel", nil)
	if l := line(t, out, "Company"); l["ok"] != false || !strings.Contains(l["message"].(string), "Other bank") {
		t.Errorf("it says %v", l)
	}
	if l := line(t, out, "Chosen records"); l["ok"] != false || !strings.Contains(l["message"].(string), "Tax") {
		t.Errorf("it says %v", l)
	}
	if out["ok"] != false {
		t.Errorf("it says that all is well: %v", out)
	}
}

// Faults are lines with what to do; neither flow fails for them.
func TestConnectionFaultsAreLines(t *testing.T) {
	for name, test := range map[string]struct {
		settings map[string]string
		line     string
	}{
		"a wrong key":         {map[string]string{"consumer_secret": "cs_wrong"}, "WooCommerce: login"},
		"a wrong login":       {map[string]string{"odoo_api_key": "wrong"}, "Odoo: login"},
		"a wrong database":    {map[string]string{"odoo_db": "nowhere"}, "Odoo: login"},
		"a shop that is off":  {map[string]string{"shop_url": "http://127.0.0.1:1"}, "WooCommerce: login"},
		"an Odoo that is off": {map[string]string{"odoo_url": "http://127.0.0.1:1"}, "Odoo: version"},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, test.settings)
			for _, flow := range []string{"check-connection", "settings-panel"} {
				out := w.result(flow, nil)
				if l := line(t, out, test.line); out["ok"] != false || l["ok"] != false || l["advice"] == "" {
					t.Errorf("%s says %v", flow, l)
				}
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		w := start(t, nil)
		if out := w.result("check-connection", nil); out["ok"] != true {
			t.Errorf("it says %v", out)
		}
	})
}
