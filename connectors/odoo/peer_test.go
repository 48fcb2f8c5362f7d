package odoo_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

// openReal connects to the real Odoo that the environment names, with some
// settings changed.
func openReal(t *testing.T, changed params) connectors.Connection {
	t.Helper()
	if os.Getenv("FLOWCTL_E2E") == "" || os.Getenv("FLOWCTL_ODOO_URL") == "" {
		t.Skip("SKIPPED: no real Odoo to compare with; set FLOWCTL_E2E=1 and FLOWCTL_ODOO_URL, _DB, _LOGIN, _API_KEY")
	}
	settings := params{
		"url": os.Getenv("FLOWCTL_ODOO_URL"), "database": os.Getenv("FLOWCTL_ODOO_DB"),
		"login": os.Getenv("FLOWCTL_ODOO_LOGIN"), "api_key": os.Getenv("FLOWCTL_ODOO_API_KEY"),
	}
	maps.Copy(settings, changed)
	connection, err := odoo.Connector{}.Open(connectors.Config{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return connection
}

// The shipped types are those a real Odoo answers with.
func TestTypesOfARealOdoo(t *testing.T) {
	b := &bench{t: t, connection: openReal(t, nil)}
	for _, model := range shippedModels {
		known := resultOf(t, "search_read", params{"model": model})
		for _, item := range b.call("search_read", params{"model": model, "limit": int64(5), "order": "id desc"})["records"].([]any) {
			for field, value := range item.(map[string]any) {
				if property, ok := known.Property(field); ok && !fits(property, value) {
					t.Errorf("%s.%s is %v (%T), not %s", model, field, value, value, property)
				}
			}
		}
	}
}

// A real Odoo does all that the simulated one does, over both protocols: with the
// API key over JSON-2, with the key as a password over JSON-RPC.
func TestScenariosOfARealOdoo(t *testing.T) {
	for protocol, settings := range map[string]params{
		"JSON-2":   {"push_secret": pushSecret},
		"JSON-RPC": {"push_secret": pushSecret, "api_key": nil, "password": os.Getenv("FLOWCTL_ODOO_API_KEY")},
	} {
		t.Run(protocol, func(t *testing.T) {
			b := &bench{t: t, connection: openReal(t, settings), called: &sync.Map{}}
			for name, run := range scenarios {
				t.Run(name, func(t *testing.T) {
					mine := *b
					mine.t = t
					run(t, &mine, strconv.FormatInt(time.Now().UnixNano(), 36))
				})
			}
			if missing := b.uncalled(); len(missing) > 0 {
				t.Errorf("no scenario calls %v", missing)
			}
		})
	}
}

// The flows' user need not be an administrator.
func TestFewRightsOfARealOdoo(t *testing.T) {
	b := &bench{t: t, connection: openReal(t, nil)}
	mark := strconv.FormatInt(time.Now().UnixNano(), 36)
	groups := []any{}
	for _, name := range []string{"base.group_user", "base.group_partner_manager", "sales_team.group_sale_salesman_all_leads",
		"product.group_product_manager", "stock.group_stock_user", "account.group_account_invoice"} {
		groups = append(groups, b.call("external.find", params{"model": "res.groups", "external_id": name})["ids"].([]any)...)
	}
	user := b.call("create", params{"model": "res.users", "values": params{
		"name": "Flows", "login": "flows_" + mark, "password": "pass-" + mark, "group_ids": groups}})["id"]
	t.Cleanup(func() {
		b.call("write", params{"model": "res.users", "id": user, "values": params{"active": false}})
	})
	few := &bench{t: t, connection: openReal(t, params{"login": "flows_" + mark, "api_key": nil, "password": "pass-" + mark})}
	createOnceWithFewRights(t, few, mark)
	for name, run := range scenarios {
		if strings.HasPrefix(name, "announcements") || name == "load" || name == "create once, with lines" {
			continue // they make rules of automation and taxes, which is for administrators
		}
		t.Run(name, func(t *testing.T) {
			mine := *few
			mine.t = t
			run(t, &mine, strconv.FormatInt(time.Now().UnixNano(), 36))
		})
	}
	for _, finding := range few.connection.(connectors.Checker).Check(t.Context(), connectors.Wanted{}) {
		if finding.Level == connectors.Fail {
			t.Errorf("the check fails: %s: %s", finding.Check, finding.Message)
		}
	}
}

// The simulated Odoo and a real one of version 19 compute the same orders to
// the cent. The real one is named by FLOWCTL_ODOO_URL and its like, and must be
// there to be thrown away: the test changes its company's rounding.
func TestAmountsOfARealOdoo(t *testing.T) {
	connection := openReal(t, nil)
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("FLOWCTL_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("FLOWCTL_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	b := &bench{t: t, connection: connection}
	before := b.call("get", params{"model": "res.company", "id": int64(1),
		"fields": list("tax_calculation_rounding_method")})["tax_calculation_rounding_method"]
	t.Cleanup(func() {
		b.call("write", params{"model": "res.company", "id": int64(1), "values": params{"tax_calculation_rounding_method": before}})
	})
	for _, method := range []string{"round_globally", "round_per_line"} {
		real := newPeer(t, &bench{t: t, connection: connection}, method, seed)
		simulated := newPeer(t, setup(t, sandbox.Options{Version: 19}), method, seed)
		for batch := range 8 {
			var plans []orderPlan
			for range 40 {
				plans = append(plans, planOrder(random))
			}
			want, got := real.compute(plans), simulated.compute(plans)
			for i := range plans {
				if want[i] != got[i] {
					t.Errorf("%s, batch %d: %s\nreal      %s\nsimulated %s", method, batch, plans[i], want[i], got[i])
				}
			}
		}
	}
}

// peerTaxes are made in both systems, in this order.
var peerTaxes = []params{
	{"amount": "20"}, {"amount": "20", "price_include_override": "tax_included"},
	{"amount": "5.5"}, {"amount": "5.5", "price_include_override": "tax_included"},
	{"amount": "8.25", "sequence": 2}, {"amount": "7", "price_include_override": "tax_included", "sequence": 3},
	{"amount": "5", "include_base_amount": true, "sequence": 0},
	{"amount": "9.975", "sequence": 5},
	{"amount": "10", "price_include_override": "tax_included", "include_base_amount": true, "sequence": 0},
	{"amount": "3", "is_base_affected": false, "sequence": 9},
	{"amount": "0.42", "amount_type": "fixed", "sequence": 4},
	{"amount": "1.1", "amount_type": "fixed", "price_include_override": "tax_included", "include_base_amount": true, "sequence": 0},
	{"amount": "12", "amount_type": "division", "sequence": 7},
	{"amount": "12", "amount_type": "division", "price_include_override": "tax_included", "sequence": 8},
	{"amount": "0"},
}

// peer is one of the two systems.
type peer struct {
	b          *bench
	taxes      []int64
	currencies map[string]int64
	pricelists map[string]any
	partner    any
	product    any
}

func newPeer(t *testing.T, b *bench, method string, seed uint64) *peer {
	t.Helper()
	p := &peer{b: b, currencies: map[string]int64{}, pricelists: map[string]any{}}
	mark := fmt.Sprintf("%d %s", seed, method)
	b.call("write", params{"model": "res.company", "id": int64(1), "values": params{"tax_calculation_rounding_method": method}})
	for i, values := range peerTaxes {
		made := params{"name": fmt.Sprintf("peer %d %s", i, mark), "amount": amount(values["amount"].(string))}
		for name, value := range values {
			switch v := value.(type) {
			case int:
				made[name] = int64(v)
			default:
				if name != "amount" {
					made[name] = v
				}
			}
		}
		p.taxes = append(p.taxes, b.call("create", params{"model": "account.tax", "values": made})["id"].(int64))
	}
	for _, code := range []string{"USD", "JPY", "KWD"} {
		found := b.call("search", params{"model": "res.currency", "domain": list(list("name", "=", code)), "context": params{"active_test": false}})
		p.currencies[code] = found["ids"].([]any)[0].(int64)
		b.call("write", params{"model": "res.currency", "id": p.currencies[code], "values": params{"active": true}})
		p.pricelists[code] = b.call("create", params{"model": "product.pricelist", "values": params{"name": mark + code, "currency_id": p.currencies[code]}})["id"]
	}
	p.partner = b.call("create", params{"model": "res.partner", "values": params{"name": "Peer " + mark}})["id"]
	p.product = b.call("create", params{"model": "product.product", "values": params{"name": "Peer " + mark, "type": "service"}})["id"]
	return p
}

// orderPlan is an order by places in peerTaxes, to be made in both systems.
type orderPlan struct {
	currency string
	lines    []linePlan
}

type linePlan struct {
	price, quantity, discount decimal.Decimal
	taxes                     []int
	pinned                    bool
	pinOff                    int64 // smallest units the pin is off by
	pinQuantity               decimal.Decimal
}

func (o orderPlan) String() string { return fmt.Sprintf("%s %+v", o.currency, o.lines) }

func planOrder(r *rand.Rand) orderPlan {
	o := orderPlan{currency: []string{"USD", "USD", "USD", "JPY", "KWD"}[r.IntN(5)]}
	common := r.Perm(len(peerTaxes))[:1+r.IntN(3)]
	for range 1 + r.IntN(8) {
		l := linePlan{
			price:    decimal.New(r.Int64N(20000), -int32(r.IntN(5))),
			quantity: decimal.New(1+r.Int64N(12), 0),
			discount: decimal.New([]int64{0, 0, 0, 10, 125, 3333}[r.IntN(6)], 0),
		}
		l.discount = map[bool]decimal.Decimal{true: l.discount.Shift(-2), false: l.discount}[l.discount.GreaterThan(decimal.New(100, 0))]
		if r.IntN(6) == 0 {
			l.price = l.price.Neg()
		}
		if r.IntN(10) == 0 {
			l.quantity = decimal.New(1+r.Int64N(500), -2)
		}
		switch r.IntN(6) {
		case 0:
		case 1:
			l.taxes = r.Perm(len(peerTaxes))[:1+r.IntN(3)]
		default:
			l.taxes = common
		}
		if r.IntN(4) == 0 {
			l.pinned, l.pinOff, l.pinQuantity = true, r.Int64N(5)-2, l.quantity
			if r.IntN(5) == 0 {
				l.pinQuantity = l.quantity.Add(decimal.New(1, 0))
			}
		}
		o.lines = append(o.lines, l)
	}
	return o
}

func (p *peer) line(currency string, l linePlan) params {
	taxes := list()
	for _, i := range l.taxes {
		taxes = append(taxes, p.taxes[i])
	}
	values := params{
		"product_id": p.product, "product_uom_qty": l.quantity, "price_unit": l.price, "discount": l.discount,
		"tax_ids": list(list(int64(6), int64(0), taxes)), "name": "x",
	}
	if l.pinned {
		places := map[string]int32{"USD": 2, "JPY": 0, "KWD": 3}[currency]
		off := decimal.New(l.pinOff, -places)
		base := l.price.Mul(l.quantity).Mul(decimal.New(100, 0).Sub(l.discount)).Shift(-2).Round(places).Add(off)
		pinned := params{"0": params{"tax_amount_currency": decimal.Zero, "base_amount_currency": base}}
		for n, i := range l.taxes {
			pinned[strconv.FormatInt(p.taxes[i], 10)] = params{
				"tax_amount_currency":  base.Mul(decimal.New(int64(5+n), -2)).Round(places).Sub(off),
				"base_amount_currency": base,
			}
		}
		values["extra_tax_data"] = params{
			"currency_id": p.currencies[currency], "price_unit": l.price, "discount": l.discount, "quantity": l.pinQuantity,
			"rate": amount("1"), "manual_total_excluded_currency": base, "manual_tax_amounts": pinned,
		}
	}
	return values
}

// compute makes the orders and gives their amounts as text.
func (p *peer) compute(plans []orderPlan) []string {
	p.b.t.Helper()
	orders := list()
	for _, plan := range plans {
		lines := list()
		for _, l := range plan.lines {
			lines = append(lines, list(int64(0), int64(0), p.line(plan.currency, l)))
		}
		orders = append(orders, params{"partner_id": p.partner, "pricelist_id": p.pricelists[plan.currency], "order_line": lines})
	}
	ids := p.b.call("create", params{"model": "sale.order", "values_list": orders})["ids"]
	read := p.b.call("read", params{"model": "sale.order", "ids": ids, "fields": list("amount_untaxed", "amount_tax", "amount_total", "order_line")})
	out := make([]string, len(plans))
	for i, item := range read["records"].([]any) {
		o := item.(map[string]any)
		out[i] = fmt.Sprintf("%s + %s = %s", o["amount_untaxed"], o["amount_tax"], o["amount_total"])
		lines := p.b.call("read", params{"model": "sale.order.line", "ids": o["order_line"], "fields": list("price_subtotal", "price_total")})
		for _, line := range lines["records"].([]any) {
			l := line.(map[string]any)
			out[i] += fmt.Sprintf("; %s %s", l["price_subtotal"], l["price_total"])
		}
	}
	return out
}
