package e2e

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	_ "github.com/flowctl/flowctl/connectors/mail"
	_ "github.com/flowctl/flowctl/connectors/odoo"
	_ "github.com/flowctl/flowctl/connectors/woocommerce"
	"github.com/flowctl/flowctl/flows"
)

// Real orders, computed by WooCommerce itself, imported into the real Odoo by the
// shipped flow: total and tax are equal to the cent.
func TestCasesImported(t *testing.T) {
	t.Parallel()
	cases, err := demo.ReadCases("../../../flows/testdata/cases")
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := demo.CaseStatuses(cases)
	if err != nil {
		t.Fatal(err)
	}
	w, ctx := realWorld(t, map[string]string{"order_statuses": statuses})
	ids, err := w.Import(ctx, cases)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Settle(ctx, nil); err != nil {
		t.Fatal(err)
	}
	outcomes, err := w.Outcomes(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range outcomes {
		t.Logf("%-4s %10s tax %8s   %s: %10s tax %8s", cases[i].Name, o.ShopTotal, o.ShopTax, o.Name, o.OdooTotal, o.OdooTax)
		if !o.Equal() || !o.OdooTax.Equal(o.ShopTax) || o.Copies != 1 || o.State != "sale" {
			t.Errorf("%s: %d sale orders, %s, %s: %s", cases[i].Name, o.Copies, o.State, o.Run, o.Reason)
		}
	}
}

// Shoppers buy in the simulated shop, some of them at once and as the same guest;
// the webhooks bring the orders into the real Odoo.
func TestShoppersOrdersArrive(t *testing.T) {
	t.Parallel()
	w, ctx := realWorld(t, nil)
	articles, err := w.Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	orders, err := w.Shopping(ctx, 25, articles, 11)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Settle(ctx, nil); err != nil {
		t.Fatal(err)
	}
	outcomes, err := w.Outcomes(ctx, orders)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		if !o.Equal() || !o.OdooTax.Equal(o.ShopTax) || o.Copies != 1 {
			t.Errorf("order %d: %s tax %s in the shop, %s tax %s in Odoo, %d sale orders, %s: %s",
				o.Order, o.ShopTotal, o.ShopTax, o.OdooTotal, o.OdooTax, o.Copies, o.Run, o.Reason)
		}
	}
}

// realWorld is a simulated shop and the engine, before the real Odoo. Each has an
// instance name of its own, so that tests do not meet each other's orders.
func realWorld(t *testing.T, settings map[string]string) (*demo.World, context.Context) {
	t.Helper()
	o := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	w, err := demo.Start(ctx, demo.Options{
		Flows: flows.Files, FlowsName: "flows", Settings: settings, Instance: "e2e-" + strings.ReplaceAll(time.Now().UTC().Format("150405.000000"), ".", "-"),
		Real: &demo.RealOdoo{URL: o.url, Database: o.database, Login: o.login, APIKey: o.key},
		Log:  slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, ctx
}
