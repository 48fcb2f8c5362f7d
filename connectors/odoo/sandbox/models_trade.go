package sandbox

import "github.com/shopspring/decimal"

// tradeModels are what an order refers to besides partners, products and taxes.
func (e *ERP) tradeModels() []*model {
	return []*model{
		{
			name: "product.pricelist", label: "Pricelist", order: "sequence, id, name",
			list: []*field{
				declare("name", char, "Pricelist Name", required),
				declare("active", boolean, "Active", initial(true)),
				declare("sequence", integer, "Sequence", initial(int64(16))),
				declare("currency_id", many2one, "Currency", to("res.currency"), required, initially(func(tx *transaction) any {
					return tx.company().ref("currency_id")
				})),
				declare("company_id", many2one, "Company", to("res.company")),
				declare("item_ids", one2many, "Pricelist Rules", to("product.pricelist.item"), by("pricelist_id")),
			},
			display: func(tx *transaction, r *row) string {
				currency := tx.record("res.currency", r.ref("currency_id"))
				return r.text("name") + " (" + currency.text("name") + ")"
			},
		},
		{
			name: "delivery.carrier", label: "Shipping Methods", order: "sequence, id",
			list: []*field{
				declare("name", char, "Delivery Method", required),
				declare("active", boolean, "Active", initial(true)),
				declare("sequence", integer, "Sequence", initial(int64(10))),
				declare("delivery_type", selection, "Provider", required, initial("fixed"),
					choices("base_on_rule", "Based on Rules", "fixed", "Fixed Price")),
				declare("fixed_price", float, "Fixed Price", initial(decimal.Zero)),
				declare("free_over", boolean, "Free if order amount is above"),
				declare("amount", float, "Amount"),
				declare("country_ids", many2many, "Countries", to("res.country")),
				declare("product_id", many2one, "Delivery Product", to("product.product"), required),
				declare("company_id", many2one, "Company", to("res.company")),
			},
		},
		pricelistItemModel(), deliveryWizard(),
	}
}

// defaultPricelist is the first one. A fresh 19 has none (odoo19/253), 18 has
// one (odoo18/231).
func defaultPricelist(tx *transaction) any {
	rows, err := tx.find(tx.must("product.pricelist"), nil, query{limit: 1})
	if err != nil || len(rows) == 0 {
		return int64(0)
	}
	return rows[0].id
}
