package demo

import (
	"strings"
	"testing"

	"github.com/flowctl/flowctl/engine/store"
)

// A dry run of the order import plans the contact, the order and their links,
// leaves nothing behind in either system or the store, and the real run then
// does as many writes of each kind.
func TestPlanOfAnOrderWritesNothing(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, Options{})
	id := anOrder(t, ctx, w)
	orders, partners := w.count(t, "sale.order"), w.count(t, "res.partner")
	plan, err := w.Engine.Plan(ctx, "webhook-order-created", w.Instance, map[string]any{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := plan.Render(&text, false); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	if plan.Outcome.State != store.Succeeded {
		t.Errorf("it would be %s: %v", plan.Outcome.State, plan.Outcome.Reason)
	}
	for _, want := range []string{
		"guest.create  odoo.create", "sale_order.create  odoo.create", "link sale_order: local ⟨id of sale_order.create⟩",
		"partner_id: ⟨id of content/customer/guest.create⟩", "confirmed  odoo.call", "it would be held at step proven/totals_differ",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the plan lacks %q", want)
		}
	}
	links, err := w.Engine.Store().Links(ctx, store.LinkFilter{})
	if err != nil {
		t.Fatal(err)
	}
	runs, err := w.Engine.Store().Runs(ctx, store.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if o, p := w.count(t, "sale.order"), w.count(t, "res.partner"); o != orders || p != partners || len(links) != 0 || len(runs) != 0 {
		t.Errorf("the dry run left %d orders, %d partners, %d links, %d runs", o-orders, p-partners, len(links), len(runs))
	}
}

func (w *World) count(t *testing.T, model string) int64 {
	t.Helper()
	got, err := call(t.Context(), w.odoo, "count", map[string]any{"model": model, "domain": []any{}})
	if err != nil {
		t.Fatal(err)
	}
	return got["count"].(int64)
}
