package odoo_test

import (
	"net/http"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

// refusedLoad is how Odoo answers a load that met another transaction.
func refusedLoad(version int) *sandbox.Incident {
	answer := `{"ids": false, "messages": [{"rows": {"from": 0, "to": 0}, "record": 0, "type": "error", ` +
		`"message": "could not serialize access due to concurrent update\n"}], "nextrow": 0}`
	if version < 19 {
		answer = `{"jsonrpc": "2.0", "id": 1, "result": ` + answer + `}`
	}
	return &sandbox.Incident{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: answer}
}

// Of two that create the same at once, Odoo refuses one: it finds the other's.
func TestCreateOnceByTwo(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		var other int64
		b.erp.OnRequest(func(_ *http.Request, call sandbox.Call) *sandbox.Incident {
			if call.Method != "load" {
				return nil
			}
			other = b.seed("res.partner", sandbox.Values{"name": "the other's"})
			b.seed("ir.model.data", sandbox.Values{"module": "flowctl", "name": "both", "model": "res.partner", "res_id": other})
			return refusedLoad(b.erp.Options().Version)
		})
		got := b.call("create_once", params{"model": "res.partner", "external_id": "both", "values": params{"name": "mine"}})
		if got["id"] != other || got["created"] != false {
			t.Errorf("got %v, the other's is %d", got, other)
		}
	})
}

// A load that another transaction undid did nothing and is worth another try.
func TestLoadUndoneByAnotherTransaction(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		b.erp.OnRequest(func(_ *http.Request, call sandbox.Call) *sandbox.Incident {
			if call.Method != "load" {
				return nil
			}
			return refusedLoad(b.erp.Options().Version)
		})
		e := b.fails("create_once", params{"model": "res.partner", "external_id": "alone", "values": params{"name": "mine"}})
		if e.Class != connectors.Transient {
			t.Errorf("create_once: %s %s %q", e.Class, e.Code, e.Message)
		}
		e = b.fails("load", params{"model": "res.partner", "fields": list("id", "name"), "rows": list(list("x.one", "One"))})
		if e.Class != connectors.Transient {
			t.Errorf("load: %s %s %q", e.Class, e.Code, e.Message)
		}
	})
}

// createOnceByMany: whoever creates the same at the same time, there is one. A
// real Odoo may turn some away until the first is done; they try again.
func createOnceByMany(t *testing.T, b *bench, mark string) {
	results := make(chan any, 6)
	for range cap(results) {
		go func() {
			for range 20 {
				got, err := b.try("create_once", params{"model": "res.partner", "external_id": "many_" + mark, "values": params{"name": "One " + mark}})
				switch {
				case err == nil:
					results <- got["id"]
					return
				case connectors.ClassOf(err) != connectors.Transient:
					results <- err
					return
				}
			}
			results <- "never"
		}()
	}
	first := <-results
	for range cap(results) - 1 {
		if next := <-results; next != first {
			t.Errorf("one got %v, another %v", first, next)
		}
	}
	if n := b.call("count", params{"model": "res.partner", "domain": list(list("name", "=", "One "+mark))})["count"]; n != int64(1) {
		t.Errorf("%v partners", n)
	}
}

// createOnceWithFewRights is for a login that may not read the table of external
// ids.
func createOnceWithFewRights(t *testing.T, b *bench, mark string) {
	once := params{"model": "res.partner", "external_id": "few.rights_" + mark, "values": params{"name": "Once " + mark}}
	first, second := b.call("create_once", once), b.call("create_once", once)
	if first["created"] != true || second["created"] != false || first["id"] != second["id"] {
		t.Errorf("first %v, then %v", first, second)
	}
	b.call("write", params{"model": "res.partner", "id": first["id"], "values": params{"active": false}})
	found := b.call("external.find", params{"model": "res.partner", "external_ids": list("few.rights_"+mark, "few.none")})
	if found["id"] != first["id"] || len(found["ids"].([]any)) != 1 {
		t.Errorf("archived, it is found as %v", found)
	}
}

// A login without the right to Odoo's table of external ids creates once as well,
// and asks for the table in vain only once.
func TestCreateOnceWithFewRights(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		b.erp.Deny("ir.model.data", "read")
		createOnceWithFewRights(t, b, "m1")
		once := params{"model": "res.partner", "external_id": "few.rights_m1", "values": params{"name": "Once"}}
		before := b.call("create_once", once)
		b.call("unlink", params{"model": "res.partner", "id": before["id"]})
		if again := b.call("create_once", once); again["created"] != true || again["id"] == before["id"] {
			t.Errorf("after it was deleted: %v", again)
		}
		if n := b.erp.Requested("ir.model.data", "search_read"); n != 1 {
			t.Errorf("asked for the table %d times", n)
		}
	})
}
