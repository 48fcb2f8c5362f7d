package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Plugins of [Settings.Plugins]: where a shop keeps tracking numbers. None of the
// three was recorded; addresses and fields are those of the plugins' sources.
const (
	// PluginTracking is Shipment Tracking, by its namespace.
	PluginTracking = "wc-shipment-tracking/v3"
	// PluginAdvanced is Advanced Shipment Tracking.
	PluginAdvanced = "wc-ast/v3"
	// PluginFulfillments are WooCommerce's own fulfillments, from 10.1 on.
	PluginFulfillments = "fulfillments"
)

// parcel is a tracking number or a fulfillment of an order.
type parcel struct {
	plugin string
	id     int64
	body   map[string]any
}

// Parcel is a parcel as tests look at it.
type Parcel struct {
	Plugin, Number, Carrier string
	// Quantity is how many pieces are in it, of a fulfillment.
	Quantity int64
}

// Parcels lists an order's parcels, oldest first.
func (s *Shop) Parcels(order int64) []Parcel {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Parcel
	for _, p := range s.parcels[order] {
		one := Parcel{Plugin: p.plugin, Number: asText(p.body["tracking_number"]), Carrier: trackingProvider(p.body)}
		for _, entry := range asArray(p.body["meta_data"]) {
			switch m := asRecord(entry); asText(m["key"]) {
			case "_tracking_number":
				one.Number = asText(m["value"])
			case "_shipment_provider":
				one.Carrier = asText(m["value"])
			case "_items":
				for _, item := range asArray(m["value"]) {
					one.Quantity += asInt(asRecord(item)["qty"])
				}
			}
		}
		all = append(all, one)
	}
	return all
}

func (s *Shop) pluginNamespaces() []string {
	return slices.DeleteFunc(slices.Clone(s.settings.Plugins), func(name string) bool { return !strings.Contains(name, "/") })
}

func trackingProvider(body map[string]any) string {
	if own := asText(body["custom_tracking_provider"]); own != "" {
		return own
	}
	return asText(body["tracking_provider"])
}

func trackingView(p *parcel) object {
	return object{
		{"tracking_id", strconv.FormatInt(p.id, 16)}, {"tracking_provider", trackingProvider(p.body)},
		{"tracking_link", asText(p.body["custom_tracking_link"])}, {"tracking_number", asText(p.body["tracking_number"])},
		{"date_shipped", asText(p.body["date_shipped"])},
	}
}

func fulfillmentView(p *parcel) object {
	order := asText(p.body["order"])
	meta := []any{}
	for _, entry := range asArray(p.body["meta_data"]) {
		r := asRecord(entry)
		meta = append(meta, object{{"id", p.id}, {"key", asText(r["key"])}, {"value", r["value"]}})
	}
	return object{
		{"id", p.id}, {"entity_type", "WC_Order"}, {"entity_id", order}, {"status", asText(p.body["status"])},
		{"is_fulfilled", asBool(p.body["is_fulfilled"])}, {"date_updated", nil}, {"date_fulfilled", nil}, {"date_deleted", nil}, {"meta_data", meta},
	}
}

func (c *call) parcelsOf(plugin string, view func(*parcel) object) (int, any, *apiError) {
	if refused := c.notedOrder(); refused != nil {
		return 0, nil, refused
	}
	views := []any{}
	for _, p := range c.shop.parcels[c.ids[0]] {
		if p.plugin == plugin {
			views = append(views, view(p))
		}
	}
	return http.StatusOK, views, nil
}

func (c *call) addParcel(plugin string, view func(*parcel) object) (int, any, *apiError) {
	if refused := c.notedOrder(); refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	s.ids.meta++
	p := &parcel{plugin: plugin, id: s.ids.meta, body: c.body}
	s.parcels[c.ids[0]] = append(s.parcels[c.ids[0]], p)
	return http.StatusCreated, view(p), nil
}

func listTrackings(c *call) (int, any, *apiError) { return c.parcelsOf(c.route.plugin, trackingView) }

// createTracking adds a number as often as it is sent.
func createTracking(c *call) (int, any, *apiError) {
	if asText(c.body["tracking_number"]) == "" {
		return 0, nil, missing("tracking_number")
	}
	return c.addParcel(c.route.plugin, trackingView)
}

func deleteTracking(c *call) (int, any, *apiError) {
	all := c.shop.parcels[c.ids[0]]
	for i, p := range all {
		if p.plugin == c.route.plugin && strconv.FormatInt(p.id, 16) == c.slugs[0] {
			c.shop.parcels[c.ids[0]] = slices.Delete(slices.Clone(all), i, i+1)
			return http.StatusOK, trackingView(p), nil
		}
	}
	return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_shipment_tracking_invalid_id", "Invalid shipment tracking ID.")
}

func listFulfillments(c *call) (int, any, *apiError) {
	return c.parcelsOf(PluginFulfillments, fulfillmentView)
}

func createFulfillment(c *call) (int, any, *apiError) {
	if c.body != nil {
		c.body["order"] = strconv.FormatInt(c.ids[0], 10)
	}
	return c.addParcel(PluginFulfillments, fulfillmentView)
}
