package flow_test

import (
	"testing"
	"testing/fstest"

	"github.com/flowctl/flowctl/engine/flow"
)

// An address of a record is one of the web, with the key escaped, or none.
func TestRecordsHaveAddresses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url, key string
		shop     any
		want     string
	}{
		"plain":                   {"${settings.shop}/orders/${key}", "12", "https://shop.example", "https://shop.example/orders/12"},
		"a key that needs escape": {"${settings.shop}/users?s=${key}", "a b@example.com&x=y", "https://shop.example", "https://shop.example/users?s=a+b%40example.com%26x%3Dy"},
		"a setting without value": {"${settings.shop}/orders/${key}", "12", nil, ""},
		"no key":                  {"${settings.shop}/orders/${key}", "", "https://shop.example", ""},
		"an address that acts":    {"${settings.shop}${key}", "12", "javascript:alert(1)//", ""},
		"an address without host": {"${settings.shop}${key}", "12", "https:///", ""},
		"a key cannot be a host":  {"https://${key}/x", "evil.example/", nil, "https://evil.example%2F/x"},
		"a page within the page":  {"${settings.shop}/web#id=${key}&model=sale.order", "7", "http://127.0.0.1:8069", "http://127.0.0.1:8069/web#id=7&model=sale.order"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, found, err := flow.Load(fstest.MapFS{flow.AppFile: {Data: []byte("app: x\ntitle: X\nconnections: {}\nflows: []\nlinks:\n  order:\n    local: {record: a, key: id, url: \"" + test.url +
				"\"}\n    remote: {record: b, key: id}\nsettings:\n  - tab: t\n    title: T\n    saved: after\n    actions: [{flow: check, title: Check, help: Now}]\n    fields: [{name: shop, title: Shop, type: text}]\n")}}, "flows")
			if err != nil || found.Failed() {
				t.Fatal(err, found)
			}
			table, _ := app.Table("order")
			got := table.Local.Address(t.Context(), map[string]any{"shop": test.shop}, test.key)
			if name == "a key cannot be a host" && got == "" {
				return // an address that cannot be read is none
			}
			if got != test.want {
				t.Errorf("got %q, not %q", got, test.want)
			}
			if none := table.Remote.Address(t.Context(), nil, "1"); none != "" {
				t.Errorf("a side without url has %q", none)
			}
			if tab := app.Tabs[0]; tab.Saved != "after" || len(tab.Actions) != 1 || tab.Actions[0] != (flow.Action{Flow: "check", Title: "Check", Help: "Now"}) {
				t.Errorf("the tab is %+v", tab)
			}
		})
	}
}

func TestAddressesAreChecked(t *testing.T) {
	t.Parallel()
	_, found, err := flow.Load(fstest.MapFS{flow.AppFile: {Data: []byte("app: x\ntitle: X\nconnections: {}\nflows: []\nsettings: [{tab: t, title: T, fields: [{name: shop, title: S, type: text}]}]\nlinks:\n  order:\n    local: {record: a, key: id, url: \"${settings.nothing}/${key}\"}\n    remote: {record: b, key: id}\n")}}, "flows")
	if err != nil || !found.Failed() || found[0].Line != 8 {
		t.Errorf("an address by a setting that is not there gave %v, %v", found, err)
	}
}
