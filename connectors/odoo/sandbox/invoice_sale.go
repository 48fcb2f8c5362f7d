package sandbox

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// orderInvoiceFields are those of an order that its invoices fill.
func orderInvoiceFields() []*field {
	return []*field{
		declare("invoice_ids", many2many, "Invoices", to("account.move"), computed(func(tx *transaction, r *row) any {
			return tx.orderInvoices(r.id)
		})),
	}
}

// orderInvoices lists the invoices and credit notes with lines of an order.
func (tx *transaction) orderInvoices(order int64) []int64 {
	ids := []int64{}
	sold := idsOf(tx.orderLines(order))
	for _, r := range tx.where(tx.must("account.move.line"), func(r *row) bool {
		return slices.ContainsFunc(r.refs("sale_line_ids"), func(id int64) bool { return slices.Contains(sold, id) })
	}) {
		if move := r.ref("move_id"); !slices.Contains(ids, move) {
			ids = append(ids, move)
		}
	}
	slices.Sort(ids)
	return ids
}

// settleInvoiced counts what was invoiced for the order lines of an invoice,
// less what was credited.
func (tx *transaction) settleInvoiced(move int64) {
	m := tx.must("account.move.line")
	for _, line := range tx.invoiceLines(move) {
		for _, sold := range line.refs("sale_line_ids") {
			tx.settleInvoicedLine(m, sold)
		}
	}
}

func (tx *transaction) settleInvoicedLine(m *model, sold int64) {
	total := decimal.Zero
	for _, r := range tx.where(m, func(r *row) bool { return slices.Contains(r.refs("sale_line_ids"), sold) }) {
		move := tx.record("account.move", r.ref("move_id"))
		switch {
		case move.text("state") == "cancel":
		case move.text("move_type") == "out_refund":
			total = total.Sub(r.amount("quantity"))
		default:
			total = total.Add(r.amount("quantity"))
		}
	}
	if tx.record("sale.order.line", sold) != nil {
		tx.settle(tx.must("sale.order.line"), sold, Values{"qty_invoiced": total})
	}
}

// nothingToInvoice is what Odoo says about an order that is invoiced already, or
// not delivered yet (odoo18/333).
const nothingToInvoice = "Cannot create an invoice. No items are available to invoice.\n\n" +
	"To resolve this issue, please ensure that:\n" +
	"   \u2022 The products have been delivered before attempting to invoice them.\n" +
	"   \u2022 The invoicing policy of the product is configured correctly.\n\n" +
	"If you want to invoice based on ordered quantities instead:\n" +
	"   \u2022 For consumable or storable products, open the product, go to the 'General Information' tab and change " +
	"the 'Invoicing Policy' from 'Delivered Quantities' to 'Ordered Quantities'.\n" +
	"   \u2022 For services (and other products), change the 'Invoicing Policy' to 'Prepaid/Fixed Price'.\n"

// createInvoices is the button of sale.advance.payment.inv (odoo18/326).
func createInvoices(tx *transaction, ids []int64, _ arguments) (any, error) {
	rows, err := tx.existing(tx.must("sale.advance.payment.inv"), ids)
	if err != nil {
		return nil, err
	}
	var made []int64
	for _, r := range rows {
		if r.text("advance_payment_method") != "delivered" {
			return nil, fault("builtins.NotImplementedError", "the simulated server makes no down payments")
		}
		orders := r.refs("sale_order_ids")
		if active, ok := asIDs(tx.context["active_ids"]); ok && tx.context["active_model"] == "sale.order" {
			orders = active
		}
		groups := map[[2]int64]int64{} // customer and currency, invoice
		for _, id := range orders {
			order := tx.record("sale.order", id)
			if order == nil {
				return nil, tx.missing(tx.must("sale.order"), id)
			}
			invoice, err := tx.invoiceOrder(order, groups)
			if err != nil {
				return nil, err
			}
			if invoice != 0 && !slices.Contains(made, invoice) {
				made = append(made, invoice)
			}
		}
	}
	if len(made) == 0 {
		return nil, userError("%s", nothingToInvoice)
	}
	action := map[string]any{
		"name": "Invoices", "type": "ir.actions.act_window", "res_model": "account.move", "view_mode": "form",
		"xml_id": "account.action_move_out_invoice_type", "context": map[string]any{"default_move_type": "out_invoice"},
	}
	if len(made) == 1 {
		action["res_id"] = made[0]
	}
	return action, nil
}

// invoiceOrder adds an order to the invoice of its customer; 0 when there is
// nothing to invoice.
func (tx *transaction) invoiceOrder(order *row, groups map[[2]int64]int64) (int64, error) {
	var lines []*row
	anything := false
	for _, line := range tx.orderLines(order.id) {
		quantity, _ := toInvoice(tx, line).(decimal.Decimal)
		if line.text("display_type") != "" || !quantity.IsZero() {
			lines = append(lines, line)
			anything = anything || !quantity.IsZero()
		}
	}
	if !anything {
		return 0, nil
	}
	key := [2]int64{order.ref("partner_invoice_id"), order.ref("currency_id")}
	if groups[key] == 0 {
		m := tx.must("account.move")
		id, err := tx.create(m, Values{
			"move_type": "out_invoice", "partner_id": order.ref("partner_invoice_id"), "partner_shipping_id": order.ref("partner_shipping_id"),
			"invoice_origin": order.text("name"), "ref": order.text("client_order_ref"), "currency_id": order.ref("currency_id"),
			"journal_id": tx.firstJournal("sale"), "fiscal_position_id": order.ref("fiscal_position_id"), "invoice_user_id": order.ref("user_id"),
		})
		if err != nil {
			return 0, err
		}
		groups[key] = id
	} else {
		move := tx.record("account.move", groups[key])
		tx.update(tx.must("account.move"), move.id, Values{
			"invoice_origin": joinNonEmpty(", ", move.text("invoice_origin"), order.text("name")),
			"ref":            joinNonEmpty(", ", move.text("ref"), order.text("client_order_ref")),
		})
	}
	for _, line := range lines {
		if err := tx.invoiceOrderLine(groups[key], line); err != nil {
			return 0, err
		}
	}
	tx.settleInvoice(groups[key])
	tx.settleInvoiced(groups[key])
	return groups[key], nil
}

func (tx *transaction) invoiceOrderLine(move int64, line *row) error {
	values := Values{
		"move_id": move, "name": tx.invoicedName(line), "sale_line_ids": []int64{line.id},
		"sequence": line.get("sequence"), "currency_id": tx.record("account.move", move).ref("currency_id"),
	}
	if display := line.text("display_type"); display != "" {
		values["display_type"] = display
		_, err := tx.create(tx.must("account.move.line"), values)
		return err
	}
	quantity, _ := toInvoice(tx, line).(decimal.Decimal)
	values = plus(values, Values{
		"product_id": line.ref("product_id"), "product_uom_id": line.ref(tx.erp.uomField()), "quantity": quantity,
		"price_unit": line.amount("price_unit"), "discount": line.amount("discount"),
		"tax_ids": line.refs(tx.erp.taxesField()), "account_id": tx.account("400000"),
	})
	if tx.erp.latest() {
		values["extra_tax_data"] = line.get("extra_tax_data")
	}
	_, err := tx.create(tx.must("account.move.line"), values)
	return err
}

// invoicedName is the order line's text with the product's name before it,
// unless it names it already.
func (tx *transaction) invoicedName(line *row) string {
	product := tx.record("product.product", line.ref("product_id"))
	if product == nil {
		return line.text("name")
	}
	name := tx.displayName(tx.must("product.product"), product)
	if text := line.text("name"); !strings.Contains(text, name) {
		separator := " "
		if tx.erp.latest() {
			separator = "\n"
		}
		return name + separator + text
	}
	return line.text("name")
}

func (tx *transaction) firstJournal(kind string) int64 {
	for _, r := range tx.all(tx.must("account.journal")) {
		if r.text("type") == kind {
			return r.id
		}
	}
	return 0
}

// invoiceChanged marks an invoice whose lines may have changed; a new one gets
// the number that a first draft has before 19.
func invoiceChanged(tx *transaction, ids []int64, _ Values, created bool) error {
	for _, id := range ids {
		tx.staleInvoices[id] = true
		if !created {
			continue
		}
		move := tx.record("account.move", id)
		if name := tx.invoiceNumber(move, true); name != "" && move.text("name") == "" && move.text("move_type") != "entry" {
			tx.update(tx.must("account.move"), id, Values{"name": name, drafted: true})
		}
	}
	return nil
}
