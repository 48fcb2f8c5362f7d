package sandbox

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox/tax"
)

// taxesField and uomField are the names of two fields of an order line, which
// 19 changed.
func (e *ERP) taxesField() string {
	if e.latest() {
		return "tax_ids"
	}
	return "tax_id"
}

func (e *ERP) uomField() string {
	if e.latest() {
		return "product_uom_id"
	}
	return "product_uom"
}

func (e *ERP) orderLineModel() *model {
	displays := []string{"line_section", "Section", "line_note", "Note"}
	if e.latest() {
		displays = append(displays, "line_subsection", "Subsection")
	}
	ofOrder := func(name string) func(*transaction, *row) any {
		return func(tx *transaction, r *row) any { return tx.record("sale.order", r.ref("order_id")).get(name) }
	}
	qty := digits(e.quantityPrecision())
	m := &model{
		name: "sale.order.line", label: "Sales Order Line", order: "order_id, sequence, id",
		display: func(tx *transaction, r *row) string {
			first := tx.lineTitle(r)
			order := tx.record("sale.order", r.ref("order_id"))
			// The customer's own number goes along (odoo18/264, odoo19/324).
			if customer := tx.record("res.partner", order.ref("partner_id")); customer != nil && customer.text("ref") != "" {
				first += " (" + customer.text("ref") + ")"
			}
			return order.text("name") + " - " + first
		},
		list: []*field{
			declare("order_id", many2one, "Order Reference", to("sale.order"), required, cascade),
			declare("sequence", integer, "Sequence", initial(int64(10))),
			declare("name", text, "Description", required),
			declare("display_type", selection, "Display Type", choices(displays...)),
			declare("product_id", many2one, "Product", to("product.product"), restrict),
			declare("product_template_id", many2one, "Product Template", to("product.template"), computed(func(tx *transaction, r *row) any {
				if product := tx.record("product.product", r.ref("product_id")); product != nil {
					return product.ref("product_tmpl_id")
				}
				return int64(0)
			})),
			declare("product_uom_qty", float, "Quantity", required, qty, initial(decimal.NewFromInt(1))),
			declare(e.uomField(), many2one, e.label("Unit of Measure", "Unit"), to("uom.uom"), restrict),
			declare("price_unit", float, "Unit Price", required, digits(productPrice)),
			declare("technical_price_unit", float, "Technical Price Unit"),
			declare("discount", float, "Discount (%)", digits("Discount")),
			declare(e.taxesField(), many2many, "Taxes", to("account.tax"), withInactive),
			declare("price_subtotal", monetary, "Subtotal", settled),
			declare("price_total", monetary, "Total", settled),
			declare("price_tax", float, "Total Tax",
				computed(func(_ *transaction, r *row) any { return r.amount("price_total").Sub(r.amount("price_subtotal")) }),
				shownAs(func(_ *transaction, r *row) any {
					return binaryDifference(r.amount("price_total"), r.amount("price_subtotal"))
				})),
			declare("customer_lead", float, "Lead Time", required, initial(decimal.Zero)),
			declare("is_delivery", boolean, "Is a Delivery"),
			declare("is_downpayment", boolean, "Is a down payment"),
			declare("qty_delivered", float, "Delivery Quantity", qty, initial(decimal.Zero)),
			declare("move_ids", one2many, "Stock Moves", to("stock.move"), by("sale_line_id")),
			declare("qty_invoiced", float, "Invoiced Quantity", settled),
			declare("qty_to_invoice", float, "Quantity To Invoice", computed(toInvoice)),
			declare("invoice_status", selection, "Invoice Status", computed(lineInvoiceStatus), choices(invoiceStatuses...)),
			declare("state", selection, "Order Status", computed(ofOrder("state")), choices("draft", "Quotation",
				"sent", "Quotation Sent", "sale", "Sales Order", "cancel", "Cancelled")),
			declare("company_id", many2one, "Company", to("res.company"), computed(ofOrder("company_id"))),
			declare("currency_id", many2one, "Currency", to("res.currency"), computed(ofOrder("currency_id"))),
			declare("order_partner_id", many2one, "Customer", to("res.partner"), computed(ofOrder("partner_id"))),
		},
		prepare:  prepareLine,
		guard:    guardLine,
		changed:  lineChanged,
		check:    checkLine,
		removing: removingLine,
	}
	if e.latest() {
		m.list = append(m.list, declare("extra_tax_data", jsonField, "Extra Tax Data"))
	}
	return m
}

// prepareLine fills a new line from its product, except what is given.
func prepareLine(tx *transaction, given, values Values) error {
	order := tx.record("sale.order", number64(values["order_id"]))
	if order == nil {
		return nil
	}
	if values["display_type"] != nil {
		values["product_uom_qty"] = decimal.Zero
		return nil
	}
	_, priced := given["price_unit"]
	if _, ok := given["technical_price_unit"]; priced && !ok {
		// As it was given: on 18 the price itself is rounded, and one that
		// differs from this counts as entered by hand.
		asked, err := toDecimal(given["price_unit"])
		if err != nil {
			return err
		}
		values["technical_price_unit"] = asked
	}
	product := tx.record("product.product", number64(values["product_id"]))
	if product == nil {
		return nil
	}
	for name, value := range tx.fromProduct(order, product, amountOf(values["product_uom_qty"])) {
		if _, ok := given[name]; !ok {
			values[name] = value
		}
	}
	if !priced {
		values["technical_price_unit"] = values["price_unit"]
	}
	return nil
}

// lineTitle is what a line is called in the names of others: the first line of its
// text, since 19 the product where the text does not say more (odoo19/324).
func (tx *transaction) lineTitle(r *row) string {
	lines := strings.Split(r.text("name"), "\n")
	product := tx.record("product.product", r.ref("product_id"))
	if !tx.erp.latest() || product == nil {
		return lines[0]
	}
	if name := tx.displayName(tx.must("product.product"), product); len(lines) < 2 || lines[1] == "" || lines[0] != name ||
		strings.Join(lines[1:], "\n") == tx.template(product).text("description_sale") {
		return name
	}
	return lines[1]
}

// fromProduct are the values of a line that follow from its product.
func (tx *transaction) fromProduct(order, product *row, quantity decimal.Decimal) Values {
	template := tx.template(product)
	name := tx.displayName(tx.must("product.product"), product)
	if description := template.text("description_sale"); description != "" {
		name += "\n" + description
	}
	return Values{
		"name":              name,
		tx.erp.uomField():   template.ref("uom_id"),
		tx.erp.taxesField(): tx.mapTaxes(order.ref("fiscal_position_id"), template.refs("taxes_id")),
		"price_unit":        tx.productPrice(order, product, quantity),
	}
}

// productPrice is the product's sale price in the order's currency, turned to
// the taxes of its fiscal position.
func (tx *transaction) productPrice(order, product *row, quantity decimal.Decimal) decimal.Decimal {
	template := tx.template(product)
	price := template.amount("list_price").Add(tx.priceExtra(product)).Mul(tx.conversion(order.ref("currency_id")))
	price = tx.ruledPrice(order.ref("pricelist_id"), product, price, quantity)
	own := template.refs("taxes_id")
	if position := order.ref("fiscal_position_id"); position != 0 && len(own) > 0 {
		price = tx.engine(order.ref("currency_id")).AdaptPrice(price, tx.taxes(own), tx.taxes(tx.mapTaxes(position, own)))
	}
	return tx.rounded(tx.must("sale.order.line").fields["price_unit"], price)
}

// guardLine keeps locked orders and delivered quantities (odoo18/417, 418, 423).
func guardLine(tx *transaction, rows []*row, values Values) error {
	m := tx.must("sale.order.line")
	for _, r := range rows {
		if display, ok := values["display_type"]; ok && display != r.get("display_type") {
			return userError("You cannot change the type of a sale order line. Instead you should delete the current line and create a new line of the proper type.")
		}
		order := tx.record("sale.order", r.ref("order_id"))
		if qty, ok := values["product_uom_qty"].(decimal.Decimal); ok && order.text("state") == "sale" &&
			qty.LessThan(r.amount("product_uom_qty")) && qty.LessThan(r.amount("qty_delivered")) {
			return userError("The ordered quantity of a sale order line cannot be decreased below the amount already delivered. Instead, create a return in your inventory.")
		}
		if !order.flag("locked") {
			continue
		}
		var labels []string
		for _, name := range []string{"product_id", "name", "price_unit", tx.erp.uomField(), "product_uom_qty", tx.erp.taxesField()} {
			if _, ok := values[name]; ok {
				labels = append(labels, m.fields[name].label)
			}
		}
		if len(labels) > 0 {
			return userError("It is forbidden to modify the following fields in a locked order:\n%s", strings.Join(labels, "\n"))
		}
	}
	if _, ok := values["technical_price_unit"]; ok && tx.erp.latest() {
		if _, ok := values["price_unit"]; !ok {
			delete(values, "technical_price_unit")
		}
	}
	return nil
}

// lineChanged takes what follows from a new product or quantity. The price is
// taken anew as well, unless it was given or entered by hand: so a price set at
// creation is lost when the quantity is written later (odoo18/239 to 245).
func lineChanged(tx *transaction, ids []int64, given Values, created bool) error {
	m := tx.must("sale.order.line")
	has := func(name string) bool { _, ok := given[name]; return ok }
	for _, id := range ids {
		r := tx.row(m, id)
		tx.stale[r.ref("order_id")] = true
		if created || has("product_uom_qty") {
			if err := tx.procure(tx.record("sale.order", r.ref("order_id"))); err != nil {
				return err
			}
		}
		if created {
			continue
		}
		product := tx.record("product.product", r.ref("product_id"))
		order := tx.record("sale.order", r.ref("order_id"))
		if product == nil || r.text("display_type") != "" {
			continue
		}
		values := Values{}
		derived := tx.fromProduct(order, product, r.amount("product_uom_qty"))
		if has("product_id") {
			for _, name := range []string{"name", tx.erp.uomField(), tx.erp.taxesField()} {
				if !has(name) {
					values[name] = derived[name]
				}
			}
		}
		moved := has("product_id") || has("product_uom_qty") || has(tx.erp.uomField())
		if moved && !has("price_unit") && !tx.pricedByHand(order, r) {
			values["price_unit"], values["technical_price_unit"] = derived["price_unit"], derived["price_unit"]
		}
		tx.settle(m, id, values)
	}
	return nil
}

// pricedByHand: 18 compares the two prices as they are, 19 rounded to the
// currency.
func (tx *transaction) pricedByHand(order, line *row) bool {
	technical, price := line.amount("technical_price_unit"), line.amount("price_unit")
	if tx.erp.latest() {
		unit := tx.engine(order.ref("currency_id")).Rounding
		technical, price = tax.Round(technical, unit), tax.Round(price, unit)
	}
	return !technical.Equal(price) || line.amount("qty_invoiced").IsPositive()
}

// checkLine: a line of text sells nothing. The other way round Odoo means to
// forbid a line without a product, too, but its constraint never does: it is
// confirming that fails.
func checkLine(_ *transaction, rows []*row) error {
	for _, r := range rows {
		if r.text("display_type") != "" && (r.ref("product_id") != 0 || !r.amount("price_unit").IsZero()) {
			return notPossible("Forbidden values on non-accountable sale order line")
		}
	}
	return nil
}

// removingLine: lines of a confirmed order stay (odoo18/422).
func removingLine(tx *transaction, rows []*row) error {
	for _, r := range rows {
		order := tx.record("sale.order", r.ref("order_id"))
		if order == nil {
			continue
		}
		if order.text("state") == "sale" && r.text("display_type") == "" && !r.flag("is_downpayment") {
			return userError("Once a sales order is confirmed, you can't remove one of its lines (we need to track if something gets invoiced or delivered).\n                Set the quantity to 0 instead.")
		}
		tx.stale[order.id] = true
	}
	return nil
}

// toInvoice is what a confirmed line still has to be invoiced for, by the
// product's policy.
func toInvoice(tx *transaction, r *row) any {
	order := tx.record("sale.order", r.ref("order_id"))
	product := tx.record("product.product", r.ref("product_id"))
	if order.text("state") != "sale" || product == nil || r.text("display_type") != "" {
		return decimal.Zero
	}
	qty := r.amount("product_uom_qty")
	if tx.template(product).text("invoice_policy") == "delivery" {
		qty = r.amount("qty_delivered")
	}
	return qty.Sub(r.amount("qty_invoiced"))
}

func lineInvoiceStatus(tx *transaction, r *row) any {
	left, _ := toInvoice(tx, r).(decimal.Decimal)
	switch {
	case tx.record("sale.order", r.ref("order_id")).text("state") != "sale":
		return "no"
	case !left.IsZero():
		return "to invoice"
	case r.amount("qty_invoiced").GreaterThanOrEqual(r.amount("product_uom_qty")):
		return "invoiced"
	}
	return "no"
}

func orderInvoiceStatus(tx *transaction, r *row) any {
	if r.text("state") != "sale" {
		return "no"
	}
	var seen []string
	for _, line := range tx.orderLines(r.id) {
		if line.text("display_type") == "" {
			status, _ := lineInvoiceStatus(tx, line).(string)
			seen = append(seen, status)
		}
	}
	switch {
	case slices.Contains(seen, "to invoice"):
		return "to invoice"
	case len(seen) > 0 && !slices.Contains(seen, "no"):
		return "invoiced"
	}
	return "no"
}

func amountOf(value any) decimal.Decimal {
	d, _ := value.(decimal.Decimal)
	return d
}
