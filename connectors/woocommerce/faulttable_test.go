package woocommerce

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

var update = flag.Bool("update", false, "write the table of errors anew")

// faultTable is the page of the documentation that this test keeps.
const faultTable = "../../docs/woocommerce-errors.md"

// TestFaultTable: what the user reads for each fault that shops were seen to
// have. It is the documentation too; run with -update to write it anew, and read
// the difference.
func TestFaultTable(t *testing.T) {
	t.Parallel()
	page := http.Header{"Content-Type": {"text/html; charset=UTF-8"}}
	fault := func(f sandbox.Fault) func(*testing.T) *Connection {
		return func(t *testing.T) *Connection {
			b := overTLS(t, nil, sandbox.Options{URL: "https://shop.test"})
			addMugs(b.shop)
			b.call(t, "products.list", nil) // the key is known to work
			b.shop.SetFault(func(*http.Request) *sandbox.Fault { return &f })
			return b.conn
		}
	}
	keyed := func(permission string, secret any) func(*testing.T) *Connection {
		return func(t *testing.T) *Connection {
			options := sandbox.Options{Keys: []sandbox.Key{{Key: testKey, Secret: testSecret, Permission: permission}}}
			return overTLS(t, nil, options, map[string]any{"consumer_secret": secret}).conn
		}
	}
	var out strings.Builder
	out.WriteString("# What WooCommerce shops answer when something is wrong\n\n" +
		"Each row is a fault that a shop was seen to have (woo/… is its recording) and what flowctl says of it. " +
		"Reading and Writing tell what becomes of the step: *again later* is tried again by itself, *stops* needs a person, " +
		"*unclear* is a write that may have happened, which is looked up before it is done again.\n\n" +
		"This page is written by a test (`go test ./connectors/woocommerce -run FaultTable -update`).\n\n" +
		"| Fault | Reading | Writing | Message | Advice |\n|---|---|---|---|---|\n")
	then := map[connectors.Class]string{connectors.Transient: "again later", connectors.Permanent: "stops", connectors.Unclear: "unclear", "": "works"}
	for _, row := range []struct {
		name string
		open func(*testing.T) *Connection
	}{
		{"PHP warnings before the data (woo/618, 619, 621, 633)", fault(sandbox.Fault{Prefix: "<br />\n<b>Warning</b>:  Undefined array key in <b>/plugin.php</b> on line <b>18</b><br />\n"})},
		{"A byte order mark before the data (woo/620)", fault(sandbox.Fault{Prefix: "\ufeff"})},
		{"A fatal error, as a page (woo/622)", fault(sandbox.Fault{Status: 500, Header: page, Body: fatalPage})},
		{"A fatal error, as data (woo/641)", fault(sandbox.Fault{Status: 500, Body: fatalJSON})},
		{"No database, as a page (woo/623)", fault(sandbox.Fault{Status: 500, Header: page, Body: "<title>Database Error</title>"})},
		{"No database, as data (woo/642)", fault(sandbox.Fault{Status: 500, Body: dbJSON})},
		{"502 of the web server (woo/624)", fault(sandbox.Fault{Status: 502, Header: page, Body: page502})},
		{"Maintenance, as a page (woo/625)", fault(sandbox.Fault{Status: 503, Header: http.Header{"Retry-After": {"600"}}, Body: "<title>Maintenance</title>"})},
		{"Maintenance, as data (woo/643)", fault(sandbox.Fault{Status: 503, Header: http.Header{"Retry-After": {"600"}}, Body: maintenance})},
		{"Plain permalinks (woo/626)", func(t *testing.T) *Connection {
			return overTLS(t, nil, sandbox.Options{Settings: &sandbox.Settings{Name: "My shop", PlainPermalinks: true}}).conn
		}},
		{"No WordPress there (woo/603)", fault(sandbox.Fault{Status: 404, Header: page, Body: "<title>Page not found</title>"})},
		{"WooCommerce is not active (woo/601)", fault(sandbox.Fault{Status: 404, Body: `{"code":"rest_no_route","message":"No route was found matching the URL and request method.","data":{"status":404}}`})},
		{"A wrong secret (woo/015)", keyed("", "cs_wrong")},
		{"An unknown or missing key (woo/002, 016)", func(t *testing.T) *Connection {
			return overTLS(t, nil, sandbox.Options{}, map[string]any{"consumer_key": "ck_unknown"}).conn
		}},
		{"A key that may only read (woo/018)", keyed("read", testSecret)},
		{"A key that may only write (woo/019)", keyed("write", testSecret)},
		{"A wrong clock, over plain http (woo/007)", fault(sandbox.Fault{Status: 401, Body: `{"code":"woocommerce_rest_authentication_error","message":"Invalid timestamp.","data":{"status":401}}`})},
		{"A firewall's page", fault(sandbox.Fault{Status: 403, Header: page, Body: "<title>Access denied</title>"})},
		{"A page in place of data, with 200", fault(sandbox.Fault{Status: 200, Header: page, Body: "<!doctype html><title>Welcome to our new site</title>"})},
		{"A password on the whole site", fault(sandbox.Fault{Status: 401, Header: page, Body: "<title>Authorization Required</title>"})},
		{"A redirect to another address", fault(sandbox.Fault{Status: 301, Header: http.Header{"Location": {"https://www.shop.test/wp-json/wc/v3/products"}}})},
		{"Too many requests", fault(sandbox.Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: "slow down"})},
		{"A body too large for the web server", fault(sandbox.Fault{Status: 413, Header: page, Body: "<title>413 Request Entity Too Large</title>"})},
		{"A connection that breaks", fault(sandbox.Fault{Cut: true})},
		{"A refund that is refused (woo/357)", fault(sandbox.Fault{Status: 500, Body: refundJSON})},
		{"A SKU that is taken (woo/102)", fault(sandbox.Fault{Status: 400, Body: `{"code":"product_invalid_sku","message":"Invalid or duplicated SKU.","data":{"status":400,"resource_id":12}}`})},
	} {
		conn := row.open(t)
		read, write, told := connectors.Class(""), connectors.Class(""), (*connectors.Error)(nil)
		for _, one := range []struct {
			class     *connectors.Class
			operation string
			params    map[string]any
		}{
			{&write, "orders.update", map[string]any{"id": int64(1), "values": map[string]any{}}},
			{&read, "products.list", nil},
		} {
			_, err := call(conn, one.operation, one.params)
			if err == nil || connectors.HasCode(err, connectors.CodeNotFound) {
				continue
			}
			*one.class = connectors.ClassOf(err)
			told, _ = err.(*connectors.Error)
		}
		message, advice := "–", ""
		if told != nil {
			clean := strings.NewReplacer(strings.TrimPrefix(conn.base, "https://"), "shop.test", "|", `\|`)
			message, advice = clean.Replace(told.Message), clean.Replace(told.Advice)
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", row.name, then[read], then[write], message, advice)
	}
	if *update {
		if err := os.WriteFile(faultTable, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(faultTable)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != out.String() {
		t.Errorf("%s is stale (-update writes it):\n%s", faultTable, out.String())
	}
}
