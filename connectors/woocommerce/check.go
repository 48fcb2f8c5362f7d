package woocommerce

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

var _ connectors.Checker = (*Connection)(nil)

// noOrder is an id that no shop has reached: the largest of its database column.
const noOrder = int64(1)<<31 - 1

// Check looks at the way to the shop, the permission of the key, the settings
// that decide about cents, the clock and the webhooks. It changes nothing: the
// one write it sends is for an order that does not exist, for only a write shows
// a key that may not.
func (c *Connection) Check(ctx context.Context, want connectors.Wanted) []connectors.Finding {
	found := c.checkReach(ctx)
	if found[0].Level == connectors.Fail {
		return found
	}
	if finding, ok := checkTransport(c.base); ok {
		found = append(found, finding)
	}
	found = append(found, c.checkVersion(ctx), c.checkPermission(ctx), c.checkTax(ctx), c.checkSecret())
	return append(found, c.checkWebhooks(ctx, want)...)
}

// checkReach reads the general settings, which needs a key that is right, and
// the clock by the way.
func (c *Connection) checkReach(ctx context.Context) []connectors.Finding {
	op := c.book.byName["settings.general"]
	request, err := op.request(nil)
	if err != nil {
		return []connectors.Finding{connectors.Failed("login", err)}
	}
	sent := time.Now()
	got, err := c.do(ctx, request)
	received := time.Now()
	var result any
	if err == nil {
		result, err = op.result(got)
	}
	if err != nil {
		return []connectors.Finding{connectors.Failed("login", err)}
	}
	values := settingValues(result)
	found := []connectors.Finding{connectors.Found("login", "%s answers; its currency is %s with %s decimals",
		c.base, values["woocommerce_currency"], values["woocommerce_price_num_decimals"])}
	if finding, ok := connectors.ClockCheck(got.header, sent, received); ok {
		found = append(found, finding)
	}
	return found
}

// settingValues reads a group of settings by their ids.
func settingValues(result any) map[string]string {
	values := map[string]string{}
	for _, item := range items(result) {
		id, _ := item["id"].(string)
		values[id] = fmt.Sprint(item["value"])
	}
	return values
}

// items are the records of a list's result.
func items(result any) []map[string]any {
	record, _ := result.(map[string]any)
	list, _ := record["items"].([]any)
	records := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if record, ok := item.(map[string]any); ok {
			records = append(records, record)
		}
	}
	return records
}

// checkTransport warns of a shop that is asked over plain http.
func checkTransport(base string) (connectors.Finding, bool) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" || isLoopback(u.Hostname()) {
		return connectors.Finding{}, false
	}
	return connectors.Warned("https", "Give the shop a certificate and use its https address.",
		"orders and addresses travel from %s without encryption", u.Host), true
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *Connection) checkVersion(ctx context.Context) connectors.Finding {
	result, err := c.Call(ctx, connectors.Call{Operation: "system_status.get", Params: map[string]any{"_fields": []any{"environment"}}})
	if err != nil {
		// Some hosts close this one address; nothing else needs it.
		finding := connectors.Failed("version", err)
		finding.Level = connectors.Warn
		return finding
	}
	status, _ := result.(map[string]any)
	environment, _ := status["environment"].(map[string]any)
	return connectors.Found("version", "WooCommerce %v, WordPress %v, PHP %v",
		environment["version"], environment["wp_version"], environment["php_version"])
}

func (c *Connection) checkPermission(ctx context.Context) connectors.Finding {
	_, err := c.Call(ctx, connectors.Call{Operation: "orders.update", Params: map[string]any{"id": noOrder, "values": map[string]any{}}})
	if err == nil || connectors.HasCode(err, connectors.CodeNotFound) {
		return connectors.Found("permission", "the API key may read and write")
	}
	return connectors.Failed("permission", err)
}

func (c *Connection) checkTax(ctx context.Context) connectors.Finding {
	const check = "tax rounding"
	result, err := c.Call(ctx, connectors.Call{Operation: "settings.get", Params: map[string]any{"group": "tax"}})
	if err != nil {
		return connectors.Failed(check, err)
	}
	values := settingValues(result)
	prices := "exclude tax"
	if values["woocommerce_prices_include_tax"] == "yes" {
		prices = "include tax"
	}
	if values["woocommerce_tax_round_at_subtotal"] == "yes" {
		return connectors.Warned(check,
			"In WooCommerce > Settings > Tax, take the mark from “Rounding”, or see that the ERP rounds once for the document too.",
			"prices %s, and tax is rounded once for the order", prices)
	}
	return connectors.Found(check, "prices %s, tax is rounded line by line", prices)
}

func (c *Connection) checkSecret() connectors.Finding {
	if c.webhookSecret != "" {
		return connectors.Found("webhook secret", "it is set")
	}
	finding := connectors.Warned("webhook secret", "Set the webhook secret, the same as in the shop's webhooks.",
		"it is not set, so every webhook is refused")
	finding.Level = connectors.Fail
	return finding
}

// webhookPages bounds how many webhooks are read: a hundred a page.
const webhookPages = 10

// checkWebhooks looks whether each wanted event is delivered to us.
func (c *Connection) checkWebhooks(ctx context.Context, want connectors.Wanted) []connectors.Finding {
	const check = "webhooks"
	if len(want.Events) == 0 {
		return nil
	}
	if want.HooksURL == "" {
		return []connectors.Finding{connectors.Warned(check, "", "not looked at: the address that the shop should deliver to is not known")}
	}
	var found []connectors.Finding
	if finding, ok := checkDeliverable(want.HooksURL); ok {
		found = append(found, finding)
	}
	hooks, err := c.webhooks(ctx)
	if err != nil {
		return append(found, connectors.Failed(check, err))
	}
	var missing []string
	for _, event := range want.Events {
		status := statusOf(hooks, event, want.HooksURL)
		if status == "active" {
			continue
		}
		if status != "" {
			event += " (" + status + ")"
		}
		missing = append(missing, event)
	}
	if len(missing) == 0 {
		return append(found, connectors.Found(check, "%d events are delivered to %s", len(want.Events), want.HooksURL))
	}
	slices.Sort(missing)
	finding := connectors.Warned(check,
		"Under WooCommerce > Settings > Advanced > Webhooks add one for each, with the webhook secret. Delete one that is disabled and add it anew: it keeps its count of failures.",
		"not delivered to %s: %s", want.HooksURL, strings.Join(missing, ", "))
	finding.Level = connectors.Fail
	return append(found, finding)
}

// statusOf is the status of the best webhook for an event, "" when there is none.
func statusOf(hooks []map[string]any, event, address string) string {
	best := ""
	for _, hook := range hooks {
		if hook["topic"] != event || hook["delivery_url"] != address {
			continue
		}
		status, _ := hook["status"].(string)
		if best == "" || status == "active" {
			best = status
		}
	}
	return best
}

func (c *Connection) webhooks(ctx context.Context) ([]map[string]any, error) {
	var all []map[string]any
	for page := int64(1); page <= webhookPages; page++ {
		result, err := c.Call(ctx, connectors.Call{Operation: "webhooks.list", Params: map[string]any{"page": page, "per_page": int64(100)}})
		if err != nil {
			return nil, err
		}
		list := items(result)
		all = append(all, list...)
		if len(list) < 100 {
			break
		}
	}
	return all, nil
}

// checkDeliverable tells of addresses that WordPress refuses to deliver to unless
// it is told otherwise: it allows the ports 80, 443 and 8080.
func checkDeliverable(address string) (connectors.Finding, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return connectors.Warned("webhook address", "Write it like https://flows.example.com.", "%q is no address", address), true
	}
	switch u.Port() {
	case "", "80", "443", "8080":
		return connectors.Finding{}, false
	}
	return connectors.Warned("webhook address", "Use one of the ports 80, 443 and 8080, or allow the port in the shop (http_allowed_safe_ports).",
		"WordPress delivers nothing to the port %s by itself", u.Port()), true
}
