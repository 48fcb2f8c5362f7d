package sandbox

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Settings of the shop that decide what things cost.
type Settings struct {
	Name     string // of the shop
	Timezone string // IANA name; the API shows local and GMT stamps
	Currency string // ISO 4217
	// Decimals that prices are shown and rounded to, 0 to 4.
	Decimals int32
	// PricesIncludeTax: catalogue prices are gross.
	PricesIncludeTax bool
	// RoundAtSubtotal rounds tax once for the order instead of per line.
	RoundAtSubtotal bool
	// ShippingTaxClass is "inherit" (from the cart's items), "" for standard, or
	// a class.
	ShippingTaxClass string
	// TaxBasedOn is shipping, billing or base.
	TaxBasedOn string
	// Country and State of the shop.
	Country, State string
	// PlainPermalinks: WordPress does not serve /wp-json/ (woo/626, 627).
	PlainPermalinks bool
	// Plugins that keep tracking numbers: PluginTracking, PluginAdvanced, and the
	// shop's own PluginFulfillments.
	Plugins []string
	// TaxClasses besides the standard one, by slug.
	TaxClasses []string
}

// DefaultSettings is a shop in Paris that enters prices without tax.
func DefaultSettings() Settings {
	return Settings{
		Name: "Sandbox", Timezone: "Europe/Paris", Currency: "EUR", Decimals: 2,
		ShippingTaxClass: "inherit", TaxBasedOn: "shipping", Country: "FR",
		TaxClasses: []string{"reduced-rate", "zero-rate"},
	}
}

func (s Settings) location() *time.Location {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// roundTax rounds an amount of tax: half down where prices include tax, else
// half up. That is the cent in 3 × 9.99 at 20 % (case B1).
func (s Settings) roundTax(d decimal.Decimal, digits int32) decimal.Decimal {
	if s.PricesIncludeTax {
		return roundHalfDown(d, digits)
	}
	return d.Round(digits)
}

// roundLineTax rounds the tax of a line, unless tax is rounded at subtotal.
func (s Settings) roundLineTax(d decimal.Decimal, digits int32) decimal.Decimal {
	if s.RoundAtSubtotal {
		return d
	}
	return s.roundTax(d, digits)
}

// roundItem rounds an amount of a line in a sum, unless rounding at subtotal.
func (s Settings) roundItem(d decimal.Decimal, digits int32) decimal.Decimal {
	if s.RoundAtSubtotal {
		return d
	}
	return d.Round(digits)
}

var currencySymbols = map[string]string{
	"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CAD": "$", "AUD": "$", "CHF": "CHF",
	"KWD": "د.ك", "SEK": "kr", "DKK": "kr.", "NOK": "kr", "PLN": "zł", "CZK": "Kč", "INR": "₹", "BRL": "R$", "CNY": "¥",
}

// currencies that the sandbox knows; the shop knows some 160 (woo/320).
func knownCurrency(code string) bool { return slices.Contains(currencyCodes, code) }
