package sandbox

import (
	"net/http"
	"slices"
	"strconv"
)

func (c *call) methodView(z *zone, m *zoneMethod) object {
	path := zonePath(z.id)
	title := shippingTitle(m.kind)
	for _, f := range m.settings {
		if f.id == "title" {
			title = asText(f.value)
		}
	}
	text := ""
	for _, one := range shippingKinds {
		if one.id == m.kind {
			text = "<p>" + one.text + "</p>\n"
		}
	}
	return object{{"id", m.id}, {"instance_id", m.id}, {"title", title}, {"order", m.order}, {"enabled", m.enabled}, {"method_id", m.kind}, {"method_title", shippingTitle(m.kind)}, {"method_description", text},
		{"settings", formView(m.settings)}, c.links(path+"/methods/"+strconv.FormatInt(m.id, 10), allMethods, link("describes", c.root()+path))}
}

func listZoneMethods(c *call) (int, any, *apiError) {
	z, refused := c.liveZone()
	if refused != nil {
		return 0, nil, refused
	}
	views := []any{}
	for _, m := range z.methods {
		views = append(views, c.methodView(z, m))
	}
	return c.counted(views)
}

func (c *call) liveMethod() (*zone, *zoneMethod, *apiError) {
	z, refused := c.liveZone()
	if refused != nil {
		return nil, nil, refused
	}
	i := slices.IndexFunc(z.methods, func(m *zoneMethod) bool { return m.id == c.ids[1] })
	if i < 0 {
		return nil, nil, refuse(http.StatusNotFound, "woocommerce_rest_shipping_zone_method_invalid", "Resource does not exist.")
	}
	return z, z.methods[i], nil
}

func getZoneMethod(c *call) (int, any, *apiError) {
	z, m, refused := c.liveMethod()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.methodView(z, m), nil
}

// writeMethod takes the values of settings alone, by their names.
func (c *call) writeMethod(m *zoneMethod) {
	if enabled, given := c.body["enabled"]; given {
		m.enabled = asBool(enabled)
	}
	if order, given := c.body["order"]; given {
		m.order = asInt(order)
	}
	values := asRecord(c.body["settings"])
	for i := range m.settings {
		if value, given := values[m.settings[i].id]; given {
			m.settings[i].value = asText(value)
		}
	}
}

func createZoneMethod(c *call) (int, any, *apiError) {
	z, refused := c.liveZone()
	if refused != nil {
		return 0, nil, refused
	}
	kind, given := c.text("method_id")
	if !given {
		return 0, nil, missing("method_id")
	}
	if kind == "pickup_location" || shippingTitle(kind) == kind {
		return 0, nil, refuse(http.StatusInternalServerError, "woocommerce_rest_shipping_zone_not_created", "Resource cannot be created.")
	}
	s := c.shop
	s.ids.method++
	m := &zoneMethod{id: s.ids.method, order: int64(len(z.methods) + 1), kind: kind, enabled: true, settings: methodForm(kind)}
	c.writeMethod(m)
	z.methods = append(z.methods, m)
	return http.StatusOK, c.methodView(z, m), nil
}

func updateZoneMethod(c *call) (int, any, *apiError) {
	z, m, refused := c.liveMethod()
	if refused != nil {
		return 0, nil, refused
	}
	c.writeMethod(m)
	return http.StatusOK, c.methodView(z, m), nil
}

func deleteZoneMethod(c *call) (int, any, *apiError) {
	z, m, refused := c.liveMethod()
	if refused != nil {
		return 0, nil, refused
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, refuse(http.StatusNotImplemented, "rest_trash_not_supported", "Shipping methods do not support trashing.")
	}
	z.methods = slices.DeleteFunc(z.methods, func(one *zoneMethod) bool { return one == m })
	return http.StatusOK, c.methodView(z, m), nil
}
