package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// reducedKey is the line's meta that says how much stock it took.
const reducedKey = "_reduced_stock"

// takeStock reduces the stock of an order's products once (woo/303, 315: also
// below zero).
func (s *Shop) takeStock(o *order) {
	if o.stockReduced {
		return
	}
	o.stockReduced = true
	var changes []string
	for _, line := range o.of(kindLine) {
		p := s.productOf(line)
		if p == nil || s.keeper(p) == nil || line.reduced().IsPositive() {
			if p != nil {
				s.sold(p, line.quantity)
			}
			continue
		}
		before := s.keeper(p).stock
		s.changeStock(p, line.quantity.Neg())
		s.sold(p, line.quantity)
		s.setReduced(line, line.quantity)
		changes = append(changes, fmt.Sprintf("%s (%s) %s&rarr;%s", p.name, cmp.Or(p.sku, "#"+strconv.FormatInt(p.id, 10)), before, s.keeper(p).stock))
	}
	if changes != nil {
		s.noteByShop(o.id, "Stock levels reduced: "+strings.Join(changes, ", "))
	}
}

// giveStock puts it back (woo/417).
func (s *Shop) giveStock(o *order) {
	if !o.stockReduced {
		return
	}
	o.stockReduced = false
	for _, line := range o.of(kindLine) {
		if p, taken := s.productOf(line), line.reduced(); p != nil && taken.IsPositive() {
			s.changeStock(p, taken)
			line.meta = slices.DeleteFunc(line.meta, func(m metaEntry) bool { return m.key == reducedKey })
		}
	}
}

// adjustLine follows a change of a line's quantity in an order that took stock
// (woo/337, 338).
func (s *Shop) adjustLine(o *order, line *orderItem, quantity decimal.Decimal) {
	p := s.productOf(line)
	taken := line.reduced()
	if !o.stockReduced || p == nil || s.keeper(p) == nil || taken.Equal(quantity) {
		return
	}
	s.changeStock(p, taken.Sub(quantity))
	s.setReduced(line, quantity)
}

func (line *orderItem) reduced() decimal.Decimal {
	for _, m := range line.meta {
		if m.key == reducedKey {
			return amountOf(asText(m.value))
		}
	}
	return zero
}

func (s *Shop) setReduced(line *orderItem, quantity decimal.Decimal) {
	text := trimmed(quantity)
	for i := range line.meta {
		if line.meta[i].key == reducedKey {
			line.meta[i].value = text
			return
		}
	}
	line.meta = append(line.meta, s.newMeta(reducedKey, text))
}

// keeper is the product whose stock counts: the variation's own or its
// parent's; nil where stock is not managed.
func (s *Shop) keeper(p *product) *product {
	if p.manageStock {
		return p
	}
	if parent := s.products[p.parent]; parent != nil && parent.manageStock {
		return parent
	}
	return nil
}

// changeStock adds to a stock; the product and its parent count as changed
// (woo/415, 416).
func (s *Shop) changeStock(p *product, by decimal.Decimal) {
	k := s.keeper(p)
	if k == nil {
		return
	}
	k.stock = k.stock.Add(by)
	k.restock()
	s.touchProduct(k)
	s.fireProductUpdate(k)
}

func (s *Shop) sold(p *product, quantity decimal.Decimal) {
	p.totalSales += quantity.IntPart()
	if parent := s.products[p.parent]; parent != nil {
		parent.totalSales += quantity.IntPart()
	}
}

// restock derives the stock status from the quantity.
func (p *product) restock() {
	if !p.manageStock {
		return
	}
	switch {
	case p.stock.IsPositive():
		p.stockStatus = "instock"
	case p.backorders != "no":
		p.stockStatus = "onbackorder"
	default:
		p.stockStatus = "outofstock"
	}
}

func (s *Shop) touchProduct(p *product) {
	p.modified = s.clock()
	if parent := s.products[p.parent]; parent != nil {
		parent.modified = p.modified
	}
}

// SetStock sets a product's stock as a person in the shop does, and manages it
// from then on.
func (s *Shop) SetStock(id, quantity int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.products[id]
	if !ok {
		return false
	}
	p.manageStock, p.stock = true, decimal.NewFromInt(quantity)
	p.restock()
	s.touchProduct(p)
	s.fireProductUpdate(p)
	return true
}
