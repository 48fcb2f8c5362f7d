package behaviour

import (
	"strings"
	"testing"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine"
)

// says checks that a line of the health has a level and words.
func says(t *testing.T, out map[string]any, name, level, words string) {
	t.Helper()
	if l := line(t, out, name); l["level"] != level || !strings.Contains(l["message"].(string), words) {
		t.Errorf("%s: %v, want %s with %q", name, l, level, words)
	}
}

func TestHealthCheckTellsWhatIsWrong(t *testing.T) {
	w := startWith(t, demo.Options{Roles: engine.Roles(), Settings: map[string]string{"sync_products": "true"}})
	w.set(map[string]any{"public_url": w.EngineURL})
	w.settle()
	w.polled("shop_orders")
	out := w.result("health-check", nil)
	says(t, out, "WooCommerce: webhooks", "ok", "5 events")
	says(t, out, "Odoo: login", "ok", "login works")
	says(t, out, "Doubled SKUs", "ok", "none")
	says(t, out, "Needs you", "ok", "0 held")
	if out["ok"] != true {
		t.Errorf("it says %v", out)
	}
	w.quiet()
	w.result("health-check", nil)
	if shop, odoo := w.writes(); odoo != 0 || shop > 1 { // the check of the key's permission is refused
		t.Errorf("it wrote: %d in the shop, %d in Odoo", shop, odoo)
	}

	for _, name := range []string{"One", "Two"} {
		w.odoo("create", map[string]any{"model": "product.product", "values": map[string]any{"name": name, "default_code": "TWICE", "type": "consu"}})
	}
	w.odoo("create", map[string]any{"model": "product.product", "values": map[string]any{"name": "Nameless", "type": "consu"}})
	hook := w.Shop.Webhooks()[0]
	w.shop("webhooks.update", map[string]any{"id": hook.ID, "status": "disabled"})
	out = w.result("health-check", nil)
	says(t, out, "Doubled SKUs", "warn", "TWICE")
	says(t, out, "Products without SKU", "warn", "saleable")
	says(t, out, "Webhook repair", "warn", "made anew")
	w.settle()
	if got := w.hooked(); len(got) != 5 {
		t.Errorf("the disabled webhook was not made anew: %v", got)
	}
}

func TestHealthCheckWithoutOdooIsNotWell(t *testing.T) {
	w := start(t, map[string]string{"odoo_api_key": "wrong"})
	if out := w.result("health-check", nil); out["ok"] != false {
		t.Errorf("it says %v", out)
	}
}
