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
		{"namespaces", append([]string{"wc/v3", "wc/v1", "wc/v2", "wc/store", "wc/store/v1", "wp/v2"}, s.pluginNamespaces()...)},
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
		if len(r.path) < 2 || r.plugin != "" {
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
