//go:build linux

package chaos

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// faultPercent of all requests go wrong in one way or another.
const faultPercent = 20

// faults makes both systems fail, and counts.
type faults struct {
	mu       sync.Mutex
	random   *rand.Rand
	on       bool
	requests int // while on
	injected map[string]int
}

// startFaults makes the shop and Odoo of a world fail until calm is called.
func startFaults(w *world) *faults {
	f := &faults{random: w.chance.of("faults"), on: true, injected: map[string]int{}}
	w.shop.SetFault(f.shop)
	w.erp.OnRequest(f.odoo)
	return f
}

// calm ends the faults.
func (f *faults) calm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on = false
}

// kind is a way to fail, and how often it is chosen.
type kind[T any] struct {
	name   string
	weight int
	make   func() *T
}

func page(title string) string {
	return "<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>\n"
}

func header(pairs ...string) http.Header {
	h := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

var shopFaults = []kind[shopsandbox.Fault]{
	{"bad gateway", 3, func() *shopsandbox.Fault {
		return &shopsandbox.Fault{Status: http.StatusBadGateway, Header: header(), Body: page("502 Bad Gateway")}
	}},
	{"fatal error", 2, func() *shopsandbox.Fault {
		return &shopsandbox.Fault{Status: http.StatusInternalServerError, Header: header(), Body: page("WordPress &rsaquo; Error")}
	}},
	{"too many requests", 2, func() *shopsandbox.Fault {
		return &shopsandbox.Fault{Status: http.StatusTooManyRequests, Header: header("Retry-After", "1"), Body: page("429 Too Many Requests")}
	}},
	{"maintenance", 1, func() *shopsandbox.Fault {
		return &shopsandbox.Fault{Status: http.StatusServiceUnavailable, Header: header("Retry-After", "1"), Body: page("Maintenance")}
	}},
	{"PHP warning", 3, func() *shopsandbox.Fault {
		return &shopsandbox.Fault{Prefix: "<br />\n<b>Warning</b>:  Undefined array key 1 in <b>/srv/plugin.php</b> on line <b>7</b><br />\n"}
	}},
	{"page in place of data", 2, func() *shopsandbox.Fault {
		return &shopsandbox.Fault{Status: http.StatusOK, Header: header(), Body: page("One moment, please")}
	}},
	{"cut before", 2, func() *shopsandbox.Fault { return &shopsandbox.Fault{Cut: true} }},
	{"cut within", 2, func() *shopsandbox.Fault { return &shopsandbox.Fault{After: true, Cut: true, CutAfter: 300} }},
	{"no answer in time", 1, func() *shopsandbox.Fault { return &shopsandbox.Fault{Delay: time.Minute, Cut: true} }},
}

var odooFaults = []kind[odoosandbox.Incident]{
	{"bad gateway before", 2, func() *odoosandbox.Incident {
		return &odoosandbox.Incident{Status: http.StatusBadGateway, Body: page("502 Bad Gateway")}
	}},
	{"bad gateway after", 2, func() *odoosandbox.Incident {
		return &odoosandbox.Incident{After: true, Status: http.StatusBadGateway, Body: page("502 Bad Gateway")}
	}},
	{"gateway timeout after", 2, func() *odoosandbox.Incident {
		return &odoosandbox.Incident{After: true, Status: http.StatusGatewayTimeout, Body: page("504 Gateway Time-out")}
	}},
	{"too many requests", 2, func() *odoosandbox.Incident {
		return &odoosandbox.Incident{Status: http.StatusTooManyRequests, Header: header("Retry-After", "1"), Body: page("429")}
	}},
	{"unavailable", 2, func() *odoosandbox.Incident {
		return &odoosandbox.Incident{Status: http.StatusServiceUnavailable, Body: page("503 Service Unavailable")}
	}},
	{"page before", 1, func() *odoosandbox.Incident {
		return &odoosandbox.Incident{Status: http.StatusOK, Body: page("Odoo is being updated")}
	}},
	{"page after", 1, func() *odoosandbox.Incident {
		return &odoosandbox.Incident{After: true, Status: http.StatusOK, Body: page("One moment, please")}
	}},
	{"serialization failure", 2, func() *odoosandbox.Incident {
		return &odoosandbox.Incident{Fault: &odoosandbox.Fault{Name: "psycopg2.errors.SerializationFailure",
			Message: "could not serialize access due to concurrent update"}}
	}},
	{"cut before", 2, func() *odoosandbox.Incident { return &odoosandbox.Incident{Drop: true} }},
	{"cut after", 3, func() *odoosandbox.Incident { return &odoosandbox.Incident{After: true, Drop: true} }},
	{"no answer in time, before", 1, func() *odoosandbox.Incident { return &odoosandbox.Incident{Hang: true} }},
	{"no answer in time, after", 1, func() *odoosandbox.Incident { return &odoosandbox.Incident{After: true, Hang: true} }},
}

func (f *faults) shop(*http.Request) *shopsandbox.Fault { return inject(f, "shop: ", shopFaults) }

func (f *faults) odoo(*http.Request, odoosandbox.Call) *odoosandbox.Incident {
	return inject(f, "Odoo: ", odooFaults)
}

// inject decides about a request: nil lets it pass.
func inject[T any](f *faults, system string, kinds []kind[T]) *T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.on {
		return nil
	}
	f.requests++
	if f.random.IntN(100) >= faultPercent {
		return nil
	}
	all := 0
	for _, k := range kinds {
		all += k.weight
	}
	n := f.random.IntN(all)
	for _, k := range kinds {
		if n -= k.weight; n < 0 {
			f.injected[system+k.name]++
			return k.make()
		}
	}
	return nil
}
