//go:build linux

package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// shopOrder is what the shop knows of an order.
type shopOrder struct {
	ID      int64           `json:"id"`
	Number  string          `json:"number"`
	Total   decimal.Decimal `json:"total"`
	Tax     decimal.Decimal `json:"total_tax"`
	Created string          `json:"date_created_gmt"`
	Billing struct {
		Email string `json:"email"`
	} `json:"billing"`
	Customer int64      `json:"customer_id"`
	Items    []shopLine `json:"line_items"`
	Shipping []shopLine `json:"shipping_lines"`
	Fees     []shopLine `json:"fee_lines"`
}

type shopLine struct {
	ID       int64  `json:"id"`
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// verdict gathers what is wrong; nothing should be.
type verdict struct {
	w        *world
	equal    int
	held     []store.Run
	links    map[string]map[string]store.Link // by table and remote side
	partners map[string]int64                 // by e-mail
}

// verify looks at everything that should be true when the storm is over.
func (w *world) verify(orders []int64, c *courier) *verdict {
	w.t.Helper()
	v := &verdict{w: w, links: map[string]map[string]store.Link{}, partners: map[string]int64{}}
	v.readLinks()
	v.findPartners()
	for _, id := range orders {
		v.order(id)
	}
	if n := len(v.search("sale.order")); n != len(orders) {
		w.t.Errorf("Odoo has %d orders, the shop %d", n, len(orders))
	}
	v.runs()
	v.events(c)
	return v
}

func (v *verdict) errorf(format string, args ...any) {
	v.w.t.Helper()
	v.w.t.Errorf(format, args...)
}

func (v *verdict) search(model string, domain ...any) []int64 {
	v.w.t.Helper()
	ids, err := v.w.erp.Search(model, domain)
	if err != nil {
		v.w.t.Fatal(err)
	}
	return ids
}

func (v *verdict) read(model string, id int64, fields ...string) odoosandbox.Values {
	v.w.t.Helper()
	values, err := v.w.erp.Read(model, id, fields...)
	if err != nil {
		v.w.t.Fatal(err)
	}
	return values
}

// readLinks: no link is left claimed by a run that has ended.
func (v *verdict) readLinks() {
	filter := store.LinkFilter{Instance: instance, Limit: store.MaxPage}
	for {
		page, err := v.w.store.Links(context.Background(), filter)
		if err != nil {
			v.w.t.Fatal(err)
		}
		for _, l := range page {
			if v.links[l.Table] == nil {
				v.links[l.Table] = map[string]store.Link{}
			}
			v.links[l.Table][l.Remote] = l
			if l.State != store.Linked {
				v.errorf("the link %s of %s is %s and nobody works on it", l.Remote, l.Table, l.State)
			}
			filter.After = l.ID
		}
		if len(page) < store.MaxPage {
			return
		}
	}
}

// findPartners: one contact for each e-mail, one child for each of its addresses.
func (v *verdict) findPartners() {
	children := map[string]int64{}
	for _, id := range v.search("res.partner") {
		p := v.read("res.partner", id, "name", "email_normalized", "parent_id", "street", "zip", "city")
		parent, _ := p["parent_id"].(int64)
		email, _ := p["email_normalized"].(string)
		switch {
		case parent != 0:
			name := fmt.Sprint(parent, p["name"], p["street"], p["zip"], p["city"])
			if other := children[name]; other != 0 {
				v.errorf("the address %s is there twice: partners %d and %d", name, other, id)
			}
			children[name] = id
		case strings.HasPrefix(email, "shopper."):
			if other := v.partners[email]; other != 0 {
				v.errorf("%s is there twice: partners %d and %d", email, other, id)
			}
			v.partners[email] = id
		}
	}
	for _, kind := range []string{"SHIPPING", "FEE", "DISCOUNT", "ROUNDING"} {
		if n := len(v.search("product.product", []any{"default_code", "=", "WOO-" + kind})); n > 1 {
			v.errorf("the product for %s is there %d times", kind, n)
		}
	}
}

// order: it is in Odoo once, for the right partner, with the right lines, and with
// the same total or held for a reason that is true.
func (v *verdict) order(id int64) {
	v.w.t.Helper()
	data, ok := v.w.shop.Order(id, 2)
	if !ok {
		v.errorf("the shop lost order %d", id)
		return
	}
	var o shopOrder
	if err := json.Unmarshal(data, &o); err != nil {
		v.w.t.Fatal(err)
	}
	found := v.search("sale.order", []any{"client_order_ref", "=", fmt.Sprintf("WOO/%s/%d", instance, id)})
	if len(found) != 1 {
		v.errorf("order %d is in Odoo %d times: %v", id, len(found), found)
		return
	}
	sale := v.read("sale.order", found[0], "name", "state", "amount_total", "amount_tax", "partner_id", "date_order", "order_line")
	email := strings.ToLower(o.Billing.Email)
	if sale["partner_id"] != v.partners[email] || v.partners[email] == 0 {
		v.errorf("order %d of %s belongs to partner %v, not %d", id, email, sale["partner_id"], v.partners[email])
	}
	v.linked("partner_email", email, v.partners[email])
	if o.Customer != 0 {
		v.linked("partner", strconv.FormatInt(o.Customer, 10), v.partners[email])
	}
	v.linked("sale_order", strconv.FormatInt(id, 10), found[0])
	v.lines(o, found[0])
	v.total(o, sale)
}

// linked: the remote side is linked with just this record.
func (v *verdict) linked(table, remote string, local int64) {
	v.w.t.Helper()
	if l := v.links[table][remote]; l.Local != strconv.FormatInt(local, 10) {
		v.errorf("%s %s is linked with %q, not %d", table, remote, l.Local, local)
	}
}

// lines: each line of the shop is linked with a line of this order, of the same
// article and quantity.
func (v *verdict) lines(o shopOrder, sale int64) {
	v.w.t.Helper()
	for _, line := range append(append(o.Items, o.Shipping...), o.Fees...) {
		l, ok := v.links["sale_order_line"][strconv.FormatInt(line.ID, 10)]
		if !ok {
			v.errorf("line %d of order %d has no link", line.ID, o.ID)
			continue
		}
		local, err := strconv.ParseInt(l.Local, 10, 64)
		if err != nil {
			v.errorf("line %d of order %d is linked with %q", line.ID, o.ID, l.Local)
			continue
		}
		got, err := v.w.erp.Read("sale.order.line", local, "order_id", "product_id", "product_uom_qty")
		if err != nil {
			v.errorf("line %d of order %d is linked with a line that is gone: %v", line.ID, o.ID, err)
			continue
		}
		if got["order_id"] != sale {
			v.errorf("line %d of order %d is linked with a line of order %v, not %d", line.ID, o.ID, got["order_id"], sale)
		}
		if line.SKU == "" {
			continue
		}
		product := v.read("product.product", got["product_id"].(int64), "default_code")
		if quantity, ok := got["product_uom_qty"].(decimal.Decimal); !ok || product["default_code"] != line.SKU || !quantity.Equal(decimal.NewFromInt(line.Quantity)) {
			v.errorf("line %d of order %d is %d × %s, in Odoo %v × %v", line.ID, o.ID, line.Quantity, line.SKU, got["product_uom_qty"], product["default_code"])
		}
	}
}

// total: equal and confirmed, dated as in the shop; or held, and then for a
// difference that is really there.
func (v *verdict) total(o shopOrder, sale odoosandbox.Values) {
	v.w.t.Helper()
	total, _ := sale["amount_total"].(decimal.Decimal)
	tax, _ := sale["amount_tax"].(decimal.Decimal)
	runs := v.w.runs(store.RunFilter{Key: "order:" + strconv.FormatInt(o.ID, 10)})
	for _, r := range runs {
		if r.State == store.Held && r.Flow != importing {
			v.errorf("order %d: %s is held (%s): %s", o.ID, r.Flow, r.Code, r.Reason)
		}
		if r.State == store.Held && r.Flow == importing {
			v.held = append(v.held, r)
			differs := map[string]bool{"totals_differ": !total.Equal(o.Total), "tax_differs": !tax.Equal(o.Tax)}
			if !differs[r.Code] || sale["state"] != "draft" {
				v.errorf("order %d is held (%s: %s), which is not true: it is %s (tax %s) in the shop, %s (tax %s) in Odoo and %v",
					o.ID, r.Code, r.Reason, o.Total, o.Tax, total, tax, sale["state"])
			}
			return
		}
	}
	if !total.Equal(o.Total) {
		v.errorf("order %d is %s in the shop and %s in Odoo, and nobody was told: %s", o.ID, o.Total, total, states(runs))
	}
	created, err := time.Parse("2006-01-02T15:04:05", o.Created)
	if err != nil {
		v.w.t.Fatal(err)
	}
	if date, ok := sale["date_order"].(time.Time); !ok || sale["state"] != "sale" || !date.Equal(created) {
		v.errorf("order %d of %v is %v of %v in Odoo: %s", o.ID, created, sale["state"], sale["date_order"], states(runs))
		return
	}
	v.paid(o, sale)
	v.equal++
}

// importing is the flow that makes orders in Odoo.
const importing = "webhook-order-created"

// paid: an order paid in the shop has one invoice and one payment, of its total.
func (v *verdict) paid(o shopOrder, sale odoosandbox.Values) {
	v.w.t.Helper()
	memo := fmt.Sprintf("WOO/%s/%d", instance, o.ID)
	for _, want := range []struct {
		what, model string
		domain      []any
		amount      string
	}{
		{"invoices", "account.move", []any{[]any{"move_type", "=", "out_invoice"}, []any{"invoice_origin", "=", sale["name"]}}, "amount_total"},
		{"payments", "account.payment", []any{"|", []any{"memo", "=", memo}, []any{"memo", "=like", memo + " %"}}, "amount"},
	} {
		found := v.search(want.model, want.domain...)
		if len(found) != 1 {
			v.errorf("order %d has %d %s: %v", o.ID, len(found), want.what, found)
			continue
		}
		if amount, ok := v.read(want.model, found[0], want.amount)[want.amount].(decimal.Decimal); !ok || !amount.Equal(o.Total) {
			v.errorf("order %d of %s has %s of %s", o.ID, o.Total, want.what, amount)
		}
	}
}

func states(runs []store.Run) string {
	var all []string
	for _, r := range runs {
		all = append(all, strings.TrimSpace(fmt.Sprintf("run %d %s after %d attempts %s", r.ID, r.State, r.Attempt, r.Reason)))
	}
	return strings.Join(all, "; ")
}

// runs: none is stuck, none has failed.
func (v *verdict) runs() {
	for _, r := range v.w.runs(store.RunFilter{States: []store.State{store.Waiting, store.Running, store.Retrying, store.Failed, store.Cancelled}}) {
		v.errorf("run %d of %s is %s: %s", r.ID, r.Key, r.State, r.Reason)
	}
}

// events: what was answered 2xx is in the store, with the right order.
func (v *verdict) events(c *courier) {
	stored := map[int64]int64{}
	for before := int64(0); ; {
		page, err := v.w.store.Events(context.Background(), instance, before, store.MaxPage)
		if err != nil {
			v.w.t.Fatal(err)
		}
		for _, e := range page {
			var payload struct {
				ID int64 `json:"id"`
			}
			if err := json.Unmarshal(e.Payload, &payload); err != nil {
				v.errorf("event %d: %v", e.ID, err)
			}
			stored[e.ID], before = payload.ID, e.ID
		}
		if len(page) < store.MaxPage {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for event, order := range c.accepted {
		if stored[event] != order {
			v.errorf("event %d of order %d was accepted and is not in the store", event, order)
		}
	}
}
