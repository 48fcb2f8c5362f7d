package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// handler answers a call with a status and a body.
type handler func(*call) (int, any, *apiError)

// route is an address and what it does for one method.
type route struct {
	methods []string
	path    []string // below /wp-json; {id} takes digits, {slug} letters
	allow   []string // of the address, for the Allow header
	handle  handler
	list    *listParams // of collections
	single  bool        // answers one record
	public  bool        // needs no key
	plugin  string      // is there only with this plugin
}

// forbidden is the answer to a stranger.
func (r *route) forbidden() *apiError {
	last := r.path[len(r.path)-1]
	switch {
	case last == "batch":
		return refuse(http.StatusUnauthorized, "woocommerce_rest_cannot_batch", "Sorry, you are not allowed to batch manipulate this resource.")
	case slices.Contains(r.methods, http.MethodGet) && strings.HasPrefix(last, "{"):
		return refuse(http.StatusUnauthorized, "woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.")
	case slices.Contains(r.methods, http.MethodGet):
		return refuse(http.StatusUnauthorized, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
	case slices.Contains(r.methods, http.MethodDelete):
		return refuse(http.StatusUnauthorized, "woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource.")
	case strings.HasPrefix(last, "{"):
		return refuse(http.StatusUnauthorized, "woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource.")
	}
	return refuse(http.StatusUnauthorized, "woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources.")
}

var (
	get    = []string{http.MethodGet}
	post   = []string{http.MethodPost}
	edit   = []string{http.MethodPost, http.MethodPut, http.MethodPatch}
	remove = []string{http.MethodDelete}
)

// routes of the API that the sandbox serves.
var routes []*route

func init() { routes = buildRoutes() } // not in the declaration: the index lists them

func buildRoutes() []*route {
	var all []*route
	add := func(path string, allow []string, some ...route) {
		for _, r := range some {
			r.path, r.allow = strings.Split(strings.TrimPrefix(path, "/"), "/"), allow
			all = append(all, &r)
		}
	}
	add("", singleMethods, route{methods: get, handle: siteIndex, public: true})
	add("/wc/v3", singleMethods, route{methods: get, handle: namespaceIndex, public: true})

	const v3 = "/wc/v3"
	add(v3+"/orders", listMethods, route{methods: get, handle: listOrders, list: orderParams}, route{methods: post, handle: createOrder})
	add(v3+"/orders/batch", batchMethods, route{methods: edit, handle: batchOrders})
	add(v3+"/orders/{id}", allMethods, route{methods: get, handle: getOrder, single: true}, route{methods: edit, handle: updateOrder, single: true}, route{methods: remove, handle: deleteOrder, single: true})
	add(v3+"/orders/{id}/notes", listMethods, route{methods: get, handle: listNotes}, route{methods: post, handle: createNote})
	add(v3+"/orders/{id}/notes/{id}", readDelete, route{methods: get, handle: getNote, single: true}, route{methods: remove, handle: deleteNote, single: true})
	add(v3+"/orders/{id}/refunds", listMethods, route{methods: get, handle: listRefunds, list: refundParams}, route{methods: post, handle: createRefund})
	add(v3+"/orders/{id}/refunds/{id}", readDelete, route{methods: get, handle: getRefund, single: true}, route{methods: remove, handle: deleteRefund, single: true})
	add(v3+"/refunds", singleMethods, route{methods: get, handle: listAllRefunds, list: refundParams})

	add(v3+"/products", listMethods, route{methods: get, handle: listProducts, list: productParams}, route{methods: post, handle: createProduct})
	add(v3+"/products/batch", batchMethods, route{methods: edit, handle: batchProducts})
	for _, path := range []string{"/products/categories", "/products/tags", "/products/shipping_classes", "/products/attributes/{id}/terms"} {
		add(v3+path, listMethods, route{methods: get, handle: listTerms, list: termParams}, route{methods: post, handle: createTerm})
		add(v3+path+"/batch", batchMethods, route{methods: edit, handle: batchTerms})
		add(v3+path+"/{id}", allMethods, route{methods: get, handle: getTerm, single: true}, route{methods: edit, handle: updateTerm, single: true}, route{methods: remove, handle: deleteTerm, single: true})
	}
	add(v3+"/products/attributes", listMethods, route{methods: get, handle: listAttributes}, route{methods: post, handle: createAttribute})
	add(v3+"/products/attributes/batch", batchMethods, route{methods: edit, handle: batchAttributes})
	add(v3+"/products/attributes/{id}", allMethods, route{methods: get, handle: getAttribute, single: true}, route{methods: edit, handle: updateAttribute, single: true}, route{methods: remove, handle: deleteAttribute, single: true})
	add(v3+"/products/{id}/duplicate", []string{"POST"}, route{methods: post, handle: duplicateProduct})
	add(v3+"/products/{id}", allMethods, route{methods: get, handle: getProduct, single: true}, route{methods: edit, handle: updateProduct, single: true}, route{methods: remove, handle: deleteProduct, single: true})
	add(v3+"/products/{id}/variations", listMethods, route{methods: get, handle: listVariations, list: variationParams}, route{methods: post, handle: createVariation})
	add(v3+"/products/{id}/variations/batch", batchMethods, route{methods: edit, handle: batchVariations})
	add(v3+"/products/{id}/variations/{id}", allMethods, route{methods: get, handle: getVariation, single: true}, route{methods: edit, handle: updateVariation, single: true}, route{methods: remove, handle: deleteVariation, single: true})

	add(v3+"/customers", listMethods, route{methods: get, handle: listCustomers, list: customerParams}, route{methods: post, handle: createCustomer})
	add(v3+"/customers/batch", batchMethods, route{methods: edit, handle: batchCustomers})
	add(v3+"/customers/{id}", allMethods, route{methods: get, handle: getCustomer, single: true}, route{methods: edit, handle: updateCustomer, single: true}, route{methods: remove, handle: deleteCustomer, single: true})

	add(v3+"/coupons", listMethods, route{methods: get, handle: listCoupons, list: couponParams}, route{methods: post, handle: createCoupon})
	add(v3+"/coupons/batch", batchMethods, route{methods: edit, handle: batchCoupons})
	add(v3+"/coupons/{id}", allMethods, route{methods: get, handle: getCoupon, single: true}, route{methods: edit, handle: updateCoupon, single: true}, route{methods: remove, handle: deleteCoupon, single: true})

	add(v3+"/taxes", listMethods, route{methods: get, handle: listTaxes, list: taxParams}, route{methods: post, handle: createTax})
	add(v3+"/taxes/classes", listMethods, route{methods: get, handle: listTaxClasses}, route{methods: post, handle: createTaxClass})
	add(v3+"/taxes/classes/{slug}", readDelete, route{methods: remove, handle: deleteTaxClass})
	add(v3+"/taxes/{id}", allMethods, route{methods: get, handle: getTax, single: true}, route{methods: edit, handle: updateTax, single: true}, route{methods: remove, handle: deleteTax, single: true})

	add(v3+"/webhooks", listMethods, route{methods: get, handle: listWebhooks, list: webhookParams}, route{methods: post, handle: createWebhook})
	add(v3+"/webhooks/batch", batchMethods, route{methods: edit, handle: batchWebhooks})
	add(v3+"/webhooks/{id}", allMethods, route{methods: get, handle: getWebhook, single: true}, route{methods: edit, handle: updateWebhook, single: true}, route{methods: remove, handle: deleteWebhook, single: true})

	add(v3+"/settings/{slug}", singleMethods, route{methods: get, handle: listSettings})
	add(v3+"/settings/{slug}/batch", batchMethods, route{methods: edit, handle: batchSettings})
	add(v3+"/settings/{slug}/{slug}", editableFrom, route{methods: get, handle: getSetting, single: true}, route{methods: edit, handle: updateSetting, single: true})
	add(v3+"/system_status", singleMethods, route{methods: get, handle: systemStatus})
	add(v3+"/payment_gateways", singleMethods, route{methods: get, handle: listGateways})
	add(v3+"/payment_gateways/{slug}", editableFrom, route{methods: get, handle: getGateway, single: true})
	add(v3+"/shipping/zones", listMethods, route{methods: get, handle: listZones}, route{methods: post, handle: createZone})
	add(v3+"/shipping/zones/{id}", allMethods, route{methods: get, handle: getZone, single: true}, route{methods: edit, handle: updateZone, single: true}, route{methods: remove, handle: deleteZone, single: true})
	add(v3+"/shipping/zones/{id}/methods", listMethods, route{methods: get, handle: listZoneMethods}, route{methods: post, handle: createZoneMethod})
	add(v3+"/shipping/zones/{id}/methods/{id}", allMethods, route{methods: get, handle: getZoneMethod, single: true}, route{methods: edit, handle: updateZoneMethod, single: true}, route{methods: remove, handle: deleteZoneMethod, single: true})
	add(v3+"/shipping/zones/{id}/locations", editableFrom, route{methods: get, handle: listZoneLocations}, route{methods: edit, handle: replaceZoneLocations})
	add(v3+"/shipping_methods", singleMethods, route{methods: get, handle: listShippingMethods})
	add(v3+"/reports/orders/totals", singleMethods, route{methods: get, handle: orderTotals})
	add(v3+"/data/countries", singleMethods, route{methods: get, handle: listCountries})
	add(v3+"/data/countries/{slug}", singleMethods, route{methods: get, handle: getCountry, single: true})
	add(v3+"/data/currencies", singleMethods, route{methods: get, handle: listCurrencies})
	add(v3+"/data/currencies/current", singleMethods, route{methods: get, handle: currentCurrency, single: true})
	add(v3+"/data/currencies/{slug}", singleMethods, route{methods: get, handle: getCurrency, single: true})
	for _, namespace := range []string{PluginTracking, PluginAdvanced} {
		path := "/" + namespace + "/orders/{id}/shipment-trackings"
		add(path, listMethods, route{methods: get, handle: listTrackings, plugin: namespace}, route{methods: post, handle: createTracking, plugin: namespace})
		add(path+"/{slug}", readDelete, route{methods: remove, handle: deleteTracking, plugin: namespace})
	}
	add(v3+"/orders/{id}/fulfillments", listMethods, route{methods: get, handle: listFulfillments, plugin: PluginFulfillments}, route{methods: post, handle: createFulfillment, plugin: PluginFulfillments})
	return all
}

// match finds the route of a request and reads the ids in its path.
func (s *Shop) match(c *call, method, path string) *route {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, r := range routes {
		if len(r.path) != len(segments) || !slices.Contains(r.methods, method) || r.plugin != "" && !slices.Contains(s.settings.Plugins, r.plugin) {
			continue
		}
		c.ids, c.slugs = nil, nil
		if c.takes(r.path, segments) {
			return r
		}
	}
	return nil
}

func (c *call) takes(pattern, segments []string) bool {
	for i, part := range pattern {
		switch part {
		case "{id}":
			id, err := strconv.ParseInt(segments[i], 10, 64)
			if err != nil || id < 0 {
				return false
			}
			c.ids = append(c.ids, id)
		case "{slug}":
			c.slugs = append(c.slugs, segments[i])
		default:
			if part != segments[i] {
				return false
			}
		}
	}
	return true
}
