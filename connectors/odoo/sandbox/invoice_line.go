package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox/tax"
)

func (e *ERP) invoiceLineModel() *model {
	ofMove := func(name string) func(*transaction, *row) any {
		return func(tx *transaction, r *row) any { return tx.record("account.move", r.ref("move_id")).get(name) }
	}
	balance := func(sign int64) func(*transaction, *row) any {
		return func(_ *transaction, r *row) any {
			return decimal.Max(r.amount("balance").Mul(decimal.NewFromInt(sign)), decimal.Zero)
		}
	}
	kinds := []string{"product", "Product", "tax", "Tax", "payment_term", "Payment Term", "line_section", "Section", "line_note", "Note"}
	if e.latest() {
		kinds = append(kinds, "line_subsection", "Subsection")
	}
	m := &model{
		name: "account.move.line", label: "Journal Item", order: "date desc, move_name desc, id",
		list: []*field{
			declare("move_id", many2one, "Journal Entry", to("account.move"), required, cascade),
			declare("move_name", char, "Number", computed(ofMove("name"))),
			declare("parent_state", selection, "Status", computed(ofMove("state")), choices("draft", "Draft", "posted", "Posted", "cancel", "Cancelled")),
			declare("date", date, "Date", computed(ofMove("date"))),
			declare("sequence", integer, "Sequence", initial(int64(100))),
			declare("name", char, "Label"),
			declare("display_type", selection, "Display Type", required, initial("product"), choices(kinds...)),
			declare("product_id", many2one, "Product", to("product.product"), restrict),
			declare("product_uom_id", many2one, e.label("Unit of Measure", "Unit"), to("uom.uom")),
			declare("quantity", float, "Quantity", digits(e.quantityPrecision())),
			declare("price_unit", float, "Unit Price", digits(productPrice)),
			declare("discount", float, "Discount (%)", digits("Discount")),
			declare("tax_ids", many2many, "Taxes", to("account.tax"), withInactive),
			declare("tax_line_id", many2one, "Originator Tax", to("account.tax")),
			declare("price_subtotal", monetary, "Subtotal", settled),
			declare("price_total", monetary, "Total", settled),
			declare("account_id", many2one, "Account", to("account.account")),
			declare("amount_currency", monetary, "Amount in Currency"),
			declare("balance", monetary, "Balance"),
			declare("debit", monetary, "Debit", computed(balance(1))),
			declare("credit", monetary, "Credit", computed(balance(-1))),
			declare("currency_id", many2one, "Currency", to("res.currency"), required, initially(func(tx *transaction) any {
				return tx.company().ref("currency_id")
			})),
			declare("company_id", many2one, "Company", to("res.company"), computed(ofMove("company_id"))),
			declare("partner_id", many2one, "Partner", to("res.partner")),
			declare("sale_line_ids", many2many, "Sales Order Lines", to("sale.order.line")),
		},
		changed: invoiceLineChanged,
		removed: func(tx *transaction, rows []*row) error {
			for _, r := range rows {
				tx.staleInvoices[r.ref("move_id")] = true
				// What is not credited any more is invoiced again (odoo18/363).
				for _, sold := range r.refs("sale_line_ids") {
					tx.settleInvoicedLine(tx.must("account.move.line"), sold)
				}
			}
			return nil
		},
	}
	if e.latest() {
		m.list = append(m.list, declare("extra_tax_data", jsonField, "Extra Tax Data"))
	}
	return m
}

// byHand is kept with a line: its amount was written, and is not computed until
// the line's price or quantity changes.
const byHand = "sandbox by hand"

func invoiceLineChanged(tx *transaction, ids []int64, given Values, created bool) error {
	m := tx.must("account.move.line")
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { _, ok := given[name]; return ok })
	}
	for _, id := range ids {
		line := tx.row(m, id)
		switch {
		case has("amount_currency") && !created:
			tx.update(m, id, Values{byHand: true, "balance": tx.toCompany(line.ref("currency_id"), line.amount("amount_currency"))})
		case has("balance") && !created:
			tx.update(m, id, Values{byHand: true, "amount_currency": line.amount("balance")})
		case has("quantity", "price_unit", "discount", "tax_ids", "extra_tax_data"):
			for _, other := range tx.invoiceLines(line.ref("move_id")) {
				if other.values[byHand] == true {
					tx.update(m, other.id, Values{byHand: false})
				}
			}
		}
		tx.staleInvoices[line.ref("move_id")] = true
	}
	return nil
}

// toCompany converts an amount to the company's currency.
func (tx *transaction) toCompany(currency int64, amount decimal.Decimal) decimal.Decimal {
	rate := tx.conversion(currency)
	if rate.IsZero() {
		return amount
	}
	return tax.Round(amount.DivRound(rate, 16), tx.engine(tx.company().ref("currency_id")).Rounding)
}

func (tx *transaction) invoiceLines(move int64) []*row {
	return tx.holding("account.move.line", "move_id", move)
}

// settleInvoice computes a draft's lines, its tax lines and what is due.
func (tx *transaction) settleInvoice(id int64) {
	move := tx.record("account.move", id)
	if move == nil || move.text("state") != "draft" || move.text("move_type") == "entry" {
		return
	}
	engine := tx.engine(move.ref("currency_id"))
	var sold []*row
	var lines []tax.Line
	for _, r := range tx.invoiceLines(id) {
		if r.text("display_type") == "product" {
			sold = append(sold, r)
			lines = append(lines, tx.invoiceTaxLine(engine, move, r))
		}
	}
	doc := engine.Compute(lines)
	m := tx.must("account.move.line")
	sign := decimal.NewFromInt(-1)
	if move.text("move_type") == "out_refund" {
		sign = decimal.NewFromInt(1)
	}
	untaxed := decimal.Zero
	for i, r := range sold {
		values := Values{"price_subtotal": doc.Lines[i].Excluded, "price_total": doc.Lines[i].Included}
		if r.values[byHand] != true {
			values["amount_currency"] = doc.Bases[i].Mul(sign)
			values["balance"] = tx.toCompany(move.ref("currency_id"), doc.Bases[i].Mul(sign))
		}
		tx.settle(m, r.id, values)
		untaxed = untaxed.Add(tx.row(m, r.id).amount("amount_currency"))
	}
	taxed := tx.settleTaxLines(move, doc, sign, sold)
	total := untaxed.Add(taxed)
	tx.settleDue(move, total.Neg())
	tx.settle(tx.must("account.move"), id, Values{
		"amount_untaxed": untaxed.Mul(sign), "amount_tax": taxed.Mul(sign), "amount_total": total.Mul(sign),
	})
}

func (tx *transaction) invoiceTaxLine(engine tax.Engine, move, r *row) tax.Line {
	line := tax.Line{
		Price: r.amount("price_unit"), Quantity: r.amount("quantity"), Discount: r.amount("discount"), Taxes: tx.taxes(r.refs("tax_ids")),
	}
	if pin := readPin(r); pin != nil && pin.fits(engine, move.ref("currency_id"), line) {
		line.Price = pin.price
		line.Pin = &tax.Pin{Excluded: pin.excluded, Taxes: pin.taxes}
	}
	return line
}

// settleTaxLines keeps one line for each tax and gives their sum.
func (tx *transaction) settleTaxLines(move *row, doc tax.Document, sign decimal.Decimal, sold []*row) decimal.Decimal {
	m := tx.must("account.move.line")
	there := map[int64]*row{}
	for _, r := range tx.invoiceLines(move.id) {
		if r.text("display_type") == "tax" {
			there[r.ref("tax_line_id")] = r
		}
	}
	sum := decimal.Zero
	for _, id := range tx.taxesOf(sold) {
		amount := doc.TaxOf(id).Mul(sign)
		r := there[id]
		delete(there, id)
		if r != nil && r.values[byHand] == true {
			sum = sum.Add(r.amount("amount_currency"))
			continue
		}
		values := Values{"amount_currency": amount, "balance": tx.toCompany(move.ref("currency_id"), amount)}
		if r == nil {
			tx.insert(m, plus(values, Values{
				"move_id": move.id, "display_type": "tax", "tax_line_id": id, "name": tx.record("account.tax", id).text("name"),
				"account_id": tx.account("400000"), "currency_id": move.ref("currency_id"), "partner_id": move.ref("partner_id"),
			}))
		} else {
			tx.settle(m, r.id, values)
		}
		sum = sum.Add(amount)
	}
	for _, r := range there {
		tx.drop(m, r.id)
	}
	return sum
}

// taxesOf lists the taxes of lines in the order in which they appear.
func (tx *transaction) taxesOf(sold []*row) []int64 {
	var ids []int64
	for _, r := range sold {
		for _, t := range tax.Flatten(tx.taxes(r.refs("tax_ids"))) {
			if !slices.Contains(ids, t.ID) {
				ids = append(ids, t.ID)
			}
		}
	}
	return ids
}

// settleDue keeps the line of what is to be paid.
func (tx *transaction) settleDue(move *row, amount decimal.Decimal) {
	m := tx.must("account.move.line")
	values := Values{"amount_currency": amount, "balance": tx.toCompany(move.ref("currency_id"), amount), "name": tx.dueName(move)}
	for _, r := range tx.invoiceLines(move.id) {
		if r.text("display_type") == "payment_term" {
			tx.settle(m, r.id, values)
			return
		}
	}
	tx.insert(m, plus(values, Values{
		"move_id": move.id, "display_type": "payment_term", "account_id": tx.account("121000"),
		"currency_id": move.ref("currency_id"), "partner_id": move.ref("partner_id"),
	}))
}

// dueName is the text of that line: none before 19, there the invoice's reference
// and number once it has one (odoo18/328, odoo19/294, 508).
func (tx *transaction) dueName(move *row) any {
	switch {
	case !tx.erp.latest():
		return ""
	case move.text("state") != "posted":
		return nil
	}
	return joinNonEmpty(" - ", move.text("ref"), move.text("name"))
}

// nameDue names it anew, after its invoice got a number.
func (tx *transaction) nameDue(move int64) {
	for _, r := range tx.invoiceLines(move) {
		if r.text("display_type") == "payment_term" {
			tx.settle(tx.must("account.move.line"), r.id, Values{"name": tx.dueName(tx.record("account.move", move))})
		}
	}
}

// insert stores a row that the rules make, without asking them again.
func (tx *transaction) insert(m *model, values Values) int64 {
	t := tx.erp.tables[m.name]
	id := t.next
	t.next++
	tx.put(m, &row{id: id, values: plus(values, Values{
		"create_date": tx.now, "create_uid": tx.uid, "write_date": tx.now, "write_uid": tx.uid,
	})})
	return id
}

// account finds an account by its code.
func (tx *transaction) account(code string) int64 {
	for _, r := range tx.all(tx.must("account.account")) {
		if r.text("code") == code {
			return r.id
		}
	}
	return 0
}
