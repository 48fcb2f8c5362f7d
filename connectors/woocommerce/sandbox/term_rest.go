package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var termParams = &listParams{orderby: "name", order: "asc", params: []param{
	{name: "page", kind: "integer", min: 1}, {name: "per_page", kind: "integer", min: 1, max: 100},
	{name: "order", kind: "enum", enum: []string{"asc", "desc"}},
	{name: "orderby", kind: "enum", enum: []string{"id", "include", "name", "slug", "term_group", "description", "count"}},
	{name: "parent", kind: "integer"}, {name: "product", kind: "integer"},
}}

func noTerm() *apiError {
	e := refuse(http.StatusNotFound, "woocommerce_rest_term_invalid", "Resource does not exist.")
	e.hideAllow = true // woo/610
	return e
}

func noTaxonomy() *apiError {
	e := refuse(http.StatusNotFound, "woocommerce_rest_taxonomy_invalid", "Resource does not exist.")
	e.hideAllow = true
	return e
}

func noTermTrash() *apiError { // woo/184
	return refuse(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "Resource does not support trashing.")
}

func (c *call) termView(t *term, path string) object {
	view := object{{"id", t.id}, {"name", t.name}, {"slug", t.slug}}
	count := member{"count", c.shop.countOf(t)}
	var up []member
	switch t.taxonomy {
	case taxCategory:
		var image any
		if t.image != nil {
			image = object{{"id", t.image.ID}, {"src", c.absolute(t.image.Src)}, {"name", t.image.Name}, {"alt", t.image.Alt}}
		}
		view = append(view, object{{"parent", t.parent}, {"description", t.description}, {"display", t.display}, {"image", image}, {"menu_order", t.order}, count}...)
		if t.parent != 0 {
			up = append(up, link("up", c.root()+path+"/"+strconv.FormatInt(t.parent, 10)))
		}
	case taxTag, taxShipping:
		view = append(view, member{"description", t.description}, count)
	default:
		view = append(view, member{"description", t.description}, member{"menu_order", t.order}, count)
	}
	return append(view, c.links(path+"/"+strconv.FormatInt(t.id, 10), allMethods, up...))
}

func listTerms(c *call) (int, any, *apiError) {
	taxonomy, path, refused := c.taxonomy()
	if refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	parent, byParent := c.query.Get("parent"), c.query.Has("parent")
	of := s.products[c.intQuery("product", 0)]
	search, slug := strings.ToLower(c.query.Get("search")), c.query.Get("slug")
	var rows []row
	for _, t := range s.termsOf(taxonomy) {
		switch {
		case !c.wanted(t.id), byParent && strconv.FormatInt(t.parent, 10) != parent, c.query.Has("product") && (of == nil || !s.hasTerm(of, t)),
			search != "" && !strings.Contains(strings.ToLower(t.name), search), slug != "" && t.slug != slug, truth(c.query.Get("hide_empty")) && s.countOf(t) == 0:
			continue
		}
		rows = append(rows, row{id: t.id, title: t.name, view: func() any { return c.termView(t, path) }})
	}
	c.sortRows(rows, termParams)
	return c.page(rows)
}

// liveTerm finds the term that a path names last.
func (c *call) liveTerm() (*term, string, *apiError) {
	taxonomy, path, refused := c.taxonomy()
	if refused != nil {
		return nil, "", refused
	}
	t := c.shop.terms[c.ids[len(c.ids)-1]]
	if t == nil || t.taxonomy != taxonomy {
		return nil, "", noTerm()
	}
	return t, path, nil
}

func getTerm(c *call) (int, any, *apiError) {
	t, path, refused := c.liveTerm()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.termView(t, path), nil
}

// createTerm refuses a name that is taken: below the same parent for categories,
// in the whole taxonomy for others (woo/064, 070).
func createTerm(c *call) (int, any, *apiError) {
	taxonomy, path, refused := c.taxonomy()
	if refused != nil {
		return 0, nil, refused
	}
	name, given := c.text("name")
	if !given {
		return 0, nil, missing("name")
	}
	s := c.shop
	parent := asInt(c.body["parent"])
	for _, t := range s.termsOf(taxonomy) {
		if !strings.EqualFold(t.name, name) || t.parent != parent {
			continue
		}
		where := "in this taxonomy"
		if taxonomy == taxCategory {
			where = "with this parent"
		}
		return 0, nil, refuseData(http.StatusBadRequest, "term_exists", "A term with the name provided already exists "+where+".", member{"resource_id", t.id})
	}
	t := s.newTerm(0, taxonomy, name)
	c.writeTerm(t)
	c.header.Set("Location", c.root()+path+"/"+strconv.FormatInt(t.id, 10))
	return http.StatusCreated, c.termView(t, path), nil
}

func (c *call) writeTerm(t *term) {
	for name, into := range map[string]*string{"name": &t.name, "slug": &t.slug, "description": &t.description, "display": &t.display} {
		if value, given := c.text(name); given {
			*into = value
		}
	}
	if parent, given := c.body["parent"]; given {
		t.parent = asInt(parent)
	}
	if order, given := c.body["menu_order"]; given {
		t.order = asInt(order)
	}
}

func updateTerm(c *call) (int, any, *apiError) {
	t, path, refused := c.liveTerm()
	if refused != nil {
		return 0, nil, refused
	}
	before := t.name
	c.writeTerm(t)
	for _, p := range c.shop.products { // products show the name it has now
		for i := range p.categories {
			if p.categories[i].ID == t.id {
				p.categories[i].Name = t.name
			}
		}
		for i := range p.attributes {
			if known := c.shop.attributes[p.attributes[i].ID]; known != nil && known.taxonomy() == t.taxonomy {
				if at := slices.Index(p.attributes[i].Options, before); at >= 0 {
					p.attributes[i].Options[at] = t.name
				}
			}
		}
	}
	return http.StatusOK, c.termView(t, path), nil
}

func deleteTerm(c *call) (int, any, *apiError) {
	t, path, refused := c.liveTerm()
	if refused != nil {
		return 0, nil, refused
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, noTermTrash()
	}
	view := c.termView(t, path)
	for _, p := range c.shop.products {
		p.categories = slices.DeleteFunc(p.categories, func(one Category) bool { return one.ID == t.id })
		if tags, ok := p.other["tags"].([]any); ok {
			p.other["tags"] = slices.DeleteFunc(tags, func(raw any) bool { return tagID(raw) == t.id })
		}
	}
	for _, below := range c.shop.terms {
		if below.parent == t.id {
			below.parent = t.parent
		}
	}
	delete(c.shop.terms, t.id)
	return http.StatusOK, view, nil
}

func batchTerms(c *call) (int, any, *apiError) {
	return c.runBatch(batchOf{create: createTerm, update: updateTerm, remove: deleteTerm})
}

// Attributes of the whole shop

func (c *call) attributeView(a *attribute) object {
	return object{{"id", a.id}, {"name", a.name}, {"slug", a.taxonomy()}, {"type", a.kind}, {"order_by", a.orderBy}, {"has_archives", a.archives},
		c.links("/products/attributes/"+strconv.FormatInt(a.id, 10), allMethods)}
}

func listAttributes(c *call) (int, any, *apiError) {
	var all []*attribute
	for _, a := range c.shop.attributes {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *attribute) int { return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.id, b.id)) })
	views := []any{}
	for _, a := range all {
		views = append(views, c.attributeView(a))
	}
	return c.counted(views)
}

func (c *call) liveAttribute() (*attribute, *apiError) {
	if a := c.shop.attributes[c.ids[0]]; a != nil {
		return a, nil
	}
	return nil, noTaxonomy()
}

func getAttribute(c *call) (int, any, *apiError) {
	a, refused := c.liveAttribute()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.attributeView(a), nil
}

func (c *call) writeAttribute(a *attribute) *apiError {
	slug := a.slug
	if text, given := c.text("slug"); given {
		slug = slugOf(strings.TrimPrefix(text, "pa_"))
	} else if slug == "" {
		slug = slugOf(asText(c.body["name"]))
	}
	for _, other := range c.shop.attributes { // woo/068
		if other != a && other.slug == slug {
			return refuse(http.StatusBadRequest, "woocommerce_rest_cannot_create", "Slug %q is already in use. Change it, please.", slug)
		}
	}
	for _, t := range c.shop.termsOf(a.taxonomy()) {
		t.taxonomy = "pa_" + slug
	}
	a.slug = slug
	for name, into := range map[string]*string{"name": &a.name, "type": &a.kind, "order_by": &a.orderBy} {
		if value, given := c.text(name); given {
			*into = value
		}
	}
	if raw, given := c.body["has_archives"]; given {
		a.archives = asBool(raw)
	}
	return nil
}

func createAttribute(c *call) (int, any, *apiError) {
	if _, given := c.text("name"); !given {
		return 0, nil, missing("name")
	}
	s := c.shop
	a := &attribute{kind: "select", orderBy: "menu_order"}
	if refused := c.writeAttribute(a); refused != nil {
		return 0, nil, refused
	}
	s.ids.attribute++
	a.id = s.ids.attribute
	s.attributes[a.id] = a
	c.header.Set("Location", c.root()+"/products/attributes/"+strconv.FormatInt(a.id, 10))
	return http.StatusCreated, c.attributeView(a), nil
}

func updateAttribute(c *call) (int, any, *apiError) {
	a, refused := c.liveAttribute()
	if refused == nil {
		refused = c.writeAttribute(a)
	}
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.attributeView(a), nil
}

func deleteAttribute(c *call) (int, any, *apiError) {
	a, refused := c.liveAttribute()
	if refused != nil {
		return 0, nil, refused
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, noTermTrash()
	}
	for _, t := range c.shop.termsOf(a.taxonomy()) {
		delete(c.shop.terms, t.id)
	}
	delete(c.shop.attributes, a.id)
	return http.StatusOK, c.attributeView(a), nil
}

func batchAttributes(c *call) (int, any, *apiError) {
	return c.runBatch(batchOf{create: createAttribute, update: updateAttribute, remove: deleteAttribute})
}
