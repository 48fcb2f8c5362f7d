package behaviour

import (
	"testing"

	"github.com/flowctl/flowctl/engine/store"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// An order announced once more changes nothing.
func TestAnImportedOrderIsLeftAlone(t *testing.T) {
	w := start(t, nil)
	articles, err := w.Open(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.Shop.Checkout(shopsandbox.Cart{
		Billing: map[string]string{"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "country": "DE"},
		Items:   []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 1}}, PaymentMethod: "stripe",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.ended("webhook-order-created", store.Succeeded)
	w.quiet()
	w.announce("woocommerce.order.created", map[string]any{"id": id})
	w.last("webhook-order-created", store.Skipped)
	w.silent("the order announced again")
}
