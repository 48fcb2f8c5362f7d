package sandbox

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

func (e *ERP) orderModel() *model {
	m := &model{
		name: "sale.order", label: "Sales Order", order: "date_order desc, id desc",
		list: []*field{
			declare("partner_id", many2one, "Customer", to("res.partner"), required),
			declare("name", char, "Order Reference", required),
			declare("state", selection, "Status", initial("draft"), choices("draft", "Quotation",
				"sent", "Quotation Sent", "sale", "Sales Order", "cancel", "Cancelled")),
			declare("locked", boolean, "Locked"),
			declare("partner_invoice_id", many2one, "Invoice Address", to("res.partner"), required),
			declare("partner_shipping_id", many2one, "Delivery Address", to("res.partner"), required),
			declare("client_order_ref", char, "Customer Reference"),
			declare("origin", char, "Source Document"),
			declare("reference", char, "Payment Ref."),
			declare("date_order", datetime, "Order Date", required, initially(func(tx *transaction) any { return tx.now })),
			declare("commitment_date", datetime, "Delivery Date"),
			declare("validity_date", date, "Expiration", initially(func(tx *transaction) any {
				days := number64(tx.company().get("quotation_validity_days"))
				if days <= 0 {
					return nil
				}
				return tx.now.AddDate(0, 0, int(days)).Format("2006-01-02")
			})),
			declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			declare("pricelist_id", many2one, "Pricelist", to("product.pricelist")),
			declare("currency_id", many2one, "Currency", to("res.currency"), settled),
			declare("currency_rate", float, "Currency Rate", settled),
			declare("fiscal_position_id", many2one, "Fiscal Position", to("account.fiscal.position")),
			declare("payment_term_id", many2one, "Payment Terms", to("account.payment.term")),
			declare("user_id", many2one, "Salesperson", to("res.users")),
			declare("team_id", many2one, "Sales Team", to("crm.team"), initial(int64(1))),
			declare("warehouse_id", many2one, "Warehouse", to("stock.warehouse"), initially(firstWarehouse)),
			declare("carrier_id", many2one, "Delivery Method", to("delivery.carrier")),
			declare("note", html, "Terms and conditions"),
			declare("order_line", one2many, "Order Lines", to("sale.order.line"), by("order_id")),
			declare("amount_untaxed", monetary, "Untaxed Amount", settled),
			declare("amount_tax", monetary, "Taxes", settled),
			declare("amount_total", monetary, "Total", settled),
			declare("create_date", datetime, "Creation Date", settled),
			declare("invoice_status", selection, "Invoice Status", computed(orderInvoiceStatus), choices(invoiceStatuses...)),
		},
		prepare:  prepareOrder,
		guard:    guardOrder,
		changed:  orderChanged,
		removing: removingOrder,
		methods: map[string]method{
			"action_confirm":        confirmOrders,
			"action_cancel":         cancelOrders,
			"action_draft":          redraftOrders,
			"action_lock":           lockOrders(true),
			"action_unlock":         lockOrders(false),
			"action_quotation_sent": markSent,
		},
	}
	m.list = append(append(m.list, e.orderStockFields()...), orderInvoiceFields()...)
	return m
}

var invoiceStatuses = []string{
	"upselling", "Upselling Opportunity", "invoiced", "Fully Invoiced", "to invoice", "To Invoice", "no", "Nothing to Invoice",
}

func firstWarehouse(tx *transaction) any {
	rows, err := tx.find(tx.must("stock.warehouse"), nil, query{limit: 1})
	if err != nil || len(rows) == 0 {
		return int64(0)
	}
	return rows[0].id
}

// prepareOrder fills what a new order takes from its customer.
func prepareOrder(tx *transaction, _, values Values) error {
	if values["name"] == nil || values["name"] == "New" {
		values["name"] = fmt.Sprintf("S%05d", tx.number("sale.order"))
	}
	partner := tx.record("res.partner", number64(values["partner_id"]))
	if partner == nil {
		return nil // the missing customer is reported with the other required fields
	}
	tx.takeFromPartner(partner, values, func(name string) bool { _, given := values[name]; return given })
	tx.takeCurrency(values)
	if _, given := values["user_id"]; !given {
		values["user_id"] = partner.ref("user_id")
		if partner.ref("user_id") == 0 {
			values["user_id"] = tx.uid
		}
	}
	return nil
}

// takeFromPartner sets what follows from the customer, except what is given.
func (tx *transaction) takeFromPartner(partner *row, values Values, given func(string) bool) {
	set := func(name string, value any) {
		if !given(name) {
			values[name] = value
		}
	}
	addresses := tx.addresses(partner.id, "invoice", "delivery")
	set("partner_invoice_id", addresses["invoice"])
	set("partner_shipping_id", addresses["delivery"])
	m := tx.must("res.partner")
	set("pricelist_id", tx.value(m, m.fields["property_product_pricelist"], partner))
	set("payment_term_id", partner.ref("property_payment_term_id"))
	delivery := tx.record("res.partner", number64(values["partner_shipping_id"]))
	set("fiscal_position_id", tx.fiscalPosition(partner, delivery))
}

// takeCurrency sets the currency, which comes from the pricelist alone.
func (tx *transaction) takeCurrency(values Values) {
	currency := tx.company().ref("currency_id")
	if pricelist := tx.record("product.pricelist", number64(values["pricelist_id"])); pricelist != nil {
		currency = pricelist.ref("currency_id")
	}
	values["currency_id"] = currency
	values["currency_rate"] = tx.conversion(currency)
}

// conversion is how many of a currency one of the company's is worth today.
func (tx *transaction) conversion(currency int64) decimal.Decimal {
	own := tx.rate(tx.company().ref("currency_id"), tx.today())
	if own.IsZero() {
		return decimal.Zero
	}
	return tx.rate(currency, tx.today()).DivRound(own, 16)
}

func guardOrder(_ *transaction, rows []*row, values Values) error {
	if _, ok := values["pricelist_id"]; ok {
		for _, r := range rows {
			if r.text("state") == "sale" {
				return userError("You cannot change the pricelist of a confirmed order !")
			}
		}
	}
	return nil
}

// orderChanged follows a change of customer, address or pricelist.
func orderChanged(tx *transaction, ids []int64, given Values, created bool) error {
	m := tx.must("sale.order")
	has := func(name string) bool { _, ok := given[name]; return ok }
	for _, id := range ids {
		tx.stale[id] = true
		if created {
			continue
		}
		r := tx.row(m, id)
		partner := tx.record("res.partner", r.ref("partner_id"))
		values := Values{}
		if has("partner_id") {
			for _, name := range []string{"partner_shipping_id", "pricelist_id"} {
				values[name] = r.get(name)
			}
			tx.takeFromPartner(partner, values, func(name string) bool {
				return has(name) || name == "pricelist_id" && r.text("state") != "draft"
			})
		} else if has("partner_shipping_id") && !has("fiscal_position_id") {
			values["fiscal_position_id"] = tx.fiscalPosition(partner, tx.record("res.partner", r.ref("partner_shipping_id")))
		}
		if has("partner_id") || has("pricelist_id") {
			if _, ok := values["pricelist_id"]; !ok {
				values["pricelist_id"] = r.get("pricelist_id")
			}
			tx.takeCurrency(values)
		}
		tx.settle(m, id, values)
	}
	return nil
}

// removingOrder: only quotations and cancelled orders go (odoo18/426).
func removingOrder(tx *transaction, rows []*row) error {
	for _, r := range rows {
		if state := r.text("state"); state != "draft" && state != "cancel" {
			return userError("You can not delete a sent quotation or a confirmed sales order. You must first cancel it.")
		}
		delete(tx.stale, r.id)
	}
	return nil
}

// confirmOrders confirms, which replaces the order's date (odoo18/258 to 260).
func confirmOrders(tx *transaction, ids []int64, _ arguments) (any, error) {
	m := tx.must("sale.order")
	rows, err := tx.existing(m, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if state := r.text("state"); state != "draft" && state != "sent" {
			return nil, userError("Some orders are not in a state requiring confirmation.")
		}
		for _, line := range tx.orderLines(r.id) {
			if line.text("display_type") == "" && !line.flag("is_downpayment") && line.ref("product_id") == 0 {
				return nil, userError("A line on these orders missing a product, you cannot confirm it.")
			}
		}
	}
	if err := tx.write(m, ids, Values{"state": "sale", "date_order": tx.now}); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := tx.procure(tx.row(m, id)); err != nil {
			return nil, err
		}
	}
	return true, nil
}

// cancelOrders cancels. On 18 an order that is no quotation is not cancelled: a
// wizard is offered instead, unless the context forbids it (odoo18/405 to 410);
// 19 cancels at once (odoo19/427).
func cancelOrders(tx *transaction, ids []int64, _ arguments) (any, error) {
	m := tx.must("sale.order")
	rows, err := tx.existing(m, ids)
	if err != nil {
		return nil, err
	}
	asks := false
	for _, r := range rows {
		if r.flag("locked") {
			return nil, userError("You cannot cancel a locked order. Please unlock it first.")
		}
		asks = asks || r.text("state") != "draft"
	}
	if asks && !tx.erp.latest() && !tx.flag("disable_cancel_warning") {
		if len(rows) != 1 {
			return nil, valueError("Expected singleton: sale.order%s", python(toAny(ids)))
		}
		return map[string]any{
			"name": "Cancel Sales Order", "type": "ir.actions.act_window", "view_mode": "form",
			"res_model": "sale.order.cancel", "target": "new",
			"context": map[string]any{"default_order_id": ids[0], "mark_so_as_canceled": true},
		}, nil
	}
	for _, id := range ids {
		if err := tx.cancelDeliveries(id); err != nil {
			return nil, err
		}
	}
	return true, tx.write(m, ids, Values{"state": "cancel"})
}

func toAny(ids []int64) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

// redraftOrders makes cancelled and sent orders quotations again.
func redraftOrders(tx *transaction, ids []int64, _ arguments) (any, error) {
	m := tx.must("sale.order")
	rows, err := tx.existing(m, ids)
	if err != nil {
		return nil, err
	}
	var back []int64
	for _, r := range rows {
		if slices.Contains([]string{"cancel", "sent"}, r.text("state")) {
			back = append(back, r.id)
		}
	}
	return true, tx.write(m, back, Values{"state": "draft"})
}

func markSent(tx *transaction, ids []int64, _ arguments) (any, error) {
	m := tx.must("sale.order")
	rows, err := tx.existing(m, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.text("state") != "draft" {
			return nil, userError("Only draft orders can be marked as sent directly.")
		}
	}
	return nil, tx.write(m, ids, Values{"state": "sent"})
}

// lockOrders returns nothing, as Odoo does (odoo18/415).
func lockOrders(locked bool) method {
	return func(tx *transaction, ids []int64, _ arguments) (any, error) {
		return nil, tx.write(tx.must("sale.order"), ids, Values{"locked": locked})
	}
}

// orderLines are an order's lines in their order.
func (tx *transaction) orderLines(order int64) []*row {
	m := tx.must("sale.order.line")
	var rows []*row
	for _, id := range tx.pointingTo(tx.must("sale.order").fields["order_line"], order) {
		rows = append(rows, tx.row(m, id))
	}
	return rows
}
