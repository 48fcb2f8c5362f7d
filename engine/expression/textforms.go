package expression

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// plainLetters are letters that no accent can be taken from.
var plainLetters = map[rune]string{
	'ß': "ss", 'ẞ': "SS", 'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE", 'ø': "o", 'Ø': "O", 'ł': "l", 'Ł': "L",
	'đ': "d", 'Đ': "D", 'ð': "d", 'Ð': "D", 'þ': "th", 'Þ': "TH", 'ħ': "h", 'Ħ': "H", 'ı': "i", 'ŧ': "t", 'Ŧ': "T",
	'ŋ': "n", 'Ŋ': "N", 'ĸ': "k",
}

// foldAccents writes letters plainly. Letters of other scripts stay as they are.
func foldAccents(text string) string {
	if isASCII(text) {
		return text
	}
	var out strings.Builder
	for _, r := range norm.NFD.String(text) {
		if plain, ok := plainLetters[r]; ok {
			out.WriteString(plain)
		} else if !unicode.Is(unicode.Mn, r) {
			out.WriteRune(r)
		}
	}
	// What was taken apart and has no accent (Hangul, say) is put together again.
	return norm.NFC.String(out.String())
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

func slug(text string) string {
	var out strings.Builder
	pending := false
	for _, r := range strings.ToLower(foldAccents(text)) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			pending = out.Len() > 0
			continue
		}
		if pending {
			out.WriteByte('-')
			pending = false
		}
		out.WriteRune(r)
	}
	return out.String()
}

// normaliseEmail returns the one address in a text like "Jane <jane@x.org>", ""
// where there is none or more than one. As in Odoo, a local part in other than
// plain letters keeps its case.
func normaliseEmail(text string) string {
	text = strings.TrimSpace(text)
	if open := strings.LastIndexByte(text, '<'); open >= 0 {
		inner, rest, closed := strings.Cut(text[open+1:], ">")
		if !closed || strings.TrimSpace(rest) != "" || strings.Contains(text[:open], "@") {
			return ""
		}
		text = strings.TrimSpace(inner)
	}
	at := strings.LastIndexByte(text, '@')
	if at <= 0 || at == len(text)-1 || strings.ContainsAny(text, " \t\r\n,;<>") || strings.Contains(text[:at], "@") {
		return ""
	}
	local, domain := text[:at], strings.ToLower(text[at+1:])
	if isASCII(local) {
		local = strings.ToLower(local)
	}
	return local + "@" + domain
}
