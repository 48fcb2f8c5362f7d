package sandbox

import (
	"net/http"
	"slices"
)

// fire tells a WordPress hook to the webhooks that listen to it, newest first
// as the shop loads them (woo/549).
func (s *Shop) fire(hook string, id int64) {
	var listening []*webhook
	for _, w := range s.webhooks {
		if w.status == "active" && slices.Contains(w.hooks(), hook) && hears(w, hook) {
			listening = append(listening, w)
		}
	}
	slices.SortFunc(listening, func(a, b *webhook) int { return int(b.id - a.id) })
	for _, w := range listening {
		s.deliver.enqueue(w.id, id)
	}
}

// hears tells whether a hook is meant for a webhook's resource. Trashing a
// product is told to coupon webhooks too, and the other way round (woo/549,
// 557); orders have a hook of their own.
func hears(w *webhook, hook string) bool {
	switch hook {
	case "wp_trash_post", "untrashed_post":
		return w.resource() == "product" || w.resource() == "coupon" || w.resource() == "action"
	}
	return true
}

func (s *Shop) fireProductUpdate(p *product) {
	if p.kind == "variation" {
		s.fire("woocommerce_update_product_variation", p.id)
		return
	}
	s.fire("woocommerce_update_product", p.id)
}

// payload builds a delivery's body, as things are now and not as they were when
// the hook fired (woo/539, 703). A record that is gone gives the API's error
// (woo/702).
func (s *Shop) payload(w *webhook, id int64) ([]byte, error) {
	if w.resource() == "action" {
		return marshalPHP(object{{"action", w.event()}, {"arg", id}})
	}
	if w.event() == "deleted" {
		return marshalPHP(object{{"id", id}})
	}
	c := s.internalCall()
	c.ids = []int64{id}
	read := map[string]handler{"order": getOrder, "product": getProduct, "customer": getCustomer, "coupon": getCoupon}[w.resource()]
	status, view, refused := read(c)
	if refused != nil {
		return marshalPHP(refused.body())
	}
	if status != http.StatusOK {
		view = object{}
	}
	return marshalPHP(view)
}

// RestoreProduct brings a product back from the trash as wp-admin does, which
// product.updated and product.restored tell (woo/709).
func (s *Shop) RestoreProduct(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.products[id]
	if !ok || p.status != "trash" {
		return false
	}
	s.setProductStatus(p, p.trashedFrom)
	s.touchProduct(p)
	s.fireProductUpdate(p)
	s.fire("untrashed_post", id)
	return true
}

// RestoreOrder brings an order back from the trash as wp-admin does, which
// order.restored tells (woo/707).
func (s *Shop) RestoreOrder(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.orders[id]
	if !ok || o.status != "trash" {
		return false
	}
	o.status = o.trashedFrom
	s.touch(o)
	s.fire("woocommerce_untrash_order", id)
	return true
}
