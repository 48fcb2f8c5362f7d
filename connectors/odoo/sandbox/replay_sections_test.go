package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// section is a run of recordings that belong together and are replayed in order.
type section struct {
	folder string
	// files are the numbers of the recordings: "220-245 258".
	files string
	setup func(*testing.T, *replay)
	// dates are compared as well: the clock stands where setup put it. Else it
	// stands at the moment of each recording.
	dates bool
	// gaps are what happened between the recordings.
	gaps func() steps
}

var sections = map[string]section{
	"errors of 18":                 {folder: "odoo18", files: "015-037 044 047-049 060 063", setup: shopOf18},
	"more errors of 18":            {folder: "odoo18", files: "043 045-046 050", setup: catalogueOf18, gaps: errorsOf18},
	"more errors of 19":            {folder: "odoo19", files: "094", setup: stockOf19, gaps: errorsOf19},
	"cursors of 18":                {folder: "odoo18", files: "161-169", setup: cursorsOf18, dates: true},
	"lists, master data of 18":     {folder: "odoo18", files: "150-160 170-182 184-191", setup: catalogueOf18},
	"orders to returns of 18":      {folder: "odoo18", files: "220-249 258-309 325-368 380-392 400-429", setup: stockOf18, gaps: sellingOf18},
	"cancelled, locked orders: 18": {folder: "odoo18", files: "403-408 410-411 415-424 426-429", setup: ordersOf18},
	"products, stock of 18":        {folder: "odoo18", files: "440-482 500-531", setup: catalogueOf18, gaps: productsOf18},
	"bulk and external ids of 18":  {folder: "odoo18", files: "600-636", setup: catalogueOf18, gaps: loadingOf18},
	"reads and writes of 19":       {folder: "odoo19", files: "001-009 011-014 016-025 026-028 030 032-033 037-038", setup: stockOf19, gaps: readsOf19},
	"errors of 19":                 {folder: "odoo19", files: "077 081-091 095-106", setup: shopOf19},
	"over JSON-RPC to 19":          {folder: "odoo19", files: "168-169 171-175 177", setup: shopOf19},
	"partners, orders, pins of 19": {folder: "odoo19", files: "240-259 263-290", setup: shopOf19},
	"orders to returns of 19":      {folder: "odoo19", files: "240-298 320-361 375-401 410-420 425-444", setup: stockOf19, gaps: sellingOf19},
	"more pins of 19":              {folder: "odoo19", files: "500-503 516-527 529-531", setup: shopOf19},
	"a pinned order to its credit": {folder: "odoo19", files: "500-512 514-515", setup: stockOf19, gaps: pinnedOf19},
	"pins in another currency":     {folder: "odoo19", files: "590-594", setup: euroOf19},
	"cancelled, locked orders: 19": {folder: "odoo19", files: "425-429 431-444", setup: ordersOf19},
	"cursors of 19":                {folder: "odoo19", files: "470-475", setup: cursorsOf19, dates: true},
	"products, stock of 19":        {folder: "odoo19", files: "448-455 480-490", setup: stockOf19, gaps: productsOf19},
	"loads and external ids of 19": {folder: "odoo19", files: "570-576", setup: shopOf19},
}

// contains tells whether a number is among "001-014 020".
func contains(ranges, number string) bool {
	for part := range strings.FieldsSeq(ranges) {
		from, until, ranged := strings.Cut(part, "-")
		if number == from || ranged && from <= number && number <= until {
			return true
		}
	}
	return false
}

// shopOf18 makes the records that the recordings of 18 speak of.
func shopOf18(t *testing.T, p *replay) {
	t.Helper()
	p.common(t)
	vat := Values{"amount": 20, "price_include_override": "tax_excluded"}
	p.learn("account.tax", 3, p.add(t, "account.tax", with(vat, "name", "20% VAT")))
	vat["price_include_override"] = "tax_included"
	p.learn("account.tax", 4, p.add(t, "account.tax", with(vat, "name", "20% VAT incl.")))
	ours := p.known["account.tax"][3]
	for id, change := range map[int64]Values{
		4: {"list_price": 13}, 5: {"description_sale": "Baseball Cap (sale description)"}, 7: {"description_sale": "Ball Pen (sale description)"},
	} {
		p.change(t, "product.product", id, change)
	}
	for _, id := range []int64{1, 2, 3, 4, 5, 6, 7} {
		p.change(t, "product.product", id, Values{"taxes_id": []int64{ours}})
		p.learn("product.product", id, id)
	}
	p.learn("product.product", 10, p.add(t, "product.product", Values{"name": "T-Shirt (Red, S)", "default_code": "TEE-RED-S", "list_price": 15}))
	p.change(t, "res.partner", 1, Values{"name": "Odoo18 Shop"})
	p.change(t, "res.company", 1, Values{"name": "Odoo18 Shop"})
}

// ordersOf18 makes the orders that recordings 403 to 429 cancel and lock.
func ordersOf18(t *testing.T, p *replay) {
	t.Helper()
	shopOf18(t, p)
	for _, recorded := range []int64{1, 2, 3, 6, 7, 9} {
		p.order(t, recorded, recorded > 3)
	}
	p.line(t, 9, 15, Values{"product_uom_qty": 2})
	p.line(t, 6, 11, Values{"product_uom_qty": 3, "qty_delivered": 3})
	p.line(t, 6, 12, Values{"product_uom_qty": 2})
}

// ordersOf19 makes the orders that recordings 425 to 444 cancel and lock.
func ordersOf19(t *testing.T, p *replay) {
	t.Helper()
	shopOf19(t, p)
	for recorded, confirmed := range map[int64]bool{4: true, 5: false, 6: false, 15: true, 17: true, 18: true} {
		p.order(t, recorded, confirmed)
	}
	p.line(t, 17, 22, Values{"product_uom_qty": 2})
	p.line(t, 18, 18, Values{"product_uom_qty": 3, "qty_delivered": 3})
}

// cursorsOf18 writes a template at the moment that recordings 161 to 169 ask
// about; the answers show no part of a second, but there is one.
func cursorsOf18(t *testing.T, p *replay) {
	t.Helper()
	shopOf18(t, p)
	p.now = time.Date(2026, 11, 23, 9, 51, 3, 500_000_000, time.UTC)
	p.change(t, "product.template", 4, Values{"list_price": 13})
}

func cursorsOf19(t *testing.T, p *replay) {
	t.Helper()
	shopOf19(t, p)
	p.now = time.Date(2026, 11, 23, 11, 23, 45, 500_000_000, time.UTC)
	p.change(t, "product.template", 2, Values{"list_price": 12})
}

func euroOf19(t *testing.T, p *replay) {
	t.Helper()
	shopOf19(t, p)
	// The default pricelist is the first one.
	p.add(t, "product.pricelist", Values{"name": "Default"})
	euro := p.find(t, "res.currency", "name", "EUR")
	p.learn("res.currency", 126, euro)
	p.learn("product.pricelist", 2, p.add(t, "product.pricelist", Values{"name": "Euro", "currency_id": euro}))
}

// order makes an order under a recorded id.
func (p *replay) order(t *testing.T, recorded int64, confirmed bool) {
	t.Helper()
	id := p.add(t, "sale.order", Values{"partner_id": 1})
	p.learn("sale.order", recorded, id)
	if confirmed {
		if _, err := p.erp.Call("sale.order", "action_confirm", []int64{id}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *replay) line(t *testing.T, order, recorded int64, values Values) {
	t.Helper()
	values["order_id"], values["product_id"] = p.known["sale.order"][order], int64(4)
	p.learn("sale.order.line", recorded, p.add(t, "sale.order.line", values))
}

// shopOf19 makes the records that the recordings of 19 speak of.
func shopOf19(t *testing.T, p *replay) {
	t.Helper()
	p.common(t)
	p.learn("account.tax", 5, p.add(t, "account.tax", Values{"name": "20% VAT", "amount": 20}))
	p.learn("account.tax", 6, p.add(t, "account.tax", Values{"name": "20% VAT incl.", "amount": 20, "price_include_override": "tax_included"}))
	ours := []int64{p.known["account.tax"][5]}
	for recorded, values := range map[int64]Values{
		2: {"default_code": "MUG-001", "name": "Coffee Mug", "list_price": 12}, 3: {"default_code": "CAP-001", "name": "Cap", "list_price": 20},
		4: {"default_code": "PEN-001", "name": "Pen", "list_price": 2}, 6: {"default_code": "SHIP-FLAT", "name": "Flat rate shipping", "type": "service"},
		7: {"default_code": "DISCOUNT", "name": "Discount", "type": "service"}, 8: {"default_code": "TEE-RED-S", "name": "T-Shirt (Red, S)"},
		10: {"default_code": "TEE-BLUE-S", "name": "T-Shirt (Blue, S)"},
	} {
		p.learn("product.product", recorded, p.add(t, "product.product", with(values, "taxes_id", ours)))
	}
	// "Domestic" comes with the chart of accounts and has all its taxes.
	domestic := p.add(t, "account.fiscal.position", Values{
		"name": "Domestic", "auto_apply": true, "country_id": p.find(t, "res.country", "code", "US"), "tax_ids": ours,
	})
	p.learn("account.fiscal.position", 1, domestic)
	partner := p.add(t, "res.partner", Values{"name": "Jane Doe"})
	p.learn("res.partner", 25, partner)
	p.learn("sale.order", 4, p.add(t, "sale.order", Values{"partner_id": partner}))
	p.learn("sale.order", 5, p.add(t, "sale.order", Values{"partner_id": partner}))
	// The next numbers, as they were when the orders were recorded.
	p.erp.sequences["sale.order"] = 5
}

func (p *replay) common(t *testing.T) {
	t.Helper()
	p.learn("res.country", 233, p.find(t, "res.country", "code", "US"))
	for _, r := range p.erp.tables["res.country.state"].rows {
		if r.text("code") == "NY" && r.ref("country_id") == p.known["res.country"][233] {
			p.learn("res.country.state", 35, r.id)
		}
	}
	p.learn("res.partner", 1, 1)
	p.learn("res.partner", 3, 3)
	p.learn("res.currency", 1, p.find(t, "res.currency", "name", "USD"))
	shelf := int64(8)
	if p.erp.latest() {
		shelf = 5
	}
	p.learn("stock.location", shelf, p.find(t, "stock.location", "complete_name", "WH/Stock"))
}

func with(values Values, name string, value any) Values {
	out := Values{name: value}
	for key, item := range values {
		out[key] = item
	}
	return out
}

func (p *replay) add(t *testing.T, model string, values Values) int64 {
	t.Helper()
	id, err := p.erp.Create(model, values)
	if err != nil {
		t.Fatalf("%s %v: %v", model, values, err)
	}
	return id
}

func (p *replay) change(t *testing.T, model string, id int64, values Values) {
	t.Helper()
	if err := p.erp.Write(model, []int64{id}, values); err != nil {
		t.Fatalf("%s %v: %v", model, values, err)
	}
}

func (p *replay) find(t *testing.T, model, field, value string) int64 {
	t.Helper()
	ids, err := p.erp.Search(model, []any{[]any{field, "=", value}})
	if err != nil || len(ids) != 1 {
		t.Fatalf("%s %s: %v %v", model, value, ids, err)
	}
	return ids[0]
}

// The sandbox answers as the recorded servers did.
func TestReplay(t *testing.T) {
	t.Parallel()
	folder := recordings(t)
	for name, s := range sections {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.play(t, filepath.Join(folder, s.folder))
		})
	}
}

func (s section) play(t *testing.T, folder string) {
	t.Helper()
	version := 18
	if s.folder == "odoo19" {
		version = 19
	}
	p := newReplay(t, version)
	s.setup(t, p)
	gaps := steps{}
	if s.gaps != nil {
		gaps = s.gaps()
	}
	if !s.dates {
		p.changing = append(p.changing, "write_date", "date_order", "scheduled_date", "date", "date_done", "effective_date", "in_date")
	}
	played := 0
	for _, file := range numbered(t, folder) {
		if !contains(s.files, file[:3]) {
			continue
		}
		x := loadExchange(t, filepath.Join(folder, file))
		if !s.dates && x.at.After(p.now) {
			p.now = x.at
		}
		if before := gaps[file[:3]]; before != nil {
			before(t, p)
		}
		p.play(x)
		played++
	}
	if played == 0 {
		t.Error("no recording was played")
	}
}

// numbered lists the recordings of a folder in their order.
func numbered(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".json") && name[0] >= '0' && name[0] <= '9' {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
