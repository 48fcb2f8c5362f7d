package sandbox

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
)

// userModel delegates to a partner, as Odoo's does.
func (e *ERP) userModel(partner *model) *model {
	m := &model{
		name: "res.users", label: "User", order: "name, login", delegate: "partner_id",
		list: []*field{
			declare("login", char, "Login", required),
			declare("partner_id", many2one, "Related Partner", to("res.partner"), required),
			declare("active", boolean, "Active", initial(true)),
			declare("company_id", many2one, "Company", to("res.company"), required, initially(company)),
		},
		check: func(tx *transaction, rows []*row) error {
			for _, r := range rows {
				for _, other := range tx.all(tx.must("res.users")) {
					if other.id != r.id && other.text("login") == r.text("login") {
						return notPossible("You can not have two users with the same login!") // odoo18/044
					}
				}
			}
			return nil
		},
	}
	m.methods = map[string]method{"context_get": userContext}
	for _, f := range partner.list {
		if slices.Contains([]string{"name", "email", "phone", "lang"}, f.name) {
			m.list = append(m.list, delegated(partner, f, m.delegate))
		}
	}
	return m
}

func (e *ERP) partnerModel() *model {
	kinds := []string{"contact", "Contact", "invoice", "Invoice Address", "delivery", "Delivery Address", "other", "Other Address"}
	if e.latest() {
		kinds = []string{"contact", "Contact", "invoice", "Invoice", "delivery", "Delivery", "other", "Other"}
	}
	m := &model{
		name: "res.partner", label: "Contact", order: "complete_name ASC, id DESC", parent: "parent_id",
		display: partnerName,
		list: []*field{
			declare("name", char, "Name"),
			declare("complete_name", char, "Complete Name", computed(func(tx *transaction, r *row) any {
				return partnerName(tx, r)
			})),
			declare("parent_id", many2one, "Related Company", to("res.partner")),
			declare("child_ids", one2many, "Contact", to("res.partner"), by("parent_id")),
			declare("commercial_partner_id", many2one, "Commercial Entity", to("res.partner"), computed(commercialPartner)),
			declare("type", selection, "Address Type", initial("contact"), choices(kinds...)),
			declare("is_company", boolean, "Is a Company"),
			declare("company_name", char, "Company Name"),
			declare("active", boolean, "Active", initial(true)),
			declare("email", char, "Email"),
			declare("email_normalized", char, "Normalized Email", computed(func(_ *transaction, r *row) any {
				return normalizedEmail(r.text("email"))
			})),
			declare("phone", char, "Phone"),
			declare("street", char, "Street"),
			declare("street2", char, "Street2"),
			declare("city", char, "City"),
			declare("zip", char, "Zip"),
			declare("state_id", many2one, "State", to("res.country.state"), restrict),
			declare("country_id", many2one, "Country", to("res.country"), restrict),
			declare("country_code", char, "Country Code", computed(func(tx *transaction, r *row) any {
				if country := tx.record("res.country", r.ref("country_id")); country != nil {
					return country.text("code")
				}
				return nil
			})),
			declare("commercial_company_name", char, "Company Name Entity", computed(commercialName)),
			declare("partner_share", boolean, "Share Partner", computed(func(tx *transaction, r *row) any {
				return len(tx.holding("res.users", "partner_id", r.id)) == 0
			})),
			declare("vat", char, "Tax ID"),
			declare("ref", char, "Reference"),
			declare("lang", selection, "Language", initial("en_US"), choices("en_US", "English (US)")),
			declare("comment", html, "Notes"),
			declare("website", char, "Website Link"),
			declare("function", char, "Job Position"),
			declare("customer_rank", integer, "Customer Rank"),
			declare("supplier_rank", integer, "Supplier Rank"),
			declare("user_id", many2one, "Salesperson", to("res.users")),
			declare("user_ids", one2many, "Users", to("res.users"), by("partner_id")),
			declare("company_id", many2one, "Company", to("res.company")),
			declare("property_product_pricelist", many2one, "Pricelist", to("product.pricelist"),
				otherwise(defaultPricelist)),
			declare("property_account_position_id", many2one, "Fiscal Position", to("account.fiscal.position")),
			declare("property_payment_term_id", many2one, "Customer Payment Terms", to("account.payment.term")),
		},
		check:    partnerHasName,
		changed:  syncAddresses,
		removing: partnerHasNoUser,
		methods:  map[string]method{"address_get": addressGet},
	}
	if !e.latest() {
		m.list = append(m.list, declare("mobile", char, "Mobile"))
	}
	return m
}

// partnerName is "Parent, Name", or the kind of address where a child has no
// name of its own (odoo18/221).
func partnerName(tx *transaction, r *row) string {
	name := r.text("name")
	parent := tx.record("res.partner", r.ref("parent_id"))
	if parent == nil || r.flag("is_company") {
		return name
	}
	if name == "" {
		for _, choice := range tx.must("res.partner").fields["type"].options {
			if choice[0] == r.text("type") {
				name = choice[1]
			}
		}
	}
	return partnerName(tx, parent) + ", " + name
}

// commercialPartner is the company above, or the topmost contact.
func commercialPartner(tx *transaction, r *row) any {
	for depth := 0; depth < 100; depth++ {
		parent := tx.record("res.partner", r.ref("parent_id"))
		if parent == nil || r.flag("is_company") {
			break
		}
		r = parent
	}
	return r.id
}

// commercialName is the name of the company above, or the one that was typed.
func commercialName(tx *transaction, r *row) any {
	id, _ := commercialPartner(tx, r).(int64)
	if top := tx.record("res.partner", id); top != nil && top.flag("is_company") {
		return top.text("name")
	}
	return r.get("company_name")
}

var bareAddress = regexp.MustCompile(`[^\s,;<>"]+@[^\s,;<>"]+`)

// normalizedEmail is the first address that a text holds, in small letters; nil
// when there is none.
func normalizedEmail(text string) any {
	if list, err := mail.ParseAddressList(text); err == nil {
		return strings.ToLower(list[0].Address)
	}
	if address := bareAddress.FindString(text); address != "" {
		return strings.ToLower(address)
	}
	return nil
}

// partnerHasName: only addresses other than contacts may have no name (odoo18/023).
func partnerHasName(_ *transaction, rows []*row) error {
	for _, r := range rows {
		if r.text("type") == "contact" && r.get("name") == nil {
			return notPossible("Contacts require a name")
		}
	}
	return nil
}

var addressFields = []string{"street", "street2", "zip", "city", "state_id", "country_id"}

// syncAddresses gives contacts the address of what they belong to, and
// non-companies the tax id of their commercial entity.
func syncAddresses(tx *transaction, ids []int64, given Values, created bool) error {
	m := tx.must("res.partner")
	for _, id := range ids {
		r := tx.row(m, id)
		if parent := tx.row(m, r.ref("parent_id")); parent != nil && (created || given["parent_id"] != nil) {
			tx.settle(m, id, inherited(parent, r))
		}
		r = tx.row(m, id)
		for _, child := range tx.all(m) {
			if child.ref("parent_id") == id {
				tx.settle(m, child.id, inherited(r, child))
			}
		}
	}
	return nil
}

// inherited are the values that a partner takes from the one above it.
func inherited(parent, child *row) Values {
	values := Values{}
	if child.text("type") == "contact" && slices.ContainsFunc(addressFields, func(name string) bool {
		return parent.get(name) != nil && parent.get(name) != int64(0)
	}) {
		for _, name := range addressFields {
			values[name] = parent.get(name)
		}
	}
	if !child.flag("is_company") {
		values["vat"] = parent.get("vat")
	}
	return values
}

// partnerHasNoUser: a contact of a user stays (odoo18/048).
func partnerHasNoUser(tx *transaction, rows []*row) error {
	for _, r := range rows {
		for _, user := range tx.all(tx.must("res.users")) {
			if user.ref("partner_id") != r.id || !user.flag("active") {
				continue
			}
			text := "You cannot delete contacts linked to an active user.\n" +
				"You should rather archive them after archiving their associated user.\n\n" +
				"Linked active users : " + r.text("name")
			return &Fault{
				Name:      "odoo.exceptions.RedirectWarning",
				Message:   text + "\n{'type': 'ir.actions.act_window', 'res_model': 'res.users'}\nGo to users\nNone",
				Arguments: []any{text, map[string]any{"type": "ir.actions.act_window", "res_model": "res.users"}, "Go to users", nil},
			}
		}
	}
	return nil
}

// addressGet finds the addresses of each kind around a partner: among itself
// and its children first, then those of what it belongs to (odoo18/222).
func addressGet(tx *transaction, ids []int64, a arguments) (any, error) {
	out := map[string]any{}
	if len(ids) == 0 {
		return out, nil
	}
	if _, err := tx.existing(tx.must("res.partner"), ids[:1]); err != nil {
		return nil, err
	}
	for kind, id := range tx.addresses(ids[0], a.names(0, "adr_pref")...) {
		out[kind] = id
	}
	return out, nil
}

func (tx *transaction) addresses(partner int64, kinds ...string) map[string]int64 {
	m := tx.must("res.partner")
	if !slices.Contains(kinds, "contact") {
		kinds = append(kinds, "contact")
	}
	found := map[string]int64{}
	visited := map[int64]bool{}
	for current := tx.row(m, partner); current != nil && len(found) < len(kinds); {
		scan := []*row{current}
		for len(scan) > 0 && len(found) < len(kinds) {
			r := scan[0]
			scan = scan[1:]
			visited[r.id] = true
			kind := r.text("type")
			if slices.Contains(kinds, kind) && found[kind] == 0 {
				found[kind] = r.id
			}
			var below []*row
			for _, id := range tx.pointingTo(m.fields["child_ids"], r.id) {
				if child := tx.row(m, id); !visited[id] && !child.flag("is_company") {
					below = append(below, child)
				}
			}
			scan = append(below, scan...)
		}
		if current.flag("is_company") {
			break
		}
		current = tx.row(m, current.ref("parent_id"))
	}
	fallback := found["contact"]
	if fallback == 0 {
		fallback = partner
	}
	for _, kind := range kinds {
		if found[kind] == 0 {
			found[kind] = fallback
		}
	}
	return found
}
