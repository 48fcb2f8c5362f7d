package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"html"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Customer is a registered customer to add.
type Customer struct {
	ID                         int64 // given when 0
	Email, FirstName, LastName string
	Username                   string            // from the e-mail when empty
	Billing, ShipTo            map[string]string // by field: address_1, country, …
}

type customer struct {
	id                int64
	email, role       string
	first, last       string
	username          string
	billing, shipTo   map[string]string
	created, modified time.Time
	paying            bool
	meta              []metaEntry
}

// AddCustomer adds a customer and returns the id. No webhook is told.
func (s *Shop) AddCustomer(from Customer) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.newUser(from.ID, from.Email, "customer")
	u.first, u.last = from.FirstName, from.LastName
	if from.Username != "" {
		u.username = from.Username
	}
	maps.Copy(u.billing, from.Billing)
	maps.Copy(u.shipTo, from.ShipTo)
	return u.id
}

func (s *Shop) newUser(id int64, email, role string) *customer {
	if id == 0 {
		id = s.ids.user + 1
	}
	s.ids.user = max(s.ids.user, id)
	name, _, _ := strings.Cut(email, "@")
	now := s.clock()
	u := &customer{id: id, email: strings.ToLower(email), role: role, username: strings.ToLower(name), created: now, modified: now,
		billing: map[string]string{}, shipTo: map[string]string{}}
	s.customers[id] = u
	return u
}

func (s *Shop) addUser(name, email, role string) {
	u := s.newUser(0, email, role)
	u.username = name
}

// loadCustomer makes the customer that a loaded order belongs to.
func (s *Shop) loadCustomer(o *order) {
	email := o.billing["email"]
	if email == "" || s.byEmail(email) != nil {
		email = "customer" + strconv.FormatInt(o.customer, 10) + "@example.test"
	}
	u := s.newUser(o.customer, email, "customer")
	u.first, u.last = o.billing["first_name"], o.billing["last_name"]
	maps.Copy(u.billing, o.billing)
	maps.Copy(u.shipTo, o.shipTo)
	u.created, u.modified = o.created, o.created
}

// customerOrdered is what an order changes at its customer (woo/701).
func (s *Shop) customerOrdered(o *order) {
	if u := s.customers[o.customer]; u != nil && !o.paid.IsZero() {
		u.paying = true
		u.modified = s.clock()
		s.fire("woocommerce_update_customer", u.id)
	}
}

func (s *Shop) byEmail(email string) *customer {
	for _, u := range s.customers {
		if strings.EqualFold(u.email, email) {
			return u
		}
	}
	return nil
}

func (c *call) customerView(u *customer) object {
	picture := sha256.Sum256([]byte(u.email))
	return object{
		{"id", u.id}, {"date_created", c.shop.local(u.created)}, {"date_created_gmt", gmt(u.created)}, {"date_modified", c.shop.local(u.modified)}, {"date_modified_gmt", gmt(u.modified)},
		{"email", u.email}, {"first_name", u.first}, {"last_name", u.last}, {"role", u.role}, {"username", u.username},
		{"billing", customerAddressView(u.billing, true)}, {"shipping", customerAddressView(u.shipTo, false)},
		{"is_paying_customer", u.paying}, {"avatar_url", "https://secure.gravatar.com/avatar/" + hex.EncodeToString(picture[:]) + "?s=96&d=mm&r=g"},
		{"meta_data", metaView(shownMeta(u.meta), false)}, c.links("/customers/"+strconv.FormatInt(u.id, 10), allMethods),
	}
}

// shownMeta leaves out hidden fields, which customers do not show (woo/201).
func shownMeta(entries []metaEntry) []metaEntry {
	var shown []metaEntry
	for _, m := range entries {
		if !strings.HasPrefix(m.key, "_") {
			shown = append(shown, m)
		}
	}
	return shown
}

func (c *call) liveCustomer() (*customer, *apiError) {
	status := http.StatusNotFound
	if u, ok := c.shop.customers[c.ids[0]]; ok {
		return u, nil
	}
	return nil, refuse(status, "woocommerce_rest_invalid_id", "Invalid resource ID.")
}

func getCustomer(c *call) (int, any, *apiError) {
	u, refused := c.liveCustomer()
	if refused != nil {
		return 0, nil, refused
	}
	if u.role == "administrator" {
		c.allow = editableFrom // woo/222
	}
	return http.StatusOK, c.customerView(u), nil
}

// listCustomers shows customers only, unless role asks for more; it knows no
// filter by change (woo/214 to 216).
func listCustomers(c *call) (int, any, *apiError) {
	role := c.query.Get("role")
	if role == "" {
		role = "customer"
	}
	email, search := c.query.Get("email"), strings.ToLower(c.query.Get("search"))
	var rows []row
	for _, u := range c.shop.customers {
		if role != "all" && u.role != role || !c.wanted(u.id) || email != "" && !strings.EqualFold(email, u.email) {
			continue
		}
		if search != "" && !strings.Contains(strings.ToLower(u.email+" "+u.username+" "+u.first+" "+u.last), search) {
			continue
		}
		rows = append(rows, row{id: u.id, created: u.created, modified: u.modified, title: u.username, view: func() any { return c.customerView(u) }})
	}
	c.sortRows(rows, customerParams)
	return c.page(rows)
}

func createCustomer(c *call) (int, any, *apiError) {
	s := c.shop
	email, given := c.text("email")
	if !given && !c.batch {
		return 0, nil, missing("email")
	}
	if !isEmail(email) {
		return 0, nil, refuse(http.StatusBadRequest, "customer_invalid_email", "Invalid email address")
	}
	if s.byEmail(email) != nil {
		return 0, nil, refuse(http.StatusBadRequest, "registration-error-email-exists",
			"An account is already registered with %s. Please log in or use a different email address.", email)
	}
	if name, given := c.text("username"); given {
		for _, u := range s.customers {
			if u.username == name {
				return 0, nil, refuse(http.StatusBadRequest, "registration-error-username-exists", "An account is already registered with that username. Please choose another.")
			}
		}
	}
	u := s.newUser(0, email, "customer")
	u.meta = []metaEntry{s.newMeta("default_password_nag", "1")}
	if name, given := c.text("username"); given {
		u.username = name
	}
	c.writeCustomer(u)
	s.fire("user_register", u.id)
	s.fire("woocommerce_update_customer", u.id)
	c.header.Set("Location", c.root()+"/customers/"+strconv.FormatInt(u.id, 10))
	return http.StatusCreated, c.customerView(u), nil
}

func updateCustomer(c *call) (int, any, *apiError) {
	u, refused := c.liveCustomer()
	if refused != nil {
		refused.status = http.StatusBadRequest
		return 0, nil, refused
	}
	s := c.shop
	if email, given := c.text("email"); given && !strings.EqualFold(email, u.email) {
		if s.byEmail(email) != nil || !isEmail(email) {
			return 0, nil, refuse(http.StatusBadRequest, "woocommerce_rest_customer_invalid_email", "Email address is invalid.")
		}
		u.email = strings.ToLower(email)
	}
	if name, given := c.text("username"); given && name != u.username {
		return 0, nil, refuse(http.StatusBadRequest, "woocommerce_rest_customer_invalid_argument", "Username isn't editable.")
	}
	c.writeCustomer(u)
	u.modified = s.clock()
	s.fire("woocommerce_update_customer", u.id)
	return http.StatusOK, c.customerView(u), nil
}

var tags = regexp.MustCompile(`<[^>]*>`)

// writeCustomer merges addresses and escapes names (woo/208, 218).
func (c *call) writeCustomer(u *customer) {
	for name, into := range map[string]*string{"first_name": &u.first, "last_name": &u.last} {
		if text, given := c.text(name); given {
			*into = strings.ReplaceAll(html.EscapeString(tags.ReplaceAllString(text, "")), "&#39;", "'")
		}
	}
	mergeAddress(u.billing, c.body["billing"])
	mergeAddress(u.shipTo, c.body["shipping"])
	u.meta = c.shop.writeMeta(u.meta, c.body["meta_data"])
}

func deleteCustomer(c *call) (int, any, *apiError) {
	u, refused := c.liveCustomer()
	if refused != nil && c.batch { // woo/223
		return 0, nil, refuse(http.StatusBadRequest, "woocommerce_rest_invalid_id", "Invalid resource id.")
	}
	if refused != nil {
		return 0, nil, refused
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, refuse(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "Customers do not support trashing.")
	}
	delete(c.shop.customers, u.id)
	c.shop.fire("delete_user", u.id)
	return http.StatusOK, c.customerView(u), nil
}

func batchCustomers(c *call) (int, any, *apiError) {
	return c.runBatch(batchOf{create: createCustomer, update: updateCustomer, remove: deleteCustomer})
}
