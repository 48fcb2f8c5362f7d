package sandbox

import (
	"net/http"
	"net/url"
)

// batchOf is what a batch does with its items.
type batchOf struct{ create, update, remove handler }

// runBatch works through a batch. An item that fails holds its error; the
// others go on (woo/163).
func (c *call) runBatch(of batchOf) (int, any, *apiError) {
	create, update, remove := asArray(c.body["create"]), asArray(c.body["update"]), asArray(c.body["delete"])
	if len(create)+len(update)+len(remove) > 100 {
		return 0, nil, refuse(http.StatusRequestEntityTooLarge, "woocommerce_rest_request_entity_too_large",
			"Unable to accept more than 100 items for this request.")
	}
	result := object{}
	add := func(name string, items []any, run handler, input func(any) (int64, map[string]any)) {
		if len(items) == 0 {
			return
		}
		answers := []any{}
		for _, item := range items {
			id, body := input(item)
			one := &call{shop: c.shop, r: c.r, home: c.home, route: c.route, ids: append(c.ids[:len(c.ids):len(c.ids)], id), body: body,
				query: url.Values{}, header: http.Header{}, batch: true, key: c.key}
			if name == "create" {
				one.ids = c.ids
			}
			if name == "delete" {
				one.query.Set("force", "true") // a batch deletes for good
			}
			_, view, refused := run(one)
			if refused != nil {
				e := refused.body()
				var of any = id
				switch {
				case name == "update" && body["id"] == nil:
					of = nil // woo/163
				case name == "delete" && len(c.ids) > 0:
					of = object{{"id", id}, {"product_id", c.ids[0]}, {"force", true}} // woo/160
				}
				answers = append(answers, object{{"id", of}, {"error", e}})
				continue
			}
			answers = append(answers, view)
		}
		result = append(result, member{name, answers})
	}
	record := func(item any) (int64, map[string]any) {
		body := asRecord(item)
		if body == nil {
			body = map[string]any{}
		}
		return asInt(body["id"]), body
	}
	add("create", create, of.create, func(item any) (int64, map[string]any) {
		_, body := record(item)
		return 0, body
	})
	add("update", update, of.update, record)
	add("delete", remove, of.remove, func(item any) (int64, map[string]any) { return asInt(item), nil })
	if len(result) == 0 {
		return http.StatusOK, []any{}, nil // PHP's empty object (woo/166)
	}
	return http.StatusOK, result, nil
}
