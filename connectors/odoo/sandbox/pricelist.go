package sandbox

import (
	"time"

	"github.com/shopspring/decimal"
)

func pricelistItemModel() *model {
	return &model{
		name: "product.pricelist.item", label: "Pricelist Rule", order: "applied_on, min_quantity desc, categ_id desc, id desc",
		list: []*field{
			declare("pricelist_id", many2one, "Pricelist", to("product.pricelist"), required, cascade),
			declare("company_id", many2one, "Company", to("res.company"), computed(func(tx *transaction, r *row) any {
				return tx.record("product.pricelist", r.ref("pricelist_id")).ref("company_id")
			})),
			declare("applied_on", selection, "Apply On", required, initial("3_global"), choices("3_global", "All Products",
				"2_product_category", "Product Category", "1_product", "Product", "0_product_variant", "Product Variant")),
			declare("product_tmpl_id", many2one, "Product", to("product.template"), cascade),
			declare("product_id", many2one, "Variant", to("product.product"), cascade),
			declare("categ_id", many2one, "Category", to("product.category")),
			declare("min_quantity", float, "Min. Quantity", initial(decimal.Zero)),
			declare("compute_price", selection, "Compute Price", required, initial("fixed"),
				choices("percentage", "Discount", "formula", "Formula", "fixed", "Fixed Price")),
			declare("fixed_price", float, "Fixed Price", digits(productPrice)),
			declare("percent_price", float, "Percentage Price"),
			declare("base", selection, "Based on", required, initial("list_price"),
				choices("list_price", "Sales Price", "standard_price", "Cost", "pricelist", "Other Pricelist")),
			declare("base_pricelist_id", many2one, "Other Pricelist", to("product.pricelist")),
			declare("price_discount", float, "Price Discount", places(2)),
			declare("price_markup", float, "Markup", computed(func(_ *transaction, r *row) any { return r.amount("price_discount").Neg() })),
			declare("price_surcharge", float, "Extra Fee", digits(productPrice)),
			declare("price_round", float, "Price Rounding", digits(productPrice)),
			declare("price_min_margin", float, "Min. Price Margin", digits(productPrice)),
			declare("price_max_margin", float, "Max. Price Margin", digits(productPrice)),
			declare("date_start", datetime, "Start Date"),
			declare("date_end", datetime, "End Date"),
		},
	}
}

// ruledPrice is a price in the pricelist's currency by the first of its rules
// that fits: the more special one comes first.
func (tx *transaction) ruledPrice(pricelist int64, product *row, price, quantity decimal.Decimal) decimal.Decimal {
	m := tx.must("product.pricelist.item")
	rows := tx.holding(m.name, "pricelist_id", pricelist)
	tx.sort(m, rows, mustOrder(m))
	for _, r := range rows {
		if !tx.ruleFits(r, product, quantity) {
			continue
		}
		switch r.text("compute_price") {
		case "fixed":
			return r.amount("fixed_price")
		case "percentage":
			return lessPercent(price, r.amount("percent_price"))
		default:
			return tx.formulaPrice(r, product, price, quantity)
		}
	}
	return price
}

func (tx *transaction) ruleFits(rule, product *row, quantity decimal.Decimal) bool {
	if quantity.LessThan(rule.amount("min_quantity")) {
		return false
	}
	if from, ok := rule.get("date_start").(time.Time); ok && tx.now.Before(from) {
		return false
	}
	if until, ok := rule.get("date_end").(time.Time); ok && tx.now.After(until) {
		return false
	}
	switch rule.text("applied_on") {
	case "0_product_variant":
		return rule.ref("product_id") == product.id
	case "1_product":
		return rule.ref("product_tmpl_id") == product.ref("product_tmpl_id")
	case "2_product_category":
		return rule.ref("categ_id") == tx.template(product).ref("categ_id")
	}
	return true
}
