package odoo_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

var germany = params{"model": "res.country", "domain": list(list("code", "=", "DE")), "fields": list("name")}

// Master data is asked for once, other records every time.
func TestMasterDataIsCached(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	for range 3 {
		b.call("search_read", germany)
		b.call("search_read", params{"model": "res.partner", "fields": list("name")})
	}
	if n := b.erp.Requested("res.country", "search_read"); n != 1 {
		t.Errorf("asked for the country %d times", n)
	}
	if n := b.erp.Requested("res.partner", "search_read"); n != 3 {
		t.Errorf("asked for the partners %d times", n)
	}
}

// Who changes what he was given changes nobody else's.
func TestCachedAnswersAreOnesOwn(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	b.call("search_read", germany)["records"].([]any)[0].(map[string]any)["name"] = "Nowhere"
	if got := b.call("search_read", germany)["records"].([]any)[0].(map[string]any)["name"]; got != "Germany" {
		t.Errorf("the name is %v", got)
	}
}

// A write to master data is seen at once.
func TestWriteDropsTheCache(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	taxes := params{"model": "account.tax", "domain": list(list("amount", "=", amount("7")))}
	if got := b.call("search", taxes)["ids"].([]any); len(got) != 0 {
		t.Fatalf("found %v", got)
	}
	b.call("create", params{"model": "account.tax", "values": params{"name": "7 %", "amount": amount("7")}})
	if got := b.call("search", taxes)["ids"].([]any); len(got) != 1 {
		t.Errorf("found %v after creating it", got)
	}
}

// Those who ask for the same at the same time share one call.
func TestSameReadsShareOneCall(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	b.call("fields", params{"model": "res.country"})
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b.erp.OnRequest(func(_ *http.Request, call sandbox.Call) *sandbox.Incident {
		if call.Model == "res.country" {
			once.Do(func() { close(asked) })
			<-answer
		}
		return nil
	})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { b.call("search_read", germany) })
	}
	<-asked
	close(answer)
	wg.Wait()
	if n := b.erp.Requested("res.country", "search_read"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A field that was made a moment ago is found without a restart.
func TestUnknownFieldIsAskedForAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	for range 3 {
		b.fails("count", params{"model": "res.partner", "domain": list(list("x_new", "=", true))})
	}
	if n := b.erp.Requested("res.partner", "fields_get"); n != 1 {
		t.Errorf("asked for the fields %d times within a moment", n)
	}
}

// What was not found is asked for again: who reads that a tax is missing makes
// it, and tries again at once.
func TestMissingMasterDataIsNotRemembered(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		search := params{"model": "account.tax", "domain": list(list("name", "=", "7 %"))}
		if got := b.call("search", search)["ids"].([]any); len(got) != 0 {
			t.Fatalf("found %v", got)
		}
		made := b.seed("account.tax", sandbox.Values{"name": "7 %", "amount": amount("7")})
		if got := b.call("search", search)["ids"].([]any); len(got) != 1 || got[0] != made {
			t.Errorf("found %v after somebody made it", got)
		}
	})
}
