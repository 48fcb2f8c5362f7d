package woocommerce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

func signature(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func delivery(topic, body string) connectors.Delivery {
	header := http.Header{}
	header.Set("X-WC-Webhook-Topic", topic)
	header.Set("X-WC-Webhook-Resource", strings.Split(topic, ".")[0])
	header.Set("X-WC-Webhook-Signature", signature([]byte(body), "hush"))
	header.Set("X-WC-Webhook-Delivery-ID", "d1")
	return connectors.Delivery{Header: header, Body: []byte(body), At: time.Now()}
}

func receiver(t *testing.T, secret string) *Connection {
	t.Helper()
	return open(t, "https://shop.test", nil, map[string]any{"webhook_secret": secret})
}

func TestReceive(t *testing.T) {
	t.Parallel()
	conn := receiver(t, "hush")
	stamp := time.Date(2026, 11, 23, 10, 24, 20, 0, time.UTC)
	for _, c := range []struct {
		name, topic, body string
		event             string
		payload           map[string]any
		note              string
	}{
		{"an order", "order.created", `{"id":29,"status":"pending","date_modified_gmt":"2026-11-23T10:24:20"}`, "order.created",
			map[string]any{"id": int64(29), "topic": "order.created", "resource": "order", "status": "pending", "date_modified_gmt": stamp}, ""},
		{"a deleted order", "order.deleted", `{"id":29}`, "order.deleted",
			map[string]any{"id": int64(29), "topic": "order.deleted", "resource": "order", "status": nil, "date_modified_gmt": nil}, ""},
		{"a product", "product.updated", `{"id":12,"status":"publish","parent_id":0,"date_modified_gmt":null}`, "product.updated",
			map[string]any{"id": int64(12), "topic": "product.updated", "resource": "product", "status": "publish", "date_modified_gmt": nil, "parent_id": nil}, ""},
		{"a variation", "product.updated", `{"id":23,"status":"publish","parent_id":22}`, "product.updated",
			map[string]any{"id": int64(23), "topic": "product.updated", "resource": "product", "status": "publish", "date_modified_gmt": nil, "parent_id": int64(22)}, ""},
		{"a hook", "action.woocommerce_order_refunded", `{"action":"woocommerce_order_refunded","arg":30}`, "action.woocommerce_order_refunded",
			map[string]any{"id": int64(30), "topic": "action.woocommerce_order_refunded", "resource": "action", "action": "woocommerce_order_refunded", "arg": int64(30)}, ""},
		{"a hook with a text", "action.my_hook", `{"action":"my_hook","arg":"x"}`, "action.my_hook",
			map[string]any{"id": nil, "topic": "action.my_hook", "resource": "action", "action": "my_hook", "arg": "x"}, "not one that flows know"},
		{"an error body", "order.updated", `{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}`, "", nil, "an error in place of the order: Invalid ID."},
		{"a body without id", "order.updated", `{"foo":1}`, "", nil, "holds no order id"},
		{"a plugin's topic", "subscription.created", `{"id":3}`, "subscription.created",
			map[string]any{"id": int64(3), "topic": "subscription.created", "resource": "subscription", "status": nil, "date_modified_gmt": nil}, "not one that flows know"},
		{"a stamp that is none", "order.updated", `{"id":3,"date_modified_gmt":"yesterday"}`, "order.updated",
			map[string]any{"id": int64(3), "topic": "order.updated", "resource": "order", "status": nil, "date_modified_gmt": nil}, "is no instant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := conn.Receive(delivery(c.topic, c.body))
			if err != nil {
				t.Fatal(err)
			}
			if got.Event != c.event || got.Delivery != "d1" || !strings.Contains(got.Note, c.note) || (c.note == "") != (got.Note == "") {
				t.Errorf("got %+v, want event %q and note %q", got, c.event, c.note)
			}
			want, _ := json.Marshal(c.payload)
			have, _ := json.Marshal(got.Payload)
			if string(want) != string(have) {
				t.Errorf("payload %s, want %s", have, want)
			}
		})
	}
}

func TestReceiveRefuses(t *testing.T) {
	t.Parallel()
	good := delivery("order.created", `{"id":29}`)
	changed := func(change func(*connectors.Delivery)) connectors.Delivery {
		d := connectors.Delivery{Header: good.Header.Clone(), Body: []byte(string(good.Body))}
		change(&d)
		return d
	}
	for _, c := range []struct {
		name, secret, code string
		delivery           connectors.Delivery
	}{
		{"a changed body", "hush", connectors.CodeBadSignature, changed(func(d *connectors.Delivery) { d.Body = []byte(`{"id":30}`) })},
		{"another secret", "other", connectors.CodeBadSignature, good},
		{"no signature", "hush", connectors.CodeBadSignature, changed(func(d *connectors.Delivery) { d.Header.Del("X-WC-Webhook-Signature") })},
		{"a signature that is no base64", "hush", connectors.CodeBadSignature, changed(func(d *connectors.Delivery) { d.Header.Set("X-WC-Webhook-Signature", "!!") })},
		{"an empty secret", "", connectors.CodeBadConfig, changed(func(d *connectors.Delivery) {
			d.Header.Set("X-WC-Webhook-Signature", signature(d.Body, ""))
		})},
		{"no JSON", "hush", connectors.CodeBadDelivery, delivery("order.created", "<html></html>")},
		{"a list", "hush", connectors.CodeBadDelivery, delivery("order.created", "[1]")},
		{"a ping with a signature that is none", "hush", connectors.CodeBadSignature, changed(func(d *connectors.Delivery) { d.Body = []byte("webhook_id=1") })},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := receiver(t, c.secret).Receive(c.delivery)
			if !connectors.HasCode(err, c.code) || got.Event != "" {
				t.Errorf("got %+v, %v; want the code %s and no event", got, err, c.code)
			}
		})
	}
}

func TestReceivePing(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"hush", ""} {
		got, err := receiver(t, secret).Receive(connectors.Delivery{Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte("webhook_id=7")})
		if err != nil || got.Event != "" || !strings.Contains(got.Note, "7") {
			t.Errorf("with secret %q: %+v, %v", secret, got, err)
		}
	}
}

// TestReceiveRecordedDeliveries reads every delivery that a real shop sent.
func TestReceiveRecordedDeliveries(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("FLOWCTL_RECORDINGS")
	if dir == "" {
		dir = "../../../shared"
	}
	files, err := filepath.Glob(filepath.Join(dir, "recordings", "woo", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skipf("NO RECORDINGS in %s: set FLOWCTL_RECORDINGS to the folder that holds recordings/", dir)
	}
	seen := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var recording struct {
			Deliveries []struct {
				Secret  *string `json:"secret"`
				OK      bool    `json:"signature_ok"`
				Request struct {
					Headers [][2]string `json:"headers"`
					Body    []byte      `json:"body_base64"`
				} `json:"request"`
			} `json:"deliveries"`
		}
		if err := json.Unmarshal(data, &recording); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for i, d := range recording.Deliveries {
			seen++
			name := filepath.Base(file) + " " + strconv.Itoa(i)
			header := http.Header{}
			for _, h := range d.Request.Headers {
				header.Add(h[0], h[1])
			}
			secret := ""
			if d.Secret != nil {
				secret = *d.Secret
			}
			got, err := receiver(t, secret).Receive(connectors.Delivery{Header: header, Body: d.Request.Body})
			if secret == "" && header.Get("X-WC-Webhook-Signature") != "" { // the shop chose the secret itself (woo/517, 556)
				if !connectors.HasCode(err, connectors.CodeBadConfig) {
					t.Errorf("%s: a delivery of unknown secret gave %+v, %v", name, got, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			checkRecorded(t, name, header.Get("X-WC-Webhook-Topic"), d.Request.Body, got)
		}
	}
	if seen < 60 {
		t.Errorf("only %d deliveries found in the recordings", seen)
	}
}

func checkRecorded(t *testing.T, name, topic string, body []byte, got connectors.Receipt) {
	t.Helper()
	var told struct {
		ID     int64
		Arg    any
		Code   string
		Status string
	}
	if json.Unmarshal(body, &told) != nil {
		if got.Event != "" || got.Note == "" {
			t.Errorf("%s: a ping gave %+v", name, got)
		}
		return
	}
	if told.Code != "" && told.ID == 0 {
		if got.Event != "" || !strings.Contains(got.Note, told.Code) {
			t.Errorf("%s: an error body gave %+v", name, got)
		}
		return
	}
	if got.Event != topic || got.Note != "" {
		t.Errorf("%s: event %q with note %q, want %q", name, got.Event, got.Note, topic)
	}
	if told.ID != 0 && got.Payload["id"] != told.ID || told.Status != "" && got.Payload["status"] != told.Status {
		t.Errorf("%s: payload %v", name, got.Payload)
	}
}

// FuzzReceive: no body makes it panic, and nothing that is not signed announces
// anything.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"id":1}`), "order.created", "")
	f.Add([]byte(`webhook_id=1`), "", "")
	f.Add([]byte(`{"id":1e400,"parent_id":{}}`), "product.updated", "aGVsbG8=")
	f.Add([]byte("\ufeff<br />{\"id\":9}"), "action.x", "")
	conn, err := Connector{}.Open(connectors.Config{Settings: map[string]any{"url": "https://shop.test", "consumer_key": "k", "consumer_secret": "s", "webhook_secret": "hush"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, topic, given string) {
		header := http.Header{}
		header.Set("X-WC-Webhook-Topic", topic)
		header.Set("X-WC-Webhook-Signature", given)
		got, err := conn.(*Connection).Receive(connectors.Delivery{Header: header, Body: body})
		if err == nil && got.Event != "" && given != signature(body, "hush") {
			t.Fatalf("%q with the signature %q announced %s", body, given, got.Event)
		}
		header.Set("X-WC-Webhook-Signature", signature(body, "hush"))
		if _, err := conn.(*Connection).Receive(connectors.Delivery{Header: header, Body: body}); connectors.HasCode(err, connectors.CodeBadSignature) {
			t.Fatalf("%q with its own signature is refused", body)
		}
	})
}
