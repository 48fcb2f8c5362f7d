package odoo

import "testing"

func TestPace(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]float64{
		"https://mine.odoo.com": hostedPerSecond, "https://Mine.Odoo.com/odoo": hostedPerSecond, "https://notodoo.com": 0,
		"https://erp.example.com": 0, "http://127.0.0.1:8069": 0, "": 0, "%": 0,
	} {
		perSecond, burst := Connector{}.Spec().Pace(map[string]any{"url": address})
		if perSecond != want || (burst > 0) != (want > 0) {
			t.Errorf("%q: %v a second, %d at once", address, perSecond, burst)
		}
	}
}
