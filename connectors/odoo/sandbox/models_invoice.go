package sandbox

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// invoiceModels are invoices, credit notes and payments, as far as selling goes.
func (e *ERP) invoiceModels() []*model {
	return append([]*model{
		{
			name: "account.account", label: "Account", order: "code, id",
			list: []*field{
				declare("code", char, "Code"),
				declare("name", char, "Account Name", required),
				declare("account_type", char, "Type"),
				declare("active", boolean, "Active", initial(true)),
			},
			display: func(tx *transaction, r *row) string {
				if tx.erp.latest() {
					return r.text("name")
				}
				return r.text("code") + " " + r.text("name")
			},
		},
		{
			name: "account.payment.method.line", label: "Payment Methods", order: "id",
			list: []*field{
				declare("name", char, "Name"),
				declare("journal_id", many2one, "Journal", to("account.journal")),
				declare("payment_type", selection, "Payment Type", choices("inbound", "Inbound", "outbound", "Outbound")),
			},
			display: func(tx *transaction, r *row) string {
				if journal := tx.record("account.journal", r.ref("journal_id")); journal != nil {
					return r.text("name") + " (" + journal.text("name") + ")"
				}
				return r.text("name")
			},
		},
		named("payment.transaction", "Payment Transaction"),
		{
			name: "account.tax.repartition.line", label: "Tax Repartition Line",
			list: []*field{declare("tax_id", many2one, "Tax", to("account.tax"), cascade)},
		},
		e.invoiceModel(), e.invoiceLineModel(), e.paymentModel(),
	}, e.invoiceWizards()...)
}

var paymentStates = []string{
	"not_paid", "Not Paid", "in_payment", "In Payment", "paid", "Paid", "partial", "Partially Paid", "reversed", "Reversed",
	"blocked", "Blocked", "invoicing_legacy", "Invoicing App Legacy",
}

func (e *ERP) invoiceModel() *model {
	signed := func(name string) func(*transaction, *row) any {
		return func(_ *transaction, r *row) any {
			if r.text("move_type") == "out_refund" {
				return r.amount(name).Neg()
			}
			return r.amount(name)
		}
	}
	return &model{
		name: "account.move", label: "Journal Entry", order: "date desc, name desc, invoice_date desc, id desc", display: invoiceName,
		list: []*field{
			declare("name", char, "Number"),
			declare("state", selection, "Status", required, initial("draft"), choices("draft", "Draft", "posted", "Posted", "cancel", "Cancelled")),
			declare("move_type", selection, "Type", required, initial("entry"), choices("entry", "Journal Entry",
				"out_invoice", "Customer Invoice", "out_refund", "Customer Credit Note")),
			declare("payment_state", selection, "Payment Status", settled, choices(paymentStates...)),
			declare("status_in_payment", selection, "Status In Payment", computed(statusInPayment),
				choices(append([]string{"draft", "Draft", "cancel", "Cancelled"}, paymentStates...)...)),
			declare("move_sent_values", selection, "Sent", computed(func(*transaction, *row) any { return "not_sent" }),
				choices("sent", "Sent", "not_sent", "Not Sent")),
			declare("partner_id", many2one, "Partner", to("res.partner")),
			declare("commercial_partner_id", many2one, "Commercial Entity", to("res.partner"), computed(func(tx *transaction, r *row) any {
				if partner := tx.record("res.partner", r.ref("partner_id")); partner != nil {
					return commercialPartner(tx, partner)
				}
				return int64(0)
			})),
			declare("partner_shipping_id", many2one, "Delivery Address", to("res.partner")),
			declare("invoice_date", date, "Invoice/Bill Date"),
			declare("invoice_date_due", date, "Due Date", initially(func(tx *transaction) any { return tx.today() })),
			declare("date", date, "Date", required, initially(func(tx *transaction) any { return tx.today() })),
			declare("invoice_origin", char, "Origin"),
			declare("ref", char, "Reference"),
			declare("payment_reference", char, "Payment Reference"),
			declare("narration", html, "Terms and Conditions"),
			declare("invoice_line_ids", one2many, "Invoice lines", to("account.move.line"), by("move_id"), only(func(r *row) bool {
				return r.text("display_type") != "tax" && r.text("display_type") != "payment_term"
			})),
			declare("line_ids", one2many, "Journal Items", to("account.move.line"), by("move_id")),
			declare("reversed_entry_id", many2one, "Reversal of", to("account.move")),
			declare("reversal_move_ids", one2many, "Reversal Move", to("account.move"), by("reversed_entry_id")),
			declare("matched_payment_ids", many2many, "Matched Payments", to("account.payment")),
			declare("journal_id", many2one, "Journal", to("account.journal"), required, initial(int64(1))),
			declare("currency_id", many2one, "Currency", to("res.currency"), required, initially(func(tx *transaction) any {
				return tx.company().ref("currency_id")
			})),
			declare("company_id", many2one, "Company", to("res.company"), initially(company)),
			declare("invoice_user_id", many2one, "Salesperson", to("res.users")),
			declare("fiscal_position_id", many2one, "Fiscal Position", to("account.fiscal.position")),
			declare("amount_untaxed", monetary, "Untaxed Amount", settled),
			declare("amount_tax", monetary, "Tax", settled),
			declare("amount_total", monetary, "Total", settled),
			declare("amount_residual", monetary, "Amount Due", computed(residual)),
			declare("amount_untaxed_signed", monetary, "Untaxed Amount Signed", computed(signed("amount_untaxed"))),
			declare("amount_tax_signed", monetary, "Tax Signed", computed(signed("amount_tax"))),
			declare("amount_total_signed", monetary, "Total Signed", computed(signed("amount_total"))),
		},
		prepare:  prepareInvoice,
		changed:  invoiceChanged,
		removing: removingInvoice,
		methods: map[string]method{
			"action_post": postInvoices, "button_draft": redraftInvoices, "button_cancel": cancelInvoices,
		},
	}
}

// invoiceName is "INV/2026/00001 (1001)".
func invoiceName(_ *transaction, r *row) string {
	name := r.text("name")
	if name == "" {
		name = "Draft"
	}
	if ref := r.text("ref"); ref != "" {
		name += " (" + ref + ")"
	}
	return name
}

// statusInPayment: 19 calls a posted invoice that is not paid "posted".
func statusInPayment(tx *transaction, r *row) any {
	switch state := r.text("state"); {
	case state != "posted":
		return state
	case tx.erp.latest() && r.text("payment_state") == "not_paid":
		return "posted"
	}
	return r.text("payment_state")
}

// paidAmount is kept with a row: what payments and credit notes took off.
const paidAmount = "sandbox paid"

func residual(_ *transaction, r *row) any {
	return r.amount("amount_total").Sub(r.amount(paidAmount))
}

func prepareInvoice(_ *transaction, _, values Values) error {
	values["payment_state"] = "not_paid"
	return nil
}

// number names an invoice by its journal and year: INV/2026/00001, and RINV for
// credit notes. Before 19 the first draft has its number already (odoo18/327).
func (tx *transaction) invoiceNumber(move *row, draft bool) string {
	journal := tx.record("account.journal", move.ref("journal_id")).text("code")
	switch move.text("move_type") {
	case "out_refund":
		journal = "R" + journal
	case "entry":
		journal = "P" + journal
	}
	key := journal + "/" + tx.yearOf(move)
	if draft {
		if tx.erp.latest() || tx.erp.sequences[key] > 0 {
			return ""
		}
		return fmt.Sprintf("%s/%05d", key, 1)
	}
	return fmt.Sprintf("%s/%05d", key, tx.number(key))
}

func (tx *transaction) yearOf(move *row) string {
	day := move.text("invoice_date")
	if day == "" {
		day = tx.today()
	}
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		at = tx.now
	}
	return at.Format("2006")
}

func postInvoices(tx *transaction, ids []int64, _ arguments) (any, error) {
	m := tx.must("account.move")
	rows, err := tx.existing(m, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.text("state") != "draft" {
			return nil, userError("The entry %s (id %d) must be in draft.", r.text("name"), r.id)
		}
		values := Values{"state": "posted"}
		if r.text("invoice_date") == "" {
			values["invoice_date"] = tx.today()
			r = &row{id: r.id, values: plus(r.values, values)}
		}
		if name := r.text("name"); name == "" || r.values[drafted] == true {
			values["name"], values[drafted] = tx.invoiceNumber(r, false), false
		}
		if r.text("move_type") == "out_invoice" && r.text("payment_reference") == "" {
			values["payment_reference"] = firstText(values["name"], r.text("name"))
		}
		tx.update(m, r.id, values)
		tx.settleInvoiced(r.id)
		tx.nameDue(r.id)
	}
	return false, nil
}

// drafted is kept with a row: the name is that of a draft, not yet taken.
const drafted = "sandbox drafted"

func firstText(value any, otherwise string) string {
	if s, ok := value.(string); ok && s != "" {
		return s
	}
	return otherwise
}

func redraftInvoices(tx *transaction, ids []int64, _ arguments) (any, error) {
	m := tx.must("account.move")
	rows, err := tx.existing(m, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		// Resetting an entry takes back what was reconciled with it.
		tx.update(m, r.id, Values{
			"state": "draft", "payment_state": "not_paid", paidAmount: decimal.Zero, "matched_payment_ids": []int64(nil),
		})
		tx.settleInvoiced(r.id)
	}
	return nil, nil
}

func cancelInvoices(tx *transaction, ids []int64, _ arguments) (any, error) {
	for _, id := range ids {
		tx.update(tx.must("account.move"), id, Values{"state": "cancel"})
		tx.settleInvoiced(id)
	}
	return nil, nil
}

// removingInvoice: what is posted stays (odoo18/367, odoo19/401).
func removingInvoice(tx *transaction, rows []*row) error {
	for _, r := range rows {
		switch {
		case r.text("state") != "posted":
		case tx.erp.latest():
			return userError("You can't delete a posted journal item. Don\u2019t play games with your accounting records; " +
				"reset the journal entry to draft before deleting it.")
		case r.amount(paidAmount).IsPositive():
			return userError("You cannot do this modification on a reconciled journal entry. You can just change some non legal fields "+
				"or you must unreconcile first.\nJournal Entry (id): %s (%d)", r.text("name"), r.id)
		default:
			return userError("You cannot delete a posted journal item. Reset the journal entry to draft first.")
		}
	}
	return nil
}
