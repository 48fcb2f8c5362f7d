package odoo_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

func check(b *bench, connection connectors.Connection) []connectors.Finding {
	b.t.Helper()
	return connection.(connectors.Checker).Check(context.Background(), connectors.Wanted{})
}

// wantFinding looks for a finding about a check at a level whose words contain a
// text.
func wantFinding(t *testing.T, found []connectors.Finding, level connectors.Level, name, words string) {
	t.Helper()
	if !slices.ContainsFunc(found, func(f connectors.Finding) bool {
		return f.Check == name && f.Level == level && strings.Contains(f.Message+" "+f.Advice, words)
	}) {
		t.Errorf("no %s of %q about %q in %+v", level, name, words, found)
	}
}

func TestCheckTellsWhatDecidesAboutCents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options sandbox.Options
		level   connectors.Level
		check   string
		words   string
	}{
		"18 as installed":       {sandbox.Options{Version: 18}, connectors.Warn, "product price precision", "Set Product Price to 6"},
		"18 with six digits":    {sandbox.Options{Version: 18, ProductPriceDigits: 6}, connectors.OK, "product price precision", "6 digits"},
		"19 as installed":       {sandbox.Options{Version: 19}, connectors.OK, "product price precision", "2 digits"},
		"18 rounds per line":    {sandbox.Options{Version: 18}, connectors.OK, "tax rounding", "per line"},
		"18 rounds globally":    {sandbox.Options{Version: 18, RoundingMethod: "round_globally"}, connectors.Warn, "tax rounding", "Round per Line"},
		"19 may round globally": {sandbox.Options{Version: 19}, connectors.OK, "tax rounding", "globally"},
		"the version":           {sandbox.Options{Version: 19}, connectors.OK, "version", "19"},
		"the login":             {sandbox.Options{}, connectors.OK, "login", "the login works"},
		"the apps":              {sandbox.Options{}, connectors.OK, "apps", "can be read"},
		"the clock":             {sandbox.Options{}, connectors.OK, "clock", "agree"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, test.options)
			wantFinding(t, check(b, b.connection), test.level, test.check, test.words)
		})
	}
}

func TestCheckStopsWhereItCannotGoOn(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	found := check(b, b.open(map[string]any{"api_key": "wrong"}))
	wantFinding(t, found, connectors.Fail, "login", "refused the login")
	found = check(b, b.open(map[string]any{"url": "http://127.0.0.1:1"}))
	wantFinding(t, found, connectors.Fail, "version", "Check that Odoo runs")
	if len(found) != 1 {
		t.Errorf("a server that does not answer gives %d findings: %+v", len(found), found)
	}
}

func TestCheckNamesWhatTheUserMayNotRead(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	b.erp.Deny("stock.warehouse", "read")
	wantFinding(t, check(b, b.connection), connectors.Fail, "apps", "stock.warehouse")
}

func TestCheckWritesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	b.erp.ForgetRequests()
	check(b, b.connection)
	for call, times := range b.erp.Requests() {
		switch call.Method {
		case "version", "authenticate", "search_read", "fields_get":
		default:
			t.Errorf("%s.%s was called %d times", call.Model, call.Method, times)
		}
	}
}
