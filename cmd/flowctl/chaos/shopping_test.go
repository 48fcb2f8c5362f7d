//go:build linux

package chaos

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// article is something that shop and Odoo both know, by its SKU.
type article struct {
	sku, price, class string
	id                int64 // in the shop
}

// stock makes the catalogue, the taxes and the coupons in both systems.
func (w *world) stock() {
	w.t.Helper()
	w.shop.AddTaxRate(shopsandbox.TaxRate{Rate: "19", Name: "VAT 19 %", Shipping: true})
	w.shop.AddTaxRate(shopsandbox.TaxRate{Rate: "7", Name: "VAT 7 %", Shipping: true, Class: "reduced-rate"})
	w.shop.AddCoupon(shopsandbox.Coupon{Code: "save10", Type: "percent", Amount: "10"})
	w.articles = []article{
		{"MUG", "9.99", "", 0}, {"BEANIE", "17.95", "", 0}, {"BELT", "24.90", "", 0}, {"HOODIE", "39.95", "", 0},
		{"COFFEE", "7.35", "reduced-rate", 0}, {"TEA", "3.33", "reduced-rate", 0}, {"BOOK", "22.22", "reduced-rate", 0},
	}
	create := func(model string, values odoosandbox.Values) {
		if _, err := w.erp.Create(model, values); err != nil {
			w.t.Fatal(err)
		}
	}
	for i, a := range w.articles {
		w.articles[i].id = w.shop.AddProduct(shopsandbox.Product{Name: a.sku, SKU: a.sku, RegularPrice: a.price, TaxClass: a.class})
		create("product.product", odoosandbox.Values{"name": a.sku, "default_code": a.sku, "type": "consu", "invoice_policy": "order"})
	}
	for _, percent := range []string{"19", "7"} {
		create("account.tax", odoosandbox.Values{"name": percent + " % included", "amount": odoosandbox.Amount(percent),
			"amount_type": "percent", "type_tax_use": "sale", "price_include_override": "tax_included"})
	}
}

// bank is the journal that payments go to.
func (w *world) bank() string {
	w.t.Helper()
	ids, err := w.erp.Search("account.journal", []any{[]any{"type", "=", "bank"}})
	if err != nil || len(ids) == 0 {
		w.t.Fatalf("Odoo has no bank: %v", err)
	}
	return strconv.FormatInt(ids[0], 10)
}

// person is a shopper. Some are registered, and some of those still buy as a
// guest now and then, with the same e-mail.
type person struct {
	email, first, last string
	customer           int64 // 0 for those who never registered
}

// address is the person's own, as a checkout asks for it.
func (p person) address() map[string]string {
	return map[string]string{
		"first_name": p.first, "last_name": p.last, "address_1": "Lindenweg 4", "postcode": "10115",
		"city": "Berlin", "country": "DE", "email": p.email, "phone": "+49 30 123456",
	}
}

// people makes n shoppers.
func (w *world) people(n int) []person {
	all := make([]person, n)
	for i := range all {
		p := &all[i]
		p.first, p.last = "Shopper", fmt.Sprintf("Number%d", i)
		p.email = fmt.Sprintf("shopper.%d@example.com", i)
		if i%3 == 0 {
			p.customer = w.shop.AddCustomer(shopsandbox.Customer{Email: p.email, FirstName: p.first, LastName: p.last})
		}
	}
	return all
}

// cart is the cart of one order. Guests write their e-mail now like this, now like
// that.
func (w *world) cart(random *rand.Rand, people []person) shopsandbox.Cart {
	who := people[random.IntN(len(people))]
	home := who.address()
	c := shopsandbox.Cart{Billing: home, PaymentMethod: "stripe", PaymentTitle: "Card"}
	switch {
	case who.customer != 0 && random.IntN(3) > 0:
		c.CustomerID = who.customer
	case random.IntN(2) == 0:
		home["email"] = strings.ToUpper(who.email[:1]) + who.email[1:]
	}
	if random.IntN(3) == 0 {
		c.ShipTo = map[string]string{
			"first_name": "Friend of " + who.first, "last_name": who.last, "address_1": "Am Markt 1", "postcode": "50667", "city": "Köln", "country": "DE",
		}
	}
	for _, i := range random.Perm(len(w.articles))[:1+random.IntN(3)] {
		c.Items = append(c.Items, shopsandbox.CartItem{ProductID: w.articles[i].id, Quantity: int64(1 + random.IntN(4))})
	}
	if random.IntN(3) == 0 {
		c.Coupons = []string{"save10"}
	}
	if random.IntN(4) > 0 {
		c.Shipping = &shopsandbox.CartShipping{Title: "Parcel", MethodID: "flat_rate", Cost: "4.90"}
	}
	if random.IntN(4) == 0 {
		c.Fees = []shopsandbox.CartFee{{Name: "Gift wrap", Amount: "2.50", Taxable: true}}
	}
	return c
}

// shopping are shoppers at their checkouts.
type shopping struct {
	mu     sync.Mutex
	orders []int64
	done   chan struct{}
}

// shoppers place n orders, as fast as pace lets them, several at once.
func (w *world) shoppers(n int, pace func()) *shopping {
	s := &shopping{done: make(chan struct{})}
	people := w.people(max(2, n/3))
	numbers := make(chan int)
	go func() {
		defer close(numbers)
		for i := range n {
			pace()
			numbers <- i
		}
	}()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range numbers {
				id, err := w.shop.Checkout(w.cart(w.chance.of("cart", i), people))
				if err != nil {
					w.t.Error(err)
					continue
				}
				s.mu.Lock()
				s.orders = append(s.orders, id)
				s.mu.Unlock()
			}
		})
	}
	go func() {
		group.Wait()
		close(s.done)
	}()
	return s
}
