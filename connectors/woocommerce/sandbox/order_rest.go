package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var orderBody = []field{
	{name: "status", kind: "string", enum: orderStatuses},
	{name: "customer_id", kind: "integer"},
	{name: "customer_note", kind: "string"}, {name: "payment_method", kind: "string"}, {name: "transaction_id", kind: "string"},
	{name: "billing", kind: "email-in"},
	{name: "set_paid", kind: "boolean"},
	{name: "line_items", kind: "array", items: []field{{name: "quantity", kind: "integer"}, {name: "product_id", kind: "integer"}, {name: "variation_id", kind: "integer"}, {name: "subtotal", kind: "string"}, {name: "total", kind: "string"}}},
	{name: "shipping_lines", kind: "array", items: []field{{name: "total", kind: "string"}}},
	{name: "fee_lines", kind: "array", items: []field{{name: "total", kind: "string"}}},
}

func (c *call) dp() int32 {
	return int32(min(max(c.intQuery("dp", int64(c.shop.settings.Decimals)), 0), 10))
}

// liveOrder finds an order, also one in the trash (woo/388). A refund's id and a
// product's are none (woo/367, 385).
func (c *call) liveOrder(status int) (*order, *apiError) {
	o, ok := c.shop.orders[c.ids[0]]
	if !ok {
		return nil, refuse(status, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
	}
	return o, nil
}

func getOrder(c *call) (int, any, *apiError) {
	o, refused := c.liveOrder(http.StatusNotFound)
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.orderView(o, c.dp()), nil
}

// listOrders leaves out the trash unless it is asked for, and includes drafts
// (woo/389, 390, 440).
func listOrders(c *call) (int, any, *apiError) {
	statuses := c.listQuery("status")
	if len(statuses) == 0 {
		statuses = []string{"any"}
	}
	search := strings.ToLower(c.query.Get("search"))
	var rows []row
	for _, o := range c.shop.orders {
		listed := slices.Contains(statuses, o.status) || slices.Contains(statuses, "any") && o.status != "trash" && o.status != "auto-draft"
		if !listed || !c.wanted(o.id) || !c.within(o.created, o.modified) || !c.orderMatches(o, search) {
			continue
		}
		rows = append(rows, row{id: o.id, created: o.created, modified: o.modified, view: func() any { return c.orderView(o, c.dp()) }})
	}
	c.sortRows(rows, orderParams)
	return c.page(rows, "status[0]", "any", "dp", strconv.Itoa(int(c.shop.settings.Decimals)), "context", "view")
}

func (c *call) orderMatches(o *order, search string) bool {
	if c.query.Has("customer") && o.customer != c.intQuery("customer", 0) {
		return false
	}
	if id := c.intQuery("product", 0); id != 0 && !slices.ContainsFunc(o.of(kindLine), func(i *orderItem) bool { return i.productID == id || i.variationID == id }) {
		return false
	}
	if search == "" || strconv.FormatInt(o.id, 10) == search {
		return true
	}
	for _, address := range []map[string]string{o.billing, o.shipTo} {
		for _, text := range address {
			if strings.Contains(strings.ToLower(text), search) {
				return true
			}
		}
	}
	return slices.ContainsFunc(o.of(kindLine), func(i *orderItem) bool { return strings.Contains(strings.ToLower(i.name), search) })
}

func createOrder(c *call) (int, any, *apiError) {
	if refused := c.checkBody(orderBody); refused != nil {
		return 0, nil, refused
	}
	if refused := c.checkCurrency(); refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	ids := s.ids
	o := s.newOrder()
	o.status, o.createdVia = "pending", "rest-api"
	if refused := c.writeOrder(o, true); refused != nil {
		s.ids = ids
		return 0, nil, refused
	}
	s.orders[o.id] = o
	s.fire("woocommerce_new_order", o.id)
	s.fire("woocommerce_update_order", o.id)
	if refused := c.writeCoupons(o); refused != nil {
		return 0, nil, refused // the order stays, without its coupon (woo/314, 377)
	}
	c.finishOrder(o, true)
	c.header.Set("Location", c.root()+"/orders/"+strconv.FormatInt(o.id, 10))
	return http.StatusCreated, c.orderView(o, c.dp()), nil
}

func updateOrder(c *call) (int, any, *apiError) {
	if refused := c.checkBody(orderBody); refused != nil {
		return 0, nil, refused
	}
	o, refused := c.liveOrder(http.StatusBadRequest)
	if refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	// Bringing an order back from the trash by its status is told to nobody (woo/541).
	if o.status == "trash" {
		if status, given := c.text("status"); given {
			s.setStatusQuietly(o, status)
			s.touch(o)
			return http.StatusOK, c.orderView(o, c.dp()), nil
		}
	}
	before, ids := o.clone(), s.ids
	refused = c.writeOrder(o, false)
	if refused == nil {
		refused = c.writeCoupons(o)
	}
	if refused != nil {
		*o, s.ids = *before, ids
		return 0, nil, refused
	}
	s.fire("woocommerce_update_order", o.id)
	c.finishOrder(o, false)
	return http.StatusOK, c.orderView(o, c.dp()), nil
}

func (s *Shop) setStatusQuietly(o *order, status string) {
	o.status = status
	if slices.Contains(takingStatuses, status) {
		o.stockReduced = true
	}
}

// finishOrder sets the status and the payment, after the lines.
func (c *call) finishOrder(o *order, creating bool) {
	s := c.shop
	if status, given := c.text("status"); given && status != "" {
		if !slices.Contains(orderStatuses, status) { // only in a batch: unknown becomes pending (woo/386, 718)
			status = "pending"
		}
		s.setStatus(o, status)
	}
	if asBool(c.body["set_paid"]) && (creating || o.needsPayment()) {
		transaction, _ := c.text("transaction_id")
		s.markPaid(o, transaction)
	}
	s.touch(o)
	if creating {
		s.customerOrdered(o)
	}
}

func deleteOrder(c *call) (int, any, *apiError) {
	o, refused := c.liveOrder(http.StatusNotFound)
	if refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	view := c.orderView(o, c.dp())
	if truth(c.query.Get("force")) { // told to nobody (woo/542)
		delete(s.orders, o.id)
		for _, id := range o.refunds {
			delete(s.refunds, id)
		}
		return http.StatusOK, view, nil
	}
	if o.status == "trash" {
		return 0, nil, refuse(http.StatusGone, "woocommerce_rest_already_trashed", "The order has already been deleted.")
	}
	o.trashedFrom, o.status = o.status, "trash"
	s.touch(o)
	s.fire("woocommerce_trash_order", o.id)
	return http.StatusOK, view, nil // the view before the trash (woo/387)
}

func batchOrders(c *call) (int, any, *apiError) {
	return c.runBatch(batchOf{create: createOrder, update: updateOrder, remove: deleteOrder})
}

func (c *call) checkCurrency() *apiError {
	code, given := c.text("currency")
	if !given || knownCurrency(code) {
		return nil
	}
	message := "currency is not one of " + enumText(currencyCodes) + "."
	return invalid([]problem{{param: "currency", code: "rest_not_in_enum", message: message}})
}
