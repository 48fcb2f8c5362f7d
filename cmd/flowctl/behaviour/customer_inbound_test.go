package behaviour

import (
	"maps"
	"testing"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// register makes a customer in the shop and tells of it.
func (w *world) register(values map[string]any) int64 {
	w.Helper()
	id := w.shop("customers.create", map[string]any{"values": values})["id"].(int64)
	w.settle()
	w.announce("woocommerce.customer.created", map[string]any{"id": id})
	return id
}

// changeCustomer writes to a customer as the shopkeeper does, and tells of it.
func (w *world) changeCustomer(id int64, values map[string]any) {
	w.Helper()
	w.shop("customers.update", map[string]any{"id": id, "values": values})
	w.settle()
	w.announce("woocommerce.customer.updated", map[string]any{"id": id})
}

// contacts are those with an e-mail, oldest first.
func (w *world) contacts(email string) []map[string]any {
	w.Helper()
	return w.find("res.partner", []any{[]any{"email_normalized", "=", email}},
		"name", "email", "phone", "street", "city", "zip", "parent_id", "is_company", "child_ids", "vat", "company_name")
}

func customer() map[string]any {
	return map[string]any{
		"email": "Grace@Example.com", "first_name": "Grace", "last_name": "Hopper",
		"billing":   map[string]any{"address_1": "1 Navy Yard", "city": "Arlington", "postcode": "22202", "state": "", "country": "US", "phone": "+1 555 0100"},
		"shipping":  map[string]any{"first_name": "Grace", "last_name": "Hopper", "address_1": "2 Dock Road", "city": "Norfolk", "postcode": "23511", "country": "US"},
		"meta_data": []any{map[string]any{"key": "billing_eu_vat_number", "value": "DE136695976"}},
	}
}

func TestACustomerBecomesAContactAndFollowsItsChanges(t *testing.T) {
	each(t, nil, func(w *world) {
		w.open()
		id := w.register(customer())
		w.ended("webhook-customer-inbound", store.Succeeded)
		found := w.contacts("grace@example.com")
		if len(found) != 1 {
			w.Fatalf("there are %d contacts", len(found))
		}
		p := found[0]
		if p["name"] != "Grace Hopper" || p["phone"] != "+1 555 0100" || p["street"] != "1 Navy Yard" || p["vat"] != "DE136695976" {
			w.Errorf("the contact is %v", p)
		}
		if children := w.find("res.partner", []any{[]any{"parent_id", "=", p["id"]}}, "type", "street"); len(children) != 1 || children[0]["type"] != "delivery" || children[0]["street"] != "2 Dock Road" {
			w.Errorf("its addresses are %v", children)
		}
		// Somebody corrects the name in Odoo; the shop changes the phone only.
		w.odoo("write", map[string]any{"model": "res.partner", "id": p["id"], "values": map[string]any{"name": "Rear Admiral Hopper"}})
		w.changeCustomer(id, map[string]any{"billing": map[string]any{"phone": "+1 555 0199"}})
		if p = w.contacts("grace@example.com")[0]; p["name"] != "Rear Admiral Hopper" || p["phone"] != "+1 555 0199" {
			w.Errorf("the contact is %v", p)
		}
		w.quiet()
		w.announce("woocommerce.customer.updated", map[string]any{"id": id})
		w.skipped("webhook-customer-inbound", "nothing new")
		w.silent("the customer announced again")
		if calls := len(w.ERP.Requests()); calls != 0 {
			w.Errorf("Odoo was asked: %v", w.ERP.Requests())
		}
	})
}

func TestD20ACustomerWhoChangesEMailIsTheSamePartner(t *testing.T) {
	each(t, map[string]string{"payment_events": "false"}, func(w *world) {
		articles := w.open()
		id := w.register(customer())
		first := w.contacts("grace@example.com")[0]["id"]
		w.changeCustomer(id, map[string]any{"email": "hopper@example.com"})
		found := w.contacts("hopper@example.com")
		if len(found) != 1 || found[0]["id"] != first {
			w.Fatalf("the contacts are %v", found)
		}
		if left := w.contacts("grace@example.com"); len(left) != 0 {
			w.Errorf("the old address is still there: %v", left)
		}
		billing := ada()
		billing["email"] = "hopper@example.com"
		order := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 1}}, PaymentMethod: "bacs", CustomerID: id, Billing: billing})
		if partner := reference(w.sale(order)["partner_id"]); partner != first {
			w.Errorf("the order went to %v, not to %v", partner, first)
		}
	})
}

func TestD5AGuestTwiceIsOnePartner(t *testing.T) {
	w := start(t, map[string]string{"payment_events": "false"})
	articles := w.open()
	billing := ada()
	billing["email"] = " John.DOE@Example.com "
	for range 2 {
		w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 1}}, PaymentMethod: "bacs", Billing: maps.Clone(billing)})
	}
	if found := w.contacts("john.doe@example.com"); len(found) != 1 {
		w.Errorf("the guest is %d contacts", len(found))
	}
}

// The same e-mail on a company and its contact: neither is overwritten, by an
// order or by a customer.
func TestD5ACompanyAndItsContactAreNotOverwritten(t *testing.T) {
	each(t, map[string]string{"payment_events": "false"}, func(w *world) {
		articles := w.open()
		company := w.odoo("create", map[string]any{"model": "res.partner", "values": map[string]any{
			"name": "Analytical Engines Ltd", "is_company": true, "email": "ada@example.com", "street": "5 St James's Square", "phone": "1"}})["id"]
		child := w.odoo("create", map[string]any{"model": "res.partner", "values": map[string]any{
			"name": "A. Lovelace", "parent_id": company, "email": "ada@example.com", "phone": "2"}})["id"]
		same := func(when string) {
			w.Helper()
			for _, p := range w.contacts("ada@example.com") {
				switch {
				case p["id"] == company && p["name"] == "Analytical Engines Ltd" && p["street"] == "5 St James's Square" && p["phone"] == "1":
				case p["id"] == child && p["name"] == "A. Lovelace" && p["phone"] == "2":
				case p["parent_id"] != nil && p["id"] != child && p["id"] != company:
				default:
					w.Errorf("%s: %v", when, p)
				}
			}
		}
		order := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 1}}, PaymentMethod: "bacs"})
		if partner := reference(w.sale(order)["partner_id"]); partner != company {
			w.Errorf("the order went to %v", partner)
		}
		same("a guest's order")
		values := customer()
		values["email"] = "ada@example.com"
		id := w.register(values)
		same("a customer")
		w.changeCustomer(id, map[string]any{"first_name": "Augusta", "billing": map[string]any{"address_1": "9 Elsewhere"}})
		same("a change of the customer")
		if found := w.find("res.partner", []any{[]any{"parent_id", "=", company}, []any{"street", "=", "9 Elsewhere"}}, "type"); len(found) != 1 {
			w.Errorf("the new address is there %d times", len(found))
		}
	})
}

// What Odoo owns the shop does not change.
func TestAFieldThatOdooOwnsIsLeftAlone(t *testing.T) {
	w := start(t, map[string]string{"field_owners": `{"customer.phone": "odoo"}`})
	w.open()
	id := w.register(customer())
	w.changeCustomer(id, map[string]any{"first_name": "Amazing", "billing": map[string]any{"phone": "0"}})
	if p := w.contacts("grace@example.com")[0]; p["name"] != "Amazing Hopper" || p["phone"] != "+1 555 0100" {
		w.Errorf("the contact is %v", p)
	}
}

func TestADeletedCustomerStays(t *testing.T) {
	w := start(t, nil)
	w.open()
	id := w.register(customer())
	w.shop("customers.delete", map[string]any{"id": id, "force": true})
	w.announce("woocommerce.customer.updated", map[string]any{"id": id})
	w.skipped("webhook-customer-inbound", "no longer exists")
	if len(w.contacts("grace@example.com")) != 1 {
		w.Error("the contact is gone")
	}
}
