package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// topics are the webhooks that the demo's shop sends: all that flows listen to.
var topics = []string{
	"order.created", "order.updated", "order.restored", "customer.created", "customer.updated",
	"product.created", "product.updated", "product.deleted", "product.restored",
}

// Open makes the catalogue in both systems, chooses a journal for payments and
// subscribes the engine to the shop's webhooks. It returns the ids of the articles.
func (w *World) Open(ctx context.Context) ([]int64, error) {
	ids, err := w.catalogue(ctx)
	if err != nil {
		return nil, fmt.Errorf("making the catalogue: %w", err)
	}
	if err := w.chooseJournal(ctx); err != nil {
		return nil, fmt.Errorf("choosing a journal: %w", err)
	}
	for _, topic := range topics {
		if _, err := call(ctx, w.shop, "webhooks.create", map[string]any{
			"name": "flowctl " + topic, "topic": topic, "secret": webhookSecret,
			"delivery_url": w.EngineURL + "/hooks/" + w.Instance + "/woocommerce",
		}); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// chooseJournal sets the journal that payments go to, where the app has that
// setting: Odoo's first bank.
func (w *World) chooseJournal(ctx context.Context) error {
	if _, ok := w.Engine.App().Setting("payment_journal"); !ok {
		return nil
	}
	found, err := call(ctx, w.odoo, "search", map[string]any{
		"model": "account.journal", "domain": []any{[]any{"type", "=", "bank"}}, "order": "id", "limit": int64(1),
	})
	if err != nil {
		return err
	}
	ids, _ := found["ids"].([]any)
	if len(ids) == 0 {
		return nil // payments are held, and say so
	}
	return w.Engine.Settings().Save(ctx, w.Instance, map[string]any{"payment_journal": ids[0]})
}

var shoppers = []struct{ first, last, street, zip, city, country string }{
	{"Anna", "Schmidt", "Lindenweg 4", "10115", "Berlin", "DE"},
	{"José", "García", "Calle Mayor 12", "28013", "Madrid", "ES"},
	{"Zoë", "Müller", "Am Markt 1", "50667", "Köln", "DE"},
	{"Jean", "Dupont", "3 rue des Lilas", "75011", "Paris", "FR"},
	{"Giulia", "Rossi", "Via Roma 8", "20121", "Milano", "IT"},
	{"Łukasz", "Nowak", "ul. Długa 5", "31-147", "Kraków", "PL"},
	{"Mary", "O'Neill", "7 High Street", "D02 X285", "Dublin", "IE"},
}

// Shop lets shoppers place n orders, some at once, and returns the orders' ids.
// The same seed makes the same carts.
func (w *World) Shopping(ctx context.Context, n int, articles []int64, seed uint64) ([]int64, error) {
	random := rand.New(rand.NewPCG(seed, seed))
	carts := make(chan shopsandbox.Cart)
	go func() {
		defer close(carts)
		for range n {
			select {
			case carts <- cart(random, articles):
			case <-ctx.Done():
				return
			}
		}
	}()
	var (
		mu     sync.Mutex
		orders []int64
		failed error
		group  sync.WaitGroup
	)
	for range 4 {
		group.Go(func() {
			for c := range carts {
				id, err := w.Shop.Checkout(c)
				mu.Lock()
				if err != nil {
					failed = fmt.Errorf("a shopper could not check out: %w", err)
				} else {
					orders = append(orders, id)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return orders, failed
}

func cart(random *rand.Rand, articles []int64) shopsandbox.Cart {
	who := shoppers[random.IntN(len(shoppers))]
	billing := map[string]string{
		"first_name": who.first, "last_name": who.last, "address_1": who.street, "postcode": who.zip, "city": who.city,
		"country": who.country, "email": fmt.Sprintf("%s.%s@example.com", asciiName(who.first), asciiName(who.last)), "phone": "+49 30 123456",
	}
	c := shopsandbox.Cart{Billing: billing, PaymentMethod: "stripe", PaymentTitle: "Card"}
	for _, i := range random.Perm(len(articles))[:1+random.IntN(4)] {
		c.Items = append(c.Items, shopsandbox.CartItem{ProductID: articles[i], Quantity: int64(1 + random.IntN(5))})
	}
	switch random.IntN(4) {
	case 0:
		c.Coupons = []string{"save10"}
	case 1:
		c.Coupons = []string{"minus5"}
	}
	if random.IntN(5) > 0 {
		c.Shipping = &shopsandbox.CartShipping{Title: "Parcel", MethodID: "flat_rate", Cost: "4.90"}
	}
	switch random.IntN(6) {
	case 0:
		c.Fees = []shopsandbox.CartFee{{Name: "Gift wrap", Amount: "2.50", Taxable: true}}
	case 1:
		c.Fees = []shopsandbox.CartFee{{Name: "Loyalty", Amount: "-1.50", Taxable: true}}
	}
	return c
}

// asciiName keeps the plain letters of a name, in lower case.
func asciiName(name string) string {
	var out []rune
	for _, r := range name {
		switch {
		case r >= 'A' && r <= 'Z':
			out = append(out, r+'a'-'A')
		case r >= 'a' && r <= 'z':
			out = append(out, r)
		}
	}
	return string(out)
}
