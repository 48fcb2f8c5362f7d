package woocommerce

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
)

// bookings is what an app may declare for a plugin that no one here knows.
const bookings = `
- name: bookings.get
  title: Get a booking
  namespace: wc-bookings/v1
  method: GET
  path: /bookings/{id}
  effect: read
  use: [fields]
  params: {id: {type: integer, required: true}}
  result: {type: object, properties: {id: {type: integer}, cost: {type: string, format: decimal}}}
- name: bookings.create
  namespace: wc-bookings/v1
  method: POST
  path: /bookings
  effect: create
  repeat: natural key
  params:
    start: {type: string, format: date-time, required: true}
    persons: {type: integer, default: 1}
  result: {type: object, open: true, properties: {id: {type: integer}}}
- {name: orders.of_customer, method: GET, path: /orders, effect: read, use: [page], params: {customer: {type: integer, required: true}}, list: order}
`

func extend(t *testing.T, text string) (connectors.Connector, error) {
	t.Helper()
	var declared []map[string]any
	if err := yaml.Unmarshal([]byte(text), &declared); err != nil {
		t.Fatal(err)
	}
	return Connector{}.Extend(declared)
}

func TestExtend(t *testing.T) {
	t.Parallel()
	extended, err := extend(t, bookings)
	if err != nil {
		t.Fatal(err)
	}
	if _, known := (Connector{}).Spec().Operation("bookings.get"); known {
		t.Error("the connector itself has changed")
	}
	op, known := extended.Spec().Operation("bookings.get")
	if !known || op.Effect != connectors.Read || !op.Result.Properties["cost"].IsDecimal() {
		t.Fatalf("the operation is %+v", op)
	}
	if _, known := extended.Spec().Operation("orders.get"); !known {
		t.Error("the connector's own operations are gone")
	}
	var asked []string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked = append(asked, r.Method+" "+r.URL.Path+" "+string(body))
		fmt.Fprint(w, `{"id": 7, "cost": "12.50"}`)
	})
	conn, err := extended.Open(connectors.Config{HTTPClient: &http.Client{Transport: handled{handler}},
		Settings: map[string]any{"url": "https://shop.test/store", "consumer_key": testKey, "consumer_secret": testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := call(conn.(*Connection), "bookings.get", map[string]any{"id": int64(7)})
	if cost, ok := got["cost"].(decimal.Decimal); err != nil || !ok || cost.String() != "12.5" {
		t.Errorf("the booking is %v, %v", got, err)
	}
	if _, err := call(conn.(*Connection), "bookings.create", map[string]any{"start": "2026-11-23T10:00:00Z"}); err != nil {
		t.Error(err)
	}
	want := []string{"GET /store/wp-json/wc-bookings/v1/bookings/7 ", `POST /store/wp-json/wc-bookings/v1/bookings {"persons":1,"start":"2026-11-23T10:00:00Z"}`}
	if fmt.Sprint(asked) != fmt.Sprint(want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
}

// TestExtendGuide: the example of the documentation is taken as it stands there.
func TestExtendGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/plugin-operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(guide), "```yaml\n")
	text, _, closed := strings.Cut(text, "```")
	var app struct {
		Connections map[string]struct{ Operations []map[string]any }
	}
	if err := yaml.Unmarshal([]byte(text), &app); err != nil || !found || !closed {
		t.Fatalf("the guide's example: %v", err)
	}
	extended, err := Connector{}.Extend(app.Connections["woocommerce"].Operations)
	if err != nil {
		t.Fatal(err)
	}
	if op, ok := extended.Spec().Operation("bookings.changed"); !ok || op.Result.Properties["cursor"] == nil {
		t.Errorf("the walk is %+v", op)
	}
}

func TestExtendRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"- {name: orders.get, method: GET, path: /x, effect: read, result: order}":               "already",
		"- {name: a.b, method: GET, path: /x, effect: read, result: booking}":                    "no resource",
		"- {name: a.b, method: GET, path: /x, effect: read, result: order, pahts: 1}":            "pahts",
		"- {name: a.b, method: POST, path: /x, effect: create, result: order}":                   "every write",
		"- {name: a.b, method: GET, path: /x, effect: read, result: order, namespace: other/v1}": "look at the key",
	} {
		if _, err := extend(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
