//go:build linux

package chaos

import (
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// TestLostLease stops a worker in the middle of a request to Odoo until its lease
// has passed to another, which does the work; then it goes on. It must notice, and
// write nothing more.
func TestLostLease(t *testing.T) {
	t.Parallel()
	chance := newChance(t)
	onEach(t, func(t *testing.T, make func(*testing.T) database) {
		for _, at := range moments {
			t.Run(at.Model+"."+at.Method, func(t *testing.T) {
				t.Parallel()
				loseLease(t, make(t), chance, at)
			})
		}
	})
}

// moments are the requests in which a worker is stopped.
var moments = []odoosandbox.Call{
	{Service: "object", Model: "res.partner", Method: "search_read"}, // about to make a contact
	{Service: "object", Model: "res.partner", Method: "load"},        // has made one
	{Service: "object", Model: "sale.order", Method: "search"},       // about to make the order
	{Service: "object", Model: "sale.order", Method: "load"},         // has made it
	{Service: "object", Model: "sale.order", Method: "action_confirm"},
	{Service: "object", Model: "sale.order", Method: "write"}, // its last write
}

func loseLease(t *testing.T, d database, chance chance, at odoosandbox.Call) {
	w := setup(t, d, chance, 1)
	first := w.processes[0]

	// stopped is closed when the first process stands still. Its request takes
	// effect all the same, and the answer waits for it.
	var once sync.Once
	stopped := make(chan struct{})
	w.erp.OnRequest(func(_ *http.Request, call odoosandbox.Call) *odoosandbox.Incident {
		if call == at {
			once.Do(func() {
				first.pause()
				close(stopped)
			})
		}
		return nil
	})
	order, err := w.shop.Checkout(shopsandbox.Cart{
		Items:         []shopsandbox.CartItem{{ProductID: w.articles[0].id, Quantity: 2}},
		Billing:       w.people(1)[0].address(),
		PaymentMethod: "stripe", PaymentTitle: "Card",
	})
	if err != nil {
		t.Fatal(err)
	}
	announce(t, w, order, 0)
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Fatalf("%s was never called: %v", at.Method, w.erp.Requests())
	}

	second := w.join()
	eventually(t, time.Minute, "the second process did the work", func() bool {
		return open(w.counts()) == 0 && len(w.runs(store.RunFilter{Flow: importing, States: []store.State{store.Succeeded}})) == 1
	})
	w.erp.ForgetRequests()
	first.signal(syscall.SIGCONT)
	eventually(t, time.Minute, "the first process notices that its lease is lost", func() bool {
		return first.says("lease lost") || first.says("taken over")
	})
	eventually(t, time.Minute, "the first process is well", first.answers)
	for call, n := range w.erp.Requests() {
		if writes(call) {
			t.Errorf("after its lease was lost the first process called %s.%s %d times", call.Model, call.Method, n)
		}
	}
	v := &verdict{w: w, links: map[string]map[string]store.Link{}, partners: map[string]int64{}}
	v.readLinks()
	v.findPartners()
	v.order(order)
	v.runs()
	if n := len(v.search("sale.order")); n != 1 {
		t.Errorf("Odoo has %d orders", n)
	}
	for _, p := range []*process{first, second} {
		if fell := p.falls(); len(fell) > 0 {
			t.Errorf("%s ended by itself: %v", p.name, fell)
		}
	}
}

// writes tells a call that changes something.
func writes(call odoosandbox.Call) bool {
	return call.Method == "create" || call.Method == "load" || call.Method == "write" || strings.HasPrefix(call.Method, "action_")
}
