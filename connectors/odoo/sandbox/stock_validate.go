package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"
)

// validatePickings delivers. True means done; a record means that nothing
// happened and a wizard is offered: for what is left (odoo18/277), then for a
// text message to the customer (odoo18/272).
func validatePickings(tx *transaction, ids []int64, _ arguments) (any, error) {
	rows, err := tx.existing(tx.must("stock.picking"), ids)
	if err != nil {
		return nil, err
	}
	if tx.erp.latest() {
		rows = slices.DeleteFunc(rows, func(r *row) bool { return r.text("state") == "done" })
		if len(rows) == 0 {
			return true, nil // odoo19/341
		}
	}
	var short, texted []int64
	for _, picking := range rows {
		if picking.text("state") == "draft" {
			if _, err := confirmPickings(tx, []int64{picking.id}, arguments{}); err != nil {
				return nil, err
			}
		}
		if !tx.anythingToMove(picking.id) {
			return nil, tx.nothingToMove()
		}
		if tx.leavesSomething(picking.id) {
			short = append(short, picking.id)
		}
		if tx.warnsOfText(picking) {
			texted = append(texted, picking.id)
		}
	}
	if len(short) > 0 && !tx.flag("skip_backorder") {
		links := make([]any, len(short))
		for i, id := range short {
			links[i] = []any{commandLink, id}
		}
		return tx.offer("Create Backorder?", "stock.backorder.confirmation", plus(tx.context, Values{
			"button_validate_picking_ids": ids, "default_show_transfers": len(rows) > 1, "default_pick_ids": links,
		})), nil
	}
	if len(texted) > 0 && !tx.flag("skip_sms") {
		wizard, err := tx.create(tx.must("confirm.stock.sms"), Values{"pick_ids": texted})
		if err != nil {
			return nil, err
		}
		action := tx.offer("SMS", "confirm.stock.sms", plus(tx.context, Values{"button_validate_picking_ids": ids}))
		action["res_id"] = wizard
		return action, nil
	}
	without, _ := asIDs(tx.context["picking_ids_not_to_backorder"])
	for _, picking := range rows {
		if err := tx.deliver(picking, !slices.Contains(without, picking.id)); err != nil {
			return nil, err
		}
	}
	return true, nil
}

// offer is an action that opens a wizard.
func (tx *transaction) offer(name, model string, context Values) map[string]any {
	return map[string]any{
		"name": name, "type": "ir.actions.act_window", "view_mode": "form", "res_model": model,
		"views": []any{[]any{int64(1), "form"}}, "view_id": int64(1), "target": "new", "context": context,
	}
}

func (tx *transaction) anythingToMove(picking int64) bool {
	return slices.ContainsFunc(tx.pickingMoves(picking), func(move *row) bool {
		return slices.Contains(openStates, move.text("state")) && move.amount("quantity").IsPositive()
	})
}

// nothingToMove is about a transfer without quantities, or one that is done
// (odoo18/287, 305, odoo19/358).
func (tx *transaction) nothingToMove() error {
	if tx.erp.latest() {
		return userError("Transfer trouble alert! Validating a zero quantity transfer? You're not moving invisible goods around are you?\n" +
			"Set some quantities and let's get moving!")
	}
	return userError("You cannot validate a transfer if no quantities are reserved. To force the transfer, encode quantities.")
}

// picked gives what will be moved: where nothing was picked by hand, all that is
// in hand is.
func (tx *transaction) picked(picking int64) func(*row) decimal.Decimal {
	byHand := slices.ContainsFunc(tx.pickingMoves(picking), func(move *row) bool {
		return move.flag("picked") && slices.Contains(openStates, move.text("state"))
	})
	return func(move *row) decimal.Decimal {
		if byHand && !move.flag("picked") {
			return decimal.Zero
		}
		return move.amount("quantity")
	}
}

func (tx *transaction) leavesSomething(picking int64) bool {
	quantity := tx.picked(picking)
	return slices.ContainsFunc(tx.pickingMoves(picking), func(move *row) bool {
		return slices.Contains(openStates, move.text("state")) && quantity(move).LessThan(move.amount("product_uom_qty"))
	})
}

// warnsOfText: until somebody said no, a delivery to a partner with a phone asks
// whether to send a text message.
func (tx *transaction) warnsOfText(picking *row) bool {
	if pickingCode(tx, picking) != "outgoing" || tx.company().flag("has_received_warning_stock_sms") {
		return false
	}
	partner := tx.record("res.partner", picking.ref("partner_id"))
	return partner != nil && (partner.text("phone") != "" || partner.text("mobile") != "")
}

// deliver moves what is picked. What is left goes to a back order, or is
// cancelled.
func (tx *transaction) deliver(picking *row, backorder bool) error {
	m := tx.must("stock.move")
	quantity := tx.picked(picking.id)
	var left []int64
	touched := idsOf(tx.pickingMoves(picking.id))
	for _, move := range tx.pickingMoves(picking.id) {
		if !slices.Contains(openStates, move.text("state")) {
			continue
		}
		moved := quantity(move)
		rest := move.amount("product_uom_qty").Sub(moved)
		switch {
		case moved.IsZero():
			left = append(left, move.id)
			continue
		case rest.IsPositive() && backorder:
			// The move keeps what it did, another waits for the rest.
			values := Values{}
			for name, value := range move.values {
				if f := m.fields[name]; f != nil && !f.settled && name != "quantity" && name != "picked" && name != "state" {
					values[name] = value
				}
			}
			values["product_uom_qty"] = rest
			waiting, err := tx.newMove(values)
			if err != nil {
				return err
			}
			left = append(left, waiting)
			tx.update(m, move.id, Values{"product_uom_qty": moved})
		}
		if err := tx.finish(tx.row(m, move.id)); err != nil {
			return err
		}
	}
	if !backorder {
		for _, id := range left {
			if err := tx.cancelMove(id); err != nil {
				return err
			}
		}
		left = nil
	}
	if len(left) > 0 {
		if err := tx.backorder(picking, left); err != nil {
			return err
		}
	}
	return tx.settlePickings(touched)
}

// backorder makes a picking for the moves that are left.
func (tx *transaction) backorder(picking *row, left []int64) error {
	m := tx.must("stock.picking")
	values := Values{"backorder_id": picking.id}
	for _, name := range []string{
		"origin", "partner_id", "location_id", "location_dest_id", "picking_type_id", "carrier_id", "sale_id",
		"group_id", "reference_ids", "scheduled_date", "company_id",
	} {
		if _, ok := m.fields[name]; ok {
			values[name] = picking.get(name)
		}
	}
	id, err := tx.create(m, values)
	if err != nil {
		return err
	}
	for _, move := range left {
		tx.update(tx.must("stock.move"), move, Values{"picking_id": id, "picked": false})
		for _, line := range tx.moveLines(move) {
			tx.update(tx.must("stock.move.line"), line.id, Values{"picking_id": id})
		}
	}
	return tx.assign(left)
}
