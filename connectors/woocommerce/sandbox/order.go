package sandbox

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// order is an order as the database keeps it: amounts with six decimals.
type order struct {
	id               int64
	status           string
	currency         string
	pricesIncludeTax bool
	customer         int64
	key              string
	number           string // of a plugin; empty shows the id
	version          string

	created, modified, paid, completed time.Time

	billing, shipTo             map[string]string
	paymentMethod, paymentTitle string
	transactionID               string
	createdVia, note            string
	ip, agent, cartHash         string
	meta                        []metaEntry
	items                       []*orderItem
	refunds                     []int64
	stockReduced                bool
	trashedFrom                 string // status before the trash
	extra                       object // members of a loaded order that the sandbox does not know
	discountTotal, discountTax  decimal.Decimal
	shippingTotal, shippingTax  decimal.Decimal
	cartTax, total, totalTax    decimal.Decimal
}

// The kinds of order items, as the database names them.
const (
	kindLine     = "line_item"
	kindTax      = "tax"
	kindShipping = "shipping"
	kindFee      = "fee"
	kindCoupon   = "coupon"
)

// orderItem is a line of an order, of any kind.
type orderItem struct {
	id   int64
	kind string
	name string // of lines and fees; the method's title; the coupon's code
	meta []metaEntry

	productID, variationID int64
	quantity               decimal.Decimal
	taxClass, taxStatus    string
	subtotal, subtotalTax  decimal.Decimal
	total, totalTax        decimal.Decimal
	taxes                  []itemTax
	sku                    *string // of a loaded line whose product has another

	methodID, instanceID string
	amount               string // of fees, as entered

	rate                  *TaxRate
	taxTotal, shippingTax decimal.Decimal
	discount, discountTax decimal.Decimal
	discountType          string
	nominal               string
	freeShipping          bool
	extra                 object
}

// itemTax is the tax of a line by rate, as text the way it is kept.
type itemTax struct {
	rate            int64
	total, subtotal decimal.Decimal
	hasSubtotal     bool // shipping and fees have none
}

// metaEntry is a field of a plugin, or of a line.
type metaEntry struct {
	id           int64
	key          string
	value        any
	displayKey   string // of line items
	displayValue any
}

// addressFields of billing; shipping has no email.
var addressFields = []string{"first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country", "email", "phone"}

func (o *order) of(kind string) []*orderItem {
	var out []*orderItem
	for _, item := range o.items {
		if item.kind == kind {
			out = append(out, item)
		}
	}
	return out
}

func (o *order) item(id int64) *orderItem {
	for _, item := range o.items {
		if item.id == id {
			return item
		}
	}
	return nil
}

func (o *order) drop(id int64) {
	o.items = slices.DeleteFunc(o.items, func(item *orderItem) bool { return item.id == id })
}

// clone copies an order with its lines, to go back to when a request fails.
func (o *order) clone() *order {
	c := *o
	c.billing, c.shipTo = maps.Clone(o.billing), maps.Clone(o.shipTo)
	c.meta = slices.Clone(o.meta)
	c.items = make([]*orderItem, len(o.items))
	for i, item := range o.items {
		line := *item
		line.meta, line.taxes = slices.Clone(item.meta), slices.Clone(item.taxes)
		c.items[i] = &line
	}
	return &c
}

// paidStatuses are those in which an order counts as paid and stock is taken.
var paidStatuses = []string{"processing", "completed"}

// taking statuses reduce stock, giving ones put it back.
var (
	takingStatuses = []string{"processing", "completed", "on-hold"}
	givingStatuses = []string{"cancelled", "pending"}
)

// setStatus moves an order to a status with what follows from it: stamps and
// stock (woo/306, 327 to 334, 417). Every change is allowed.
func (s *Shop) setStatus(o *order, status string) {
	from := o.status
	o.status = status
	if from == status {
		return
	}
	defer func() {
		s.noteByShop(o.id, "Order status changed from "+statusName(from)+" to "+statusName(status)+".")
	}()
	if status == "completed" {
		o.completed = s.clock()
	}
	if slices.Contains(paidStatuses, status) && o.paid.IsZero() && o.paymentMethod != "cod" {
		o.paid = s.clock()
	}
	if status == "completed" && o.paid.IsZero() {
		o.paid = s.clock()
	}
	switch {
	case slices.Contains(takingStatuses, status):
		s.takeStock(o)
	case slices.Contains(givingStatuses, status):
		s.giveStock(o)
	}
	if status == "refunded" && s.refundable(o).IsPositive() {
		s.refundRest(o)
	}
	if status == "completed" {
		s.fire("woocommerce_order_status_completed", o.id)
	}
}

// needsPayment: an order to be paid that is not yet.
func (o *order) needsPayment() bool {
	return (o.status == "pending" || o.status == "failed") && o.total.IsPositive()
}

// markPaid is what payment_complete does: processing, or completed where nothing
// needs to be shipped or handled.
func (s *Shop) markPaid(o *order, transaction string) {
	if transaction != "" {
		o.transactionID = transaction
	}
	if !slices.Contains([]string{"pending", "on-hold", "failed", "cancelled", "checkout-draft"}, o.status) {
		return
	}
	if o.paid.IsZero() {
		o.paid = s.clock()
	}
	status := "processing"
	if o.paymentMethod == "cod" || !s.needsProcessing(o) { // woo/303
		status = "completed"
	}
	s.setStatus(o, status)
}

func (s *Shop) needsProcessing(o *order) bool {
	for _, line := range o.of(kindLine) {
		if p := s.productOf(line); p != nil && !(p.virtual && p.downloadable) {
			return true
		}
	}
	return false
}

// Order returns an order as the API answers it, with dp decimals (-1: the shop's).
func (s *Shop) Order(id int64, dp int32) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok {
		return nil, false
	}
	c := s.internalCall()
	if dp < 0 {
		dp = s.settings.Decimals
	}
	data, err := marshal(c.orderView(o, dp))
	return data, err == nil
}

// SetOrderStatus changes a status as the shop's staff does, with its webhooks
// (woo/708).
func (s *Shop) SetOrderStatus(id int64, status string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok {
		return false
	}
	s.fire("woocommerce_update_order", id)
	s.setStatus(o, status)
	s.touch(o)
	return true
}

func (s *Shop) touch(o *order) { o.modified = s.clock() }

// internalCall is a call that nobody sent: for views in webhooks and for Go.
func (s *Shop) internalCall() *call {
	home := s.url
	if home == "" {
		home = "http://shop.test" // never started, no URL given
	}
	return &call{shop: s, home: home, query: url.Values{}, header: http.Header{}, body: map[string]any{}}
}
