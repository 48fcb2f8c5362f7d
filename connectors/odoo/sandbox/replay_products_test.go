package sandbox

import (
	"slices"
	"testing"
)

// productsOf18 are the gaps of recordings 440 to 532 of 18.
func productsOf18() steps {
	return steps{
		"473": func(t *testing.T, p *replay) {
			p.add(t, "stock.move", Values{
				"name": "x", "product_id": p.here("product.product", 10), "product_uom_qty": 1,
				"location_id": p.here("stock.location", 8), "location_dest_id": p.find(t, "stock.location", "complete_name", "Partners/Customers"),
			})
		},
		"530": func(t *testing.T, p *replay) {
			// It is counted, then one is delivered, then the count is applied.
			p.set(t, "stock.quant", 1, Values{"inventory_quantity": 20})
			p.soldOnce(t, 4)
		},
	}
}

// soldOnce sells and delivers one of a product.
func (p *replay) soldOnce(t *testing.T, product int64) {
	t.Helper()
	order := p.ordered(t, product)
	picking := p.only(t, "stock.picking", "sale_id", order)
	for _, r := range p.erp.tables["stock.move"].rows {
		if r.ref("picking_id") == picking {
			p.change(t, "stock.move", r.id, Values{"quantity": 1, "picked": true})
		}
	}
	if _, err := p.erp.Call("stock.picking", "button_validate", []int64{picking}, Values{"skip_sms": true}); err != nil {
		t.Fatal(err)
	}
}

// loadingOf18 are the gaps of recordings 600 to 636 of 18.
func loadingOf18() steps {
	return steps{
		"634": func(t *testing.T, p *replay) {
			if err := p.erp.Unlink("res.partner", []int64{p.here("res.partner", 14)}); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// productsOf19 are the gaps of recordings 448 to 490 of 19.
func productsOf19() steps {
	return steps{
		"448": func(t *testing.T, p *replay) {
			quants, err := p.erp.Search("stock.quant", []any{[]any{"product_id", "=", p.here("product.product", 3)}})
			if err != nil || len(quants) != 1 {
				t.Fatal(quants, err)
			}
			p.change(t, "stock.quant", quants[0], Values{"quantity": 96})
			p.soldOnce(t, 3)
			p.ordered(t, 3)
		},
		"488": func(t *testing.T, p *replay) {
			order := p.ordered(t, 2)
			context := Values{"active_model": "sale.order", "active_ids": []any{order}}
			wizard, err := p.erp.createIn("sale.advance.payment.inv", Values{"advance_payment_method": "delivered"}, context)
			if err == nil {
				_, err = p.erp.Call("sale.advance.payment.inv", "create_invoices", []int64{wizard}, context)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		"454": func(t *testing.T, p *replay) {
			p.learn("ir.model", 595, p.find(t, "ir.model", "model", "product.template"))
		},
	}
}

// readsOf19 are the gaps of recordings 001 to 039 of 19.
func readsOf19() steps {
	return steps{
		"001": func(t *testing.T, p *replay) {
			drafts, err := p.erp.Search("sale.order", nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.erp.Unlink("sale.order", drafts); err != nil {
				t.Fatal(err)
			}
			p.make(t, "res.partner", 9, Values{"name": "J2 A"})
			// Both orders came to 4.80.
			order := p.ordered(t, 4)
			for _, r := range p.erp.tables["sale.order.line"].rows {
				if r.ref("order_id") == order {
					p.change(t, "sale.order.line", r.id, Values{"product_uom_qty": 2})
				}
			}
		},
	}
}

// errorsOf18 and errorsOf19 give another product the barcode that is then refused.
func errorsOf18() steps {
	return steps{
		"043": func(t *testing.T, p *replay) { p.set(t, "product.product", 11, Values{"barcode": "5901234123457"}) },
		"050": func(t *testing.T, p *replay) {
			p.add(t, "product.template", Values{"name": "Dup SKU", "default_code": "MUG-001"})
		},
	}
}

func errorsOf19() steps {
	return steps{
		"094": func(t *testing.T, p *replay) { p.set(t, "product.product", 8, Values{"barcode": "5901234123457"}) },
	}
}

// ordered makes a confirmed order for one of a product.
func (p *replay) ordered(t *testing.T, product int64) int64 {
	t.Helper()
	order := p.add(t, "sale.order", Values{"partner_id": 3})
	p.add(t, "sale.order.line", Values{"order_id": order, "product_id": p.here("product.product", product), "product_uom_qty": 1})
	if _, err := p.erp.Call("sale.order", "action_confirm", []int64{order}, nil); err != nil {
		t.Fatal(err)
	}
	return order
}

// pinnedOf19 are the gaps of recordings 500 to 515 of 19.
func pinnedOf19() steps {
	return steps{
		"504": func(t *testing.T, p *replay) {
			p.learn("stock.picking", 16, p.only(t, "stock.picking", "sale_id", p.here("sale.order", 20)))
		},
		"505": func(t *testing.T, p *replay) {
			p.wizard(t, "sale.advance.payment.inv", 6, Values{"advance_payment_method": "delivered"}, "sale.order", 20)
			p.erp.sequences["INV/2026"] = 2
		},
		"509": func(t *testing.T, p *replay) {
			p.wizard(t, "account.move.reversal", 2, Values{
				"journal_id": p.find(t, "account.journal", "code", "INV"), "reason": "x",
			}, "account.move", 8)
			p.erp.sequences["RINV/2026"] = 1
		},
		"511": func(t *testing.T, p *replay) {
			credit := p.here("account.move", 9)
			for i, line := range p.productLines(credit) {
				p.learn("account.move.line", 35+int64(i), line)
			}
		},
	}
}

// productLines are the lines of an invoice that sell something.
func (p *replay) productLines(invoice int64) []int64 {
	var ids []int64
	for _, r := range p.erp.tables["account.move.line"].rows {
		if r.ref("move_id") == invoice && r.text("display_type") == "product" {
			ids = append(ids, r.id)
		}
	}
	slices.Sort(ids)
	return ids
}
