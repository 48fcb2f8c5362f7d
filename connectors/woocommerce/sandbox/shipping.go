package sandbox

import (
	"net/http"
	"slices"
	"strconv"
)

// zone is a shipping zone. Zone 0 is everywhere else and always there.
type zone struct {
	id, order int64
	name      string
	locations []zoneLocation
	methods   []*zoneMethod
}

type zoneLocation struct{ code, kind string }

// zoneMethod is a shipping method of a zone.
type zoneMethod struct {
	id, order int64
	kind      string
	enabled   bool
	settings  []formField
}

// shippingKinds are the kinds of shipping that the shop knows. The last is for
// the checkout alone and no zone takes it.
var shippingKinds = []struct{ id, title, text string }{
	{"flat_rate", "Flat rate", "Lets you charge a fixed rate for shipping."},
	{"free_shipping", "Free shipping", "Free shipping is a special method which can be triggered with coupons and minimum spends."},
	{"local_pickup", "Local pickup", "Allow customers to pick up orders themselves."},
	{"pickup_location", "Local pickup", "Allow customers to choose a local pickup location during checkout."},
}

func shippingTitle(kind string) string {
	for _, one := range shippingKinds {
		if one.id == kind {
			return one.title
		}
	}
	return kind
}

func methodForm(kind string) []formField {
	title := shippingTitle(kind)
	form := []formField{{id: "title", label: "Name", kind: "text", standard: title, value: title, placeholder: "e.g. Standard national"}}
	if kind == "free_shipping" {
		return append(form,
			formField{id: "requires", label: "Free shipping requires", kind: "select", standard: "", value: "min_amount",
				options: object{{"", ""}, {"coupon", ""}, {"min_amount", ""}, {"either", ""}, {"both", ""}}},
			formField{id: "min_amount", label: "Minimum order amount", kind: "text", standard: "", value: "100", placeholder: "0"},
			formField{id: "ignore_discounts", label: "Coupons discounts", kind: "checkbox", standard: "no", value: nil})
	}
	cost := "5.90"
	if kind == "local_pickup" {
		cost = "0"
	}
	return append(form,
		formField{id: "tax_status", label: "Tax status", kind: "select", standard: "taxable", value: "taxable", options: object{{"taxable", ""}, {"none", ""}}},
		formField{id: "cost", label: "Cost", kind: "text", standard: "", value: cost})
}

// defaultZones are everywhere else, and Europe with three methods.
func (s *Shop) defaultZones() {
	s.zones = map[int64]*zone{
		0: {name: "Locations not covered by your other zones"},
		1: {id: 1, name: "Europe", locations: []zoneLocation{{"continent:EU", "continent"}, {"FR", "country"}, {"BE", "country"}, {"DE", "country"}}},
	}
	s.ids.zone = 1
	for _, one := range shippingKinds[:3] {
		s.ids.method++
		s.zones[1].methods = append(s.zones[1].methods, &zoneMethod{id: s.ids.method, order: s.ids.method, kind: one.id, enabled: true, settings: methodForm(one.id)})
	}
}

func zonePath(id int64) string { return "/shipping/zones/" + strconv.FormatInt(id, 10) }

func (c *call) zoneView(z *zone) object {
	path := zonePath(z.id)
	return object{{"id", z.id}, {"name", z.name}, {"order", z.order}, c.links(path, allMethods, link("describedby", c.root()+path+"/locations"))}
}

func listZones(c *call) (int, any, *apiError) {
	views := []any{}
	var ids []int64
	for id := range c.shop.zones {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		views = append(views, c.zoneView(c.shop.zones[id]))
	}
	return c.counted(views)
}

func (c *call) liveZone() (*zone, *apiError) {
	if z := c.shop.zones[c.ids[0]]; z != nil {
		return z, nil
	}
	return nil, refuse(http.StatusNotFound, "woocommerce_rest_shipping_zone_invalid", "Resource does not exist.")
}

func getZone(c *call) (int, any, *apiError) {
	z, refused := c.liveZone()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.zoneView(z), nil
}

func (c *call) writeZone(z *zone) {
	if name, given := c.text("name"); given {
		z.name = name
	}
	if order, given := c.body["order"]; given {
		z.order = asInt(order)
	}
}

func createZone(c *call) (int, any, *apiError) {
	if _, given := c.text("name"); !given {
		return 0, nil, missing("name")
	}
	s := c.shop
	s.ids.zone++
	z := &zone{id: s.ids.zone}
	c.writeZone(z)
	s.zones[z.id] = z
	c.header.Set("Location", c.root()+zonePath(z.id))
	return http.StatusCreated, c.zoneView(z), nil
}

func updateZone(c *call) (int, any, *apiError) {
	z, refused := c.liveZone()
	if refused != nil {
		return 0, nil, refused
	}
	if z.id == 0 {
		return 0, nil, refuse(http.StatusForbidden, "woocommerce_rest_shipping_zone_invalid_zone", "The \"locations not covered by your other zones\" zone cannot be updated.")
	}
	c.writeZone(z)
	return http.StatusOK, c.zoneView(z), nil
}

func deleteZone(c *call) (int, any, *apiError) {
	z, refused := c.liveZone()
	if refused != nil {
		return 0, nil, refused
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, refuse(http.StatusNotImplemented, "rest_trash_not_supported", "Shipping zones do not support trashing.")
	}
	delete(c.shop.zones, z.id)
	return http.StatusOK, c.zoneView(z), nil
}

func (c *call) locationViews(z *zone) []any {
	views := []any{}
	path := c.root() + zonePath(z.id)
	for _, place := range z.locations {
		views = append(views, object{{"code", place.code}, {"type", place.kind}, {"_links", object{link("collection", path+"/locations"), link("describes", path)}}})
	}
	return views
}

func listZoneLocations(c *call) (int, any, *apiError) {
	z, refused := c.liveZone()
	if refused != nil {
		return 0, nil, refused
	}
	return c.counted(c.locationViews(z))
}

// replaceZoneLocations takes a bare list as its body.
func replaceZoneLocations(c *call) (int, any, *apiError) {
	z, refused := c.liveZone()
	if refused != nil {
		return 0, nil, refused
	}
	z.locations = nil
	for _, entry := range c.list {
		r := asRecord(entry)
		place := zoneLocation{asText(r["code"]), asText(r["type"])}
		if place.kind == "" {
			place.kind = "country"
		}
		if place.code != "" && slices.Contains([]string{"postcode", "state", "country", "continent"}, place.kind) {
			z.locations = append(z.locations, place)
		}
	}
	return c.counted(c.locationViews(z))
}

func listShippingMethods(c *call) (int, any, *apiError) {
	views := []any{}
	for _, m := range shippingKinds {
		views = append(views, object{{"id", m.id}, {"title", m.title}, {"description", m.text}, c.links("/shipping_methods/"+m.id, singleMethods)})
	}
	return c.counted(views)
}
