package sandbox

import (
	"maps"
	"net/http"
	"slices"
)

// duplicateProduct makes a draft like a product, with the next free SKU (woo/185).
// A variable product takes its variations along.
func duplicateProduct(c *call) (int, any, *apiError) {
	p, refused := c.liveProduct(http.StatusNotFound)
	if refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	made := c.copyOf(p)
	made.name, made.status, made.slug = p.name+" (Copy)", "draft", ""
	for _, v := range s.variationsOf(p.id) {
		variation := c.copyOf(v)
		variation.parent = made.id
	}
	s.fire("woocommerce_new_product", made.id)
	return http.StatusOK, c.editedProduct(made), nil
}

func (c *call) copyOf(p *product) *product {
	s := c.shop
	made := s.newProduct(0)
	id, created, modified := made.id, made.created, made.modified
	*made = *p
	made.id, made.created, made.modified, made.totalSales = id, created, modified, 0
	made.images, made.categories, made.meta = slices.Clone(p.images), slices.Clone(p.categories), slices.Clone(p.meta)
	made.attributes, made.other = slices.Clone(p.attributes), maps.Clone(p.other)
	if p.sku != "" {
		made.sku = ""
		made.sku = c.uniqueSKU(p.sku)
	}
	return made
}
