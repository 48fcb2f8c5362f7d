package sandbox

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

var moveStates = []string{
	"draft", "New", "waiting", "Waiting Another Move", "confirmed", "Waiting", "partially_available", "Partially Available",
	"assigned", "Available", "done", "Done", "cancel", "Cancelled",
}

// openStates are those of moves that are still to come.
var openStates = []string{"waiting", "confirmed", "partially_available", "assigned"}

func (e *ERP) moveModel() *model {
	qty := digits(e.quantityPrecision())
	m := &model{
		name: "stock.move", label: "Stock Move", order: "sequence, id", display: moveName,
		list: []*field{
			declare("sequence", integer, "Sequence", initial(int64(10))),
			declare("product_id", many2one, "Product", to("product.product"), required, restrict),
			declare("product_uom_qty", float, "Demand", required, qty, initial(decimal.Zero)),
			declare("product_uom", many2one, e.label("UoM", "Unit"), to("uom.uom"), required, initial(int64(1))),
			declare("quantity", float, "Quantity", qty),
			declare("picked", boolean, "Picked"),
			declare("state", selection, "Status", initial("draft"), choices(moveStates...)),
			declare("picking_id", many2one, "Transfer", to("stock.picking")),
			declare("sale_line_id", many2one, "Sale Line", to("sale.order.line")),
			declare("move_line_ids", one2many, "Move Line", to("stock.move.line"), by("move_id")),
			declare("location_id", many2one, "Source Location", to("stock.location"), required),
			declare("location_dest_id", many2one, "Intermediate Location", to("stock.location"), required),
			declare("origin_returned_move_id", many2one, "Origin return move", to("stock.move")),
			// 19 sets it for deliveries too (odoo19/324).
			declare("to_refund", boolean, "Update quantities on SO/PO", initial(e.latest())),
			declare("date", datetime, "Date Scheduled", required, initially(func(tx *transaction) any { return tx.now })),
			declare("origin", char, "Source Document"),
			declare("reference", char, "Reference"),
			declare("partner_id", many2one, "Destination Address ", to("res.partner")),
			declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			declare("forecast_availability", float, "Forecast Availability", computed(forecast)),
		},
		prepare: prepareMove,
		changed: moveChanged,
	}
	if e.latest() {
		m.list = append(m.list,
			declare("reference_ids", many2many, "References", to("stock.reference")),
			declare("description_picking", text, "Description Of Picking", computed(func(*transaction, *row) any { return "" })))
	} else {
		m.list = append(m.list,
			declare("name", char, "Description", required),
			declare("group_id", many2one, "Procurement Group", to("procurement.group")))
	}
	return m
}

func prepareMove(tx *transaction, _, values Values) error {
	if product := tx.record("product.product", number64(values["product_id"])); product != nil && values["name"] == nil && !tx.erp.latest() {
		values["name"] = tx.displayName(tx.must("product.product"), product)
	}
	return nil
}

// moveName is "S00001/MUG-001: Stock>Customers" (odoo18/265, odoo19/325).
func moveName(tx *transaction, r *row) string {
	name := ""
	if picking := tx.record("stock.picking", r.ref("picking_id")); picking != nil && picking.text("origin") != "" {
		name = picking.text("origin") + "/"
	}
	if product := tx.record("product.product", r.ref("product_id")); product != nil && product.text("default_code") != "" {
		name += product.text("default_code") + ": "
	}
	return name + tx.record("stock.location", r.ref("location_id")).text("name") + ">" +
		tx.record("stock.location", r.ref("location_dest_id")).text("name")
}

// forecast is what will be there for a move: its own demand where that is
// there, what is missing where not (odoo18/264, 302), and for what comes in the
// stock as it will be (odoo18/386).
func forecast(tx *transaction, r *row) any {
	if slices.Contains([]string{"done", "cancel"}, r.text("state")) {
		return decimal.Zero // odoo18/299
	}
	q := tx.quantitiesOf(r.ref("product_id"))
	future := q.onHand.Add(q.incoming).Sub(q.outgoing)
	source := tx.record("stock.location", r.ref("location_id"))
	if source.text("usage") != "internal" {
		return future
	}
	if r.amount("quantity").GreaterThanOrEqual(r.amount("product_uom_qty")) || !future.IsNegative() {
		return r.amount("product_uom_qty")
	}
	return future
}

// moveChanged follows a quantity that was set by hand: it is what is reserved.
func moveChanged(tx *transaction, ids []int64, given Values, created bool) error {
	if _, ok := given["quantity"]; !ok || created {
		return nil
	}
	for _, id := range ids {
		move := tx.record("stock.move", id)
		if slices.Contains([]string{"done", "cancel"}, move.text("state")) {
			continue
		}
		if err := tx.setQuantity(move, move.amount("quantity")); err != nil {
			return err
		}
	}
	return tx.settlePickings(ids)
}

// moveLines are a move's lines.
func (tx *transaction) moveLines(move int64) []*row {
	return tx.holding("stock.move.line", "move_id", move)
}

// setQuantity writes what a move has in hand: its line, the reservation, and
// the state that follows.
func (tx *transaction) setQuantity(move *row, quantity decimal.Decimal) error {
	lines := tx.moveLines(move.id)
	before := decimal.Zero
	for _, line := range lines {
		before = before.Add(line.amount("quantity"))
	}
	if tx.reserves(move) {
		if err := tx.shift(move.ref("product_id"), move.ref("location_id"), decimal.Zero, quantity.Sub(before)); err != nil {
			return err
		}
	}
	m := tx.must("stock.move.line")
	switch {
	case len(lines) > 0 && quantity.IsZero():
		for _, line := range lines {
			tx.drop(m, line.id)
		}
	case len(lines) > 0:
		tx.update(m, lines[0].id, Values{"quantity": quantity})
	case !quantity.IsZero():
		if _, err := tx.create(m, Values{
			"move_id": move.id, "picking_id": move.ref("picking_id"), "product_id": move.ref("product_id"), "quantity": quantity,
			"location_id": move.ref("location_id"), "location_dest_id": move.ref("location_dest_id"),
		}); err != nil {
			return err
		}
	}
	state := "confirmed"
	switch {
	case quantity.GreaterThanOrEqual(move.amount("product_uom_qty")):
		state = "assigned"
	case quantity.IsPositive():
		state = "partially_available"
	}
	tx.update(tx.must("stock.move"), move.id, Values{"quantity": quantity, "state": state})
	return nil
}

// reserves tells whether a move takes from counted stock.
func (tx *transaction) reserves(move *row) bool {
	return tx.stored(move.ref("product_id")) && tx.record("stock.location", move.ref("location_id")).text("usage") == "internal"
}

// assign reserves what is there for moves that want it.
func (tx *transaction) assign(ids []int64) error {
	for _, id := range ids {
		move := tx.record("stock.move", id)
		if !slices.Contains(openStates, move.text("state")) || move.flag("picked") {
			continue
		}
		quantity := move.amount("product_uom_qty")
		if tx.reserves(move) {
			there := decimal.Max(tx.available(move.ref("product_id"), move.ref("location_id")), decimal.Zero)
			quantity = decimal.Min(quantity, move.amount("quantity").Add(there))
		}
		if err := tx.setQuantity(move, quantity); err != nil {
			return err
		}
	}
	return tx.settlePickings(ids)
}

// newMove makes a move that waits to be assigned.
func (tx *transaction) newMove(values Values) (int64, error) {
	m := tx.must("stock.move")
	id, err := tx.create(m, values)
	if err == nil {
		tx.update(m, id, Values{"state": "confirmed"})
	}
	return id, err
}

// finish moves what a move has in hand.
func (tx *transaction) finish(move *row) error {
	quantity := move.amount("quantity")
	product := move.ref("product_id")
	reserved := decimal.Zero
	if tx.reserves(move) {
		reserved = quantity.Neg()
	}
	if err := tx.shift(product, move.ref("location_id"), quantity.Neg(), reserved); err != nil {
		return err
	}
	if err := tx.shift(product, move.ref("location_dest_id"), quantity, decimal.Zero); err != nil {
		return err
	}
	for _, line := range tx.moveLines(move.id) {
		tx.update(tx.must("stock.move.line"), line.id, Values{"date": tx.now})
	}
	tx.update(tx.must("stock.move"), move.id, Values{"state": "done", "picked": true, "date": tx.now})
	return tx.settleDelivered(move.ref("sale_line_id"))
}

// cancelMove gives back what a move had reserved.
func (tx *transaction) cancelMove(id int64) error {
	move := tx.record("stock.move", id)
	if slices.Contains([]string{"done", "cancel"}, move.text("state")) {
		return nil
	}
	if err := tx.setQuantity(move, decimal.Zero); err != nil {
		return err
	}
	tx.update(tx.must("stock.move"), id, Values{"state": "cancel"})
	return nil
}

// settleDelivered counts what was delivered for an order's line, less returns.
func (tx *transaction) settleDelivered(line int64) error {
	if line == 0 {
		return nil
	}
	total := decimal.Zero
	for _, move := range tx.holding("stock.move", "sale_line_id", line) {
		if move.text("state") != "done" {
			continue
		}
		switch dest := tx.record("stock.location", move.ref("location_dest_id")); {
		case dest.text("usage") == "customer":
			total = total.Add(move.amount("quantity"))
		case move.flag("to_refund"):
			total = total.Sub(move.amount("quantity"))
		}
	}
	tx.settle(tx.must("sale.order.line"), line, Values{"qty_delivered": total})
	return nil
}

// groupValues name the order that moves and pickings are for: one record before
// 19, a list since.
func (tx *transaction) groupValues(group int64) Values {
	if group == 0 {
		return Values{}
	}
	if tx.erp.latest() {
		return Values{"reference_ids": []int64{group}}
	}
	return Values{"group_id": group}
}

func plus(values ...Values) Values {
	out := Values{}
	for _, more := range values {
		for name, value := range more {
			out[name] = value
		}
	}
	return out
}

func joinNonEmpty(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), separator)
}
