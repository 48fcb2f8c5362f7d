package woocommerce

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// givingUp is a proxy that gives up on batches of more items than limit: before
// the shop saw them, or after it did its work.
func givingUp(limit int, status int, after bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/batch") {
				next.ServeHTTP(w, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Count(body, []byte(`"name"`))+bytes.Count(body, []byte(`"stock_quantity"`)) <= limit {
				next.ServeHTTP(w, r)
				return
			}
			if after {
				next.ServeHTTP(&nowhere{header: http.Header{}}, r)
			}
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			fmt.Fprintf(w, "<html><title>%d</title></html>", status)
		})
	}
}

// nowhere takes an answer that is lost on its way.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}

// TestBatchesShrink: whatever the shop gives up on and whenever, every item of a
// batch is done once, and its answer stands where the item stood.
func TestBatchesShrink(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 12).Draw(t, "limit")
		after := rapid.Bool().Draw(t, "after the work")
		status := rapid.SampledFrom([]int{502, 504, 413}).Draw(t, "status")
		if status == http.StatusRequestEntityTooLarge {
			after = false // a refusal comes before the work
		}
		shop := sandbox.New(sandbox.Options{})
		defer shop.Close()
		conn := inProcess(givingUp(limit, status, after)(shop))
		creates, updates := rapid.IntRange(0, 30).Draw(t, "creates"), rapid.IntRange(0, 30).Draw(t, "updates")
		params := map[string]any{}
		var create, update []any
		for i := range creates {
			create = append(create, map[string]any{"name": "New", "sku": fmt.Sprintf("NEW-%d", i)})
		}
		var ids []int64
		for i := range updates {
			stock := int64(1)
			ids = append(ids, shop.AddProduct(sandbox.Product{Name: "Old", SKU: fmt.Sprintf("OLD-%d", i), RegularPrice: "1", Stock: &stock}))
			update = append(update, map[string]any{"id": ids[i], "stock_quantity": int64(i)})
		}
		params["create"], params["update"] = create, update
		before := len(shop.ProductIDs())
		result, err := call(conn, "products.batch", params)
		if err != nil {
			t.Fatal(err)
		}
		if made := len(shop.ProductIDs()) - before; made != creates {
			t.Fatalf("%d products were made of %d", made, creates)
		}
		made, _ := result["create"].([]any)
		for i, one := range made {
			if got := one.(map[string]any)["sku"]; got != fmt.Sprintf("NEW-%d", i) {
				t.Fatalf("answer %d is of %v: %v", i, got, one)
			}
		}
		changed, _ := result["update"].([]any)
		for i, one := range changed {
			record := one.(map[string]any)
			if stock, _ := shop.Stock(ids[i]); record["id"] != ids[i] || stock != int64(i) {
				t.Fatalf("answer %d is of %v, the stock is %d", i, record["id"], stock)
			}
		}
		if len(made) != creates || len(changed) != updates {
			t.Fatalf("%d and %d answers to %d and %d items", len(made), len(changed), creates, updates)
		}
	})
}

// TestBatchThatIsNeverAnswered: nothing done is an error; something done, and
// every item that is left says so.
func TestBatchThatIsNeverAnswered(t *testing.T) {
	t.Parallel()
	shop := sandbox.New(sandbox.Options{})
	defer shop.Close()
	addMugs(shop)
	update := func(ids ...int64) []any {
		var items []any
		for _, id := range ids {
			items = append(items, map[string]any{"id": id, "stock_quantity": id})
		}
		return items
	}
	conn := inProcess(givingUp(0, http.StatusGatewayTimeout, false)(shop))
	_, err := call(conn, "products.update_many", map[string]any{"update": update(1, 2, 3)})
	if connectors.ClassOf(err) != connectors.Unclear {
		t.Errorf("an update nobody answered: %v (%s)", err, connectors.ClassOf(err))
	}
	// Creates without a SKU cannot be told from others, and are not sent again.
	result, err := call(inProcess(givingUp(1, http.StatusGatewayTimeout, true)(shop)), "products.batch",
		map[string]any{"create": []any{map[string]any{"name": "One"}, map[string]any{"name": "Two"}}, "delete": []any{int64(424242)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range result["create"].([]any) {
		if told, ok := item.(map[string]any)["error"].(map[string]any); !ok || told["code"] != "unclear" {
			t.Errorf("a create that nobody answered is %v", item)
		}
	}
	if n := shop.Count("POST", "/batch"); n != 2 {
		t.Errorf("%d batches reached the shop", n)
	}
}

// TestDeletionsThatHappened: a deletion in a batch that nobody answered is not an
// error the second time.
func TestDeletionsThatHappened(t *testing.T) {
	t.Parallel()
	shop := sandbox.New(sandbox.Options{})
	defer shop.Close()
	blue, red := addMugs(shop)
	lost := false
	conn := inProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/batch") && !lost {
			lost = true
			shop.ServeHTTP(&nowhere{header: http.Header{}}, r)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		shop.ServeHTTP(w, r)
	}))
	result, err := call(conn, "products.batch", map[string]any{"delete": []any{blue, red}})
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range result["delete"].([]any) {
		if record := item.(map[string]any); record["error"] != nil || record["id"] != []int64{blue, red}[i] {
			t.Errorf("deletion %d is %v", i, item)
		}
	}
	if left := shop.ProductIDs(); slices.Contains(left, blue) || slices.Contains(left, red) {
		t.Errorf("products %v are left", left)
	}
}

// TestBatchItemsAreChecked: the shop would take each of these, and make something
// else of it.
func TestBatchItemsAreChecked(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	blue, red := addMugs(b.shop)
	for _, c := range []struct {
		values map[string]any
		says   string
	}{
		{map[string]any{"type": "simpel"}, `type "simpel" is none of simple, grouped`},
		{map[string]any{"status": "published"}, "none of draft"},
		{map[string]any{"stock_quantity": "abc"}, "stock_quantity"},
		{map[string]any{"stock_quantity": "2.5"}, "no whole number"},
		{map[string]any{"regular_price": "12,50"}, "regular_price"},
		{map[string]any{"regular_price": "-1"}, "must not be negative"},
		{map[string]any{"regular_price": "10", "sale_price": "10"}, "would drop it in silence"},
		{map[string]any{"manage_stock": false, "stock_quantity": int64(3)}, "would ignore it in silence"},
		{map[string]any{"regular_prise": "10"}, `no field "regular_prise"`},
		{map[string]any{"virtual": "perhaps"}, "virtual"},
		{map[string]any{"images": "x.png"}, "images: x.png is no list"},
		{map[string]any{"images": []any{map[string]any{"source": "x"}}}, `no field "images[0].source"`},
		{map[string]any{"inventory_delta": int64(1)}, `no field "inventory_delta"`},
	} {
		b.shop.ForgetRequests()
		c.values["id"] = blue
		result := b.call(t, "products.batch", map[string]any{"update": []any{c.values, map[string]any{"id": red, "name": "Fine"}}})
		items := result["update"].([]any)
		told, _ := items[0].(map[string]any)["error"].(map[string]any)
		if told["code"] != connectors.CodeBadParams || !strings.Contains(fmt.Sprint(told["message"]), c.says) {
			t.Errorf("%v: %v, want %q", c.values, told, c.says)
		}
		if fine := items[1].(map[string]any); fine["error"] != nil || fine["name"] != "Fine" {
			t.Errorf("%v: its neighbour is %v", c.values, fine)
		}
		if strings.Contains(c.says, "is none of") || strings.Contains(c.says, "none of draft") {
			continue // alone the shop itself says so
		}
		delete(c.values, "id")
		if e := fail(t, b.conn, "products.update", map[string]any{"id": blue, "values": c.values}); e.Code != connectors.CodeBadParams || !strings.Contains(e.Message, c.says) {
			t.Errorf("%v alone: %s, %q", c.values, e.Code, e.Message)
		}
	}
	for _, status := range []string{"nope", "wc-completed"} { // the shop would make pending of it (woo/718)
		result := b.call(t, "orders.update_many", map[string]any{"update": []any{map[string]any{"id": int64(1), "status": status}}})
		if told := result["update"].([]any)[0].(map[string]any)["error"]; told == nil {
			t.Errorf("the status %s was sent", status)
		}
	}
}

// FuzzMisfit: whatever a flow hands over, checking it neither panics nor lets
// through what cannot be written.
func FuzzMisfit(f *testing.F) {
	for _, text := range []string{"12.50", "abc", "", "1e9", "-0", "NaN", "9223372036854775808"} {
		f.Add(text)
	}
	op := catalogue().byName["products.update"]
	f.Fuzz(func(t *testing.T, text string) {
		values := map[string]any{"regular_price": text, "stock_quantity": text}
		if _, err := op.request(map[string]any{"id": int64(1), "values": values}); err != nil {
			return
		}
		price, err := connectors.Decimal().Convert(text)
		if stock, stockErr := connectors.Integer().Convert(text); err != nil || stockErr != nil {
			t.Errorf("%q was let through as %v and %v", text, price, stock)
		}
	})
}
