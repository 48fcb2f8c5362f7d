package sandbox

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"github.com/shopspring/decimal"
)

func errUnknownProduct(id int64) error { return fmt.Errorf("product %d does not exist", id) }

// Checkout places an order as a shopper does: a draft first, then the order.
// Both are told to the webhooks: order.updated for the draft, order.updated and
// order.created for the order (woo/558). It returns the order's id.
func (s *Shop) Checkout(cart Cart) (int64, error) {
	id, err := s.Draft(cart)
	if err != nil {
		return 0, err
	}
	return id, s.Place(id)
}

// Draft makes the order that stands in the shop while the shopper is at the
// checkout page: status checkout-draft, no order yet.
func (s *Shop) Draft(cart Cart) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.workOut(cart)
	if err != nil {
		return 0, fmt.Errorf("checking out: %w", err)
	}
	o := s.newOrder()
	o.status, o.createdVia = "checkout-draft", "store-api"
	o.customer, o.note = cart.CustomerID, cart.Note
	o.billing, o.shipTo = maps.Clone(cart.Billing), maps.Clone(cart.ShipTo)
	o.paymentMethod, o.paymentTitle, o.transactionID = cart.PaymentMethod, cart.PaymentTitle, cart.TransactionID
	o.ip, o.agent = "127.0.0.1", "Mozilla/5.0"
	o.cartHash = hashOf(cart.Items, cart.Coupons)
	for _, part := range []struct { // by which the Store API sees that a cart has changed (woo/443)
		name string
		of   any
	}{{"_coupons_hash", cart.Coupons}, {"_fees_hash", cart.Fees}, {"_shipping_hash", cart.Shipping != nil}, {"_taxes_hash", cart.Billing["country"]}} {
		o.meta = append(o.meta, s.newMeta(part.name, hashOf(part.of)))
	}
	o.meta = append(o.meta, s.newMeta("is_vat_exempt", "no"))
	t.fill(o)
	s.orders[o.id] = o
	s.fire("woocommerce_update_order", o.id)
	return o.id, nil
}

func hashOf(parts ...any) string {
	hash := md5.Sum(fmt.Append(nil, parts...))
	return hex.EncodeToString(hash[:])
}

// Place turns a draft into an order.
func (s *Shop) Place(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok || o.status != "checkout-draft" {
		return fmt.Errorf("placing order %d: it is no draft", id)
	}
	s.deliver.seal() // what the draft told is told on its own
	s.fire("woocommerce_update_order", id)
	s.fire("woocommerce_new_order", id)
	switch o.paymentMethod {
	case "":
		o.status = "pending"
	case "bacs", "cheque":
		s.setStatus(o, "on-hold")
	case "cod": // not paid before it is delivered (woo/446)
		s.setStatus(o, "processing")
	default:
		s.markPaid(o, o.transactionID)
	}
	for _, line := range o.of(kindCoupon) {
		if c := s.couponByCode(line.name); c != nil {
			c.used++
		}
	}
	s.touch(o)
	s.customerOrdered(o)
	return nil
}

// newOrder gives an order its id and stamps.
func (s *Shop) newOrder() *order {
	s.ids.post++
	now := s.clock()
	return &order{id: s.ids.post, currency: s.settings.Currency, pricesIncludeTax: s.settings.PricesIncludeTax, version: shopVersion,
		key: "wc_order_" + s.token(13), created: now, modified: now, billing: map[string]string{}, shipTo: map[string]string{}}
}

const shopVersion = "9.9.5"

func (s *Shop) newMeta(key string, value any) metaEntry {
	s.ids.meta++
	return metaEntry{id: s.ids.meta, key: key, value: value}
}

// fill puts a cart that was worked out onto an order.
func (t *totals) fill(o *order) {
	dp := t.set.Decimals
	t.fillTaxLines(o) // first, as the Store API does (woo/443)
	var packed []string
	for _, line := range t.items {
		packed = append(packed, line.product.name+" &times; "+line.quantity.String())
		item := t.shop.addItem(o, t.shop.productItem(line.product, line.quantity))
		item.taxClass = line.class
		item.subtotal, item.total = t.money(line.subtotal), t.money(line.total)
		t.shop.setTaxes(item, t.inMoney(line.taxes), t.inMoney(line.subtotalTaxes))
	}
	feeTax := zero
	for _, fee := range t.fees {
		item := t.shop.addItem(o, &orderItem{kind: kindFee, name: fee.fee.Name, taxClass: fee.class, taxStatus: "taxable", amount: trimmed(amountOf(fee.fee.Amount))})
		if !fee.taxable {
			item.taxClass = "0"
		}
		item.total = t.money(fee.total)
		t.shop.setTaxes(item, t.inMoney(fee.taxes), nil)
		for _, one := range fee.taxes {
			feeTax = feeTax.Add(t.set.roundLineTax(one.amount, 0))
		}
	}
	if ship := t.cart.Shipping; ship != nil {
		item := t.shop.addItem(o, &orderItem{kind: kindShipping, name: ship.Title, methodID: ship.MethodID, instanceID: ship.InstanceID, taxStatus: "taxable"})
		if ship.NotTaxable {
			item.taxStatus = "none"
		}
		item.total = stored(amountOf(ship.Cost))
		items := t.shop.newMeta("Items", strings.Join(packed, ", "))
		items.displayKey, items.displayValue = items.key, items.value
		item.meta = append(item.meta, items)
		t.shop.setTaxes(item, t.shippingRaw, nil)
	}
	for _, c := range t.coupons {
		net, tax := t.couponOff(c)
		item := t.shop.addItem(o, t.shop.couponItem(c))
		item.discount = roundHalfDown(net.Shift(-dp), dp)
		item.discountTax = roundHalfDown(tax.Shift(-dp), dp)
	}
	o.discountTotal, o.discountTax = t.money(t.discountNet), t.money(t.discountTax)
	o.shippingTotal, o.shippingTax = t.money(t.shippingCost), t.money(t.shippingTaxes.sum())
	o.cartTax = stored(t.itemTaxes().sum().Add(feeTax).Shift(-dp))
	o.totalTax = o.cartTax.Add(o.shippingTax).Round(dp)
	o.total = t.money(t.total)
}

func (t *totals) fillTaxLines(o *order) {
	items, fees := t.itemTaxes(), t.feeTaxes()
	var rates taxSet
	rates.addAll(items)
	rates.addAll(t.shippingTaxes)
	rates.addAll(fees)
	for _, one := range rates {
		line := t.shop.addItem(o, &orderItem{kind: kindTax, rate: t.shop.rates[one.rate]})
		line.taxTotal = t.money(items.of(one.rate).Add(fees.of(one.rate)))
		line.shippingTax = t.money(t.shippingTaxes.of(one.rate))
	}
}

func (t *totals) inMoney(taxes taxSet) taxSet {
	return taxes.each(func(d decimal.Decimal) decimal.Decimal { return d.Shift(-t.set.Decimals) })
}

// addCoupons finds the cart's coupons in the order in which they apply: those
// per product, then percentages, then those per cart.
func (t *totals) addCoupons() error {
	subtotal := zero
	for _, line := range t.items {
		subtotal = subtotal.Add(line.price.Shift(-t.set.Decimals))
	}
	for _, code := range t.cart.Coupons {
		c := t.shop.couponByCode(code)
		if c == nil {
			return fmt.Errorf("coupon %q does not exist", code)
		}
		if err := c.usable(t.shop, subtotal); err != nil {
			return err
		}
		t.coupons = append(t.coupons, c)
	}
	sortCoupons(t.coupons)
	return nil
}
