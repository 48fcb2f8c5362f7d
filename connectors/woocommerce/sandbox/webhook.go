package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// webhook is a subscription to a topic.
type webhook struct {
	id                int64
	name, status      string
	topic             string
	url, secret       string
	created, modified time.Time
	failures          int
	// pending: the ping has not been answered with 200 yet, so it is repeated
	// after every delivery (woo/559, 563).
	pending bool
}

// Webhook is a subscription, for Go.
type Webhook struct {
	ID                       int64
	Topic, URL, Secret, Name string
	Status                   string // active, paused, disabled; empty means active
	Failures                 int
	PingPending              bool
}

// topicHooks are the WordPress hooks that tell each topic.
var topicHooks = map[string][]string{
	"coupon.created":   {"woocommerce_process_shop_coupon_meta", "woocommerce_new_coupon"},
	"coupon.updated":   {"woocommerce_process_shop_coupon_meta", "woocommerce_update_coupon"},
	"coupon.deleted":   {"wp_trash_post"},
	"coupon.restored":  {"untrashed_post"},
	"customer.created": {"user_register", "woocommerce_created_customer", "woocommerce_new_customer"},
	"customer.updated": {"profile_update", "woocommerce_update_customer"},
	"customer.deleted": {"delete_user"},
	"order.created":    {"woocommerce_new_order"},
	"order.updated":    {"woocommerce_update_order", "woocommerce_order_refunded"},
	"order.deleted":    {"wp_trash_post", "woocommerce_trash_order"},
	"order.restored":   {"untrashed_post", "woocommerce_untrash_order"},
	"product.created":  {"woocommerce_process_product_meta", "woocommerce_new_product", "woocommerce_new_product_variation"},
	"product.updated":  {"woocommerce_process_product_meta", "woocommerce_update_product", "woocommerce_update_product_variation"},
	"product.deleted":  {"wp_trash_post"},
	"product.restored": {"untrashed_post"},
}

func (w *webhook) resource() string {
	resource, _, _ := strings.Cut(w.topic, ".")
	return resource
}

func (w *webhook) event() string {
	_, event, _ := strings.Cut(w.topic, ".")
	return event
}

func (w *webhook) hooks() []string {
	if w.resource() == "action" {
		return []string{w.event()}
	}
	return topicHooks[w.topic]
}

func knownTopic(topic string) bool {
	if _, ok := topicHooks[topic]; ok {
		return true
	}
	event, isAction := strings.CutPrefix(topic, "action.")
	return isAction && event != ""
}

// Subscribe adds a webhook as the API does, with its ping, and returns its id.
func (s *Shop) Subscribe(from Webhook) int64 {
	s.mu.Lock()
	w := s.newWebhook()
	w.topic, w.url, w.secret, w.name = from.Topic, from.URL, from.Secret, from.Name
	if from.Status != "" {
		w.status = from.Status
	}
	id, active := w.id, w.status == "active"
	s.mu.Unlock()
	if active {
		s.deliver.ping(id)
	}
	return id
}

// Webhooks lists the subscriptions by id.
func (s *Shop) Webhooks() []Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Webhook
	for _, w := range s.webhooks {
		out = append(out, Webhook{ID: w.id, Topic: w.topic, URL: w.url, Secret: w.secret, Name: w.name, Status: w.status, Failures: w.failures, PingPending: w.pending})
	}
	slices.SortFunc(out, func(a, b Webhook) int { return int(a.ID - b.ID) })
	return out
}

func (s *Shop) newWebhook() *webhook {
	s.ids.webhook++
	w := &webhook{id: s.ids.webhook, status: "active", created: s.clock(), pending: true,
		name: "Webhook created on " + s.clock().Format("Jan 02, 2006 @ 03:04 PM")}
	s.webhooks[w.id] = w
	return w
}

func (c *call) webhookView(w *webhook) object {
	s := c.shop
	return object{
		{"id", w.id}, {"name", w.name}, {"status", w.status}, {"topic", w.topic}, {"resource", w.resource()}, {"event", w.event()}, {"hooks", w.hooks()}, {"delivery_url", w.url},
		{"date_created", s.local(w.created)}, {"date_created_gmt", gmt(w.created)}, {"date_modified", s.local(w.modified)}, {"date_modified_gmt", gmt(w.modified)},
		c.links("/webhooks/"+strconv.FormatInt(w.id, 10), allMethods),
	}
}

func (c *call) liveWebhook() (*webhook, *apiError) {
	w, ok := c.shop.webhooks[c.ids[0]]
	if !ok {
		message := "ID is invalid."
		if c.batch {
			message = "Invalid ID."
		}
		return nil, refuse(http.StatusNotFound, "woocommerce_rest_shop_webhook_invalid_id", "%s", message)
	}
	return w, nil
}

func getWebhook(c *call) (int, any, *apiError) {
	w, refused := c.liveWebhook()
	if refused != nil {
		return 0, nil, refused
	}
	return http.StatusOK, c.webhookView(w), nil
}

func listWebhooks(c *call) (int, any, *apiError) {
	status := c.query.Get("status")
	var rows []row
	for _, w := range c.shop.webhooks {
		if (status == "" || status == "all" || status == w.status) && c.wanted(w.id) {
			rows = append(rows, row{id: w.id, created: w.created, modified: w.modified, title: w.name, view: func() any { return c.webhookView(w) }})
		}
	}
	c.sortRows(rows, webhookParams)
	return c.page(rows)
}

var webhookBody = []field{
	{name: "name", kind: "string"}, {name: "status", kind: "string", enum: []string{"active", "paused", "disabled"}},
	{name: "topic", kind: "string"}, {name: "secret", kind: "string"}, {name: "delivery_url", kind: "string"},
}

func createWebhook(c *call) (int, any, *apiError) {
	var absent []string
	for _, name := range []string{"topic", "delivery_url"} {
		if _, given := c.body[name]; !given {
			absent = append(absent, name)
		}
	}
	if absent != nil {
		return 0, nil, missing(absent...)
	}
	if refused := c.checkBody(webhookBody); refused != nil {
		return 0, nil, refused
	}
	if refused := c.checkWebhook(); refused != nil {
		return 0, nil, refused
	}
	s := c.shop
	w := s.newWebhook()
	w.secret = s.token(50)
	c.writeWebhook(w)
	c.header.Set("Location", c.root()+"/webhooks/"+strconv.FormatInt(w.id, 10))
	view := c.webhookView(w)
	s.pings = append(s.pings, w.id) // sent before the answer is (woo/501, 564)
	return http.StatusCreated, view, nil
}

func (c *call) checkWebhook() *apiError {
	if topic, given := c.text("topic"); given && !knownTopic(strings.ToLower(topic)) {
		return refuse(http.StatusBadRequest, "woocommerce_rest_shop_webhook_invalid_topic", "Webhook topic is required and must be valid.")
	}
	if url, given := c.text("delivery_url"); given && !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return refuse(http.StatusBadRequest, "woocommerce_rest_shop_webhook_invalid_delivery_url", "Webhook delivery URL must be a valid URL starting with http:// or https://.")
	}
	return nil
}

func (c *call) writeWebhook(w *webhook) {
	for name, into := range map[string]*string{"name": &w.name, "status": &w.status, "topic": &w.topic, "delivery_url": &w.url, "secret": &w.secret} {
		if text, given := c.text(name); given && (text != "" || name != "secret") {
			*into = text
		}
	}
}

// updateWebhook keeps the count of failures, also when it activates (woo/561).
func updateWebhook(c *call) (int, any, *apiError) {
	if refused := c.checkBody(webhookBody); refused != nil {
		return 0, nil, refused
	}
	w, refused := c.liveWebhook()
	if refused != nil {
		refused.status = http.StatusBadRequest
		return 0, nil, refused
	}
	if refused := c.checkWebhook(); refused != nil {
		return 0, nil, refused
	}
	c.writeWebhook(w)
	w.modified = c.shop.clock()
	if w.pending && w.status == "active" {
		c.shop.pings = append(c.shop.pings, w.id)
	}
	return http.StatusOK, c.webhookView(w), nil
}

func deleteWebhook(c *call) (int, any, *apiError) {
	w, refused := c.liveWebhook()
	if refused != nil {
		return 0, nil, refused
	}
	if !truth(c.query.Get("force")) {
		return 0, nil, refuse(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
	}
	delete(c.shop.webhooks, w.id)
	return http.StatusOK, c.webhookView(w), nil
}

func batchWebhooks(c *call) (int, any, *apiError) {
	return c.runBatch(batchOf{create: createWebhook, update: updateWebhook, remove: deleteWebhook})
}
