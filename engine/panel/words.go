package panel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// functions are what templates may call.
var functions = template.FuncMap{
	"icon":   icon,
	"state":  stateWord,
	"tone":   stateTone,
	"record": recordWords,
	"when":   when,
	"took":   took,
	"plural": plural,
	"path":   url.PathEscape,
	"query":  url.QueryEscape,
	"cut":    cut,
	"has":    func(list []string, item string) bool { return contains(list, item) },
	"title":  sentence,
	"dict":   dict,
	"dot":    fullStop,
	"faults": func(all []checkView) []checkView { return checksThat(all, false) },
	"fine":   func(all []checkView) []checkView { return checksThat(all, true) },
	"next":   func(i int) int { return i + 1 },
}

func contains(list []string, item string) bool {
	for _, one := range list {
		if one == item {
			return true
		}
	}
	return false
}

// dict hands several values to a template.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict takes names and values")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// stateWord says a state as a shop owner would.
func stateWord(s store.State) string {
	switch s {
	case store.Waiting:
		return "Waiting"
	case store.Running:
		return "Working"
	case store.Retrying:
		return "Trying again"
	case store.Held:
		return "Needs you"
	case store.Succeeded:
		return "Done"
	case store.Skipped:
		return "Nothing to do"
	case store.Failed:
		return "Failed"
	case store.Cancelled:
		return "Ignored"
	}
	return string(s)
}

// stateTone is the colour of a state.
func stateTone(s store.State) string {
	switch s {
	case store.Succeeded:
		return "good"
	case store.Waiting, store.Running:
		return "busy"
	case store.Retrying, store.Held:
		return "warn"
	case store.Failed:
		return "bad"
	}
	return "calm"
}

// recordWords says a key as people do: "order 12". Runs that have a key of their
// own are about no record.
func recordWords(key string) string {
	kind, id, ok := strings.Cut(key, ":")
	if kind == "run" || key == "" {
		return ""
	}
	if !ok {
		return key
	}
	return strings.ReplaceAll(kind, "_", " ") + " " + id
}

// when writes an instant, which the browser shows in its own zone.
func when(t time.Time) template.HTML {
	if t.IsZero() {
		return ""
	}
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, t.Format(time.RFC3339), t.Format("2 Jan 2006 15:04 UTC")))
}

// took says a duration shortly.
func took(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func cut(n int, text string) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n]) + "…"
}

// sentence begins a text with a capital letter.
func sentence(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(r)) + text[size:]
}

// fullStop ends a sentence that another may follow.
func fullStop(text string) string {
	if text == "" || strings.HasSuffix(text, ".") || strings.HasSuffix(text, "?") || strings.HasSuffix(text, "!") {
		return text
	}
	return text + "."
}

// maxShown bounds how much of a value is shown.
const maxShown = 40_000

// readable writes stored JSON for people: decimals and instants as they are
// said, indented, cut where it is long.
func readable(data []byte) string {
	if len(data) == 0 || string(data) == "null" {
		return ""
	}
	var b bytes.Buffer
	decoded, err := value.Decode(data)
	if err == nil {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(value.Plain(decoded))
	}
	if err != nil {
		b.Reset()
		b.Write(data) // not ours to lose: as it is
	}
	text := strings.TrimRight(strings.ToValidUTF8(b.String(), "\uFFFD"), "\n")
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + fmt.Sprintf("\n… %d characters more; the API and flowctl runs show --full have them", len(text)-maxShown)
	}
	return text
}
