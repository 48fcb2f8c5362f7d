package woocommerce

import (
	"net/http"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

func withoutAuthorization(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r)
	})
}

func queries(shop *sandbox.Shop) (withKeys, all int) {
	for _, r := range shop.Requests() {
		all++
		if strings.Contains(r.Query, "consumer_secret") {
			withKeys++
		}
	}
	return withKeys, all
}

func TestBasicOverTLS(t *testing.T) {
	t.Parallel()
	b := overTLS(t, nil, sandbox.Options{})
	addMugs(b.shop)
	b.call(t, "products.list", nil)
	if keys, all := queries(b.shop); keys != 0 || all != 1 {
		t.Errorf("%d of %d requests had the keys in the query, want 0 of 1", keys, all)
	}
}

func TestOAuthOverHTTP(t *testing.T) {
	t.Parallel()
	b := overHTTP(t, sandbox.Options{})
	blue, _ := addMugs(b.shop)
	list := b.call(t, "products.list", map[string]any{"sku": []any{"MUG-BLUE", "a b+c&d=é~"}, "search": "blue mug"})
	if list["total"] != int64(1) {
		t.Errorf("found %v products, want 1", list["total"])
	}
	b.call(t, "products.update", map[string]any{"id": blue, "values": map[string]any{"name": "Blau & grün"}})
	for _, r := range b.shop.Requests() {
		if strings.Contains(r.Query, testSecret) {
			t.Errorf("the secret went over plain http: %s", r.Query)
		}
	}
}

// A host that strips the Authorization header: found out once, remembered.
func TestStrippedHeaderFallsBackToQuery(t *testing.T) {
	t.Parallel()
	b := overTLS(t, withoutAuthorization, sandbox.Options{})
	blue, _ := addMugs(b.shop)
	b.call(t, "products.update", map[string]any{"id": blue, "values": map[string]any{"name": "Once"}})
	b.call(t, "products.get", map[string]any{"id": blue})
	b.call(t, "products.get", map[string]any{"id": blue})
	if keys, all := queries(b.shop); keys != 3 || all != 4 {
		t.Errorf("%d of %d requests had the keys in the query, want 3 of 4", keys, all)
	}
}

func TestKeysThatFail(t *testing.T) {
	t.Parallel()
	options := sandbox.Options{Keys: []sandbox.Key{{Key: testKey, Secret: testSecret}, {Key: "ck_ro", Secret: "cs_ro", Permission: "read"}, {Key: "ck_wo", Secret: "cs_wo", Permission: "write"}}}
	secure, stripped, plain := overTLS(t, nil, options), overTLS(t, withoutAuthorization, options), overHTTP(t, options)
	for _, c := range []struct {
		name        string
		shop        *bundle
		key, secret string
		write       bool
		code        string
		says        string
		advises     string
	}{
		{"unknown key", secure, "ck_nobody", "cs_x", false, connectors.CodeUnauthorized, "woocommerce_rest_cannot_view", "does not know this consumer key"},
		{"wrong secret", secure, testKey, "cs_x", false, connectors.CodeUnauthorized, "secret is invalid", "its secret is wrong"},
		{"wrong secret, header stripped", stripped, testKey, "cs_x", false, connectors.CodeUnauthorized, "secret is invalid", "its secret is wrong"},
		{"unknown key, header stripped", stripped, "ck_nobody", "cs_x", false, connectors.CodeUnauthorized, "woocommerce_rest_cannot_view", "neither in the Authorization header nor in the query"},
		{"read-only key", secure, "ck_ro", "cs_ro", true, connectors.CodeForbidden, "write permissions", "may only read"},
		{"write-only key", secure, "ck_wo", "cs_wo", false, connectors.CodeForbidden, "read permissions", "may only write"},
		{"unknown key over http", plain, "ck_nobody", "cs_x", false, connectors.CodeUnauthorized, "Consumer key is invalid", "does not know this consumer key"},
		{"wrong secret over http", plain, testKey, "cs_x", false, connectors.CodeUnauthorized, "signature does not match", "secret is wrong"},
		{"read-only key over http", plain, "ck_ro", "cs_ro", true, connectors.CodeForbidden, "write permissions", "may only read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := open(t, c.shop.url, c.shop.conn.client, map[string]any{"consumer_key": c.key, "consumer_secret": c.secret})
			operation, params := "products.list", map[string]any(nil)
			if c.write {
				operation, params = "products.create", map[string]any{"values": map[string]any{"name": "x"}}
			}
			e := fail(t, conn, operation, params)
			if e.Code != c.code || e.Class != connectors.Permanent {
				t.Errorf("%s, %s; want %s, permanent", e.Code, e.Class, c.code)
			}
			if !strings.Contains(e.Message, c.says) || !strings.Contains(e.Advice, c.advises) {
				t.Errorf("says %q, advises %q", e.Message, e.Advice)
			}
			if strings.Contains(e.Message+e.Advice, c.secret) && c.secret != "cs_x" {
				t.Errorf("shows the secret: %q %q", e.Message, e.Advice)
			}
		})
	}
}

func TestSignatureBase(t *testing.T) {
	t.Parallel()
	// RFC 5849, section 3.4.1.1, without its body parameters.
	got := signatureBase("post", "http://example.com/request", map[string][]string{
		"b5": {"=%3D"}, "a3": {"a", "2 q"}, "c@": {""}, "a2": {"r b"},
		"oauth_consumer_key": {"9djdj82h48djs9d2"}, "oauth_token": {"kkk9d7dh3k39sjv7"}, "oauth_signature_method": {"HMAC-SHA1"},
		"oauth_timestamp": {"137131201"}, "oauth_nonce": {"7d8f3e4a"}, "c2": {""},
	})
	want := "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
