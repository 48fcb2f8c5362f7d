package browser

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/panel"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/flows"

	_ "github.com/flowctl/flowctl/connectors/http"
	_ "github.com/flowctl/flowctl/connectors/mail"
	_ "github.com/flowctl/flowctl/connectors/odoo"
	_ "github.com/flowctl/flowctl/connectors/woocommerce"
)

// house is a new installation that knows nothing yet, with a shop and an Odoo
// beside it.
type house struct {
	engine          *engine.Engine
	url, setup      string
	shopURL, erpURL string
	erp             odoosandbox.Options
}

func newHouse(t *testing.T) *house {
	t.Helper()
	t.Parallel()
	h := &house{}
	closing := func(what string, end func() error) {
		t.Cleanup(func() {
			if err := end(); err != nil {
				t.Errorf("closing %s: %v", what, err)
			}
		})
	}
	var err error
	must := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	shop, erp := shopsandbox.New(shopsandbox.Options{}), odoosandbox.New(odoosandbox.Options{})
	h.shopURL, err = shop.Start("127.0.0.1:0")
	must()
	closing("the shop", shop.Close)
	h.erpURL, err = erp.Start("127.0.0.1:0")
	must()
	closing("Odoo", erp.Close)
	h.erp = erp.Options()
	sealer, err := settings.NewSealer("a key of enough characters")
	must()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	h.engine, err = engine.Open(t.Context(), engine.Config{
		Flows: flows.Files, FlowsName: "flows", DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "flowctl.db"),
		Instances: []string{"main"}, Sealer: sealer, Log: log, Roles: []engine.Role{engine.RoleWorker, engine.RolePanel},
	})
	must()
	closing("the engine", h.engine.Close)
	err = h.engine.Start(context.Background())
	must()
	p, err := panel.New(panel.Config{Engine: h.engine, Log: log, Version: "test"})
	must()
	closing("the panel", p.Close)
	server := httptest.NewServer(http.Handler(p.Handler()))
	t.Cleanup(func() { p.EndStreams(); server.Close() })
	h.url = server.URL
	h.setup, err = p.SetupPath(t.Context())
	must()
	return h
}

// login makes the first account and is logged in.
func (h *house) login(b *tab) {
	b.Helper()
	b.visit(h.setup)
	b.see("Welcome")
	b.fill("#name", "anna")
	b.fill("#password", "a password of people")
	b.fill("#again", "a password of people")
	b.press("Start")
	b.see("Let’s connect your shop")
}

// A new owner logs in, connects both systems with the faults that people make,
// and finds every tab as it was saved.
func TestFirstDay(t *testing.T) {
	h := newHouse(t)
	b := open(t, h.url)
	b.visit("/")
	b.see("Password")
	b.accessible("the login")
	b.shoot("login")
	b.visit(h.setup)
	b.see("Welcome")
	b.accessible("the setup")
	b.shoot("setup")
	h.login(b)
	b.see("Set up your shop")
	b.shoot("first-overview")

	b.visit("/i/main/settings/connection")
	test := func(want ...string) {
		t.Helper()
		b.press("Test connection")
		b.until("an answer", `document.querySelector("#answer .notice") && !document.querySelector("#answer .notice.busy")`)
		for _, words := range want {
			b.see(words)
		}
	}
	// What cannot be an address is told at once, and nothing is saved.
	b.fill("#f-shop_url", "mystore")
	b.see("Unsaved changes")
	b.press("Save")
	b.see("Nothing was saved")
	b.shoot("settings-fault")
	// An address at which nobody listens.
	b.fill("#f-shop_url", "http://127.0.0.1:9")
	b.fill("#f-consumer_key", "ck_sandbox")
	b.fill("#f-consumer_secret", "cs_wrong")
	b.fill("#f-odoo_url", h.erpURL)
	b.fill("#f-odoo_db", h.erp.Database)
	b.fill("#f-odoo_login", h.erp.Login)
	b.fill("#f-odoo_api_key", "a wrong key")
	b.press("Save")
	b.see("Saved.")
	test("the shop refuses connections", "Is its web server running", "Odoo refused the login", "Check the login and the API key")
	b.shoot("connection-faults")
	// The right address with a wrong secret, then all of it right.
	b.fill("#f-shop_url", h.shopURL)
	b.press("Save")
	b.see("Saved.")
	test("WooCommerce")
	if said := b.text(`document.querySelector("#answer").innerText`); !strings.Contains(strings.ToLower(said), "key") {
		t.Errorf("a wrong secret is told as: %s", said)
	}
	b.fill("#f-consumer_secret", "cs_sandbox")
	b.fill("#f-odoo_api_key", h.erp.APIKey)
	b.fill("#f-webhook_secret", "a webhook secret")
	b.press("Save")
	b.see("Saved.")
	b.until("what saving started is done", `!document.querySelector("#answer .notice.busy")`)
	b.press("Test connection")
	b.until("an answer without faults", `document.querySelector("#answer .notice") && document.querySelector("#answer .fine") && !document.querySelector("#answer .notice.bad") && !document.querySelector("#answer .notice.busy")`)
	b.shoot("connection-fine")

	// No secret comes back.
	page := b.text("document.documentElement.outerHTML")
	for _, secret := range []string{"cs_sandbox", h.erp.APIKey, "a webhook secret"} {
		if strings.Contains(page, secret) {
			t.Errorf("the page has the secret %q", secret)
		}
	}
	b.visit("/i/main/settings/configuration")
	warehouse := b.text(`document.querySelectorAll("#f-warehouse option")[1]?.value || ""`)
	if warehouse == "" {
		t.Fatal("no warehouse is offered: " + b.text(`document.querySelector("#f-warehouse").outerHTML`))
	}
	b.choose("#f-warehouse", warehouse)
	b.click("#f-auto_confirm")
	b.fill("#f-order_statuses", "processing, completed")
	b.press("Save")
	b.see("Saved.")
	b.visit("/i/main/settings/features")
	b.click("#f-sync_stock")
	b.press("Save")
	b.see("Saved.")

	b.visit("/i/main/settings/monitor")
	b.fill("#f-notification_email", "anna@example.com")
	b.press("Save")
	b.see("Saved.")
	// Now mail is needed as well.
	b.visit("/i/main")
	b.see("Connect Mail")
	b.visit("/i/main/settings/connection")
	b.fill("#f-mail_host", "smtp.example.com")
	b.fill("#f-mail_from", "sync@example.com")
	b.press("Save")
	b.see("Saved.")

	values, err := h.engine.Settings().Values(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"shop_url": h.shopURL, "consumer_secret": "cs_sandbox", "auto_confirm": false, "sync_stock": true, "notification_email": "anna@example.com"} {
		if values[name] != want {
			t.Errorf("%s is %v", name, values[name])
		}
	}
	for path, condition := range map[string]string{
		"connection":    `document.querySelector("#f-odoo_db").value === "` + h.erp.Database + `" && document.querySelector("#f-consumer_secret").value === ""`,
		"configuration": `document.querySelector("#f-warehouse").value === "` + warehouse + `" && !document.querySelector("#f-auto_confirm").checked && document.querySelector("#f-order_statuses").value === "processing, completed"`,
		"monitor":       `document.querySelector("#f-notification_email").value === "anna@example.com"`,
		"features":      `document.querySelector("#f-sync_stock").checked`,
	} {
		b.visit("/i/main/settings/" + path)
		b.until("the saved "+path, condition)
	}
	b.visit("/")
	b.see("Your shop is in step")
	b.press("anna")
	b.press("Log out")
	b.see("Forgotten?")
	b.visit("/i/main/settings/connection")
	b.see("Password")
}
