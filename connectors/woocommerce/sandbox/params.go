package sandbox

import (
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// param is a parameter of a list and the form it must have.
type param struct {
	name     string
	kind     string // integer, boolean, date, email, enum, enums (a list), text
	min, max int64  // of integers, where max is above 0
	enum     []string
}

// listParams are the parameters of a list, in the order they are checked in.
type listParams struct {
	params []param
	// orderby and order that apply when none is asked for.
	orderby, order string
}

// common are the parameters that all paged lists have.
func common(orderby []string, more ...param) []param {
	return append([]param{
		{name: "page", kind: "integer", min: 1},
		{name: "per_page", kind: "integer", min: 1, max: 100},
		{name: "after", kind: "date"}, {name: "before", kind: "date"},
		{name: "modified_after", kind: "date"}, {name: "modified_before", kind: "date"},
		{name: "offset", kind: "integer"},
		{name: "order", kind: "enum", enum: []string{"asc", "desc"}},
		{name: "orderby", kind: "enum", enum: orderby},
	}, more...)
}

var (
	orderStatuses = []string{"auto-draft", "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft"}
	productOrders = []string{"date", "id", "include", "title", "slug", "modified", "popularity", "rating", "post__in", "price", "sales", "menu_order", "random",
		"popularity", "rating", "menu_order", "price", "popularity", "rating"}
	productTypes    = []string{"simple", "grouped", "external", "variable"}
	productStatuses = []string{"any", "future", "trash", "draft", "pending", "private", "publish"}

	orderParams = &listParams{orderby: "date", order: "desc", params: common(
		[]string{"date", "id", "include", "title", "slug", "modified"},
		param{name: "status", kind: "enums", enum: append([]string{"any", "trash"}, orderStatuses...)},
		param{name: "customer", kind: "integer"}, param{name: "product", kind: "integer"}, param{name: "dp", kind: "integer"})}
	refundParams = &listParams{orderby: "date", order: "desc", params: common(
		[]string{"date", "id", "include", "title", "slug", "modified"}, param{name: "dp", kind: "integer"})}
	productParams = &listParams{orderby: "date", order: "desc", params: common(productOrders,
		param{name: "status", kind: "enum", enum: productStatuses},
		param{name: "type", kind: "enum", enum: productTypes},
		param{name: "stock_status", kind: "enum", enum: []string{"instock", "outofstock", "onbackorder"}})}
	variationParams = &listParams{orderby: "date", order: "desc", params: common(
		[]string{"date", "id", "include", "title", "slug", "modified", "menu_order"},
		param{name: "status", kind: "enum", enum: productStatuses})}
	couponParams   = &listParams{orderby: "date", order: "desc", params: common([]string{"date", "id", "include", "title", "slug", "modified"})}
	customerParams = &listParams{orderby: "name", order: "asc", params: []param{
		{name: "page", kind: "integer", min: 1}, {name: "per_page", kind: "integer", min: 1, max: 100},
		{name: "offset", kind: "integer"},
		{name: "order", kind: "enum", enum: []string{"asc", "desc"}},
		{name: "orderby", kind: "enum", enum: []string{"id", "include", "name", "registered_date"}},
		{name: "email", kind: "email"},
		{name: "role", kind: "enum", enum: []string{"all", "administrator", "editor", "author", "contributor", "subscriber", "customer", "shop_manager"}},
	}}
	taxParams     = &listParams{orderby: "order", order: "asc", params: common([]string{"id", "order", "priority"})}
	webhookParams = &listParams{orderby: "date", order: "desc", params: common([]string{"date", "id", "title"},
		param{name: "status", kind: "enum", enum: []string{"all", "active", "paused", "disabled"}})}
)

// checkList refuses parameters of the wrong form, all at once (woo/611).
func (c *call) checkList(list *listParams) *apiError {
	var problems []problem
	for _, p := range list.params {
		if !c.query.Has(p.name) {
			continue
		}
		if found := p.check(c.query.Get(p.name)); found != nil {
			problems = append(problems, *found)
		}
	}
	if problems != nil {
		return invalid(problems)
	}
	return nil
}

func (p param) check(text string) *problem {
	is := func(code, message string, data any) *problem {
		return &problem{param: p.name, code: code, message: message, data: data}
	}
	switch p.kind {
	case "integer":
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return is("rest_invalid_type", p.name+" is not of type integer.", object{{"param", p.name}})
		case p.max > 0 && (n < p.min || n > p.max):
			return is("rest_out_of_bounds", fmt.Sprintf("%s must be between %d (inclusive) and %d (inclusive)", p.name, p.min, p.max), nil)
		case n < p.min:
			return is("rest_out_of_bounds", fmt.Sprintf("%s must be greater than or equal to %d", p.name, p.min), nil)
		}
	case "enum":
		if !slices.Contains(p.enum, text) {
			return is("rest_not_in_enum", p.name+" is not one of "+enumText(p.enum)+".", nil)
		}
	case "enums":
		for i, one := range splitList(text) {
			if !slices.Contains(p.enum, one) {
				return is("rest_not_in_enum", fmt.Sprintf("%s[%d] is not one of %s.", p.name, i, enumText(p.enum)), nil)
			}
		}
	case "date":
		if _, err := parseStamp(text, time.UTC); err != nil {
			return is("rest_invalid_date", "Invalid date.", nil)
		}
	case "email":
		if !isEmail(text) {
			return is("rest_invalid_email", "Invalid email address.", nil)
		}
	}
	return nil
}

func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text {
		return false
	}
	_, domain, _ := strings.Cut(text, "@")
	return strings.Contains(domain, ".")
}

// parseStamp reads an instant; one without a zone is in the given zone.
func parseStamp(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	t, err := time.ParseInLocation(wireTime, text, zone)
	return t.UTC(), err
}

// stamp reads a date parameter: in the shop's time unless dates_are_gmt or the
// text itself says otherwise (woo/374 to 376).
func (c *call) stamp(name string) (time.Time, bool) {
	text := c.query.Get(name)
	if text == "" {
		return time.Time{}, false
	}
	zone := c.shop.zone
	if truth(c.query.Get("dates_are_gmt")) {
		zone = time.UTC
	}
	t, err := parseStamp(text, zone)
	return t, err == nil
}

// within tells whether a record's stamps pass the date parameters. They compare
// strictly, in whole seconds (woo/405).
func (c *call) within(created, modified time.Time) bool {
	passes := func(t time.Time, after, before string) bool {
		if limit, ok := c.stamp(after); ok && !t.After(limit) {
			return false
		}
		if limit, ok := c.stamp(before); ok && !t.Before(limit) {
			return false
		}
		return true
	}
	return passes(created, "after", "before") && passes(modified, "modified_after", "modified_before")
}

// wanted tells whether include and exclude let an id through.
func (c *call) wanted(id int64) bool {
	text := strconv.FormatInt(id, 10)
	if include := c.listQuery("include"); len(include) > 0 && !slices.Contains(include, text) {
		return false
	}
	return !slices.Contains(c.listQuery("exclude"), text)
}

// listQuery reads a list: with commas, or as name[0]=…, name[]=… (woo/008).
func (c *call) listQuery(name string) []string {
	values := splitList(c.query.Get(name))
	for key, more := range c.query {
		if strings.HasPrefix(key, name+"[") && strings.HasSuffix(key, "]") {
			values = append(values, more...)
		}
	}
	return values
}

func (c *call) intQuery(name string, otherwise int64) int64 {
	n, err := strconv.ParseInt(c.query.Get(name), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

func splitList(text string) []string {
	if text == "" {
		return nil
	}
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		out = append(out, strings.TrimSpace(part))
	}
	return out
}

func truth(text string) bool { return text == "true" || text == "1" || text == "yes" }
