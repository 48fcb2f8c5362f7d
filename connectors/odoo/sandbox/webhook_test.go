package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// sink takes what the sandbox posts.
type sink struct {
	mu    sync.Mutex
	posts []map[string]any
	delay time.Duration
	*httptest.Server
}

func newSink(t *testing.T, status int, delay time.Duration) *sink {
	t.Helper()
	s := &sink{delay: delay}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var post map[string]any
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &post)
		}
		if err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("posted %s (%s): %v", body, r.Header.Get("Content-Type"), err)
		}
		s.mu.Lock()
		s.posts = append(s.posts, post)
		s.mu.Unlock()
		select {
		case <-time.After(s.delay):
		case <-r.Context().Done():
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s
}

// took gives the ids of a model that were posted, and forgets them.
func (s *sink) took(model string) []float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []float64
	for _, post := range s.posts {
		if post["_model"] == model {
			ids = append(ids, post["_id"].(float64))
		}
	}
	s.posts = nil
	return ids
}

// watch makes a rule that posts changes of a model.
func watch(t *testing.T, erp *ERP, model, url string, fields ...string) {
	t.Helper()
	find := func(about string, domain ...any) int64 {
		ids, err := erp.Search(about, domain)
		if err != nil || len(ids) != 1 {
			t.Fatal(about, domain, ids, err)
		}
		return ids[0]
	}
	id := find("ir.model", []any{"model", "=", model})
	var named []any
	for _, name := range fields {
		named = append(named, find("ir.model.fields", []any{"model", "=", model}, []any{"name", "=", name}))
	}
	if _, err := erp.Create("base.automation", Values{
		"name": "hook", "model_id": id, "trigger": "on_create_or_write", "trigger_field_ids": []any{[]any{int64(6), int64(0), named}},
		"action_server_ids": []any{[]any{int64(0), int64(0), Values{"name": "post", "model_id": id, "state": "webhook", "webhook_url": url}}},
	}); err != nil {
		t.Fatal(err)
	}
}

// Changes are posted before the call ends, one for each record, also one that
// changes nothing; what a receiver does is nobody's concern, for a second at most
// (odoo18/660 to 676, odoo19/540 to 553).
func TestWebhooksAreSent(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		erp := New(Options{Version: version})
		partners := newSink(t, http.StatusInternalServerError, 0)
		watch(t, erp, "res.partner", partners.URL)
		var ids []int64
		for _, name := range []string{"A", "B"} {
			id, err := erp.Create("res.partner", Values{"name": name})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if got := partners.took("res.partner"); len(got) < 2 {
			t.Errorf("Odoo %d: of two new partners %v was posted", version, got)
		}
		for range 2 { // the second time nothing changes
			if err := erp.Write("res.partner", ids, Values{"phone": "1"}); err != nil {
				t.Fatal(err)
			}
			got := partners.took("res.partner")
			if len(got) < 2 || int64(got[0]) != ids[0] || int64(got[len(got)-1]) != ids[1] {
				t.Errorf("Odoo %d: of %v was posted %v", version, ids, got)
			}
		}
		if err := erp.Write("res.partner", ids, Values{"country_id": int64(99999)}); err == nil {
			t.Error("a country that is not there was taken")
		}
		if err := erp.Unlink("res.partner", ids); err != nil {
			t.Fatal(err)
		}
		if got := partners.took("res.partner"); len(got) != 0 {
			t.Errorf("Odoo %d: of a refused write and a deletion was posted %v", version, got)
		}
	}
}

// A receiver that does not answer costs the user a second, and no more.
func TestWebhooksDoNotWait(t *testing.T) {
	t.Parallel()
	erp := New(Options{})
	slow := newSink(t, http.StatusOK, time.Minute)
	watch(t, erp, "crm.team", slow.URL, "name")
	team, err := erp.Search("crm.team", nil)
	if err != nil || len(team) != 1 {
		t.Fatal(team, err)
	}
	began := time.Now()
	if err := erp.Write("crm.team", team, Values{"name": "x"}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < webhookTimeout || took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	slow.Close()
	if err := erp.Write("crm.team", team, Values{"name": "y"}); err != nil {
		t.Errorf("with the receiver down: %v", err)
	}
}

// A delivery announces the stock that it takes (odoo18/675), and only the fields
// that a rule names count.
func TestWebhooksOfRules(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		erp := New(Options{Version: version})
		quants := newSink(t, http.StatusOK, 0)
		watch(t, erp, "stock.quant", quants.URL, "quantity", "reserved_quantity")
		mug, err := erp.Search("product.product", []any{[]any{"default_code", "=", "MUG-001"}})
		if err != nil || len(mug) != 1 {
			t.Fatal(mug, err)
		}
		shelf, err := erp.Search("stock.location", []any{[]any{"complete_name", "=", "WH/Stock"}})
		if err != nil || len(shelf) != 1 {
			t.Fatal(shelf, err)
		}
		if _, err := erp.Create("stock.quant", Values{"product_id": mug[0], "location_id": shelf[0], "quantity": 5}); err != nil {
			t.Fatal(err)
		}
		order, err := erp.Create("sale.order", Values{"partner_id": int64(3)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := erp.Create("sale.order.line", Values{"order_id": order, "product_id": mug[0], "product_uom_qty": 2}); err != nil {
			t.Fatal(err)
		}
		quants.took("stock.quant")
		if _, err := erp.Call("sale.order", "action_confirm", []int64{order}, nil); err != nil {
			t.Fatal(err)
		}
		if got := quants.took("stock.quant"); len(got) == 0 {
			t.Errorf("Odoo %d: a reservation is not announced", version)
		}
		picking, err := erp.Search("stock.picking", []any{[]any{"sale_id", "=", order}})
		if err != nil || len(picking) != 1 {
			t.Fatal(picking, err)
		}
		if _, err := erp.Call("stock.picking", "button_validate", picking, Values{"skip_sms": true}); err != nil {
			t.Fatal(err)
		}
		if got := quants.took("stock.quant"); len(got) == 0 {
			t.Errorf("Odoo %d: a delivery is not announced", version)
		}
	}
}

// Calls that come together are worked one after the other: of two that may happen
// only once one is refused (odoo19/460 to 464).
func TestWorkedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		erp := New(Options{Version: version})
		order, err := erp.Create("sale.order", Values{"partner_id": int64(3)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := erp.Create("sale.order.line", Values{"order_id": order, "product_id": int64(4), "product_uom_qty": 2}); err != nil {
			t.Fatal(err)
		}
		results := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := erp.Call("sale.order", "action_confirm", []int64{order}, nil)
				results <- err
			}()
		}
		first, second := <-results, <-results
		if (first == nil) == (second == nil) {
			t.Errorf("Odoo %d: confirmed twice at once: %v, %v", version, first, second)
		}
		if pickings, err := erp.Search("stock.picking", []any{[]any{"sale_id", "=", order}}); err != nil || len(pickings) != 1 {
			t.Errorf("Odoo %d: %d deliveries, %v", version, len(pickings), err)
		}
	}
}
