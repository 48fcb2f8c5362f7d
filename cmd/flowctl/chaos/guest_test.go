//go:build linux

package chaos

import (
	"fmt"
	"sync"
	"testing"
	"time"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// TestTwoOrdersOfOneNewGuest lets guests whom Odoo does not know order twice in
// the same moment, each order worked by another process: each guest is one partner
// with two orders.
func TestTwoOrdersOfOneNewGuest(t *testing.T) {
	t.Parallel()
	chance := newChance(t)
	onEach(t, func(t *testing.T, make func(*testing.T) database) { twoOrders(t, make(t), chance) })
}

func twoOrders(t *testing.T, d database, chance chance) {
	const guests = 12
	w := setup(t, d, chance, 2)
	var mu sync.Mutex
	var orders []int64
	for i := range guests {
		guest := person{first: "Guest", last: fmt.Sprint("Number", i), email: fmt.Sprintf("shopper.%d@example.com", i)}
		var both sync.WaitGroup
		for to := range 2 {
			both.Go(func() {
				id, err := w.shop.Checkout(shopsandbox.Cart{
					Items:   []shopsandbox.CartItem{{ProductID: w.articles[i%len(w.articles)].id, Quantity: 1}},
					Billing: guest.address(), PaymentMethod: "stripe", PaymentTitle: "Card",
				})
				if err != nil {
					t.Error(err)
					return
				}
				announce(t, w, id, to)
				mu.Lock()
				defer mu.Unlock()
				orders = append(orders, id)
			})
		}
		both.Wait()
	}
	eventually(t, 2*time.Minute, "nothing is left to do", func() bool { return open(w.counts()) == 0 })
	v := &verdict{w: w, links: map[string]map[string]store.Link{}, partners: map[string]int64{}}
	v.readLinks()
	v.findPartners() // and finds those that are there twice
	for _, id := range orders {
		v.order(id)
	}
	v.runs()
	if len(v.partners) != guests || len(v.search("sale.order")) != 2*guests || v.equal != 2*guests {
		t.Errorf("%d partners, %d orders, %d of them right", len(v.partners), len(v.search("sale.order")), v.equal)
	}
	t.Logf("%s: %d guests, %d orders, %d right", d.name, len(v.partners), len(orders), v.equal)
}
