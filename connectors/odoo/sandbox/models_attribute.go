package sandbox

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// attributeModels are what makes variants of a product.
func attributeModels() []*model {
	through := func(reference, name string) func(*transaction, *row) any {
		return func(tx *transaction, r *row) any {
			if line := tx.record("product.template.attribute.line", r.ref(reference)); line != nil {
				return line.get(name)
			}
			return int64(0)
		}
	}
	valueName := func(tx *transaction, r *row) string {
		if value := tx.record("product.attribute.value", r.ref("product_attribute_value_id")); value != nil {
			return value.text("name")
		}
		return ""
	}
	return []*model{
		{
			name: "product.attribute", label: "Product Attribute", order: "sequence, id",
			list: []*field{
				declare("name", char, "Attribute", required),
				declare("active", boolean, "Active", initial(true)),
				declare("sequence", integer, "Sequence", initial(int64(20))),
				declare("create_variant", selection, "Variant Creation", required, initial("always"),
					choices("always", "Instantly", "dynamic", "Dynamically", "no_variant", "Never")),
				declare("display_type", selection, "Display Type", required, initial("radio"), choices("radio", "Radio", "pills", "Pills",
					"select", "Select", "color", "Color", "multi", "Multi-checkbox")),
				declare("value_ids", one2many, "Values", to("product.attribute.value"), by("attribute_id")),
			},
		},
		{
			name: "product.attribute.value", label: "Attribute Value", order: "attribute_id, sequence, id",
			list: []*field{
				declare("name", char, "Value", required),
				declare("sequence", integer, "Sequence"),
				declare("attribute_id", many2one, "Attribute", to("product.attribute"), required, cascade),
				declare("active", boolean, "Active", initial(true)),
				declare("default_extra_price", float, "Default Extra Price"),
			},
			display: func(tx *transaction, r *row) string {
				return tx.record("product.attribute", r.ref("attribute_id")).text("name") + ": " + r.text("name")
			},
		},
		{
			name: "product.template.attribute.line", label: "Product Template Attribute Line", order: "sequence, attribute_id, id",
			list: []*field{
				declare("product_tmpl_id", many2one, "Product Template", to("product.template"), required, cascade),
				declare("attribute_id", many2one, "Attribute", to("product.attribute"), required, restrict),
				declare("sequence", integer, "Sequence", initial(int64(10))),
				declare("active", boolean, "Active", initial(true)),
				declare("value_ids", many2many, "Values", to("product.attribute.value")),
				declare("product_template_value_ids", one2many, "Product Attribute Values", to("product.template.attribute.value"), by("attribute_line_id")),
			},
			display: func(tx *transaction, r *row) string {
				return tx.record("product.attribute", r.ref("attribute_id")).text("name")
			},
			changed: func(tx *transaction, ids []int64, _ Values, _ bool) error {
				for _, id := range ids {
					tx.staleVariants[tx.record("product.template.attribute.line", id).ref("product_tmpl_id")] = true
				}
				return nil
			},
			removed: func(tx *transaction, rows []*row) error {
				for _, r := range rows {
					tx.staleVariants[r.ref("product_tmpl_id")] = true
				}
				return nil
			},
		},
		{
			name: "product.template.attribute.value", label: "Product Template Attribute Value", order: "attribute_line_id, product_attribute_value_id, id",
			list: []*field{
				declare("ptav_active", boolean, "Active", initial(true)),
				declare("name", char, "Value", computed(func(tx *transaction, r *row) any { return valueName(tx, r) })),
				declare("product_attribute_value_id", many2one, "Attribute Value", to("product.attribute.value"), required),
				declare("attribute_line_id", many2one, "Attribute Line", to("product.template.attribute.line"), required, cascade),
				declare("attribute_id", many2one, "Attribute", to("product.attribute"), computed(through("attribute_line_id", "attribute_id"))),
				declare("product_tmpl_id", many2one, "Product Template", to("product.template"), computed(through("attribute_line_id", "product_tmpl_id"))),
				declare("price_extra", float, "Extra Price", digits(productPrice), initial(decimal.Zero)),
			},
			display: func(tx *transaction, r *row) string {
				line := tx.record("product.template.attribute.line", r.ref("attribute_line_id"))
				return tx.record("product.attribute", line.ref("attribute_id")).text("name") + ": " + valueName(tx, r)
			},
			changed: func(tx *transaction, ids []int64, given Values, created bool) error {
				if _, priced := given["price_extra"]; !priced || created {
					return nil
				}
				// The variants' prices follow, and so does their write_date (odoo18/452).
				m := tx.must("product.product")
				for _, r := range tx.where(m, func(r *row) bool {
					return slices.ContainsFunc(r.refs("product_template_attribute_value_ids"), func(id int64) bool { return slices.Contains(ids, id) })
				}) {
					tx.update(m, r.id, Values{})
				}
				return nil
			},
		},
	}
}

// combination is a variant's values as text, which is unique in its template
// (odoo18/461).
func combination(ids []int64) string {
	sorted := slices.Sorted(slices.Values(ids))
	parts := make([]string, len(sorted))
	for i, id := range sorted {
		parts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(parts, ",")
}

// settleVariants makes the variants of the templates whose attributes changed.
func (tx *transaction) settleVariants() error {
	for len(tx.staleVariants) > 0 {
		for id := range tx.staleVariants {
			delete(tx.staleVariants, id)
			if template := tx.record("product.template", id); template != nil {
				if err := tx.makeVariants(template); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// makeVariants makes a variant for each combination of values. One that is not
// called for any more is deleted, or archived where it is in use.
func (tx *transaction) makeVariants(template *row) error {
	combos := [][]int64{nil}
	for _, line := range tx.templateLines(template.id) {
		values, err := tx.lineValues(line)
		if err != nil {
			return err
		}
		switch tx.record("product.attribute", line.ref("attribute_id")).text("create_variant") {
		case "no_variant":
			continue
		case "dynamic":
			combos = nil
			continue
		}
		var longer [][]int64
		for _, combo := range combos {
			for _, value := range values {
				longer = append(longer, append(slices.Clone(combo), value))
			}
		}
		combos = longer
	}
	m := tx.must("product.product")
	wanted := map[string]bool{}
	there := map[string]*row{}
	for _, r := range tx.holding("product.product", "product_tmpl_id", template.id) {
		there[combination(r.refs("product_template_attribute_value_ids"))] = r
	}
	for _, combo := range combos {
		key := combination(combo)
		wanted[key] = true
		if r := there[key]; r != nil {
			if !r.flag("active") && template.flag("active") {
				tx.update(m, r.id, Values{"active": true})
			}
			continue
		}
		if _, err := tx.create(m, Values{"product_tmpl_id": template.id, "product_template_attribute_value_ids": combo}); err != nil {
			return err
		}
	}
	for _, r := range tx.holding("product.product", "product_tmpl_id", template.id) {
		if !wanted[combination(r.refs("product_template_attribute_value_ids"))] {
			if err := tx.dropVariant(r); err != nil {
				return err
			}
		}
	}
	return tx.dropValues(template.id)
}

func (tx *transaction) templateLines(template int64) []*row {
	m := tx.must("product.template.attribute.line")
	rows := tx.holding(m.name, "product_tmpl_id", template)
	tx.sort(m, rows, mustOrder(m))
	return rows
}

// lineValues gives the template's own values of a line, made where they lack.
func (tx *transaction) lineValues(line *row) ([]int64, error) {
	m := tx.must("product.template.attribute.value")
	there := map[int64]int64{}
	for _, r := range tx.holding(m.name, "attribute_line_id", line.id) {
		there[r.ref("product_attribute_value_id")] = r.id
	}
	var ids []int64
	for _, value := range line.refs("value_ids") {
		id, ok := there[value]
		if !ok {
			var err error
			if id, err = tx.create(m, Values{"attribute_line_id": line.id, "product_attribute_value_id": value,
				"price_extra": tx.record("product.attribute.value", value).amount("default_extra_price")}); err != nil {
				return nil, err
			}
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// dropVariant deletes a variant, or archives it where something refers to it.
func (tx *transaction) dropVariant(r *row) error {
	mark := len(tx.undo)
	err := tx.withContext(keepTemplate, true, func() error { return tx.unlink(tx.must("product.product"), []int64{r.id}) })
	if err == nil {
		return nil
	}
	for _, undo := range slices.Backward(tx.undo[mark:]) {
		undo()
	}
	tx.undo = tx.undo[:mark]
	tx.update(tx.must("product.product"), r.id, Values{"active": false})
	return nil
}

// keepTemplate in the context says that a template stays without variants for a
// moment.
const keepTemplate = "sandbox_keep_template"

// dropValues deletes values that no line and no variant has any more; adding one
// again makes a new id (odoo18/456 to 459).
func (tx *transaction) dropValues(template int64) error {
	m := tx.must("product.template.attribute.value")
	for _, line := range tx.templateLines(template) {
		for _, r := range tx.holding(m.name, "attribute_line_id", line.id) {
			used := slices.Contains(line.refs("value_ids"), r.ref("product_attribute_value_id")) ||
				len(tx.where(tx.must("product.product"), func(p *row) bool {
					return slices.Contains(p.refs("product_template_attribute_value_ids"), r.id)
				})) > 0
			if !used {
				tx.drop(m, r.id)
			}
		}
	}
	return nil
}

// variantNames are the values in a variant's name: those of attributes with more
// than one.
func (tx *transaction) variantNames(r *row) string {
	var names []string
	m := tx.must("product.template.attribute.value")
	for _, id := range r.refs("product_template_attribute_value_ids") {
		value := tx.row(m, id)
		if value == nil {
			continue
		}
		line := tx.record("product.template.attribute.line", value.ref("attribute_line_id"))
		if line != nil && len(line.refs("value_ids")) > 1 {
			names = append(names, tx.value(m, m.fields["name"], value).(string))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}
