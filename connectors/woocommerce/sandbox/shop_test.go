package sandbox

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestStartServesOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	defer s.Close()
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "x"} {
		if _, err := s.Start(addr); err == nil {
			t.Errorf("it serves on %s", addr)
		}
	}
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(url + "/wp-json/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 || !strings.Contains(string(body), `"wc\/v3"`) {
		t.Errorf("the index is %d %.100s (%v)", response.StatusCode, body, err)
	}
}

func TestShopInAFolder(t *testing.T) {
	t.Parallel()
	s := New(Options{URL: "https://woo.test/shop"})
	defer s.Close()
	id := s.AddProduct(Product{Name: "Mug", RegularPrice: "5"})
	r := httptest.NewRequest("GET", "https://woo.test/shop/wp-json/wc/v3/products?per_page=1", nil)
	r.SetBasicAuth("ck_sandbox", "cs_sandbox")
	answer := httptest.NewRecorder()
	s.AddProduct(Product{Name: "Cup"})
	s.ServeHTTP(answer, r)
	link := answer.Header().Get("Link")
	if answer.Code != 200 || !strings.Contains(link, "<https://woo.test/shop/wp-json/wc/v3/products?per_page=1&page=2>") {
		t.Errorf("%d, link %q", answer.Code, link)
	}
	if !strings.Contains(answer.Body.String(), `https:\/\/woo.test\/shop\/wp-json\/wc\/v3\/products\/`) || id == 0 {
		t.Errorf("links do not name the folder: %.300s", answer.Body)
	}
}

func TestLoadOrderRefuses(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	defer s.Close()
	for _, text := range []string{"", "[]", `{"id":0}`, `{"number":"7"}`} {
		if _, err := s.LoadOrder(LoadedOrder{Order: []byte(text)}); err == nil {
			t.Errorf("%q was loaded", text)
		}
	}
}

func TestLoadOrderMakesWhatItNames(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	defer s.Close()
	id, err := s.LoadOrder(LoadedOrder{Order: []byte(`{"id":70,"status":"processing","currency":"EUR","customer_id":9,"billing":{"email":"zed@example.test"},"total":"24.00","total_tax":"4.00","plugin_field":{"a":1},
		"line_items":[{"id":3,"name":"Shirt - Red","product_id":40,"variation_id":41,"quantity":2,"subtotal":"20.00","subtotal_tax":"4.00","total":"20.00","total_tax":"4.00","taxes":[{"id":5,"total":"4","subtotal":"4"}],"sku":"SHIRT-RED","parent_name":"Shirt","meta_data":[]}],
		"tax_lines":[{"id":4,"rate_id":5,"rate_code":"VAT-1","label":"VAT","rate_percent":20,"compound":false,"tax_total":"4.00","shipping_tax_total":"0.00","meta_data":[]}]}`)})
	if err != nil || id != 70 {
		t.Fatal(id, err)
	}
	if ids := s.ProductIDs(); len(ids) != 2 || ids[0] != 40 || ids[1] != 41 {
		t.Errorf("products are %v", ids)
	}
	data, _ := s.Order(70, -1)
	for _, want := range []string{`"plugin_field":{"a":1}`, `"sku":"SHIRT-RED"`, `"parent_name":"Shirt"`, `"customers/9"`, `"price":10`} {
		if !strings.Contains(string(data), strings.Trim(want, `"`)) && !strings.Contains(string(data), want) {
			t.Errorf("%s is not in %s", want, data)
		}
	}
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	defer s.Close()
	send := func(method, path string) int {
		r := httptest.NewRequest(method, "https://woo.test/wp-json/wc/v3"+path, strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth("ck_sandbox", "cs_sandbox")
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, r)
		return answer.Code
	}
	send("GET", "/orders")
	send("POST", "/orders")
	s.SetFault(func(r *http.Request) *Fault {
		if r.Method == "POST" {
			return &Fault{Status: 502, Body: "bad gateway", After: true}
		}
		return nil
	})
	if code := send("POST", "/orders"); code != 502 {
		t.Errorf("the fault answers %d", code)
	}
	if s.Writes() != 2 || s.Count("GET", "/orders") != 1 || s.Count("", "/orders") != 3 || s.Requests()[2].Status != 201 {
		t.Errorf("the log holds %+v", s.Requests())
	}
	s.ForgetRequests()
	if len(s.Requests()) != 0 {
		t.Error("the log is not empty")
	}
}

func TestStock(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	defer s.Close()
	four := int64(4)
	id := s.AddProduct(Product{Name: "Mug", SKU: "M", RegularPrice: "5", Stock: &four})
	order, err := s.Checkout(Cart{Items: []CartItem{{id, 6}}, PaymentMethod: "cod"})
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := s.Stock(id); left != -2 {
		t.Errorf("%d left after 6 of 4 were sold", left)
	}
	s.SetOrderStatus(order, "completed")
	s.SetOrderStatus(order, "cancelled")
	s.SetOrderStatus(order, "pending")
	if left, _ := s.Stock(id); left != 4 {
		t.Errorf("%d left after the order was cancelled", left)
	}
	if _, managed := s.Stock(s.AddProduct(Product{Name: "Free"})); managed {
		t.Error("a product without stock has one")
	}
	defer func() {
		if recover() == nil {
			t.Error("a taken SKU is accepted")
		}
	}()
	s.AddProduct(Product{Name: "Other", SKU: "m"})
}
