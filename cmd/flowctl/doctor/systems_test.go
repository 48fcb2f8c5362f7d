package doctor

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
)

func TestThePublicAddressIsAskedForOurHealth(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		level  connectors.Level
		words  string
	}{
		"our own":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, connectors.OK, "leads to flowctl serve"},
		"another server": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, connectors.Warn, "404 Not Found"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.com/", http.StatusMovedPermanently)
		}, connectors.Fail, "do not follow it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.answer)
			t.Cleanup(server.Close)
			p := &patient{Subject: Subject{PublicURL: server.URL + "/", HTTPClient: server.Client()}}
			found := p.checkPublicURL(context.Background())
			if len(found) != 1 || found[0].Level != test.level || !strings.Contains(found[0].Message+" "+found[0].Advice, test.words) {
				t.Errorf("got %+v", found)
			}
		})
	}
	for address, want := range map[string]connectors.Level{
		"": connectors.Warn, "flows.example.com": connectors.Fail, "ftp://flows.example.com": connectors.Fail, "http://127.0.0.1:1": connectors.Warn,
	} {
		p := &patient{Subject: Subject{PublicURL: address}}
		if found := p.checkPublicURL(context.Background()); len(found) != 1 || found[0].Level != want {
			t.Errorf("%q gives %+v", address, found)
		}
	}
}
