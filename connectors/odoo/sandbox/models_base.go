package sandbox

import (
	"strings"

	"github.com/shopspring/decimal"
)

// declareModels lists the models this version has.
func (e *ERP) declareModels() []*model {
	partner := e.partnerModel()
	groups := [][]*model{
		e.baseModels(), e.placeModels(), {partner, e.userModel(partner)},
		e.productModels(), e.accountModels(), e.invoiceModels(), e.stockModels(), e.automationModels(), e.tradeModels(), e.messageModels(), {e.orderModel(), e.orderLineModel()},
	}
	var all []*model
	for _, group := range groups {
		all = append(all, group...)
	}
	return withMessages(all)
}

func (e *ERP) baseModels() []*model {
	return []*model{
		{
			name: "ir.module.module", label: "Module", order: "name",
			list: []*field{
				declare("name", char, "Technical Name", required),
				declare("shortdesc", char, "Module Name"),
				declare("state", selection, "Status", initial("uninstalled"), choices(
					"uninstallable", "Uninstallable", "uninstalled", "Not Installed", "installed", "Installed",
					"to upgrade", "To be upgraded", "to remove", "To be removed", "to install", "To be installed")),
				declare("installed_version", char, "Latest Version"),
			},
		},
		{
			name: "ir.model.data", label: "Model Data", order: "module, model, name",
			list: []*field{
				declare("module", char, "Module", required, initial("")),
				declare("name", char, "External Identifier", required),
				declare("complete_name", char, "Complete ID", computed(func(_ *transaction, r *row) any {
					return strings.TrimPrefix(r.text("module")+"."+r.text("name"), ".")
				})),
				declare("model", char, "Model Name", required),
				declare("res_id", integer, "Record ID"),
				declare("noupdate", boolean, "Non Updatable"),
			},
			check:   uniqueExternalID,
			methods: map[string]method{"toggle_noupdate": toggleNoUpdate, "check_object_reference": checkReference},
		},
		{
			name: "decimal.precision", label: "Decimal Precision",
			list: []*field{
				declare("name", char, "Usage", required),
				declare("digits", integer, "Digits", required, initial(int64(2))),
			},
		},
		{
			name: "res.lang", label: "Languages", order: "active desc, name",
			list: []*field{
				declare("name", char, "Name", required),
				declare("code", char, "Locale Code", required),
				declare("iso_code", char, "ISO code"),
				declare("active", boolean, "Active"),
			},
		},
		{
			name: "crm.team", label: "Sales Team", order: "id",
			list: []*field{
				declare("name", char, "Sales Team", required),
				declare("active", boolean, "Active", initial(true)),
				declare("company_id", many2one, "Company", to("res.company")),
			},
		},
	}
}

// uniqueExternalID: (module, name) names one record (odoo18/632).
func uniqueExternalID(tx *transaction, rows []*row) error {
	for _, r := range rows {
		for _, other := range tx.all(tx.must("ir.model.data")) {
			if other.id != r.id && other.text("module") == r.text("module") && other.text("name") == r.text("name") {
				return notPossible("duplicate key value violates unique constraint \"ir_model_data_module_name_uniq_index\"\n"+
					"DETAIL:  Key (module, name)=(%s, %s) already exists.\n", r.text("module"), r.text("name"))
			}
		}
	}
	return nil
}

func (e *ERP) placeModels() []*model {
	return []*model{
		e.currencyModel(),
		{
			name: "res.currency.rate", label: "Currency Rate", order: "name desc, id",
			list: []*field{
				declare("name", date, "Date", required, initially(func(tx *transaction) any { return tx.today() })),
				declare("rate", float, "Technical Rate", initial(decimal.NewFromInt(1))),
				declare("currency_id", many2one, "Currency", to("res.currency"), required, cascade),
				declare("company_id", many2one, "Company", to("res.company"), initially(company)),
			},
		},
		{
			name: "res.country", label: "Country", order: "name, id",
			list: []*field{
				declare("name", char, "Country Name", required),
				declare("code", char, "Country Code", required),
				declare("currency_id", many2one, "Currency", to("res.currency")),
				declare("state_ids", one2many, "States", to("res.country.state"), by("country_id")),
				declare("state_required", boolean, "State Required"),
				declare("zip_required", boolean, "Zip Required", initial(true)),
			},
		},
		{
			name: "res.country.state", label: "Country state", order: "code, id",
			list: []*field{
				declare("country_id", many2one, "Country", to("res.country"), required),
				declare("name", char, "State Name", required),
				declare("code", char, "State Code", required),
			},
			display: func(tx *transaction, r *row) string {
				country := tx.record("res.country", r.ref("country_id"))
				return r.text("name") + " (" + country.text("code") + ")"
			},
		},
		e.companyModel(),
	}
}

func (e *ERP) currencyModel() *model {
	return &model{
		name: "res.currency", label: "Currency", order: "active desc, name",
		list: []*field{
			declare("name", char, "Currency", required),
			declare("full_name", char, "Name"),
			declare("symbol", char, "Symbol", required),
			declare("rounding", float, "Rounding Factor", places(6), initial(decimal.New(1, -2))),
			declare("decimal_places", integer, "Decimal Places", computed(func(_ *transaction, r *row) any {
				return int64(decimalPlaces(r.amount("rounding")))
			})),
			declare("position", selection, "Symbol Position", initial("after"),
				choices("after", "After Amount", "before", "Before Amount")),
			declare("active", boolean, "Active", initial(true)),
			declare("rate_ids", one2many, "Rates", to("res.currency.rate"), by("currency_id")),
			declare("rate", float, "Current Rate", computed(func(tx *transaction, r *row) any {
				return tx.rate(r.id, tx.today())
			})),
		},
		check: func(tx *transaction, rows []*row) error {
			for _, r := range rows {
				for _, other := range tx.all(tx.must("res.currency")) {
					if other.id != r.id && other.text("name") == r.text("name") {
						return notPossible("The currency code must be unique!") // odoo18/045
					}
				}
			}
			return nil
		},
	}
}

func (e *ERP) companyModel() *model {
	methods := []string{"round_per_line", "Round per Line", "round_globally", "Round Globally"}
	if e.latest() {
		methods = []string{"round_globally", "Round per Tax", "round_per_line", "Round per Line"}
	}
	m := &model{
		name: "res.company", label: "Companies", order: "name",
		list: []*field{
			declare("name", char, "Company Name", required),
			declare("partner_id", many2one, "Partner", to("res.partner"), required),
			declare("currency_id", many2one, "Currency", to("res.currency"), required),
			declare("country_id", many2one, "Country", to("res.country")),
			declare("email", char, "Email"),
			declare("phone", char, "Phone"),
			declare("vat", char, "Tax ID"),
			declare("active", boolean, "Active", initial(true)),
			declare("tax_calculation_rounding_method", selection, "Tax Calculation Rounding Method", choices(methods...)),
			declare("account_price_include", selection, "Default Sales Price Include", required, initial("tax_excluded"),
				choices("tax_included", "Tax Included", "tax_excluded", "Tax Excluded")),
			declare("account_sale_tax_id", many2one, "Default Sale Tax", to("account.tax")),
			declare("account_fiscal_country_id", many2one, "Fiscal Country", to("res.country")),
			declare("sale_discount_product_id", many2one, "Discount Product", to("product.product")),
			declare("has_received_warning_stock_sms", boolean, "Has Received Warning Stock Sms"),
			declare("quotation_validity_days", integer, "Default Quotation Validity", initial(int64(30))),
		},
	}
	if !e.latest() {
		m.list = append(m.list, declare("stock_move_sms_validation", boolean, "SMS Confirmation", initial(true)))
	}
	return m
}

// company is the company that new records belong to: the sandbox has one.
func company(*transaction) any { return companyID }

const companyID = int64(1)

func (tx *transaction) company() *row { return tx.record("res.company", companyID) }

// today is the day in UTC.
func (tx *transaction) today() string { return tx.now.Format("2006-01-02") }

// rate is how many of a currency one of the company's is worth on a day: the
// last one known by then, else the first one known after, else 1.
func (tx *transaction) rate(currency int64, day string) decimal.Decimal {
	var before, after *row
	for _, r := range tx.all(tx.must("res.currency.rate")) {
		switch on := r.text("name"); {
		case r.ref("currency_id") != currency:
		case on <= day && (before == nil || on >= before.text("name")):
			before = r
		case on > day && (after == nil || on < after.text("name")):
			after = r
		}
	}
	switch {
	case before != nil:
		return before.amount("rate")
	case after != nil:
		return after.amount("rate")
	}
	return decimal.NewFromInt(1)
}

func decimalPlaces(rounding decimal.Decimal) int32 {
	n := int32(0)
	for step := decimal.NewFromInt(1); step.GreaterThan(rounding) && rounding.IsPositive() && n < 12; n++ {
		step = step.Shift(-1)
	}
	return n
}
