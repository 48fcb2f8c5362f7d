package sandbox

import (
	"net/http"
	"slices"

	"github.com/shopspring/decimal"
)

// writeOrder puts the fields of a request onto an order and works out its sums
// where a line, an address or a coupon changed.
func (c *call) writeOrder(o *order, creating bool) *apiError {
	s := c.shop
	if refused := c.checkCustomer(); refused != nil {
		return refused
	}
	for name, into := range map[string]*string{
		"payment_method": &o.paymentMethod, "payment_method_title": &o.paymentTitle, "transaction_id": &o.transactionID,
		"customer_note": &o.note, "currency": &o.currency,
	} {
		if text, given := c.text(name); given {
			*into = text
		}
	}
	if value, given := c.body["customer_id"]; given {
		o.customer = asInt(value)
		if owner := s.customers[o.customer]; creating && owner != nil {
			o.billing["email"] = owner.email // only the address is filled in (woo/303)
		}
	}
	mergeAddress(o.billing, c.body["billing"])
	mergeAddress(o.shipTo, c.body["shipping"])
	for _, list := range []struct{ name, kind string }{{"line_items", kindLine}, {"shipping_lines", kindShipping}, {"fee_lines", kindFee}} {
		for _, entry := range asArray(c.body[list.name]) {
			if refused := c.writeItem(o, list.kind, asRecord(entry)); refused != nil {
				return refused
			}
		}
	}
	o.meta = s.writeMeta(o.meta, c.body["meta_data"])
	recount := creating
	for _, name := range []string{"billing", "shipping", "line_items", "shipping_lines", "fee_lines", "coupon_lines"} {
		_, given := c.body[name]
		recount = recount || given
	}
	if recount {
		s.recalculate(o)
	}
	return nil
}

func (c *call) checkCustomer() *apiError {
	id := asInt(c.body["customer_id"])
	if id != 0 && c.shop.customers[id] == nil {
		return refuse(http.StatusBadRequest, "woocommerce_rest_invalid_customer_id", "Customer ID is invalid.")
	}
	return nil
}

// writeCoupons replaces the coupons, after the order is saved.
func (c *call) writeCoupons(o *order) *apiError {
	if _, given := c.body["coupon_lines"]; !given {
		return nil
	}
	var codes []string
	for _, entry := range asArray(c.body["coupon_lines"]) {
		line := asRecord(entry)
		if asInt(line["id"]) != 0 {
			return refuse(http.StatusBadRequest, "woocommerce_rest_coupon_item_id_readonly", "Coupon item ID is readonly.")
		}
		code := asText(line["code"])
		if code == "" {
			return refuse(http.StatusBadRequest, "woocommerce_rest_invalid_coupon", "Coupon code is required.")
		}
		codes = append(codes, code)
	}
	return c.shop.setCoupons(o, codes)
}

// writeItem adds, changes or removes a line. Quantity 0 and a product_id,
// method_id or name of null remove it (woo/338, 339).
func (c *call) writeItem(o *order, kind string, r map[string]any) *apiError {
	s := c.shop
	id := asInt(r["id"])
	removed := false
	for _, name := range []string{"product_id", "method_id", "method_title", "name", "code"} {
		if value, given := r[name]; given && value == nil {
			removed = true
		}
	}
	quantity, hasQuantity := r["quantity"]
	amount, _ := numeric(quantity)
	if hasQuantity && amount.IsZero() {
		if id == 0 {
			return fatal("WC_REST_Orders_Controller::remove_item(): Argument #3 ($item_id) must be of type int, null given") // woo/322
		}
		removed = true
	}
	var item *orderItem
	if id != 0 {
		if item = o.item(id); item == nil || item.kind != kind {
			return refuse(http.StatusBadRequest, "woocommerce_rest_invalid_item_id", "Order item ID provided is not associated with order.")
		}
	}
	if removed {
		if kind == kindLine {
			s.adjustLine(o, item, zero)
		}
		o.drop(id)
		return nil
	}
	switch kind {
	case kindLine:
		return c.writeLine(o, item, r, amount, hasQuantity)
	case kindShipping:
		if item == nil {
			item = s.addItem(o, &orderItem{kind: kind, taxStatus: "taxable"})
		}
		put(&item.name, r, "method_title")
		put(&item.methodID, r, "method_id")
		put(&item.instanceID, r, "instance_id")
	case kindFee:
		if item == nil {
			item = s.addItem(o, &orderItem{kind: kind, taxStatus: "taxable"})
		}
		put(&item.name, r, "name")
		put(&item.taxClass, r, "tax_class")
		put(&item.taxStatus, r, "tax_status")
	}
	if total, given := r["total"]; given {
		item.total = amountOf(asText(total))
	}
	item.meta = s.writeMeta(item.meta, r["meta_data"])
	return nil
}

func put(into *string, r map[string]any, name string) {
	if value, given := r[name]; given {
		*into = asText(value)
	}
}

// writeLine writes a product line. A changed quantity leaves the totals as they
// are (woo/337); price is read-only (woo/308).
func (c *call) writeLine(o *order, item *orderItem, r map[string]any, quantity decimal.Decimal, hasQuantity bool) *apiError {
	s := c.shop
	if item == nil {
		p, refused := c.productForLine(r)
		if refused != nil {
			return refused
		}
		if !hasQuantity {
			quantity = decimal.NewFromInt(1)
		}
		if p == nil { // an unknown product makes an empty line (woo/312)
			item = &orderItem{kind: kindLine, quantity: quantity, taxStatus: "taxable", productID: 0}
		} else {
			item = s.productItem(p, quantity)
			item.subtotal = stored(s.netPrice(p, quantity))
			item.total = item.subtotal
		}
		item = s.addItem(o, item)
		s.adjustLine(o, item, quantity)
	} else if hasQuantity {
		s.adjustLine(o, item, quantity)
		item.quantity = quantity
	}
	put(&item.name, r, "name")
	put(&item.taxClass, r, "tax_class")
	if value, given := r["subtotal"]; given {
		item.subtotal = amountOf(asText(value))
	}
	if value, given := r["total"]; given {
		item.total = amountOf(asText(value))
		if item.subtotal.LessThan(item.total) { // a subtotal is never below the total
			item.subtotal = item.total
		}
	}
	item.meta = s.writeMeta(item.meta, r["meta_data"])
	return nil
}

// productForLine finds the product a line names by id, variation or SKU.
func (c *call) productForLine(r map[string]any) (*product, *apiError) {
	s := c.shop
	if sku := asText(r["sku"]); sku != "" {
		return s.bySKU(sku), nil
	}
	for _, name := range []string{"variation_id", "product_id"} {
		if id := asInt(r[name]); id != 0 {
			return s.products[id], nil
		}
	}
	return nil, refuse(http.StatusBadRequest, "woocommerce_rest_required_product_reference", "Product ID or SKU is required.")
}

// netPrice is a product's price for a quantity, without tax.
func (s *Shop) netPrice(p *product, quantity decimal.Decimal) decimal.Decimal {
	price := amountOf(p.price()).Mul(quantity)
	if !s.settings.PricesIncludeTax || p.taxStatus != "taxable" {
		return price
	}
	return price.Sub(taxOn(price, s.ratesFor(s.taxClassOf(p), s.base()), true).sum())
}

func mergeAddress(address map[string]string, raw any) {
	for name, value := range asRecord(raw) {
		if slices.Contains(addressFields, name) {
			address[name] = asText(value)
		}
	}
}

// writeMeta writes fields of plugins: by id or key, null removes (woo/130, 131).
func (s *Shop) writeMeta(entries []metaEntry, raw any) []metaEntry {
	for _, entry := range asArray(raw) {
		m := asRecord(entry)
		id, key, value := asInt(m["id"]), asText(m["key"]), m["value"]
		i := slices.IndexFunc(entries, func(e metaEntry) bool { return id != 0 && e.id == id || id == 0 && e.key == key })
		switch {
		case i >= 0 && value == nil:
			entries = slices.Delete(entries, i, i+1)
		case i >= 0:
			entries[i].value = value
			if key != "" {
				entries[i].key = key
			}
		case value != nil && key != "":
			entries = append(entries, s.newMeta(key, value))
		}
	}
	return entries
}
