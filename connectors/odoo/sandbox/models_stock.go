package sandbox

import (
	"github.com/shopspring/decimal"
)

// stockModels are warehouses, what lies in them and what moves.
func (e *ERP) stockModels() []*model {
	models := []*model{
		e.locationModel(), e.warehouseModel(),
		{
			name: "stock.picking.type", label: "Picking Type", order: "sequence, id",
			list: []*field{
				declare("name", char, "Operation Type", required),
				declare("sequence", integer, "Sequence", initial(int64(1))),
				declare("code", selection, "Type of Operation", required,
					choices("incoming", "Receipt", "outgoing", "Delivery", "internal", "Internal Transfer")),
				declare("sequence_code", char, "Sequence Prefix", required),
				declare("warehouse_id", many2one, "Warehouse", to("stock.warehouse")),
				declare("default_location_src_id", many2one, "Source Location", to("stock.location")),
				declare("default_location_dest_id", many2one, "Destination Location", to("stock.location")),
				declare("active", boolean, "Active", initial(true)),
				declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			},
			display: func(tx *transaction, r *row) string {
				if warehouse := tx.record("stock.warehouse", r.ref("warehouse_id")); warehouse != nil {
					return warehouse.text("name") + ": " + r.text("name")
				}
				return r.text("name")
			},
		},
		named("stock.lot", "Lot/Serial"), named(e.packageModel(), "Packages"), named(e.groupModel(), "Reference"),
		e.pickingModel(), e.moveModel(), e.moveLineModel(), e.quantModel(),
	}
	return append(models, e.stockWizards()...)
}

// named is a model of which only the name matters here.
func named(name, label string) *model {
	return &model{name: name, label: label, list: []*field{declare("name", char, "Name", required)}}
}

// packageModel and groupModel are the names of two models that 19 changed.
func (e *ERP) packageModel() string { return e.label("stock.quant.package", "stock.package") }

func (e *ERP) groupModel() string { return e.label("procurement.group", "stock.reference") }

func (e *ERP) locationModel() *model {
	return &model{
		name: "stock.location", label: "Inventory Locations", order: "complete_name, id", parent: "location_id",
		display: locationName,
		list: []*field{
			declare("name", char, "Location Name", required),
			declare("complete_name", char, "Full Location Name", computed(func(tx *transaction, r *row) any { return locationName(tx, r) })),
			declare("active", boolean, "Active", initial(true)),
			declare("usage", selection, "Location Type", required, initial("internal"), choices("supplier", "Vendor Location",
				"view", "View", "internal", "Internal Location", "customer", "Customer Location", "inventory", "Inventory Loss",
				"production", "Production", "transit", "Transit Location")),
			declare("location_id", many2one, "Parent Location", to("stock.location")),
			declare("company_id", many2one, "Company", to("res.company"), initially(company)),
			declare("warehouse_id", many2one, "Warehouse", to("stock.warehouse"), computed(warehouseOfLocation)),
		},
	}
}

func locationName(tx *transaction, r *row) string {
	if parent := tx.record("stock.location", r.ref("location_id")); parent != nil && r.text("usage") != "view" {
		return locationName(tx, parent) + "/" + r.text("name")
	}
	return r.text("name")
}

func warehouseOfLocation(tx *transaction, r *row) any {
	for _, warehouse := range tx.all(tx.must("stock.warehouse")) {
		for up := r; up != nil; up = tx.record("stock.location", up.ref("location_id")) {
			if up.id == warehouse.ref("view_location_id") {
				return warehouse.id
			}
		}
	}
	return int64(0)
}

func (e *ERP) warehouseModel() *model {
	return &model{
		name: "stock.warehouse", label: "Warehouse", order: "sequence, id",
		list: []*field{
			declare("name", char, "Warehouse", required),
			declare("code", char, "Short Name", required),
			declare("sequence", integer, "Sequence", initial(int64(10))),
			declare("active", boolean, "Active", initial(true)),
			declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			declare("partner_id", many2one, "Address", to("res.partner"), initial(int64(1))),
			declare("view_location_id", many2one, "View Location", to("stock.location"), required),
			declare("lot_stock_id", many2one, "Location Stock", to("stock.location"), required),
			declare("in_type_id", many2one, "In Type", to("stock.picking.type")),
			declare("out_type_id", many2one, "Out Type", to("stock.picking.type")),
			declare("delivery_steps", selection, "Outgoing Shipments", required, initial("ship_only"), choices("ship_only", "Deliver (1 step)",
				"pick_ship", "Pick then Deliver (2 steps)", "pick_pack_ship", "Pick, Pack, then Deliver (3 steps)")),
		},
		prepare: prepareWarehouse,
		changed: warehouseChanged,
	}
}

// prepareWarehouse makes the places of a new warehouse.
func prepareWarehouse(tx *transaction, _, values Values) error {
	locations := tx.must("stock.location")
	if number64(values["view_location_id"]) == 0 {
		view, err := tx.create(locations, Values{"name": values["code"], "usage": "view"})
		if err != nil {
			return err
		}
		values["view_location_id"] = view
	}
	if number64(values["lot_stock_id"]) == 0 {
		stock, err := tx.create(locations, Values{"name": "Stock", "location_id": values["view_location_id"]})
		if err != nil {
			return err
		}
		values["lot_stock_id"] = stock
	}
	return nil
}

// warehouseChanged makes the operation types of a new warehouse.
func warehouseChanged(tx *transaction, ids []int64, _ Values, created bool) error {
	if !created {
		return nil
	}
	m, types := tx.must("stock.warehouse"), tx.must("stock.picking.type")
	for _, id := range ids {
		r := tx.row(m, id)
		in, err := tx.create(types, Values{"name": "Receipts", "code": "incoming", "sequence_code": "IN", "warehouse_id": id,
			"default_location_src_id": tx.place("supplier"), "default_location_dest_id": r.ref("lot_stock_id")})
		if err != nil {
			return err
		}
		out, err := tx.create(types, Values{"name": "Delivery Orders", "code": "outgoing", "sequence_code": "OUT", "warehouse_id": id,
			"default_location_src_id": r.ref("lot_stock_id"), "default_location_dest_id": tx.place("customer")})
		if err != nil {
			return err
		}
		tx.update(m, id, Values{"in_type_id": in, "out_type_id": out})
	}
	return nil
}

// place is the first location of a kind outside the warehouses.
func (tx *transaction) place(usage string) int64 {
	for _, r := range tx.all(tx.must("stock.location")) {
		if r.text("usage") == usage {
			return r.id
		}
	}
	return 0
}

func (e *ERP) moveLineModel() *model {
	ofMove := func(name string) func(*transaction, *row) any {
		return func(tx *transaction, r *row) any {
			m := tx.must("stock.move")
			if move := tx.row(m, r.ref("move_id")); move != nil {
				return tx.value(m, m.fields[name], move)
			}
			return nil
		}
	}
	return &model{
		name: "stock.move.line", label: "Product Moves (Stock Move Line)", order: "result_package_id desc, id",
		list: []*field{
			declare("picking_id", many2one, "Transfer", to("stock.picking")),
			declare("move_id", many2one, "Stock Operation", to("stock.move"), cascade),
			declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			declare("product_id", many2one, "Product", to("product.product"), cascade),
			declare("product_uom_id", many2one, e.label("Unit of Measure", "Unit"), to("uom.uom"), required, initial(int64(1))),
			declare("quantity", float, "Quantity", digits(e.quantityPrecision())),
			declare("picked", boolean, "Picked", computed(ofMove("picked"))),
			declare("state", selection, "Status", computed(ofMove("state")), choices(moveStates...)),
			declare("lot_id", many2one, "Lot/Serial Number", to("stock.lot")),
			declare("location_id", many2one, "From", to("stock.location"), required),
			declare("location_dest_id", many2one, "To", to("stock.location"), required),
			declare("result_package_id", many2one, e.label("Destination Package", "Destination Package"), to(e.packageModel())),
			declare("date", datetime, "Date", required, initially(func(tx *transaction) any { return tx.now })),
			declare("reference", char, "Reference", computed(ofMove("reference"))),
		},
	}
}

func (e *ERP) quantModel() *model {
	qty := digits(e.quantityPrecision())
	return &model{
		name: "stock.quant", label: "Quants",
		list: []*field{
			declare("product_id", many2one, "Product", to("product.product"), required, restrict),
			declare("location_id", many2one, "Location", to("stock.location"), required),
			declare("company_id", many2one, "Company", to("res.company"), computed(func(tx *transaction, r *row) any {
				return tx.record("stock.location", r.ref("location_id")).ref("company_id")
			})),
			declare("lot_id", many2one, "Lot/Serial Number", to("stock.lot")),
			declare("package_id", many2one, "Package", to(e.packageModel())),
			declare("owner_id", many2one, "Owner", to("res.partner")),
			declare("quantity", float, "Quantity", initial(decimal.Zero)),
			declare("reserved_quantity", float, "Reserved Quantity", required, initial(decimal.Zero)),
			declare("available_quantity", float, "Available Quantity", computed(func(_ *transaction, r *row) any {
				return r.amount("quantity").Sub(r.amount("reserved_quantity"))
			})),
			declare("in_date", datetime, "Incoming Date", required, initially(func(tx *transaction) any { return tx.now })),
			declare("inventory_quantity", float, e.label("Counted Quantity", "Counted"), qty),
			declare("inventory_quantity_set", boolean, "Inventory Quantity Set"),
			declare("inventory_diff_quantity", float, "Difference"),
			declare("inventory_quantity_auto_apply", float, "Inventoried Quantity", computed(func(_ *transaction, r *row) any {
				return r.amount("quantity")
			})),
		},
		changed: quantChanged,
		replace: countExisting,
		methods: map[string]method{"action_apply_inventory": applyInventory},
	}
}
