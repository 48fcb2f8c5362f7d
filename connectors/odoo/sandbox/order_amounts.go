package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox/tax"
)

// settleOrders computes the amounts of the orders and invoices whose lines
// changed in this call.
func (tx *transaction) settleOrders() {
	for _, id := range slices.Sorted(maps.Keys(tx.staleInvoices)) {
		delete(tx.staleInvoices, id)
		tx.settleInvoice(id)
		tx.settleInvoiced(id)
	}
	if len(tx.stale) == 0 {
		return
	}
	ids := slices.Sorted(maps.Keys(tx.stale))
	clear(tx.stale)
	for _, id := range ids {
		if order := tx.record("sale.order", id); order != nil {
			tx.settleOrder(order)
		}
	}
}

func (tx *transaction) settleOrder(order *row) {
	engine := tx.engine(order.ref("currency_id"))
	var sold []*row
	var lines []tax.Line
	for _, r := range tx.orderLines(order.id) {
		if r.text("display_type") == "" {
			sold = append(sold, r)
			lines = append(lines, tx.taxLine(engine, order, r))
		}
	}
	doc := engine.Compute(lines)
	for i, r := range sold {
		tx.settle(tx.must("sale.order.line"), r.id, Values{
			"price_subtotal": doc.Lines[i].Excluded,
			"price_total":    doc.Lines[i].Included,
		})
	}
	tx.settle(tx.must("sale.order"), order.id, Values{
		"amount_untaxed": doc.Untaxed,
		"amount_tax":     doc.Tax,
		"amount_total":   doc.Total,
	})
}

func (tx *transaction) taxLine(engine tax.Engine, order, r *row) tax.Line {
	line := tax.Line{
		Price:    r.amount("price_unit"),
		Quantity: r.amount("product_uom_qty"),
		Discount: r.amount("discount"),
		Taxes:    tx.taxes(r.refs(tx.erp.taxesField())),
	}
	if pin := readPin(r); pin != nil && pin.fits(engine, order.ref("currency_id"), line) {
		line.Price = pin.price
		line.Pin = &tax.Pin{Excluded: pin.excluded, Taxes: pin.taxes}
	}
	return line
}

// pin is extra_tax_data: amounts fixed for a line as it was when they were
// written. Odoo ignores it without a word when it does not fit the line any
// more, or not quite (odoo19/276 to 284, 516 to 519).
type pin struct {
	currency                  int64
	price, quantity, discount decimal.Decimal
	excluded                  *decimal.Decimal
	taxes                     map[int64]tax.PinnedTax
	keys                      map[string]bool
}

// checkPin refuses a pin that Odoo fails on: one with amounts but without what
// they are compared by (odoo19/285).
func checkPin(value any) error {
	data, ok := value.(map[string]any)
	if !ok || len(asObject(data["manual_tax_amounts"])) == 0 {
		return nil
	}
	for _, name := range []string{"currency_id", "price_unit", "discount", "quantity"} {
		if _, ok := data[name]; !ok {
			return &Fault{Name: "builtins.KeyError", Message: name}
		}
	}
	return nil
}

func asObject(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}

func readPin(r *row) *pin {
	data := asObject(r.get("extra_tax_data"))
	amounts := asObject(data["manual_tax_amounts"])
	if len(amounts) == 0 {
		return nil
	}
	p := &pin{taxes: map[int64]tax.PinnedTax{}, keys: map[string]bool{}}
	p.currency, _ = asID(data["currency_id"])
	for name, target := range map[string]*decimal.Decimal{
		"price_unit": &p.price, "quantity": &p.quantity, "discount": &p.discount,
	} {
		if value := pinned(data, name); value != nil {
			*target = *value
		}
	}
	p.excluded = pinned(data, "manual_total_excluded_currency")
	for key, item := range amounts {
		p.keys[key] = true
		if id, err := strconv.ParseInt(key, 10, 64); err == nil {
			values := asObject(item)
			p.taxes[id] = tax.PinnedTax{
				Amount: pinned(values, "tax_amount_currency"), Base: pinned(values, "base_amount_currency"),
			}
		}
	}
	return p
}

func pinned(values map[string]any, name string) *decimal.Decimal {
	n, ok := values[name].(json.Number)
	if !ok {
		return nil
	}
	d, err := decimal.NewFromString(n.String())
	if err != nil {
		return nil
	}
	return &d
}

// fits compares as Odoo does: all of them rounded to the currency, also the
// quantity.
func (p *pin) fits(engine tax.Engine, currency int64, line tax.Line) bool {
	equal := func(a, b decimal.Decimal) bool {
		return tax.Round(a, engine.Rounding).Equal(tax.Round(b, engine.Rounding))
	}
	if p.currency != currency || !equal(p.price, line.Price) ||
		!equal(p.discount, line.Discount) || !equal(p.quantity, line.Quantity) {
		return false
	}
	for _, t := range tax.Flatten(line.Taxes) {
		if !p.keys[strconv.FormatInt(t.ID, 10)] {
			return false
		}
	}
	return true
}
