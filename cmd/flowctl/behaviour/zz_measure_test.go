package behaviour

import (
	"fmt"
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
)

func TestZZMeasure(t *testing.T) {
	w := startWith(t, demo.Options{Shop: usd(false)})
	w.hide()
	for c := range 10 {
		var list []any
		for i := range 1000 {
			n := c*1000 + i
			list = append(list, map[string]any{"name": fmt.Sprintf("Bulk %05d", n), "default_code": fmt.Sprintf("BULK-%05d", n), "type": "consu", "list_price": i + 1,
				"taxes_id": []any{[]any{int64(6), int64(0), []any{}}}})
		}
		w.odoo("create", map[string]any{"model": "product.product", "values_list": list})
	}
	w.quiet()
	at := time.Now()
	r := w.run("create-products-and-variants", map[string]any{})
	fmt.Println(r.State, r.Reason, string(r.Result), time.Since(at))
	total := 0
	for call, n := range w.ERP.Requests() {
		if call.Service == "object" {
			fmt.Println("odoo", call.Model, call.Method, n)
			total += n
		}
	}
	fmt.Println("odoo", total, "shop", len(w.Shop.Requests()), "batches", w.Shop.Count("POST", "/products/batch"))
	w.quiet()
	at = time.Now()
	r = w.run("create-products-and-variants", map[string]any{})
	n := 0
	for call, k := range w.ERP.Requests() {
		if call.Service == "object" {
			n += k
		}
	}
	fmt.Println("second", r.State, time.Since(at), "shop", len(w.Shop.Requests()), "odoo", n)
}
