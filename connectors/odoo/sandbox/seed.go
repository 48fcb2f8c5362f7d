package sandbox

import (
	"embed"
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// Codes of countries (ISO 3166-1), their states as Odoo codes them, and
// currencies (ISO 4217) with their rounding.
//
//go:embed data/*.csv
var data embed.FS

// seeder makes records until the first error.
type seeder struct {
	tx  *transaction
	err error
}

func (s *seeder) add(name string, values Values) int64 {
	if s.err != nil {
		return 0
	}
	id, err := s.tx.create(s.tx.must(name), values)
	if err != nil {
		s.err = fmt.Errorf("%s %v: %w", name, values, err)
	}
	return id
}

func (s *seeder) rows(file string, use func(record []string)) {
	if s.err != nil {
		return
	}
	f, err := data.Open("data/" + file)
	if err != nil {
		s.err = err
		return
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		s.err = fmt.Errorf("%s: %w", file, err)
		return
	}
	for _, record := range records {
		use(record)
	}
}

// seed makes the records of a fresh installation with a chart of accounts for
// the United States, and some products to sell.
func (e *ERP) seed(tx *transaction) error {
	s := &seeder{tx: tx}
	e.seedBase(s)
	e.seedCompany(s)
	e.seedAccounts(s)
	e.seedProducts(s)
	e.seedModels(s)
	return s.err
}

func (e *ERP) seedBase(s *seeder) {
	s.add("res.lang", Values{"name": "English (US)", "code": "en_US", "iso_code": "en", "active": true})
	for _, name := range []string{
		"account", "base_automation", "contacts", "delivery", "product", "sale", "sale_management", "sale_stock", "stock", "stock_delivery",
	} {
		s.add("ir.module.module", Values{
			"name": name, "shortdesc": name, "state": "installed",
			"installed_version": fmt.Sprintf("%d.0.1.0", e.options.Version),
		})
	}
	places := map[string]int{productPrice: e.options.ProductPriceDigits}
	for _, name := range []string{productPrice, "Discount", "Stock Weight", "Volume", e.quantityPrecision()} {
		n := 2
		if given, ok := places[name]; ok {
			n = given
		}
		s.add("decimal.precision", Values{"name": name, "digits": n})
	}
	currencies := map[string]int64{}
	s.rows("currencies.csv", func(r []string) {
		currencies[r[0]] = s.add("res.currency", Values{
			"name": r[0], "full_name": r[1], "symbol": r[2], "rounding": r[3], "position": r[4],
			// A fresh installation uses these two, and the company's own.
			"active": r[0] == "USD" || r[0] == "EUR" || r[0] == e.options.Currency,
		})
	})
	if s.err == nil && currencies[e.options.Currency] == 0 {
		s.err = fmt.Errorf("there is no currency %q", e.options.Currency)
	}
	countries := map[string]int64{}
	s.rows("countries.csv", func(r []string) {
		countries[r[0]] = s.add("res.country", Values{
			"code": r[0], "name": r[1], "currency_id": currencies[r[2]],
			"state_required": r[3] == "x", "zip_required": r[4] == "x",
		})
		// Countries are known by their codes: base.us (odoo18/605).
		if s.err == nil {
			s.tx.insert(s.tx.must("ir.model.data"), Values{
				"module": "base", "name": strings.ToLower(r[0]), "model": "res.country", "res_id": countries[r[0]], "noupdate": false,
			})
		}
	})
	s.rows("states.csv", func(r []string) {
		s.add("res.country.state", Values{"country_id": countries[r[0]], "code": r[1], "name": r[2]})
	})
}

func (s *seeder) find(name, field, value string) int64 {
	if s.err != nil {
		return 0
	}
	for _, r := range s.tx.all(s.tx.must(name)) {
		if r.text(field) == value {
			return r.id
		}
	}
	s.err = fmt.Errorf("no %s with %s %q", name, field, value)
	return 0
}

// seedCompany makes the company and its users. The company comes before its
// partner in the database's keys, the partner before the company in ids, so the
// partner is written into it afterwards.
func (e *ERP) seedCompany(s *seeder) {
	us := s.find("res.country", "code", "US")
	own := s.add("res.partner", Values{"name": "My Company", "is_company": true, "country_id": us, "email": "info@company.example"})
	bot := s.add("res.partner", Values{"name": "OdooBot", "active": false, "email": "odoobot@company.example"})
	admin := s.add("res.partner", Values{"name": "Administrator", "email": "admin@company.example"})
	s.add("res.company", Values{
		"name": "My Company", "partner_id": own, "country_id": us, "account_fiscal_country_id": us,
		"currency_id":                     s.find("res.currency", "name", e.options.Currency),
		"tax_calculation_rounding_method": e.options.RoundingMethod,
	})
	s.add("res.users", Values{"login": "__system__", "partner_id": bot, "active": false})
	s.add("res.users", Values{"login": e.options.Login, "partner_id": admin})
	s.add("crm.team", Values{"name": "Sales", "company_id": companyID})
	for _, kind := range []string{"Discussions", "Note"} {
		id := s.add("mail.message.subtype", Values{"name": kind, "internal": kind == "Note"})
		if s.err == nil {
			s.tx.insert(s.tx.must("ir.model.data"), Values{
				"module": "mail", "name": map[string]string{"Discussions": "mt_comment", "Note": "mt_note"}[kind],
				"model": "mail.message.subtype", "res_id": id, "noupdate": true,
			})
		}
	}
	e.seedPlaces(s)
	s.add("stock.warehouse", Values{"name": "My Company", "code": "WH"})
	if !e.latest() {
		s.add("product.pricelist", Values{"name": "Default"})
	}
}

// seedPlaces makes the locations outside of a warehouse. Before 19 they lie in
// views that show in their names.
func (e *ERP) seedPlaces(s *seeder) {
	var partners, virtual int64
	if !e.latest() {
		partners = s.add("stock.location", Values{"name": "Partners", "usage": "view"})
		virtual = s.add("stock.location", Values{"name": "Virtual Locations", "usage": "view"})
	}
	s.add("stock.location", Values{"name": "Vendors", "usage": "supplier", "location_id": partners})
	s.add("stock.location", Values{"name": "Customers", "usage": "customer", "location_id": partners})
	s.add("stock.location", Values{"name": "Inventory adjustment", "usage": "inventory", "location_id": virtual})
}

func (e *ERP) seedAccounts(s *seeder) {
	fifteen := s.add("account.tax.group", Values{"name": "Tax 15%"})
	sale := s.add("account.tax", Values{"name": "15%", "amount": 15, "tax_group_id": fifteen})
	s.add("account.tax", Values{"name": "15%", "amount": 15, "tax_group_id": fifteen, "type_tax_use": "purchase"})
	if s.err == nil {
		s.err = s.tx.write(s.tx.must("res.company"), []int64{companyID}, Values{"account_sale_tax_id": sale})
	}
	for _, journal := range [][3]string{
		{e.label("Customer Invoices", "Sales"), "INV", "sale"}, {"Vendor Bills", "BILL", "purchase"},
		{"Miscellaneous Operations", "MISC", "general"}, {"Exchange Difference", "EXCH", "general"},
		{"Cash Basis Taxes", "CABA", "general"}, {"Bank", "BNK1", "bank"}, {"Cash", "CSH1", "cash"},
	} {
		id := s.add("account.journal", Values{"name": journal[0], "code": journal[1], "type": journal[2]})
		if journal[2] == "bank" || journal[2] == "cash" {
			for _, kind := range []string{"inbound", "outbound"} {
				s.add("account.payment.method.line", Values{"name": "Manual Payment", "journal_id": id, "payment_type": kind})
			}
		}
	}
	for _, account := range [][3]string{
		{"121000", "Account Receivable", "asset_receivable"}, {"400000", "Product Sales", "income"},
		{"101403", "Outstanding Receipts", "asset_current"}, {"101404", "Outstanding Payments", "asset_current"},
	} {
		s.add("account.account", Values{"code": account[0], "name": account[1], "account_type": account[2]})
	}
	s.add("account.payment.term", Values{"name": "Immediate Payment"})
}

func (e *ERP) seedProducts(s *seeder) {
	s.add("uom.uom", Values{"name": "Units"})
	s.add("product.category", Values{"name": "All"})
	product := func(code, name, kind, price string) int64 {
		return s.add("product.product", Values{
			"default_code": code, "name": name, "type": kind, "list_price": decimal.RequireFromString(price),
			"is_storable": kind == "consu",
		})
	}
	standard := product("Delivery_007", "Standard delivery", "service", "0")
	if s.err == nil {
		// The app's own product is none that is sold (odoo18/152, odoo19/002).
		s.err = s.tx.write(s.tx.must("product.product"), []int64{standard}, Values{"sale_ok": false})
	}
	flat := product("SHIP-FLAT", "Shipping", "service", "5")
	product("DISCOUNT", "Discount", "service", "0")
	product("MUG-001", "Coffee Mug", "consu", "12.5")
	product("CAP-001", "Baseball Cap", "consu", "19.9")
	product("BAG-001", "Canvas Bag", "consu", "29")
	product("PEN-001", "Ball Pen", "consu", "2.99")
	s.add("delivery.carrier", Values{"name": "Standard delivery", "product_id": standard})
	s.add("delivery.carrier", Values{"name": "Flat rate", "product_id": flat, "fixed_price": 5})
}
