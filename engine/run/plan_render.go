package run

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// The colours of a plan on a terminal.
const (
	colourOff  = "\x1b[0m"
	colourBold = "\x1b[1m"
	colourDim  = "\x1b[2m"
	colourOld  = "\x1b[31m"
	colourNew  = "\x1b[32m"
	colourKeep = "\x1b[33m"
)

// maxShownValue bounds a value on a line, in characters.
const maxShownValue = 160

// Render writes the plan for people. colour is for terminals.
func (p Plan) Render(out io.Writer, colour bool) error {
	r := &planText{colour: colour}
	r.line("%s", r.in(colourBold, fmt.Sprintf("What %s would do for %s", p.Flow, p.about())))
	for _, s := range p.Steps {
		r.line("")
		r.step(s)
	}
	if len(p.Unread) > 0 {
		r.line("")
		r.line("Not known yet, because it depends on what would be written:")
		for _, u := range p.Unread {
			r.line("  %s  %s, after %s", u.Path, u.Operation, joined(u.DependsOn))
		}
	}
	r.line("")
	for _, end := range p.Maybe {
		r.end("If "+conditions(end.If)+", it would", end)
	}
	if p.Outcome.State == store.Succeeded {
		r.line("%s. Nothing was written.", p.sum())
	} else {
		r.end("Then it would", p.Outcome)
		r.line("%s. Nothing was written.", p.sum())
	}
	_, err := io.WriteString(out, r.text.String())
	return err
}

func (p Plan) about() string {
	if p.Key == "" {
		return p.Instance
	}
	return p.Key + " of " + p.Instance
}

// sum counts what would be written.
func (p Plan) sum() string {
	counts := map[string]int{}
	for _, s := range p.Steps {
		if s.Link != nil {
			counts["link"]++
		} else {
			counts[string(s.Effect)]++
		}
	}
	var parts []string
	for _, word := range []string{"create", "update", "delete", "link"} {
		switch n := counts[word]; {
		case n == 1:
			parts = append(parts, "1 "+word)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, word))
		}
	}
	if parts == nil {
		return "Nothing to write"
	}
	return "In all " + joined(parts)
}

// planText builds the text of a plan.
type planText struct {
	text   strings.Builder
	colour bool
}

func (r *planText) line(format string, args ...any) {
	fmt.Fprintf(&r.text, format+"\n", args...)
}

func (r *planText) in(colour, text string) string {
	if !r.colour {
		return text
	}
	return colour + text + colourOff
}

func (r *planText) step(s PlannedStep) {
	if s.Link != nil {
		r.line("  %s  link %s: local %s, remote %s (%s)", r.in(colourBold, s.Path), s.Link.Table, short(s.Link.Local), short(s.Link.Remote), s.Link.How)
		r.conditions(s)
		return
	}
	r.line("  %s  %s", r.in(colourBold, s.Path), s.Operation)
	r.conditions(s)
	params, _ := s.Params.(map[string]any)
	compared := map[string]bool{}
	if s.Compared {
		for _, c := range s.Changes {
			r.line("    %s %s: %s → %s", r.in(colourKeep, "~"), c.Field, r.in(colourOld, short(c.Old)), r.in(colourNew, short(c.New)))
			compared[c.Field] = true
		}
		if len(s.Changes) == 0 {
			r.line("    %s", r.in(colourDim, "no difference"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		values, nested := params[name].(map[string]any)
		switch {
		case s.Compared && (nested || compared[name]):
			continue // shown as changes
		case nested && s.Effect != connectors.Read:
			for _, field := range slices.Sorted(maps.Keys(values)) {
				r.field("    "+r.in(colourNew, "+")+" "+field, values[field])
			}
		default:
			r.field("    "+name, params[name])
		}
	}
}

func (r *planText) conditions(s PlannedStep) {
	if len(s.If) > 0 {
		r.line("    %s", r.in(colourDim, "if "+conditions(s.If)))
	}
	if len(s.DependsOn) > 0 {
		r.line("    %s", r.in(colourDim, "depends on "+joined(s.DependsOn)))
	}
}

// conditions writes conditions on one line.
func conditions(all []string) string {
	return strings.Join(strings.Fields(strings.Join(all, " and ")), " ")
}

// field writes a value, a long list with an element a line.
func (r *planText) field(name string, v any) {
	list, isList := v.([]any)
	if !isList || len([]rune(written(v))) <= maxShownValue {
		r.line("%s: %s", name, short(v))
		return
	}
	r.line("%s:", name)
	for _, item := range list {
		r.line("      - %s", short(item))
	}
}

func (r *planText) end(intro string, end PlannedOutcome) {
	word := map[store.State]string{
		store.Held: "be held", store.Skipped: "be skipped", store.Failed: "fail", store.Retrying: "be tried again later",
	}[end.State]
	if end.Step != "" {
		word += " at step " + end.Step
	}
	r.line("%s %s: %s", intro, word, plainText(end.Reason))
	if advice := plainText(end.Advice); advice != "" {
		r.line("  %s", advice)
	}
}

// plainText is a text without quotes.
func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case Unknown:
		return v.String()
	}
	return written(v)
}

// short is a value on one line, cut where it is long.
func short(v any) string {
	text := []rune(written(v))
	if len(text) <= maxShownValue {
		return string(text)
	}
	return string(text[:maxShownValue]) + "…"
}

// written writes a value like JSON, with unknown ones in their own words.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case Unknown:
		if v.Text != "" {
			return strconv.Quote(v.Text)
		}
		return v.String()
	case decimal.Decimal:
		return v.String()
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+": "+written(v[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = written(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	data, err := json.Marshal(value.Plain(v))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
