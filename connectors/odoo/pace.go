package odoo

import (
	"net/url"
	"strings"
)

// What Odoo's own hosting bears: its terms speak of about one call a second.
const (
	hostedPerSecond = 2
	hostedBurst     = 20
)

// pace tells Odoo's own hosting by its address. Of other servers nothing is known.
func pace(settings map[string]any) (perSecond float64, burst int) {
	text, _ := settings["url"].(string)
	address, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return 0, 0 // opening the connection says what is wrong with it
	}
	host := strings.ToLower(address.Hostname())
	if host == "odoo.com" || strings.HasSuffix(host, ".odoo.com") {
		return hostedPerSecond, hostedBurst
	}
	return 0, 0
}
