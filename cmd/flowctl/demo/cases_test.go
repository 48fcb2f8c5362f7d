package demo

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	_ "github.com/flowctl/flowctl/connectors/mail"
	_ "github.com/flowctl/flowctl/connectors/odoo"
	_ "github.com/flowctl/flowctl/connectors/woocommerce"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/flows"
)

// start makes a world that ends with the test.
func start(t *testing.T, options Options) (*World, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	options.Flows, options.FlowsName = flows.Files, "flows"
	if options.Log == nil {
		options.Log = testLog(t)
	}
	if options.Roles == nil {
		// Tests announce what feeds would find, so that nothing comes by itself.
		options.Roles = []engine.Role{engine.RoleIngress, engine.RoleWorker}
	}
	w, err := Start(ctx, options)
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

func importCases(t *testing.T, options Options) ([]Case, []Outcome) {
	t.Helper()
	cases, err := ReadCases("../../../flows/testdata/cases")
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := CaseStatuses(cases)
	if err != nil {
		t.Fatal(err)
	}
	options.Settings = map[string]string{"order_statuses": statuses}
	w, ctx := start(t, options)
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
	return cases, outcomes
}

// Real orders, computed by WooCommerce itself: total and tax in both systems.
func TestRealOrdersKeepTheirTotals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options Options
		held    string // the case that Odoo cannot hold
		tax     bool   // tax is equal too
	}{
		{name: "Odoo 18 with its own 2 digits", held: "B14"},
		{name: "Odoo 18 with 6 digits", options: Options{PriceDigits: 6}},
		{name: "Odoo 19, which keeps tax by line", options: Options{OdooVersion: 19}, tax: true},
		{name: "Odoo 19 with 6 digits", options: Options{OdooVersion: 19, PriceDigits: 6}, tax: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cases, outcomes := importCases(t, c.options)
			var table strings.Builder
			out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
			fmt.Fprintln(out, "case\tshop\ttax\tOdoo\ttax\trun")
			for i, o := range outcomes {
				name := cases[i].Name
				fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", name, o.ShopTotal, o.ShopTax, o.OdooTotal, o.OdooTax, o.Run)
				switch {
				case name == c.held:
					if o.Run != store.Held || o.State != "draft" || !strings.Contains(o.Reason, o.ShopTotal.String()) || !strings.Contains(o.Reason, o.OdooTotal.String()) {
						t.Errorf("%s must be held as a draft, with both figures: %s, %s: %s", name, o.Run, o.State, o.Reason)
					}
				case !o.Equal():
					t.Errorf("%s: %s in the shop, %s in Odoo; %s: %s", name, o.ShopTotal, o.OdooTotal, o.Run, o.Reason)
				case o.State != "sale":
					t.Errorf("%s is %s, not confirmed", name, o.State)
				case c.tax && !o.OdooTax.Equal(o.ShopTax):
					t.Errorf("%s: tax %s in the shop, %s in Odoo", name, o.ShopTax, o.OdooTax)
				}
			}
			if err := out.Flush(); err != nil {
				t.Fatal(err)
			}
			t.Log("\n" + table.String())
		})
	}
}
