package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// LoadedOrder is an order of a real shop, as its API answered it.
type LoadedOrder struct {
	Order json.RawMessage
	// DP6 is the same with dp=6. It holds all that the shop keeps, so any other
	// number of decimals follows from it; without it Order's figures are all.
	DP6 json.RawMessage
	// Refunds are the order's refund resources.
	Refunds []json.RawMessage
}

// LoadOrder stores an order with its ids, and the products, customer and tax
// rates it names where the shop has none. No webhook is told. Loading an id
// again replaces the order.
func (s *Shop) LoadOrder(from LoadedOrder) (int64, error) {
	source := from.DP6
	if len(source) == 0 {
		source = from.Order
	}
	raw, err := decodeJSON(source)
	if err != nil {
		return 0, fmt.Errorf("loading an order: %w", err)
	}
	record := asRecord(raw)
	id := asInt(record["id"])
	if id <= 0 {
		return 0, errors.New("loading an order: it has no id")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &order{id: id}
	s.loadHead(o, record)
	for _, part := range []struct {
		list string
		load func(*orderItem, map[string]any)
	}{
		{"line_items", s.loadLine}, {"tax_lines", s.loadTaxLine}, {"shipping_lines", s.loadShipping}, {"fee_lines", s.loadFee}, {"coupon_lines", s.loadCoupon},
	} {
		for _, entry := range asArray(record[part.list]) {
			item := asRecord(entry)
			line := &orderItem{id: asInt(item["id"]), meta: loadMeta(item["meta_data"])}
			part.load(line, item)
			o.items = append(o.items, line)
			s.ids.item = max(s.ids.item, line.id)
		}
	}
	o.stockReduced = slices.ContainsFunc(o.items, func(i *orderItem) bool { return i.reduced().IsPositive() })
	s.orders[id] = o
	s.ids.post = max(s.ids.post, id)
	for _, data := range from.Refunds {
		if err := s.loadRefund(o, data); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// orderMembers are the members of an order that loadHead and the views know.
var orderMembers = strings.Fields(`id parent_id status currency version prices_include_tax date_created date_modified discount_total
	discount_tax shipping_total shipping_tax cart_tax total total_tax customer_id order_key billing shipping payment_method
	payment_method_title transaction_id customer_ip_address customer_user_agent created_via customer_note date_completed date_paid
	cart_hash number meta_data line_items tax_lines shipping_lines fee_lines coupon_lines refunds payment_url is_editable
	needs_payment needs_processing date_created_gmt date_modified_gmt date_completed_gmt date_paid_gmt currency_symbol _links`)

func (s *Shop) loadHead(o *order, r map[string]any) {
	o.status, o.currency, o.version = asText(r["status"]), asText(r["currency"]), asText(r["version"])
	o.pricesIncludeTax = asBool(r["prices_include_tax"])
	o.key, o.number = asText(r["order_key"]), asText(r["number"])
	o.created, o.modified = loadStamp(r["date_created_gmt"]), loadStamp(r["date_modified_gmt"])
	o.paid, o.completed = loadStamp(r["date_paid_gmt"]), loadStamp(r["date_completed_gmt"])
	o.billing, o.shipTo = loadAddress(r["billing"]), loadAddress(r["shipping"])
	o.paymentMethod, o.paymentTitle, o.transactionID = asText(r["payment_method"]), asText(r["payment_method_title"]), asText(r["transaction_id"])
	o.createdVia, o.note = asText(r["created_via"]), asText(r["customer_note"])
	o.ip, o.agent, o.cartHash = asText(r["customer_ip_address"]), asText(r["customer_user_agent"]), asText(r["cart_hash"])
	o.meta = loadMeta(r["meta_data"])
	for name, into := range map[string]*decimal.Decimal{
		"discount_total": &o.discountTotal, "discount_tax": &o.discountTax, "shipping_total": &o.shippingTotal, "shipping_tax": &o.shippingTax,
		"cart_tax": &o.cartTax, "total": &o.total, "total_tax": &o.totalTax,
	} {
		*into = amountOf(asText(r[name]))
	}
	o.customer = asInt(r["customer_id"])
	if o.customer > 0 && s.customers[o.customer] == nil {
		s.loadCustomer(o)
	}
	o.extra = extraMembers(r, orderMembers)
}

func (s *Shop) loadLine(line *orderItem, r map[string]any) {
	line.kind, line.name = kindLine, asText(r["name"])
	line.productID, line.variationID = asInt(r["product_id"]), asInt(r["variation_id"])
	line.quantity = amountOf(asText(r["quantity"]))
	line.taxClass, line.taxStatus = asText(r["tax_class"]), "taxable"
	line.subtotal, line.subtotalTax = amountOf(asText(r["subtotal"])), amountOf(asText(r["subtotal_tax"]))
	s.loadTotals(line, r)
	if sku, ok := r["sku"].(string); ok {
		line.sku = &sku
	}
	line.extra = extraMembers(r, strings.Fields("id name product_id variation_id quantity tax_class subtotal subtotal_tax total total_tax taxes meta_data sku price image parent_name"))
	s.loadProduct(line, r)
}

func (s *Shop) loadTotals(line *orderItem, r map[string]any) {
	line.total, line.totalTax = amountOf(asText(r["total"])), amountOf(asText(r["total_tax"]))
	for _, entry := range asArray(r["taxes"]) {
		t := asRecord(entry)
		subtotal := asText(t["subtotal"])
		line.taxes = append(line.taxes, itemTax{rate: asInt(t["id"]), total: amountOf(asText(t["total"])), subtotal: amountOf(subtotal), hasSubtotal: subtotal != ""})
	}
}

func (s *Shop) loadTaxLine(line *orderItem, r map[string]any) {
	line.kind, line.name = kindTax, asText(r["rate_code"])
	line.taxTotal, line.shippingTax = amountOf(asText(r["tax_total"])), amountOf(asText(r["shipping_tax_total"]))
	id := asInt(r["rate_id"])
	line.rate = &TaxRate{ID: id, Name: asText(r["label"]), Rate: asText(r["rate_percent"]), Priority: 1, Compound: asBool(r["compound"]), Shipping: true}
	if _, known := s.rates[id]; !known && id > 0 {
		rate := *line.rate
		s.rates[id] = &rate
		s.ids.rate = max(s.ids.rate, id)
	}
	line.extra = extraMembers(r, strings.Fields("id rate_code rate_id label compound tax_total shipping_tax_total rate_percent meta_data"))
}

func (s *Shop) loadShipping(line *orderItem, r map[string]any) {
	line.kind, line.name = kindShipping, asText(r["method_title"])
	line.methodID, line.instanceID, line.taxStatus = asText(r["method_id"]), asText(r["instance_id"]), asText(r["tax_status"])
	s.loadTotals(line, r)
	line.extra = extraMembers(r, strings.Fields("id method_title method_id instance_id total total_tax taxes tax_status meta_data"))
}

func (s *Shop) loadFee(line *orderItem, r map[string]any) {
	line.kind, line.name = kindFee, asText(r["name"])
	line.taxClass, line.taxStatus, line.amount = asText(r["tax_class"]), asText(r["tax_status"]), asText(r["amount"])
	s.loadTotals(line, r)
	line.extra = extraMembers(r, strings.Fields("id name tax_class tax_status amount total total_tax taxes meta_data"))
}

func (s *Shop) loadCoupon(line *orderItem, r map[string]any) {
	line.kind, line.name = kindCoupon, asText(r["code"])
	line.discount, line.discountTax = amountOf(asText(r["discount"])), amountOf(asText(r["discount_tax"]))
	line.discountType, line.nominal, line.freeShipping = asText(r["discount_type"]), asText(r["nominal_amount"]), asBool(r["free_shipping"])
	line.extra = extraMembers(r, strings.Fields("id code discount discount_tax meta_data discount_type nominal_amount free_shipping"))
}

func loadMeta(raw any) []metaEntry {
	var entries []metaEntry
	for _, entry := range asArray(raw) {
		m := asRecord(entry)
		entries = append(entries, metaEntry{id: asInt(m["id"]), key: asText(m["key"]), value: m["value"], displayKey: asText(m["display_key"]), displayValue: m["display_value"]})
	}
	return entries
}

func loadAddress(raw any) map[string]string {
	address := map[string]string{}
	for name, value := range asRecord(raw) {
		address[name] = asText(value)
	}
	return address
}

func loadStamp(raw any) time.Time {
	t, err := parseStamp(asText(raw), time.UTC)
	if err != nil {
		return time.Time{}
	}
	return t
}

// extraMembers are the members a plugin added, in a fixed order.
func extraMembers(r map[string]any, known []string) object {
	var extra object
	for name, value := range r {
		if !slices.Contains(known, name) {
			extra = append(extra, member{name, value})
		}
	}
	slices.SortFunc(extra, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return extra
}
