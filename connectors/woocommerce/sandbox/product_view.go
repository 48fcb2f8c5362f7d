package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// plain are the members of a product that are kept as written, with what they
// are before that.
var plain = map[string]any{
	"description": "", "short_description": "", "featured": false, "catalog_visibility": "visible",
	"download_limit": -1, "download_expiry": -1, "external_url": "", "button_text": "", "low_stock_amount": nil, "sold_individually": false,
	"weight": "", "dimensions": object{{"length", ""}, {"width", ""}, {"height", ""}}, "shipping_class": "",
	"reviews_allowed": true, "purchase_note": "", "menu_order": 0, "post_password": "", "global_unique_id": "",
	"upsell_ids": []any{}, "cross_sell_ids": []any{}, "default_attributes": []any{}, "grouped_products": []any{}, "tags": []any{}, "brands": []any{}, "downloads": []any{},
}

func (p *product) plain(name string) any {
	if value, written := p.other[name]; written {
		return value
	}
	return plain[name]
}

func (c *call) productView(p *product) object {
	s := c.shop
	with := func(name string) member { return member{name, p.plain(name)} }
	variations := []any{}
	if p.kind == "variable" {
		for _, v := range s.variationsOf(p.id) {
			variations = append(variations, v.id)
		}
	}
	rating, sales := "0", any(p.totalSales)
	if p.kind == "variation" {
		rating, sales = "0.00", strconv.FormatInt(p.totalSales, 10) // woo/060
	}
	view := object{
		{"id", p.id}, {"name", p.name}, {"slug", p.slug}, {"permalink", c.permalink(p)},
		{"date_created", s.local(p.created)}, {"date_created_gmt", gmt(p.created)}, {"date_modified", s.local(p.modified)}, {"date_modified_gmt", gmt(p.modified)},
		{"type", p.kind}, {"status", p.status}, with("featured"), with("catalog_visibility"), with("description"), with("short_description"),
		{"sku", p.sku},
	}
	view = append(view, s.priceMembers(p)...)
	view = append(view, object{
		{"purchasable", s.shownPrice(p) != ""}, {"total_sales", sales},
		{"virtual", p.virtual}, {"downloadable", p.downloadable}, with("downloads"), with("download_limit"), with("download_expiry"), with("external_url"), with("button_text"),
	}...)
	view = append(view, s.taxStockMembers(p, p.manageStock, false)...)
	view = append(view, object{
		with("low_stock_amount"), with("sold_individually"), with("weight"), with("dimensions"),
		{"shipping_required", !p.virtual}, {"shipping_taxable", p.taxStatus != "none"}, with("shipping_class"), {"shipping_class_id", 0},
		{"reviews_allowed", p.kind != "variation" && p.plain("reviews_allowed") == true}, {"average_rating", rating}, {"rating_count", 0},
		with("upsell_ids"), with("cross_sell_ids"), {"parent_id", p.parent}, with("purchase_note"), {"categories", p.categoryViews()}, with("brands"), with("tags"),
		{"images", c.imageViews(p)}, {"attributes", p.attributeViews()}, with("default_attributes"), {"variations", variations}, with("grouped_products"), with("menu_order"),
		{"price_html", s.priceHTML(p)}, {"related_ids", []any{}}, {"meta_data", metaView(p.meta, false)}, {"stock_status", p.stockStatus},
		{"has_options", p.kind == "variable"}, with("post_password"), with("global_unique_id"),
	}...)
	path := "/products/" + strconv.FormatInt(p.id, 10)
	if p.parent != 0 {
		return append(view, c.links(path, allMethods, link("up", c.root()+"/products/"+strconv.FormatInt(p.parent, 10))))
	}
	return append(view, c.links(path, allMethods))
}

func (c *call) variationView(p *product) object {
	s := c.shop
	with := func(name string) member { return member{name, p.plain(name)} }
	var manage any = p.manageStock
	k := s.keeper(p)
	if k != nil && k != p {
		manage = "parent"
	}
	var image any
	if views := c.imageViews(p); len(views) > 0 {
		image = views[0]
	}
	view := object{
		{"id", p.id}, {"type", "variation"},
		{"date_created", s.local(p.created)}, {"date_created_gmt", gmt(p.created)}, {"date_modified", s.local(p.modified)}, {"date_modified_gmt", gmt(p.modified)},
		with("description"), {"permalink", c.permalink(p)}, {"sku", p.sku}, with("global_unique_id"),
	}
	view = append(view, s.priceMembers(p)...)
	view = append(view, object{
		{"status", p.status}, {"purchasable", p.price() != "" && p.status != "trash"}, {"virtual", p.virtual}, {"downloadable", p.downloadable},
		with("downloads"), with("download_limit"), with("download_expiry"),
	}...)
	view = append(view, s.taxStockMembers(p, manage, true)...)
	parent := "/products/" + strconv.FormatInt(p.parent, 10)
	return append(view,
		with("low_stock_amount"), member{"weight", s.inherited(p, "weight")}, member{"dimensions", s.inherited(p, "dimensions")}, with("shipping_class"), member{"shipping_class_id", 0}, member{"image", image},
		member{"attributes", p.attributeViews()}, with("menu_order"), member{"meta_data", metaView(p.meta, false)},
		member{"name", strings.Join(p.options(), ", ")}, member{"parent_id", p.parent},
		c.links(parent+"/variations/"+strconv.FormatInt(p.id, 10), allMethods, link("up", c.root()+parent)))
}

// inherited is a member that a variation has from its product unless it has its
// own (woo/154).
func (s *Shop) inherited(p *product, name string) any {
	if own := p.plain(name); own != "" && p.other[name] != nil || s.products[p.parent] == nil {
		return own
	}
	return s.products[p.parent].plain(name)
}

func (s *Shop) priceMembers(p *product) object {
	return object{
		{"price", s.shownPrice(p)}, {"regular_price", p.regular}, {"sale_price", p.sale},
		{"date_on_sale_from", nil}, {"date_on_sale_from_gmt", nil}, {"date_on_sale_to", nil}, {"date_on_sale_to_gmt", nil}, {"on_sale", p.onSale()},
	}
}

// shownPrice is a product's price, the lowest of a variable product's.
func (s *Shop) shownPrice(p *product) string {
	if p.kind != "variable" {
		return p.price()
	}
	lowest := ""
	for _, v := range s.variationsOf(p.id) {
		if price := v.price(); price != "" && (lowest == "" || amountOf(price).LessThan(amountOf(lowest))) {
			lowest = price
		}
	}
	return lowest
}

func (s *Shop) taxStockMembers(p *product, manage any, statusInside bool) object {
	var quantity any
	if k := s.keeper(p); k != nil {
		quantity = plainNumber(k.stock)
	}
	view := object{{"tax_status", p.taxStatus}, {"tax_class", p.taxClass}, {"manage_stock", manage}, {"stock_quantity", quantity}}
	if statusInside {
		view = append(view, member{"stock_status", p.stockStatus})
	}
	return append(view, member{"backorders", p.backorders}, member{"backorders_allowed", p.backorders != "no"},
		member{"backordered", p.manageStock && p.backorders != "no" && p.stock.IsNegative()})
}

func (p *product) categoryViews() []any {
	if p.kind == "variation" {
		return []any{}
	}
	categories := p.categories
	if len(categories) == 0 {
		categories = []Category{{15, "Uncategorized"}}
	}
	views := []any{}
	for _, one := range categories {
		views = append(views, object{{"id", one.ID}, {"name", one.Name}, {"slug", slugOf(one.Name)}})
	}
	return views
}

func (p *product) attributeViews() []any {
	views := []any{}
	for i, a := range p.attributes {
		slug := a.key()
		if p.kind == "variation" {
			views = append(views, object{{"id", a.ID}, {"name", a.Name}, {"slug", slug}, {"option", strings.Join(a.Options, "")}})
			continue
		}
		if a.ID == 0 {
			slug = a.Name
		}
		position := i
		if a.ID == 0 {
			position = 0
		}
		views = append(views, object{{"id", a.ID}, {"name", a.Name}, {"slug", slug}, {"position", position}, {"visible", true}, {"variation", p.kind == "variable"}, {"options", a.Options}})
	}
	return views
}

func (c *call) imagesOf(p *product) []Image {
	if parent := c.shop.products[p.parent]; len(p.images) == 0 && parent != nil {
		return parent.images
	}
	return p.images
}

func (c *call) imageViews(p *product) []any {
	views := []any{}
	for _, image := range c.imagesOf(p) {
		at := image.at
		if at.IsZero() {
			at = p.created
		}
		view := append(object{{"id", image.ID}}, c.pictureTimes(at)...)
		views = append(views, append(view, object{{"src", c.absolute(image.Src)}, {"name", image.Name}, {"alt", image.Alt}}...))
	}
	return views
}

// lineImage is an order line's picture: the id is text for the product's own
// and a number for its parent's (woo/302).
func (c *call) lineImage(p *product) object {
	images := c.imagesOf(p)
	if len(images) == 0 {
		return object{{"id", ""}, {"src", ""}}
	}
	var id any = strconv.FormatInt(images[0].ID, 10)
	if len(p.images) == 0 {
		id = images[0].ID
	}
	return object{{"id", id}, {"src", c.absolute(images[0].Src)}}
}

func (c *call) absolute(src string) string {
	if strings.HasPrefix(src, "/") {
		return c.home + src
	}
	return src
}

func (c *call) permalink(p *product) string {
	holder := p
	if parent := c.shop.products[p.parent]; parent != nil {
		holder = parent
	}
	if holder.slug == "" || holder.status == "draft" {
		return fmt.Sprintf("%s/?post_type=product&p=%d", c.home, holder.id)
	}
	address := c.home + "/product/" + holder.slug + "/"
	var query []string
	if p != holder {
		for _, a := range p.attributes {
			if len(a.Options) == 0 {
				continue
			}
			value := a.Options[0]
			if a.ID > 0 {
				value = slugOf(value)
			}
			query = append(query, "attribute_"+a.key()+"="+escape(value))
		}
	}
	return cmp.Or(strings.TrimSuffix(address+"?"+strings.Join(query, "&"), "?"), address)
}

// priceHTML is the price as the theme shows it; only its being there matters.
func (s *Shop) priceHTML(p *product) string {
	price := s.shownPrice(p)
	if price == "" {
		return ""
	}
	text := strings.ReplaceAll(fixed(amountOf(price), s.settings.Decimals), ".", ",")
	return `<span class="woocommerce-Price-amount amount"><bdi>` + text + `&nbsp;<span class="woocommerce-Price-currencySymbol">` +
		cmp.Or(currencySymbols[s.settings.Currency], s.settings.Currency) + `</span></bdi></span>`
}

// Stock returns a product's stock; ok is false where none is managed.
func (s *Shop) Stock(id int64) (quantity int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.products[id]
	if p == nil {
		return 0, false
	}
	k := s.keeper(p)
	if k == nil {
		return 0, false
	}
	return k.stock.IntPart(), true
}

// ProductIDs lists the products and variations that are not in the trash.
func (s *Shop) ProductIDs() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []int64
	for id, p := range s.products {
		if p.status != "trash" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func wholeStock(raw any) (decimal.Decimal, bool) {
	if raw == nil {
		return zero, false
	}
	return decimal.NewFromInt(asInt(raw)), true
}
