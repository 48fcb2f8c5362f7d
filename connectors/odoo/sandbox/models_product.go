package sandbox

import (
	"strings"

	"github.com/shopspring/decimal"
)

// productPrice is the decimal.precision of prices.
const productPrice = "Product Price"

// fromVariant in the context says that a template is made for a variant, which
// must not make another one.
const fromVariant = "sandbox_from_variant"

// quantityPrecision is the decimal.precision of quantities, renamed in 19.
func (e *ERP) quantityPrecision() string {
	if e.latest() {
		return "Product Unit"
	}
	return "Product Unit of Measure"
}

// label is a name for people that 19 changed.
func (e *ERP) label(before, since19 string) string {
	if e.latest() {
		return since19
	}
	return before
}

// requiredBefore19 is for fields that may be empty since 19.
func (e *ERP) requiredBefore19() option {
	return func(f *field) { f.required = !e.latest() }
}

func (e *ERP) productModels() []*model {
	template, notIn19 := e.templateModel(), e.requiredBefore19()
	return []*model{
		{
			name: "uom.uom", label: "Product Unit of Measure", order: "id",
			list: []*field{
				declare("name", char, e.label("Unit of Measure", "Unit Name"), required),
				declare("active", boolean, "Active", initial(true)),
				declare("factor", float, e.label("Ratio", "Absolute Quantity"), notIn19, initial(decimal.NewFromInt(1))),
				declare("rounding", float, "Rounding Precision", notIn19, initial(decimal.New(1, -2))),
			},
		},
		{
			name: "product.category", label: "Product Category", order: "complete_name", parent: "parent_id",
			list: []*field{
				declare("name", char, "Name", required),
				declare("parent_id", many2one, "Parent Category", to("product.category"), cascade),
				declare("complete_name", char, "Complete Name", computed(func(tx *transaction, r *row) any {
					return categoryName(tx, r)
				})),
			},
			display: categoryName,
		},
		template,
		e.variantModel(template),
	}
}

func categoryName(tx *transaction, r *row) string {
	if parent := tx.record("product.category", r.ref("parent_id")); parent != nil {
		return categoryName(tx, parent) + " / " + r.text("name")
	}
	return r.text("name")
}

func (e *ERP) templateModel() *model {
	return &model{
		name: "product.template", label: "Product", order: "name",
		list: []*field{
			declare("name", char, "Name", required),
			declare("active", boolean, "Active", initial(true)),
			declare("type", selection, "Product Type", required, initial("consu"),
				choices("consu", "Goods", "service", "Service", "combo", "Combo")),
			declare("is_storable", boolean, "Track Inventory"),
			declare("sale_ok", boolean, "Sales", initial(true)),
			declare("purchase_ok", boolean, "Purchase", initial(true)),
			declare("list_price", float, "Sales Price", digits(productPrice), initial(decimal.NewFromInt(1))),
			declare("taxes_id", many2many, "Sales Taxes", to("account.tax"), initially(defaultTaxes)),
			declare("uom_id", many2one, e.label("Unit of Measure", "Unit"), to("uom.uom"), required, initial(int64(1))),
			declare("categ_id", many2one, "Product Category", to("product.category"), e.requiredBefore19(), initial(int64(1))),
			declare("description_sale", text, "Sales Description"),
			declare("invoice_policy", selection, "Invoicing Policy", initial("order"),
				choices("order", "Ordered quantities", "delivery", "Delivered quantities")),
			declare("company_id", many2one, "Company", to("res.company")),
			declare("qty_available", float, "Quantity On Hand", computed(stockOfTemplate(func(q quantities) decimal.Decimal { return q.onHand }))),
			declare("incoming_qty", float, "Incoming", computed(stockOfTemplate(func(q quantities) decimal.Decimal { return q.incoming }))),
			declare("outgoing_qty", float, "Outgoing", computed(stockOfTemplate(func(q quantities) decimal.Decimal { return q.outgoing }))),
			declare("virtual_available", float, "Forecasted Quantity", computed(stockOfTemplate(quantities.forecast))),
			declare("product_variant_ids", one2many, "Products", to("product.product"), by("product_tmpl_id"), required),
			declare("product_variant_id", many2one, "Product", to("product.product"), computed(firstVariant)),
			declare("product_variant_count", integer, "# Product Variants", computed(func(tx *transaction, r *row) any {
				return int64(len(tx.variants(r)))
			})),
			// Kept by the variant; given to a template they go to its only one.
			declare("default_code", char, "Internal Reference", computed(onlyVariant("default_code"))),
			declare("barcode", char, "Barcode", computed(onlyVariant("barcode"))),
			declare("weight", float, "Weight", computed(onlyVariant("weight"))),
			declare("standard_price", float, "Cost", computed(onlyVariant("standard_price"))),
		},
		display: func(tx *transaction, r *row) string {
			code, _ := onlyVariant("default_code")(tx, r).(string)
			return withCode(code, r.text("name"))
		},
		changed: templateChanged,
	}
}

// variantFields are those of a template that its variants keep.
var variantFields = []string{"default_code", "barcode", "weight", "standard_price"}

func (e *ERP) variantModel(template *model) *model {
	m := &model{
		name: "product.product", label: "Product Variant", order: "default_code, id",
		delegate: "product_tmpl_id",
		list: []*field{
			declare("product_tmpl_id", many2one, "Product Template", to("product.template"), required, cascade),
			declare("active", boolean, "Active", initial(true)),
			declare("default_code", char, "Internal Reference"),
			declare("barcode", char, "Barcode"),
			declare("weight", float, "Weight", places(2)),
			declare("standard_price", float, "Cost", digits(productPrice)),
			declare("lst_price", float, "Sales\u00a0Price", computed(func(tx *transaction, r *row) any {
				return tx.record("product.template", r.ref("product_tmpl_id")).get("list_price")
			})),
			declare("qty_available", float, "Quantity On Hand", computed(stockOf(func(q quantities) decimal.Decimal { return q.onHand }))),
			declare("free_qty", float, "Free To Use Quantity ", computed(stockOf(func(q quantities) decimal.Decimal { return q.free }))),
			declare("incoming_qty", float, "Incoming", computed(stockOf(func(q quantities) decimal.Decimal { return q.incoming }))),
			declare("outgoing_qty", float, "Outgoing", computed(stockOf(func(q quantities) decimal.Decimal { return q.outgoing }))),
			declare("virtual_available", float, "Forecasted Quantity", computed(stockOf(quantities.forecast))),
			declare("write_date", datetime, "Write Date", settled),
		},
		display: func(tx *transaction, r *row) string {
			return withCode(r.text("default_code"), tx.template(r).text("name"))
		},
		check:   uniqueBarcode,
		removed: removeEmptyTemplates,
	}
	own := map[string]bool{"product_variant_ids": true, "product_variant_id": true, "product_variant_count": true}
	for _, f := range m.list {
		own[f.name] = true
	}
	for _, f := range template.list {
		if !own[f.name] {
			m.list = append(m.list, delegated(template, f, m.delegate))
		}
	}
	return m
}

// delegated is a field of the record that reference points to.
func delegated(target *model, f *field, reference string) *field {
	copied := *f
	copied.delegated, copied.fallback = true, nil
	copied.compute = func(tx *transaction, r *row) any {
		owner := tx.row(target, r.ref(reference))
		if owner == nil {
			return f.zero()
		}
		return tx.value(target, f, owner)
	}
	return &copied
}

func (tx *transaction) template(variant *row) *row {
	return tx.record("product.template", variant.ref("product_tmpl_id"))
}

func withCode(code, name string) string {
	if code == "" {
		return name
	}
	return "[" + code + "] " + name
}

// variants are a template's, archived ones only when it is archived itself.
func (tx *transaction) variants(template *row) []*row {
	var active, archived []*row
	for _, r := range tx.all(tx.must("product.product")) {
		switch {
		case r.ref("product_tmpl_id") != template.id:
		case r.flag("active"):
			active = append(active, r)
		default:
			archived = append(archived, r)
		}
	}
	if len(active) == 0 {
		return archived
	}
	return active
}

func firstVariant(tx *transaction, r *row) any {
	if variants := tx.variants(r); len(variants) > 0 {
		return variants[0].id
	}
	return int64(0)
}

func onlyVariant(name string) func(*transaction, *row) any {
	return func(tx *transaction, r *row) any {
		m := tx.must("product.product")
		if variants := tx.variants(r); len(variants) == 1 {
			return tx.value(m, m.fields[name], variants[0])
		}
		return m.fields[name].zero()
	}
}

// templateChanged makes the variant of a new template, hands it what it keeps,
// and archives variants with their template.
func templateChanged(tx *transaction, ids []int64, given Values, created bool) error {
	kept := Values{}
	for _, name := range variantFields {
		if value, ok := given[name]; ok {
			kept[name] = value
		}
	}
	variant := tx.must("product.product")
	for _, id := range ids {
		if created {
			if tx.flag(fromVariant) {
				continue
			}
			kept["product_tmpl_id"] = id
			if _, err := tx.create(variant, kept); err != nil {
				return err
			}
			continue
		}
		variants := tx.variants(tx.record("product.template", id))
		if active, ok := given["active"].(bool); ok {
			for _, r := range variants {
				tx.settle(variant, r.id, Values{"active": active})
			}
		}
		if len(kept) > 0 && len(variants) == 1 {
			if err := tx.write(variant, []int64{variants[0].id}, kept); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeEmptyTemplates deletes templates that lost their last variant.
func removeEmptyTemplates(tx *transaction, rows []*row) error {
	m := tx.must("product.template")
	for _, r := range rows {
		template := tx.template(r)
		if template == nil || len(tx.variants(template)) > 0 {
			continue
		}
		if err := tx.unlink(m, []int64{template.id}); err != nil {
			return err
		}
	}
	return nil
}

// uniqueBarcode: no two products share a barcode (odoo18/043).
func uniqueBarcode(tx *transaction, rows []*row) error {
	m := tx.must("product.product")
	for _, r := range rows {
		code := r.text("barcode")
		if code == "" {
			continue
		}
		var names []string
		for _, other := range tx.all(m) {
			if other.text("barcode") == code {
				names = append(names, tx.displayName(m, other))
			}
		}
		if len(names) > 1 {
			return fault("odoo.exceptions.ValidationError",
				"Barcode(s) already assigned:\n\n- Barcode %q already assigned to product(s): %s\n\n"+
					"Note: products that you don't have access to will not be shown above.",
				code, strings.Join(names, " and "))
		}
	}
	return nil
}

// defaultTaxes is the company's sale tax.
func defaultTaxes(tx *transaction) any {
	if c := tx.company(); c != nil && c.ref("account_sale_tax_id") != 0 {
		return []int64{c.ref("account_sale_tax_id")}
	}
	return []int64(nil)
}
