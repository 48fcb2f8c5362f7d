package sandbox

import (
	"slices"

	"github.com/shopspring/decimal"
)

// Cart is what a shopper checks out.
type Cart struct {
	Items   []CartItem
	Coupons []string // codes
	Fees    []CartFee
	// Shipping is nil where nothing is shipped.
	Shipping *CartShipping

	CustomerID int64 // 0 for a guest
	// Billing and ShipTo are addresses by field: first_name, country, email, ….
	Billing, ShipTo map[string]string
	Note            string
	// PaymentMethod decides the order's status: bacs waits on-hold, cod is
	// processing, anything else is paid and processing. Empty stays pending.
	PaymentMethod, PaymentTitle string
	TransactionID               string
}

// CartItem is a product, or a variation by its own id.
type CartItem struct {
	ProductID int64
	Quantity  int64
}

// CartFee is a fee; a negative one is a discount over all rates of the cart.
type CartFee struct {
	Name     string
	Amount   string
	Taxable  bool
	TaxClass string
}

// CartShipping is the chosen shipping rate.
type CartShipping struct {
	Title, MethodID, InstanceID string
	Cost                        string
	// NotTaxable ships without tax.
	NotTaxable bool
}

// totals is a cart worked out. Amounts are in cents of the shop's decimals
// until they are put on an order. It follows WooCommerce's WC_Cart_Totals: what
// is kept is not rounded, what is summed is.
type totals struct {
	shop  *Shop
	set   Settings
	at    place
	cart  Cart
	items []*cartLine
	fees  []*cartLine

	coupons   []*coupon
	discounts *discounts

	shippingCost             decimal.Decimal
	shippingRaw              taxSet // as the shipping method states it
	shippingTaxes            taxSet // as the cart counts it
	shippingClass            string
	itemsTotal               decimal.Decimal
	discountNet, discountTax decimal.Decimal // discount without tax, tax of it
	total                    decimal.Decimal
}

// cartLine is an item or a fee.
type cartLine struct {
	product  *product
	fee      CartFee
	quantity decimal.Decimal
	class    string
	taxable  bool
	rates    []*TaxRate

	price                decimal.Decimal // of the line, as entered
	subtotal, total      decimal.Decimal // net
	subtotalTaxes, taxes taxSet
}

// cents brings an amount into the unit of calculation.
func (t *totals) cents(d decimal.Decimal) decimal.Decimal {
	return d.Shift(t.set.Decimals).Round(roundingDigits - t.set.Decimals)
}

// money brings it back, as it is kept.
func (t *totals) money(d decimal.Decimal) decimal.Decimal { return stored(d.Shift(-t.set.Decimals)) }

// workOut computes a cart.
func (s *Shop) workOut(cart Cart) (*totals, error) {
	t := &totals{shop: s, set: s.settings, at: s.taxedAt(cart.Billing, cart.ShipTo), cart: cart}
	if err := t.addItems(); err != nil {
		return nil, err
	}
	if err := t.addCoupons(); err != nil {
		return nil, err
	}
	t.discountItems()
	t.addShipping()
	t.addFees()
	t.sumUp()
	return t, nil
}

// taxedAt is the place that decides the rates.
func (s *Shop) taxedAt(billing, shipTo map[string]string) place {
	address := shipTo
	if s.settings.TaxBasedOn == "billing" || address["country"] == "" {
		address = billing
	}
	if s.settings.TaxBasedOn == "base" || address["country"] == "" {
		return s.base()
	}
	return place{address["country"], address["state"]}
}

func (t *totals) addItems() error {
	for _, item := range t.cart.Items {
		p, ok := t.shop.products[item.ProductID]
		if !ok {
			return errUnknownProduct(item.ProductID)
		}
		line := &cartLine{product: p, quantity: decimal.NewFromInt(item.Quantity), class: t.shop.taxClassOf(p), taxable: p.taxStatus == "taxable"}
		line.price = t.cents(amountOf(p.price()).Mul(line.quantity))
		if line.taxable {
			line.rates = t.shop.ratesFor(line.class, t.at)
		}
		if t.set.PricesIncludeTax && line.taxable {
			t.moveFromBase(line)
		}
		line.subtotal = line.price
		if line.taxable {
			line.subtotalTaxes = taxOn(line.price, line.rates, t.set.PricesIncludeTax)
			if t.set.PricesIncludeTax {
				line.subtotal = line.price.Sub(line.subtotalTaxes.sum())
			}
		}
		t.items = append(t.items, line)
	}
	return nil
}

// moveFromBase swaps the shop's own tax in a gross price for that of the
// customer's place: prices are meant at home.
func (t *totals) moveFromBase(line *cartLine) {
	home := t.shop.ratesFor(line.class, t.shop.base())
	if slices.Equal(home, line.rates) {
		return
	}
	net := line.price.Sub(taxOn(line.price, home, true).sum())
	line.price = net.Add(taxOn(net, line.rates, false).sum())
}

// discountItems applies the coupons and taxes what is left.
func (t *totals) discountItems() {
	var lines []*discountLine
	for i, line := range t.items {
		lines = append(lines, &discountLine{key: i, price: line.price, quantity: line.quantity, productID: line.product.id, parentID: line.product.parent})
	}
	t.discounts = newDiscounts(lines)
	for _, c := range t.coupons {
		t.discounts.apply(c, t.set.Decimals)
	}
	gross := zero
	for i, line := range t.items {
		off := t.discounts.off(i)
		gross = gross.Add(off)
		line.total = line.price.Sub(off)
		if line.taxable {
			line.taxes = taxOn(line.total, line.rates, t.set.PricesIncludeTax)
			if t.set.PricesIncludeTax {
				line.total = line.total.Sub(line.taxes.sum())
			}
		}
		t.itemsTotal = t.itemsTotal.Add(t.set.roundItem(line.total, 0))
	}
	t.discountNet = gross
	for _, c := range t.coupons {
		_, tax := t.couponOff(c)
		t.discountTax = t.discountTax.Add(tax)
	}
	if t.set.PricesIncludeTax {
		t.discountNet = gross.Sub(t.discountTax)
	}
}

// couponOff is what a coupon took off, net, and the tax of it.
func (t *totals) couponOff(c *coupon) (net, tax decimal.Decimal) {
	for _, part := range t.discounts.byLine(c.code) {
		line := t.items[part.key]
		net = net.Add(part.amount)
		if line.taxable {
			tax = tax.Add(taxOn(part.amount, line.rates, t.set.PricesIncludeTax).sum())
		}
	}
	if t.set.PricesIncludeTax {
		net = net.Sub(tax)
	}
	return net, tax
}

func (t *totals) addShipping() {
	ship := t.cart.Shipping
	if ship == nil {
		return
	}
	cost := amountOf(ship.Cost)
	t.shippingCost = t.cents(cost)
	t.shippingClass = t.set.ShippingTaxClass
	if !ship.NotTaxable {
		if class, ok := t.shop.shippingClassFor(t.itemClasses()); ok {
			t.shippingRaw = taxOn(cost, shippingRates(t.shop.ratesFor(class, t.at)), false)
		}
	}
	// Rounded half up although shipping lines round as the shop's tax does: the
	// yen of case B9.
	t.shippingTaxes = t.shippingRaw.each(func(d decimal.Decimal) decimal.Decimal {
		return t.set.roundItem(d.Shift(t.set.Decimals), 0)
	})
}

func (t *totals) itemClasses() []string {
	var classes []string
	for _, line := range t.items {
		if line.taxable && !slices.Contains(classes, line.class) {
			classes = append(classes, line.class)
		}
	}
	return classes
}

// shippingClassFor resolves "inherit": the first of the shop's classes that an
// item has, standard first. ok is false when there is none.
func (s *Shop) shippingClassFor(itemClasses []string) (string, bool) {
	if s.settings.ShippingTaxClass != "inherit" {
		return s.settings.ShippingTaxClass, true
	}
	for _, class := range append([]string{""}, s.settings.TaxClasses...) {
		if slices.Contains(itemClasses, class) {
			return class, true
		}
	}
	return "", false
}
