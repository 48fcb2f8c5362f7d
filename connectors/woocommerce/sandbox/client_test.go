package sandbox

import (
	"context"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// nodeModules is where .ci/install puts the clients: FLOWCTL_NODE, or a folder of
// the user's cache.
func nodeModules(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("FLOWCTL_NODE")
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skipf("NO CLIENT: %v", err)
		}
		folder = filepath.Join(cache, "flowctl", "node")
	}
	modules := filepath.Join(folder, "node_modules")
	if _, err := os.Stat(filepath.Join(modules, name)); err != nil {
		t.Skipf("NO CLIENT: run .ci/install for the npm package %s (%v)", name, err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skipf("NO CLIENT: %v", err)
	}
	return modules
}

// TestRealClient: WooCommerce's own client for Node works against the sandbox,
// by OAuth over http and with keys in the query over https.
func TestRealClient(t *testing.T) {
	t.Parallel()
	modules := nodeModules(t, "@woocommerce/woocommerce-rest-api")
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			shop := New(Options{})
			t.Cleanup(func() { shop.Close() })
			shop.AddTaxRate(TaxRate{Rate: "20.0000", Name: "VAT", Shipping: true})
			shop.AddProduct(Product{Name: "Blue mug", SKU: "MUG-BLUE", RegularPrice: "12.50"})
			shop.AddProduct(Product{Name: "Red mug", SKU: "MUG-RED", RegularPrice: "9.99"})
			server := httptest.NewUnstartedServer(shop)
			env := append(os.Environ(), "NODE_PATH="+modules, "CONSUMER_KEY=ck_sandbox", "CONSUMER_SECRET=cs_sandbox", "NO_PROXY=127.0.0.1")
			if scheme == "https" {
				server.StartTLS()
				roots := filepath.Join(t.TempDir(), "roots.pem")
				block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
				if err := os.WriteFile(roots, pem.EncodeToMemory(block), 0o600); err != nil {
					t.Fatal(err)
				}
				env = append(env, "NODE_EXTRA_CA_CERTS="+roots)
			} else {
				server.Start()
			}
			t.Cleanup(server.Close)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, "node", filepath.Join("testdata", "clients", "rest-api.js"), server.URL)
			command.Env = env
			output, err := command.Output()
			if err != nil {
				var says []byte
				if exit, ok := err.(*exec.ExitError); ok {
					says = exit.Stderr
				}
				log := shop.Requests()
				t.Fatalf("%v\n%s\nthe last request of %d: %+v", err, says, len(log), log[len(log)-1])
			}
			got, err := decodeJSON(output)
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			want, err := decodeJSON([]byte(`{
				"listed":   {"total": "2", "pages": "2", "names": ["Red mug"]},
				"included": [1, 2],
				"made":     {"status": 201, "sku": "CAFE", "price": "7.50"},
				"changed":  {"price": "8.00", "stock": 4},
				"batch":    {"stock": 3, "error": "woocommerce_rest_product_invalid_id"},
				"order":    {"status": "processing", "total": "19.20"},
				"refund":   {"amount": "1.00"},
				"refused":  {"status": 400, "code": "product_invalid_sku", "holder": true},
				"unknown":  {"status": 404, "code": "woocommerce_rest_shop_order_invalid_id"},
				"gone":     {"status": 200, "same": true}}`))
			if err != nil {
				t.Fatal(err)
			}
			for _, difference := range differences("", want, got, nil) {
				t.Error(difference)
			}
		})
	}
}
