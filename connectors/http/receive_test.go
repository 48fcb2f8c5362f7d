package http

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	nethttp "net/http"
	"testing"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
)

func sign(body, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return mac.Sum(nil)
}

func TestReceive(t *testing.T) {
	t.Parallel()
	const body, secret = `{"id": 7, "total": 1.10}`, "hush"
	sum := sign(body, secret)
	hexSum, base64Sum := hex.EncodeToString(sum), base64.StdEncoding.EncodeToString(sum)
	for name, test := range map[string]struct {
		settings record
		header   nethttp.Header
		body     string
		code     string // "" when it is received
	}{
		"hex":                  {record{}, nethttp.Header{"X-Signature-256": {hexSum}}, body, ""},
		"hex with its name":    {record{}, nethttp.Header{"X-Signature-256": {"sha256=" + hexSum}}, body, ""},
		"base64":               {record{}, nethttp.Header{"X-Signature-256": {base64Sum}}, body, ""},
		"another header":       {record{"signature_header": "x-hub-signature-256"}, nethttp.Header{"X-Hub-Signature-256": {"sha256=" + hexSum}}, body, ""},
		"none":                 {record{}, nethttp.Header{}, body, connectors.CodeBadSignature},
		"empty":                {record{}, nethttp.Header{"X-Signature-256": {""}}, body, connectors.CodeBadSignature},
		"two":                  {record{}, nethttp.Header{"X-Signature-256": {hexSum, hexSum}}, body, connectors.CodeBadSignature},
		"cut off":              {record{}, nethttp.Header{"X-Signature-256": {hexSum[:32]}}, body, connectors.CodeBadSignature},
		"of another body":      {record{}, nethttp.Header{"X-Signature-256": {hexSum}}, body + " ", connectors.CodeBadSignature},
		"by no secret at all":  {record{"webhook_secret": ""}, nethttp.Header{"X-Signature-256": {hex.EncodeToString(sign(body, ""))}}, body, connectors.CodeBadConfig},
		"signed, but no JSON":  {record{}, nethttp.Header{"X-Signature-256": {hex.EncodeToString(sign("id=7", secret))}}, "id=7", connectors.CodeBadDelivery},
		"signed, but too much": {record{}, nethttp.Header{"X-Signature-256": {hex.EncodeToString(sign("1e999999999", secret))}}, "1e999999999", connectors.CodeBadDelivery},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := open(t, nil, record{"base_url": "https://api.example.com", "webhook_secret": secret}, test.settings)
			header := test.header.Clone()
			header.Set("X-Event", "order.paid")
			header.Set("X-Forwarded-For", "203.0.113.9")
			header.Set("Authorization", "Bearer s3cret")
			receipt, err := conn.Receive(connectors.Delivery{Header: header, Body: []byte(test.body)})
			if test.code != "" {
				if !connectors.HasCode(err, test.code) || receipt.Event != "" {
					t.Errorf("%v, event %q", err, receipt.Event)
				}
				return
			}
			if err != nil || receipt.Event != "received" {
				t.Fatalf("%v, event %q", err, receipt.Event)
			}
			if id := receipt.Payload["body"].(record)["id"]; id != int64(7) {
				t.Errorf("id is %v", id)
			}
			headers := receipt.Payload["headers"].(record)
			if len(headers) != 1 || headers["x-event"] != "order.paid" {
				t.Errorf("headers are %v", headers)
			}
		})
	}
}

// Nothing but the signature itself is taken for it.
func TestNoOtherSignatureFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body, secret, given := rapid.String().Draw(t, "body"), rapid.StringN(1, 20, -1).Draw(t, "secret"), rapid.String().Draw(t, "signature")
		if signed([]byte(body), given, secret) {
			t.Fatalf("%q passes", given)
		}
		if !signed([]byte(body), hex.EncodeToString(sign(body, secret)), secret) {
			t.Fatal("the signature itself does not pass")
		}
	})
}
