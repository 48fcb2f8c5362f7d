package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// orderView is an order as the API shows it, amounts with dp decimals.
func (c *call) orderView(o *order, dp int32) object {
	s := c.shop
	money := func(d decimal.Decimal) string { return fixed(d, dp) }
	id := fmt.Sprint(o.id)
	view := object{
		{"id", o.id}, {"parent_id", 0}, {"status", o.status}, {"currency", o.currency}, {"version", o.version},
		{"prices_include_tax", o.pricesIncludeTax},
		{"date_created", s.local(o.created)}, {"date_modified", s.local(o.modified)},
		{"discount_total", money(o.discountTotal)}, {"discount_tax", money(o.discountTax)},
		{"shipping_total", money(o.shippingTotal)}, {"shipping_tax", money(o.shippingTax)},
		{"cart_tax", money(o.cartTax)}, {"total", money(o.total)}, {"total_tax", money(o.totalTax)},
		{"customer_id", o.customer}, {"order_key", o.key},
		{"billing", addressView(o.billing, true)}, {"shipping", addressView(o.shipTo, false)},
		{"payment_method", o.paymentMethod}, {"payment_method_title", o.paymentTitle}, {"transaction_id", o.transactionID},
		{"customer_ip_address", o.ip}, {"customer_user_agent", o.agent}, {"created_via", o.createdVia}, {"customer_note", o.note},
		{"date_completed", s.local(o.completed)}, {"date_paid", s.local(o.paid)}, {"cart_hash", o.cartHash},
		{"number", cmp.Or(o.number, id)}, {"meta_data", metaView(o.meta, false)},
	}
	for _, kind := range []struct{ name, kind string }{
		{"line_items", kindLine}, {"tax_lines", kindTax}, {"shipping_lines", kindShipping}, {"fee_lines", kindFee}, {"coupon_lines", kindCoupon},
	} {
		view = append(view, member{kind.name, c.itemViews(o, kind.kind, dp)})
	}
	view = append(view, object{
		{"refunds", c.refundSummaries(o, dp)},
		{"payment_url", fmt.Sprintf("%s/checkout/order-pay/%d/?pay_for_order=true&key=%s", c.home, o.id, o.key)},
		{"is_editable", slices.Contains([]string{"pending", "on-hold", "auto-draft", "checkout-draft"}, o.status)},
		{"needs_payment", o.needsPayment()}, {"needs_processing", s.needsProcessing(o)},
		{"date_created_gmt", gmt(o.created)}, {"date_modified_gmt", gmt(o.modified)},
		{"date_completed_gmt", gmt(o.completed)}, {"date_paid_gmt", gmt(o.paid)},
		{"currency_symbol", cmp.Or(currencySymbols[o.currency], o.currency)},
	}...)
	view = append(view, o.extra...)
	path := "/orders/" + id
	more := []member{{"email_templates", []any{object{{"embeddable", true}, {"href", c.root() + path + "/actions/email_templates"}}}}}
	if o.customer > 0 {
		more = append(more, link("customer", c.root()+fmt.Sprintf("/customers/%d", o.customer)))
	}
	return append(view, c.links(path, allMethods, more...))
}

func (c *call) itemViews(o *order, kind string, dp int32) []any {
	views := []any{}
	for _, item := range o.of(kind) {
		views = append(views, c.itemView(item, dp))
	}
	return views
}

// itemView shows a line by its kind.
func (c *call) itemView(i *orderItem, dp int32) object {
	money := func(d decimal.Decimal) string { return fixed(d, dp) }
	var view object
	switch i.kind {
	case kindLine:
		sku, image, parent := c.lineProduct(i)
		view = object{
			{"id", i.id}, {"name", i.name}, {"product_id", i.productID}, {"variation_id", i.variationID}, {"quantity", plainNumber(i.quantity)},
			{"tax_class", i.taxClass}, {"subtotal", money(i.subtotal)}, {"subtotal_tax", money(i.subtotalTax)},
			{"total", money(i.total)}, {"total_tax", money(i.totalTax)}, {"taxes", taxViews(i.taxes)},
			{"meta_data", metaView(i.meta, true)}, {"sku", sku}, {"price", perUnit(i.total, i.quantity)}, {"image", image}, {"parent_name", parent},
		}
	case kindTax:
		view = object{
			{"id", i.id}, {"rate_code", i.rate.code()}, {"rate_id", i.rate.ID}, {"label", i.rate.label()}, {"compound", i.rate.Compound},
			{"tax_total", money(i.taxTotal)}, {"shipping_tax_total", money(i.shippingTax)},
			{"rate_percent", plainNumber(i.rate.percent())}, {"meta_data", metaView(i.meta, true)},
		}
		if i.name != "" { // a loaded line keeps the code it came with
			view[1].value = i.name
		}
	case kindShipping:
		view = object{
			{"id", i.id}, {"method_title", i.name}, {"method_id", i.methodID}, {"instance_id", i.instanceID},
			{"total", money(i.total)}, {"total_tax", money(i.totalTax)}, {"taxes", taxViews(i.taxes)}, {"tax_status", i.taxStatus},
			{"meta_data", metaView(i.meta, true)},
		}
	case kindFee:
		view = object{
			{"id", i.id}, {"name", i.name}, {"tax_class", i.taxClass}, {"tax_status", i.taxStatus}, {"amount", i.amount},
			{"total", money(i.total)}, {"total_tax", money(i.totalTax)}, {"taxes", taxViews(i.taxes)}, {"meta_data", metaView(i.meta, true)},
		}
	case kindCoupon:
		view = object{
			// discount is shown as it is kept, whatever dp says (woo/326, case A1).
			{"id", i.id}, {"code", i.name}, {"discount", trimmed(i.discount)}, {"discount_tax", trimmed(i.discountTax)},
			{"meta_data", metaView(i.meta, true)}, {"discount_type", i.discountType},
			{"nominal_amount", plainNumber(amountOf(i.nominal))}, {"free_shipping", i.freeShipping},
		}
	}
	return append(view, i.extra...)
}

// lineProduct is what a line shows of its product as it is now; a product that
// is gone leaves null (woo/414).
func (c *call) lineProduct(i *orderItem) (sku any, image object, parent any) {
	p := c.shop.productOf(i)
	if p == nil {
		image = object{{"id", 0}, {"src", ""}}
		if i.sku != nil {
			return *i.sku, image, nil
		}
		return nil, image, nil
	}
	if holder := c.shop.products[p.parent]; holder != nil {
		parent = holder.name
	}
	return p.sku, c.lineImage(p), parent
}

func taxViews(taxes []itemTax) []any {
	views := []any{}
	for _, t := range taxes {
		subtotal := ""
		if t.hasSubtotal {
			subtotal = trimmed(t.subtotal)
		}
		views = append(views, object{{"id", t.rate}, {"total", trimmed(t.total)}, {"subtotal", subtotal}})
	}
	return views
}

func metaView(entries []metaEntry, display bool) []any {
	views := []any{}
	for _, m := range entries {
		view := object{{"id", m.id}, {"key", m.key}, {"value", m.value}}
		if display {
			key, value := m.displayKey, m.displayValue
			if key == "" {
				key, value = m.key, m.value
			}
			view = append(view, member{"display_key", key}, member{"display_value", value})
		}
		views = append(views, view)
	}
	return views
}

func addressView(address map[string]string, email bool) object {
	view := object{}
	for _, name := range addressFields {
		if name == "email" && !email {
			continue
		}
		view = append(view, member{name, address[name]})
	}
	return view
}

// customerAddressView has the fields in the order customers show them.
func customerAddressView(address map[string]string, email bool) object {
	view := object{}
	for _, name := range strings.Fields("first_name last_name company address_1 address_2 city postcode country state email phone") {
		if name == "email" && !email {
			continue
		}
		view = append(view, member{name, address[name]})
	}
	return view
}
