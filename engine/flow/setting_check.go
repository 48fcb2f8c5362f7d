package flow

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Bounds on what people enter.
const (
	maxSettingText = 64 << 10
	maxSettingRows = 10_000
)

func (s Setting) checkText(text string) (any, error) {
	if s.Type != "secret" {
		text = strings.TrimSpace(text)
	}
	switch {
	case text == "":
		return nil, nil
	case len(text) > maxSettingText:
		return nil, fmt.Errorf("it has %d bytes; at most %d are kept", len(text), maxSettingText)
	case s.Type == "choice" && !slices.Contains(s.Choices, text):
		return nil, fmt.Errorf("%q is none of %s", text, strings.Join(s.Choices, ", "))
	}
	return text, checkFormat(s.Format, text)
}

// checkFormat says how a text should look. It looks nothing up.
func checkFormat(format, text string) error {
	switch format {
	case "url":
		return checkURL(text)
	case "email":
		address, err := mail.ParseAddress(text)
		if err != nil || address.Address != text {
			return fmt.Errorf("%q is no e-mail address; one looks like name@example.com", text)
		}
	}
	return nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || strings.ContainsAny(text, " \t\r\n"):
		return fmt.Errorf("%q is no web address", text)
	case u.Scheme == "" || u.Host == "" && !strings.Contains(text, "://"):
		return fmt.Errorf("%q lacks https:// at its beginning", text)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%q begins with %s://; web addresses begin with https://", text, u.Scheme)
	case u.Hostname() == "":
		return fmt.Errorf("%q names no host", text)
	case u.User != nil:
		// Whoever sees the address would see the password.
		return errors.New("an address with a login in it is not kept; enter login and password in their own fields")
	}
	return nil
}

func (s Setting) checkRange(v any) error {
	var n decimal.Decimal
	switch v := v.(type) {
	case int64:
		n = decimal.NewFromInt(v)
	case decimal.Decimal:
		n = v
	default:
		return fmt.Errorf("%v is no number", v)
	}
	if s.Min != nil && n.LessThan(decimal.NewFromInt(*s.Min)) {
		return fmt.Errorf("%s is less than %d", n, *s.Min)
	}
	if s.Max != nil && n.GreaterThan(decimal.NewFromInt(*s.Max)) {
		return fmt.Errorf("%s is more than %d", n, *s.Max)
	}
	if s.Record != "" && n.Sign() <= 0 {
		return fmt.Errorf("%s cannot be the id of a record", n)
	}
	return nil
}

// checkList drops empty and repeated entries.
func (s Setting) checkList(v any) (any, error) {
	given, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%v is no list", v)
	}
	if len(given) > maxSettingRows {
		return nil, fmt.Errorf("it has %d entries; at most %d are kept", len(given), maxSettingRows)
	}
	out := []any{}
	for _, entry := range given {
		text, ok := entry.(string)
		if !ok {
			return nil, fmt.Errorf("%v is no text", entry)
		}
		if text = strings.TrimSpace(text); text == "" || slices.Contains(out, any(text)) {
			continue
		}
		if len(s.Choices) > 0 && !slices.Contains(s.Choices, text) {
			return nil, fmt.Errorf("%q is none of %s", text, strings.Join(s.Choices, ", "))
		}
		if err := checkFormat(s.Format, text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// checkTable types the cells by their columns. A row without a value is none.
func (s Setting) checkTable(v any) (any, error) {
	given, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%v is no table", v)
	}
	if len(given) > maxSettingRows {
		return nil, fmt.Errorf("it has %d rows; at most %d are kept", len(given), maxSettingRows)
	}
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		key, err := s.Key.check(strings.TrimSpace(name))
		if err != nil {
			return nil, fmt.Errorf("row %q: %w", name, err)
		}
		if key == nil {
			return nil, errors.New("a row has no key")
		}
		value, err := s.Value.check(given[name])
		if err != nil {
			return nil, fmt.Errorf("row %q: %w", name, err)
		}
		if value == nil {
			continue
		}
		text := fmt.Sprint(key)
		if _, twice := out[text]; twice {
			return nil, fmt.Errorf("there are two rows for %q", text)
		}
		out[text] = value
	}
	return out, nil
}

// check types a cell; nil is an empty one.
func (c Column) check(v any) (any, error) {
	if text, ok := v.(string); ok {
		v = strings.TrimSpace(text)
	}
	if c.Record == "" {
		switch v.(type) {
		case string, nil:
		case int64, decimal.Decimal, bool:
			v = fmt.Sprint(v)
		default:
			return nil, fmt.Errorf("%v is no text", v)
		}
	}
	typed, err := c.schema().Convert(v)
	if err != nil {
		return nil, err
	}
	switch typed := typed.(type) {
	case nil:
		return nil, nil
	case int64:
		if typed <= 0 {
			return nil, fmt.Errorf("%d cannot be the id of a record", typed)
		}
		return typed, nil
	case string:
		switch {
		case typed == "":
			return nil, nil
		case len(typed) > maxSettingText:
			return nil, fmt.Errorf("a cell has %d bytes; at most %d are kept", len(typed), maxSettingText)
		case len(c.Choices) > 0 && !slices.Contains(c.Choices, typed):
			return nil, fmt.Errorf("%q is none of %s", typed, strings.Join(c.Choices, ", "))
		}
		return typed, nil
	}
	return nil, fmt.Errorf("%v is no %s", typed, c.schema())
}
