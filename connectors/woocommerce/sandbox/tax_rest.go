package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (c *call) taxView(r *TaxRate, order int) object {
	class := r.Class
	if class == "" {
		class = "standard"
	}
	return object{
		{"id", r.ID}, {"country", r.Country}, {"state", r.State}, {"postcode", ""}, {"city", ""}, {"rate", fixed(r.percent(), 4)}, {"name", r.Name},
		{"priority", r.Priority}, {"compound", r.Compound}, {"shipping", r.Shipping}, {"order", order}, {"class", class},
		{"postcodes", []any{}}, {"cities", []any{}}, c.links("/taxes/"+strconv.FormatInt(r.ID, 10), allMethods),
	}
}

func listTaxes(c *call) (int, any, *apiError) {
	class, given := c.query.Get("class"), c.query.Has("class")
	if class == "standard" {
		class = ""
	}
	var rows []row
	for _, r := range c.shop.rates {
		if !given || r.Class == class {
			rows = append(rows, row{id: r.ID, created: time.Unix(r.ID, 0), view: func() any { return c.taxView(r, 0) }})
		}
	}
	c.sortRows(rows, taxParams)
	return c.page(rows)
}

func getTax(c *call) (int, any, *apiError) {
	r, ok := c.shop.rates[c.ids[0]]
	if !ok {
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_invalid_id", "Invalid resource ID.")
	}
	return http.StatusOK, c.taxView(r, 0), nil
}

func listTaxClasses(c *call) (int, any, *apiError) {
	views := []any{}
	for _, slug := range append([]string{"standard"}, c.shop.settings.TaxClasses...) {
		views = append(views, c.taxClassView(slug))
	}
	return c.counted(views)
}

func (c *call) taxClassView(slug string) object {
	name := strings.ReplaceAll(slug, "-", " ")
	if slug == "standard" {
		name = "standard rate"
	}
	if own := c.shop.classNames[slug]; own != "" {
		name = own
	}
	return object{{"slug", slug}, {"name", strings.ToUpper(name[:1]) + name[1:]}, {"_links", object{{"collection", []any{object{{"href", c.root() + "/taxes/classes"}}}}}}}
}

func createTaxClass(c *call) (int, any, *apiError) {
	name, given := c.text("name")
	if !given {
		return 0, nil, missing("name")
	}
	slug := slugOf(name)
	if slug == "" || slices.Contains(c.shop.settings.TaxClasses, slug) {
		return 0, nil, refuse(http.StatusBadRequest, "woocommerce_rest_tax_class_slug_exists", "Tax class slug already exists")
	}
	c.shop.settings.TaxClasses = append(slices.Clone(c.shop.settings.TaxClasses), slug)
	c.shop.classNames[slug] = name
	c.header.Set("Location", c.root()+"/taxes/classes/"+slug)
	return http.StatusCreated, c.taxClassView(slug), nil
}

func deleteTaxClass(c *call) (int, any, *apiError) {
	slug := c.slugs[0]
	if !slices.Contains(c.shop.settings.TaxClasses, slug) {
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_tax_class_invalid_slug", "Invalid slug.")
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, refuse(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "Taxes do not support trashing.")
	}
	view := c.taxClassView(slug)
	c.shop.settings.TaxClasses = slices.DeleteFunc(slices.Clone(c.shop.settings.TaxClasses), func(one string) bool { return one == slug })
	for id, rate := range c.shop.rates {
		if rate.Class == slug {
			delete(c.shop.rates, id)
		}
	}
	return http.StatusOK, view, nil
}

// writeTax puts the fields of a request onto a rate.
func (c *call) writeTax(r *TaxRate) {
	for name, into := range map[string]*string{"country": &r.Country, "state": &r.State, "rate": &r.Rate, "name": &r.Name, "class": &r.Class} {
		if value, given := c.text(name); given {
			*into = value
		}
	}
	if r.Class == "standard" {
		r.Class = ""
	}
	if raw, given := c.body["priority"]; given {
		r.Priority = asInt(raw)
	}
	if raw, given := c.body["compound"]; given {
		r.Compound = asBool(raw)
	}
	if raw, given := c.body["shipping"]; given {
		r.Shipping = asBool(raw)
	}
}

func createTax(c *call) (int, any, *apiError) {
	s := c.shop
	s.ids.rate++
	r := &TaxRate{ID: s.ids.rate, Name: "Tax", Priority: 1, Shipping: true}
	c.writeTax(r)
	s.rates[r.ID] = r
	c.header.Set("Location", c.root()+"/taxes/"+strconv.FormatInt(r.ID, 10))
	return http.StatusCreated, c.taxView(r, 0), nil
}

func updateTax(c *call) (int, any, *apiError) {
	r, ok := c.shop.rates[c.ids[0]]
	if !ok {
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_invalid_id", "Invalid resource ID.")
	}
	c.writeTax(r)
	return http.StatusOK, c.taxView(r, 0), nil
}

func deleteTax(c *call) (int, any, *apiError) {
	r, ok := c.shop.rates[c.ids[0]]
	if !ok {
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_invalid_id", "Invalid resource ID.")
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, refuse(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "Taxes do not support trashing.")
	}
	delete(c.shop.rates, r.ID)
	return http.StatusOK, c.taxView(r, 0), nil
}
