package expression

import (
	"html"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/flowctl/flowctl/connectors"
)

var textFunctions = []definition{
	{
		signature: "len(value text|list|record) -> int",
		summary:   "How many characters, elements or fields there are; 0 of nil.",
		example:   `len("José")`, gives: `4`,
		run: func(_ *evaluation, args []any) (any, error) {
			switch v := args[0].(type) {
			case string:
				return int64(utf8.RuneCountInString(v)), nil
			case map[string]any:
				return int64(len(v)), nil
			}
			return int64(len(args[0].([]any))), nil
		},
	},
	{
		signature: "text(value any) -> text",
		summary:   "A value as text, as templates write it: decimals plainly, instants as RFC 3339, nil as nothing.",
		example:   `text(1.50) + " EUR"`, gives: `"1.5 EUR"`,
		typ: func(c *compiler, call *call) *connectors.Schema {
			c.wants(call.args[0], kindText|kindNumber|kindBoolean|kindInstant, "the argument of text()")
			return typeText
		},
		run: func(_ *evaluation, args []any) (any, error) {
			if text, ok := textOf(args[0]); ok {
				return text, nil
			}
			return nil, failf(CodeType, "%s has no text", describe(args[0])).hinted("json(…) writes JSON, join(…) makes one text of many")
		},
	},
	{
		signature: "trim(value text, characters text?) -> text",
		summary:   "The text without spaces, or without the given characters, at both ends.",
		example:   `trim("  Jane ")`, gives: `"Jane"`,
		run: func(_ *evaluation, args []any) (any, error) {
			if set, ok := args[1].(string); ok {
				return strings.Trim(args[0].(string), set), nil
			}
			return strings.TrimSpace(args[0].(string)), nil
		},
	},
	{
		signature: "trimPrefix(value text, prefix text) -> text",
		summary:   "The text without what it begins with.",
		example:   `trimPrefix("JP13", "JP")`, gives: `"13"`,
		run: func(_ *evaluation, args []any) (any, error) {
			return strings.TrimPrefix(args[0].(string), args[1].(string)), nil
		},
	},
	{
		signature: "trimSuffix(value text, suffix text) -> text",
		summary:   "The text without what it ends with.",
		example:   `trimSuffix("shop/", "/")`, gives: `"shop"`,
		run: func(_ *evaluation, args []any) (any, error) {
			return strings.TrimSuffix(args[0].(string), args[1].(string)), nil
		},
	},
	{
		signature: "hasPrefix(value text, prefix text) -> bool",
		summary:   "Whether the text begins so; startsWith is the operator.",
		example:   `hasPrefix("order.created", "order.")`, gives: `true`,
		run: func(_ *evaluation, args []any) (any, error) {
			return strings.HasPrefix(args[0].(string), args[1].(string)), nil
		},
	},
	{
		signature: "hasSuffix(value text, suffix text) -> bool",
		summary:   "Whether the text ends so; endsWith is the operator.",
		example:   `hasSuffix("photo.jpg", ".jpg")`, gives: `true`,
		run: func(_ *evaluation, args []any) (any, error) {
			return strings.HasSuffix(args[0].(string), args[1].(string)), nil
		},
	},
	{
		signature: "upper(value text) -> text",
		summary:   "The text in capitals.",
		example:   `upper("fr")`, gives: `"FR"`,
		run: func(e *evaluation, args []any) (any, error) {
			return strings.ToUpper(args[0].(string)), e.buildText(2 * len(args[0].(string)))
		},
	},
	{
		signature: "lower(value text) -> text",
		summary:   "The text in small letters.",
		example:   `lower("Jane@Example.COM")`, gives: `"jane@example.com"`,
		run: func(e *evaluation, args []any) (any, error) {
			return strings.ToLower(args[0].(string)), e.buildText(2 * len(args[0].(string)))
		},
	},
	{
		signature: "split(value text, separator text, limit int?) -> texts",
		summary:   "The parts between the separators, at most limit of them; the last holds the rest.",
		example:   `split("a,b,c", ",")`, gives: `["a", "b", "c"]`,
		run: splitText,
	},
	{
		signature: "join(list list, separator text?) -> text",
		summary:   "One text of many, with the separator between them; numbers are written as text, nil as nothing.",
		example:   `join(["Rue 1", "Paris"], ", ")`, gives: `"Rue 1, Paris"`,
		run: joinTexts,
	},
	{
		signature: "replace(value text, old text, new text, limit int?) -> text",
		summary:   "The text with every occurrence replaced, or the first limit of them.",
		example:   `replace("1 234 567", " ", "")`, gives: `"1234567"`,
		run: replaceText,
	},
	{
		signature: "repeat(value text, times int) -> text",
		summary:   "The text several times over.",
		example:   `repeat("ab", 3)`, gives: `"ababab"`,
		run: func(e *evaluation, args []any) (any, error) {
			text, times := args[0].(string), args[1].(int64)
			if times < 0 {
				return nil, failf(CodeValue, "a text cannot be repeated %d times", times)
			}
			if len(text) > 0 && times > int64(e.limits.Memory/len(text)) {
				times = int64(e.limits.Memory/len(text)) + 1
			}
			if err := e.buildText(len(text) * int(times)); err != nil {
				return nil, err
			}
			return strings.Repeat(text, int(times)), nil
		},
	},
	{
		signature: "indexOf(value text, part text) -> int",
		summary:   "Where a part first stands in the text, in characters from 0; -1 where it does not.",
		example:   `indexOf("Zoë B", "B")`, gives: `4`,
		run: func(_ *evaluation, args []any) (any, error) {
			return charactersBefore(args[0].(string), strings.Index(args[0].(string), args[1].(string))), nil
		},
	},
	{
		signature: "lastIndexOf(value text, part text) -> int",
		summary:   "Where a part last stands in the text, in characters from 0; -1 where it does not.",
		example:   `lastIndexOf("a.b.c", ".")`, gives: `3`,
		run: func(_ *evaluation, args []any) (any, error) {
			return charactersBefore(args[0].(string), strings.LastIndex(args[0].(string), args[1].(string))), nil
		},
	},
	{
		signature: "truncate(value text, length int) -> text",
		summary:   "The first characters of the text.",
		example:   `truncate("Crème brûlée", 5)`, gives: `"Crème"`,
		run: func(_ *evaluation, args []any) (any, error) {
			text, length := args[0].(string), args[1].(int64)
			if length < 0 {
				return nil, failf(CodeValue, "a text cannot be cut to %d characters", length)
			}
			if length >= int64(len(text)) {
				return text, nil
			}
			return characters(text, 0, int(length)), nil
		},
	},
	{
		signature: "fold_accents(value text) -> text",
		summary:   "The text in plain letters, for comparing names.",
		example:   `fold_accents("José Großmann, Łódź")`, gives: `"Jose Grossmann, Lodz"`,
		run: func(e *evaluation, args []any) (any, error) {
			if err := e.spend(len(args[0].(string))); err != nil {
				return nil, err
			}
			return foldAccents(args[0].(string)), e.buildText(2 * len(args[0].(string)))
		},
	},
	{
		signature: "slug(value text) -> text",
		summary:   "The text as part of an address: plain small letters and digits, joined by hyphens.",
		example:   `slug("Crème brûlée & Co.")`, gives: `"creme-brulee-co"`,
		run: func(e *evaluation, args []any) (any, error) {
			if err := e.spend(len(args[0].(string))); err != nil {
				return nil, err
			}
			return slug(args[0].(string)), e.buildText(2 * len(args[0].(string)))
		},
	},
	{
		signature: "normalise_email(value text) -> text",
		summary:   "The address alone and in small letters, as Odoo keeps it in email_normalized; nil where there is not exactly one.",
		example:   `normalise_email(" Jane Doe <Jane@Example.COM> ")`, gives: `"jane@example.com"`,
		typ: func(*compiler, *call) *connectors.Schema { return orNull(typeText) },
		run: func(_ *evaluation, args []any) (any, error) {
			if address := normaliseEmail(args[0].(string)); address != "" {
				return address, nil
			}
			return nil, nil
		},
	},
	{
		signature: "strip_html(value text) -> text",
		summary:   "The text of an HTML fragment: no tags, entities read, one line for each paragraph.",
		example:   `strip_html("<p>Fish &amp; <b>chips</b></p>")`, gives: `"Fish & chips"`,
		run: func(e *evaluation, args []any) (any, error) {
			if err := e.spend(len(args[0].(string)) / 4); err != nil {
				return nil, err
			}
			return stripHTML(args[0].(string)), e.buildText(len(args[0].(string)))
		},
	},
	{
		signature: "html_unescape(value text) -> text",
		summary:   "The text with HTML entities read.",
		example:   `html_unescape("Black &#8211; L")`, gives: `"Black – L"`,
		run: func(e *evaluation, args []any) (any, error) {
			return html.UnescapeString(args[0].(string)), e.buildText(len(args[0].(string)))
		},
	},
	{
		signature: "text_to_html(value text) -> text",
		summary:   "Plain text as HTML that shows the same: special characters escaped, line breaks kept.",
		example:   `text_to_html("a < b\nc")`, gives: `"a &lt; b<br>c"`,
		run: func(e *evaluation, args []any) (any, error) {
			lines := strings.ReplaceAll(html.EscapeString(args[0].(string)), "\r\n", "\n")
			out := strings.ReplaceAll(lines, "\n", "<br>")
			return out, e.buildText(len(out))
		},
	},
}

func charactersBefore(text string, at int) int64 {
	if at < 0 {
		return -1
	}
	return int64(utf8.RuneCountInString(text[:at]))
}

func splitText(e *evaluation, args []any) (any, error) {
	text, separator, limit := args[0].(string), args[1].(string), -1
	if n, ok := args[2].(int64); ok && n < math.MaxInt32 {
		limit = int(max(n, 0))
	}
	parts := strings.Count(text, separator) + 1
	if limit >= 0 {
		parts = min(parts, limit)
	}
	if err := e.buildList(2 * parts); err != nil {
		return nil, err
	}
	return listOfAny(strings.SplitN(text, separator, limit)), nil
}

func joinTexts(e *evaluation, args []any) (any, error) {
	separator, _ := args[1].(string)
	var out strings.Builder
	for i, item := range args[0].([]any) {
		part, ok := textOf(canonical(item))
		if !ok {
			return nil, failf(CodeType, "element %d of what join() joins is %s", i, describe(item)).
				hinted("map(…) makes texts of them first")
		}
		if err := e.buildText(len(separator) + len(part)); err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteString(separator)
		}
		out.WriteString(part)
	}
	return out.String(), nil
}

func replaceText(e *evaluation, args []any) (any, error) {
	text, before, after, limit := args[0].(string), args[1].(string), args[2].(string), -1
	if n, ok := args[3].(int64); ok && n < math.MaxInt32 {
		limit = int(max(n, 0))
	}
	hits := strings.Count(text, before)
	if limit >= 0 {
		hits = min(hits, limit)
	}
	// Paid in two halves, so that the product of two lengths cannot overflow.
	if len(after) > 0 && hits > e.limits.Memory/len(after) {
		return nil, e.build(e.limits.Memory + 1)
	}
	if err := e.buildText(len(text) + hits*len(after)); err != nil {
		return nil, err
	}
	return strings.Replace(text, before, after, limit), nil
}
