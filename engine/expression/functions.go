package expression

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// Function describes a function that flows may call.
type Function struct {
	Name      string // as written before the parenthesis
	Signature string // "truncate(value text, length int) -> text"; ? may be left out, ... may repeat
	Summary   string // one sentence or two
	Example   string // an expression
	Result    string // what the example gives, an expression too
}

// Functions lists all functions, by name.
func Functions() []Function {
	out := make([]Function, 0, len(definitions))
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		d := definitions[name]
		out = append(out, Function{
			Name: name, Signature: d.signature, Summary: d.summary, Example: d.example, Result: d.gives,
		})
	}
	return out
}

// keywords are the words of the language.
var keywords = map[string]bool{
	"and": true, "or": true, "not": true, "in": true, "matches": true, "contains": true, "startsWith": true,
	"endsWith": true, "let": true, "if": true, "else": true, "true": true, "false": true, "nil": true,
}

// IsReserved tells whether a word is a function, a builtin of expr (also one
// that flows may not call) or a word of the language. Steps may not be named so.
func IsReserved(name string) bool {
	_, ours := definitions[name]
	return ours || keywords[name] || noBuiltins[name]
}

// replaced says what to write instead of the builtins of expr that flows may
// not call, because they lose digits, read a clock or do not know our values.
var replaced = map[string]string{
	"float":      "decimal(…) makes a number; there are no floats",
	"string":     "text(…) writes a value as text",
	"toJSON":     "json(…) writes JSON",
	"fromJSON":   "from_json(…) reads JSON",
	"toBase64":   "base64(…) encodes",
	"fromBase64": "from_base64(…) decodes",
	"uniq":       "unique(…) drops repeated elements",
	"now":        "an expression gives the same result whenever it is evaluated; the trigger says when the event happened",
	"timezone":   "date_in(t, \"Europe/Paris\") gives the day in a zone",
	"duration":   "add_days(t, n) and add_seconds(t, n) move an instant",
	"splitAfter": "split(…) splits a text",
	"replaceAll": "replace(…) replaces every occurrence",
	"floor_div":  "floor(a / b) divides to a whole number",
	"length":     "len(…) counts",
	"size":       "len(…) counts",
	"str":        "text(…) writes a value as text",
	"default":    "coalesce(a, b) takes the first that is there",
	"iif":        "choose(cond, a, b) takes one of two",
	"avg":        "mean(…) is the average",
}

// definition is a function: its documentation, what it takes and what it does.
type definition struct {
	signature string
	summary   string
	example   string
	gives     string

	// typ gives the type of the result where the signature's last word is not
	// all that can be said, and reports what is wrong with the arguments beyond
	// their kinds.
	typ func(c *compiler, call *call) *connectors.Schema
	// run computes the result. Arguments are checked, whole numbers are int64,
	// those left out are nil.
	run func(e *evaluation, args []any) (any, error)
	// strict functions take no nil as their first argument, where others of a
	// single value give nil for nil.
	strict bool
	// form compiles the call itself, for functions that do not evaluate all of
	// their arguments.
	form func(c *compiler, call *call) operand

	// Read from the signature.
	params []parameter
	result *connectors.Schema
}

// parameter is one of a function's.
type parameter struct {
	name      string
	kinds     kind
	predicate bool
	optional  bool
	variadic  bool
}

// definitions holds every function by name. It is filled once, from the tables
// in the functions_*.go files, and never changed.
var definitions = func() map[string]*definition {
	out := make(map[string]*definition)
	for _, table := range [][]definition{
		loopFunctions, choiceFunctions, textFunctions, encodingFunctions, numberFunctions, moneyFunctions,
		listFunctions, queryFunctions, recordFunctions, timeFunctions,
	} {
		for _, d := range table {
			name, _, _ := strings.Cut(d.signature, "(")
			if out[name] != nil {
				panic(fmt.Sprintf("expression: two functions named %q", name))
			}
			d.readSignature()
			out[name] = &d
		}
	}
	return out
}()

var signatureKinds = map[string]kind{
	"any":     0,
	"text":    kindText,
	"int":     kindInteger,
	"number":  kindNumber,
	"bool":    kindBoolean,
	"instant": kindInstant,
	"list":    kindList,
	"record":  kindRecord,
}

var signatureResults = map[string]*connectors.Schema{
	"text":    typeText,
	"date":    typeDate,
	"int":     typeInteger,
	"decimal": typeDecimal,
	"bool":    typeBoolean,
	"instant": typeInstant,
	"list":    typeList,
	"texts":   typeTexts,
	"record":  typeRecord,
}

// readSignature reads params and result from the signature.
func (d *definition) readSignature() {
	_, rest, _ := strings.Cut(d.signature, "(")
	inner, result, ok := strings.Cut(rest, ") -> ")
	if !ok {
		panic("expression: a signature without result: " + d.signature)
	}
	if d.result = signatureResults[result]; d.result == nil {
		d.result = typeAny
	}
	if inner == "" {
		return
	}
	for written := range strings.SplitSeq(inner, ", ") {
		p := parameter{}
		name, word, _ := strings.Cut(written, " ")
		p.name = name
		if trimmed, is := strings.CutSuffix(word, "?"); is {
			p.optional, word = true, trimmed
		}
		if trimmed, is := strings.CutSuffix(word, "..."); is {
			p.variadic, word = true, trimmed
		}
		for part := range strings.SplitSeq(word, "|") {
			k, known := signatureKinds[part]
			switch {
			case part == "predicate":
				p.predicate = true
			case !known:
				panic("expression: " + d.signature + " takes an unknown " + part)
			}
			p.kinds |= k
		}
		d.params = append(d.params, p)
	}
}
