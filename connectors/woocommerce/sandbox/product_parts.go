package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// setProductStatus moves a product into the trash or out of it.
func (s *Shop) setProductStatus(p *product, status string) {
	if !slices.Contains([]string{"draft", "pending", "private", "publish", "future", "trash"}, status) {
		return
	}
	if p.status == "trash" && status != "trash" {
		p.slug = strings.TrimSuffix(p.slug, "__trashed")
	}
	p.status = status
}

// writeAttributes reads attributes with their options, sorted as the shop keeps
// those of the whole shop (woo/148).
func (c *call) writeAttributes(p *product) {
	raw, given := c.body["attributes"]
	if !given {
		return
	}
	p.attributes = nil
	for _, entry := range asArray(raw) {
		r := asRecord(entry)
		a := Attribute{ID: asInt(r["id"]), Name: asText(r["name"])}
		if a.ID > 0 {
			a.Name = c.shop.attributeName(a.ID, a.Name)
		}
		for _, option := range asArray(r["options"]) {
			a.Options = append(a.Options, asText(option))
		}
		if a.ID > 0 {
			slices.Sort(a.Options)
		}
		if option := asText(r["option"]); option != "" {
			a.Options = []string{option}
		}
		p.attributes = append(p.attributes, a)
	}
	c.shop.learnTerms(p)
}

// attributeName finds the name of an attribute of the whole shop.
func (s *Shop) attributeName(id int64, otherwise string) string {
	if a := s.attributes[id]; a != nil {
		return a.name
	}
	return otherwise
}

// knownCategories keeps the categories that exist; unknown ids are dropped in
// silence (woo/112).
func (s *Shop) knownCategories(raw []any) []Category {
	var kept []Category
	for _, entry := range raw {
		if one, known := s.category(asInt(asRecord(entry)["id"])); known {
			kept = append(kept, one)
		}
	}
	return kept
}

// cleanHTML takes scripts' tags out, as the shop does (woo/101).
func cleanHTML(value any) any {
	text, ok := value.(string)
	if !ok {
		return value
	}
	return strings.NewReplacer("<script>", "", "</script>", "").Replace(text)
}

func deleteProduct(c *call) (int, any, *apiError) {
	p, refused := c.liveProduct(http.StatusNotFound)
	if refused != nil {
		return 0, nil, refused
	}
	if p.kind == "variation" && !c.batch {
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_invalid_product_id",
			"To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.")
	}
	s := c.shop
	view := c.editedProduct(p)
	if truth(c.query.Get("force")) { // told to nobody (woo/551)
		for _, v := range s.variationsOf(p.id) {
			delete(s.products, v.id)
		}
		s.forgetProduct(p.id)
		return http.StatusOK, view, nil
	}
	if p.status == "trash" {
		return 0, nil, refuse(http.StatusGone, "woocommerce_rest_already_trashed", "The product has already been deleted.")
	}
	for _, v := range s.variationsOf(p.id) {
		s.trashProduct(v)
	}
	s.trashProduct(p)
	return http.StatusOK, view, nil // as it was before (woo/169)
}

func (s *Shop) trashProduct(p *product) {
	p.meta = append(p.meta, s.newMeta("_wp_trash_meta_status", p.status), s.newMeta("_wp_trash_meta_time", strconv.FormatInt(s.now().Unix(), 10)))
	if p.kind == "variation" {
		p.meta = append(p.meta, s.newMeta("_wp_desired_post_slug", p.slug))
	}
	p.trashedFrom, p.status = p.status, "trash"
	if p.kind != "variation" {
		p.slug += "__trashed"
	}
	s.fire("wp_trash_post", p.id)
}

// forgetProduct deletes a product; orders keep their lines without it (woo/414).
func (s *Shop) forgetProduct(id int64) {
	delete(s.products, id)
	for _, o := range s.orders {
		for _, line := range o.of(kindLine) {
			if line.productID == id || line.variationID == id {
				line.productID, line.variationID, line.sku = 0, 0, nil
			}
		}
	}
}

func batchProducts(c *call) (int, any, *apiError) {
	return c.runBatch(batchOf{create: createProduct, update: updateProduct, remove: deleteProduct})
}

// Variations

func (c *call) liveVariation() (*product, *apiError) {
	p, ok := c.shop.products[c.ids[1]]
	if !ok || p.parent != c.ids[0] {
		refused := refuse(http.StatusNotFound, "woocommerce_rest_product_variation_invalid_id", "Invalid ID.")
		refused.hideAllow = true // woo/608
		return nil, refused
	}
	return p, nil
}

func getVariation(c *call) (int, any, *apiError) {
	p, refused := c.liveVariation()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.variationView(p), nil
}

func listVariations(c *call) (int, any, *apiError) {
	if _, ok := c.shop.products[c.ids[0]]; !ok {
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_product_invalid_id", "Invalid ID.")
	}
	skus := c.listQuery("sku")
	var rows []row
	for _, p := range c.shop.variationsOf(c.ids[0]) {
		if c.wanted(p.id) && c.within(p.created, p.modified) && c.productMatches(p, skus) {
			rows = append(rows, row{id: p.id, created: p.created, modified: p.modified, title: p.name, view: func() any { return c.variationView(p) }})
		}
	}
	c.sortRows(rows, variationParams)
	return c.page(rows)
}

// createVariation accepts any parent that exists and any option (woo/150 to 154).
func createVariation(c *call) (int, any, *apiError) {
	if refused := c.checkBody(productBody); refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	parent := s.products[c.ids[0]]
	if parent == nil {
		return 0, nil, fatal("Call to a member function get_parent_id() on null") // woo/155
	}
	if refused := c.checkSKU(0); refused != nil {
		return 0, nil, refused
	}
	p := s.newProduct(0)
	p.kind, p.parent, p.taxClass, p.slug = "variation", parent.id, "parent", parent.slug
	c.writeProduct(p)
	p.kind = "variation"
	p.attributes = slices.DeleteFunc(p.attributes, func(a Attribute) bool {
		return !slices.ContainsFunc(parent.attributes, func(of Attribute) bool { return of.key() == a.key() })
	})
	for i, a := range p.attributes { // an option the product does not have is kept as a slug (woo/152)
		of := parent.attributes[slices.IndexFunc(parent.attributes, func(of Attribute) bool { return of.key() == a.key() })]
		if a.ID > 0 && len(a.Options) > 0 && !slices.Contains(of.Options, a.Options[0]) {
			p.attributes[i].Options = []string{slugOf(a.Options[0])}
		}
	}
	p.name = parent.name + " - " + strings.Join(p.options(), ", ")
	p.slug = slugOf(p.name)
	parent.modified = p.modified
	parent.stockStatus = "instock"
	s.fire("woocommerce_new_product_variation", p.id)
	c.header.Set("Location", c.root()+`/products/(?P<product_id>[\d]+)/variations/`+strconv.FormatInt(p.id, 10)) // as the shop writes it (woo/149)
	return http.StatusCreated, c.variationView(p), nil
}

func updateVariation(c *call) (int, any, *apiError) {
	if refused := c.checkBody(productBody); refused != nil {
		return 0, nil, refused
	}
	p, refused := c.liveVariation()
	if refused != nil {
		return 0, nil, refused
	}
	if refused := c.checkSKU(p.id); refused != nil {
		return 0, nil, refused
	}
	delete(c.body, "type")
	delete(c.body, "name")
	c.writeProduct(p)
	c.shop.touchProduct(p)
	c.shop.fireProductUpdate(p)
	return http.StatusOK, c.variationView(p), nil
}

// deleteVariation deletes for good with force and trashes without; a variation
// deleted for good is told to nobody (woo/554).
func deleteVariation(c *call) (int, any, *apiError) {
	p, refused := c.liveVariation()
	if refused != nil {
		return 0, nil, refused
	}
	view := c.variationView(p)
	if truth(c.query.Get("force")) {
		c.shop.forgetProduct(p.id)
		c.hideAllow = true // nobody may do anything with what is gone (woo/182)
		return http.StatusOK, withoutHints(view), nil
	}
	c.shop.trashProduct(p)
	return http.StatusOK, view, nil
}

// withoutHints takes out of a record's links what may be done with it.
func withoutHints(view object) object {
	links, ok := view[len(view)-1].value.(object)
	if !ok {
		return view
	}
	kept := slices.Clone(links)
	for i, one := range kept {
		if targets, ok := one.value.([]any); ok && one.name == "self" && len(targets) == 1 {
			href, _ := targets[0].(object)
			kept[i].value = []any{object{{"href", href.get("href")}}}
		}
	}
	return append(view[:len(view)-1:len(view)-1], member{"_links", kept})
}

func batchVariations(c *call) (int, any, *apiError) {
	return c.runBatch(batchOf{create: createVariation, update: updateVariation, remove: deleteVariation})
}
