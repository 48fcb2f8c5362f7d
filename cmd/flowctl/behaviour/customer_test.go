package behaviour

import (
	"testing"

	"github.com/flowctl/flowctl/engine/store"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// changedPartner tells of a contact that changed in Odoo, as the feed does.
func (w *world) changedPartner(id int64) {
	w.Helper()
	w.announce("feed.odoo_partners", map[string]any{"id": id})
}

// registered is a customer of the shop whose order was imported.
func (w *world) registered() (customer, partner int64) {
	w.Helper()
	articles := w.open()
	customer = w.Shop.AddCustomer(shopsandbox.Customer{Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", Billing: ada()})
	order := w.buy(shopsandbox.Cart{CustomerID: customer, Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 1}}, PaymentMethod: "stripe"})
	return customer, w.sale(order)["partner_id"].(map[string]any)["id"].(int64)
}

func (w *world) customer(id int64) map[string]any {
	w.Helper()
	return w.shop("customers.get", map[string]any{"id": id})
}

func (w *world) writePartner(id int64, values map[string]any) {
	w.Helper()
	w.odoo("write", map[string]any{"model": "res.partner", "id": id, "values": values})
	w.changedPartner(id)
}

// A contact that changed in Odoo changes in the shop: only what differs, never the
// account's e-mail address; and what came from the shop does not go back.
func TestAContactGoesToTheShop(t *testing.T) {
	each(t, map[string]string{"sync_customers": "true"}, func(w *world) {
		customer, partner := w.registered()
		w.quiet()
		w.changedPartner(partner)
		w.last("customer", store.Succeeded)
		w.silent("a contact that came from the shop")

		w.writePartner(partner, map[string]any{"street": "Oak Street 5", "street2": false, "zip": "80331", "city": "München"})
		billing := w.customer(customer)["billing"].(map[string]any)
		if billing["address_1"] != "Oak Street 5" || billing["city"] != "München" || billing["postcode"] != "80331" || billing["first_name"] != "Ada" {
			w.Errorf("the address is %v", billing)
		}
		if n := w.Shop.Count("PUT", "/customers/"); n != 1 {
			w.Errorf("%d writes", n)
		}
		w.writePartner(partner, map[string]any{"name": "Ada King", "email": "ada.king@example.com"})
		got := w.customer(customer)
		if got["last_name"] != "King" || got["email"] != "ada@example.com" || got["billing"].(map[string]any)["email"] != "ada.king@example.com" {
			w.Errorf("the customer is %v", got)
		}
		w.quiet()
		w.changedPartner(partner)
		w.last("customer", store.Succeeded)
		w.silent("the contact announced again")
	})
}

// The delivery address is the child's; one that is added counts, what the shop has
// already does not move.
func TestAddressesComeFromChildren(t *testing.T) {
	w := start(t, map[string]string{"sync_customers": "true"})
	customer, partner := w.registered()
	child := w.odoo("create", map[string]any{"model": "res.partner", "values": map[string]any{
		"parent_id": partner, "type": "delivery", "name": "Charles Babbage", "street": "Harbour 1", "zip": "20095", "city": "Hamburg",
		"country_id": w.find("res.country", []any{[]any{"code", "=", "DE"}})[0]["id"]}})["id"].(int64)
	w.changedPartner(partner)
	shipping := w.customer(customer)["shipping"].(map[string]any)
	if shipping["address_1"] != "Harbour 1" || shipping["last_name"] != "Babbage" || shipping["country"] != "DE" {
		t.Errorf("the delivery address is %v", shipping)
	}
	w.odoo("create", map[string]any{"model": "res.partner", "values": map[string]any{
		"parent_id": partner, "type": "delivery", "name": "Mary Somerville", "street": "Old Lane 2", "zip": "50667", "city": "Köln"}})
	w.quiet()
	w.changedPartner(partner)
	w.silent("another delivery address, while the shop's is one of them")
	w.odoo("write", map[string]any{"model": "res.partner", "id": child, "values": map[string]any{"street": "Harbour 2"}})
	w.changedPartner(partner)
	if got := w.customer(customer)["shipping"].(map[string]any)["address_1"]; got != "Harbour 2" {
		t.Errorf("the delivery address is %v", got)
	}
}

// Customers are made only when that is wanted, and only of customers; an account
// that has the e-mail address is linked, whatever its role.
func TestCustomersAreCreatedOnlyWhenWanted(t *testing.T) {
	w := start(t, map[string]string{"sync_customers": "true"})
	make := func(values map[string]any) int64 {
		return w.odoo("create", map[string]any{"model": "res.partner", "values": values})["id"].(int64)
	}
	grace := make(map[string]any{"name": "Grace Hopper", "email": "grace@example.com", "customer_rank": int64(1), "street": "Navy Yard 1", "city": "Arlington"})
	w.quiet()
	w.changedPartner(grace)
	w.skipped("customer", "Create Customers is off")
	w.silent("a contact while Create Customers is off")
	w.set(map[string]any{"create_customers": true})
	w.changedPartner(grace)
	w.last("customer", store.Succeeded)
	found := w.shop("customers.list", map[string]any{"email": "grace@example.com"})["items"].([]any)
	if len(found) != 1 || found[0].(map[string]any)["billing"].(map[string]any)["city"] != "Arlington" {
		t.Fatalf("the customers are %v", found)
	}
	w.quiet()
	w.changedPartner(grace)
	w.silent("the customer that was made")
	w.changedPartner(make(map[string]any{"name": "A vendor", "email": "vendor@example.com"}))
	w.skipped("customer", "no customer")
	admin := w.shop("customers.list", map[string]any{"role": "administrator"})["items"].([]any)[0].(map[string]any)
	boss := make(map[string]any{"name": "The Boss", "email": admin["email"], "customer_rank": int64(1)})
	w.changedPartner(boss)
	w.last("customer", store.Succeeded)
	if got := w.customer(admin["id"].(int64)); got["role"] != "administrator" || got["email"] != admin["email"] {
		t.Errorf("the administrator is %v %v", got["role"], got["email"])
	}
	make(map[string]any{"name": "One", "email": "same@example.com", "customer_rank": int64(1)})
	w.changedPartner(make(map[string]any{"name": "Two", "email": "same@example.com", "customer_rank": int64(1)}))
	w.held("customer", "ambiguous_customer", "same@example.com")
}
