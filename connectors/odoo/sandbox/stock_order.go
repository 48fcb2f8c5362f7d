package sandbox

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// orderStockFields are those of an order that its deliveries fill.
func (e *ERP) orderStockFields() []*field {
	fields := []*field{
		declare("picking_ids", one2many, "Transfers", to("stock.picking"), by("sale_id")),
		declare("delivery_status", selection, "Delivery Status", computed(deliveryStatus), choices("pending", "Not Delivered",
			"started", "Started", "partial", "Partially Delivered", "full", "Fully Delivered")),
		declare("effective_date", datetime, "Effective Date", computed(effectiveDate)),
	}
	if e.latest() {
		return append(fields, declare("stock_reference_ids", many2many, "References", to("stock.reference")))
	}
	return append(fields, declare("procurement_group_id", many2one, "Procurement Group", to("procurement.group")))
}

func (tx *transaction) orderPickings(order int64) []*row {
	return tx.holding("stock.picking", "sale_id", order)
}

func deliveryStatus(tx *transaction, r *row) any {
	count := map[string]int{}
	pickings := tx.orderPickings(r.id)
	for _, picking := range pickings {
		count[picking.text("state")]++
	}
	switch {
	case count["cancel"] == len(pickings):
		return nil
	case count["cancel"]+count["done"] == len(pickings):
		return "full"
	case count["done"] == 0:
		return "pending"
	}
	for _, line := range tx.orderLines(r.id) {
		if line.amount("qty_delivered").IsPositive() {
			return "partial"
		}
	}
	return "started"
}

// effectiveDate is when the first delivery was done.
func effectiveDate(tx *transaction, r *row) any {
	var first any
	for _, picking := range tx.orderPickings(r.id) {
		at, ok := picking.get("date_done").(time.Time)
		if !ok || pickingCode(tx, picking) != "outgoing" {
			continue
		}
		if earliest, ok := first.(time.Time); !ok || at.Before(earliest) {
			first = at
		}
	}
	return first
}

// procure makes or changes the moves that the lines of a confirmed order call
// for. What is ordered in addition joins an open delivery, or makes a new one
// (odoo18/425); what is ordered less is taken from an open one.
func (tx *transaction) procure(order *row) error {
	if order.text("state") != "sale" {
		return nil
	}
	var touched []int64
	for _, line := range tx.orderLines(order.id) {
		product := tx.record("product.product", line.ref("product_id"))
		if product == nil || line.text("display_type") != "" || tx.template(product).text("type") != "consu" {
			continue
		}
		wanted := line.amount("product_uom_qty")
		open := []*row{}
		for _, move := range tx.holding("stock.move", "sale_line_id", line.id) {
			if move.text("state") == "cancel" {
				continue
			}
			if tx.record("stock.location", move.ref("location_dest_id")).text("usage") != "customer" {
				continue
			}
			wanted = wanted.Sub(move.amount("product_uom_qty"))
			if slices.Contains(openStates, move.text("state")) {
				open = append(open, move)
			}
		}
		ids, err := tx.procureLine(order, line, wanted, open)
		if err != nil {
			return err
		}
		touched = append(touched, ids...)
	}
	return tx.assign(touched)
}

func (tx *transaction) procureLine(order, line *row, missing decimal.Decimal, open []*row) ([]int64, error) {
	m := tx.must("stock.move")
	var touched []int64
	switch {
	case missing.IsZero():
	case len(open) > 0:
		demand := decimal.Max(open[0].amount("product_uom_qty").Add(missing), decimal.Zero)
		tx.update(m, open[0].id, Values{"product_uom_qty": demand})
		if demand.IsZero() {
			return nil, tx.cancelMove(open[0].id)
		}
		if open[0].amount("quantity").GreaterThan(demand) {
			if err := tx.setQuantity(tx.row(m, open[0].id), demand); err != nil {
				return nil, err
			}
		}
		touched = append(touched, open[0].id)
	case missing.IsPositive():
		picking, err := tx.openPicking(order)
		if err != nil {
			return nil, err
		}
		id, err := tx.newMove(plus(tx.groupValues(groupOf(picking)), Values{
			"picking_id": picking.id, "product_id": line.ref("product_id"), "product_uom_qty": missing, "sale_line_id": line.id,
			"location_id": picking.ref("location_id"), "location_dest_id": picking.ref("location_dest_id"),
			"origin": picking.text("origin"), "reference": picking.text("name"), "partner_id": order.ref("partner_shipping_id"),
			"sequence": line.get("sequence"), "date": plannedFor(tx, order),
		}))
		if err != nil {
			return nil, err
		}
		touched = append(touched, id)
	}
	return touched, nil
}

// openPicking is the order's delivery that still waits, or a new one.
func (tx *transaction) openPicking(order *row) (*row, error) {
	m := tx.must("stock.picking")
	for _, r := range tx.orderPickings(order.id) {
		if pickingCode(tx, r) == "outgoing" && !slices.Contains([]string{"done", "cancel"}, r.text("state")) {
			return r, nil
		}
	}
	group, err := tx.orderGroup(order)
	if err != nil {
		return nil, err
	}
	warehouse := tx.record("stock.warehouse", order.ref("warehouse_id"))
	origin := order.text("name")
	if !tx.erp.latest() {
		origin = joinNonEmpty(" - ", origin, order.text("client_order_ref"))
	}
	id, err := tx.create(m, plus(tx.groupValues(group), Values{
		"picking_type_id": warehouse.ref("out_type_id"), "origin": origin, "partner_id": order.ref("partner_shipping_id"),
		"location_id": warehouse.ref("lot_stock_id"), "location_dest_id": tx.place("customer"),
		"sale_id": order.id, "carrier_id": order.ref("carrier_id"), "scheduled_date": plannedFor(tx, order),
	}))
	return tx.row(m, id), err
}

// plannedFor is when an order's deliveries are due: what was promised, or else the
// order's own date, also for one that is made later (odoo18/425).
func plannedFor(tx *transaction, order *row) any {
	for _, name := range []string{"commitment_date", "date_order"} {
		if at, ok := order.get(name).(time.Time); ok {
			return at
		}
	}
	return tx.now
}

func (tx *transaction) orderGroup(order *row) (int64, error) {
	field := "procurement_group_id"
	if tx.erp.latest() {
		field = "stock_reference_ids"
		if ids := order.refs(field); len(ids) > 0 {
			return ids[0], nil
		}
	} else if id := order.ref(field); id != 0 {
		return id, nil
	}
	id, err := tx.create(tx.must(tx.erp.groupModel()), Values{"name": order.text("name")})
	if err != nil {
		return 0, err
	}
	var value any = id
	if tx.erp.latest() {
		value = []int64{id}
	}
	tx.update(tx.must("sale.order"), order.id, Values{field: value})
	return id, nil
}

// cancelDeliveries cancels what an order has not delivered yet.
func (tx *transaction) cancelDeliveries(order int64) error {
	for _, picking := range tx.orderPickings(order) {
		if !slices.Contains([]string{"done", "cancel"}, picking.text("state")) {
			if _, err := cancelPickings(tx, []int64{picking.id}, arguments{}); err != nil {
				return err
			}
		}
	}
	return nil
}
