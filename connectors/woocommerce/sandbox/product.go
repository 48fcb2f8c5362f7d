package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Product is a product to add. A variation has a Parent.
type Product struct {
	ID           int64 // given when 0
	Parent       int64 // of a variation
	Variable     bool  // has variations
	Name, SKU    string
	RegularPrice string
	SalePrice    string
	TaxClass     string // "" is the standard class
	NotTaxable   bool
	// Stock manages the stock when it is not nil.
	Stock *int64
	// Attributes of a variable product (with all options), or of a variation
	// (with its one option).
	Attributes []Attribute
	Virtual    bool
	Image      *Image
	Categories []Category
}

// Attribute is an attribute of a product. ID 0 is one of the product alone.
type Attribute struct {
	ID      int64
	Name    string
	Options []string
}

// Image is a picture of a product.
type Image struct {
	ID   int64
	Src  string
	Name string
	Alt  string

	at time.Time // uploaded; zero means with the product
}

// Category is a category of products.
type Category struct {
	ID   int64
	Name string
}

// product is a product as the database keeps it.
type product struct {
	id, parent          int64
	kind                string // simple, variable, grouped, external, variation
	name, slug, status  string
	sku                 string
	regular, sale       string // as entered
	taxStatus, taxClass string
	manageStock         bool
	stock               decimal.Decimal
	stockStatus         string
	backorders          string
	virtual             bool
	downloadable        bool
	created, modified   time.Time
	totalSales          int64
	categories          []Category
	images              []Image
	attributes          []Attribute
	meta                []metaEntry
	trashedFrom         string
	// other holds the members that are kept as they were written and decide
	// nothing: description, weight, menu_order, ….
	other map[string]any
}

// AddProduct adds a product, or a variation of one, and returns its id. It
// panics when the SKU is taken, whatever its case: a sandbox built wrong should
// not run.
func (s *Shop) AddProduct(from Product) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from.SKU != "" && s.bySKU(from.SKU) != nil {
		panic(fmt.Sprintf("sandbox: the SKU %s is taken", from.SKU))
	}
	p := s.newProduct(from.ID)
	p.parent, p.name, p.sku, p.regular, p.sale = from.Parent, from.Name, from.SKU, from.RegularPrice, from.SalePrice
	p.taxClass, p.attributes, p.virtual, p.categories = from.TaxClass, from.Attributes, from.Virtual, from.Categories
	p.slug = slugOf(from.Name)
	if from.Variable {
		p.kind = "variable"
	}
	if from.NotTaxable {
		p.taxStatus = "none"
	}
	if from.Image != nil {
		p.images = []Image{*from.Image}
		s.gallery[from.Image.ID] = *from.Image
	}
	s.learnTerms(p)
	if from.Stock != nil {
		p.manageStock, p.stock = true, decimal.NewFromInt(*from.Stock)
		p.restock()
	}
	if from.Parent != 0 {
		p.kind = "variation"
		if parent := s.products[from.Parent]; parent != nil {
			p.name = parent.name + " - " + strings.Join(p.options(), ", ")
			p.slug = slugOf(p.name)
		}
	}
	return p.id
}

// newProduct makes an empty product with an id, the next one when 0.
func (s *Shop) newProduct(id int64) *product {
	if id == 0 {
		id = s.ids.post + 1
	}
	s.ids.post = max(s.ids.post, id)
	now := s.clock()
	p := &product{id: id, kind: "simple", name: "Product", status: "publish", taxStatus: "taxable", stockStatus: "instock", backorders: "no",
		created: now, modified: now, other: map[string]any{}}
	s.products[id] = p
	return p
}

// price is what a product costs now: the sale price where there is one. A
// variable product costs what its cheapest variation costs, which the view
// works out.
func (p *product) price() string {
	if p.onSale() {
		return p.sale
	}
	return p.regular
}

func (p *product) onSale() bool {
	return p.sale != "" && p.regular != "" && amountOf(p.sale).LessThan(amountOf(p.regular))
}

func (p *product) options() []string {
	var options []string
	for _, a := range p.attributes {
		if len(a.Options) > 0 {
			options = append(options, a.Options[0])
		}
	}
	return options
}

// taxClassOf is the class a product is taxed by; a variation of class "parent"
// is taxed as its product.
func (s *Shop) taxClassOf(p *product) string {
	if parent := s.products[p.parent]; parent != nil && p.taxClass == "parent" {
		return parent.taxClass
	}
	return p.taxClass
}

// bySKU finds a product or variation, whatever the case of the SKU. Those in the
// trash are not found (woo/173).
func (s *Shop) bySKU(sku string) *product {
	for _, p := range s.products {
		if sku != "" && strings.EqualFold(p.sku, sku) && p.status != "trash" {
			return p
		}
	}
	return nil
}

func (s *Shop) variationsOf(id int64) []*product {
	var found []*product
	for _, p := range s.products {
		if p.parent == id && p.status != "trash" {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *product) int { return int(a.id - b.id) })
	return found
}

// productOf is the product of an order's line, nil when it is gone.
func (s *Shop) productOf(line *orderItem) *product {
	if line.variationID != 0 {
		return s.products[line.variationID]
	}
	return s.products[line.productID]
}

// productItem makes an order's line of a product.
func (s *Shop) productItem(p *product, quantity decimal.Decimal) *orderItem {
	item := &orderItem{kind: kindLine, name: p.name, productID: p.id, quantity: quantity, taxClass: s.taxClassOf(p), taxStatus: p.taxStatus}
	if p.parent != 0 {
		item.productID, item.variationID = p.parent, p.id
		for _, a := range p.attributes {
			if len(a.Options) > 0 {
				m := s.newMeta(a.key(), slugOf(a.Options[0]))
				m.displayKey, m.displayValue = a.Name, a.Options[0]
				item.meta = append(item.meta, m)
			}
		}
	}
	return item
}

// key names an attribute on lines and in addresses: pa_color for one of the
// whole shop, fit for one of the product alone.
func (a Attribute) key() string {
	if a.ID > 0 {
		return "pa_" + slugOf(a.Name)
	}
	return slugOf(a.Name)
}

// loadProduct makes the product that a loaded line sold, where it is missing.
func (s *Shop) loadProduct(line *orderItem, r map[string]any) {
	if line.productID == 0 || s.productOf(line) != nil {
		return
	}
	name := line.name
	if parent := asText(r["parent_name"]); parent != "" {
		name = parent
	}
	if s.products[line.productID] == nil {
		p := s.newProduct(line.productID)
		p.name, p.slug, p.taxClass = name, slugOf(name), line.taxClass
		if line.variationID != 0 {
			p.kind = "variable"
		}
	}
	id := line.productID
	if line.variationID != 0 {
		v := s.newProduct(line.variationID)
		v.kind, v.parent, v.name, v.taxClass = "variation", line.productID, line.name, line.taxClass
		id = v.id
	}
	p := s.products[id]
	if line.sku != nil && s.bySKU(*line.sku) == nil {
		p.sku = *line.sku
	}
	if !line.quantity.IsZero() {
		price := line.subtotal
		if s.settings.PricesIncludeTax {
			price = price.Add(line.subtotalTax)
		}
		p.regular = divide(price, line.quantity).Round(s.settings.Decimals).String()
	}
	image := asRecord(r["image"])
	if src := asText(image["src"]); src != "" {
		p.images = []Image{{ID: asInt(image["id"]), Src: src}}
		s.gallery[asInt(image["id"])] = p.images[0]
	}
}

// slugOf makes the name in an address: lower case, dashes.
func slugOf(text string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			dash = false
			continue
		}
		dash = true
	}
	return b.String()
}

// freeSlug adds a number to a slug that is taken (woo/119).
func (s *Shop) freeSlug(slug string, self int64) string {
	taken := func(text string) bool {
		for _, p := range s.products {
			if p.slug == text && p.id != self && p.kind != "variation" {
				return true
			}
		}
		return false
	}
	free := slug
	for n := 2; taken(free); n++ {
		free = slug + "-" + strconv.Itoa(n)
	}
	return free
}
