package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"
)

// available is what lies in the warehouse's stock and is not reserved.
func (tx *transaction) available(product, location int64) decimal.Decimal {
	total := decimal.Zero
	for _, r := range tx.quants(product, location) {
		total = total.Add(r.amount("quantity")).Sub(r.amount("reserved_quantity"))
	}
	return total
}

// quants are those of a product in a location or below it.
func (tx *transaction) quants(product, location int64) []*row {
	return tx.where(tx.must("stock.quant"), func(r *row) bool {
		return r.ref("product_id") == product && tx.isWithin(r.ref("location_id"), location)
	})
}

// isWithin tells whether a location is another one or lies in it.
func (tx *transaction) isWithin(location, outer int64) bool {
	for depth := 0; location != 0 && depth < 20; depth++ {
		if location == outer {
			return true
		}
		r := tx.record("stock.location", location)
		if r == nil {
			return false
		}
		location = r.ref("location_id")
	}
	return false
}

// shift changes what lies in a location, and what of it is reserved.
func (tx *transaction) shift(product, location int64, quantity, reserved decimal.Decimal) error {
	if quantity.IsZero() && reserved.IsZero() || !tx.stored(product) {
		return nil
	}
	m := tx.must("stock.quant")
	rows := slices.DeleteFunc(tx.quants(product, location), func(r *row) bool { return r.ref("location_id") != location })
	if len(rows) == 0 {
		_, err := tx.create(m, Values{
			"product_id": product, "location_id": location, "quantity": quantity, "reserved_quantity": reserved,
		})
		return err
	}
	tx.update(m, rows[0].id, Values{
		"quantity":          rows[0].amount("quantity").Add(quantity),
		"reserved_quantity": decimal.Max(rows[0].amount("reserved_quantity").Add(reserved), decimal.Zero),
	})
	return nil
}

// stored tells whether the stock of a product is counted.
func (tx *transaction) stored(product int64) bool {
	r := tx.record("product.product", product)
	return r != nil && tx.template(r).flag("is_storable")
}

// inventoryMode is the context in which people count: there a new quant of what
// is there already counts that one (odoo18/516 to 518).
const inventoryMode = "inventory_mode"

func countExisting(tx *transaction, given Values) (int64, bool, error) {
	if !tx.flag(inventoryMode) {
		return 0, false, nil
	}
	product, _ := asID(given["product_id"])
	location, _ := asID(given["location_id"])
	if r := tx.record("product.product", product); r != nil && !tx.stored(product) {
		return 0, false, fault("odoo.exceptions.ValidationError", "Quants cannot be created for consumables or services.")
	}
	for _, r := range tx.quants(product, location) {
		if r.ref("location_id") == location {
			counted := Values{}
			for _, name := range []string{"inventory_quantity", "inventory_quantity_auto_apply"} {
				if value, ok := given[name]; ok {
					counted[name] = value
				}
			}
			return r.id, true, tx.write(tx.must("stock.quant"), []int64{r.id}, counted)
		}
	}
	return 0, false, nil
}

// quantChanged follows a count. Outside of counting a new quant is a row that
// was never counted (odoo18/518).
func quantChanged(tx *transaction, ids []int64, given Values, created bool) error {
	m := tx.must("stock.quant")
	for _, id := range ids {
		r := tx.row(m, id)
		if value, ok := given["inventory_quantity_auto_apply"]; ok && tx.flag(inventoryMode) {
			counted, err := toDecimal(value)
			if err != nil {
				return err
			}
			if err := tx.count(r, counted); err != nil {
				return err
			}
			continue
		}
		if _, ok := given["inventory_quantity"]; ok {
			tx.update(m, id, Values{
				"inventory_quantity_set":  !created || tx.flag(inventoryMode),
				"inventory_diff_quantity": r.amount("inventory_quantity").Sub(r.amount("quantity")),
			})
		}
	}
	return nil
}

// applyInventory makes the counted quantities true. Where stock moved since the
// count nothing is applied and a wizard is offered (odoo18/530).
func applyInventory(tx *transaction, ids []int64, _ arguments) (any, error) {
	rows, err := tx.existing(tx.must("stock.quant"), ids)
	if err != nil {
		return nil, err
	}
	var outdated []int64
	for _, r := range rows {
		if r.flag("inventory_quantity_set") &&
			!r.amount("inventory_quantity").Sub(r.amount("inventory_diff_quantity")).Equal(r.amount("quantity")) {
			outdated = append(outdated, r.id)
		}
	}
	if len(outdated) > 0 {
		return map[string]any{
			"name": "Conflict in Inventory Adjustment", "type": "ir.actions.act_window", "view_mode": "form",
			"views": []any{[]any{false, "form"}}, "res_model": "stock.inventory.conflict", "target": "new",
			"context": map[string]any{"default_quant_ids": ids, "default_quant_to_fix_ids": outdated},
		}, nil
	}
	for _, r := range rows {
		if r.flag("inventory_quantity_set") {
			if err := tx.count(r, r.amount("inventory_quantity")); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// count sets what lies in a place, by a move that tells of it.
func (tx *transaction) count(quant *row, counted decimal.Decimal) error {
	diff := counted.Sub(quant.amount("quantity"))
	loss := tx.place("inventory")
	from, dest := loss, quant.ref("location_id")
	if diff.IsNegative() || diff.IsZero() {
		from, dest = dest, loss
	}
	name := "Product Quantity Updated"
	if diff.IsZero() {
		name = "Product Quantity Confirmed"
	}
	if tx.erp.latest() {
		name = "Physical Inventory"
	}
	values := Values{
		"product_id": quant.ref("product_id"), "product_uom_qty": diff.Abs(), "quantity": diff.Abs(), "picked": true,
		"location_id": from, "location_dest_id": dest,
	}
	if !tx.erp.latest() {
		values["name"] = name
	}
	id, err := tx.create(tx.must("stock.move"), values)
	if err != nil {
		return err
	}
	tx.update(tx.must("stock.move"), id, Values{"state": "done", "reference": name})
	if _, err := tx.create(tx.must("stock.move.line"), Values{
		"move_id": id, "product_id": quant.ref("product_id"), "quantity": diff.Abs(), "location_id": from, "location_dest_id": dest,
	}); err != nil {
		return err
	}
	tx.update(tx.must("stock.quant"), quant.id, Values{
		"quantity": counted, "inventory_quantity": decimal.Zero, "inventory_quantity_set": false, "inventory_diff_quantity": decimal.Zero,
	})
	return tx.shift(quant.ref("product_id"), loss, diff.Neg(), decimal.Zero)
}

// quantities of a product, of all warehouses or of the context's: the key
// warehouse_id counts, and the old key warehouse is ignored (odoo18/501 to 505).
type quantities struct{ onHand, free, incoming, outgoing decimal.Decimal }

func (tx *transaction) quantitiesOf(product int64) quantities {
	var q quantities
	inside := tx.insideOf()
	for _, r := range tx.holding("stock.quant", "product_id", product) {
		if inside(r.ref("location_id")) {
			q.onHand = q.onHand.Add(r.amount("quantity"))
			q.free = q.free.Add(r.amount("quantity")).Sub(r.amount("reserved_quantity"))
		}
	}
	for _, r := range tx.holding("stock.move", "product_id", product) {
		if !slices.Contains(openStates, r.text("state")) || !tx.stored(product) {
			continue
		}
		from, dest := inside(r.ref("location_id")), inside(r.ref("location_dest_id"))
		switch {
		case from && !dest:
			q.outgoing = q.outgoing.Add(r.amount("product_uom_qty"))
		case dest && !from:
			q.incoming = q.incoming.Add(r.amount("product_uom_qty"))
		}
	}
	return q
}

// insideOf tells which locations count for the context.
func (tx *transaction) insideOf() func(int64) bool {
	warehouses, _ := asIDs(tx.context["warehouse_id"])
	locations, _ := asIDs(tx.context["location"])
	for _, id := range warehouses {
		if r := tx.record("stock.warehouse", id); r != nil {
			locations = append(locations, r.ref("view_location_id"))
		}
	}
	return func(location int64) bool {
		r := tx.record("stock.location", location)
		if r == nil || r.text("usage") != "internal" {
			return false
		}
		return len(locations) == 0 && len(warehouses) == 0 ||
			slices.ContainsFunc(locations, func(outer int64) bool { return tx.isWithin(location, outer) })
	}
}

// noSuchWarehouse is about a context whose warehouse is not there: reading
// quantities then gives no records (odoo18/503).
func (tx *transaction) noSuchWarehouse() bool {
	ids, ok := asIDs(tx.context["warehouse_id"])
	return ok && slices.ContainsFunc(ids, func(id int64) bool { return tx.record("stock.warehouse", id) == nil })
}

func (q quantities) forecast() decimal.Decimal { return q.onHand.Add(q.incoming).Sub(q.outgoing) }

func stockOf(which func(quantities) decimal.Decimal) func(*transaction, *row) any {
	return func(tx *transaction, r *row) any { return which(tx.quantitiesOf(r.id)) }
}

func stockOfTemplate(which func(quantities) decimal.Decimal) func(*transaction, *row) any {
	return func(tx *transaction, r *row) any {
		total := decimal.Zero
		for _, variant := range tx.variants(r) {
			total = total.Add(which(tx.quantitiesOf(variant.id)))
		}
		return total
	}
}

// stocked tells whether a field is a quantity of the context's warehouse.
func stocked(name string) bool {
	return slices.Contains([]string{"qty_available", "free_qty", "virtual_available", "incoming_qty", "outgoing_qty"}, name)
}

// setOnHand makes the stock of a product in the first warehouse what is given,
// as 19 lets a product's own quantity be written (odoo19/489).
func (tx *transaction) setOnHand(product int64, counted decimal.Decimal) error {
	warehouse, _ := firstWarehouse(tx).(int64)
	location := tx.record("stock.warehouse", warehouse).ref("lot_stock_id")
	quants := tx.quants(product, location)
	if len(quants) == 0 {
		return tx.shift(product, location, counted, decimal.Zero)
	}
	return tx.count(quants[0], counted)
}
