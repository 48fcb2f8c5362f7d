package sandbox

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

func (e *ERP) pickingModel() *model {
	m := &model{
		name: "stock.picking", label: "Transfer", order: "priority desc, scheduled_date asc, id desc",
		list: []*field{
			declare("name", char, "Reference"),
			declare("priority", selection, "Priority", initial("0"), choices("0", "Normal", "1", "Urgent")),
			declare("state", selection, "Status", initial("draft"), choices("draft", "Draft", "waiting", "Waiting Another Operation",
				"confirmed", "Waiting", "assigned", "Ready", "done", "Done", "cancel", "Cancelled")),
			declare("origin", char, "Source Document"),
			declare("partner_id", many2one, "Contact", to("res.partner")),
			declare("location_id", many2one, "Source Location", to("stock.location"), required),
			declare("location_dest_id", many2one, "Destination Location", to("stock.location"), required),
			declare("picking_type_id", many2one, "Operation Type", to("stock.picking.type"), required),
			declare("picking_type_code", selection, "Type of Operation",
				choices("incoming", "Receipt", "outgoing", "Delivery", "internal", "Internal Transfer"), computed(pickingCode)),
			declare("move_ids", one2many, "Stock Moves", to("stock.move"), by("picking_id")),
			declare("move_line_ids", one2many, "Operations", to("stock.move.line"), by("picking_id")),
			declare("scheduled_date", datetime, "Scheduled Date", initially(func(tx *transaction) any { return tx.now })),
			declare("date_done", datetime, "Date of Transfer"),
			declare("carrier_id", many2one, "Carrier", to("delivery.carrier")),
			declare("carrier_tracking_ref", char, "Tracking Reference"),
			declare("carrier_tracking_url", char, "Tracking URL", computed(func(*transaction, *row) any { return nil })),
			declare("backorder_id", many2one, "Back Order of", to("stock.picking")),
			declare("backorder_ids", one2many, "Back Orders", to("stock.picking"), by("backorder_id")),
			declare("sale_id", many2one, "Sales Order", to("sale.order")),
			declare("return_id", many2one, "Return of", to("stock.picking")),
			declare("return_ids", one2many, "Returns", to("stock.picking"), by("return_id")),
			declare("products_availability", char, "Product Availability", computed(func(tx *transaction, r *row) any {
				return map[any]any{"available": "Available", "late": "Not Available"}[productsAvailable(tx, r)]
			})),
			declare("products_availability_state", selection, "Products Availability State", computed(productsAvailable),
				choices("available", "Available", "expected", "Expected", "late", "Late")),
			declare("company_id", many2one, "Company", to("res.company"), initially(company)),
			declare("note", html, "Notes"),
		},
		prepare: preparePicking,
		methods: map[string]method{
			"action_confirm":  confirmPickings,
			"action_assign":   assignPickings,
			"do_unreserve":    unreservePickings,
			"action_cancel":   cancelPickings,
			"button_validate": validatePickings,
		},
	}
	if e.latest() {
		m.list = append(m.list, declare("reference_ids", many2many, "References", to("stock.reference")))
	} else {
		m.list = append(m.list, declare("group_id", many2one, "Procurement Group", to("procurement.group")))
	}
	return m
}

func preparePicking(tx *transaction, _, values Values) error {
	kind := tx.record("stock.picking.type", number64(values["picking_type_id"]))
	if kind == nil {
		return nil
	}
	if values["name"] == nil {
		code := ""
		if warehouse := tx.record("stock.warehouse", kind.ref("warehouse_id")); warehouse != nil {
			code = warehouse.text("code") + "/"
		}
		prefix := code + kind.text("sequence_code") + "/"
		values["name"] = fmt.Sprintf("%s%05d", prefix, tx.number(prefix))
	}
	for name, fallback := range map[string]string{"location_id": "default_location_src_id", "location_dest_id": "default_location_dest_id"} {
		if number64(values[name]) == 0 {
			values[name] = kind.ref(fallback)
		}
	}
	return nil
}

func pickingCode(tx *transaction, r *row) any {
	return tx.record("stock.picking.type", r.ref("picking_type_id")).text("code")
}

// productsAvailable: an open delivery is late where something is missing.
func productsAvailable(tx *transaction, r *row) any {
	if !slices.Contains([]string{"waiting", "confirmed", "assigned"}, r.text("state")) || pickingCode(tx, r) != "outgoing" {
		return nil
	}
	for _, move := range tx.pickingMoves(r.id) {
		if slices.Contains(openStates, move.text("state")) && move.amount("quantity").LessThan(move.amount("product_uom_qty")) {
			return "late"
		}
	}
	return "available"
}

func (tx *transaction) pickingMoves(picking int64) []*row {
	return tx.holding("stock.move", "picking_id", picking)
}

func idsOf(rows []*row) []int64 {
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	return ids
}

// settlePickings computes the state of the pickings of moves.
func (tx *transaction) settlePickings(moves []int64) error {
	m := tx.must("stock.picking")
	for _, id := range moves {
		picking := tx.row(m, tx.record("stock.move", id).ref("picking_id"))
		if picking == nil {
			continue
		}
		count := map[string]int{}
		all := tx.pickingMoves(picking.id)
		for _, move := range all {
			count[move.text("state")]++
		}
		state := "confirmed"
		switch {
		case count["draft"] > 0:
			state = "draft"
		case count["cancel"] == len(all):
			state = "cancel"
		case count["cancel"]+count["done"] == len(all):
			state = "done"
		case count["assigned"]+count["partially_available"] > 0:
			state = "assigned"
		}
		values := Values{"state": state}
		if state == "done" && picking.get("date_done") == nil {
			values["date_done"] = tx.now
		}
		tx.settle(m, picking.id, values)
	}
	return nil
}

func confirmPickings(tx *transaction, ids []int64, a arguments) (any, error) {
	for _, id := range ids {
		for _, move := range tx.pickingMoves(id) {
			if move.text("state") == "draft" {
				tx.update(tx.must("stock.move"), move.id, Values{"state": "confirmed"})
			}
		}
	}
	return assignPickings(tx, ids, a)
}

func assignPickings(tx *transaction, ids []int64, _ arguments) (any, error) {
	for _, id := range ids {
		if err := tx.assign(idsOf(tx.pickingMoves(id))); err != nil {
			return nil, err
		}
	}
	return true, nil
}

func unreservePickings(tx *transaction, ids []int64, _ arguments) (any, error) {
	for _, id := range ids {
		moves := tx.pickingMoves(id)
		for _, move := range moves {
			if slices.Contains(openStates, move.text("state")) {
				if err := tx.setQuantity(move, decimal.Zero); err != nil {
					return nil, err
				}
			}
		}
		if err := tx.settlePickings(idsOf(moves)); err != nil {
			return nil, err
		}
	}
	return true, nil
}

func cancelPickings(tx *transaction, ids []int64, _ arguments) (any, error) {
	for _, id := range ids {
		moves := tx.pickingMoves(id)
		for _, move := range moves {
			if err := tx.cancelMove(move.id); err != nil {
				return nil, err
			}
		}
		if err := tx.settlePickings(idsOf(moves)); err != nil {
			return nil, err
		}
	}
	return true, nil
}
