package behaviour

import (
	"context"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/flows"
)

// What starts a flow.
const (
	byHand  = "Manual"
	byEvent = "Event"
)

// shipped are the flows that the app promises: title, what starts them, and what
// they do.
var shipped = []struct{ name, title, trigger, summary string }{
	{"settings-panel", "Settings Panel", byHand, "Processes settings panel configuration and initializes connection."},
	{"check-connection", "Check Connection", byHand, "Tests WooCommerce REST API connectivity and authentication."},
	{"health-check", "Health Check", byEvent, "Tests API connectivity and reports sync health."},
	{"manage-webhooks", "Manage Webhooks", byEvent, "Registers and manages WooCommerce webhooks based on settings."},

	{"products", "Products", byEvent, "Syncs products from Odoo to WooCommerce."},
	{"create-products-and-variants", "Create Products and Variants", byHand, "Bulk create products and variants in WooCommerce."},
	{"update-stock", "Update Stock", byEvent, "Pushes stock level changes to WooCommerce."},
	{"customer", "Customer", byEvent, "Syncs customer data from Odoo to WooCommerce."},
	{"fulfill", "Fulfill", byEvent, "Sends fulfillment and tracking data to WooCommerce."},

	{"webhook-order-created", "Webhook Order Created", byEvent, "Receives order.created events and creates sale orders in Odoo."},
	{"webhook-order-updated", "Webhook Order Updated", byEvent, "Receives order.updated events and updates existing sale orders."},
	{"webhook-customer-inbound", "Webhook Customer Inbound", byEvent, "Receives customer.created and customer.updated events."},
	{"webhook-product-inbound", "Webhook Product Inbound", byEvent, "Receives product.created, product.updated, and product.deleted events."},
	{"webhook-order-status", "Webhook Order Status", byEvent, "Receives order status change events (processing, completed, cancelled, refunded)."},
	{"webhook-payment", "Webhook Payment", byEvent, "Receives payment completion events."},
	{"webhook-return", "Webhook Return", byEvent, "Processes refund events and creates credit notes or return orders."},
}

func shippedApp(t *testing.T) *flow.App {
	t.Helper()
	app, found, err := flow.Load(flows.Files, "flows")
	if err != nil {
		t.Fatal(err)
	}
	if found.Failed() {
		t.Fatal(found)
	}
	return app
}

func TestTheAppHasTheFlowsItPromises(t *testing.T) {
	t.Parallel()
	app := shippedApp(t)
	for _, want := range shipped {
		f, ok := app.Flow(want.name)
		if !ok {
			t.Errorf("there is no flow %s", want.name)
			continue
		}
		trigger := byEvent
		if f.Trigger.Manual {
			trigger = byHand
		}
		if f.Title != want.title || trigger != want.trigger || f.Summary != want.summary || f.Trigger.Called {
			t.Errorf("%s is %q, %s: %s\nwant %q, %s: %s", f.Name, f.Title, trigger, f.Summary, want.title, want.trigger, want.summary)
		}
		if want.trigger == byEvent && len(f.Trigger.Events) == 0 {
			t.Errorf("no event starts %s", f.Name)
		}
	}
}

func TestTheAppRemembersWhatItPromises(t *testing.T) {
	t.Parallel()
	app := shippedApp(t)
	for _, want := range []struct{ table, local, remote, key, keyType string }{
		{"partner_email", "res.partner", "customer", "email", "string"},
		{"partner", "res.partner", "customer", "id", "integer"},
		{"sale_order", "sale.order", "order", "id", "integer"},
		{"sale_order_line", "sale.order.line", "order line", "id", "integer"},
		{"product", "product.product", "product", "sku", "string"},
	} {
		table, ok := app.Table(want.table)
		if !ok {
			t.Errorf("there is no table %s", want.table)
			continue
		}
		keyType := table.Remote.Type
		if keyType == "" {
			keyType = "integer"
		}
		if table.Local.Record != want.local || table.Local.Key != "id" || table.Remote.Record != want.remote ||
			table.Remote.Key != want.key || keyType != want.keyType || table.Direction != "incoming" {
			t.Errorf("%s links %s.%s to %s.%s (%s), %s; want %+v", want.table, table.Local.Record, table.Local.Key,
				table.Remote.Record, table.Remote.Key, keyType, table.Direction, want)
		}
		if table.Rebuild == "" {
			t.Errorf("%s cannot be rebuilt", want.table)
		}
	}
}

// A setting that nothing reads would be a promise that nobody keeps.
func TestEverySettingHasAnEffect(t *testing.T) {
	t.Parallel()
	app := shippedApp(t)
	// What the engine's own operations read, by its contract.
	ofTheEngine := []string{"public_url"}
	var tabs []string
	for _, tab := range app.Tabs {
		tabs = append(tabs, tab.Name)
		for _, setting := range tab.Settings {
			if !slices.Contains(ofTheEngine, setting.Name) && !isRead(app, setting.Name) {
				t.Errorf("no flow, feed or connection reads the setting %s", setting.Name)
			}
		}
	}
	if want := []string{"connection", "configuration", "features", "monitor"}; !slices.Equal(tabs, want) {
		t.Errorf("the tabs are %v, not %v", tabs, want)
	}
}

func isRead(app *flow.App, setting string) bool {
	read := regexp.MustCompile(`\bsettings\.` + regexp.QuoteMeta(setting) + `\b`)
	for name, text := range app.Sources {
		if strings.HasSuffix(name, flow.TestSuffix) {
			continue
		}
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(strings.TrimSpace(line), "#") && read.MatchString(line) {
				return true
			}
		}
	}
	return false
}

// switches are the feature switches, and the flows that each turns on and off. A
// flow with several listens as long as one of them is on.
var switches = map[string][]string{
	"sync_products":          {"products"},
	"sync_stock":             {"update-stock"},
	"sync_customers":         {"customer"},
	"sync_fulfillment":       {"fulfill"},
	"import_orders":          {"webhook-order-created", "webhook-order-updated"},
	"sync_customers_inbound": {"webhook-customer-inbound"},
	"sync_products_inbound":  {"webhook-product-inbound"},
	"process_returns":        {"webhook-return"},
	"order_status_updates":   {"webhook-order-status"},
	"payment_events":         {"webhook-payment"},
}

// within are the switches that decide within a flow.
var within = []string{"create_products", "sync_images", "create_customers", "sync_shipping_methods"}

func TestEverySwitchTurnsItsFlowsOnAndOff(t *testing.T) {
	t.Parallel()
	app := shippedApp(t)
	for _, tab := range app.Tabs {
		if tab.Name != "features" {
			continue
		}
		for _, s := range tab.Settings {
			if _, ok := switches[s.Name]; !ok && !slices.Contains(within, s.Name) {
				t.Errorf("no flow is known to hang on the switch %s", s.Name)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		values := defaults(app)
		for name := range switches {
			values[name] = rapid.Bool().Draw(t, name)
		}
		for name, switched := range switches {
			for _, f := range switched {
				if got := listens(t, app, f, values); got != values[name] {
					t.Errorf("with %s %v, %s listens: %v", name, values[name], f, got)
				}
			}
		}
		// A feed is polled when, and only when, somebody listens to it.
		for _, feed := range app.Feeds {
			wanted := false
			for _, f := range app.Listening(feed.Event) {
				wanted = wanted || listens(t, app, f.Name, values)
			}
			on, err := feed.On(context.Background(), values)
			if err != nil {
				t.Fatalf("%s: %v", feed.Name, err)
			}
			if on && !wanted || !on && wanted && feed.Name != "odoo_moves" { // forecast quantities are a setting of their own
				t.Errorf("with %v the feed %s is polled: %v, and its event starts a flow: %v", values, feed.Name, on, wanted)
			}
		}
	})
}

// defaults are the settings of a shop that has set nothing.
func defaults(app *flow.App) map[string]any {
	values := map[string]any{}
	for _, s := range app.Settings() {
		values[s.Name] = s.Default
	}
	return values
}

func listens(t *rapid.T, app *flow.App, name string, values map[string]any) bool {
	f, ok := app.Flow(name)
	if !ok {
		t.Fatalf("there is no flow %s", name)
	}
	if f.Trigger.Enabled == nil {
		return true
	}
	out, err := f.Trigger.Enabled.Eval(context.Background(), map[string]any{"settings": values, "event": map[string]any{}, "run": map[string]any{}})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	on, _ := out.(bool)
	return on
}

// Each of the flows has its tests.
func TestEveryFlowOfTheAppHasATest(t *testing.T) {
	t.Parallel()
	for _, f := range shipped {
		if _, err := fs.Stat(flows.Files, "tests/"+f.name+flow.TestSuffix); err != nil {
			t.Error(err)
		}
	}
}
