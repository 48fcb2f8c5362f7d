package expression

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

var encodingFunctions = []definition{
	{
		signature: "json(value any) -> text",
		summary:   "A value as JSON, fields sorted; decimals are written exactly.",
		example:   `json({"b": [1.10, nil], "a": "x"})`, gives: "`" + `{"a":"x","b":[1.1,null]}` + "`",
		run: func(e *evaluation, args []any) (any, error) {
			w := jsonWriter{meter: &e.meter}
			if err := w.write(args[0], 0); err != nil {
				return nil, err
			}
			return w.out.String(), nil
		},
	},
	{
		signature: "from_json(text text) -> any",
		summary:   "The value that a JSON text holds; whole numbers and decimals are read exactly.",
		example:   "from_json(`" + `{"total": 0.10}` + "`).total", gives: `0.1`,
		run: func(e *evaluation, args []any) (any, error) {
			data := []byte(args[0].(string))
			// A value takes up to some twenty times the room of its JSON.
			if err := e.build(16 * len(data)); err != nil {
				return nil, err
			}
			if err := e.spend(len(data)); err != nil {
				return nil, err
			}
			if !json.Valid(data) {
				return nil, failf(CodeValue, "this is no JSON: %s", excerpt(args[0].(string)))
			}
			if jsonDepth(data) > maxValueDepth {
				return nil, failf(CodeLimit, "this JSON is nested deeper than %d", maxValueDepth)
			}
			v, err := (*connectors.Schema)(nil).Decode(data)
			if err != nil {
				return nil, failf(CodeValue, "this JSON cannot be read: %v", err)
			}
			return v, nil
		},
	},
	{
		signature: "base64(value text) -> text",
		summary:   "The text in base64, as Odoo takes files.",
		example:   `base64("flow")`, gives: `"Zmxvdw=="`,
		run: func(e *evaluation, args []any) (any, error) {
			text := args[0].(string)
			if err := e.buildText(base64.StdEncoding.EncodedLen(len(text))); err != nil {
				return nil, err
			}
			return base64.StdEncoding.EncodeToString([]byte(text)), nil
		},
	},
	{
		signature: "from_base64(value text) -> text",
		summary:   "The text that base64 holds.",
		example:   `from_base64("Zmxvdw==")`, gives: `"flow"`,
		run: func(e *evaluation, args []any) (any, error) {
			if err := e.buildText(len(args[0].(string))); err != nil {
				return nil, err
			}
			data, err := base64.StdEncoding.DecodeString(args[0].(string))
			if err != nil {
				return nil, failf(CodeValue, "this is no base64: %s", excerpt(args[0].(string)))
			}
			return string(data), nil
		},
	},
	{
		signature: "sha256(value text) -> text",
		summary:   "The SHA-256 of the text in UTF-8, as 64 hexadecimal digits.",
		example:   `truncate(sha256("flow"), 8)`, gives: `"3b212781"`,
		run: func(e *evaluation, args []any) (any, error) {
			if err := e.spend(len(args[0].(string)) / 16); err != nil {
				return nil, err
			}
			sum := sha256.Sum256([]byte(args[0].(string)))
			return hex.EncodeToString(sum[:]), nil
		},
	},
}

// jsonDepth is how deep lists and records stand in each other in valid JSON.
func jsonDepth(data []byte) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case b == '"':
			quoted = !quoted
		case b == '\\' && quoted:
			i++
		case quoted:
		case b == '[' || b == '{':
			depth++
			deepest = max(deepest, depth)
		case b == ']' || b == '}':
			depth--
		}
	}
	return deepest
}

// excerpt shortens a text for a message.
func excerpt(text string) string {
	if utf8.RuneCountInString(text) > 40 {
		text = characters(text, 0, 40) + "…"
	}
	return strconv.Quote(text)
}

// jsonWriter writes JSON within the bounds of an evaluation.
type jsonWriter struct {
	*meter
	out strings.Builder
}

func (w *jsonWriter) write(v any, depth int) error {
	if depth > maxValueDepth {
		return failf(CodeLimit, "the value is nested deeper than %d", maxValueDepth)
	}
	if err := w.spend(1); err != nil {
		return err
	}
	switch v := canonical(v).(type) {
	case nil:
		return w.put("null")
	case string:
		return w.quote(v)
	case bool:
		return w.put(strconv.FormatBool(v))
	case int64:
		return w.put(strconv.FormatInt(v, 10))
	case decimal.Decimal:
		return w.put(v.String())
	case time.Time:
		return w.quote(v.Format(time.RFC3339Nano))
	case []any:
		return w.list(v, depth)
	case map[string]any:
		return w.record(v, depth)
	default:
		return failf(CodeType, "a value of Go type %T has no JSON", v)
	}
}

func (w *jsonWriter) put(text string) error {
	w.out.WriteString(text)
	return w.buildText(len(text))
}

func (w *jsonWriter) quote(text string) error {
	// Paid before, at the worst of six bytes for each of a control character.
	if err := w.buildText(2 * len(text)); err != nil {
		return err
	}
	encoder := json.NewEncoder(newlineCutter{&w.out})
	encoder.SetEscapeHTML(false)
	return encoder.Encode(text)
}

// newlineCutter drops the line break that json.Encoder ends a value with.
type newlineCutter struct{ out *strings.Builder }

// Write implements io.Writer.
func (n newlineCutter) Write(data []byte) (int, error) {
	n.out.WriteString(strings.TrimSuffix(string(data), "\n"))
	return len(data), nil
}

func (w *jsonWriter) list(list []any, depth int) error {
	w.out.WriteByte('[')
	for i, item := range list {
		if i > 0 {
			w.out.WriteByte(',')
		}
		if err := w.write(item, depth+1); err != nil {
			return err
		}
	}
	w.out.WriteByte(']')
	return w.build(len(list) + 2)
}

func (w *jsonWriter) record(record map[string]any, depth int) error {
	w.out.WriteByte('{')
	for i, name := range sortedNames(record) {
		if i > 0 {
			w.out.WriteByte(',')
		}
		if err := w.quote(name); err != nil {
			return err
		}
		w.out.WriteByte(':')
		if err := w.write(record[name], depth+1); err != nil {
			return err
		}
	}
	w.out.WriteByte('}')
	return w.build(2*len(record) + 2)
}

// identity writes a value so that exactly equal values are written alike:
// numbers by value, and no number like a text.
func (m *meter) identity(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return `"` + v, m.buildText(len(v) + 1)
	case int64:
		return strconv.FormatInt(v, 10), m.build(bytesDecimal)
	case decimal.Decimal:
		return v.String(), m.build(bytesDecimal)
	case time.Time:
		return "t" + strconv.FormatInt(v.Unix(), 10) + "." + strconv.Itoa(v.Nanosecond()), m.build(bytesDecimal)
	}
	w := jsonWriter{meter: m}
	err := w.write(v, 0)
	return w.out.String(), err
}
