package sandbox

import (
	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox/tax"
)

func lessPercent(price, percent decimal.Decimal) decimal.Decimal {
	return price.Mul(decimal.NewFromInt(100).Sub(percent)).Shift(-2)
}

// formulaPrice is a price by a formula: a discount on what it is based on, then
// rounding, an extra fee and the margins, in this order (asked of a running 19).
func (tx *transaction) formulaPrice(rule, product *row, price, quantity decimal.Decimal) decimal.Decimal {
	switch rule.text("base") {
	case "standard_price":
		list := tx.record("product.pricelist", rule.ref("pricelist_id"))
		price = product.amount("standard_price").Mul(tx.conversion(list.ref("currency_id")))
	case "pricelist":
		if other := tx.record("product.pricelist", rule.ref("base_pricelist_id")); other != nil {
			price = tx.ruledPrice(other.id, product, price, quantity)
		}
	}
	limit := price
	price = lessPercent(price, rule.amount("price_discount"))
	if unit := rule.amount("price_round"); !unit.IsZero() {
		price = tax.Round(price, unit)
	}
	price = price.Add(rule.amount("price_surcharge"))
	if margin := rule.amount("price_min_margin"); !margin.IsZero() {
		price = decimal.Max(price, limit.Add(margin))
	}
	if margin := rule.amount("price_max_margin"); !margin.IsZero() {
		price = decimal.Min(price, limit.Add(margin))
	}
	return price
}

// contextualPrice is the one public way to a pricelist's price: the method
// get_contextual_price of a product or template, with the pricelist and the
// quantity in the context. Without a pricelist it is the sales price.
func contextualPrice(variant func(*transaction, int64) *row) method {
	return func(tx *transaction, ids []int64, _ arguments) (any, error) {
		if len(ids) != 1 {
			return nil, valueError("Expected singleton: product(%s)", python(toAny(ids)))
		}
		product := variant(tx, ids[0])
		if product == nil {
			return nil, tx.missing(tx.must("product.product"), ids[0])
		}
		m := tx.must("product.product")
		price, _ := tx.value(m, m.fields["lst_price"], product).(decimal.Decimal)
		list, _ := asID(tx.context["pricelist"])
		if list == 0 {
			return number(price), nil
		}
		pricelist := tx.record("product.pricelist", list)
		if pricelist == nil {
			return nil, tx.missing(tx.must("product.pricelist"), list)
		}
		quantity := decimal.NewFromInt(1)
		if given, ok := tx.context["quantity"]; ok {
			var err error
			if quantity, err = toDecimal(given); err != nil {
				return nil, err
			}
		}
		price = price.Mul(tx.conversion(pricelist.ref("currency_id")))
		return number(tx.ruledPrice(list, product, price, quantity)), nil
	}
}

// ofVariant and ofTemplate find the variant whose price is asked for.
func ofVariant(tx *transaction, id int64) *row { return tx.record("product.product", id) }

func ofTemplate(tx *transaction, id int64) *row {
	template := tx.record("product.template", id)
	if template == nil {
		return nil
	}
	first, _ := firstVariant(tx, template).(int64)
	return tx.record("product.product", first)
}
