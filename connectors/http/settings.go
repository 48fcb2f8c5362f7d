package http

import (
	"encoding/base64"
	"fmt"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

// The ways to prove who we are.
const (
	authNone   = "none"
	authBearer = "bearer"
	authBasic  = "basic"
	authHeader = "header"
)

const (
	defaultTokenHeader     = "X-Api-Key"
	defaultSignatureHeader = "X-Signature-256"
)

func settingsSchema() *connectors.Schema {
	text := func(description string) *connectors.Schema {
		return connectors.String().OrNull().Described(description)
	}
	secret := func(description string) *connectors.Schema {
		s := text(description)
		s.Secret = true
		return s
	}
	with := func(s *connectors.Schema, value any) *connectors.Schema { s.Default = value; return s }
	auth := with(text("How the API knows us: not at all, by a bearer token, by user and password, or by a token in a header of its own"), authNone)
	auth.Enum = []any{authNone, authBearer, authBasic, authHeader}
	return connectors.Object(map[string]*connectors.Schema{
		"base_url":     connectors.String().Described("Address below which everything is, such as https://api.example.com/v2"),
		"auth":         auth,
		"token":        secret("The token, for bearer and header"),
		"token_header": with(text("Header of the token, for header"), defaultTokenHeader),
		"user":         text("User, for basic"),
		"password":     secret("Password, for basic"),
		"headers":      openObject("Headers of every request: no secrets, those have settings of their own").OrNull(),
		"timeout":      with(connectors.Integer().OrNull().Described("Seconds that a request may take, at most 600"), int64(DefaultTimeout/time.Second)),
		"allow_private": with(connectors.Boolean().OrNull().Described(
			"Allow addresses of private networks and of this machine, and credentials over plain http. Addresses of cloud metadata services stay refused"), false),
		"webhook_secret":   secret("Secret that signs the webhooks: HMAC-SHA256 over the body"),
		"signature_header": with(text("Header of the signature, in hex or base64, with or without sha256= before it"), defaultSignatureHeader),
	}, "base_url")
}

// settings are the checked values of Spec.Settings.
type settings struct {
	base            *url.URL // without a slash at the end, query, fragment and user
	auth            string
	token           string
	tokenHeader     string
	user, password  string
	headers         nethttp.Header
	timeout         time.Duration
	ownTimeout      bool // set, not the default
	allowPrivate    bool
	webhookSecret   string
	signatureHeader string
}

// secrets are texts that must not stand in an error.
func (s settings) secrets() []string {
	all := []string{s.token, s.password, s.webhookSecret}
	if s.password != "" {
		all = append(all, base64.StdEncoding.EncodeToString([]byte(s.user+":"+s.password)))
	}
	return slices.DeleteFunc(all, func(text string) bool { return text == "" })
}

// credentialHeader is the header that proves who we are, "" for none.
func (s settings) credentialHeader() string {
	switch s.auth {
	case authBearer, authBasic:
		return "Authorization"
	case authHeader:
		return s.tokenHeader
	}
	return ""
}

func readSettings(config connectors.Config) (settings, error) {
	typed, err := settingsSchema().Convert(config.Settings)
	if err != nil {
		return settings{}, badConfig("the settings of the API cannot be read: %v", err)
	}
	values, _ := typed.(map[string]any)
	text := func(name, otherwise string) string {
		if s, _ := values[name].(string); strings.TrimSpace(s) != "" {
			return strings.TrimSpace(s)
		}
		return otherwise
	}
	s := settings{
		auth:            text("auth", authNone),
		token:           text("token", ""),
		tokenHeader:     nethttp.CanonicalHeaderKey(text("token_header", defaultTokenHeader)),
		user:            text("user", ""),
		timeout:         DefaultTimeout,
		headers:         nethttp.Header{},
		signatureHeader: nethttp.CanonicalHeaderKey(text("signature_header", defaultSignatureHeader)),
	}
	s.password, _ = values["password"].(string) // may begin or end with a space
	s.webhookSecret, _ = values["webhook_secret"].(string)
	s.allowPrivate, _ = values["allow_private"].(bool)

	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	var wrong string
	if s.base, wrong = readBase(text("base_url", "")); wrong != "" {
		problem("base_url %s", wrong)
	}
	switch s.auth {
	case authNone:
	case authBearer, authHeader:
		if s.token == "" {
			problem("token is missing")
		}
		if !isHeaderValue(s.token) {
			problem("token holds characters that no header can hold")
		}
		if !isHeaderName(s.tokenHeader) {
			problem("token_header is no name of a header")
		}
	case authBasic:
		if s.user == "" || s.password == "" {
			problem("user or password is missing")
		}
		if strings.Contains(s.user, ":") {
			problem("user must not hold a colon")
		}
	default:
		problem("auth must be none, bearer, basic or header, not %q", s.auth)
	}
	if s.base != nil && s.base.Scheme == "http" && s.auth != authNone && !s.allowPrivate {
		problem("base_url is not https, and anyone on the way could read the credentials (allow_private allows it, for a network you trust)")
	}
	if seconds, ok := values["timeout"].(int64); ok {
		s.timeout, s.ownTimeout = time.Duration(seconds)*time.Second, true
		if seconds < 1 || seconds > int64(MaxTimeout/time.Second) {
			problem("timeout must be 1 to %d seconds", MaxTimeout/time.Second)
		}
	}
	headers, _ := values["headers"].(map[string]any)
	if wrong := addHeaders(s.headers, headers, s.credentialHeader()); wrong != "" {
		problem("headers: %s", wrong)
	}
	if !isHeaderName(s.signatureHeader) {
		problem("signature_header is no name of a header")
	}
	if len(problems) > 0 {
		return settings{}, badConfig("the API is not configured rightly: %s", strings.Join(problems, ", "))
	}
	return s, nil
}

// readBase reads the address that everything is below. What is wrong never
// repeats the text, which may hold a password.
func readBase(text string) (base *url.URL, wrong string) {
	if text == "" {
		return nil, "is missing"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, "must look like https://api.example.com/v2"
	case u.User != nil:
		return nil, "must not hold a user or password; they have settings of their own"
	case u.RawQuery != "" || u.Fragment != "":
		return nil, "must end before ? and #"
	}
	return &url.URL{
		Scheme: u.Scheme, Host: u.Host,
		Path: strings.TrimRight(u.Path, "/"), RawPath: strings.TrimRight(u.RawPath, "/"),
	}, ""
}

func badConfig(format string, args ...any) *connectors.Error {
	return &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadConfig,
		Message: fmt.Sprintf(format, args...), Advice: "Correct the settings of the connection."}
}

func openObject(description string) *connectors.Schema {
	return &connectors.Schema{Type: "object", Open: true, Description: description}
}
