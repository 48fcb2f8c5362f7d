package expression

import (
	"html"
	"regexp"
	"strings"
	"unicode"
)

// breaksLine tells the HTML elements that stand on lines of their own.
var breaksLine = map[string]bool{
	"address": true, "article": true, "blockquote": true, "br": true, "dd": true, "div": true, "dl": true, "dt": true,
	"footer": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "header": true, "hr": true,
	"li": true, "ol": true, "p": true, "pre": true, "section": true, "table": true, "tr": true, "ul": true,
}

// closings find the end of elements whose content is no text.
var closings = map[string]*regexp.Regexp{
	"script": regexp.MustCompile(`(?i)</script[^>]*>`),
	"style":  regexp.MustCompile(`(?i)</style[^>]*>`),
}

// spaces makes line breaks of the source into spaces: HTML does not show them.
var spaces = strings.NewReplacer("\r", " ", "\n", " ")

// stripHTML returns the text of an HTML fragment. It is for reading, not for
// making foreign HTML safe.
func stripHTML(text string) string {
	r := htmlReader{rest: text}
	var out strings.Builder
	for r.rest != "" {
		plain, rest, found := strings.Cut(r.rest, "<")
		spaces.WriteString(&out, plain)
		if !found {
			break
		}
		r.rest = rest
		name, ok := r.tag()
		switch {
		case !ok: // a < that begins no tag
			out.WriteByte('<')
		case closings[name] != nil:
			r.skipTo(closings[name])
		case breaksLine[name]:
			out.WriteByte('\n')
		case name == "td" || name == "th":
			out.WriteByte(' ')
		}
	}
	var lines []string
	for line := range strings.SplitSeq(out.String(), "\n") {
		if line = strings.Join(strings.Fields(html.UnescapeString(line)), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// htmlReader reads tags from the front of a text. What it once did not find, it
// does not look for again, so that its work stays linear on any text.
type htmlReader struct {
	rest       string
	noComment  bool // no --> is left
	quotesOpen bool // a quote is left open: quotes count no more
	noEnd      bool // no > is left
}

// tag reads a tag or comment after its <, and returns its name in small letters
// without the slash, "" for a comment.
func (r *htmlReader) tag() (name string, ok bool) {
	if comment, is := strings.CutPrefix(r.rest, "!--"); is && !r.noComment {
		_, after, found := strings.Cut(comment, "-->")
		if r.noComment = !found; found {
			r.rest = after
			return "", true
		}
	}
	body := strings.TrimPrefix(r.rest, "/")
	if body == "" || !(unicode.IsLetter(rune(body[0])) || body[0] == '!' || body[0] == '?') || r.noEnd {
		return "", false
	}
	end := r.end(body)
	if end < 0 {
		return "", false
	}
	r.rest, name = body[end+1:], body[:end]
	if i := strings.IndexAny(name, " \t\r\n/"); i >= 0 {
		name = name[:i]
	}
	return strings.ToLower(name), true
}

// end finds the > of a tag, outside of quotes.
func (r *htmlReader) end(body string) int {
	if r.quotesOpen {
		end := strings.IndexByte(body, '>')
		r.noEnd = end < 0
		return end
	}
	quote := byte(0)
	for i := range len(body) {
		switch b := body[i]; {
		case b == quote:
			quote = 0
		case quote != 0:
		case b == '"' || b == '\'':
			quote = b
		case b == '>':
			return i
		}
	}
	r.quotesOpen = true
	return r.end(body)
}

func (r *htmlReader) skipTo(closing *regexp.Regexp) {
	at := closing.FindStringIndex(r.rest)
	if at == nil {
		r.rest = ""
		return
	}
	r.rest = r.rest[at[1]:]
}
