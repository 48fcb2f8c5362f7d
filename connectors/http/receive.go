package http

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// eventReceived is the one event: what it means is in the body, which only the
// flow knows how to read.
const eventReceived = "received"

// Receive verifies a webhook delivery: its signature header must hold the
// HMAC-SHA256 of the raw body under the webhook secret.
func (c *Connection) Receive(delivery connectors.Delivery) (connectors.Receipt, error) {
	var receipt connectors.Receipt
	if c.settings.webhookSecret == "" {
		return receipt, &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadConfig,
			Message: "webhook_secret is not set, so no delivery can be trusted",
			Advice:  "Set the connection's webhook_secret to the secret that the sender signs with."}
	}
	signatures := delivery.Header.Values(c.settings.signatureHeader)
	if len(signatures) != 1 || !signed(delivery.Body, signatures[0], c.settings.webhookSecret) {
		return receipt, &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadSignature,
			Message: "the delivery's signature in " + c.settings.signatureHeader + " does not match",
			Advice:  "Compare webhook_secret and signature_header with the sender's settings; something between may also change the body."}
	}
	body, ok := httpcall.ReadJSON(delivery.Body)
	if !ok {
		return receipt, connectors.Errorf(connectors.Permanent, connectors.CodeBadDelivery,
			"the delivery is signed, but its body is no JSON: it begins %q", httpcall.Shorten(string(delivery.Body), 80))
	}
	typed, err := connectors.Any().Convert(body)
	if err != nil {
		return receipt, connectors.Errorf(connectors.Permanent, connectors.CodeBadDelivery, "the delivery cannot be read: %w", err)
	}
	receipt.Event = eventReceived
	receipt.Payload = map[string]any{"body": typed, "headers": shownHeaders(delivery.Header, c.settings.signatureHeader)}
	return receipt, nil
}

// signed compares in constant time. 32 bytes are 64 digits in hex and 44
// characters in base64, so the two cannot be mistaken for each other.
func signed(body []byte, signature, secret string) bool {
	text := strings.TrimPrefix(strings.TrimSpace(signature), "sha256=")
	given, err := hex.DecodeString(text)
	if err != nil {
		if given, err = base64.StdEncoding.DecodeString(text); err != nil {
			return false
		}
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(given, mac.Sum(nil))
}
