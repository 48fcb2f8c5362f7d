package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// setting is a setting of the shop's pages. Those with get decide something in
// the sandbox; the others are kept as they are written.
type setting struct {
	id, label, kind string
	standard        any // default
	value           string
	options         object
	tip             string
	noTip           bool // has no such member
	get             func(*Settings) any
	set             func(*Settings, string)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// settingGroups are the groups with their settings: general in part, tax and
// products whole (woo/025 to 027).
var settingGroups = map[string][]setting{
	"general": {
		{id: "woocommerce_default_country", label: "Country / State", kind: "select", standard: "US:CA", options: object{{"FR", "France"}},
			get: func(s *Settings) any { return strings.TrimSuffix(s.Country+":"+s.State, ":") },
			set: func(s *Settings, v string) { s.Country, s.State, _ = strings.Cut(v, ":") }},
		{id: "woocommerce_calc_taxes", label: "Enable taxes", kind: "checkbox", standard: "no", value: "yes"},
		{id: "woocommerce_enable_coupons", label: "Enable coupons", kind: "checkbox", standard: "yes", value: "yes"},
		{id: "woocommerce_calc_discounts_sequentially", kind: "checkbox", standard: "no", value: "no"},
		{id: "woocommerce_currency", label: "Currency", kind: "select", standard: "USD", options: object{{"EUR", "Euro"}},
			get: func(s *Settings) any { return s.Currency }, set: func(s *Settings, v string) { s.Currency = v }},
		{id: "woocommerce_currency_pos", label: "Currency position", kind: "select", standard: "left", value: "right_space",
			options: object{{"left", "Left"}, {"right", "Right"}, {"left_space", "Left with space"}, {"right_space", "Right with space"}}},
		{id: "woocommerce_price_thousand_sep", label: "Thousand separator", kind: "text", standard: ",", value: " "},
		{id: "woocommerce_price_decimal_sep", label: "Decimal separator", kind: "text", standard: ".", value: ","},
		{id: "woocommerce_price_num_decimals", label: "Number of decimals", kind: "number", standard: "2",
			get: func(s *Settings) any { return strconv.Itoa(int(s.Decimals)) },
			set: func(s *Settings, v string) { s.Decimals = int32(min(max(asInt(v), 0), 4)) }},
	},
	"tax": {
		{id: "woocommerce_prices_include_tax", label: "Prices entered with tax", kind: "radio", standard: "no",
			options: object{{"yes", "Yes, I will enter prices inclusive of tax"}, {"no", "No, I will enter prices exclusive of tax"}},
			get:     func(s *Settings) any { return yesNo(s.PricesIncludeTax) }, tip: "This option is important as it will affect how you input prices. Changing it will not update existing products.",
			set: func(s *Settings, v string) { s.PricesIncludeTax = v == "yes" }},
		{id: "woocommerce_tax_based_on", label: "Calculate tax based on", kind: "select", standard: "shipping",
			options: object{{"shipping", "Customer shipping address"}, {"billing", "Customer billing address"}, {"base", "Shop base address"}},
			get:     func(s *Settings) any { return s.TaxBasedOn }, set: func(s *Settings, v string) { s.TaxBasedOn = v }},
		{id: "woocommerce_shipping_tax_class", label: "Shipping tax class", kind: "select", standard: "inherit",
			options: object{{"inherit", "By the items of the cart"}, {"", "Standard"}, {"reduced-rate", "Reduced rate"}, {"zero-rate", "Zero rate"}},
			get:     func(s *Settings) any { return s.ShippingTaxClass }, set: func(s *Settings, v string) { s.ShippingTaxClass = v }},
		{id: "woocommerce_tax_round_at_subtotal", label: "Rounding", kind: "checkbox", standard: "no", noTip: true,
			get: func(s *Settings) any { return yesNo(s.RoundAtSubtotal) }, set: func(s *Settings, v string) { s.RoundAtSubtotal = v == "yes" }},
		{id: "woocommerce_tax_classes", label: "Additional tax classes", kind: "textarea", standard: ""},
		{id: "woocommerce_tax_display_shop", label: "Display prices in the shop", kind: "select", standard: "excl", value: "excl", noTip: true, options: inclExcl},
		{id: "woocommerce_tax_display_cart", label: "Display prices during cart and checkout", kind: "select", standard: "excl", value: "excl", noTip: true, options: inclExcl},
		{id: "woocommerce_price_display_suffix", label: "Price display suffix", kind: "text", standard: ""},
		{id: "woocommerce_tax_total_display", label: "Display tax totals", kind: "select", standard: "itemized", value: "itemized", noTip: true,
			options: object{{"single", "As a single total"}, {"itemized", "Itemized"}}},
	},
	"products": productSettings(),
}

var inclExcl = object{{"incl", "Including tax"}, {"excl", "Excluding tax"}}

// productSettings: name, kind, default and value of each.
func productSettings() []setting {
	var all []setting
	for line := range strings.Lines(`shop_page_id select - 5
cart_redirect_after_add checkbox no no
enable_ajax_add_to_cart checkbox yes yes
placeholder_image text - 4
weight_unit select lbs kg
dimension_unit select in cm
enable_reviews checkbox yes yes
review_rating_verification_label checkbox yes yes
review_rating_verification_required checkbox no no
enable_review_rating checkbox yes yes
review_rating_required checkbox yes yes
manage_stock checkbox yes yes
hold_stock_minutes number 60 60
notify_low_stock checkbox yes yes
notify_no_stock checkbox yes yes
stock_email_recipient text admin@example.test admin@example.test
notify_low_stock_amount number 2 2
notify_no_stock_amount number 0 0
hide_out_of_stock_items checkbox no no
stock_format select - -
file_download_method select force force
downloads_redirect_fallback_allowed checkbox no no
downloads_require_login checkbox no no
downloads_grant_access_after_payment checkbox yes yes
downloads_deliver_inline checkbox false -
downloads_add_hash_to_filename checkbox yes yes
downloads_count_partial checkbox yes yes
attribute_lookup_enabled checkbox no no
attribute_lookup_direct_updates checkbox no no
attribute_lookup_optimized_updates checkbox no no
product_match_featured_image_by_sku checkbox no no
`) {
		parts := strings.Fields(line)
		plain := func(text string) string { return strings.TrimPrefix(text, "-") }
		one := setting{id: "woocommerce_" + parts[0], label: parts[0], kind: parts[1], standard: plain(parts[2]), value: plain(parts[3])}
		if parts[2] == "false" {
			one.standard = false
		}
		all = append(all, one)
	}
	return all
}

func (s *Shop) settingValue(one setting) any {
	if one.get != nil {
		return one.get(&s.settings)
	}
	if text, written := s.options[one.id]; written {
		return text
	}
	return one.value
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
	if !one.noTip {
		view = append(view, member{"tip", one.tip})
	}
	return append(view, member{"value", c.shop.settingValue(one)}, c.links(path, editableFrom))
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
	if value, given := c.text("value"); given {
		if one.set != nil {
			one.set(&c.shop.settings, value)
		} else {
			c.shop.options[one.id] = value
		}
	}
	return http.StatusOK, c.settingView(c.slugs[0], one), nil
}

// batchSettings changes several settings of a group; each item names its id.
func batchSettings(c *call) (int, any, *apiError) {
	update := func(one *call) (int, any, *apiError) {
		one.slugs = []string{c.slugs[0], asText(one.body["id"])}
		return updateSetting(one)
	}
	none := func(*call) (int, any, *apiError) { return 0, nil, noRoute() }
	return c.runBatch(batchOf{create: none, update: update, remove: none})
}
