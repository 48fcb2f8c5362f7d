package sandbox

import (
	"strconv"
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
	models := []*model{
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
				declare("parent_path", char, "Parent Path", computed(func(tx *transaction, r *row) any {
					return categoryPath(tx, r)
				})),
			},
			display: categoryName,
		},
		template,
		e.variantModel(template),
	}
	return append(models, attributeModels()...)
}

// categoryPath is the ids from the top down, as in 1/5/9/.
func categoryPath(tx *transaction, r *row) string {
	path := strconv.FormatInt(r.id, 10) + "/"
	if parent := tx.record("product.category", r.ref("parent_id")); parent != nil {
		return categoryPath(tx, parent) + path
	}
	return path
}

func categoryName(tx *transaction, r *row) string {
	if parent := tx.record("product.category", r.ref("parent_id")); parent != nil {
		return categoryName(tx, parent) + " / " + r.text("name")
	}
	return r.text("name")
}

func (e *ERP) templateModel() *model {
	m := &model{
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
			declare("categ_id", many2one, "Product Category", to("product.category"), e.requiredBefore19(), initially(func(tx *transaction) any {
				if tx.erp.latest() {
					return int64(0) // odoo19/481
				}
				return int64(1)
			})),
			declare("description", html, "Description"),
			declare("description_sale", text, "Sales Description"),
			declare("image_1920", binary, "Image"),
			declare("attribute_line_ids", one2many, "Product Attributes", to("product.template.attribute.line"), by("product_tmpl_id")),
			declare("invoice_policy", selection, "Invoicing Policy", initial("order"),
				choices("order", "Ordered quantities", "delivery", "Delivered quantities")),
			declare("company_id", many2one, "Company", to("res.company")),
			declare("currency_id", many2one, "Currency", to("res.currency"), computed(func(tx *transaction, _ *row) any {
				return tx.company().ref("currency_id")
			})),
			declare("weight_uom_name", char, "Weight unit of measure label", computed(func(*transaction, *row) any { return "kg" })),
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
			declare("default_code", char, "Internal Reference", computed(templateCode)),
			declare("barcode", char, "Barcode", computed(onlyVariant("barcode"))),
			declare("weight", float, "Weight", computed(onlyVariant("weight"))),
			declare("standard_price", float, "Cost", computed(onlyVariant("standard_price"))),
		},
		display: func(tx *transaction, r *row) string {
			code, _ := onlyVariant("default_code")(tx, r).(string)
			return withCode(code, r.text("name"))
		},
		changed: templateChanged,
		guard:   guardTemplate,
		methods: map[string]method{"get_contextual_price": contextualPrice(ofTemplate)},
		removing: func(tx *transaction, rows []*row) error {
			// Its variants go first: what needs one of them is what is named.
			for _, r := range rows {
				ids := idsOf(tx.holding("product.product", "product_tmpl_id", r.id))
				err := tx.withContext(keepTemplate, true, func() error { return tx.unlink(tx.must("product.product"), ids) })
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	m.list = append(m.list, imageFields(templateImage)...)
	return m
}

// guardTemplate refuses what is no image.
func guardTemplate(_ *transaction, _ []*row, values Values) error {
	return checkImage(values["image_1920"])
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
				return tx.template(r).amount("list_price").Add(tx.priceExtra(r))
			})),
			declare("price_extra", float, "Variant Price Extra", computed(func(tx *transaction, r *row) any { return tx.priceExtra(r) })),
			declare("product_template_attribute_value_ids", many2many, "Attribute Values", to("product.template.attribute.value")),
			declare("product_template_variant_value_ids", many2many, "Variant Values", to("product.template.attribute.value"),
				computed(func(_ *transaction, r *row) any { return r.refs("product_template_attribute_value_ids") })),
			declare("combination_indices", char, "Combination Indices", computed(func(_ *transaction, r *row) any {
				return combination(r.refs("product_template_attribute_value_ids"))
			})),
			declare("image_variant_1920", binary, "Variant Image"),
			declare("image_1920", binary, "Image", computed(variantImage)),
			declare("qty_available", float, "Quantity On Hand", computed(stockOf(func(q quantities) decimal.Decimal { return q.onHand }))),
			declare("free_qty", float, "Free To Use Quantity ", computed(stockOf(func(q quantities) decimal.Decimal { return q.free }))),
			declare("incoming_qty", float, "Incoming", computed(stockOf(func(q quantities) decimal.Decimal { return q.incoming }))),
			declare("outgoing_qty", float, "Outgoing", computed(stockOf(func(q quantities) decimal.Decimal { return q.outgoing }))),
			declare("virtual_available", float, "Forecasted Quantity", computed(stockOf(quantities.forecast))),
			declare("write_date", datetime, "Write Date", settled),
		},
		display: func(tx *transaction, r *row) string {
			return withCode(r.text("default_code"), tx.template(r).text("name")+tx.variantNames(r))
		},
		changed: variantChanged,
		check:   checkVariant,
		removed: removeEmptyTemplates,
		methods: map[string]method{"get_contextual_price": contextualPrice(ofVariant)},
	}
	m.list = append(m.list, imageFields(variantImage)...)
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
	for _, r := range tx.holding("product.product", "product_tmpl_id", template.id) {
		if r.flag("active") {
			active = append(active, r)
		} else {
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
			if err := tx.createVariants(id, kept); err != nil {
				return err
			}
			continue
		}
		if code, ok := kept["default_code"]; ok && len(tx.variants(tx.record("product.template", id))) > 1 {
			// With several variants it is the template's own (odoo18/454, 455).
			tx.update(tx.must("product.template"), id, Values{"default_code": code})
		}
		tx.followTemplate(id)
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

// createVariants makes those of a new template: one with what was given for it,
// unless its attributes call for several.
func (tx *transaction) createVariants(id int64, kept Values) error {
	if tx.flag(fromVariant) {
		return nil
	}
	if tx.staleVariants[id] {
		return nil // its attributes make them
	}
	kept["product_tmpl_id"] = id
	_, err := tx.create(tx.must("product.product"), kept)
	return err
}

// followTemplate: variants' write_date follows their template's (odoo18/481).
func (tx *transaction) followTemplate(id int64) {
	for _, r := range tx.holding("product.product", "product_tmpl_id", id) {
		tx.update(tx.must("product.product"), r.id, Values{})
	}
}

// templateCode is the only variant's code; of several the template's own.
func templateCode(tx *transaction, r *row) any {
	if variants := tx.variants(r); len(variants) == 1 {
		return variants[0].get("default_code")
	}
	return r.get("default_code")
}

// priceExtra is what the values of a variant add to the template's price.
func (tx *transaction) priceExtra(r *row) decimal.Decimal {
	sum := decimal.Zero
	for _, id := range r.refs("product_template_attribute_value_ids") {
		if value := tx.record("product.template.attribute.value", id); value != nil {
			sum = sum.Add(value.amount("price_extra"))
		}
	}
	return sum
}

// variantChanged hands on what a variant does not keep itself: a price is the
// template's (odoo18/449, 450), and the first image goes there too.
func variantChanged(tx *transaction, ids []int64, given Values, _ bool) error {
	m := tx.must("product.product")
	for _, id := range ids {
		r := tx.row(m, id)
		if value, ok := given["lst_price"]; ok {
			price, err := toDecimal(value)
			if err != nil {
				return err
			}
			if err := tx.write(tx.must("product.template"), []int64{r.ref("product_tmpl_id")}, Values{"list_price": price.Sub(tx.priceExtra(r))}); err != nil {
				return err
			}
		}
		if value, ok := given["image_1920"]; ok {
			if err := checkImage(value); err != nil {
				return err
			}
			if value == false {
				value = nil
			}
			tx.update(m, id, Values{"image_variant_1920": value})
		}
		if value, ok := given["qty_available"]; ok && tx.erp.latest() {
			counted, err := toDecimal(value)
			if err != nil {
				return err
			}
			if err := tx.setOnHand(id, counted); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkVariant: a barcode and a combination of values are used once.
func checkVariant(tx *transaction, rows []*row) error {
	for _, r := range rows {
		key := combination(r.refs("product_template_attribute_value_ids"))
		for _, other := range tx.holding("product.product", "product_tmpl_id", r.ref("product_tmpl_id")) {
			if other.id != r.id && r.flag("active") && other.flag("active") && key == combination(other.refs("product_template_attribute_value_ids")) {
				return notPossible("duplicate key value violates unique constraint \"product_product_combination_unique\"\n"+
					"DETAIL:  Key (product_tmpl_id, combination_indices)=(%d, %s) already exists.\n", r.ref("product_tmpl_id"), key)
			}
		}
	}
	return uniqueBarcode(tx, rows)
}

// removeEmptyTemplates deletes templates that lost their last variant.
func removeEmptyTemplates(tx *transaction, rows []*row) error {
	m := tx.must("product.template")
	for _, r := range rows {
		template := tx.template(r)
		if template == nil || tx.flag(keepTemplate) || len(tx.variants(template)) > 0 {
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
		same := tx.where(m, func(other *row) bool { return other.text("barcode") == code })
		if !tx.erp.latest() {
			tx.sort(m, same, mustOrder(m)) // 19 names them by their ids (odoo19/094)
		}
		var names []string
		for _, other := range same {
			names = append(names, tx.displayName(m, other))
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
