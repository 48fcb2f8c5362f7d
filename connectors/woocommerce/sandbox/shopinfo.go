package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// siteIndex is the public index of the whole API (woo/021).
func siteIndex(c *call) (int, any, *apiError) {
	s := c.shop
	_, offset := s.now().In(s.zone).Zone()
	all := object{}
	for _, path := range routePaths() {
		all = append(all, member{path, c.routeView(path)})
	}
	return http.StatusOK, object{
		{"name", s.settings.Name}, {"description", ""}, {"url", c.home}, {"home", c.home}, {"gmt_offset", number(strconv.FormatFloat(float64(offset)/3600, 'f', -1, 64))},
		{"timezone_string", s.settings.Timezone}, {"page_for_posts", 0}, {"page_on_front", 0}, {"show_on_front", "posts"},
		{"namespaces", []string{"wc/v3", "wc/v1", "wc/v2", "wc/store", "wc/store/v1", "wp/v2"}},
		{"authentication", object{}}, {"routes", all}, {"site_logo", 0}, {"site_icon", 0}, {"site_icon_url", ""},
		{"_links", object{{"help", []any{object{{"href", "https://developer.wordpress.org/rest-api/"}}}}}},
	}, nil
}

// namespaceIndex is the index of wc/v3 (woo/022), which needs no key either.
func namespaceIndex(c *call) (int, any, *apiError) {
	all := object{}
	for _, path := range routePaths() {
		all = append(all, member{path, c.routeView(path)})
	}
	return http.StatusOK, object{{"namespace", "wc/v3"}, {"routes", all}, {"_links", object{{"up", []any{object{{"href", c.home + "/wp-json/"}}}}}}}, nil
}

func routePaths() []string {
	var paths []string
	for _, r := range routes {
		if len(r.path) < 2 {
			continue
		}
		path := "/" + strings.Join(r.path, "/")
		path = strings.ReplaceAll(strings.ReplaceAll(path, "{id}", `(?P<id>[\d]+)`), "{slug}", `(?P<id>[\w-]+)`)
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

func (c *call) routeView(path string) object {
	var methods []string
	for _, r := range routes {
		if "/"+strings.Join(r.path, "/") == strings.ReplaceAll(strings.ReplaceAll(path, `(?P<id>[\d]+)`, "{id}"), `(?P<id>[\w-]+)`, "{slug}") {
			methods = r.allow
		}
	}
	view := object{{"namespace", "wc/v3"}, {"methods", methods}, {"endpoints", []any{}}}
	if !strings.Contains(path, "(") {
		view = append(view, member{"_links", object{{"self", []any{object{{"href", c.home + "/wp-json" + path}}}}}})
	}
	return view
}

func systemStatus(c *call) (int, any, *apiError) {
	s := c.shop.settings
	symbol := cmp.Or(currencySymbols[s.Currency], s.Currency)
	return http.StatusOK, object{
		{"environment", object{{"home_url", c.home}, {"site_url", c.home}, {"store_id", "00000000-0000-4000-8000-000000000000"}, {"version", shopVersion}, {"wp_version", "6.9"}, {"wp_multisite", false},
			{"wp_memory_limit", 536870912}, {"wp_debug_mode", false}, {"wp_cron", true}, {"language", "en_US"}, {"server_info", "sandbox"}, {"php_version", "8.2.36"},
			{"php_post_max_size", 67108864}, {"php_max_execution_time", 300}, {"max_upload_size", 67108864}, {"default_timezone", "UTC"}}},
		{"database", object{{"wc_database_version", shopVersion}, {"database_prefix", "wp_"}}},
		{"active_plugins", []any{object{{"plugin", "woocommerce/woocommerce.php"}, {"name", "WooCommerce"}, {"version", shopVersion}, {"version_latest", shopVersion}, {"url", "https://woocommerce.com/"},
			{"author_name", "Automattic"}, {"author_url", "https://woocommerce.com"}, {"network_activated", false}}}},
		{"inactive_plugins", []any{}}, {"dropins_mu_plugins", object{{"dropins", []any{}}, {"mu_plugins", []any{}}}},
		{"theme", object{{"name", "Twenty Twenty-Five"}, {"version", "1.3"}, {"is_child_theme", false}, {"is_block_theme", true}}},
		{"settings", object{{"api_enabled", false}, {"force_ssl", false}, {"currency", s.Currency}, {"currency_symbol", symbol}, {"currency_position", "right_space"}, {"thousand_separator", " "},
			{"decimal_separator", ","}, {"number_of_decimals", s.Decimals}, {"geolocation_enabled", false}, {"order_datastore", `Automattic\WooCommerce\Internal\DataStores\Orders\OrdersTableDataStore`},
			{"HPOS_enabled", true}, {"HPOS_sync_enabled", false}}},
		{"security", object{{"secure_connection", isTLS(c.r)}, {"hide_errors", true}}}, {"pages", []any{}}, {"post_type_counts", []any{}},
	}, nil
}

func listGateways(c *call) (int, any, *apiError) {
	views := []any{}
	for _, g := range []struct {
		id, title string
		enabled   bool
	}{{"bacs", "Direct bank transfer", true}, {"cod", "Cash on delivery", true}, {"cheque", "Check payments", false}} {
		settings := object{{"title", object{{"id", "title"}, {"label", "Title"}, {"description", ""}, {"type", "safe_text"}, {"value", g.title}, {"default", g.title}, {"tip", ""}, {"placeholder", ""}}}}
		views = append(views, object{{"id", g.id}, {"title", g.title}, {"description", ""}, {"order", ""}, {"enabled", g.enabled}, {"method_title", g.title}, {"method_description", ""},
			{"method_supports", []string{"products"}}, {"settings", settings}, {"needs_setup", false}, {"post_install_scripts", []any{}},
			{"settings_url", c.home + "/wp-admin/admin.php?page=wc-settings&tab=checkout&section=" + g.id}, {"connection_url", nil}, {"setup_help_text", nil}, {"required_settings_keys", []any{}},
			c.links("/payment_gateways/"+g.id, editableFrom)})
	}
	return c.counted(views)
}

// counted is a list that comes whole, with its paging headers.
func (c *call) counted(views []any) (int, any, *apiError) {
	pages := "1"
	if len(views) == 0 {
		pages = "0"
	}
	c.header.Set("X-WP-Total", strconv.Itoa(len(views)))
	c.header.Set("X-WP-TotalPages", pages)
	return http.StatusOK, views, nil
}

func listZones(c *call) (int, any, *apiError) {
	views := []any{}
	for i, name := range []string{"Locations not covered by your other zones", "Europe"} {
		path := "/shipping/zones/" + strconv.Itoa(i)
		views = append(views, object{{"id", i}, {"name", name}, {"order", 0}, c.links(path, allMethods, link("describedby", c.root()+path+"/locations"))})
	}
	return c.counted(views)
}

func listZoneMethods(c *call) (int, any, *apiError) {
	views := []any{}
	if c.ids[0] == 1 {
		for i, m := range shippingMethods {
			id := i + 1
			settings := object{{"title", object{{"id", "title"}, {"label", "Name"}, {"description", ""}, {"type", "text"}, {"value", m.title}, {"default", m.title}, {"tip", ""}, {"placeholder", ""}}}}
			zone := "/shipping/zones/1"
			views = append(views, object{{"id", id}, {"instance_id", id}, {"title", m.title}, {"order", id}, {"enabled", true}, {"method_id", m.id}, {"method_title", m.title}, {"method_description", "<p>" + m.text + "</p>\n"},
				{"settings", settings}, c.links(zone+"/methods/"+strconv.Itoa(id), allMethods, link("describes", c.root()+zone))})
		}
	}
	return c.counted(views)
}

func listZoneLocations(c *call) (int, any, *apiError) {
	views := []any{}
	if c.ids[0] == 1 {
		for _, code := range []string{"FR", "BE", "DE"} {
			zone := c.root() + "/shipping/zones/1"
			views = append(views, object{{"code", code}, {"type", "country"}, {"_links", object{link("collection", zone+"/locations"), link("describes", zone)}}})
		}
	}
	return c.counted(views)
}

var shippingMethods = []struct{ id, title, text string }{
	{"flat_rate", "Flat rate", "Lets you charge a fixed rate for shipping."},
	{"free_shipping", "Free shipping", "Free shipping is a special method which can be triggered with coupons and minimum spends."},
	{"local_pickup", "Local pickup", "Allow customers to pick up orders themselves."},
}

func listShippingMethods(c *call) (int, any, *apiError) {
	views := []any{}
	for _, m := range shippingMethods {
		views = append(views, object{{"id", m.id}, {"title", m.title}, {"description", m.text}, c.links("/shipping_methods/"+m.id, singleMethods)})
	}
	return c.counted(views)
}

func currentCurrency(c *call) (int, any, *apiError) {
	code := c.shop.settings.Currency
	known := map[string][2]string{"EUR": {"Euro", "&euro;"}, "USD": {"United States (US) dollar", "&#36;"}, "GBP": {"Pound sterling", "&pound;"}, "JPY": {"Japanese yen", "&yen;"}}[code]
	return http.StatusOK, object{{"code", code}, {"name", cmp.Or(known[0], code)}, {"symbol", cmp.Or(known[1], currencySymbols[code], code)}, c.links("/data/currencies/"+code, singleMethods)}, nil
}
