package woocommerce

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/schemas"
)

// resourcePaths tell which resource a recorded address answers with.
var resourcePaths = []struct {
	path     *regexp.Regexp
	resource string
}{
	{regexp.MustCompile(`/reports/orders/totals`), "order_status"},
	{regexp.MustCompile(`/orders/\d+/refunds`), "refund"},
	{regexp.MustCompile(`/orders/\d+/notes`), "order_note"},
	{regexp.MustCompile(`/orders`), "order"},
	{regexp.MustCompile(`/products/\d+/variations`), "variation"},
	{regexp.MustCompile(`/products(/\d+|/batch)?/?$`), "product"},
	{regexp.MustCompile(`/products/categories`), "category"},
	{regexp.MustCompile(`/products/attributes/\d+/terms`), "attribute_term"},
	{regexp.MustCompile(`/products/attributes`), "attribute"},
	{regexp.MustCompile(`/taxes/classes`), "tax_class"},
	{regexp.MustCompile(`/shipping/zones/\d+/methods`), "shipping_zone_method"},
	{regexp.MustCompile(`/shipping/zones/\d+/locations`), "shipping_zone_location"},
	{regexp.MustCompile(`/shipping_methods`), "shipping_method"},
	{regexp.MustCompile(`/data/currencies`), "currency"},
	{regexp.MustCompile(`/customers`), "customer"},
	{regexp.MustCompile(`/coupons`), "coupon"},
	{regexp.MustCompile(`/taxes/?$`), "tax"},
	{regexp.MustCompile(`/webhooks`), "webhook"},
	{regexp.MustCompile(`/settings/`), "setting"},
	{regexp.MustCompile(`/payment_gateways`), "payment_gateway"},
	{regexp.MustCompile(`/shipping/zones$`), "shipping_zone"},
	{regexp.MustCompile(`/system_status`), "system_status"},
}

// TestSchemasFitRecordings reads every whole record of the recordings by its
// schema: no member is unlisted, none is null that may not be, and each has the
// type it is said to have.
func TestSchemasFitRecordings(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("FLOWCTL_RECORDINGS")
	if dir == "" {
		dir = "../../../shared"
	}
	files, err := filepath.Glob(filepath.Join(dir, "recordings", "woo", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skipf("NO RECORDINGS in %s: set FLOWCTL_RECORDINGS to the folder that holds recordings/", dir)
	}
	seen := map[string]int{}
	for _, file := range files {
		var recording struct {
			Request  struct{ Path string }
			Response struct {
				Status int
				Body   any
			}
		}
		readUseNumber(t, file, &recording)
		if recording.Response.Status < 200 || recording.Response.Status > 201 {
			continue
		}
		i := slices.IndexFunc(resourcePaths, func(p struct {
			path     *regexp.Regexp
			resource string
		}) bool {
			return strings.HasPrefix(recording.Request.Path, "/wp-json/wc/v3/") && p.path.MatchString(recording.Request.Path)
		})
		if i < 0 {
			continue
		}
		resource := resourcePaths[i].resource
		for _, record := range wholeRecords(recording.Response.Body, resource) {
			seen[resource]++
			for _, problem := range unfit(schemas.Resource(Name, resource), record, resource) {
				t.Errorf("%s: %s", filepath.Base(file), problem)
			}
		}
	}
	cases, err := filepath.Glob(filepath.Join(dir, "cases", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range cases {
		var real struct {
			Order   any
			Refunds []any
		}
		readUseNumber(t, file, &real)
		for _, problem := range unfit(schemas.Resource(Name, "order"), real.Order, "order") {
			t.Errorf("%s: %s", filepath.Base(file), problem)
		}
		for _, refund := range real.Refunds {
			for _, problem := range unfit(schemas.Resource(Name, "refund"), refund, "refund") {
				t.Errorf("%s: %s", filepath.Base(file), problem)
			}
		}
	}
	for _, p := range resourcePaths {
		if seen[p.resource] == 0 {
			t.Errorf("no recorded %s was checked", p.resource)
		}
	}
}

func readUseNumber(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// wholeRecords finds the records that the recording did not shorten: they have
// their links.
func wholeRecords(body any, resource string) []map[string]any {
	var found []map[string]any
	switch body := body.(type) {
	case []any:
		for _, item := range body {
			found = append(found, wholeRecords(item, resource)...)
		}
	case map[string]any:
		for _, key := range []string{"create", "update", "delete"} {
			if items, ok := body[key].([]any); ok {
				found = append(found, wholeRecords(items, resource)...)
			}
		}
		whole := len(body) > 3 || resource == "tax_class" || resource == "shipping_zone_location"
		if body["_links"] != nil && whole || resource == "order_status" || resource == "system_status" {
			found = append(found, body)
		}
	}
	return found
}

// unfit lists what a value has that its schema does not say.
func unfit(schema *connectors.Schema, raw any, path string) []string {
	if schema == nil || schema.Type == "" || raw == "[cut]" { // shortened by the recorder
		return nil
	}
	typed, err := schema.Convert(raw)
	if err != nil {
		return []string{path + ": " + err.Error()}
	}
	if typed == nil {
		if schema.Nullable {
			return nil
		}
		return []string{fmt.Sprintf("%s is %v, which is null, and may not be", path, raw)}
	}
	var problems []string
	wrong := func() []string { return []string{fmt.Sprintf("%s is a %T, said to be %s", path, typed, schema)} }
	switch schema.Type {
	case "object":
		record, ok := raw.(map[string]any)
		if !ok {
			return wrong()
		}
		for name, value := range record {
			property, known := schema.Property(name)
			if !known && schema.Properties != nil && !strings.HasPrefix(path, "system_status") && !addedByWrites(name) {
				problems = append(problems, path+"."+name+" is not listed")
			}
			problems = append(problems, unfit(property, value, path+"."+name)...)
		}
	case "array":
		items, ok := raw.([]any)
		if !ok {
			return wrong()
		}
		for _, item := range items {
			problems = append(problems, unfit(schema.Items, item, path+"[]")...)
		}
	case "boolean":
		if _, ok := typed.(bool); !ok {
			return wrong()
		}
	case "integer":
		if _, ok := typed.(int64); !ok {
			return wrong()
		}
	case "number", "string":
		_, isDecimal := typed.(decimal.Decimal)
		_, isTime := typed.(time.Time)
		_, isText := typed.(string)
		if isDecimal != schema.IsDecimal() || isTime != schema.IsTime() || !isDecimal && !isTime && !isText {
			return wrong()
		}
	}
	return problems
}

// addedByWrites are members that only the answers to writes have, or that say
// how a gateway is set up in the shop's own pages.
func addedByWrites(name string) bool {
	return slices.Contains([]string{"permalink_template", "generated_slug", "group_id", "post_install_scripts", "settings_url", "connection_url", "setup_help_text", "required_settings_keys"}, name)
}
