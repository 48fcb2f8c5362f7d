package behaviour

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/flows"
)

// callable is the app with a flow of its own that a person starts and that calls
// one of the app's parts.
func callable(t *testing.T, part string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(flows.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(flows.Files, path)
		files[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files["by-hand.yaml"] = &fstest.MapFile{Data: []byte("flow: by-hand\ntitle: By hand\ntrigger:\n  manual:\n    input: {type: object, properties: {}}\nsteps:\n  - name: called\n    call: flow." + part + "\nresult: ${called}\n")}
	app := strings.TrimRight(string(files["app.yaml"].Data), "\n") + "\n  - by-hand\n"
	files["app.yaml"] = &fstest.MapFile{Data: []byte(app)}
	return files
}

func (w *world) methods(zone int64) map[string]string {
	w.Helper()
	found := map[string]string{}
	for _, item := range w.shop("shipping_zone_methods.list", map[string]any{"zone_id": zone})["items"].([]any) {
		m := item.(map[string]any)
		cost := ""
		if settings, ok := m["settings"].(map[string]any); ok {
			if c, ok := settings["cost"].(map[string]any); ok {
				cost = text(c["value"])
			}
		}
		if m["enabled"] == false {
			cost = "off"
		}
		found[m["title"].(string)] = cost
	}
	return found
}

// Carriers of a fixed price are flat rates in the zone of their countries; a second
// run writes nothing, and a carrier that is gone is switched off.
func TestCarriersBecomeShippingMethods(t *testing.T) {
	w := startWith(t, demo.Options{Flows: callable(t, "shipping-methods"), FlowsName: "flows", Shop: usd(false), Settings: map[string]string{"sync_shipping_methods": "true"}})
	germany := w.find("res.country", []any{[]any{"code", "=", "DE"}})[0]["id"]
	product := w.find("delivery.carrier", []any{}, "product_id")[0]["product_id"].(map[string]any)["id"]
	parcel := w.odoo("create", map[string]any{"model": "delivery.carrier", "values": map[string]any{
		"name": "Parcel & more", "fixed_price": "4.90", "product_id": product, "country_ids": []any{[]any{int64(6), int64(0), []any{germany}}}}})["id"]
	w.odoo("create", map[string]any{"model": "delivery.carrier", "values": map[string]any{"name": "By weight", "delivery_type": "base_on_rule", "product_id": product}})
	run := func() map[string]any {
		r := w.run("by-hand", map[string]any{})
		if r.State != store.Succeeded {
			t.Fatalf("%s: %s", r.State, r.Reason)
		}
		var out map[string]any
		if err := json.Unmarshal(r.Result, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := run()
	if text(out["not_mirrored"]) != "[By weight]" || text(out["methods"]) != "3" {
		t.Errorf("it says %v", out)
	}
	var zone int64
	for _, item := range w.shop("shipping_zones.list", nil)["items"].([]any) {
		if z := item.(map[string]any); z["name"] == "Odoo DE" {
			zone = z["id"].(int64)
		}
	}
	if got := w.methods(zone); got["Parcel & more"] != "4.9" || len(got) != 1 {
		t.Errorf("the methods of Germany are %v", got)
	}
	if got := w.methods(0); got["Flat rate"] != "5" || got["Standard delivery"] != "0" {
		t.Errorf("the methods of everywhere else are %v", got)
	}
	w.quiet()
	run()
	w.silent("the second run")
	w.odoo("write", map[string]any{"model": "delivery.carrier", "id": parcel, "values": map[string]any{"fixed_price": "5.50"}})
	run()
	if got := w.methods(zone); got["Parcel & more"] != "5.5" {
		t.Errorf("after a change of price the methods are %v", got)
	}
	w.odoo("write", map[string]any{"model": "delivery.carrier", "id": parcel, "values": map[string]any{"active": false}})
	run()
	if got := w.methods(zone); got["Parcel & more"] != "off" {
		t.Errorf("after the carrier is gone the methods are %v", got)
	}
	w.quiet()
	run()
	w.silent("the run after that")
}
