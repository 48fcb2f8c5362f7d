package woocommerce

import (
	"testing"

	"pgregory.net/rapid"
)

func TestCanonicalURL(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"https://mystore.com":                        "https://mystore.com",
		" https://MyStore.com/ ":                     "https://mystore.com",
		"mystore.com":                                "https://mystore.com",
		"mystore.com:8443/shop/":                     "https://mystore.com:8443/shop",
		"https://mystore.com:443/":                   "https://mystore.com",
		"http://mystore.com:80":                      "http://mystore.com",
		"https://mystore.com/wp-json/wc/v3/":         "https://mystore.com",
		"https://mystore.com/de/index.php/wp-json/":  "https://mystore.com/de",
		"https://mystore.com/wp-admin/admin.php?x=1": "https://mystore.com",
		"https://mystore.com//shop//?utm=1#top":      "https://mystore.com/shop",
		"http://[::1]:8080/":                         "http://[::1]:8080",
		"http://127.0.0.1:8080":                      "http://127.0.0.1:8080",
		"ftp://mystore.com":                          "",
		"":                                           "",
		"https://":                                   "",
		"https://user:password@mystore.com":          "",
		"https://my store.com":                       "",
	} {
		got, err := CanonicalURL(from)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q becomes %q (%v), want %q", from, got, err, want)
		}
	}
}

func TestCanonicalURLIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once, err := CanonicalURL(rapid.String().Draw(t, "text"))
		if err != nil {
			return
		}
		twice, err := CanonicalURL(once)
		if err != nil || twice != once {
			t.Fatalf("%q becomes %q (%v)", once, twice, err)
		}
	})
}
