package sandbox

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// moneyCase is an order that WooCommerce 9.9.5 computed from known inputs: see
// testdata/cases. The figures are as the shop gave them.
type moneyCase struct {
	Case struct {
		ID             string     `json:"id"`
		Incl           bool       `json:"incl"`
		Subtot         bool       `json:"subtot"`
		Dec            *int32     `json:"dec"`
		Cur            string     `json:"cur"`
		Rates          []caseRate `json:"rates"`
		Items          [][]any    `json:"items"`   // price, quantity, tax class
		Coups          [][]string `json:"coupons"` // type, amount
		Fees           [][]any    `json:"fees"`    // name, amount, taxable
		Ship           [][]string `json:"ship"`    // title, cost
		Status         string     `json:"status"`
		Country, State string
	} `json:"case"`
	Total string         `json:"cart_total"`
	Order map[string]any `json:"order"`
	DP6   map[string]any `json:"order_dp6"`
}

type caseRate struct {
	Rate  string `json:"rate"`
	Name  string `json:"name"`
	Class string `json:"class"`
	Prio  int64  `json:"prio"`
	Ship  *int   `json:"ship"`
}

func readCases(t *testing.T) map[string]moneyCase {
	t.Helper()
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) != 15 {
		t.Fatalf("%d cases, want 15 (%v)", len(files), err)
	}
	cases := map[string]moneyCase{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		var c moneyCase
		if err := decoder.Decode(&c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		cases[strings.TrimSuffix(filepath.Base(file), ".json")] = c
	}
	return cases
}

// shopOf builds the shop of a case and its cart. Rates are numbered from 1.
func (m moneyCase) shopOf(t *testing.T) (*Shop, Cart) {
	t.Helper()
	set := DefaultSettings()
	set.PricesIncludeTax, set.RoundAtSubtotal = m.Case.Incl, m.Case.Subtot
	if m.Case.Dec != nil {
		set.Decimals = *m.Case.Dec
	}
	if m.Case.Cur != "" {
		set.Currency = m.Case.Cur
	}
	s := New(Options{Settings: &set})
	t.Cleanup(func() { s.Close() })
	for _, r := range m.Case.Rates {
		name := r.Name
		if name == "" {
			name = "VAT"
		}
		s.AddTaxRate(TaxRate{Rate: r.Rate, Name: name, Class: r.Class, Priority: r.Prio, Shipping: r.Ship == nil || *r.Ship != 0})
	}
	cart := Cart{Billing: map[string]string{"country": "FR"}, PaymentMethod: ""}
	for i, item := range m.Case.Items {
		p := Product{Name: "P" + strconv.Itoa(i), SKU: "P" + strconv.Itoa(i), RegularPrice: asText(item[0])}
		if len(item) > 2 {
			p.TaxClass = asText(item[2])
		}
		cart.Items = append(cart.Items, CartItem{ProductID: s.AddProduct(p), Quantity: asInt(item[1])})
	}
	for i, coup := range m.Case.Coups {
		code := "c" + strconv.Itoa(i)
		s.AddCoupon(Coupon{Code: code, Type: coup[0], Amount: coup[1]})
		cart.Coupons = append(cart.Coupons, code)
	}
	for _, fee := range m.Case.Fees {
		cart.Fees = append(cart.Fees, CartFee{Name: asText(fee[0]), Amount: asText(fee[1]), Taxable: fee[2] == true})
	}
	for _, ship := range m.Case.Ship {
		cart.Shipping = &CartShipping{Title: ship[0], MethodID: "flat_rate", InstanceID: "1", Cost: ship[1]}
	}
	return s, cart
}

// TestCheckoutComputesAsWooCommerceDoes recomputes every real order from its
// inputs and compares each figure that money depends on, as the API shows it
// and with all the digits it keeps.
func TestCheckoutComputesAsWooCommerceDoes(t *testing.T) {
	t.Parallel()
	for name, m := range readCases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, cart := m.shopOf(t)
			id, err := s.Checkout(cart)
			if err != nil {
				t.Fatal(err)
			}
			for dp, want := range map[int32]map[string]any{-1: m.Order, 6: m.DP6} {
				data, ok := s.Order(id, dp)
				if !ok {
					t.Fatal("the order is gone")
				}
				got, err := decodeJSON(data)
				if err != nil {
					t.Fatal(err)
				}
				compareMoney(t, "dp "+strconv.Itoa(int(dp)), want, asRecord(got))
			}
		})
	}
}

// compareMoney compares the members of want; the rate of a tax is its number
// among the case's rates.
func compareMoney(t *testing.T, at string, want, got map[string]any) {
	t.Helper()
	for name, value := range want {
		here := at + " " + name
		switch value := value.(type) {
		case []any:
			list := asArray(got[name])
			if len(list) != len(value) {
				t.Errorf("%s: %d entries, want %d", here, len(list), len(value))
				continue
			}
			for i := range value {
				compareMoney(t, here+"["+strconv.Itoa(i)+"]", asRecord(value[i]), asRecord(list[i]))
			}
		default:
			given := got[name]
			if name == "rate" {
				number := got["id"]
				if got["rate_id"] != nil {
					number = got["rate_id"]
				}
				given = json.Number(strconv.FormatInt(asInt(number)-1, 10))
			}
			if asText(given) != asText(value) {
				t.Errorf("%s is %v, want %v", here, given, value)
			}
		}
	}
}

// TestLoadedOrdersReadBack stores real orders and reads them back with both
// numbers of decimals: not a byte of meaning may change.
func TestLoadedOrdersReadBack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(sharedDir(t), "cases")
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(files) == 0 {
		t.Skipf("NO CASES in %s: the loading of real orders is not tested", dir)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var real struct {
				Case     struct{ Dec *int32 }
				Order    json.RawMessage
				OrderDP6 json.RawMessage `json:"order_dp6"`
				Refunds  []json.RawMessage
			}
			if err := json.Unmarshal(data, &real); err != nil {
				t.Fatal(err)
			}
			set := DefaultSettings()
			if real.Case.Dec != nil {
				set.Decimals = *real.Case.Dec
			}
			s := New(Options{URL: "http://woo.test", Settings: &set})
			defer s.Close()
			id, err := s.LoadOrder(LoadedOrder{Order: real.Order, DP6: real.OrderDP6, Refunds: real.Refunds})
			if err != nil {
				t.Fatal(err)
			}
			for dp, want := range map[int32]json.RawMessage{-1: real.Order, 6: real.OrderDP6} {
				got, _ := s.Order(id, dp)
				sameJSON(t, "dp "+strconv.Itoa(int(dp)), want, got)
			}
			for _, want := range real.Refunds {
				raw, _ := decodeJSON(want)
				s.mu.Lock()
				got, err := marshal(s.internalCall().refundView(s.refunds[asInt(asRecord(raw)["id"])], set.Decimals))
				s.mu.Unlock()
				if err != nil {
					t.Fatal(err)
				}
				sameJSON(t, "refund", want, got)
			}
		})
	}
}

func sameJSON(t *testing.T, at string, want, got []byte) {
	t.Helper()
	w, err := decodeJSON(want)
	if err != nil {
		t.Fatal(err)
	}
	g, err := decodeJSON(got)
	if err != nil {
		t.Fatalf("%s: %v in %s", at, err, got)
	}
	for _, difference := range differences(at, w, g, nil) {
		t.Error(difference)
	}
}

// halfDownIsHalfDown: the tax of a gross price is never rounded up at a tie, and
// both roundings are within half a unit.
func TestRoundHalfDown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, want string }{
		{"4.995", "4.99"}, {"4.9951", "5"}, {"-4.995", "-4.99"}, {"-4.996", "-5"}, {"0.665", "0.66"}, {"0", "0"}, {"45.5", "45.5"},
	} {
		if got := roundHalfDown(decimal.RequireFromString(c.from), 2); got.String() != c.want {
			t.Errorf("%s rounds half down to %s, want %s", c.from, got, c.want)
		}
	}
}
