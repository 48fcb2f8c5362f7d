package woocommerce

import (
	"slices"
	"sync"

	"github.com/flowctl/flowctl/connectors"
)

var spec = sync.OnceValue(func() connectors.Spec { return specOf(catalogue()) })

func specOf(b *book) connectors.Spec {
	s := connectors.Spec{
		Name:     Name,
		Title:    "WooCommerce",
		Summary:  "Orders, customers, products and webhooks of a WooCommerce shop, by its REST API v3.",
		Settings: settings(),
		Login:    []string{"url", "consumer_key"},
		Events:   events(),
	}
	for _, op := range b.operations {
		s.Operations = append(s.Operations, op.Operation)
	}
	return s
}

// events lists the topics of webhooks. There is no order.paid and no refund.*:
// both arrive as order.updated (recordings woo/518, 519, 537).
func events() []connectors.Event {
	var all []connectors.Event
	for _, resource := range []string{"order", "product", "customer", "coupon"} {
		for _, event := range []string{"created", "updated", "deleted", "restored"} {
			if resource == "customer" && event == "restored" {
				continue // customers have no trash (woo/225)
			}
			all = append(all, connectors.Event{
				Name:    resource + "." + event,
				Summary: summaryOf(resource, event),
				Payload: recordPayload(resource == "product"),
			})
		}
	}
	for _, hook := range []struct{ name, summary string }{
		{"woocommerce_order_status_completed", "An order became completed; arg is its id."},
		{"woocommerce_order_refunded", "An order was refunded; arg is the order's id."},
		{"woocommerce_refund_created", "A refund was made; arg is the refund's id."},
	} {
		all = append(all, connectors.Event{Name: "action." + hook.name, Summary: hook.summary, Payload: actionPayload()})
	}
	return all
}

func summaryOf(resource, event string) string {
	switch resource + "." + event {
	case "order.created":
		return "An order was made. It races with order.updated, which comes with it."
	case "order.updated":
		return "An order changed: status, payment, refund, content, or nothing at all."
	case "product.deleted":
		return "A product or variation went to the trash; also told of coupons (woo/557)."
	case "coupon.deleted":
		return "A coupon went to the trash; also told of products (woo/549)."
	case "product.created", "product.updated":
		return "A product or variation was " + event + "; parent_id tells a variation. A sale updates too."
	}
	return map[string]string{
		"created":  "The " + resource + " was made.",
		"updated":  "The " + resource + " changed.",
		"deleted":  "The " + resource + " was deleted, or moved to the trash.",
		"restored": "The " + resource + " came back from the trash. Not told when it is restored by its status (woo/541).",
	}[event]
}

// recordPayload is small on purpose: the body is built when it is delivered, so
// a flow reads the record again.
func recordPayload(withParent bool) *connectors.Schema {
	payload := map[string]*connectors.Schema{
		"id":                connectors.Integer().Described("The record's id"),
		"topic":             connectors.String().Described("order.created, …"),
		"resource":          connectors.String().Described("order, product, customer or coupon"),
		"status":            connectors.String().OrNull().Described("As delivered; null where the body has none"),
		"date_modified_gmt": connectors.DateTime().OrNull().Described("As delivered; null where the body has none"),
	}
	required := []string{"id", "topic", "resource", "status", "date_modified_gmt"}
	if withParent {
		payload["parent_id"] = connectors.Integer().OrNull().Described("The product of a variation; null for a product, and where the body has only the id")
		required = append(required, "parent_id")
	}
	slices.Sort(required)
	return connectors.Object(payload, required...)
}

func actionPayload() *connectors.Schema {
	return connectors.Object(map[string]*connectors.Schema{
		"id":       connectors.Integer().OrNull().Described("arg, where it is a whole number"),
		"topic":    connectors.String(),
		"resource": connectors.String().Described("Always action"),
		"action":   connectors.String().Described("The hook's name"),
		"arg":      connectors.Any().Described("The hook's first argument"),
	}, "action", "arg", "id", "resource", "topic")
}
