package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"
)

// stockWizards are those that deliveries and returns go through.
func (e *ERP) stockWizards() []*model {
	return []*model{
		{
			name: "stock.backorder.confirmation", label: "Backorder Confirmation",
			list: []*field{
				declare("pick_ids", many2many, "Pick", to("stock.picking")),
				declare("show_transfers", boolean, "Show Transfers"),
			},
			methods: map[string]method{
				"process":                  processBackorder(false),
				"process_cancel_backorder": processBackorder(true),
			},
		},
		{
			name: "confirm.stock.sms", label: "Confirm Stock SMS",
			list:    []*field{declare("pick_ids", many2many, "Pick", to("stock.picking"))},
			methods: map[string]method{"send_sms": answerText, "dont_send_sms": answerText},
		},
		{
			name: "stock.return.picking", label: "Return Picking",
			list: []*field{
				declare("picking_id", many2one, "Picking", to("stock.picking")),
				declare("product_return_moves", one2many, "Moves", to("stock.return.picking.line"), by("wizard_id")),
			},
			changed: fillReturn,
			methods: map[string]method{
				"action_create_returns":     createReturns(false),
				"action_create_returns_all": createReturns(true),
			},
		},
		{
			name: "stock.return.picking.line", label: "Return Picking Line",
			list: []*field{
				declare("product_id", many2one, "Product", to("product.product"), required),
				declare("quantity", float, "Quantity", required, digits(e.quantityPrecision()), initial(decimal.Zero)),
				declare("move_quantity", float, "Move Quantity", computed(func(tx *transaction, r *row) any {
					return tx.record("stock.move", r.ref("move_id")).amount("quantity")
				})),
				declare("uom_id", many2one, e.label("Unit of Measure", "Unit"), to("uom.uom"), computed(func(tx *transaction, r *row) any {
					return tx.template(tx.record("product.product", r.ref("product_id"))).ref("uom_id")
				})),
				declare("wizard_id", many2one, "Wizard", to("stock.return.picking"), cascade),
				declare("move_id", many2one, "Move", to("stock.move")),
				declare("to_refund", boolean, "Update quantities on SO/PO", initial(true)),
			},
		},
	}
}

// processBackorder validates again, with an answer to the question.
func processBackorder(without bool) method {
	return func(tx *transaction, ids []int64, a arguments) (any, error) {
		rows, err := tx.existing(tx.must("stock.backorder.confirmation"), ids)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			pickings := r.refs("pick_ids")
			tx.context["skip_backorder"] = true
			if without {
				tx.context["picking_ids_not_to_backorder"] = pickings
			}
			if result, err := validatePickings(tx, pickings, a); err != nil || result != true {
				return result, err
			}
		}
		return true, nil
	}
}

// answerText notes that the question was answered and validates (odoo18/400 to
// 402).
func answerText(tx *transaction, ids []int64, a arguments) (any, error) {
	rows, err := tx.existing(tx.must("confirm.stock.sms"), ids)
	if err != nil {
		return nil, err
	}
	values := Values{"has_received_warning_stock_sms": true}
	if !tx.erp.latest() {
		values["stock_move_sms_validation"] = false
	}
	tx.update(tx.must("res.company"), companyID, values)
	pickings, ok := asIDs(tx.context["button_validate_picking_ids"])
	if !ok {
		for _, r := range rows {
			pickings = append(pickings, r.refs("pick_ids")...)
		}
	}
	return validatePickings(tx, pickings, a)
}

// fillReturn lists what a delivery moved, with nothing to return yet
// (odoo18/381).
func fillReturn(tx *transaction, ids []int64, _ Values, created bool) error {
	if !created {
		return nil
	}
	for _, id := range ids {
		r := tx.record("stock.return.picking", id)
		if len(tx.pointingTo(tx.must("stock.return.picking").fields["product_return_moves"], id)) > 0 {
			continue
		}
		for _, move := range tx.pickingMoves(r.ref("picking_id")) {
			if move.text("state") == "cancel" {
				continue
			}
			if _, err := tx.create(tx.must("stock.return.picking.line"), Values{
				"wizard_id": id, "move_id": move.id, "product_id": move.ref("product_id"),
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// createReturns makes the picking that brings goods back (odoo18/382 to 385).
func createReturns(all bool) method {
	return func(tx *transaction, ids []int64, _ arguments) (any, error) {
		rows, err := tx.existing(tx.must("stock.return.picking"), ids)
		if err != nil || len(rows) != 1 {
			return nil, err
		}
		source := tx.record("stock.picking", rows[0].ref("picking_id"))
		lines := tx.holding("stock.return.picking.line", "wizard_id", rows[0].id)
		quantity := func(line *row) decimal.Decimal {
			if all {
				return tx.record("stock.move", line.ref("move_id")).amount("quantity")
			}
			return line.amount("quantity")
		}
		lines = slices.DeleteFunc(lines, func(line *row) bool { return !quantity(line).IsPositive() })
		if len(lines) == 0 {
			return nil, userError("Please specify at least one non-zero quantity.")
		}
		picking, err := tx.returnPicking(source)
		if err != nil {
			return nil, err
		}
		var moves []int64
		for _, line := range lines {
			moved := tx.record("stock.move", line.ref("move_id"))
			id, err := tx.newMove(plus(tx.groupValues(groupOf(moved)), Values{
				"picking_id": picking, "product_id": line.ref("product_id"), "product_uom_qty": quantity(line),
				"location_id": source.ref("location_dest_id"), "location_dest_id": source.ref("location_id"),
				"sale_line_id": moved.ref("sale_line_id"), "origin_returned_move_id": moved.id, "to_refund": line.flag("to_refund"),
			}))
			if err != nil {
				return nil, err
			}
			moves = append(moves, id)
		}
		if err := tx.assign(moves); err != nil {
			return nil, err
		}
		return map[string]any{
			"name": "Returned Picking", "view_mode": "form", "res_model": "stock.picking", "res_id": picking,
			"type": "ir.actions.act_window", "context": map[string]any{},
		}, nil
	}
}

func (tx *transaction) returnPicking(source *row) (int64, error) {
	warehouse := tx.record("stock.picking.type", source.ref("picking_type_id")).ref("warehouse_id")
	return tx.create(tx.must("stock.picking"), plus(tx.groupValues(groupOf(source)), Values{
		"picking_type_id": tx.record("stock.warehouse", warehouse).ref("in_type_id"), "origin": "Return of " + source.text("name"),
		"partner_id": source.ref("partner_id"), "location_id": source.ref("location_dest_id"), "location_dest_id": source.ref("location_id"),
		"sale_id": source.ref("sale_id"), "return_id": source.id,
	}))
}

// groupOf is the order's group that a move or picking belongs to.
func groupOf(r *row) int64 {
	if list := r.refs("reference_ids"); len(list) > 0 {
		return list[0]
	}
	return r.ref("group_id")
}
