package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Coupon is a coupon to add.
type Coupon struct {
	ID     int64 // given when 0
	Code   string
	Type   string // percent, fixed_cart or fixed_product
	Amount string
	// Minimum and Maximum bound the cart it is good for; "" for no bound.
	Minimum, Maximum string
	Expires          time.Time // zero for never
	UsageLimit       int64     // 0 for none
	// Products are the only ones it is for; none means all.
	Products     []int64
	FreeShipping bool
}

type coupon struct {
	id                int64
	code, kind        string
	amount            string
	minimum, maximum  string
	expires           time.Time
	limit, used       int64
	products          []int64
	freeShipping      bool
	status            string
	description       string
	created, modified time.Time
	meta              []metaEntry
}

// AddCoupon adds a coupon and returns its id.
func (s *Shop) AddCoupon(from Coupon) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.newCoupon(from.ID)
	k.code, k.kind, k.amount = strings.ToLower(from.Code), cmp.Or(from.Type, "fixed_cart"), from.Amount
	k.minimum, k.maximum, k.expires, k.limit = from.Minimum, from.Maximum, from.Expires, from.UsageLimit
	k.products, k.freeShipping = from.Products, from.FreeShipping
	return k.id
}

func (s *Shop) newCoupon(id int64) *coupon {
	if id == 0 {
		id = s.ids.post + 1
	}
	s.ids.post = max(s.ids.post, id)
	k := &coupon{id: id, kind: "fixed_cart", status: "publish", created: s.clock(), modified: s.clock()}
	s.coupons[id] = k
	return k
}

// couponByCode finds a coupon whatever the case of its code (woo/398).
func (s *Shop) couponByCode(code string) *coupon {
	for _, k := range s.coupons {
		if strings.EqualFold(k.code, strings.TrimSpace(code)) && k.status != "trash" {
			return k
		}
	}
	return nil
}

// refusal is an error in the shop's own words, a sentence for the shopper.
func refusal(format string, args ...any) error { return fmt.Errorf(format, args...) }

// usable tells whether a coupon may be used for goods of a price.
func (k *coupon) usable(s *Shop, subtotal decimal.Decimal) error {
	switch {
	case !k.expires.IsZero() && s.now().After(k.expires):
		return refusal(`Coupon "%s" has expired.`, k.code)
	case k.limit > 0 && k.used >= k.limit:
		return refusal(`Usage limit for coupon "%s" has been reached.`, k.code)
	case amountOf(k.minimum).IsPositive() && subtotal.LessThan(amountOf(k.minimum)):
		return refusal(`The minimum spend for coupon "%s" is %s.`, k.code, k.minimum)
	case amountOf(k.maximum).IsPositive() && subtotal.GreaterThan(amountOf(k.maximum)):
		return refusal(`The maximum spend for coupon "%s" is %s.`, k.code, k.maximum)
	}
	return nil
}

func (k *coupon) isFor(line *discountLine) bool {
	return len(k.products) == 0 || slices.Contains(k.products, line.productID) || slices.Contains(k.products, line.parentID)
}

// sortCoupons puts them in the order in which they apply.
func sortCoupons(coupons []*coupon) {
	rank := map[string]int{"fixed_product": 1, "percent": 2, "fixed_cart": 3}
	slices.SortStableFunc(coupons, func(a, b *coupon) int {
		return cmp.Or(cmp.Compare(rank[a.kind], rank[b.kind]), amountOf(a.amount).Cmp(amountOf(b.amount)), cmp.Compare(b.id, a.id))
	})
}

func (c *call) couponView(k *coupon) object {
	s := c.shop
	money := func(text string) string { return fixed(amountOf(text), s.settings.Decimals) }
	var limit any
	if k.limit > 0 {
		limit = k.limit
	}
	return object{
		{"id", k.id}, {"code", k.code}, {"amount", money(k.amount)}, {"status", k.status},
		{"date_created", s.local(k.created)}, {"date_created_gmt", gmt(k.created)}, {"date_modified", s.local(k.modified)}, {"date_modified_gmt", gmt(k.modified)},
		{"discount_type", k.kind}, {"description", k.description}, {"date_expires", s.local(k.expires)}, {"date_expires_gmt", gmt(k.expires)},
		{"usage_count", k.used}, {"individual_use", false}, {"product_ids", list(k.products)}, {"excluded_product_ids", []any{}},
		{"usage_limit", limit}, {"usage_limit_per_user", nil}, {"limit_usage_to_x_items", nil}, {"free_shipping", k.freeShipping},
		{"product_categories", []any{}}, {"excluded_product_categories", []any{}}, {"exclude_sale_items", false},
		{"minimum_amount", money(k.minimum)}, {"maximum_amount", money(k.maximum)}, {"email_restrictions", []any{}}, {"used_by", []any{}},
		{"meta_data", metaView(k.meta, false)}, c.links("/coupons/"+strconv.FormatInt(k.id, 10), allMethods),
	}
}

func (c *call) liveCoupon() (*coupon, *apiError) {
	k, ok := c.shop.coupons[c.ids[0]]
	if !ok {
		return nil, refuse(http.StatusNotFound, "woocommerce_rest_shop_coupon_invalid_id", "Invalid ID.")
	}
	return k, nil
}

func getCoupon(c *call) (int, any, *apiError) {
	k, refused := c.liveCoupon()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.couponView(k), nil
}

func listCoupons(c *call) (int, any, *apiError) {
	code := c.query.Get("code")
	var rows []row
	for _, k := range c.shop.coupons {
		if k.status != "trash" && c.wanted(k.id) && c.within(k.created, k.modified) && (code == "" || strings.EqualFold(code, k.code)) {
			rows = append(rows, row{id: k.id, created: k.created, modified: k.modified, title: k.code, view: func() any { return c.couponView(k) }})
		}
	}
	c.sortRows(rows, couponParams)
	return c.page(rows)
}

// writeCoupon puts the fields of a request onto a coupon.
func (c *call) writeCoupon(k *coupon) {
	for name, into := range map[string]*string{"amount": &k.amount, "description": &k.description, "discount_type": &k.kind,
		"minimum_amount": &k.minimum, "maximum_amount": &k.maximum, "status": &k.status} {
		if value, given := c.text(name); given {
			*into = value
		}
	}
	if code, given := c.text("code"); given {
		k.code = strings.ToLower(code)
	}
	if raw, given := c.body["usage_limit"]; given {
		k.limit = asInt(raw)
	}
	if raw, given := c.body["free_shipping"]; given {
		k.freeShipping = asBool(raw)
	}
	if raw, given := c.body["product_ids"]; given {
		k.products = nil
		for _, id := range asArray(raw) {
			k.products = append(k.products, asInt(id))
		}
	}
	for _, name := range []string{"date_expires_gmt", "date_expires"} {
		zone := time.UTC
		if name == "date_expires" {
			zone = c.shop.zone
		}
		if text, given := c.text(name); given {
			at, err := parseStamp(text, zone)
			if err != nil {
				at = time.Time{}
			}
			k.expires = at
		}
	}
	k.meta = c.shop.writeMeta(k.meta, c.body["meta_data"])
}

func updateCoupon(c *call) (int, any, *apiError) {
	k, ok := c.shop.coupons[c.ids[0]]
	if !ok {
		return 0, nil, refuse(http.StatusBadRequest, "woocommerce_rest_shop_coupon_invalid_id", "Invalid ID.")
	}
	if code, given := c.text("code"); given {
		if other := c.shop.couponByCode(code); other != nil && other != k {
			return 0, nil, refuse(http.StatusBadRequest, "woocommerce_rest_coupon_code_already_exists", "The coupon code already exists")
		}
	}
	c.writeCoupon(k)
	k.modified = c.shop.clock()
	c.shop.fire("woocommerce_update_coupon", k.id)
	return http.StatusOK, c.couponView(k), nil
}

func batchCoupons(c *call) (int, any, *apiError) {
	return c.runBatch(batchOf{create: createCoupon, update: updateCoupon, remove: deleteCoupon})
}

func createCoupon(c *call) (int, any, *apiError) {
	code, given := c.text("code")
	if !given {
		return 0, nil, missing("code")
	}
	s := c.shop
	if s.couponByCode(code) != nil {
		return 0, nil, refuse(http.StatusBadRequest, "woocommerce_rest_coupon_code_already_exists", "The coupon code already exists")
	}
	k := s.newCoupon(0)
	c.writeCoupon(k)
	s.fire("woocommerce_new_coupon", k.id)
	c.header.Set("Location", c.root()+"/coupons/"+strconv.FormatInt(k.id, 10))
	return http.StatusCreated, c.couponView(k), nil
}

func deleteCoupon(c *call) (int, any, *apiError) {
	k, refused := c.liveCoupon()
	if refused != nil {
		return 0, nil, refused
	}
	view := c.couponView(k)
	if truth(c.query.Get("force")) {
		delete(c.shop.coupons, k.id)
		return http.StatusOK, view, nil
	}
	if k.status == "trash" {
		return 0, nil, refuse(http.StatusGone, "woocommerce_rest_already_trashed", "The shop_coupon has already been deleted.")
	}
	k.status = "trash"
	c.shop.fire("wp_trash_post", k.id)
	return http.StatusOK, view, nil
}
