package sandbox

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds a request's body, in bytes.
const maxBody = 16 << 20

// call is one request to the API while it is worked on.
type call struct {
	shop   *Shop
	r      *http.Request
	home   string
	route  *route
	ids    []int64        // from the path, in order
	slugs  []string       // from the path, in order
	query  url.Values     // with the route's parameters checked
	body   map[string]any // JSON object or form; nil without one
	list   []any          // JSON list, which most routes do not see
	header http.Header    // to be sent
	batch  bool           // an item of a batch: not checked
	// allow replaces the route's methods in the answer where a record is special;
	// hideAllow leaves them out.
	allow     []string
	hideAllow bool
	pretty    bool // below /wp-json, not ?rest_route=
	key       *Key
}

func (c *call) root() string { return c.home + "/wp-json/wc/v3" }

// ServeHTTP answers a request as the shop would.
func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := &recorder{}
	entry := s.traffic.begin(r)
	fault := s.traffic.fault(r)
	if fault != nil && !fault.After {
		fault.apply(w, r, nil)
		s.traffic.end(entry, fault.Status)
		return
	}
	s.answer(recorder, r)
	s.traffic.end(entry, recorder.status)
	if fault != nil {
		fault.apply(w, r, recorder)
		return
	}
	recorder.send(w)
}

// recorder holds an answer until it is known what the client gets to see of it.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (rec *recorder) send(w http.ResponseWriter) {
	for name, values := range rec.header {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.status)
	w.Write(rec.body)
}

// answer works out the answer, under the shop's lock; pings go out after it.
func (s *Shop) answer(rec *recorder, r *http.Request) {
	rec.header = http.Header{
		"X-Robots-Tag":                  {"noindex"},
		"X-Content-Type-Options":        {"nosniff"},
		"Access-Control-Expose-Headers": {"X-WP-Total, X-WP-TotalPages, Link"},
		"Access-Control-Allow-Headers":  {"Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type"},
		"Content-Type":                  {"application/json; charset=UTF-8"},
	}
	path, pretty, isAPI := s.apiPath(r)
	if !isAPI {
		s.notFoundPage(rec)
		return
	}
	if pretty && s.plainPermalinks() {
		s.frontPage(rec, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		rec.status, rec.body = http.StatusRequestEntityTooLarge, []byte("{}")
		return
	}
	s.mu.Lock()
	c := &call{shop: s, r: r, home: s.home(r), query: queryOf(r), header: rec.header, pretty: pretty}
	status, result, refused := s.dispatch(c, path, body)
	pings := s.pings
	s.pings = nil
	s.mu.Unlock()
	for _, id := range pings {
		s.deliver.ping(id) // the client waits meanwhile, as it does in the shop
	}
	if refused != nil {
		status, result = refused.status, refused.body()
	}
	if c.route != nil && !c.hideAllow && (refused == nil || !refused.hideAllow) {
		allow := c.route.allow
		if c.allow != nil {
			allow = c.allow
		}
		rec.header.Set("Allow", strings.Join(allow, ", "))
	}
	rec.status = status
	if rec.body, err = marshalPHP(result); err != nil {
		rec.status, rec.body = http.StatusInternalServerError, []byte(strconv.Quote(err.Error()))
	}
	if r.Method == http.MethodHead {
		rec.body = nil
	}
}

// apiPath returns the path below /wp-json, in each form WordPress serves
// (woo/612 to 615). pretty is false for ?rest_route=, where WooCommerce does not
// look at keys (woo/614, 627).
func (s *Shop) apiPath(r *http.Request) (path string, pretty, ok bool) {
	path = collapse(r.URL.Path)
	if home, err := url.Parse(s.url); err == nil {
		path = strings.TrimPrefix(path, home.Path) // a shop in a folder
	}
	path = strings.TrimPrefix(path, "/index.php")
	rest, found := strings.CutPrefix(path, "/wp-json")
	if !found || rest != "" && rest[0] != '/' {
		if route := r.URL.Query().Get("rest_route"); route != "" && path == "/" {
			return strings.TrimSuffix(route, "/"), false, true
		}
		return "", false, false
	}
	return strings.TrimSuffix(rest, "/"), true, true
}

func collapse(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// dispatch runs the steps of WordPress's REST server: authentication, route,
// permission, parameters, handler.
func (s *Shop) dispatch(c *call, path string, body []byte) (int, any, *apiError) {
	method := methodOf(c.r)
	if c.pretty && (strings.HasPrefix(path, "/wc/") || strings.HasPrefix(path, "/wc-")) {
		if refused := s.authenticate(c, method); refused != nil {
			refused.hideAllow = true
			return 0, nil, refused
		}
	}
	found := s.match(c, method, path)
	if found == nil {
		return 0, nil, noRoute()
	}
	c.route = found
	if !found.public && c.key == nil {
		refused := found.forbidden()
		refused.hideAllow = true
		return 0, nil, refused
	}
	if refused := c.readBody(method, body); refused != nil {
		return 0, nil, refused
	}
	if found.list != nil {
		if refused := c.checkList(found.list); refused != nil {
			return 0, nil, refused
		}
	}
	status, result, refused := found.handle(c)
	if refused != nil {
		return 0, nil, refused
	}
	if fields := c.query.Get("_fields"); fields != "" {
		kept := splitList(fields)
		if _, single := result.(object); single && found.single {
			kept = append(kept, "_links") // woo/304; lists drop them (woo/017)
		}
		result = only(result, kept)
	}
	return status, result, nil
}

// methodOf honours the method override (woo/616, 617).
func methodOf(r *http.Request) string {
	method := r.Method
	if method == http.MethodPost {
		if over := r.Header.Get("X-HTTP-Method-Override"); over != "" {
			method = strings.ToUpper(over)
		}
		if over := r.URL.Query().Get("_method"); over != "" {
			method = strings.ToUpper(over)
		}
	}
	if method == http.MethodHead {
		return http.MethodGet
	}
	return method
}

// readBody reads JSON or a form. A body of no known type is not seen at all,
// and neither are the members of a list (woo/119, 120).
func (c *call) readBody(method string, body []byte) *apiError {
	if method == http.MethodGet || len(body) == 0 {
		return nil
	}
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch {
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		raw, err := decodeJSON(body)
		if err != nil {
			return refuseData(http.StatusBadRequest, "rest_invalid_json", "Invalid JSON body passed.",
				member{"json_error_code", 4}, member{"json_error_message", "Syntax error"})
		}
		c.body, _ = raw.(map[string]any)
		c.list, _ = raw.([]any)
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil
		}
		c.body = map[string]any{}
		for name := range form {
			c.body[name] = form.Get(name)
		}
	}
	return nil
}

func decodeJSON(data []byte) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var raw any
	if err := decoder.Decode(&raw); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, fmt.Errorf("text after the JSON")
	}
	return raw, nil
}

func (s *Shop) plainPermalinks() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings.PlainPermalinks
}

// frontPage is what the API's address answers where permalinks are plain: a read
// is sent to the address with a slash (woo/626); there, and to a write, the
// shop's front page.
func (s *Shop) frontPage(rec *recorder, r *http.Request) {
	s.mu.Lock()
	home, name := s.home(r), s.settings.Name
	s.mu.Unlock()
	rec.header = http.Header{"Content-Type": {"text/html; charset=UTF-8"}}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !reads || strings.HasSuffix(r.URL.Path, "/") {
		rec.status = http.StatusOK
		rec.body = []byte("<!DOCTYPE html><html><head><title>" + html.EscapeString(name) + "</title></head><body></body></html>")
		return
	}
	target := *r.URL
	target.Path += "/"
	rec.header.Set("Location", originOf(home)+target.RequestURI())
	rec.status = http.StatusMovedPermanently
}

// queryOf reads a query as PHP does: of a name that comes twice the last counts,
// which WooCommerce's own client relies on over http.
func queryOf(r *http.Request) url.Values {
	query := r.URL.Query()
	for name, values := range query {
		if !strings.HasSuffix(name, "[]") {
			query[name] = values[len(values)-1:]
		}
	}
	return query
}

// notFoundPage is the theme's page for an address that is not the API's (woo/603).
func (s *Shop) notFoundPage(rec *recorder) {
	rec.header.Set("Content-Type", "text/html; charset=UTF-8")
	rec.header.Del("X-Robots-Tag")
	rec.status = http.StatusNotFound
	rec.body = []byte("<!DOCTYPE html>\n<html lang=\"en-US\">\n<head>\n\t<meta charset=\"UTF-8\" />\n<title>Page not found &#8211; " +
		s.settings.Name + "</title>\n</head>\n<body></body>\n</html>\n")
}

// isTLS tells whether WordPress would say is_ssl().
func isTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func sleep(d time.Duration, r *http.Request) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}
