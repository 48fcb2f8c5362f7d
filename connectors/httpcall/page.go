package httpcall

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"regexp"
	"strings"
)

var (
	titleTag = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	anyTag   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// Untitled is the title of a page that has none.
const Untitled = "untitled"

// maxTitle bounds a title in a message, in characters.
const maxTitle = 300

// Title returns the title of an HTML page, "" when the text is none.
func Title(body []byte) string {
	head := string(body[:min(len(body), 64<<10)])
	if found := titleTag.FindStringSubmatch(head); found != nil {
		if title := Shorten(Plain(found[1]), maxTitle); title != "" {
			return title
		}
		return Untitled
	}
	start := strings.ToLower(strings.TrimSpace(head[:min(len(head), 512)]))
	if strings.Contains(start, "<html") || strings.Contains(start, "<!doctype html") {
		return Untitled
	}
	return ""
}

// Plain takes tags and entities out of a text, and runs of space.
func Plain(text string) string {
	text = html.UnescapeString(anyTag.ReplaceAllString(text, " "))
	return strings.Join(strings.Fields(text), " ")
}

// Shorten cuts a text to a number of characters, and shows that it did.
func Shorten(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return text
}

// ReadJSON reads a text that is one JSON value. Numbers stay json.Number.
func ReadJSON(text []byte) (any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var raw any
	if decoder.Decode(&raw) != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return raw, err == io.EOF
}

// maxStarts bounds how often a JSON value is looked for in a text.
const maxStarts = 64

// FindJSON reads the JSON value that ends a text; what stands before it, a byte
// order mark or whatever a server printed, is skipped.
func FindJSON(text []byte) (any, bool) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if raw, ok := ReadJSON(text); ok {
		return raw, true
	}
	offset := 0
	for range maxStarts {
		next := bytes.IndexAny(text[offset:], "{[")
		if next < 0 {
			return nil, false
		}
		offset += next
		if raw, ok := ReadJSON(text[offset:]); ok {
			return raw, true
		}
		offset++
	}
	return nil, false
}
