package sandbox

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is a record of a list with what it is sorted by.
type row struct {
	id                int64
	created, modified time.Time
	title             string
	view              func() any // made only for the rows of the page
}

// sortRows sorts as orderby and order ask. Rows that are equal keep the
// direction by id, so that pages do not overlap.
func (c *call) sortRows(rows []row, list *listParams) {
	by, direction := c.query.Get("orderby"), c.query.Get("order")
	if by == "" {
		by = list.orderby
	}
	if direction == "" {
		direction = list.order
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		n := 0
		switch by {
		case "date", "registered_date":
			n = a.created.Compare(b.created)
		case "modified":
			n = a.modified.Compare(b.modified)
		case "title", "name", "slug":
			n = strings.Compare(a.title, b.title)
		case "include", "post__in":
			n = cmp.Compare(c.placeOf(a.id), c.placeOf(b.id))
		}
		if n == 0 {
			n = cmp.Compare(a.id, b.id)
		}
		if direction == "desc" {
			return -n
		}
		return n
	})
}

func (c *call) placeOf(id int64) int {
	return slices.Index(c.listQuery("include"), strconv.FormatInt(id, 10))
}

// page cuts the page that was asked for out of sorted rows and sets the paging
// headers. Past the last page it is 200 and [] (woo/040).
func (c *call) page(rows []row, defaults ...string) (int, any, *apiError) {
	size := int(c.intQuery("per_page", 10))
	number := int(c.intQuery("page", 1))
	total := len(rows)
	pages := (total + size - 1) / size
	start := (number - 1) * size
	if c.query.Has("offset") {
		start = int(c.intQuery("offset", 0))
	}
	items := []any{}
	for i := start; i < min(start+size, total); i++ {
		items = append(items, rows[i].view())
	}
	c.header.Set("X-WP-Total", strconv.Itoa(total))
	c.header.Set("X-WP-TotalPages", strconv.Itoa(pages))
	var links []string
	if number > 1 {
		links = append(links, "<"+c.pageURL(min(number-1, max(pages, 1)), defaults)+`>; rel="prev"`)
	}
	if number < pages {
		links = append(links, "<"+c.pageURL(number+1, defaults)+`>; rel="next"`)
	}
	if links != nil {
		c.header.Set("Link", strings.Join(links, ", "))
	}
	return http.StatusOK, items, nil
}

// pageURL is the address of another page: the query in its order, the route's
// defaults behind it, page in its place or last (woo/038, 039, 373).
func (c *call) pageURL(number int, defaults []string) string {
	var parts []string
	seen := map[string]bool{}
	for part := range strings.SplitSeq(c.r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, value = unescape(name), unescape(value)
		if name == "" {
			continue
		}
		if name == "page" {
			value = strconv.Itoa(number)
		}
		if name == "status" && len(defaults) > 0 {
			for i, one := range splitList(value) {
				parts = append(parts, url.QueryEscape("status["+strconv.Itoa(i)+"]")+"="+url.QueryEscape(one))
			}
			seen[name] = true
			continue
		}
		seen[name] = true
		parts = append(parts, url.QueryEscape(name)+"="+url.QueryEscape(value))
	}
	for i := 0; i+1 < len(defaults); i += 2 {
		name, _, _ := strings.Cut(defaults[i], "[")
		if !seen[name] {
			parts = append(parts, url.QueryEscape(defaults[i])+"="+url.QueryEscape(defaults[i+1]))
		}
	}
	if !seen["page"] {
		parts = append(parts, "page="+strconv.Itoa(number))
	}
	path := strings.TrimSuffix(strings.TrimPrefix(collapse(c.r.URL.Path), "/index.php"), "/")
	return originOf(c.home) + path + "?" + strings.Join(parts, "&")
}

func unescape(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return plain
}
