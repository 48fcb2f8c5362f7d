package sandbox

import (
	"testing"
)

// Prices are rounded to "Product Price" on 18 and kept on 19.
func TestProductPriceDigits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version, digits int
		want            string
	}{{18, 0, "0.01"}, {18, 4, "0.0125"}, {18, 6, "0.0125"}, {19, 0, "0.0125"}} {
		erp := New(Options{Version: c.version, ProductPriceDigits: c.digits})
		order, err := erp.Create("sale.order", Values{"partner_id": 1, "order_line": []any{
			[]any{0, 0, Values{"product_id": 4, "price_unit": Amount("0.0125"), "product_uom_qty": 1000}}}})
		if err != nil {
			t.Fatal(err)
		}
		lines, err := erp.Search("sale.order.line", []any{[]any{"order_id", "=", order}})
		if err != nil {
			t.Fatal(err)
		}
		read, err := erp.Read("sale.order.line", lines[0], "price_unit")
		if err != nil || !same(read["price_unit"], Amount(c.want)) {
			t.Errorf("Odoo %d with %d digits: %v, %v", c.version, c.digits, read, err)
		}
	}
}

// The currency comes from the pricelist; a given one is ignored.
func TestCurrencyOfAnOrder(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		erp := New(Options{Version: version})
		euro, err := erp.Search("res.currency", []any{[]any{"name", "=", "EUR"}})
		if err != nil {
			t.Fatal(err)
		}
		dollar, err := erp.Search("res.currency", []any{[]any{"name", "=", "USD"}})
		if err != nil {
			t.Fatal(err)
		}
		if version == 19 {
			// The first pricelist is everybody's default; a fresh 19 has none.
			if _, err := erp.Create("product.pricelist", Values{"name": "Default"}); err != nil {
				t.Fatal(err)
			}
		}
		pricelist, err := erp.Create("product.pricelist", Values{"name": "Euro", "currency_id": euro[0]})
		if err != nil {
			t.Fatal(err)
		}
		for want, values := range map[int64]Values{
			dollar[0]: {"partner_id": 1, "currency_id": euro[0]},
			euro[0]:   {"partner_id": 1, "pricelist_id": pricelist, "currency_id": dollar[0]},
		} {
			id, err := erp.Create("sale.order", values)
			if err != nil {
				t.Fatal(err)
			}
			if read, _ := erp.Read("sale.order", id, "currency_id"); read["currency_id"] != want {
				t.Errorf("Odoo %d: %v gives %v", version, values, read)
			}
		}
	}
}

// Fiscal positions: found by country, mapping a product's taxes.
func TestFiscalPosition(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		erp := New(Options{Version: version})
		germany, err := erp.Search("res.country", []any{[]any{"code", "=", "DE"}})
		if err != nil {
			t.Fatal(err)
		}
		must := func(model string, values Values) int64 {
			t.Helper()
			id, err := erp.Create(model, values)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		export := Values{"name": "0 %", "amount": 0}
		position := Values{"name": "Export", "auto_apply": true, "country_id": germany[0]}
		var tax, id int64
		if version == 18 {
			tax = must("account.tax", export)
			position["tax_ids"] = []any{[]any{0, 0, Values{"tax_src_id": 1, "tax_dest_id": tax}}}
			id = must("account.fiscal.position", position)
		} else {
			export["original_tax_ids"] = []int64{1}
			tax = must("account.tax", export)
			position["tax_ids"] = []int64{tax}
			id = must("account.fiscal.position", position)
		}
		partner := must("res.partner", Values{"name": "Jens", "country_id": germany[0]})
		order := must("sale.order", Values{"partner_id": partner, "order_line": []any{[]any{0, 0, Values{"product_id": 4}}}})
		read, err := erp.Read("sale.order", order, "fiscal_position_id", "amount_tax", "order_line")
		if err != nil || read["fiscal_position_id"] != id || !same(read["amount_tax"], Amount("0")) {
			t.Errorf("Odoo %d: %v %v", version, read, err)
		}
		line, err := erp.Read("sale.order.line", read["order_line"].([]int64)[0], erp.taxesField())
		if err != nil || !same(line[erp.taxesField()], []int64{tax}) {
			t.Errorf("Odoo %d: %v %v", version, line, err)
		}
	}
}
