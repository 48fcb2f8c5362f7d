package sandbox

import (
	"net/http"
	"slices"
)

// gateway is a way to pay.
type gateway struct {
	id, title, method string
	enabled           bool
	settings          []formField
}

// formField is a field of the form by which a gateway or a shipping method is
// set up in the shop's own pages.
type formField struct {
	id, label, kind string
	standard, value any
	placeholder     string
	options         object
}

func formView(fields []formField) object {
	view := object{}
	for _, f := range fields {
		one := object{{"id", f.id}, {"label", f.label}, {"description", ""}, {"type", f.kind}, {"value", f.value}, {"default", f.standard}, {"tip", ""}, {"placeholder", f.placeholder}}
		if f.options != nil {
			one = append(one, member{"options", f.options})
		}
		view = append(view, member{f.id, one})
	}
	return view
}

var gateways = []gateway{
	{id: "bacs", title: "Direct bank transfer", method: "Direct bank transfer", enabled: true, settings: []formField{
		{id: "title", label: "Title", kind: "safe_text", standard: "Direct bank transfer", value: "Direct bank transfer"},
		{id: "instructions", label: "Instructions", kind: "textarea", standard: "", value: ""},
	}},
	{id: "cod", title: "Cash on delivery", method: "Cash on delivery", enabled: true, settings: []formField{
		{id: "title", label: "Title", kind: "safe_text", standard: "Cash on delivery", value: "Cash on delivery"},
		{id: "instructions", label: "Instructions", kind: "textarea", standard: "Pay with cash upon delivery.", value: ""},
		{id: "enable_for_methods", label: "Enable for shipping methods", kind: "multiselect", standard: "", value: "", options: object{
			{"Flat rate", object{{"flat_rate", ""}, {"flat_rate:1", ""}}}, {"Free shipping", object{{"free_shipping", ""}, {"free_shipping:2", ""}}}, {"Local pickup", object{{"pickup_location", ""}}}}},
		{id: "enable_for_virtual", label: "Accept for virtual orders", kind: "checkbox", standard: "yes", value: "yes"},
	}},
	{id: "cheque", title: "Check payments", method: "Check payments", settings: []formField{
		{id: "title", label: "Title", kind: "safe_text", standard: "Check payments", value: "Check payments"},
		{id: "instructions", label: "Instructions", kind: "textarea", standard: "", value: ""},
	}},
}

func (c *call) gatewayView(g gateway) object {
	return object{{"id", g.id}, {"title", g.title}, {"description", ""}, {"order", ""}, {"enabled", g.enabled}, {"method_title", g.method}, {"method_description", ""},
		{"method_supports", []string{"products"}}, {"settings", formView(g.settings)}, {"needs_setup", false}, {"post_install_scripts", []any{}},
		{"settings_url", c.home + "/wp-admin/admin.php?page=wc-settings&tab=checkout&section=" + g.id}, {"connection_url", nil}, {"setup_help_text", nil}, {"required_settings_keys", []any{}},
		c.links("/payment_gateways/"+g.id, editableFrom)}
}

func listGateways(c *call) (int, any, *apiError) {
	views := []any{}
	for _, g := range gateways {
		views = append(views, c.gatewayView(g))
	}
	return c.counted(views)
}

func getGateway(c *call) (int, any, *apiError) {
	i := slices.IndexFunc(gateways, func(g gateway) bool { return g.id == c.slugs[0] })
	if i < 0 {
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_payment_gateway_invalid", "Resource does not exist.")
	}
	return http.StatusOK, c.gatewayView(gateways[i]), nil
}
