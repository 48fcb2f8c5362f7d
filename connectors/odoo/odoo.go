// Package odoo connects flows to an Odoo ERP (versions 17 to 21): its records,
// read and written over Odoo's own API with typed values and one set of field
// names.
//
// It speaks JSON-2 where the server has it (19 and later) and there is an API
// key, JSON-RPC otherwise (negotiate.go).
//
// Flows speak the names of Odoo 19; on an older server the connector translates
// them both ways (names.go). Reads of master data are cached for some minutes
// (master.go). Nothing has to be installed in Odoo.
package odoo

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

func init() { connectors.Register(Connector{}) }

// Connector is the connector "odoo". The zero value describes records by the
// shipped types; Retype puts others in their place.
type Connector struct{ resources map[string]*connectors.Schema }

var (
	_ connectors.Connector      = Connector{}
	_ connectors.Retyper        = Connector{}
	_ connectors.ResourceReader = (*Connection)(nil)
)

// Spec describes the connector.
func (c Connector) Spec() connectors.Spec {
	return connectors.Spec{
		Name:       "odoo",
		Title:      "Odoo",
		Summary:    "Reads and writes the records of an Odoo ERP, versions 17 to 21, over JSON-RPC or JSON-2.",
		Settings:   settingsSchema(),
		Login:      []string{"url", "database", "login"},
		Pace:       pace,
		Operations: operations(c.resources),
		Events:     events(),
	}
}

func settingsSchema() *connectors.Schema {
	secret := func(text string) *connectors.Schema {
		s := connectors.String().OrNull().Described(text)
		s.Secret = true
		return s
	}
	return connectors.Object(map[string]*connectors.Schema{
		"url":        connectors.String().Described("Address of the Odoo server, such as https://erp.example.com"),
		"database":   connectors.String().Described("Name of the database"),
		"login":      connectors.String().Described("Login of the user the flows work as"),
		"api_key":    secret("API key of that user (Preferences > Account Security > New API Key)"),
		"password":   secret("Password of that user, where no API key is used"),
		"company_id": connectors.Integer().OrNull().Described("Id of the company to work in, where the user sees several"),
		"company_ids": connectors.Array(connectors.Integer()).OrNull().
			Described("Ids of further companies whose records are seen as well; new records belong to company_id"),
		"warehouse_id": connectors.Integer().OrNull().Described("Id of the warehouse whose quantities are read; without it those of all"),
		"lang":         connectors.String().OrNull().Described("Language of names and texts, such as en_US"),
		"context":      contextSetting(),
		"push_secret":  secret("Secret that announcements of Odoo must carry (odoo.push.register)"),
	}, "url", "database", "login")
}

// Open returns a connection. Settings that are incomplete or wrong give an
// *Error with code bad_config that names all of them.
func (Connector) Open(config connectors.Config) (connectors.Connection, error) {
	settings, err := readSettings(config)
	if err != nil {
		return nil, err
	}
	remote := negotiate(&wire{client: config.Politely(httpClient(config.HTTPClient)), settings: settings})
	return newConnection(remote, settings), nil
}

// settings are the checked values of Spec.Settings.
type settings struct {
	url      string // scheme, host and path without a slash at the end
	database string
	login    string
	secret   string // API key, or password where there is no key
	key      bool   // the secret is an API key
	// companies are those allowed, the one to work in first; none: the user's own.
	companies  []int64
	warehouse  int64          // 0: all
	lang       string         // "": the user's own
	context    map[string]any // further keys
	pushSecret string
}

func contextSetting() *connectors.Schema {
	s := &connectors.Schema{Type: "object", Open: true}
	return s.OrNull().Described("Further keys of Odoo's context for every call")
}

func readSettings(config connectors.Config) (settings, error) {
	typed, err := settingsSchema().Convert(config.Settings)
	if err != nil {
		return settings{}, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig,
			"the settings of Odoo cannot be read: %w", err)
	}
	values, _ := typed.(map[string]any)
	text := func(name string) string {
		s, _ := values[name].(string)
		return strings.TrimSpace(s)
	}
	s := settings{
		database: text("database"),
		login:    text("login"),
		secret:   text("api_key"),
		lang:     text("lang"),
	}
	if s.key = s.secret != ""; !s.key {
		// A password may begin or end with a space; a key never does.
		s.secret, _ = values["password"].(string)
	}
	s.pushSecret, _ = values["push_secret"].(string)
	s.warehouse, _ = values["warehouse_id"].(int64)

	var problems []string
	var problem string
	if s.companies, problem = companies(values); problem != "" {
		problems = append(problems, problem)
	}
	if s.context, problem = fixedContext(values["context"]); problem != "" {
		problems = append(problems, problem)
	}
	if s.url, problem = cleanURL(text("url")); problem != "" {
		problems = append(problems, problem)
	}
	if s.database == "" {
		problems = append(problems, "the database is missing")
	}
	if s.login == "" {
		problems = append(problems, "the login is missing")
	}
	if s.secret == "" {
		problems = append(problems, "both the API key and the password are missing")
	}
	if s.warehouse < 0 {
		problems = append(problems, "the warehouse's id is negative")
	}
	if len(problems) > 0 {
		return settings{}, &connectors.Error{
			Class:   connectors.Permanent,
			Code:    connectors.CodeBadConfig,
			Message: "Odoo is not fully configured: " + strings.Join(problems, ", "),
			Advice:  "Complete the Odoo settings.",
		}
	}
	return s, nil
}

// companies are the allowed ones: the first is the one that new records get.
func companies(values map[string]any) (ids []int64, problem string) {
	if id, ok := values["company_id"].(int64); ok && id != 0 {
		ids = append(ids, id)
	}
	further, _ := values["company_ids"].([]any)
	for _, item := range further {
		id, _ := item.(int64)
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if slices.ContainsFunc(ids, func(id int64) bool { return id <= 0 }) {
		return nil, "the id of a company is not positive"
	}
	return ids, ""
}

func fixedContext(value any) (map[string]any, string) {
	given, _ := value.(map[string]any)
	encoded, problem := plain(given)
	if problem != "" {
		return nil, "the context " + problem
	}
	out, _ := encoded.(map[string]any)
	return out, ""
}

// cleanURL turns what people paste from the address bar into the server's own
// address. The problem is "" when there is none; it never repeats the text,
// which may hold a password.
func cleanURL(text string) (address, problem string) {
	if text == "" {
		return "", "the URL is missing"
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", "the URL must look like https://erp.example.com"
	}
	if u.User != nil {
		return "", "the URL must not hold a login; give it in its own field"
	}
	path := strings.TrimRight(u.Path, "/")
	// Addresses of Odoo's own pages: the web client of 17 and 18, and of later.
	for _, page := range []string{"/web", "/odoo", "/jsonrpc"} {
		if i := strings.Index(path+"/", page+"/"); i >= 0 {
			path = path[:i]
		}
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}).String(), ""
}

// httpClient returns a client that never follows a redirect: a POST that is
// redirected turns into a GET and would be lost without a word.
func httpClient(given *http.Client) *http.Client {
	client := httpcall.NoRedirects(given)
	if given == nil {
		client.Transport = defaultTransport()
	}
	// Odoo needs none of its session cookies over this API, and a session that
	// expires must not get between two calls.
	client.Jar = nil
	return client
}

func defaultTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     30 * time.Second,
		ForceAttemptHTTP2:   true,
	}
}
