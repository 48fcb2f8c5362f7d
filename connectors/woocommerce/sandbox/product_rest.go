package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var productBody = []field{
	{name: "name", kind: "string"}, {name: "type", kind: "string", enum: productTypes},
	{name: "status", kind: "string", enum: []string{"draft", "pending", "private", "publish", "future", "auto-draft", "trash"}},
	{name: "sku", kind: "string"}, {name: "regular_price", kind: "string"}, {name: "sale_price", kind: "string"}, {name: "tax_class", kind: "string"},
	{name: "manage_stock", kind: "boolean"}, {name: "stock_quantity", kind: "integer"}, {name: "weight", kind: "string"},
	{name: "virtual", kind: "boolean"}, {name: "downloadable", kind: "boolean"},
}

func (c *call) liveProduct(status int) (*product, *apiError) {
	p, ok := c.shop.products[c.ids[0]]
	if !ok {
		return nil, refuse(status, "woocommerce_rest_product_invalid_id", "Invalid ID.")
	}
	return p, nil
}

func getProduct(c *call) (int, any, *apiError) {
	p, refused := c.liveProduct(http.StatusNotFound)
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.productView(p), nil
}

// listProducts leaves variations out, except where sku asks for theirs, and the
// trash unless status asks for it (woo/051, 172, 173, 715).
func listProducts(c *call) (int, any, *apiError) {
	skus := c.listQuery("sku")
	status := c.query.Get("status")
	var rows []row
	for _, p := range c.shop.products {
		if p.kind == "variation" && skus == nil || !statusListed(p.status, status) || !c.wanted(p.id) || !c.within(p.created, p.modified) || !c.productMatches(p, skus) {
			continue
		}
		rows = append(rows, row{id: p.id, created: p.created, modified: p.modified, title: p.name, view: func() any { return c.productView(p) }})
	}
	c.sortRows(rows, productParams)
	return c.page(rows)
}

func statusListed(has, wanted string) bool {
	if wanted == "" || wanted == "any" {
		return has != "trash" && has != "auto-draft"
	}
	return has == wanted
}

func (c *call) productMatches(p *product, skus []string) bool {
	if skus != nil && !slices.ContainsFunc(skus, func(sku string) bool { return p.sku != "" && strings.EqualFold(sku, p.sku) }) {
		return false
	}
	if part := c.query.Get("search_sku"); part != "" && !strings.Contains(strings.ToLower(p.sku), strings.ToLower(part)) {
		return false
	}
	if kind := c.query.Get("type"); kind != "" && p.kind != kind {
		return false
	}
	if status := c.query.Get("stock_status"); status != "" && p.stockStatus != status {
		return false
	}
	if id := c.intQuery("category", 0); id != 0 && !slices.ContainsFunc(p.categories, func(one Category) bool { return one.ID == id }) {
		return false
	}
	text := strings.ToLower(c.query.Get("search"))
	return text == "" || strings.Contains(strings.ToLower(p.name+" "+p.sku), text)
}

func createProduct(c *call) (int, any, *apiError) {
	if refused := c.checkBody(productBody); refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	if refused := c.checkSKU(0); refused != nil {
		return 0, nil, refused
	}
	pictures := &product{}
	if refused := c.writeImages(pictures); refused != nil {
		return 0, nil, refused // and no product is made (woo/145, 146)
	}
	p := s.newProduct(0)
	p.images = pictures.images
	c.writeProduct(p)
	if p.status != "draft" {
		p.slug = s.freeSlug(slugOf(p.name), p.id)
	}
	if p.kind == "variable" {
		p.stockStatus = "outofstock" // until it has variations (woo/148)
	}
	s.fire("woocommerce_new_product", p.id)
	c.header.Set("Location", c.root()+"/products/"+strconv.FormatInt(p.id, 10))
	return http.StatusCreated, c.editedProduct(p), nil
}

// editedProduct adds what only writes show.
func (c *call) editedProduct(p *product) object {
	view := c.productView(p)
	last := view[len(view)-1]
	return append(view[:len(view)-1:len(view)-1],
		member{"permalink_template", c.home + "/product/%pagename%/"}, member{"generated_slug", c.shop.freeSlug(slugOf(p.name), p.id)}, last)
}

func updateProduct(c *call) (int, any, *apiError) {
	if refused := c.checkBody(productBody); refused != nil {
		return 0, nil, refused
	}
	p, refused := c.liveProduct(http.StatusBadRequest)
	if refused != nil {
		return 0, nil, refused
	}
	if p.kind == "variation" { // woo/158
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_invalid_product_id",
			"To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.")
	}
	if refused := c.checkSKU(p.id); refused != nil {
		return 0, nil, refused
	}
	if refused := c.writeImages(p); refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	c.writeProduct(p)
	s.touchProduct(p)
	s.fireProductUpdate(p)
	return http.StatusOK, c.editedProduct(p), nil
}

// checkSKU refuses a SKU that is taken, whatever its case, naming who has it
// (woo/102 to 104). One held by the trash is refused by another code, which
// names nobody (woo/174).
func (c *call) checkSKU(self int64) *apiError {
	sku := asText(c.body["sku"])
	if sku == "" {
		return nil
	}
	for _, p := range c.shop.products {
		if p.id == self || !strings.EqualFold(p.sku, sku) {
			continue
		}
		if p.status == "trash" {
			code := "woocommerce_rest_product_not_created"
			return refuse(http.StatusBadRequest, code, "The product with SKU (%s) you are trying to insert is already present in the lookup table", sku)
		}
		return refuseData(http.StatusBadRequest, "product_invalid_sku", "Invalid or duplicated SKU.",
			member{"resource_id", p.id}, member{"unique_sku", c.uniqueSKU(sku)})
	}
	return nil
}

func (c *call) uniqueSKU(sku string) string {
	for n := 1; ; n++ {
		if free := sku + "-" + strconv.Itoa(n); c.shop.bySKU(free) == nil {
			return free
		}
	}
}

// writeProduct puts the fields of a request onto a product. Unknown fields,
// categories and tax classes are accepted in silence (woo/111 to 113).
func (c *call) writeProduct(p *product) {
	s := c.shop
	text := func(name string, into *string) {
		if value, given := c.text(name); given {
			*into = value
		}
	}
	text("name", &p.name)
	text("sku", &p.sku)
	text("tax_status", &p.taxStatus)
	text("slug", &p.slug)
	text("backorders", &p.backorders)
	text("stock_status", &p.stockStatus)
	if value, given := c.text("type"); given {
		p.kind = "simple"
		if slices.Contains(productTypes, value) {
			p.kind = value
		}
	}
	if value, given := c.text("status"); given {
		s.setProductStatus(p, value)
	}
	if value, given := c.text("tax_class"); given {
		p.taxClass = ""
		if slices.Contains(s.settings.TaxClasses, value) || value == "parent" {
			p.taxClass = value
		}
	}
	c.writePrices(p)
	if value, given := c.body["virtual"]; given {
		p.virtual = asBool(value)
	}
	if value, given := c.body["downloadable"]; given {
		p.downloadable = asBool(value)
	}
	c.writeStock(p)
	c.writeAttributes(p)
	if raw, given := c.body["categories"]; given {
		p.categories = s.knownCategories(asArray(raw))
	}
	p.meta = s.writeMeta(p.meta, c.body["meta_data"])
	if raw, given := c.body["tags"]; given {
		p.other["tags"] = s.knownTags(asArray(raw))
	}
	for name := range plain {
		if name == "tags" {
			continue
		}
		if value, given := c.body[name]; given {
			p.other[name] = cleanHTML(value)
		}
	}
}

// writePrices cleans amounts (woo/106) and drops a sale price that is none
// (woo/116). A variable product has no price of its own (woo/159).
func (c *call) writePrices(p *product) {
	if value, given := c.text("regular_price"); given && p.kind != "variable" {
		p.regular = cleanAmount(value)
	}
	if value, given := c.text("sale_price"); given && p.kind != "variable" {
		p.sale = cleanAmount(value)
	}
	if p.sale != "" && !p.onSale() {
		p.sale = ""
	}
}

// writeStock sets a stock, or adds to it (woo/125 to 129). It is ignored where
// stock is not managed.
func (c *call) writeStock(p *product) {
	if value, given := c.body["manage_stock"]; given && value != "parent" {
		p.manageStock = asBool(value)
	}
	if !p.manageStock {
		return
	}
	if quantity, given := wholeStock(c.body["stock_quantity"]); given {
		p.stock = quantity
	} else if by, given := wholeStock(c.body["inventory_delta"]); given {
		p.stock = p.stock.Add(by)
	}
	p.restock()
}
