package http

import (
	"encoding/json"
	"fmt"
	"maps"
	nethttp "net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// MaxBody bounds the body of a request, in bytes.
const MaxBody = 16 << 20

// request is one call, not yet authorized.
type request struct {
	action action
	target *url.URL
	header nethttp.Header
	body   []byte // JSON, nil for none
}

// request builds the request of a call from its parameters.
func (c *Connection) request(a action, given map[string]any) (*request, error) {
	p, err := complete(a, given)
	if err != nil {
		return nil, err
	}
	values, err := p.record("path_values")
	if err != nil {
		return nil, err
	}
	r := &request{action: a, header: c.settings.headers.Clone()}
	if r.target, err = c.target(p.text("path"), values); err != nil {
		return nil, badParams("%s: %v", a.Name, err)
	}
	query, err := p.record("query")
	if err != nil {
		return nil, err
	}
	if r.target.RawQuery, err = encodeQuery(query); err != nil {
		return nil, badParams("%s: query: %v", a.Name, err)
	}
	headers, err := p.record("headers")
	if err != nil {
		return nil, err
	}
	if wrong := addHeaders(r.header, headers, c.settings.credentialHeader()); wrong != "" {
		return nil, badParams("%s: headers: %s", a.Name, wrong)
	}
	if a.keyed {
		if err := addKey(r.header, p, c.settings.credentialHeader()); err != nil {
			return nil, badParams("%s: %v", a.Name, err)
		}
	}
	if body := p.values["body"]; a.hasBody && body != nil {
		if r.body, err = json.Marshal(wireValue(body)); err != nil {
			return nil, badParams("%s: the body cannot be written as JSON: %v", a.Name, err)
		}
		if len(r.body) > MaxBody {
			return nil, badParams("%s: the body has %d bytes, more than %d", a.Name, len(r.body), MaxBody)
		}
	}
	return r, nil
}

// params are the checked parameters of a call.
type params struct {
	action action
	values map[string]any
}

// complete checks the names of parameters and fills in defaults. A null
// parameter counts as not given.
func complete(a action, given map[string]any) (params, error) {
	schema := a.params()
	p := params{action: a, values: map[string]any{}}
	for name, property := range schema.Properties {
		if property.Default != nil {
			p.values[name] = property.Default
		}
	}
	for name, value := range given {
		property, known := schema.Property(name)
		if !known {
			return p, badParams("%s has no parameter %q; it takes %s", a.Name, name, strings.Join(schema.PropertyNames(), ", "))
		}
		if _, isText := value.(string); property.Type == "string" && value != nil && !isText {
			return p, badParams("%s: %s must be text", a.Name, name)
		}
		if value != nil {
			p.values[name] = value
		}
	}
	for _, name := range schema.Required {
		if p.text(name) == "" {
			return p, badParams("%s needs the parameter %q", a.Name, name)
		}
	}
	return p, nil
}

func (p params) text(name string) string {
	text, _ := p.values[name].(string)
	return text
}

func (p params) record(name string) (map[string]any, error) {
	record, ok := p.values[name].(map[string]any)
	if !ok && p.values[name] != nil {
		return nil, badParams("%s: %s must be a record", p.action.Name, name)
	}
	return record, nil
}

// target is the address of a path. It never leaves the base URL: not by "..",
// by a value with slashes, nor by a path that is an address of its own.
func (c *Connection) target(path string, values map[string]any) (*url.URL, error) {
	if strings.ContainsAny(path, "?#\\") || strings.ContainsFunc(path, isControl) {
		return nil, fmt.Errorf("the path must hold no ?, # or \\; parameters belong in query")
	}
	if strings.Contains(path, "://") || strings.HasPrefix(path, "//") {
		return nil, fmt.Errorf("the path must be one below the base URL, not an address")
	}
	used := map[string]bool{}
	target := *c.settings.base
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		filled, err := fill(segment, values, used)
		if err != nil {
			return nil, err
		}
		target.RawPath = target.EscapedPath() + "/" + url.PathEscape(filled)
		target.Path += "/" + filled
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !used[name] {
			return nil, fmt.Errorf("path_values has %q, but the path has no {%s}", name, name)
		}
	}
	return &target, nil
}

// fill puts values into one segment of a path, which then is text to be escaped.
func fill(segment string, values map[string]any, used map[string]bool) (string, error) {
	text, err := url.PathUnescape(segment)
	if err != nil {
		return "", fmt.Errorf("the path has a %% that is not an escape")
	}
	var out strings.Builder
	for {
		before, rest, opened := strings.Cut(text, "{")
		out.WriteString(before)
		if !opened {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Errorf("the path has a { without its }")
		}
		value, ok := values[name]
		if !ok {
			return "", fmt.Errorf("path_values has no value for {%s}", name)
		}
		filled, err := scalarText(value)
		if err != nil || filled == "" {
			return "", fmt.Errorf("the value for {%s} is no text or number", name)
		}
		used[name] = true
		out.WriteString(filled)
		text = after
	}
	if filled := out.String(); filled != "." && filled != ".." && !strings.ContainsFunc(filled, isControl) {
		return filled, nil
	}
	return "", fmt.Errorf("the path must not hold . or .. or control characters as a part")
}

func encodeQuery(query map[string]any) (string, error) {
	values := url.Values{}
	for name, value := range query {
		items, isList := value.([]any)
		if !isList {
			items = []any{value}
		}
		for _, item := range items {
			if item == nil {
				continue
			}
			text, err := scalarText(item)
			if err != nil {
				return "", fmt.Errorf("%s %w", name, err)
			}
			values.Add(name, text)
		}
	}
	return values.Encode(), nil
}

// scalarText writes a value into a path, a query or a header.
func scalarText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case int:
		return strconv.Itoa(v), nil
	case decimal.Decimal:
		return v.String(), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	}
	return "", fmt.Errorf("must be text, a number, an instant, true or false")
}

// wireValue turns typed values into what encoding/json writes as the API reads it.
func wireValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[name] = wireValue(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = wireValue(item)
		}
		return out
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case decimal.Decimal:
		return json.Number(v.String())
	}
	return value
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func badParams(format string, args ...any) *connectors.Error {
	return connectors.Errorf(connectors.Permanent, connectors.CodeBadParams, "http: "+format, args...)
}
