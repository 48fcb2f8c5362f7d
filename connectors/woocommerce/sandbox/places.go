package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// currencyCodes are the currencies that WooCommerce 9.9.5 takes (woo/320).
var currencyCodes = strings.Fields("AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTC BTN BWP BYR BYN BZD CAD CDF CHF CLP CNY COP CRC CUC CUP CVE CZK " +
	"DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR IRT ISK JEP JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT " +
	"LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PRB PYG QAR RON RSD RUB RWF " +
	"SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VEF VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW")

var currencyNames = map[string][2]string{"EUR": {"Euro", "&euro;"}, "USD": {"United States (US) dollar", "&#36;"}, "GBP": {"Pound sterling", "&pound;"}, "JPY": {"Japanese yen", "&yen;"}}

func (c *call) currencyView(code string) object {
	known := currencyNames[code]
	return object{{"code", code}, {"name", cmp.Or(known[0], code)}, {"symbol", cmp.Or(known[1], currencySymbols[code], code)}, c.links("/data/currencies/"+code, singleMethods)}
}

func currentCurrency(c *call) (int, any, *apiError) {
	return http.StatusOK, c.currencyView(c.shop.settings.Currency), nil
}

func listCurrencies(c *call) (int, any, *apiError) {
	views := []any{}
	for _, code := range currencyCodes {
		views = append(views, c.currencyView(code))
	}
	return http.StatusOK, views, nil
}

func getCurrency(c *call) (int, any, *apiError) {
	if !slices.Contains(currencyCodes, c.slugs[0]) {
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_data_invalid_currency", "There are no currencies matching these parameters.")
	}
	return http.StatusOK, c.currencyView(c.slugs[0]), nil
}

// countries that the sandbox knows, with the states where the shop has a list:
// enough of each kind (none, codes, codes with a prefix, names that differ).
var countries = []country{
	{"AT", "Austria", nil},
	{"AU", "Australia", []string{"ACT Australian Capital Territory", "NSW New South Wales", "NT Northern Territory", "QLD Queensland", "SA South Australia", "TAS Tasmania", "VIC Victoria", "WA Western Australia"}},
	{"BE", "Belgium", nil},
	{"CA", "Canada", []string{"AB Alberta", "BC British Columbia", "MB Manitoba", "NB New Brunswick", "NL Newfoundland and Labrador", "NT Northwest Territories", "NS Nova Scotia", "NU Nunavut", "ON Ontario", "PE Prince Edward Island", "QC Quebec", "SK Saskatchewan", "YT Yukon Territory"}},
	{"CH", "Switzerland", []string{"BE Bern", "GE Geneva", "VD Vaud", "ZH Zürich"}},
	{"DE", "Germany", []string{"DE-BE Berlin", "DE-BY Bavaria", "DE-HH Hamburg"}},
	{"ES", "Spain", []string{"B Barcelona", "M Madrid", "V Valencia"}},
	{"FR", "France", nil},
	{"GB", "United Kingdom (UK)", nil},
	{"IT", "Italy", []string{"MI Milano", "NA Napoli", "RM Roma"}},
	{"JP", "Japan", []string{"JP01 Hokkaido", "JP13 Tokyo", "JP27 Osaka"}},
	{"MX", "Mexico", []string{"DF Ciudad de México", "JA Jalisco", "NL Nuevo León"}},
	{"NL", "Netherlands", nil},
	{"US", "United States (US)", []string{"CA California", "FL Florida", "NY New York", "TX Texas", "WA Washington"}},
}

type country struct {
	code, name string
	states     []string // code, a space, name
}

func (c *call) countryView(one country) object {
	states := []any{}
	for _, text := range one.states {
		code, name, _ := strings.Cut(text, " ")
		states = append(states, object{{"code", code}, {"name", name}})
	}
	return object{{"code", one.code}, {"name", one.name}, {"states", states}, c.links("/data/countries/"+strings.ToLower(one.code), singleMethods)}
}

func listCountries(c *call) (int, any, *apiError) {
	views := []any{}
	for _, one := range countries {
		views = append(views, c.countryView(one))
	}
	return http.StatusOK, views, nil
}

func getCountry(c *call) (int, any, *apiError) {
	i := slices.IndexFunc(countries, func(one country) bool { return strings.EqualFold(one.code, c.slugs[0]) })
	if i < 0 {
		return 0, nil, refuse(http.StatusNotFound, "woocommerce_rest_data_invalid_location", "There are no locations matching these parameters.")
	}
	return http.StatusOK, c.countryView(countries[i]), nil
}

// statusNames are the order statuses as people read them, in the shop's order.
var statusNames = []struct{ slug, name string }{{"pending", "Pending payment"}, {"processing", "Processing"}, {"on-hold", "On hold"}, {"completed", "Completed"},
	{"cancelled", "Cancelled"}, {"refunded", "Refunded"}, {"failed", "Failed"}, {"checkout-draft", "Draft"}}

func statusName(slug string) string {
	for _, status := range statusNames {
		if status.slug == slug {
			return status.name
		}
	}
	return slug
}

// orderTotals counts the orders by status (woo/037).
func orderTotals(c *call) (int, any, *apiError) {
	views := []any{}
	for _, status := range statusNames {
		total := 0
		for _, o := range c.shop.orders {
			if o.status == status.slug {
				total++
			}
		}
		views = append(views, object{{"slug", status.slug}, {"name", status.name}, {"total", total}})
	}
	return http.StatusOK, views, nil
}
