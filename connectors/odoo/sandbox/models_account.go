package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox/tax"
)

func (e *ERP) accountModels() []*model {
	models := []*model{
		{
			name: "account.tax.group", label: "Tax Group", order: "sequence, id",
			list: []*field{
				declare("name", char, "Name", required),
				declare("sequence", integer, "Sequence", initial(int64(10))),
				declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			},
		},
		e.taxModel(),
		e.fiscalPositionModel(),
		{
			name: "account.journal", label: "Journal", order: "id",
			list: []*field{
				declare("name", char, "Journal Name", required),
				declare("code", char, e.label("Short Code", "Sequence Prefix"), required),
				declare("type", selection, "Type", required, choices("sale", "Sales", "purchase", "Purchase",
					"cash", "Cash", "bank", "Bank", "credit", "Credit Card", "general", "Miscellaneous")),
				declare("currency_id", many2one, "Currency", to("res.currency")),
				declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
				declare("active", boolean, "Active", initial(true)),
				declare("sequence", integer, "Sequence", initial(int64(10))),
				declare("inbound_payment_method_line_ids", one2many, "Inbound Payment Methods", to("account.payment.method.line"),
					by("journal_id"), only(func(r *row) bool { return r.text("payment_type") == "inbound" })),
			},
		},
		{
			name: "account.payment.term", label: "Payment Terms", order: "id",
			list: []*field{
				declare("name", char, "Payment Terms", required),
				declare("active", boolean, "Active", initial(true)),
			},
		},
	}
	if !e.latest() {
		models = append(models, &model{
			name: "account.fiscal.position.tax", label: "Tax Mapping of Fiscal Position", order: "id",
			list: []*field{
				declare("position_id", many2one, "Fiscal Position", to("account.fiscal.position"), required, cascade),
				declare("tax_src_id", many2one, "Tax on Product", to("account.tax"), required),
				declare("tax_dest_id", many2one, "Tax to Apply", to("account.tax")),
			},
		})
	}
	return models
}

func (e *ERP) taxModel() *model {
	m := &model{
		name: "account.tax", label: "Tax", order: "sequence, id",
		list: []*field{
			declare("name", char, "Tax Name", required),
			declare("type_tax_use", selection, "Tax Type", required, initial("sale"),
				choices("sale", "Sales", "purchase", "Purchases", "none", "None")),
			declare("amount_type", selection, "Tax Computation", required, initial("percent"),
				choices("group", "Group of Taxes", "fixed", "Fixed", "percent", "Percentage", "division", "Percentage Tax Included")),
			declare("amount", float, "Amount", required, places(4)),
			declare("active", boolean, "Active", initial(true)),
			declare("sequence", integer, "Sequence", required, initial(int64(1))),
			declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			declare("country_id", many2one, "Country", to("res.country"), required, initially(func(tx *transaction) any {
				return tx.company().ref("account_fiscal_country_id")
			})),
			declare("tax_group_id", many2one, "Tax Group", to("account.tax.group"), required, initially(func(tx *transaction) any {
				return tx.all(tx.must("account.tax.group"))[0].id
			})),
			declare("children_tax_ids", many2many, "Children Taxes", to("account.tax"), withInactive),
			declare("price_include_override", selection, "Included in Price",
				choices("tax_included", "Tax Included", "tax_excluded", "Tax Excluded")),
			declare("price_include", boolean, "Price Include", computed(func(tx *transaction, r *row) any {
				return tx.priceIncluded(r)
			})),
			declare("include_base_amount", boolean, "Affect Base of Subsequent Taxes"),
			declare("is_base_affected", boolean, "Base Affected by Previous Taxes", initial(true)),
			declare("invoice_repartition_line_ids", one2many, "Distribution for Invoices", to("account.tax.repartition.line"), by("tax_id")),
			declare("invoice_label", char, "Label on Invoices"),
			declare("description", html, "Description"),
		},
		check: uniqueTaxName,
	}
	if e.latest() {
		m.list = append(m.list,
			declare("fiscal_position_ids", many2many, "Fiscal Position", to("account.fiscal.position"), computed(positionsOfTax)),
			declare("original_tax_ids", many2many, "Replaces", to("account.tax"), withInactive),
		)
	}
	return m
}

// priceIncluded: without a choice of its own a tax does as the company does.
func (tx *transaction) priceIncluded(r *row) bool {
	override := r.text("price_include_override")
	if override == "" {
		override = tx.company().text("account_price_include")
	}
	return override == "tax_included"
}

// uniqueTaxName: a name is used once for each use (sale, purchase) and country.
func uniqueTaxName(tx *transaction, rows []*row) error {
	for _, r := range rows {
		for _, other := range tx.all(tx.must("account.tax")) {
			if other.id != r.id && other.text("name") == r.text("name") && other.text("type_tax_use") == r.text("type_tax_use") {
				return fault("odoo.exceptions.ValidationError", "Tax names must be unique!\n- %s in %s",
					r.text("name"), tx.company().text("name"))
			}
		}
	}
	return nil
}

func (e *ERP) fiscalPositionModel() *model {
	m := &model{
		name: "account.fiscal.position", label: "Fiscal Position", order: "sequence",
		list: []*field{
			declare("name", char, "Fiscal Position", required),
			declare("sequence", integer, "Sequence"),
			declare("active", boolean, "Active", initial(true)),
			declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
			declare("auto_apply", boolean, "Detect Automatically"),
			declare("vat_required", boolean, "VAT required"),
			declare("country_id", many2one, "Country", to("res.country")),
			declare("state_ids", many2many, "Federal States", to("res.country.state")),
			declare("zip_from", char, "Zip Range From"),
			declare("zip_to", char, "Zip Range To"),
		},
	}
	if e.latest() {
		m.list = append(m.list, declare("tax_ids", many2many, "Taxes", to("account.tax")))
	} else {
		m.list = append(m.list, declare("tax_ids", one2many, "Tax Mapping", to("account.fiscal.position.tax"), by("position_id")))
	}
	return m
}

func positionsOfTax(tx *transaction, r *row) any {
	var ids []int64
	for _, position := range tx.all(tx.must("account.fiscal.position")) {
		if slices.Contains(position.refs("tax_ids"), r.id) {
			ids = append(ids, position.id)
		}
	}
	return ids
}

// mapTaxes turns a product's taxes into those of a fiscal position; 0 is no
// position. In 18 each mapping has a source and a target; since 19 a position
// has taxes, each of which may replace others, and one without any takes all
// taxes away.
func (tx *transaction) mapTaxes(position int64, taxes []int64) []int64 {
	if position == 0 {
		return taxes
	}
	targets := map[int64][]int64{}
	mapped := map[int64]bool{}
	if tx.erp.latest() {
		own := tx.record("account.fiscal.position", position).refs("tax_ids")
		if len(own) == 0 {
			return nil
		}
		for _, id := range own {
			for _, source := range tx.record("account.tax", id).refs("original_tax_ids") {
				targets[source] = append(targets[source], id)
				mapped[source] = true
			}
		}
	} else {
		for _, r := range tx.all(tx.must("account.fiscal.position.tax")) {
			if r.ref("position_id") != position {
				continue
			}
			source := r.ref("tax_src_id")
			mapped[source] = true
			if target := r.ref("tax_dest_id"); target != 0 {
				targets[source] = append(targets[source], target)
			}
		}
	}
	var out []int64
	for _, id := range taxes {
		result := []int64{id}
		if mapped[id] {
			result = targets[id]
		}
		for _, target := range result {
			if !slices.Contains(out, target) {
				out = append(out, target)
			}
		}
	}
	return out
}

// fiscalPosition finds the position of an order: one set on the delivery
// address or the customer, else the best of those that detect themselves.
func (tx *transaction) fiscalPosition(partner, delivery *row) int64 {
	if partner == nil {
		return 0
	}
	if delivery == nil {
		delivery = partner
	}
	for _, r := range []*row{delivery, partner} {
		if id := r.ref("property_account_position_id"); id != 0 {
			return id
		}
	}
	if partner.ref("country_id") == 0 {
		return 0
	}
	var best int64
	bestRank := []int{}
	for _, r := range tx.all(tx.must("account.fiscal.position")) {
		if !r.flag("active") || !r.flag("auto_apply") {
			continue
		}
		rank, fits := positionRank(r, delivery)
		if !fits {
			continue
		}
		if tx.erp.latest() {
			// 19 takes the first by sequence, 18 the most specific.
			rank = []int{-int(number64(r.get("sequence")))}
		}
		if best == 0 || slices.Compare(rank, bestRank) > 0 {
			best, bestRank = r.id, rank
		}
	}
	return best
}

func number64(value any) int64 { n, _ := value.(int64); return n }

// positionRank says how specific a position is for an address: 2 for each
// criterion it names and meets, 1 for each it does not name.
func positionRank(position, partner *row) (rank []int, fits bool) {
	criterion := func(named, met bool) {
		switch {
		case !named:
			rank = append(rank, 1)
		case met:
			rank = append(rank, 2)
		default:
			rank = append(rank, 0)
		}
	}
	zip, from, until := partner.text("zip"), position.text("zip_from"), position.text("zip_to")
	criterion(position.flag("vat_required"), partner.text("vat") != "")
	criterion(from != "" && until != "", zip != "" && from <= zip && zip <= until)
	criterion(len(position.refs("state_ids")) > 0, slices.Contains(position.refs("state_ids"), partner.ref("state_id")))
	criterion(position.ref("country_id") != 0, position.ref("country_id") == partner.ref("country_id"))
	return rank, !slices.Contains(rank, 0)
}

// taxes gives the taxes with these ids as the tax engine knows them.
func (tx *transaction) taxes(ids []int64) []tax.Tax {
	m := tx.must("account.tax")
	out := make([]tax.Tax, 0, len(ids))
	for _, id := range ids {
		r := tx.row(m, id)
		out = append(out, tax.Tax{
			ID:           id,
			Sequence:     number64(r.get("sequence")),
			Kind:         tax.Kind(r.text("amount_type")),
			Amount:       r.amount("amount"),
			Included:     tx.priceIncluded(r),
			IncludeBase:  r.flag("include_base_amount"),
			BaseAffected: r.flag("is_base_affected"),
			Children:     tx.taxes(r.refs("children_tax_ids")),
		})
	}
	return out
}

// engine is the tax engine for a document in a currency.
func (tx *transaction) engine(currency int64) tax.Engine {
	rounding := decimal.New(1, -2)
	if r := tx.record("res.currency", currency); r != nil {
		rounding = r.amount("rounding")
	}
	return tax.Engine{
		Version:  tx.erp.options.Version,
		Rounding: rounding,
		Method:   tax.Method(tx.company().text("tax_calculation_rounding_method")),
	}
}
