package behaviour

import (
	"maps"
	"testing"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

func TestD15StatesAreFoundByCodeByNameOrKeptAsText(t *testing.T) {
	w := start(t, map[string]string{"payment_events": "false"})
	articles := w.open()
	for _, place := range []struct{ country, state, city, want, wantCity string }{
		{"JP", "JP13", "Chiyoda", "13", "Chiyoda"},
		{"MX", "JA", "Guadalajara", "JAL", "Guadalajara"},
		{"MX", "NL", "Monterrey", "NLE", "Monterrey"},
		{"GR", "I", "Athens", "", "Athens, I"},
		{"US", "CA", "Fresno", "CA", "Fresno"},
		{"DE", "DE-BE", "Berlin", "DE-BE", "Berlin"},
		{"IT", "RM", "Roma", "RM", "Roma"},
		{"FR", "", "Paris", "", "Paris"},
	} {
		billing := ada()
		maps.Copy(billing, map[string]string{"country": place.country, "state": place.state, "city": place.city, "email": place.country + place.state + "@example.com"})
		id := w.buy(shopsandbox.Cart{Items: []shopsandbox.CartItem{{ProductID: articles[0], Quantity: 1}}, PaymentMethod: "bacs", Billing: billing})
		partner := w.find("res.partner", []any{[]any{"id", "=", reference(w.sale(id)["partner_id"])}}, "city", "state_id")[0]
		code := ""
		if state := reference(partner["state_id"]); state != nil {
			code = w.find("res.country.state", []any{[]any{"id", "=", state}}, "code")[0]["code"].(string)
		}
		if code != place.want || partner["city"] != place.wantCity {
			t.Errorf("%s in %s: state %q, city %q; want %q, %q", place.state, place.country, code, partner["city"], place.want, place.wantCity)
		}
	}
}
