package odoo

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

var _ connectors.Checker = (*Connection)(nil)

// Versions that this connector was tried with.
const (
	oldestVersion = 17
	newestVersion = 21
)

// roundedVersion is the last one that rounds prices to "Product Price" when they
// are written; from 19 on it only says how many digits are shown.
const roundedVersion = 18

// sellingModels are what an order touches, with the app of Odoo each comes from.
var sellingModels = []struct{ model, app string }{
	{"res.partner", "Contacts"},
	{"product.product", "Sales"},
	{"product.pricelist", "Sales"},
	{"account.tax", "Invoicing"},
	{"sale.order", "Sales"},
	{"stock.warehouse", "Inventory"},
}

// Check looks at the server's version, the login, the apps that selling needs,
// the settings that decide about cents, and the clock. It only reads.
func (c *Connection) Check(ctx context.Context, _ connectors.Wanted) []connectors.Finding {
	// Somebody may just have changed what the last check advised to change.
	c.master.drop()
	version, err := c.serverVersion(ctx)
	if err != nil {
		return []connectors.Finding{connectors.Failed("version", err)}
	}
	found := []connectors.Finding{checkVersion(version)}
	if finding, ok := checkTransport(c.url); ok {
		found = append(found, finding)
	}
	companies, err := c.companies(ctx)
	if err != nil {
		return append(found, connectors.Failed("login", err))
	}
	found = append(found, c.checkLogin(companies))
	found = append(found, c.checkApps(ctx)...)
	found = append(found, c.checkPrecision(ctx, version))
	for _, company := range companies {
		found = append(found, checkRounding(company, version))
	}
	if told, ok := c.remote.(interface {
		clockFinding() (connectors.Finding, bool)
	}); ok {
		if finding, ok := told.clockFinding(); ok {
			found = append(found, finding)
		}
	}
	return found
}

func checkVersion(v Version) connectors.Finding {
	switch {
	case v.Major < oldestVersion:
		f := connectors.Warned("version", fmt.Sprintf("Use Odoo %d or later.", oldestVersion), "Odoo %s is older than what is supported", v.Text)
		f.Level = connectors.Fail
		return f
	case v.Major > newestVersion:
		return connectors.Warned("version", "Look for a newer flowctl.", "Odoo %s is newer than what flowctl knows (%d)", v.Text, newestVersion)
	}
	return connectors.Found("version", "Odoo %s", v.Text)
}

// checkTransport warns of a key that travels in the clear.
func checkTransport(address string) (connectors.Finding, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || isLoopback(u.Hostname()) {
		return connectors.Finding{}, false
	}
	return connectors.Warned("https", "Use https, or a network that nobody else listens to.",
		"the login goes to %s without encryption", u.Host), true
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// companies are those that the connection works in: the one configured, or all
// that the user sees.
func (c *Connection) companies(ctx context.Context) ([]map[string]any, error) {
	domain := []any{}
	if allowed, ok := c.context["allowed_company_ids"].([]int64); ok {
		ids := make([]any, len(allowed))
		for i, id := range allowed {
			ids[i] = id
		}
		domain = append(domain, []any{"id", "in", ids})
	}
	records, err := c.records(ctx, "res.company", domain, "name", "currency_id", "tax_calculation_rounding_method")
	if err == nil && len(records) == 0 {
		err = &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeForbidden, Message: "the login sees no company",
			Advice: "Set the company to one that the user may work in, or allow it in Odoo under Settings > Users."}
	}
	return records, err
}

func (c *Connection) checkLogin(companies []map[string]any) connectors.Finding {
	var names []string
	for _, company := range companies {
		names = append(names, fmt.Sprint(company["name"]))
	}
	if len(companies) > 1 {
		return connectors.Warned("login", "Set the company that orders belong to; without it the user's own is used.",
			"the login works and sees %d companies: %s", len(names), strings.Join(names, ", "))
	}
	return connectors.Found("login", "the login works, in the company %s", names[0])
}

// checkApps reads a record of each model that selling needs.
func (c *Connection) checkApps(ctx context.Context) []connectors.Finding {
	var found []connectors.Finding
	for _, needed := range sellingModels {
		if _, err := c.records(ctx, needed.model, []any{}, "id"); err != nil {
			finding := connectors.Failed("apps", err)
			if finding.Advice == "" {
				finding.Advice = "Install the app " + needed.app + " in Odoo, or give the user access to it."
			}
			found = append(found, finding)
		}
	}
	if len(found) == 0 {
		found = append(found, connectors.Found("apps", "contacts, products, taxes, sales and warehouses can be read"))
	}
	return found
}

// checkPrecision looks at the digits of unit prices. A price with more digits
// than Odoo keeps makes totals that differ, and the order is held.
func (c *Connection) checkPrecision(ctx context.Context, v Version) connectors.Finding {
	const check = "product price precision"
	records, err := c.records(ctx, "decimal.precision", []any{[]any{"name", "=", "Product Price"}}, "digits")
	if connectors.HasCode(err, codeAccess) {
		if v.Major > roundedVersion {
			return connectors.Found(check, "the login may not see it, and Odoo %s rounds no prices by it", v.Text)
		}
		return connectors.Warned(check, "Let an administrator of Odoo look that Product Price has 4 digits or more, under Settings > Technical > Decimal Accuracy (developer mode).",
			"the login may not see to how many digits Odoo %s rounds unit prices", v.Text)
	}
	if err != nil {
		return connectors.Failed(check, err)
	}
	digits := int64(2)
	if len(records) > 0 {
		digits, _ = records[0]["digits"].(int64)
	}
	if v.Major > roundedVersion || digits >= 4 {
		return connectors.Found(check, "%d digits", digits)
	}
	return connectors.Warned(check,
		"Set Product Price to 6 under Settings > Technical > Decimal Accuracy (developer mode). Until then an order whose prices need more digits is held, never changed.",
		"Odoo %s rounds unit prices to %d digits", v.Text, digits)
}

// checkRounding looks at how a company rounds tax. Shops round it line by line
// unless told otherwise.
func checkRounding(company map[string]any, v Version) connectors.Finding {
	const check = "tax rounding"
	method, _ := company["tax_calculation_rounding_method"].(string)
	if method == "round_per_line" || v.Major > roundedVersion {
		return connectors.Found(check, "%v rounds tax %s", company["name"], strings.ReplaceAll(strings.TrimPrefix(method, "round_"), "_", " "))
	}
	return connectors.Warned(check,
		"Choose Round per Line under Invoicing > Configuration > Settings > Taxes, unless the shop rounds at the subtotal too. It changes how all invoices are rounded: ask the bookkeeper.",
		"%v rounds tax once for the whole document, shops do it line by line", company["name"])
}

// checkLimit bounds what a check reads of a model.
const checkLimit = int64(20)

func (c *Connection) records(ctx context.Context, model string, domain []any, fields ...string) ([]map[string]any, error) {
	names := make([]any, len(fields))
	for i, field := range fields {
		names[i] = field
	}
	limit := checkLimit
	if slices.Equal(fields, []string{"id"}) {
		limit = 1
	}
	result, err := c.Call(ctx, connectors.Call{Operation: "search_read", Params: map[string]any{
		"model": model, "domain": domain, "fields": names, "limit": limit,
	}})
	if err != nil {
		return nil, err
	}
	answer, _ := result.(map[string]any)
	list, _ := answer["records"].([]any)
	records := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if record, ok := item.(map[string]any); ok {
			records = append(records, record)
		}
	}
	return records, nil
}
