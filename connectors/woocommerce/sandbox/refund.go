package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// refund is a refund of an order. Its items are negative.
type refund struct {
	id, order int64
	created   time.Time
	amount    decimal.Decimal // positive
	reason    string
	by        int64
	repaid    bool
	meta      []metaEntry
	items     []*orderItem
	extra     object
}

// refundItemKey is the meta by which a refund's line names the order's.
const refundItemKey = "_refunded_item_id"

func (s *Shop) loadRefund(o *order, data json.RawMessage) error {
	raw, err := decodeJSON(data)
	r := asRecord(raw)
	if err != nil || asInt(r["id"]) == 0 {
		return fmt.Errorf("loading a refund of order %d: it has no id", o.id)
	}
	f := &refund{id: asInt(r["id"]), order: o.id, created: loadStamp(r["date_created_gmt"]), amount: amountOf(asText(r["amount"])),
		reason: asText(r["reason"]), by: asInt(r["refunded_by"]), repaid: asBool(r["refunded_payment"]), meta: loadMeta(r["meta_data"])}
	for _, part := range []struct {
		list string
		load func(*orderItem, map[string]any)
	}{{"line_items", s.loadLine}, {"shipping_lines", s.loadShipping}, {"tax_lines", s.loadTaxLine}, {"fee_lines", s.loadFee}} {
		for _, entry := range asArray(r[part.list]) {
			item := asRecord(entry)
			line := &orderItem{id: asInt(item["id"]), meta: loadMeta(item["meta_data"])}
			part.load(line, item)
			f.items = append(f.items, line)
			s.ids.item = max(s.ids.item, line.id)
		}
	}
	f.extra = extraMembers(r, []string{"id", "parent_id", "date_created", "date_created_gmt", "amount", "reason", "refunded_by", "refunded_payment", "meta_data",
		"line_items", "shipping_lines", "tax_lines", "fee_lines", "_links"})
	s.refunds[f.id] = f
	s.ids.post = max(s.ids.post, f.id)
	if !slices.Contains(o.refunds, f.id) {
		o.refunds = append(o.refunds, f.id)
	}
	return nil
}

// refundable is what of an order's total is not refunded yet.
func (s *Shop) refundable(o *order) decimal.Decimal {
	left := o.total
	for _, id := range o.refunds {
		left = left.Sub(s.refunds[id].amount)
	}
	return left
}

// refundRest is what setting the status to refunded does: one refund of an
// amount, without lines (woo/371, 372).
func (s *Shop) refundRest(o *order) {
	f := s.newRefund(o, s.refundable(o), "Order fully refunded.")
	s.keepRefund(o, f)
}

func (s *Shop) newRefund(o *order, amount decimal.Decimal, reason string) *refund {
	s.ids.post++
	return &refund{id: s.ids.post, order: o.id, created: s.clock(), amount: amount, reason: reason, by: 1}
}

func (s *Shop) keepRefund(o *order, f *refund) {
	s.refunds[f.id] = f
	o.refunds = append(o.refunds, f.id)
	s.fire("woocommerce_refund_created", f.id)
	s.fire("woocommerce_order_refunded", o.id)
}

// refundSummaries are the refunds an order shows. The text is "-" and the
// amount, so nothing refunded is "-0.00" (woo/366).
func (c *call) refundSummaries(o *order, dp int32) []any {
	views := []any{}
	for _, id := range o.refunds {
		f := c.shop.refunds[id]
		views = append(views, object{{"id", f.id}, {"reason", f.reason}, {"total", "-" + fixed(f.amount, dp)}})
	}
	return views
}

func (c *call) refundView(f *refund, dp int32) object {
	s := c.shop
	lines := func(kind string) []any {
		views := []any{}
		for _, item := range f.items {
			if item.kind == kind {
				views = append(views, c.itemView(item, dp))
			}
		}
		return views
	}
	order := "/orders/" + strconv.FormatInt(f.order, 10)
	view := object{
		{"id", f.id}, {"date_created", s.local(f.created)}, {"date_created_gmt", gmt(f.created)}, {"amount", fixed(f.amount, dp)},
		{"reason", f.reason}, {"refunded_by", f.by}, {"refunded_payment", f.repaid}, {"meta_data", metaView(f.meta, false)},
		{"line_items", lines(kindLine)}, {"shipping_lines", lines(kindShipping)}, {"tax_lines", lines(kindTax)}, {"fee_lines", lines(kindFee)},
	}
	view = append(view, f.extra...)
	return append(view, c.links(order+"/refunds/"+strconv.FormatInt(f.id, 10), readDelete, link("up", c.root()+order)))
}

func (c *call) refundRows(of func(*refund) bool, view func(*refund) any) []row {
	var rows []row
	for _, f := range c.shop.refunds {
		if of(f) && c.wanted(f.id) && c.within(f.created, f.created) {
			rows = append(rows, row{id: f.id, created: f.created, modified: f.created, view: func() any { return view(f) }})
		}
	}
	c.sortRows(rows, refundParams)
	return rows
}

func listRefunds(c *call) (int, any, *apiError) {
	if _, refused := c.refundedOrder(http.StatusNotFound); refused != nil {
		return 0, nil, refused
	}
	rows := c.refundRows(func(f *refund) bool { return f.order == c.ids[0] }, func(f *refund) any { return c.refundView(f, c.dp()) })
	return c.page(rows, "dp", strconv.Itoa(int(c.shop.settings.Decimals)))
}

func listAllRefunds(c *call) (int, any, *apiError) {
	rows := c.refundRows(func(*refund) bool { return true }, func(f *refund) any {
		view := c.refundView(f, c.dp())
		return append(object{view[0], {"parent_id", f.order}}, view[1:]...)
	})
	return c.page(rows, "dp", strconv.Itoa(int(c.shop.settings.Decimals)))
}

func (c *call) refundedOrder(status int) (*order, *apiError) {
	o, ok := c.shop.orders[c.ids[0]]
	if !ok {
		return nil, refuse(status, "woocommerce_rest_invalid_order_id", "Invalid order ID.")
	}
	return o, nil
}

func (c *call) oneRefund() (*order, *refund, *apiError) {
	o, refused := c.refundedOrder(http.StatusNotFound)
	if refused != nil {
		return nil, nil, refused
	}
	f, ok := c.shop.refunds[c.ids[1]]
	if !ok || f.order != o.id {
		return nil, nil, refuse(http.StatusNotFound, "woocommerce_rest_invalid_order_refund_id", "Invalid order refund ID.")
	}
	return o, f, nil
}

func getRefund(c *call) (int, any, *apiError) {
	_, f, refused := c.oneRefund()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.refundView(f, c.dp()), nil
}

func deleteRefund(c *call) (int, any, *apiError) {
	o, f, refused := c.oneRefund()
	if refused != nil {
		return 0, nil, refused
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, refuse(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "The order refund does not support trashing.")
	}
	view := c.refundView(f, c.dp())
	delete(c.shop.refunds, f.id)
	o.refunds = slices.DeleteFunc(o.refunds, func(id int64) bool { return id == f.id })
	return http.StatusOK, view, nil
}
