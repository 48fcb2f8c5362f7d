package woocommerce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// The headers of a delivery (recording woo/531).
const (
	headerTopic     = "X-WC-Webhook-Topic"
	headerResource  = "X-WC-Webhook-Resource"
	headerSignature = "X-WC-Webhook-Signature"
	headerDelivery  = "X-WC-Webhook-Delivery-ID"
)

// Receive verifies a webhook delivery and says what it announces. The ping that
// a shop sends when a webhook is made is unsigned and announces nothing; it
// must be answered with exactly 200 (woo/502, 563).
func (c *Connection) Receive(delivery connectors.Delivery) (connectors.Receipt, error) {
	receipt := connectors.Receipt{Delivery: delivery.Header.Get(headerDelivery)}
	signature := delivery.Header.Get(headerSignature)
	if id, ok := ping(delivery.Body); ok && signature == "" {
		receipt.Note = fmt.Sprintf("the shop tested webhook %d", id)
		return receipt, nil
	}
	if c.webhookSecret == "" {
		return receipt, &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadConfig,
			Message: "the shop's webhook secret is not set, so no delivery can be trusted",
			Advice:  "Set the webhook secret and let Manage Webhooks make the webhooks anew."}
	}
	if !signed(delivery.Body, signature, c.webhookSecret) {
		return receipt, &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadSignature,
			Message: "the delivery's signature does not match",
			Advice:  "The webhook was made with another secret, or something between the shop and here changes the body. Let Manage Webhooks make it anew."}
	}
	return announced(receipt, delivery)
}

// ping reads the body webhook_id=N.
func ping(body []byte) (int64, bool) {
	if len(body) > 64 {
		return 0, false
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) != 1 {
		return 0, false
	}
	id, err := strconv.ParseInt(form.Get("webhook_id"), 10, 64)
	return id, err == nil
}

// signed compares in constant time. The shop signs the raw body with
// HMAC-SHA256 and writes base64.
func signed(body []byte, signature, secret string) bool {
	given, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(given, mac.Sum(nil))
}

// announced reads a verified delivery.
func announced(receipt connectors.Receipt, delivery connectors.Delivery) (connectors.Receipt, error) {
	raw, ok := httpcall.FindJSON(delivery.Body)
	body, isRecord := raw.(map[string]any)
	if !ok || !isRecord {
		return receipt, &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadDelivery,
			Message: "the delivery is signed, but its body is no record: it begins " + strconv.Quote(httpcall.Shorten(string(delivery.Body), 80)),
			Advice:  "A plugin prints into the shop's webhooks. The next sweep finds what changed."}
	}
	topic := delivery.Header.Get(headerTopic)
	if topic == "" {
		receipt.Note = "the delivery names no topic"
		return receipt, nil
	}
	resource := delivery.Header.Get(headerResource)
	if resource == "" {
		resource, _, _ = strings.Cut(topic, ".")
	}
	payload := map[string]any{"topic": topic, "resource": resource}
	schema := recordPayload(false)
	if event, known := spec().Event(topic); known {
		schema = event.Payload
	} else {
		receipt.Note = fmt.Sprintf("the topic %s is not one that flows know", topic)
	}
	if resource == "action" {
		schema = actionPayload()
		payload["action"], payload["arg"], payload["id"] = body["action"], body["arg"], nil
		if id, ok := wholeNumber(body["arg"]); ok {
			payload["id"] = id
		}
	} else {
		id, ok := wholeNumber(body["id"])
		if !ok {
			receipt.Note = notAnnounced(resource, body)
			return receipt, nil
		}
		payload["id"], payload["status"] = id, asText(body["status"])
		payload["date_modified_gmt"] = body["date_modified_gmt"]
		if _, wants := schema.Property("parent_id"); wants {
			payload["parent_id"] = nil
			if parent, ok := wholeNumber(body["parent_id"]); ok && parent > 0 {
				payload["parent_id"] = parent
			}
		}
	}
	typed, err := schema.Convert(payload)
	if err != nil {
		// The stamp is a hint only: the record is read again.
		payload["date_modified_gmt"] = nil
		receipt.Note = fmt.Sprintf("the delivery's %v", err)
		if typed, err = schema.Convert(payload); err != nil {
			return receipt, connectors.Errorf(connectors.Permanent, connectors.CodeBadDelivery, "the delivery cannot be read: %w", err)
		}
	}
	receipt.Event, receipt.Payload = topic, typed.(map[string]any)
	return receipt, nil
}

// notAnnounced explains a body without an id. When the record is gone by the
// time of delivery, the shop signs and sends the API's error (woo/702).
func notAnnounced(resource string, body map[string]any) string {
	if told, ok := refusalOf(body); ok {
		return fmt.Sprintf("the shop sent an error in place of the %s: %s (%s)", resource, told.Message, told.Code)
	}
	return fmt.Sprintf("the delivery holds no %s id", resource)
}

func wholeNumber(raw any) (int64, bool) {
	n, ok := raw.(json.Number)
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(n.String(), 10, 64)
	return id, err == nil
}

func asText(raw any) any {
	if text, ok := raw.(string); ok {
		return text
	}
	return nil
}
