package behaviour

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/flows"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// BenchmarkStockLatency measures how long a change of stock in Odoo takes to the
// shop of an idle system: by the feed alone, and with Odoo's announcements.
// Run it with -benchtime=30x or so.
func BenchmarkStockLatency(b *testing.B) {
	for _, push := range []bool{false, true} {
		name := map[bool]string{false: "feed", true: "push"}[push]
		b.Run(name, func(b *testing.B) { stockLatency(b, push) })
	}
}

func stockLatency(b *testing.B, push bool) {
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
	defer cancel()
	w, err := demo.Start(ctx, demo.Options{
		Flows: flows.Files, FlowsName: "flows", Roles: engine.Roles(), Log: slog.New(slog.DiscardHandler),
		Settings: map[string]string{"sync_stock": "true", "odoo_push_secret": "a secret of the benchmark"},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			b.Error(err)
		}
	}()
	odoo := func(operation string, params map[string]any) map[string]any {
		out, err := w.Call(ctx, "odoo", operation, params)
		if err != nil {
			b.Fatal(err)
		}
		return out
	}
	shop := w.Shop.AddProduct(shopsandbox.Product{Name: "Lamp", SKU: "LAMP", RegularPrice: "5", Stock: new(int64)})
	product := odoo("create", map[string]any{"model": "product.product", "values": map[string]any{"name": "Lamp", "default_code": "LAMP", "type": "consu", "is_storable": true}})["id"]
	found := odoo("search_read", map[string]any{"model": "stock.warehouse", "domain": []any{}, "fields": []any{"lot_stock_id"}, "limit": int64(1)})
	place := found["records"].([]any)[0].(map[string]any)["lot_stock_id"].(map[string]any)["id"]
	if push {
		odoo("push.register", map[string]any{"model": "stock.quant", "url": w.EngineURL + "/hooks/main/odoo", "fields": []any{"quantity", "reserved_quantity"}})
	}
	var waits []time.Duration
	change := func(quantity int64) time.Duration {
		odoo("create", map[string]any{"model": "stock.quant", "context": map[string]any{"inventory_mode": true},
			"values": map[string]any{"product_id": product, "location_id": place, "inventory_quantity_auto_apply": quantity}})
		began := time.Now()
		for {
			if shown, _ := w.Shop.Stock(shop); shown == quantity {
				return time.Since(began)
			}
			select {
			case <-ctx.Done():
				b.Fatalf("the shop does not show %d", quantity)
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	change(1) // the first walk
	for b.Loop() {
		time.Sleep(rand.N(5 * time.Second)) // not in step with the feed
		waits = append(waits, change(int64(len(waits)+2)))
	}
	slices.Sort(waits)
	b.ReportMetric(waits[len(waits)/2].Seconds(), "s/median")
	b.ReportMetric(waits[(len(waits)*95+99)/100-1].Seconds(), "s/p95")
	b.ReportMetric(0, "ns/op")
}
