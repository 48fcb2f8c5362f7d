package sandbox

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// steps are what happened between the recordings, by the number of the one that
// comes next: the servers were brought into the next state by calls that were
// not recorded.
type steps map[string]func(*testing.T, *replay)

// make makes a record and learns its recorded id.
func (p *replay) make(t *testing.T, model string, recorded int64, values Values) {
	t.Helper()
	p.learn(model, recorded, p.add(t, model, values))
}

// ask calls a method on a record by its recorded id.
func (p *replay) ask(t *testing.T, model, method string, recorded int64, context Values) {
	t.Helper()
	if _, err := p.erp.Call(model, method, []int64{p.here(model, recorded)}, context); err != nil {
		t.Fatalf("%s.%s on %d: %v", model, method, recorded, err)
	}
}

// set writes a record by its recorded id.
func (p *replay) set(t *testing.T, model string, recorded int64, values Values) {
	t.Helper()
	p.change(t, model, p.here(model, recorded), values)
}

// stock puts quantities of products, by their recorded ids, on the shelf.
func (p *replay) stock(t *testing.T, quantities map[int64]int) {
	t.Helper()
	shelf := p.find(t, "stock.location", "complete_name", "WH/Stock")
	for _, recorded := range slices.Sorted(maps.Keys(quantities)) {
		p.add(t, "stock.quant", Values{"product_id": p.here("product.product", recorded), "location_id": shelf, "quantity": quantities[recorded]})
	}
}

// sell makes an order of lines (product, quantity, price) under recorded ids and
// confirms it. The moves of its delivery get the recorded ids that follow move.
func (p *replay) sell(t *testing.T, order, line, move, picking int64, reference string, lines ...[3]int64) {
	t.Helper()
	customer := int64(8)
	if p.erp.latest() {
		customer = 25
	}
	p.make(t, "sale.order", order, Values{
		"partner_id": p.here("res.partner", customer), "partner_invoice_id": p.here("res.partner", customer+1),
		"partner_shipping_id": p.here("res.partner", customer+2),
		"client_order_ref":    reference,
	})
	for i, l := range lines {
		p.make(t, "sale.order.line", line+int64(i), Values{
			"order_id": p.here("sale.order", order), "product_id": p.here("product.product", l[0]), "product_uom_qty": l[1], "price_unit": l[2],
		})
	}
	p.ask(t, "sale.order", "action_confirm", order, nil)
	for i := range lines {
		moves, err := p.erp.Search("stock.move", []any{[]any{"sale_line_id", "=", p.here("sale.order.line", line+int64(i))}})
		if err != nil || len(moves) != 1 {
			t.Fatalf("moves of order %d: %v %v", order, moves, err)
		}
		p.learn("stock.move", move+int64(i), moves[0])
	}
	p.learn("stock.picking", picking, p.only(t, "stock.picking", "sale_id", p.here("sale.order", order)))
}

// stockOf18 is the shop of recordings 220 to 429, with its shelves as full as
// they were.
func stockOf18(t *testing.T, p *replay) {
	t.Helper()
	catalogueOf18(t, p)
	p.set(t, "product.product", 4, Values{"list_price": 13})
}

// catalogueOf18 is the whole shop of 18 as it was seeded.
func catalogueOf18(t *testing.T, p *replay) {
	t.Helper()
	p.common(t)
	p.change(t, "res.partner", 1, Values{"name": "Odoo18 Shop", "email": "shop@example.test"})
	p.change(t, "res.company", 1, Values{"name": "Odoo18 Shop"})
	vat := p.add(t, "account.tax.group", Values{"name": "VAT 20%"})
	p.learn("account.tax.group", 2, vat)
	for i, values := range []Values{
		{"name": "20% VAT", "amount": 20, "price_include_override": "tax_excluded"},
		{"name": "20% VAT incl.", "amount": 20, "price_include_override": "tax_included"},
		{"name": "0% Export", "amount": 0, "price_include_override": "tax_excluded"},
	} {
		p.make(t, "account.tax", int64(i)+3, with(values, "tax_group_id", vat))
	}
	p.make(t, "account.fiscal.position", 1, Values{"name": "Export (tax exempt)"})
	for id, recorded := range []int64{1, 3} {
		p.make(t, "account.fiscal.position.tax", int64(id)+1, Values{
			"position_id": p.here("account.fiscal.position", 1), "tax_src_id": p.here("account.tax", recorded), "tax_dest_id": p.here("account.tax", 5),
		})
	}
	p.learn("account.tax", 1, 1)
	ours := []int64{p.known["account.tax"][3]}
	for id := range int64(7) {
		p.learn("product.product", id+1, id+1)
		p.learn("product.template", id+1, id+1)
		p.set(t, "product.product", id+1, Values{"taxes_id": ours})
	}
	for recorded, values := range map[int64]Values{
		4: {"standard_price": 4, "weight": "0.35"}, 5: {"standard_price": 7, "weight": "0.1", "description_sale": "Baseball Cap (sale description)"},
		6: {"standard_price": 11, "weight": "0.4"}, 7: {"description_sale": "Ball Pen (sale description)"},
	} {
		p.set(t, "product.product", recorded, values)
	}
	p.make(t, "product.product", 8, Values{"name": "Notebook A5", "default_code": "NOTE-001", "is_storable": true, "list_price": 4, "taxes_id": ours})
	p.make(t, "product.product", 9, Values{"name": "Poster 50x70", "default_code": "POSTER-001", "is_storable": true, "list_price": 12, "taxes_id": ours})
	p.shirts(t, 10, 10, ours)
	p.stock(t, map[int64]int{4: 100, 5: 50, 6: 40, 7: 500, 8: 200, 9: 25, 10: 10, 11: 10, 12: 10, 13: 10})
}

// shirts makes the T-shirts: two colours, two sizes. Their template has a recorded
// id, their variants those that follow first.
func (p *replay) shirts(t *testing.T, template, first int64, taxes []int64) {
	t.Helper()
	for i, name := range []string{"Color", "Size"} {
		p.make(t, "product.attribute", int64(i)+1, Values{"name": name})
	}
	for id, name := range []string{"Red", "Blue", "S", "M"} {
		p.make(t, "product.attribute.value", int64(id)+1, Values{"name": name, "attribute_id": p.here("product.attribute", int64(id/2)+1)})
	}
	line := func(attribute, value int64) any {
		values := []int64{p.here("product.attribute.value", value), p.here("product.attribute.value", value+1)}
		return []any{int64(0), int64(0), Values{"attribute_id": p.here("product.attribute", attribute), "value_ids": []any{[]any{int64(6), int64(0), toAny(values)}}}}
	}
	p.make(t, "product.template", template, Values{
		"name": "T-Shirt", "type": "consu", "is_storable": true, "list_price": 20, "taxes_id": taxes, "attribute_line_ids": []any{line(1, 1), line(2, 3)},
	})
	variants, err := p.erp.Search("product.product", []any{[]any{"product_tmpl_id", "=", p.here("product.template", template)}})
	if err != nil || len(variants) != 4 {
		t.Fatal(variants, err)
	}
	slices.Sort(variants)
	for i, code := range []string{"TEE-RED-S", "TEE-RED-M", "TEE-BLUE-S", "TEE-BLUE-M"} {
		p.learn("product.product", int64(i)+first, variants[i])
		p.change(t, "product.product", variants[i], Values{"default_code": code})
	}
}

// sellingOf18 are the gaps of recordings 220 to 429 of 18.
func sellingOf18() steps {
	return steps{
		"258": func(t *testing.T, p *replay) {
			p.set(t, "sale.order.line", 1, Values{"product_uom_qty": 3, "price_unit": 11})
		},
		"295": func(t *testing.T, p *replay) {
			p.sell(t, 6, 11, 14, 3, "1004", [3]int64{8, 5, 4}, [3]int64{5, 5, 19})
			p.set(t, "stock.move", 14, Values{"quantity": 2, "picked": true})
			p.set(t, "stock.move", 15, Values{"quantity": 2, "picked": true})
		},
		"297": func(t *testing.T, p *replay) {
			p.set(t, "stock.move", 16, Values{"quantity": 1, "picked": true})
		},
		"301": func(t *testing.T, p *replay) { p.sell(t, 7, 13, 18, 5, "1005", [3]int64{9, 1000, 12}) },
		"305": func(t *testing.T, p *replay) { p.sell(t, 8, 14, 19, 6, "1006", [3]int64{9, 1, 12}) },
		"344": func(t *testing.T, p *replay) {
			p.sell(t, 9, 15, 20, 7, "1007", [3]int64{5, 5, 20})
			p.wizard(t, "sale.advance.payment.inv", 3, Values{"advance_payment_method": "delivered"}, "sale.order", 9)
		},
		"345": func(t *testing.T, p *replay) { p.ask(t, "account.move", "action_post", 3, nil) },
		"359": func(t *testing.T, p *replay) {
			p.wizard(t, "account.payment.register", 3, Values{"journal_id": p.find(t, "account.journal", "code", "BNK1")}, "account.move", 5)
		},
		"364": func(t *testing.T, p *replay) {
			p.wizard(t, "account.move.reversal", 2, Values{"journal_id": p.find(t, "account.journal", "code", "INV")}, "account.move", 3)
		},
		"380": func(t *testing.T, p *replay) {
			// One goods receipt came before the first return.
			p.learn("stock.picking", 8, p.add(t, "stock.picking", Values{"picking_type_id": p.receipts(t)}))
		},
		"400": func(t *testing.T, p *replay) {
			p.sell(t, 10, 16, 22, 10, "1008", [3]int64{8, 1, 4})
			p.ask(t, "stock.picking", "button_validate", 10, nil)
			p.learn("confirm.stock.sms", 2, p.newest(t, "confirm.stock.sms"))
		},
	}
}

// stockOf19 is the shop of 19 with its shelves as full as they were. The products
// that the sandbox begins with stand for the recorded ones.
func stockOf19(t *testing.T, p *replay) {
	t.Helper()
	shopOf19(t, p)
	ours := []int64{p.known["account.tax"][5]}
	for i, values := range []Values{
		{"default_code": "Delivery_007", "name": "Standard delivery"},
		{"default_code": "MUG-001", "name": "Coffee Mug", "list_price": 12, "type": "consu", "is_storable": true},
		{"default_code": "CAP-001", "name": "Cap", "list_price": 20, "type": "consu", "is_storable": true},
		{"default_code": "PEN-001", "name": "Pen", "list_price": 2, "type": "consu", "is_storable": true},
		{"default_code": "NOTE-001", "name": "Notebook", "list_price": 4, "type": "consu", "is_storable": true},
		{"default_code": "SHIP-FLAT", "name": "Flat rate shipping", "list_price": 5, "type": "service", "is_storable": false},
		{"default_code": "DISCOUNT", "name": "Discount", "list_price": 1, "type": "service", "is_storable": false},
	} {
		id := int64(i) + 1
		if made := p.known["product.product"][id]; made != 0 && made != id {
			if err := p.erp.Unlink("product.product", []int64{made}); err != nil {
				t.Fatal(err)
			}
		}
		p.learn("product.product", id, id)
		p.learn("product.template", id, id)
		p.now = p.now.Add(time.Second)
		p.change(t, "product.product", id, with(values, "taxes_id", ours))
	}
	for _, recorded := range []int64{8, 10} {
		if err := p.erp.Unlink("product.product", []int64{p.known["product.product"][recorded]}); err != nil {
			t.Fatal(err)
		}
	}
	p.shirts(t, 8, 8, ours)
	p.stock(t, map[int64]int{2: 100, 3: 100, 4: 100, 5: 25, 8: 10, 10: 10})
}

// sellingOf19 are the gaps of recordings 240 to 444 of 19.
func sellingOf19() steps {
	return steps{
		"291": func(t *testing.T, p *replay) {
			p.learn("stock.picking", 3, p.only(t, "stock.picking", "sale_id", p.here("sale.order", 7)))
		},
		"320": func(t *testing.T, p *replay) {
			p.set(t, "sale.order.line", 3, Values{"product_uom_qty": 3, "price_unit": 11})
			p.erp.sequences["WH/OUT/"] = 4
		},
		"410": func(t *testing.T, p *replay) { p.erp.sequences["WH/IN/"]++ },
		"425": func(t *testing.T, p *replay) {
			p.make(t, "sale.order", 6, Values{"partner_id": p.here("res.partner", 25)})
			p.sell(t, 17, 22, 23, 13, "1007", [3]int64{4, 2, 2})
		},
		"292": func(t *testing.T, p *replay) {
			p.wizard(t, "sale.advance.payment.inv", 1, Values{"advance_payment_method": "delivered"}, "sale.order", 7)
		},
		"350": func(t *testing.T, p *replay) {
			p.sell(t, 14, 18, 16, 7, "1004", [3]int64{4, 5, 2}, [3]int64{3, 5, 20})
			p.set(t, "stock.move", 16, Values{"quantity": 2, "picked": true})
			p.set(t, "stock.move", 17, Values{"quantity": 2, "picked": true})
		},
		"352": func(t *testing.T, p *replay) {
			p.set(t, "stock.move", 18, Values{"quantity": 1, "picked": true})
		},
		"356": func(t *testing.T, p *replay) { p.sell(t, 15, 20, 20, 9, "1005", [3]int64{5, 1000, 12}) },
		"358": func(t *testing.T, p *replay) { p.sell(t, 16, 21, 21, 10, "1006", [3]int64{5, 1, 12}) },
		"397": func(t *testing.T, p *replay) {
			p.wizard(t, "account.payment.register", 2, Values{"journal_id": p.find(t, "account.journal", "code", "BNK1")}, "account.move", 4)
		},
	}
}

// wizard makes a wizard for a record and learns its recorded id.
func (p *replay) wizard(t *testing.T, model string, recorded int64, values Values, activeModel string, active int64) {
	t.Helper()
	id, err := p.erp.createIn(model, values, Values{
		"active_model": activeModel, "active_ids": []any{p.here(activeModel, active)}, "active_id": p.here(activeModel, active),
	})
	if err != nil {
		t.Fatalf("%s: %v", model, err)
	}
	p.learn(model, recorded, id)
}

// createIn creates a record with a context, as a client would.
func (e *ERP) createIn(model string, values, context Values) (int64, error) {
	var id int64
	err := e.within(func(tx *transaction) (err error) {
		tx.context = context
		id, err = tx.create(tx.must(model), values)
		return err
	})
	return id, err
}

// only finds the one record that points to another.
func (p *replay) only(t *testing.T, model, field string, id int64) int64 {
	t.Helper()
	ids, err := p.erp.Search(model, []any{[]any{field, "=", id}})
	if err != nil || len(ids) != 1 {
		t.Fatalf("%s of %d: %v %v", model, id, ids, err)
	}
	return ids[0]
}

func (p *replay) newest(t *testing.T, model string) int64 {
	t.Helper()
	ids, err := p.erp.Search(model, nil)
	if err != nil || len(ids) == 0 {
		t.Fatalf("%s: %v %v", model, ids, err)
	}
	return slices.Max(ids)
}

func (p *replay) receipts(t *testing.T) int64 {
	t.Helper()
	ids, err := p.erp.Search("stock.picking.type", []any{[]any{"code", "=", "incoming"}})
	if err != nil || len(ids) == 0 {
		t.Fatal(ids, err)
	}
	return ids[0]
}
