//go:build linux

package chaos

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// TestLateCreate lets a create reach Odoo after its sender lost its lease, and
// after the next worker looked in vain, made the record itself and did the rest:
// a request can lie in a proxy or in Odoo's own queue for that long. There is one
// record all the same.
func TestLateCreate(t *testing.T) {
	t.Parallel()
	chance := newChance(t)
	onEach(t, func(t *testing.T, make func(*testing.T) database) {
		for _, model := range []string{"res.partner", "product.product", "sale.order"} {
			t.Run(model, func(t *testing.T) {
				t.Parallel()
				lateCreate(t, make(t), chance, model)
			})
		}
	})
}

func lateCreate(t *testing.T, d database, chance chance, model string) {
	v := &late{model: model, sent: make(chan struct{}), release: make(chan struct{}), done: make(chan struct{})}
	front := httptest.NewServer(v)
	t.Cleanup(front.Close)
	t.Cleanup(v.let) // before: the server waits for its requests
	w := setup(t, d, chance, 0, "FLOWCTL_ODOO_URL="+front.URL)
	v.erp = w.erp
	first := w.join()
	v.hold = first.pause
	w.erp.OnRequest(v.asked)
	order, err := w.shop.Checkout(shopsandbox.Cart{
		Items:   []shopsandbox.CartItem{{ProductID: w.articles[0].id, Quantity: 2}},
		Billing: w.people(1)[0].address(), Shipping: &shopsandbox.CartShipping{Title: "Parcel", MethodID: "flat_rate", Cost: "4.90"},
		PaymentMethod: "stripe", PaymentTitle: "Card",
	})
	if err != nil {
		t.Fatal(err)
	}
	announce(t, w, order, 0)
	select {
	case <-v.sent:
	case <-time.After(time.Minute):
		t.Fatalf("no %s was created: %v", model, w.erp.Requests())
	}

	w.join()
	eventually(t, time.Minute, "the second process did the work", func() bool {
		return open(w.counts()) == 0 && len(w.runs(store.RunFilter{Flow: importing, States: []store.State{store.Succeeded}})) == 1
	})
	before := w.count(model)
	v.let()
	<-v.done
	first.signal(syscall.SIGCONT)
	eventually(t, time.Minute, "the first process is well", first.answers)
	if after := w.count(model); after != before {
		t.Errorf("the late create made a record: %d %s, before it %d", after, model, before)
	}
	judge := &verdict{w: w, links: map[string]map[string]store.Link{}, partners: map[string]int64{}}
	judge.readLinks()
	judge.findPartners()
	judge.order(order)
	judge.runs()
}

// TestLateDocument lets the press of a wizard's button, which makes a document
// without an external id, reach Odoo after its sender lost its lease and another
// worker came for the run. That one waits with its look, and finds it.
func TestLateDocument(t *testing.T) {
	t.Parallel()
	chance := newChance(t)
	for _, method := range []string{"create_invoices", "action_create_payments"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			lateDocument(t, databases[0].start(t)(t), chance, method)
		})
	}
}

func lateDocument(t *testing.T, d database, chance chance, method string) {
	v := &late{method: method, sent: make(chan struct{}), release: make(chan struct{}), done: make(chan struct{})}
	front := httptest.NewServer(v)
	t.Cleanup(front.Close)
	t.Cleanup(v.let)
	w := setup(t, d, chance, 0, "FLOWCTL_ODOO_URL="+front.URL, "FLOWCTL_LATE_WAIT=30s")
	v.erp = w.erp
	first := w.join()
	v.hold = first.pause
	w.erp.OnRequest(v.asked)
	order, err := w.shop.Checkout(shopsandbox.Cart{
		Items:   []shopsandbox.CartItem{{ProductID: w.articles[0].id, Quantity: 2}},
		Billing: w.people(1)[0].address(), Shipping: &shopsandbox.CartShipping{Title: "Parcel", MethodID: "flat_rate", Cost: "4.90"},
		PaymentMethod: "stripe", PaymentTitle: "Card",
	})
	if err != nil {
		t.Fatal(err)
	}
	announce(t, w, order, 0)
	select {
	case <-v.sent:
	case <-time.After(time.Minute):
		t.Fatalf("%s was not called: %v", method, w.erp.Requests())
	}
	w.join()
	eventually(t, time.Minute, "the second process waits with its look", func() bool {
		waiting := w.runs(store.RunFilter{Flow: "webhook-payment", States: []store.State{store.Retrying}})
		return len(waiting) == 1 && waiting[0].Code == "unclear_write"
	})
	v.let()
	<-v.done
	first.signal(syscall.SIGCONT)
	eventually(t, time.Minute, "the payment is registered", func() bool {
		return open(w.counts()) == 0 && len(w.runs(store.RunFilter{Flow: "webhook-payment", States: []store.State{store.Succeeded}})) == 1
	})
	// A payment has a journal entry of its own.
	invoices, err := w.erp.Search("account.move", []any{[]any{"move_type", "=", "out_invoice"}})
	if err != nil {
		t.Fatal(err)
	}
	if payments := w.count("account.payment"); len(invoices) != 1 || payments != 1 {
		t.Errorf("%d invoices and %d payments, not one each", len(invoices), payments)
	}
}

// count is how many records of a model there are.
func (w *world) count(model string) int {
	w.t.Helper()
	ids, err := w.erp.Search(model, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(ids)
}

// late is what stands before Odoo and holds one create back.
type late struct {
	erp   *odoosandbox.ERP
	model string // whose load is held back
	// method, if set, is held back instead, whatever its model.
	method string
	hold   func() // stops the sender

	first               atomic.Bool
	free                sync.Once
	sent, release, done chan struct{}
}

type lateKey struct{}

// ServeHTTP passes a request on, and tells when the late one is done.
func (l *late) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	held := new(bool)
	l.erp.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), lateKey{}, held)))
	if *held {
		close(l.done)
	}
}

// asked holds the first create of the model back.
func (l *late) asked(r *http.Request, call odoosandbox.Call) *odoosandbox.Incident {
	late := call.Model == l.model && call.Method == "load"
	if l.method != "" {
		late = call.Method == l.method
	}
	if late && l.first.CompareAndSwap(false, true) {
		*r.Context().Value(lateKey{}).(*bool) = true
		l.hold()
		close(l.sent)
		<-l.release
	}
	return nil
}

func (l *late) let() { l.free.Do(func() { close(l.release) }) }
