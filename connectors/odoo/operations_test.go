package odoo_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

// scenarios are what the operations do, told so that it can be asked of the
// simulated Odoo of each version and of a real one. Each makes its own records.
var scenarios = map[string]func(t *testing.T, b *bench, mark string){
	"create once":             createOnce,
	"create once, with lines": createOnceLines,
	"create once, by many":    createOnceByMany,
	"reads":                   reads,
	"load":                    loadRows,
	"query":                   queryMethods,
	"domains in words":        domainWords,
	"group":                   groupOrders,
	"sell, ship, return":      sellAndReturn,
	"invoice, pay, credit":    invoiceAndCredit,
	"images":                  images,
	"changed":                 changedRecords,
	"announcements":           announcements,
	"announcements arrive":    announcementsArrive,
	"prices":                  prices,
	"messages":                messages,
	"choices":                 choices,
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	for name, run := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachVersion(t, func(t *testing.T, b *bench) {
				b.connection = b.open(params{"push_secret": pushSecret})
				run(t, b, "m1")
			})
		})
	}
}

const pushSecret = "push-secret-2718"

func reads(t *testing.T, b *bench, mark string) {
	if major := b.call("version", params{})["major"].(int64); major < oldest {
		t.Errorf("version %d", major)
	}
	if names := b.call("fields", params{"model": "res.partner"})["names"].([]any); !slices.Contains(names, any("email_normalized")) {
		t.Errorf("fields of a partner: %v", names)
	}
	ids := b.call("create", params{"model": "res.partner", "values_list": list(params{"name": "R1 " + mark}, params{"name": "R2 " + mark})})["ids"].([]any)
	gone := b.call("create", params{"model": "res.partner", "values": params{"name": "R3 " + mark}})["id"]
	b.call("unlink", params{"model": "res.partner", "id": gone})
	got := b.call("read", params{"model": "res.partner", "ids": list(ids[1], gone, ids[0]), "fields": list("name")})["records"].([]any)
	if len(got) != 2 || got[0].(map[string]any)["name"] != "R2 "+mark || got[1].(map[string]any)["id"] != ids[0] {
		t.Errorf("read gives %v", got)
	}
}

// oldest is the oldest version these scenarios are for.
const oldest = 17

func createOnce(t *testing.T, b *bench, mark string) {
	external := "woo.customer_" + mark
	values := params{"name": "Once " + mark, "country_id": b.country("US"), "customer_rank": int64(1), "comment": "a <b>note</b>"}
	first := b.call("create_once", params{"model": "res.partner", "external_id": external, "values": values})
	if first["created"] != true {
		t.Errorf("the first time: %v", first)
	}
	// What people change meanwhile stays.
	b.call("write", params{"model": "res.partner", "id": first["id"], "values": params{"phone": "1"}})
	again := b.call("create_once", params{"model": "res.partner", "external_id": external, "values": values})
	if again["created"] != false || again["id"] != first["id"] {
		t.Errorf("the second time: %v, first %v", again, first)
	}
	read := b.call("get", params{"model": "res.partner", "id": first["id"], "fields": list("name", "phone", "country_id", "customer_rank")})
	if read["name"] != "Once "+mark || read["phone"] != "1" || read["customer_rank"] != int64(1) || read["country_id"].(map[string]any)["id"] != b.country("US") {
		t.Errorf("it holds %v", read)
	}
	found := b.call("external.find", params{"model": "res.partner", "external_ids": list("woo.none_"+mark, external)})
	if ids := found["ids"].([]any); len(ids) != 1 || ids[0] != first["id"] || found["id"] != first["id"] {
		t.Errorf("found %v", found)
	}
	// A record that was deleted is created anew.
	b.call("unlink", params{"model": "res.partner", "id": first["id"]})
	if found := b.call("external.find", params{"model": "res.partner", "external_id": external}); found["id"] != nil {
		t.Errorf("found a deleted one: %v", found)
	}
	if anew := b.call("create_once", params{"model": "res.partner", "external_id": external, "values": values}); anew["created"] != true {
		t.Errorf("after deleting: %v", anew)
	}
	for _, bad := range []string{"", "a b", "x.y.z", "é.1"} {
		if e := b.fails("create_once", params{"model": "res.partner", "external_id": bad, "values": values}); e.Code != connectors.CodeBadParams {
			t.Errorf("external id %q: %v", bad, e)
		}
	}
}

func createOnceLines(t *testing.T, b *bench, mark string) {
	partner := b.call("create", params{"model": "res.partner", "values": params{"name": "Lines " + mark}})["id"]
	product := b.call("create", params{"model": "product.product", "values": params{"name": "P " + mark, "type": "service"}})["id"]
	tax := b.call("create", params{"model": "account.tax", "values": params{"name": "VAT " + mark, "amount": amount("20")}})["id"]
	line := func(price string, taxes []any) any {
		return list(int64(0), int64(0), params{"product_id": product, "product_uom_qty": int64(2), "price_unit": amount(price), "tax_ids": taxes, "name": "line, " + price})
	}
	p := params{"model": "sale.order", "external_id": "woo.order_" + mark, "values": params{
		"partner_id": partner, "client_order_ref": mark, "date_order": time.Date(2026, 11, 20, 14, 5, 6, 0, time.UTC),
		"order_line": list(line("12.5", list(tax)), line("3.25", list())),
	}}
	for _, created := range []bool{true, false} {
		if got := b.call("create_once", p); got["created"] != created {
			t.Errorf("created is %v", got)
		}
	}
	orders := b.call("search_read", params{"model": "sale.order", "domain": list(list("client_order_ref", "=", mark)),
		"fields": list("amount_untaxed", "amount_total", "order_line", "date_order")})["records"].([]any)
	if len(orders) != 1 {
		t.Fatalf("%d orders", len(orders))
	}
	order := orders[0].(map[string]any)
	wantAmount(t, "untaxed", order["amount_untaxed"], "31.5")
	wantAmount(t, "total", order["amount_total"], "36.5")
	if len(order["order_line"].([]any)) != 2 || order["date_order"] != p["values"].(params)["date_order"] {
		t.Errorf("the order is %v", order)
	}
	uneven := params{"model": "sale.order", "external_id": "woo.uneven_" + mark, "values": params{"partner_id": partner,
		"order_line": list(line("1", list()), list(int64(0), int64(0), params{"product_id": product}))}}
	if e := b.fails("create_once", uneven); e.Code != connectors.CodeBadParams || !strings.Contains(e.Message, "same fields") {
		t.Errorf("lines with other fields: %v", e)
	}
}

func loadRows(t *testing.T, b *bench, mark string) {
	rows := params{"model": "res.partner", "fields": list("id", "name", "email", "country_id/id", "customer_rank"), "rows": list(
		list("woo.load_a_"+mark, "Ann "+mark, "ann@example.test", "base.us", int64(1)),
		list("woo.load_b_"+mark, "Bob "+mark, nil, nil, int64(0)),
	)}
	first := b.call("load", rows)["ids"].([]any)
	if again := b.call("load", rows)["ids"].([]any); len(first) != 2 || !slices.Equal(first, again) {
		t.Errorf("loaded %v, then %v", first, again)
	}
	rows["rows"] = list(
		list("woo.load_a_"+mark, "Changed", "ann@example.test", "base.us", int64(1)),
		list("woo.load_c_"+mark, "Cy", nil, "base.zz_none", int64(1)),
	)
	e := b.fails("load", rows)
	if e.Code != "load_refused" || !strings.Contains(e.Message, "row 2") || !strings.Contains(e.Message, "base.zz_none") {
		t.Errorf("%s: %s", e.Code, e.Message)
	}
	if read := b.call("get", params{"model": "res.partner", "id": first[0], "fields": list("name")}); read["name"] != "Ann "+mark {
		t.Errorf("half of it was loaded: %v", read)
	}
	for says, p := range map[string]params{
		"column id":         {"fields": list("name"), "rows": list(list("x"))},
		"child_ids/id":      {"fields": list("id", "child_ids/name"), "rows": list(list("woo.x", "y"))},
		"no external id":    {"fields": list("id", "name"), "rows": list(list("", "x"))},
		"3 cells":           {"fields": list("id", "name", "email"), "rows": list(list("woo.x"))},
		`has no field "nm"`: {"fields": list("id", "nm"), "rows": list(list("woo.x", "x"))},
	} {
		p["model"] = "res.partner"
		if e := b.fails("load", p); e.Code != connectors.CodeBadParams || !strings.Contains(e.Message, says) {
			t.Errorf("%s: %s %s", says, e.Code, e.Message)
		}
	}
}

func queryMethods(t *testing.T, b *bench, mark string) {
	id := b.call("create", params{"model": "res.partner", "values": params{"name": "Query " + mark}})["id"]
	found := b.call("query", params{"model": "res.partner", "method": "name_search", "kwargs": params{"name": "Query " + mark}})
	if pairs := found["result"].([]any); len(pairs) != 1 || pairs[0].([]any)[0] != id {
		t.Errorf("name_search gives %v", found)
	}
	address := b.call("query", params{"model": "res.partner", "method": "address_get", "id": id, "kwargs": params{"adr_pref": list("delivery")}})
	if address["result"].(map[string]any)["delivery"] != id {
		t.Errorf("address_get gives %v", address)
	}
	for _, method := range []string{"write", "unlink", "action_confirm", "button_validate", "load", "_write"} {
		if e := b.fails("query", params{"model": "res.partner", "method": method}); e.Code != connectors.CodeBadParams {
			t.Errorf("%s: %v", method, e)
		}
	}
}

func domainWords(t *testing.T, b *bench, mark string) {
	for _, name := range []string{"a", "b", "c", "d"} {
		b.call("create", params{"model": "res.partner", "values": params{"name": name + mark, "ref": mark, "phone": name}})
	}
	is := func(field, value string) any { return list(field, "=", value) }
	or := func(parts ...any) any { return params{"or": list(parts...)} }
	and := func(parts ...any) any { return params{"and": list(parts...)} }
	for name, c := range map[string]struct {
		domain any
		want   string
	}{
		"or":             {or(is("phone", "a"), is("phone", "c")), "a c"},
		"or of three":    {or(is("phone", "a"), is("phone", "b"), is("phone", "c")), "a b c"},
		"and inside or":  {or(and(is("phone", "a"), is("name", "a"+mark)), is("phone", "d")), "a d"},
		"not":            {params{"not": list(is("phone", "a"))}, "b c d"},
		"not, bare":      {params{"not": is("phone", "a")}, "b c d"},
		"not of several": {params{"not": list(is("phone", "a"), is("name", "b"+mark))}, "a b c d"},
		"an empty or":    {or(), ""},
		"an empty and":   {and(), "a b c d"},
	} {
		got := b.call("search_read", params{"model": "res.partner", "domain": list(is("ref", mark), c.domain), "fields": list("phone"), "order": "name"})
		var phones []string
		for _, item := range got["records"].([]any) {
			phones = append(phones, item.(map[string]any)["phone"].(string))
		}
		if strings.Join(phones, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, phones, c.want)
		}
	}
	for _, bad := range []any{params{"xor": list()}, params{"or": "x"}, or("|"), params{"or": list(), "and": list()}} {
		if e := b.fails("count", params{"model": "res.partner", "domain": list(bad)}); e.Code != connectors.CodeBadParams {
			t.Errorf("%v: %v", bad, e)
		}
	}
}

func groupOrders(t *testing.T, b *bench, mark string) {
	ann := b.call("create", params{"model": "res.partner", "values": params{"name": "Group A " + mark}})["id"]
	bob := b.call("create", params{"model": "res.partner", "values": params{"name": "Group B " + mark}})["id"]
	product := b.call("create", params{"model": "product.product", "values": params{"name": "G " + mark, "type": "service", "taxes_id": list()}})["id"]
	for partner, prices := range map[any][]string{ann: {"10", "2.5"}, bob: {"7"}} {
		for _, price := range prices {
			b.call("create", params{"model": "sale.order", "values": params{"partner_id": partner, "client_order_ref": mark,
				"order_line": list(list(int64(0), int64(0), params{"product_id": product, "price_unit": amount(price), "product_uom_qty": int64(1)}))}})
		}
	}
	got := b.call("group", params{"model": "sale.order", "domain": list(list("client_order_ref", "=", mark)), "by": list("partner_id", "state"),
		"values": params{"total": "amount_total:sum", "highest": "amount_total:max"}})["groups"].([]any)
	if len(got) != 2 {
		t.Fatalf("groups: %v", got)
	}
	for _, item := range got {
		g := item.(map[string]any)
		by, values := g["by"].(map[string]any), g["values"].(map[string]any)
		if by["state"] != "draft" {
			t.Errorf("by %v", by)
		}
		switch by["partner_id"].(map[string]any)["id"] {
		case ann:
			wantAmount(t, "total", values["total"], "12.5")
			wantAmount(t, "highest", values["highest"], "10")
			if g["count"] != int64(2) {
				t.Errorf("count %v", g["count"])
			}
		case bob:
			wantAmount(t, "total", values["total"], "7")
		}
	}
}

func images(t *testing.T, b *bench, mark string) {
	const png = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGM4ISeHFTEMLQkAkL9BAbKfPiIAAAAASUVORK5CYII="
	id := b.call("create", params{"model": "product.template", "values": params{"name": "Image " + mark, "image_1920": png}})["id"]
	read := b.call("get", params{"model": "product.template", "id": id, "fields": list("image_128")})
	if text, _ := read["image_128"].(string); text == "" {
		t.Errorf("the small image is %v", read)
	} else if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		t.Errorf("the small image: %v", err)
	}
	e := b.fails("write", params{"model": "product.template", "id": id, "values": params{"image_1920": "aGVsbG8gd29ybGQ="}})
	if e.Code != "odoo.exceptions.UserError" || !strings.Contains(e.Message, "could not be decoded as an image") {
		t.Errorf("no image: %s %s", e.Code, e.Message)
	}
}

func changedRecords(t *testing.T, b *bench, mark string) {
	domain := list(list("ref", "=", "feed"+mark))
	var ids []any
	for i := range 5 {
		ids = append(ids, b.call("create", params{"model": "res.partner", "values": params{"name": fmt.Sprint("Feed ", i), "ref": "feed" + mark}})["id"])
	}
	feed := params{"model": "res.partner", "domain": domain, "fields": list("name"), "limit": int64(2)}
	seen := map[any]any{}
	drain := func() int {
		t.Helper()
		n := 0
		for range 100 {
			got := b.call("changed", feed)
			feed["cursor"] = got["cursor"]
			for _, item := range got["records"].([]any) {
				seen[item.(map[string]any)["id"]], n = item.(map[string]any)["name"], n+1
			}
			if got["more"] == false {
				return n
			}
		}
		t.Fatal("the feed does not end")
		return 0
	}
	drain()
	b.call("write", params{"model": "res.partner", "id": ids[3], "values": params{"name": "Changed " + mark}})
	b.call("write", params{"model": "res.partner", "id": ids[1], "values": params{"active": false}})
	drain()
	for i, id := range ids {
		want := fmt.Sprint("Feed ", i)
		if i == 3 {
			want = "Changed " + mark
		}
		if seen[id] != want {
			t.Errorf("partner %d is given as %v", i, seen[id])
		}
	}
}

func announcements(t *testing.T, b *bench, mark string) {
	address := "http://127.0.0.1:9/hooks/" + mark + "/odoo"
	register := params{"model": "res.partner", "url": address, "fields": list("name", "email")}
	first := b.call("push.register", register)
	if again := b.call("push.register", register); first["changed"] != true || again["changed"] != false || again["id"] != first["id"] {
		t.Errorf("registered %v, then %v", first, again)
	}
	other := b.call("create", params{"model": "base.automation", "values": params{
		"name": "flowctl: by hand " + mark, "trigger": "on_create_or_write",
		"model_id": b.call("search", params{"model": "ir.model", "domain": list(list("model", "=", "res.partner"))})["ids"].([]any)[0],
	}})["id"]
	defer b.call("unlink", params{"model": "base.automation", "id": other})
	// Somebody switched it off.
	b.call("write", params{"model": "base.automation", "id": first["id"], "values": params{"active": false}})
	if repaired := b.call("push.register", register); repaired["changed"] != true || repaired["id"] != first["id"] {
		t.Errorf("repaired: %v", repaired)
	}
	rules := b.call("push.list", params{"url": address})["rules"].([]any)
	if len(rules) != 1 {
		t.Fatalf("rules: %v", rules)
	}
	rule := rules[0].(map[string]any)
	names := rule["fields"].([]any)
	if rule["model"] != "res.partner" || rule["url"] != address || rule["active"] != true || len(names) != 2 || !slices.Contains(names, any("email")) {
		t.Errorf("the rule is %v", rule)
	}
	if strings.Contains(fmt.Sprint(rules), pushSecret) {
		t.Error("the list shows the secret")
	}
	for _, want := range []int64{1, 0} {
		if got := b.call("push.unregister", params{"url": address}); got["removed"] != want {
			t.Errorf("removed %v, want %d", got, want)
		}
	}
	if left := b.call("count", params{"model": "base.automation", "domain": list(list("id", "=", other))}); left["count"] != int64(1) {
		t.Error("a rule that is not ours was removed")
	}
}

// announcementsArrive changes a record and takes what Odoo posts.
func announcementsArrive(t *testing.T, b *bench, mark string) {
	arrived := make(chan connectors.Delivery, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			t.Error(err)
		}
		select {
		case arrived <- connectors.Delivery{Header: r.Header, Body: body, At: time.Now()}:
		default:
		}
	}))
	defer server.Close()
	address := server.URL + "/hooks/main/odoo"
	b.call("push.register", params{"model": "res.partner", "url": address, "fields": list("name")})
	defer b.call("push.unregister", params{"url": address})
	id := b.call("create", params{"model": "res.partner", "values": params{"name": "Announced " + mark}})["id"]
	receiver, ok := b.connection.(connectors.WebhookReceiver)
	if !ok {
		t.Fatal("the connection receives nothing")
	}
	timeout := time.After(20 * time.Second)
	for {
		select {
		case delivery := <-arrived:
			receipt, err := receiver.Receive(delivery)
			if err != nil {
				t.Fatalf("%s %v: %v", delivery.Body, delivery.Header, err)
			}
			if receipt.Payload["id"] != id {
				continue // of another partner that is made meanwhile
			}
			if receipt.Event != "record.changed" || receipt.Payload["model"] != "res.partner" {
				t.Errorf("the receipt is %+v", receipt)
			}
			return
		case <-timeout:
			t.Fatal("nothing was announced")
		}
	}
}

// A delivery counts when it carries the secret, and only then.
func TestReceive(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{})
	connection := b.open(params{"push_secret": pushSecret}).(connectors.WebhookReceiver)
	basic := func(password string) http.Header {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.SetBasicAuth("flowctl", password)
		return r.Header
	}
	const body = `{"_id": 3, "_model": "product.template", "_action": "Send(#463)", "name": "Cap"}`
	for name, c := range map[string]struct {
		header http.Header
		body   string
		code   string
	}{
		"by login (odoo19/542)": {basic(pushSecret), body, ""},
		"by header":             {http.Header{"X-Flowctl-Token": {pushSecret}}, body, ""},
		"a wrong secret":        {basic("x"), body, connectors.CodeBadSignature},
		"no secret":             {http.Header{}, body, connectors.CodeBadSignature},
		"no JSON":               {basic(pushSecret), "webhook_id=1", connectors.CodeBadDelivery},
		"no record":             {basic(pushSecret), `{"_id": 0, "_model": "x"}`, connectors.CodeBadDelivery},
		"a list":                {basic(pushSecret), `[]`, connectors.CodeBadDelivery},
	} {
		receipt, err := connection.Receive(connectors.Delivery{Header: c.header, Body: []byte(c.body)})
		switch {
		case c.code != "":
			if !connectors.HasCode(err, c.code) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || receipt.Event != "record.changed" || receipt.Payload["id"] != int64(3) || receipt.Payload["model"] != "product.template":
			t.Errorf("%s: %+v %v", name, receipt, err)
		}
	}
	if _, err := b.connection.(connectors.WebhookReceiver).Receive(connectors.Delivery{Header: basic(""), Body: []byte(body)}); !connectors.HasCode(err, connectors.CodeBadConfig) {
		t.Errorf("without a secret: %v", err)
	}
}

func (b *bench) country(code string) any {
	b.t.Helper()
	return b.call("search", params{"model": "res.country", "domain": list(list("code", "=", code))})["ids"].([]any)[0]
}

// Settings of the connection go along with every call, and a call may add to them.
func TestContextBySetting(t *testing.T) {
	t.Parallel()
	b := setup(t, sandbox.Options{Version: 19})
	second := b.seed("stock.warehouse", sandbox.Values{"name": "Second", "code": "W2"})
	warehouse, err := b.erp.Read("stock.warehouse", second, "lot_stock_id")
	if err != nil {
		t.Fatal(err)
	}
	b.seed("stock.quant", sandbox.Values{"product_id": 4, "location_id": warehouse["lot_stock_id"], "quantity": 7})
	b.seed("stock.quant", sandbox.Values{"product_id": 4, "location_id": b.stock(), "quantity": 5})
	read := func(c connectors.Connection, context params) any {
		b.connection = c
		return b.call("get", params{"model": "product.product", "id": int64(4), "fields": list("free_qty"), "context": context})["free_qty"]
	}
	wantAmount(t, "all warehouses", read(b.open(nil), nil), "12")
	wantAmount(t, "that of the connection", read(b.open(params{"warehouse_id": second}), nil), "7")
	wantAmount(t, "that of the call", read(b.open(params{"warehouse_id": second}), params{"warehouse_id": int64(1)}), "5")
	if _, err := b.open(params{"lang": "fr_FR"}).Call(t.Context(), connectors.Call{Operation: "count", Params: params{"model": "res.partner"}}); err == nil {
		t.Error("the language does not go along")
	}
	if got := read(b.open(params{"company_id": int64(1), "company_ids": list(int64(1), int64(2)), "context": params{"tz": "UTC"}}), nil); got == nil {
		t.Error("nothing was read")
	}
}

func (b *bench) stock() any {
	b.t.Helper()
	return b.call("get", params{"model": "stock.warehouse", "id": int64(1), "fields": list("lot_stock_id")})["lot_stock_id"].(map[string]any)["id"]
}
