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
		name := strings.ReplaceAll(slug, "-", " ")
		if slug == "standard" {
			name = "standard rate"
		}
		views = append(views, object{{"slug", slug}, {"name", strings.ToUpper(name[:1]) + name[1:]}, {"_links", object{{"collection", []any{object{{"href", c.root() + "/taxes/classes"}}}}}}})
	}
	c.header.Set("X-WP-Total", strconv.Itoa(len(views)))
	c.header.Set("X-WP-TotalPages", "1")
	return http.StatusOK, views, nil
}

// The settings that the sandbox knows, by group.

type setting struct {
	id, label, kind string
	standard        string
	options         object
	tip             string
	get             func(*Settings) any
	set             func(*Settings, string)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

var settingGroups = map[string][]setting{
	"general": {
		{id: "woocommerce_default_country", label: "Country / State", kind: "select", standard: "US:CA", options: object{{"FR", "France"}},
			get: func(s *Settings) any { return strings.TrimSuffix(s.Country+":"+s.State, ":") },
			set: func(s *Settings, v string) { s.Country, s.State, _ = strings.Cut(v, ":") }},
		{id: "woocommerce_calc_taxes", label: "Enable taxes", kind: "checkbox", standard: "no", get: func(*Settings) any { return "yes" }},
		{id: "woocommerce_enable_coupons", label: "Enable coupons", kind: "checkbox", standard: "yes", get: func(*Settings) any { return "yes" }},
		{id: "woocommerce_calc_discounts_sequentially", label: "", kind: "checkbox", standard: "no", get: func(*Settings) any { return "no" }},
		{id: "woocommerce_currency", label: "Currency", kind: "select", standard: "USD", options: object{{"EUR", "Euro"}},
			get: func(s *Settings) any { return s.Currency }, set: func(s *Settings, v string) { s.Currency = v }},
		{id: "woocommerce_currency_pos", label: "Currency position", kind: "select", standard: "left", options: object{{"right_space", "Right with space"}}, get: func(*Settings) any { return "right_space" }},
		{id: "woocommerce_price_thousand_sep", label: "Thousand separator", kind: "text", standard: ",", get: func(*Settings) any { return " " }},
		{id: "woocommerce_price_decimal_sep", label: "Decimal separator", kind: "text", standard: ".", get: func(*Settings) any { return "," }},
		{id: "woocommerce_price_num_decimals", label: "Number of decimals", kind: "number", standard: "2",
			get: func(s *Settings) any { return strconv.Itoa(int(s.Decimals)) },
			set: func(s *Settings, v string) { s.Decimals = int32(min(max(asInt(v), 0), 4)) }},
	},
	"tax": {
		{id: "woocommerce_prices_include_tax", label: "Prices entered with tax", kind: "radio", standard: "no",
			options: object{{"yes", "Yes, I will enter prices inclusive of tax"}, {"no", "No, I will enter prices exclusive of tax"}},
			get:     func(s *Settings) any { return yesNo(s.PricesIncludeTax) }, tip: "This option is important as it will affect how you input prices. Changing it will not update existing products.", set: func(s *Settings, v string) { s.PricesIncludeTax = v == "yes" }},
		{id: "woocommerce_tax_based_on", label: "Calculate tax based on", kind: "select", standard: "shipping",
			options: object{{"shipping", "Customer shipping address"}, {"billing", "Customer billing address"}, {"base", "Shop base address"}},
			get:     func(s *Settings) any { return s.TaxBasedOn }, set: func(s *Settings, v string) { s.TaxBasedOn = v }},
		{id: "woocommerce_shipping_tax_class", label: "Shipping tax class", kind: "select", standard: "inherit",
			options: object{{"inherit", "Shipping tax class based on cart items"}, {"", "Standard"}},
			get:     func(s *Settings) any { return s.ShippingTaxClass }, set: func(s *Settings, v string) { s.ShippingTaxClass = v }},
		{id: "woocommerce_tax_round_at_subtotal", label: "Rounding", kind: "checkbox", standard: "no",
			get: func(s *Settings) any { return yesNo(s.RoundAtSubtotal) }, set: func(s *Settings, v string) { s.RoundAtSubtotal = v == "yes" }},
	},
	"products": {
		{id: "woocommerce_weight_unit", label: "Weight unit", kind: "select", standard: "lbs", options: object{{"kg", "kg"}}, get: func(*Settings) any { return "kg" }},
		{id: "woocommerce_manage_stock", label: "Manage stock", kind: "checkbox", standard: "yes", get: func(*Settings) any { return "yes" }},
	},
}

func (c *call) settingView(group string, one setting) object {
	view := object{{"id", one.id}, {"label", one.label}, {"description", ""}, {"type", one.kind}, {"default", one.standard}}
	if one.options != nil {
		view = append(view, member{"options", one.options})
	}
	path := "/settings/" + group + "/" + one.id
	if len(c.slugs) > 1 { // asked for alone (woo/394)
		view = append(view, member{"group_id", group})
	}
	return append(view, member{"tip", one.tip}, member{"value", one.get(&c.shop.settings)}, c.links(path, editableFrom))
}

func (c *call) settingGroup() ([]setting, *apiError) {
	group, ok := settingGroups[c.slugs[0]]
	if !ok {
		return nil, refuse(http.StatusNotFound, "rest_setting_setting_group_invalid", "Invalid setting group.")
	}
	return group, nil
}

func listSettings(c *call) (int, any, *apiError) {
	group, refused := c.settingGroup()
	if refused != nil {
		return 0, nil, refused
	}
	views := []any{}
	for _, one := range group {
		views = append(views, c.settingView(c.slugs[0], one))
	}
	return http.StatusOK, views, nil
}

func (c *call) oneSetting() (setting, *apiError) {
	group, refused := c.settingGroup()
	if refused != nil {
		return setting{}, refused
	}
	i := slices.IndexFunc(group, func(one setting) bool { return one.id == c.slugs[1] })
	if i < 0 {
		return setting{}, refuse(http.StatusNotFound, "rest_setting_setting_invalid", "Invalid setting.")
	}
	return group[i], nil
}

func getSetting(c *call) (int, any, *apiError) {
	one, refused := c.oneSetting()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.settingView(c.slugs[0], one), nil
}

func updateSetting(c *call) (int, any, *apiError) {
	one, refused := c.oneSetting()
	if refused != nil {
		return 0, nil, refused
	}
	if value, given := c.text("value"); given && one.set != nil {
		one.set(&c.shop.settings, value)
	}
	return http.StatusOK, c.settingView(c.slugs[0], one), nil
}
