package demo

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/flows"
)

// rebuilt are the tables whose links are found again.
var rebuilt = []string{"partner_email", "partner", "sale_order", "sale_order_line", "product"}

// The store is lost; from the two systems alone every link is found again.
func TestLinksAreRebuilt(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		t.Run(fmt.Sprint("Odoo ", version), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			w, err := Start(ctx, Options{Flows: flows.Files, FlowsName: "flows", OdooVersion: version, Log: testLog(t)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			})
			articles, err := w.Open(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Shopping(ctx, 20, articles, 7); err != nil {
				t.Fatal(err)
			}
			if err := w.regulars(articles); err != nil {
				t.Fatal(err)
			}
			if err := w.Settle(ctx, nil); err != nil {
				t.Fatal(err)
			}
			before := linksOf(ctx, t, w.Engine)
			for _, table := range rebuilt {
				if len(before[table]) == 0 {
					t.Fatalf("there are no links of %s", table)
				}
			}

			// Another store, empty, on the same two systems.
			config := w.config
			config.DatabaseURL = "sqlite:" + filepath.Join(t.TempDir(), "flowctl.db")
			e, err := engine.Open(ctx, config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
			for _, dry := range []bool{true, false} {
				for _, table := range rebuilt {
					report, err := e.RebuildLinks(ctx, w.Instance, table, engine.RebuildOptions{DryRun: dry})
					if err != nil {
						t.Fatalf("%s: %v", table, err)
					}
					if report.Written != report.Found || len(report.Differs)+len(report.Doubtful)+report.Busy != 0 {
						t.Errorf("%s: %+v", table, report)
					}
				}
				if dry && len(linksOf(ctx, t, e)) != 0 {
					t.Fatal("a dry run wrote links")
				}
			}
			after := linksOf(ctx, t, e)
			for _, table := range rebuilt {
				if !maps.Equal(before[table], after[table]) {
					t.Errorf("%s: %s", table, difference(before[table], after[table]))
				}
				t.Logf("%s: %d links", table, len(after[table]))
			}
			again, err := e.RebuildLinks(ctx, w.Instance, "sale_order", engine.RebuildOptions{})
			if err != nil || again.Written != 0 || again.Unchanged != len(before["sale_order"]) {
				t.Errorf("a second time: %+v, %v", again, err)
			}
		})
	}
}

// regulars place ten orders: registered customers, of whom one orders under
// another e-mail, a guest without one, and the same article twice in a cart.
func (w *World) regulars(articles []int64) error {
	for i := range 10 {
		email := fmt.Sprintf("regular.%d@example.com", i%4)
		who := map[string]string{"first_name": "Regular", "last_name": fmt.Sprint("Number", i%4), "address_1": "Lindenweg 4",
			"postcode": "10115", "city": "Berlin", "country": "DE", "email": email}
		c := shopsandbox.Cart{Billing: who, PaymentMethod: "stripe", PaymentTitle: "Card",
			Items: []shopsandbox.CartItem{{ProductID: articles[i%len(articles)], Quantity: 1}, {ProductID: articles[i%len(articles)], Quantity: 2}},
			Fees:  []shopsandbox.CartFee{{Name: "Gift wrap", Amount: "2.50", Taxable: true}}}
		switch {
		case i < 4:
			c.CustomerID = w.Shop.AddCustomer(shopsandbox.Customer{Email: email, FirstName: "Regular", LastName: who["last_name"]})
		case i == 8:
			delete(who, "email")
		}
		id, err := w.Shop.Checkout(c)
		if err != nil {
			return fmt.Errorf("order %d: %w", id, err)
		}
	}
	return nil
}

// linksOf reads all links: by table and remote side, the local one.
func linksOf(ctx context.Context, t *testing.T, e *engine.Engine) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	filter := store.LinkFilter{Limit: store.MaxPage}
	for {
		page, err := e.Store().Links(ctx, filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page {
			if all[l.Table] == nil {
				all[l.Table] = map[string]string{}
			}
			all[l.Table][l.Remote] = l.Local
			filter.After = l.ID
		}
		if len(page) < store.MaxPage {
			return all
		}
	}
}

// difference names what two tables do not share.
func difference(before, after map[string]string) []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if after[key] != before[key] {
			all = append(all, fmt.Sprintf("%s was %s, is %q", key, before[key], after[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if before[key] == "" {
			all = append(all, fmt.Sprintf("%s is new: %s", key, after[key]))
		}
	}
	return all
}
