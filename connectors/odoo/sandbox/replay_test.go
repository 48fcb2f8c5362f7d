package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// recordings finds the recorded exchanges with real servers.
func recordings(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("FLOWCTL_RECORDINGS")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "..", "shared", "recordings")
	}
	if _, err := os.Stat(filepath.Join(folder, "odoo18")); err != nil {
		t.Skip("SKIPPED: the recordings of real servers are not here; set FLOWCTL_RECORDINGS")
	}
	return folder
}

// exchange is one recorded call of a method, whichever protocol it came by.
type exchange struct {
	file   string
	model  string
	method string
	ids    any // nil: none given
	list   []any
	named  map[string]any
	result any
	fault  map[string]any
	at     time.Time // when it was answered
}

func loadExchange(t *testing.T, path string) exchange {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Request struct {
			Path string `json:"path"`
			Body any    `json:"body"`
		} `json:"request"`
		Response struct {
			Status  int               `json:"status"`
			Headers map[string]string `json:"headers"`
			Body    any               `json:"body"`
		} `json:"response"`
	}
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.UseNumber()
	if err := dec.Decode(&file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	x := exchange{file: filepath.Base(path), named: map[string]any{}}
	x.at, _ = time.Parse(time.RFC1123, file.Response.Headers["Date"])
	body := asObject(file.Request.Body)
	if parts := strings.Split(strings.TrimPrefix(file.Request.Path, "/json/2/"), "/"); len(parts) == 2 && strings.HasPrefix(file.Request.Path, "/json/2/") {
		x.model, x.method = parts[0], parts[1]
		for name, value := range body {
			if name == "ids" {
				x.ids = value
			} else {
				x.named[name] = value
			}
		}
		if x.result = file.Response.Body; file.Response.Status != 200 {
			x.fault = asObject(file.Response.Body)
		}
		return x
	}
	args, _ := asObject(body["params"])["args"].([]any)
	if len(args) < 5 {
		t.Fatalf("%s is no call of a method", x.file)
	}
	x.model, x.method = args[3].(string), args[4].(string)
	if len(args) > 5 {
		x.list, _ = args[5].([]any)
	}
	if len(args) > 6 {
		x.named = asObject(args[6])
	}
	answer := asObject(file.Response.Body)
	x.result, x.fault = answer["result"], asObject(asObject(answer["error"])["data"])
	return x
}

// replay plays exchanges against a simulated Odoo. Its ids are others than the
// recorded ones: they are translated by what the answers teach.
type replay struct {
	t     *testing.T
	erp   *ERP
	known map[string]map[int64]int64 // model, recorded id, id here
	// changing are fields whose values differ from run to run.
	changing []string
	left     map[string]bool // fields the sandbox does not know
	now      time.Time
}

func newReplay(t *testing.T, version int) *replay {
	p := &replay{
		t: t, known: map[string]map[int64]int64{}, left: map[string]bool{},
		changing: []string{"create_date", "create_uid", "write_uid", "invoice_repartition_line_ids", "webhook_uuid", "access_token", "validity_date", "currency_rate"},
		now:      time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC),
	}
	p.erp = New(Options{Version: version, Now: func() time.Time { return p.now }})
	return p
}

func (p *replay) learn(model string, recorded, here int64) {
	if p.known[model] == nil {
		p.known[model] = map[int64]int64{}
	}
	p.known[model][recorded] = here
}

func (p *replay) here(model string, recorded int64) int64 {
	if id, ok := p.known[model][recorded]; ok {
		return id
	}
	return recorded
}

// play sends one exchange and compares the answer.
func (p *replay) play(x exchange) {
	p.t.Helper()
	m, ok := p.erp.models[x.model]
	if !ok {
		m = &model{name: x.model, fields: map[string]*field{}}
	}
	list, named := slices.Clone(x.list), map[string]any{}
	for name, value := range x.named {
		if name == "fields" && x.method != "read" && x.method != "search_read" {
			named[name] = value // columns, or what to sum
			continue
		}
		named[name] = p.translate(m, name, value)
	}
	if x.ids != nil {
		list = append([]any{p.ids(m, x.ids)}, list...)
	} else if len(list) > 0 && !slices.Contains(modelMethods, x.method) {
		list[0] = p.ids(m, list[0])
	}
	first := 0
	if !slices.Contains(modelMethods, x.method) {
		first = 1
	}
	for i := first; i < len(list); i++ {
		name := ""
		switch {
		case strings.HasPrefix(x.method, "search"):
			name = "domain"
		case x.method == "create" || x.method == "write":
			name = "vals"
		case x.method == "read":
			name = "fields"
		case x.method == "load" && i == 1:
			name = "data"
		}
		list[i] = p.translate(m, name, list[i])
	}
	if x.method == "create" && len(list) == 0 {
		list, named = []any{named["vals_list"]}, map[string]any{"context": named["context"]}
		if named["context"] == nil {
			delete(named, "context")
		}
	}
	result, fault := p.send(x, list, named)
	switch {
	case x.fault != nil:
		want := p.words(x.fault["message"].(string))
		if fault == nil || fault["name"] != x.fault["name"] || p.words(fault["message"].(string)) != want {
			p.t.Errorf("%s: %s.%s answers %v %v, recorded %v %q", x.file, x.model, x.method, result, fault, x.fault["name"], want)
		}
	case fault != nil:
		p.t.Errorf("%s: %s.%s fails: %v", x.file, x.model, x.method, fault["message"])
	default:
		p.compareResult(x, m, result)
	}
}

func (p *replay) send(x exchange, list []any, named map[string]any) (any, map[string]any) {
	p.t.Helper()
	o := p.erp.Options()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "call", "id": 1, "params": map[string]any{
		"service": "object", "method": "execute_kw",
		"args": []any{o.Database, adminID, o.APIKey, x.model, x.method, list, named},
	}})
	if err != nil {
		p.t.Fatal(err)
	}
	request := httptest.NewRequest("POST", "/jsonrpc", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	p.erp.ServeHTTP(recorder, request)
	var answer map[string]any
	dec := json.NewDecoder(recorder.Body)
	dec.UseNumber()
	if err := dec.Decode(&answer); err != nil {
		p.t.Fatalf("%s: %v", x.file, err)
	}
	if failed := asObject(answer["error"]); failed != nil {
		return nil, asObject(failed["data"])
	}
	return answer["result"], nil
}

func (p *replay) compareResult(x exchange, m *model, got any) {
	p.t.Helper()
	want := x.result
	switch x.method {
	case "create":
		p.learnIDs(m.name, want, got)
		return
	case "search":
		if !p.equalIDs(m.name, want, got) {
			p.t.Errorf("%s: finds %v, recorded %v", x.file, got, want)
		}
		return
	case "name_search":
		wanted, here := asList(want), asList(got)
		same := len(wanted) == len(here)
		for i := range min(len(wanted), len(here)) {
			a, b := asList(wanted[i]), asList(here[i])
			same = same && p.equalIDs(m.name, a[0], b[0]) && a[1] == b[1]
		}
		if !same {
			p.t.Errorf("%s: finds %v, recorded %v", x.file, got, want)
		}
		return
	case "load":
		p.compareLoad(x, m, asObject(want), asObject(got))
		return
	case "search_read", "read":
		wanted, _ := want.([]any)
		here, _ := got.([]any)
		if len(wanted) != len(here) {
			p.t.Errorf("%s: %d records, recorded %d", x.file, len(here), len(wanted))
			return
		}
		for i := range wanted {
			p.compareRecord(x, m, asObject(wanted[i]), asObject(here[i]))
		}
		return
	}
	if x.method == "get_external_id" {
		// The ids are the keys.
		if a, b := slices.Collect(maps.Values(asObject(want))), slices.Collect(maps.Values(asObject(got))); !reflect.DeepEqual(a, b) {
			p.t.Errorf("%s: answers %v, recorded %v", x.file, b, a)
		}
		return
	}
	if x.method == "address_get" {
		for kind, id := range asObject(want) {
			if !p.equalIDs("res.partner", id, asObject(got)[kind]) {
				p.t.Errorf("%s: the address for %s is %v, recorded %v", x.file, kind, asObject(got)[kind], id)
			}
		}
		return
	}
	if offered := asObject(want); offered["type"] == "ir.actions.act_window" {
		p.compareOffer(x, offered, asObject(got))
		return
	}
	if !reflect.DeepEqual(want, got) {
		p.t.Errorf("%s: %s.%s answers %v, recorded %v", x.file, x.model, x.method, got, want)
	}
}

// compareLoad compares what load made, or which rows it refused and why.
func (p *replay) compareLoad(x exchange, m *model, want, got map[string]any) {
	p.t.Helper()
	if want["ids"] != false {
		if !p.equalIDs(m.name, want["ids"], got["ids"]) {
			p.t.Errorf("%s: loads %v, recorded %v", x.file, got, want["ids"])
		}
		return
	}
	wanted, here := asList(want["messages"]), asList(got["messages"])
	if got["ids"] != false || len(wanted) != len(here) {
		p.t.Errorf("%s: loads %v, recorded %v", x.file, got, want)
		return
	}
	for i := range wanted {
		a, b := asObject(wanted[i]), asObject(here[i])
		for _, name := range []string{"record", "type", "field", "message"} {
			if a[name] != b[name] && !(name == "message" && quotesID(a[name])) {
				p.t.Errorf("%s: row %d: %s is %v, recorded %v", x.file, i, name, b[name], a[name])
			}
		}
	}
}

// quotesID tells messages that end with the id of a record of that database.
func quotesID(message any) bool {
	text, _ := message.(string)
	return strings.HasSuffix(text, ")")
}

// compareOffer compares actions by what a client acts on: what they open.
func (p *replay) compareOffer(x exchange, want, got map[string]any) {
	p.t.Helper()
	if want["res_model"] != got["res_model"] || got["target"] != nil && want["target"] != got["target"] {
		p.t.Errorf("%s: offers %v, recorded %v", x.file, got, want)
		return
	}
	model, _ := want["res_model"].(string)
	if id, ok := want["res_id"]; ok && !p.equalIDs(model, id, got["res_id"]) {
		p.t.Errorf("%s: opens %s %v, recorded %v", x.file, model, got["res_id"], id)
	}
}

func (p *replay) learnIDs(model string, want, got any) {
	p.t.Helper()
	wanted, _ := asIDs(want)
	here, _ := asIDs(got)
	if len(wanted) != len(here) {
		p.t.Errorf("created %v, recorded %v", got, want)
		return
	}
	for i := range wanted {
		p.learn(model, wanted[i], here[i])
	}
}

func (p *replay) compareRecord(x exchange, m *model, want, got map[string]any) {
	p.t.Helper()
	for name, value := range got {
		if slices.Contains(p.changing, name) {
			continue
		}
		recorded, ok := want[name]
		if !ok {
			continue
		}
		if m.name == "ir.model.data" && name == "res_id" {
			model, ok := want["model"].(string)
			if !ok {
				model = "res.partner" // the only ones listed without it (odoo18/633)
			}
			if !p.equalIDs(model, recorded, value) {
				p.t.Errorf("%s: %v names %v, recorded %v", x.file, got["name"], value, recorded)
			}
			continue
		}
		if !p.equal(m, m.fields[name], recorded, value) {
			p.t.Errorf("%s: %s.%s is %s, recorded %s", x.file, m.name, name, jsonText(value), jsonText(recorded))
		}
	}
}

func jsonText(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

func (p *replay) equal(m *model, f *field, want, got any) bool {
	switch {
	case f.name == "id":
		return p.equalIDs(m.name, want, got)
	case f.kind.many():
		return p.equalIDs(f.relation, want, got)
	case f.kind == many2one:
		a, ok := want.([]any)
		b, ok2 := got.([]any)
		if !ok || !ok2 {
			return ok == ok2
		}
		return p.equalIDs(f.relation, a[0], b[0]) && (a[1] == b[1] || f.relation == "res.company" || f.relation == "stock.warehouse")
	case f.kind == float || f.kind == monetary:
		a, errA := toDecimal(want)
		b, errB := toDecimal(got)
		return errA == nil && errB == nil && a.Sub(b).Abs().LessThan(decimal.New(1, -9))
	case f.kind == jsonField:
		return jsonText(p.pinIDs(want)) == jsonText(got) || want == got
	}
	return reflect.DeepEqual(want, got)
}

// equalIDs compares ids; one seen for the first time is learnt.
func (p *replay) equalIDs(model string, want, got any) bool {
	wanted, _ := asIDs(want)
	here, _ := asIDs(got)
	if len(wanted) != len(here) {
		return false
	}
	for i := range wanted {
		if known, ok := p.known[model][wanted[i]]; ok && known != here[i] {
			return false
		}
		p.learn(model, wanted[i], here[i])
	}
	return true
}
