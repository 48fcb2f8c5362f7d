package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"flowctl": main})
}

// Whole commands, as people type them: testdata/script/*.txtar. Besides the
// commands of testscript there are
//
//	exits N flowctl …      runs it and wants this exit code
//	systems [PRICE-DIGITS] starts a shop and an Odoo and points FLOWCTL_… at them
//	product SKU PRICE      makes a product in both
//	pricelist CURRENCY     makes a pricelist in Odoo
//	order SKU…             places an order; $ORDER is its id
//	webhooks URL TOPIC…    subscribes URL to topics of the shop
//	freeport NAME          puts a free address into $NAME
//	answers URL            waits until URL answers with 2xx
//	eventually flowctl …   runs it until it exits with 0
//	scrapes URL TEXT       waits until the answer of URL has this text
//	fetch STATUS URL [TOKEN]  asks URL, bearing a token; its answer is the stdout
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"systems":    systems,
			"product":    product,
			"pricelist":  pricelist,
			"order":      order,
			"webhooks":   webhooks,
			"freeport":   freeport,
			"answers":    answers,
			"eventually": eventually,
			"fetch":      fetch,
			"scrapes":    scrapes,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[world{}] = &scriptWorld{}
			return nil
		},
	})
}

type world struct{}

// scriptWorld is what a script has started.
type scriptWorld struct {
	shop *shopsandbox.Shop
	erp  *odoosandbox.ERP
	skus map[string]int64
}

func worldOf(ts *testscript.TestScript) *scriptWorld { return ts.Value(world{}).(*scriptWorld) }

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N command …")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCode(ts, args[1:]); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func exitCode(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

func systems(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	digits := 6
	if len(args) > 0 {
		var err error
		digits, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	w.shop = shopsandbox.New(shopsandbox.Options{})
	ts.Defer(func() { ts.Check(w.shop.Close()) })
	shopURL, err := w.shop.Start("127.0.0.1:0")
	ts.Check(err)
	w.erp = odoosandbox.New(odoosandbox.Options{ProductPriceDigits: digits})
	ts.Defer(func() { ts.Check(w.erp.Close()) })
	odooURL, err := w.erp.Start("127.0.0.1:0")
	ts.Check(err)
	given := w.erp.Options()
	for name, value := range map[string]string{
		"SHOP_URL": shopURL, "CONSUMER_KEY": "ck_sandbox", "CONSUMER_SECRET": "cs_sandbox", "WEBHOOK_SECRET": "hush",
		"ODOO_URL": odooURL, "ODOO_DB": given.Database, "ODOO_LOGIN": given.Login, "ODOO_API_KEY": given.APIKey,
	} {
		ts.Setenv("FLOWCTL_"+name, value)
	}
	w.skus = map[string]int64{}
}

func product(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	sku, price := args[0], args[1]
	w.skus[sku] = w.shop.AddProduct(shopsandbox.Product{Name: sku, SKU: sku, RegularPrice: price})
	_, err := w.erp.Create("product.product", odoosandbox.Values{"name": sku, "default_code": sku, "type": "consu"})
	ts.Check(err)
}

func pricelist(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	ids, err := w.erp.Search("res.currency", []any{[]any{"name", "=", args[0]}, []any{"active", "in", []any{true, false}}})
	ts.Check(err)
	ts.Check(w.erp.Write("res.currency", ids, odoosandbox.Values{"active": true}))
	_, err = w.erp.Create("product.pricelist", odoosandbox.Values{"name": args[0], "currency_id": ids[0]})
	ts.Check(err)
}

func order(ts *testscript.TestScript, _ bool, skus []string) {
	w := worldOf(ts)
	cart := shopsandbox.Cart{PaymentMethod: "stripe", PaymentTitle: "Card", Billing: map[string]string{
		"first_name": "Anna", "last_name": "Schmidt", "address_1": "Lindenweg 4", "postcode": "10115", "city": "Berlin",
		"country": "DE", "email": "anna@example.com",
	}}
	for _, sku := range skus {
		cart.Items = append(cart.Items, shopsandbox.CartItem{ProductID: w.skus[sku], Quantity: 1})
	}
	id, err := w.shop.Checkout(cart)
	ts.Check(err)
	ts.Setenv("ORDER", strconv.FormatInt(id, 10))
}

func webhooks(ts *testscript.TestScript, _ bool, args []string) {
	for _, topic := range args[1:] {
		worldOf(ts).shop.Subscribe(shopsandbox.Webhook{Topic: topic, URL: args[0], Secret: "hush"})
	}
}

func freeport(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Check(listener.Close())
	ts.Setenv(args[0], listener.Addr().String())
}

// patience bounds every wait for something that happens in its own time.
const patience = 30 * time.Second

func answers(ts *testscript.TestScript, _ bool, args []string) {
	waitFor(ts, args[0], func() error {
		response, err := http.Get(args[0])
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode/100 != 2 {
			return fmt.Errorf("it answers %s", response.Status)
		}
		return nil
	})
}

func scrapes(ts *testscript.TestScript, _ bool, args []string) {
	waitFor(ts, args[1], func() error {
		response, err := http.Get(args[0])
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
		if err == nil && !strings.Contains(string(body), args[1]) {
			err = errors.New("it is not there")
		}
		return err
	})
}

func fetch(ts *testscript.TestScript, _ bool, args []string) {
	request, err := http.NewRequest(http.MethodGet, args[1], nil)
	ts.Check(err)
	if len(args) > 2 {
		request.Header.Set("Authorization", "Bearer "+args[2])
	}
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	_, err = io.Copy(ts.Stdout(), io.LimitReader(response.Body, 16<<20))
	ts.Check(err)
	if got := strconv.Itoa(response.StatusCode); got != args[0] {
		ts.Fatalf("%s answers %s, want %s", args[1], got, args[0])
	}
}

func eventually(ts *testscript.TestScript, _ bool, args []string) {
	waitFor(ts, args[0], func() error {
		if code := exitCode(ts, args); code != 0 {
			return fmt.Errorf("exit code %d", code)
		}
		return nil
	})
}

func waitFor(ts *testscript.TestScript, what string, condition func() error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("waiting for %s: %v", what, err)
		}
	}
}
