package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// The taxonomies that every shop has. Each attribute of the whole shop is one
// more, named by its slug: pa_color.
const (
	taxCategory = "product_cat"
	taxTag      = "product_tag"
	taxShipping = "product_shipping_class"
)

// term is a category, a tag, a shipping class, or a value of an attribute. They
// share one table's ids, as in WordPress.
type term struct {
	id                      int64
	taxonomy                string
	name, slug, description string
	parent                  int64
	display                 string
	order                   int64
	image                   *Image
}

// attribute is an attribute of the whole shop.
type attribute struct {
	id               int64
	name, slug, kind string
	orderBy          string
	archives         bool
}

func (a *attribute) taxonomy() string { return "pa_" + a.slug }

// newTerm adds a term with an id, the next one when 0.
func (s *Shop) newTerm(id int64, taxonomy, name string) *term {
	if id == 0 {
		id = s.ids.term + 1
	}
	s.ids.term = max(s.ids.term, id)
	t := &term{id: id, taxonomy: taxonomy, name: name, slug: slugOf(name), display: "default"}
	s.terms[id] = t
	return t
}

// termNamed finds a term by its name, whatever its case.
func (s *Shop) termNamed(taxonomy, name string) *term {
	for _, t := range s.termsOf(taxonomy) {
		if strings.EqualFold(t.name, name) {
			return t
		}
	}
	return nil
}

// termsOf lists the terms of a taxonomy by name.
func (s *Shop) termsOf(taxonomy string) []*term {
	var found []*term
	for _, t := range s.terms {
		if t.taxonomy == taxonomy {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b *term) int {
		if n := strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)); n != 0 {
			return n
		}
		return int(a.id - b.id)
	})
	return found
}

// learnTerms adds the categories and attributes that a product was given.
func (s *Shop) learnTerms(p *product) {
	for _, one := range p.categories {
		if s.terms[one.ID] == nil {
			s.newTerm(one.ID, taxCategory, one.Name)
		}
	}
	for _, a := range p.attributes {
		if a.ID == 0 {
			continue
		}
		known := s.attributes[a.ID]
		if known == nil {
			known = &attribute{id: a.ID, name: a.Name, slug: slugOf(a.Name), kind: "select", orderBy: "menu_order"}
			s.attributes[a.ID] = known
			s.ids.attribute = max(s.ids.attribute, a.ID)
		}
		for _, option := range a.Options {
			if s.termNamed(known.taxonomy(), option) == nil {
				s.newTerm(0, known.taxonomy(), option)
			}
		}
	}
}

// countOf is how many published products a term has; those of the categories
// below a category count for it too (woo/062).
func (s *Shop) countOf(t *term) int {
	n := 0
	for _, p := range s.products {
		if p.kind != "variation" && p.status == "publish" && s.hasTerm(p, t) {
			n++
		}
	}
	return n
}

func (s *Shop) hasTerm(p *product, t *term) bool {
	switch t.taxonomy {
	case taxCategory:
		return slices.ContainsFunc(p.categories, func(one Category) bool {
			for id, depth := one.ID, 0; id != 0 && depth < 10; depth++ {
				if id == t.id {
					return true
				}
				of := s.terms[id]
				if of == nil {
					return false
				}
				id = of.parent
			}
			return false
		})
	case taxTag:
		return slices.ContainsFunc(asArray(p.plain("tags")), func(raw any) bool {
			return tagID(raw) == t.id
		})
	case taxShipping:
		return p.plain("shipping_class") == t.slug
	}
	return slices.ContainsFunc(p.attributes, func(a Attribute) bool {
		known := s.attributes[a.ID]
		return known != nil && known.taxonomy() == t.taxonomy && slices.Contains(a.Options, t.name)
	})
}

func tagID(raw any) int64 {
	if view, ok := raw.(object); ok {
		id, _ := view.get("id").(int64)
		return id
	}
	return asInt(asRecord(raw)["id"])
}

// category returns a product's category, with the name it has now.
func (s *Shop) category(id int64) (Category, bool) {
	t := s.terms[id]
	if t == nil || t.taxonomy != taxCategory {
		return Category{}, false
	}
	return Category{ID: t.id, Name: t.name}, true
}

// knownTags keeps the tags that exist, as the product shows them.
func (s *Shop) knownTags(raw []any) []any {
	kept := []any{}
	for _, entry := range raw {
		t := s.terms[asInt(asRecord(entry)["id"])]
		if t != nil && t.taxonomy == taxTag {
			kept = append(kept, object{{"id", t.id}, {"name", t.name}, {"slug", t.slug}})
		}
	}
	return kept
}

// taxonomy finds which terms a request is about, and their path below the API.
func (c *call) taxonomy() (taxonomy, path string, refused *apiError) {
	switch c.route.path[3] {
	case "categories":
		return taxCategory, "/products/categories", nil
	case "tags":
		return taxTag, "/products/tags", nil
	case "shipping_classes":
		return taxShipping, "/products/shipping_classes", nil
	}
	a := c.shop.attributes[c.ids[0]]
	if a == nil {
		return "", "", noTaxonomy()
	}
	return a.taxonomy(), fmt.Sprintf("/products/attributes/%d/terms", a.id), nil
}
