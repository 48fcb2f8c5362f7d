package sandbox

import (
	"github.com/shopspring/decimal"
)

// deliveryWizard puts the price of a delivery method on an order.
func deliveryWizard() *model {
	return &model{
		name: "choose.delivery.carrier", label: "Delivery Method Selection Wizard",
		list: []*field{
			declare("order_id", many2one, "Order", to("sale.order"), required, cascade),
			declare("carrier_id", many2one, "Shipping Method", to("delivery.carrier"), required),
			declare("delivery_price", float, "Delivery Price"),
			declare("display_price", float, "Cost"),
		},
		methods: map[string]method{"update_price": updateDeliveryPrice, "button_confirm": addDeliveryLine},
	}
}

// updateDeliveryPrice asks the carrier for its price and shows the wizard again
// (odoo18/247).
func updateDeliveryPrice(tx *transaction, ids []int64, _ arguments) (any, error) {
	m := tx.must("choose.delivery.carrier")
	rows, err := tx.existing(m, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		price := tx.deliveryPrice(r)
		tx.update(m, r.id, Values{"delivery_price": price, "display_price": price})
	}
	return map[string]any{
		"name": "Add a shipping method", "type": "ir.actions.act_window", "view_mode": "form", "res_model": m.name,
		"res_id": ids[0], "target": "new", "context": map[string]any{"no_rate": false},
	}, nil
}

func (tx *transaction) deliveryPrice(wizard *row) decimal.Decimal {
	carrier := tx.record("delivery.carrier", wizard.ref("carrier_id"))
	order := tx.record("sale.order", wizard.ref("order_id"))
	if carrier.flag("free_over") && order.amount("amount_total").GreaterThanOrEqual(carrier.amount("amount")) {
		return decimal.Zero
	}
	return carrier.amount("fixed_price").Mul(tx.conversion(order.ref("currency_id")))
}

// addDeliveryLine replaces the order's delivery line (odoo18/248, 249).
func addDeliveryLine(tx *transaction, ids []int64, _ arguments) (any, error) {
	rows, err := tx.existing(tx.must("choose.delivery.carrier"), ids)
	if err != nil {
		return nil, err
	}
	lines := tx.must("sale.order.line")
	for _, r := range rows {
		order := r.ref("order_id")
		carrier := tx.record("delivery.carrier", r.ref("carrier_id"))
		last := int64(9)
		for _, line := range tx.orderLines(order) {
			if line.flag("is_delivery") {
				if err := tx.unlink(lines, []int64{line.id}); err != nil {
					return nil, err
				}
				continue
			}
			last = max(last, number64(line.get("sequence")))
		}
		if _, err := tx.create(lines, Values{
			"order_id": order, "product_id": carrier.ref("product_id"), "name": carrier.text("name"), "is_delivery": true,
			"price_unit": tx.deliveryPrice(r), "sequence": last + 1,
		}); err != nil {
			return nil, err
		}
		if err := tx.write(tx.must("sale.order"), []int64{order}, Values{"carrier_id": carrier.id}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// toggleNoUpdate marks the external ids of a record (odoo18/064).
func toggleNoUpdate(tx *transaction, _ []int64, a arguments) (any, error) {
	m := tx.must("ir.model.data")
	name, id := a.text(0, "model"), a.number(1, "res_id")
	for _, r := range tx.all(m) {
		if r.text("model") == name && number64(r.get("res_id")) == id {
			tx.update(m, r.id, Values{"noupdate": !r.flag("noupdate")})
		}
	}
	return nil, nil
}

// userContext is what a client starts from (odoo19/023).
func userContext(tx *transaction, _ []int64, _ arguments) (any, error) {
	return map[string]any{"lang": "en_US", "tz": false, "uid": tx.uid}, nil
}
