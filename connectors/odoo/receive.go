package odoo

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strconv"

	"github.com/flowctl/flowctl/connectors"
)

var _ connectors.WebhookReceiver = (*Connection)(nil)

const (
	// eventChanged is the one event: a record was created or written.
	eventChanged = "record.changed"
	// tokenHeader may carry the push secret where a proxy adds it.
	tokenHeader = "X-Flowctl-Token"
)

func events() []connectors.Event {
	return []connectors.Event{{
		Name:    eventChanged,
		Summary: "A record was created or written, as an automation rule made by odoo.push.register announces. It is sent before Odoo commits: read the record again, a moment later.",
		Payload: connectors.Object(map[string]*connectors.Schema{
			"model": connectors.String(), "id": connectors.Integer(),
		}, "model", "id"),
	}}
}

// Receive verifies an announcement of Odoo. Odoo signs nothing: what counts is
// the push secret, which the address in the automation rule carries as a login.
// Of the body only model and id are used (recording odoo19/542).
func (c *Connection) Receive(delivery connectors.Delivery) (connectors.Receipt, error) {
	var receipt connectors.Receipt
	if c.pushSecret == "" {
		return receipt, noPushSecret()
	}
	if !c.trusted(delivery.Header) {
		return receipt, &connectors.Error{
			Class:   connectors.Permanent,
			Code:    connectors.CodeBadSignature,
			Message: "the delivery does not carry the push secret",
			Advice:  "Register the announcements again (odoo.push.register); a proxy in between must let the Authorization header pass.",
		}
	}
	tree, err := decodeTree(delivery.Body)
	body, ok := tree.(map[string]any)
	if err != nil || !ok {
		return receipt, connectors.Errorf(connectors.Permanent, connectors.CodeBadDelivery, "the delivery is no JSON object")
	}
	model, _ := body["_model"].(string)
	id, err := wholeNumber(body["_id"])
	if err != nil || model == "" || id <= 0 {
		return receipt, connectors.Errorf(connectors.Permanent, connectors.CodeBadDelivery,
			"the delivery names no record (_model and _id): it is not of a webhook action of Odoo")
	}
	receipt.Event = eventChanged
	receipt.Payload = map[string]any{"model": model, "id": id}
	receipt.Delivery = model + "/" + strconv.FormatInt(id, 10)
	return receipt, nil
}

// trusted compares digests, so that neither the text nor its length shows in
// the time it takes.
func (c *Connection) trusted(header http.Header) bool {
	given := header.Get(tokenHeader)
	if given == "" {
		_, given, _ = (&http.Request{Header: header}).BasicAuth()
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(c.pushSecret))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
