package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// note is a note of an order.
type note struct {
	id, order int64
	author    string
	text      string
	customer  bool
	byShop    bool // written by the shop itself
	created   time.Time
}

// Notes returns the texts of an order's notes, oldest first, without those that
// the shop writes itself.
func (s *Shop) Notes(order int64) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	notes := s.notesOf(order)
	slices.SortFunc(notes, func(a, b *note) int { return cmp.Compare(a.id, b.id) })
	var texts []string
	for _, n := range notes {
		if !n.byShop {
			texts = append(texts, n.text)
		}
	}
	return texts
}

func (s *Shop) notesOf(order int64) []*note {
	var found []*note
	for _, n := range s.notes {
		if n.order == order {
			found = append(found, n)
		}
	}
	slices.SortFunc(found, func(a, b *note) int { return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.id, b.id)) }) // woo/345
	return found
}

// noteByShop is what the shop itself writes: status changes and stock (woo/345).
func (s *Shop) noteByShop(order int64, text string) {
	s.ids.comment++
	s.notes[s.ids.comment] = &note{id: s.ids.comment, order: order, author: "WooCommerce", text: text, byShop: true, created: s.clock()}
}

func (c *call) noteView(n *note) object {
	order := "/orders/" + strconv.FormatInt(n.order, 10)
	return object{
		{"id", n.id}, {"author", n.author}, {"date_created", c.shop.local(n.created)}, {"date_created_gmt", gmt(n.created)},
		{"note", n.text}, {"customer_note", n.customer},
		c.links(order+"/notes/"+strconv.FormatInt(n.id, 10), readDelete, link("up", c.root()+order)),
	}
}

func (c *call) notedOrder() *apiError {
	if _, ok := c.shop.orders[c.ids[0]]; !ok {
		return refuse(http.StatusNotFound, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
	}
	return nil
}

func listNotes(c *call) (int, any, *apiError) {
	if refused := c.notedOrder(); refused != nil {
		return 0, nil, refused
	}
	views := []any{}
	for _, n := range c.shop.notesOf(c.ids[0]) {
		kind := c.query.Get("type")
		if kind == "customer" && !n.customer || kind == "internal" && n.customer {
			continue
		}
		views = append(views, c.noteView(n))
	}
	return http.StatusOK, views, nil
}

// createNote adds a note; the order does not count as changed, and no webhook
// is told (woo/349, 536).
func createNote(c *call) (int, any, *apiError) {
	if _, given := c.body["note"]; !given {
		return 0, nil, missing("note")
	}
	if refused := c.checkBody([]field{{name: "note", kind: "string"}, {name: "customer_note", kind: "boolean"}}); refused != nil {
		return 0, nil, refused
	}
	if refused := c.notedOrder(); refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	s.ids.comment++
	n := &note{id: s.ids.comment, order: c.ids[0], author: "WooCommerce", text: asText(c.body["note"]), customer: asBool(c.body["customer_note"]), created: s.clock()}
	if asBool(c.body["added_by_user"]) {
		n.author = "admin"
	}
	s.notes[n.id] = n
	c.header.Set("Location", c.root()+"/orders/"+strconv.FormatInt(n.order, 10)+"/notes/"+strconv.FormatInt(n.id, 10))
	return http.StatusCreated, c.noteView(n), nil
}

func (c *call) oneNote() (*note, *apiError) {
	if refused := c.notedOrder(); refused != nil {
		return nil, refused
	}
	n, ok := c.shop.notes[c.ids[1]]
	if !ok || n.order != c.ids[0] {
		return nil, refuse(http.StatusNotFound, "woocommerce_rest_invalid_id", "Invalid resource ID.")
	}
	return n, nil
}

func getNote(c *call) (int, any, *apiError) {
	n, refused := c.oneNote()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.noteView(n), nil
}

func deleteNote(c *call) (int, any, *apiError) {
	n, refused := c.oneNote()
	if refused != nil {
		return 0, nil, refused
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, refuse(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "The order note does not support trashing.")
	}
	delete(c.shop.notes, n.id)
	return http.StatusOK, c.noteView(n), nil
}
