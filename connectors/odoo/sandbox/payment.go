package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"
)

func (e *ERP) paymentModel() *model {
	return &model{
		name: "account.payment", label: "Payments", order: "date desc, name desc",
		list: []*field{
			declare("name", char, "Number"),
			declare("state", selection, "State", required, initial("draft"), choices("draft", "Draft", "in_process", "In Process",
				"paid", "Paid", "canceled", "Canceled", "rejected", "Rejected")),
			declare("amount", monetary, "Amount"),
			declare("date", date, "Date", required, initially(func(tx *transaction) any { return tx.today() })),
			declare("payment_type", selection, "Payment Type", required, initial("inbound"), choices("outbound", "Send", "inbound", "Receive")),
			declare("partner_type", selection, "Partner Type", required, initial("customer"), choices("customer", "Customer", "supplier", "Vendor")),
			declare("partner_id", many2one, "Customer/Vendor", to("res.partner")),
			declare("journal_id", many2one, "Journal", to("account.journal"), required),
			declare("payment_method_line_id", many2one, "Payment Method", to("account.payment.method.line")),
			declare("memo", char, "Memo"),
			declare("payment_reference", char, "Payment Reference"),
			declare("move_id", many2one, "Journal Entry", to("account.move")),
			declare("currency_id", many2one, "Currency", to("res.currency"), initially(func(tx *transaction) any {
				return tx.company().ref("currency_id")
			})),
			declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			declare("is_reconciled", boolean, "Is Reconciled", computed(func(_ *transaction, r *row) any { return len(r.refs("invoice_ids")) > 0 })),
			declare("is_matched", boolean, "Is Matched With a Bank Statement"),
			declare("invoice_ids", many2many, "Invoices", to("account.move")),
			declare("reconciled_invoice_ids", many2many, "Reconciled Invoices", to("account.move"), computed(func(_ *transaction, r *row) any {
				return r.refs("invoice_ids")
			})),
			declare("outstanding_account_id", many2one, "Outstanding Account", to("account.account")),
			declare("payment_transaction_id", many2one, "Payment Transaction", to("payment.transaction")),
		},
	}
}

func (e *ERP) invoiceWizards() []*model {
	return []*model{
		{
			name: "sale.advance.payment.inv", label: "Sales Advance Payment Invoice",
			list: []*field{
				declare("advance_payment_method", selection, "Create Invoice", required, initial("delivered"), choices("delivered", "Regular invoice",
					"percentage", "Down payment (percentage)", "fixed", "Down payment (fixed amount)")),
				declare("sale_order_ids", many2many, "Sale Order", to("sale.order")),
			},
			methods: map[string]method{"create_invoices": createInvoices},
		},
		{
			name: "account.payment.register", label: "Pay",
			list: []*field{
				declare("amount", monetary, "Amount"),
				declare("currency_id", many2one, "Currency", to("res.currency")),
				declare("journal_id", many2one, "Journal", to("account.journal")),
				declare("payment_date", date, "Payment Date", required, initially(func(tx *transaction) any { return tx.today() })),
				declare("communication", char, "Memo"),
				declare("group_payment", boolean, "Group Payments", initial(true)),
				declare("payment_difference", monetary, "Payment Difference", computed(func(tx *transaction, r *row) any {
					return tx.openAmount(r.refs(forMoves)).Sub(r.amount("amount"))
				})),
				declare("payment_difference_handling", selection, "Payment Difference Handling", initial("open"),
					choices("open", "Keep open", "reconcile", "Mark as fully paid")),
				declare("payment_method_line_id", many2one, "Payment Method", to("account.payment.method.line")),
				declare("payment_type", selection, "Payment Type", choices("outbound", "Send Money", "inbound", "Receive Money")),
				declare("partner_id", many2one, "Customer/Vendor", to("res.partner")),
			},
			prepare: prepareRegister,
			methods: map[string]method{"action_create_payments": createPayments},
		},
		{
			name: "account.move.reversal", label: "Account Move Reversal",
			list: []*field{
				declare("move_ids", many2many, "Move", to("account.move")),
				declare("new_move_ids", many2many, "New Move", to("account.move")),
				declare("date", date, "Reversal date", initially(func(tx *transaction) any { return tx.today() })),
				declare("reason", char, "Reason displayed on Credit Note"),
				declare("journal_id", many2one, "Journal", to("account.journal"), required),
				declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			},
			methods: map[string]method{"refund_moves": reverseMoves(false), "modify_moves": reverseMoves(true)},
		},
	}
}

// forMoves is kept with a wizard: the invoices it was opened for.
const forMoves = "sandbox moves"

// activeMoves are the invoices of the context.
func (tx *transaction) activeMoves() []int64 {
	if tx.context["active_model"] != "account.move" {
		return nil
	}
	ids, _ := asIDs(tx.context["active_ids"])
	return ids
}

func (tx *transaction) openAmount(moves []int64) decimal.Decimal {
	total := decimal.Zero
	for _, id := range moves {
		if move := tx.record("account.move", id); move != nil && move.text("state") == "posted" {
			left, _ := residual(tx, move).(decimal.Decimal)
			total = total.Add(left)
		}
	}
	return total
}

// prepareRegister fills the wizard from its invoices, and refuses when nothing
// is left to pay (odoo18/343, odoo19/389).
func prepareRegister(tx *transaction, given, values Values) error {
	moves := tx.activeMoves()
	open := tx.openAmount(moves)
	if open.IsZero() {
		if tx.erp.latest() {
			return userError("There's nothing left to pay for the selected journal items, so no payment registration is necessary. " +
				"You've got your finances under control like a boss!")
		}
		return userError("You can't register a payment because there is nothing left to pay on the selected journal items.")
	}
	first := tx.record("account.move", moves[0])
	if _, ok := given["amount"]; !ok {
		values["amount"] = open
	}
	if number64(values["journal_id"]) == 0 {
		values["journal_id"] = tx.firstJournal("bank")
	}
	values["currency_id"] = first.ref("currency_id")
	values["payment_type"] = "inbound"
	if first.text("move_type") == "out_refund" {
		values["payment_type"] = "outbound"
	}
	if partner := tx.record("res.partner", first.ref("partner_id")); partner != nil {
		values["partner_id"] = commercialPartner(tx, partner)
	}
	if values["communication"] == nil {
		values["communication"] = firstText(first.get("payment_reference"), first.text("name"))
	}
	for _, r := range tx.all(tx.must("account.payment.method.line")) {
		if r.ref("journal_id") == number64(values["journal_id"]) && r.text("payment_type") == values["payment_type"] {
			values["payment_method_line_id"] = r.id
		}
	}
	values[forMoves] = moves
	return nil
}

func createPayments(tx *transaction, ids []int64, _ arguments) (any, error) {
	rows, err := tx.existing(tx.must("account.payment.register"), ids)
	if err != nil {
		return nil, err
	}
	var last int64
	for _, r := range rows {
		if last, err = tx.pay(r); err != nil {
			return nil, err
		}
	}
	return map[string]any{
		"name": "Payments", "type": "ir.actions.act_window", "res_model": "account.payment", "view_mode": "form",
		"context": map[string]any{"create": false}, "res_id": last,
	}, nil
}

// pay makes a payment with its entry and takes it off the invoices, one after
// the other.
func (tx *transaction) pay(wizard *row) (int64, error) {
	moves := wizard.refs(forMoves)
	entry, err := tx.create(tx.must("account.move"), Values{
		"move_type": "entry", "journal_id": wizard.ref("journal_id"), "ref": wizard.text("communication"), "date": wizard.text("payment_date"),
		"invoice_date": wizard.text("payment_date"), "partner_id": wizard.ref("partner_id"), "currency_id": wizard.ref("currency_id"),
	})
	if err != nil {
		return 0, err
	}
	if _, err := postInvoices(tx, []int64{entry}, arguments{}); err != nil {
		return 0, err
	}
	account := "101403"
	if wizard.text("payment_type") == "outbound" {
		account = "101404"
	}
	payment, err := tx.create(tx.must("account.payment"), Values{
		"name": tx.record("account.move", entry).text("name"), "state": "paid", "amount": wizard.amount("amount"),
		"date": wizard.text("payment_date"), "payment_type": wizard.text("payment_type"), "partner_id": wizard.ref("partner_id"),
		"journal_id": wizard.ref("journal_id"), "payment_method_line_id": wizard.ref("payment_method_line_id"),
		"memo": wizard.text("communication"), "move_id": entry, "currency_id": wizard.ref("currency_id"),
		"outstanding_account_id": tx.account(account), "invoice_ids": moves,
	})
	if err != nil {
		return 0, err
	}
	left := wizard.amount("amount")
	full := wizard.text("payment_difference_handling") == "reconcile"
	for _, id := range moves {
		move := tx.record("account.move", id)
		open, _ := residual(tx, move).(decimal.Decimal)
		part := decimal.Min(left, open)
		left = left.Sub(part)
		if full {
			part = open
		}
		tx.takeOff(move, part, "paid")
		tx.update(tx.must("account.move"), id, Values{
			"matched_payment_ids": append(slices.Clone(tx.record("account.move", id).refs("matched_payment_ids")), payment),
		})
	}
	return payment, nil
}

// takeOff reduces what is due on an invoice; done is its state when nothing is
// left.
func (tx *transaction) takeOff(move *row, amount decimal.Decimal, done string) {
	values := Values{paidAmount: move.amount(paidAmount).Add(amount), "payment_state": "partial"}
	if left := move.amount("amount_total").Sub(move.amount(paidAmount)).Sub(amount); !left.IsPositive() {
		values["payment_state"] = done
	}
	tx.update(tx.must("account.move"), move.id, values)
}

// reverseMoves makes a credit note, as a draft. With modify it is posted and
// reconciled at once, and a new draft of the invoice is made (odoo18/353, 364).
func reverseMoves(modify bool) method {
	return func(tx *transaction, ids []int64, _ arguments) (any, error) {
		rows, err := tx.existing(tx.must("account.move.reversal"), ids)
		if err != nil {
			return nil, err
		}
		var last int64
		for _, r := range rows {
			moves := tx.activeMoves()
			if len(moves) == 0 {
				moves = r.refs("move_ids")
			}
			reversed, err := tx.existing(tx.must("account.move"), moves)
			if err != nil {
				return nil, err
			}
			for _, move := range reversed {
				if last, err = tx.reverse(r, move, modify); err != nil {
					return nil, err
				}
			}
		}
		kind := "out_refund"
		if modify {
			kind = "out_invoice"
		}
		return map[string]any{
			"name": "Reverse Moves", "type": "ir.actions.act_window", "res_model": "account.move", "view_mode": "form",
			"res_id": last, "context": map[string]any{"default_move_type": kind},
		}, nil
	}
}

func (tx *transaction) reverse(wizard, move *row, modify bool) (int64, error) {
	refund, err := tx.copyInvoice(move, Values{
		"move_type": "out_refund", "reversed_entry_id": move.id, "journal_id": wizard.ref("journal_id"),
		"invoice_date": wizard.text("date"), "invoice_date_due": wizard.text("date"), "date": wizard.text("date"),
		"ref": joinNonEmpty(", ", "Reversal of: "+move.text("name"), wizard.text("reason")),
	})
	if err != nil || !modify {
		return refund, err
	}
	if _, err := postInvoices(tx, []int64{refund}, arguments{}); err != nil {
		return 0, err
	}
	open, _ := residual(tx, move).(decimal.Decimal)
	tx.takeOff(tx.record("account.move", refund), open, "paid")
	tx.takeOff(move, open, "reversed")
	return tx.copyInvoice(move, Values{"move_type": "out_invoice", "ref": move.text("ref")})
}

// copyInvoice makes a draft with the same lines.
func (tx *transaction) copyInvoice(move *row, changed Values) (int64, error) {
	values := Values{}
	for _, name := range []string{"partner_id", "partner_shipping_id", "invoice_origin", "currency_id", "journal_id", "fiscal_position_id", "invoice_user_id"} {
		values[name] = move.get(name)
	}
	id, err := tx.create(tx.must("account.move"), plus(values, changed))
	if err != nil {
		return 0, err
	}
	m := tx.must("account.move.line")
	for _, line := range tx.invoiceLines(move.id) {
		if kind := line.text("display_type"); kind == "tax" || kind == "payment_term" {
			continue
		}
		copied := Values{"move_id": id}
		for _, name := range []string{
			"name", "display_type", "product_id", "product_uom_id", "quantity", "price_unit", "discount", "tax_ids",
			"account_id", "sale_line_ids", "sequence", "currency_id", "extra_tax_data",
		} {
			if _, ok := m.fields[name]; ok {
				copied[name] = line.get(name)
			}
		}
		if _, err := tx.create(m, copied); err != nil {
			return 0, err
		}
	}
	tx.settleInvoice(id)
	tx.settleInvoiced(id)
	return id, nil
}
