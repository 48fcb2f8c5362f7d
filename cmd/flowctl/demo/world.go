// Package demo is a small world to try the app in: a simulated shop, an Odoo
// (simulated, or a real one that the user offers), and the engine between them.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/panel"
	"github.com/flowctl/flowctl/engine/settings"
)

// Options say what world to make. The zero value is a shop in euros with prices
// that include tax, and an Odoo 18 as a fresh installation has it.
type Options struct {
	Flows     fs.FS
	FlowsName string
	// OdooVersion of the simulated Odoo: 18 or 19; 0 means 18.
	OdooVersion int
	// PriceDigits is its "Product Price" precision; 0 means Odoo's own 2.
	PriceDigits int
	// Currency of the simulated Odoo's company; "" means the dollars of a fresh
	// installation, so that the shop's orders are in a foreign currency.
	Currency string
	// Real, when set, stands in place of the simulated Odoo.
	Real *RealOdoo
	// Instance names the shop; "" means main.
	Instance string
	// Shop's settings; nil means a shop in Berlin with prices that include tax.
	Shop *shopsandbox.Settings
	// Pictures downloads pictures for the shop; nil means that it downloads none.
	Pictures *http.Client
	// Settings by name, as text, over those that the world needs.
	Settings map[string]string
	RedisURL string
	// Roles of the engine; none means all. Without RoleScheduler no feed is polled.
	Roles []engine.Role
	Log   *slog.Logger
	// Panel opens the panel, to this machine and without a login. Then the settings
	// are stored like those of any shop, so that they can be changed there.
	Panel bool
}

// RealOdoo is an Odoo that the user lets the demo write to.
type RealOdoo struct {
	URL, Database, Login, APIKey, Password string
}

// lateWait is how long the simulated systems may be at a request whose answer was
// lost: they end each at once.
const lateWait = time.Second

const webhookSecret = "a secret of the demo's shop"

// World is a shop, an Odoo and an engine, all running.
type World struct {
	Shop     *shopsandbox.Shop
	ERP      *odoosandbox.ERP // nil when Odoo is real
	Engine   *engine.Engine
	Instance string
	// Addresses for people.
	ShopURL, OdooURL, EngineURL string

	config engine.Config
	odoo   connectors.Connection
	shop   connectors.Connection
	server *http.Server
	panel  *panel.Panel // nil unless it was asked for
	folder string
}

// Start makes a world and starts everything in it. Close ends it and removes
// what it stored.
func Start(ctx context.Context, options Options) (*World, error) {
	w := &World{Instance: options.Instance}
	if w.Instance == "" {
		w.Instance = "main"
	}
	if err := w.start(ctx, options); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) start(ctx context.Context, options Options) error {
	var err error
	if w.folder, err = os.MkdirTemp("", "flowctl-demo-"); err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	shop := options.Shop
	if shop == nil {
		shop = shopSettings()
	}
	w.Shop = shopsandbox.New(shopsandbox.Options{Settings: shop, Pictures: options.Pictures})
	if w.ShopURL, err = w.Shop.Start("127.0.0.1:0"); err != nil {
		return fmt.Errorf("starting the simulated shop: %w", err)
	}
	values := map[string]string{
		"shop_url": w.ShopURL, "consumer_key": "ck_sandbox", "consumer_secret": "cs_sandbox", "webhook_secret": webhookSecret,
	}
	if err := w.startOdoo(options, values); err != nil {
		return err
	}
	for name, v := range options.Settings {
		values[name] = v
	}
	sealer, err := settings.SealerFromFile(filepath.Join(w.folder, "secret.key"))
	if err != nil {
		return err
	}
	w.config = engine.Config{
		Flows: options.Flows, FlowsName: options.FlowsName,
		DatabaseURL: "sqlite:" + filepath.Join(w.folder, "flowctl.db"), RedisURL: options.RedisURL,
		Instances: []string{w.Instance}, Overrides: w.overrides(options, values), OverrideInstance: w.Instance,
		Sealer: sealer, Log: options.Log, Roles: options.Roles,
		LateWait: lateWait,
	}
	if w.Engine, err = engine.Open(ctx, w.config); err != nil {
		return err
	}
	if options.Panel {
		if err := w.saveSettings(ctx, values); err != nil {
			return err
		}
		if w.panel, err = panel.New(panel.Config{Engine: w.Engine, Log: options.Log, Version: "demo", Demo: true}); err != nil {
			return err
		}
	}
	if err := w.connect(ctx); err != nil {
		return err
	}
	if err := w.Engine.Start(ctx); err != nil {
		return err
	}
	return w.listen()
}

// overrides are the settings that nobody can change while the world stands.
func (w *World) overrides(options Options, values map[string]string) map[string]string {
	if options.Panel {
		return nil
	}
	return values
}

func (w *World) saveSettings(ctx context.Context, values map[string]string) error {
	typed := map[string]any{}
	for name, text := range values {
		declared, ok := w.Engine.App().Setting(name)
		if !ok {
			continue // another app knows other settings
		}
		var err error
		if typed[name], err = settings.Parse(declared, text); err != nil {
			return err
		}
	}
	return w.Engine.Settings().Save(ctx, w.Instance, typed)
}

// startOdoo starts the simulated Odoo, or takes the real one's address, and adds
// the settings that reach it.
func (w *World) startOdoo(options Options, values map[string]string) error {
	if real := options.Real; real != nil {
		w.OdooURL = real.URL
		values["odoo_url"], values["odoo_db"], values["odoo_login"] = real.URL, real.Database, real.Login
		values["odoo_api_key"], values["odoo_password"] = real.APIKey, real.Password
		return nil
	}
	w.ERP = odoosandbox.New(odoosandbox.Options{Version: options.OdooVersion, ProductPriceDigits: options.PriceDigits, Currency: options.Currency})
	url, err := w.ERP.Start("127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("starting the simulated Odoo: %w", err)
	}
	w.OdooURL = url
	given := w.ERP.Options()
	values["odoo_url"], values["odoo_db"], values["odoo_login"], values["odoo_api_key"] = url, given.Database, given.Login, given.APIKey
	return nil
}

// connect opens the connections that the demo itself seeds and reads through.
func (w *World) connect(ctx context.Context) (err error) {
	if w.odoo, err = w.Engine.Connection(ctx, w.Instance, "odoo"); err != nil {
		return err
	}
	w.shop, err = w.Engine.Connection(ctx, w.Instance, "woocommerce")
	return err
}

func (w *World) listen() error {
	address := "127.0.0.1:0"
	if w.EngineURL != "" { // it was started before: the shop knows it by this address
		address = strings.TrimPrefix(w.EngineURL, "http://")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listening for webhooks: %w", err)
	}
	w.EngineURL = "http://" + listener.Addr().String()
	handler := w.Engine.Handler()
	if w.panel != nil {
		mux := http.NewServeMux()
		mux.Handle("/hooks/", handler)
		mux.Handle("/", w.panel.Handler())
		handler = mux
	}
	w.server = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		// Serve returns ErrServerClosed after Close, and nothing else matters then.
		_ = w.server.Serve(listener)
	}()
	return nil
}

// Close ends everything and removes what the engine stored. It may be called
// twice.
func (w *World) Close() error {
	var errs []error
	if w.Shop != nil {
		errs = append(errs, w.Shop.Close())
	}
	if w.panel != nil {
		w.panel.EndStreams()
	}
	if w.server != nil {
		errs = append(errs, w.server.Close())
	}
	if w.panel != nil {
		errs = append(errs, w.panel.Close())
	}
	if w.Engine != nil {
		errs = append(errs, w.Engine.Close())
	}
	if w.ERP != nil {
		errs = append(errs, w.ERP.Close())
	}
	if w.folder != "" {
		errs = append(errs, os.RemoveAll(w.folder))
	}
	return errors.Join(errs...)
}

// Call performs an operation of a connection of the app, "woocommerce" say, and
// returns its answer.
func (w *World) Call(ctx context.Context, connection, operation string, params map[string]any) (map[string]any, error) {
	c, err := w.Engine.Connection(ctx, w.Instance, connection)
	if err != nil {
		return nil, err
	}
	return call(ctx, c, operation, params)
}

// call performs an operation and returns its result as a record.
func call(ctx context.Context, c connectors.Connection, operation string, params map[string]any) (map[string]any, error) {
	out, err := c.Call(ctx, connectors.Call{Operation: operation, Params: params})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	record, ok := out.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s answered %T", operation, out)
	}
	return record, nil
}

// ensure finds a record in Odoo by a domain, or creates it, and returns its id.
func (w *World) ensure(ctx context.Context, model string, domain []any, values map[string]any) (int64, error) {
	found, err := call(ctx, w.odoo, "search", map[string]any{"model": model, "domain": domain, "limit": int64(1)})
	if err != nil {
		return 0, err
	}
	if ids, ok := found["ids"].([]any); ok && len(ids) > 0 {
		return ids[0].(int64), nil
	}
	made, err := call(ctx, w.odoo, "create", map[string]any{"model": model, "values": values})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", model, err)
	}
	id, ok := made["id"].(int64)
	if !ok {
		return 0, fmt.Errorf("creating %s gave %v", model, made)
	}
	return id, nil
}
