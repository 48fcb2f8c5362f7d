package demo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// importFlow is the flow that the demo watches.
const importFlow = "webhook-order-created"

// Outcome is one order, in the shop and in Odoo.
type Outcome struct {
	Order     int64
	Number    string
	Currency  string
	ShopTotal decimal.Decimal
	ShopTax   decimal.Decimal
	// In Odoo; Name is "" when there is no sale order.
	Name      string
	State     string
	OdooTotal decimal.Decimal
	OdooTax   decimal.Decimal
	Copies    int // sale orders with this order's reference
	// Run is what became of the import, Reason why it was held or failed.
	Run    store.State
	Reason string
}

// Equal tells whether the import succeeded and the order stands in Odoo with the
// shop's total.
func (o Outcome) Equal() bool {
	return o.Run == store.Succeeded && o.Name != "" && o.OdooTotal.Equal(o.ShopTotal)
}

// Settle waits until nothing is left to do: no delivery under way and no run
// open. Progress, if set, is told the number of runs done from time to time.
func (w *World) Settle(ctx context.Context, progress func(done, open int)) error {
	if err := w.Shop.Drain(ctx); err != nil {
		return fmt.Errorf("waiting for the shop's webhooks: %w", err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		counts, err := w.Engine.Store().Counts(ctx, w.Instance)
		if err != nil {
			return err
		}
		open := counts[store.Waiting] + counts[store.Running] + counts[store.Retrying]
		if progress != nil {
			progress(counts[store.Succeeded], open)
		}
		if open == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d runs are still open: %w", open, ctx.Err())
		case <-tick.C:
		}
	}
}

// Outcomes looks the orders up in the shop, the store and Odoo.
func (w *World) Outcomes(ctx context.Context, orders []int64) ([]Outcome, error) {
	out := make([]Outcome, 0, len(orders))
	for _, id := range orders {
		o, err := w.outcome(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("order %d: %w", id, err)
		}
		out = append(out, o)
	}
	return out, nil
}

func (w *World) outcome(ctx context.Context, id int64) (Outcome, error) {
	order, err := call(ctx, w.shop, "orders.get", map[string]any{"id": id})
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{Order: id, Number: order["number"].(string), Currency: order["currency"].(string),
		ShopTotal: amount(order["total"]), ShopTax: amount(order["total_tax"])}
	runs, err := w.Engine.Store().Runs(ctx, store.RunFilter{Instance: w.Instance, Flow: importFlow, Key: "order:" + strconv.FormatInt(id, 10)})
	if err != nil {
		return Outcome{}, err
	}
	// Runs are newest first; the one that did the work counts, not those that
	// found it done.
	for _, r := range runs {
		if o.Run == "" || o.Run == store.Skipped {
			o.Run, o.Reason = r.State, r.Reason
		}
	}
	found, err := call(ctx, w.odoo, "search_read", map[string]any{
		"model":  "sale.order",
		"domain": []any{[]any{"client_order_ref", "=", fmt.Sprintf("WOO/%s/%d", w.Instance, id)}},
		"fields": []any{"name", "state", "amount_total", "amount_tax"},
	})
	if err != nil {
		return Outcome{}, err
	}
	records, _ := found["records"].([]any)
	o.Copies = len(records)
	if len(records) > 0 {
		record := records[0].(map[string]any)
		o.Name, _ = record["name"].(string)
		o.State, _ = record["state"].(string)
		o.OdooTotal, o.OdooTax = amount(record["amount_total"]), amount(record["amount_tax"])
	}
	return o, nil
}

// amount is a typed amount; nothing is zero.
func amount(v any) decimal.Decimal {
	typed, err := connectors.Decimal().Convert(v)
	if d, ok := typed.(decimal.Decimal); ok && err == nil {
		return d
	}
	return decimal.Zero
}
