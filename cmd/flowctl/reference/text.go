package reference

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/flowctl/flowctl/connectors"
)

// Text writes documentation for a terminal of a width in characters.
type Text struct {
	out   io.Writer
	width int
	err   error
}

// minWidth keeps a wrapped column readable.
const minWidth = 60

// NewText writes to out.
func NewText(out io.Writer, width int) *Text { return &Text{out: out, width: max(width, minWidth)} }

// Err is the first error of writing.
func (t *Text) Err() error { return t.err }

func (t *Text) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}

// Paragraph writes a text, wrapped.
func (t *Text) Paragraph(text string) {
	for _, line := range wrap(text, t.width) {
		t.line("%s", line)
	}
}

// Heading writes a heading, and a blank line before it.
func (t *Text) Heading(text string) {
	t.line("")
	t.line("%s", text)
}

// Table writes rows of as many cells each. The last column is wrapped, the
// others are as wide as they need to be.
func (t *Text) Table(rows [][]string) {
	if len(rows) == 0 {
		return
	}
	last := len(rows[0]) - 1
	widths := make([]int, last)
	for _, row := range rows {
		for i := range widths {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	indent := 2
	for _, w := range widths {
		indent += w + 2
	}
	room := t.width - indent
	for _, row := range rows {
		start := "  "
		for i, w := range widths {
			start += row[i] + strings.Repeat(" ", w-utf8.RuneCountInString(row[i])+2)
		}
		if room < minWidth/2 { // below instead of beside
			t.line("%s", start)
			for _, line := range wrap(row[last], t.width-6) {
				t.line("      %s", line)
			}
			continue
		}
		lines := wrap(row[last], room)
		if len(lines) == 0 {
			lines = []string{""}
		}
		for i, line := range lines {
			if i > 0 {
				start = strings.Repeat(" ", indent)
			}
			t.line("%s%s", start, line)
		}
	}
}

// wrap breaks a text between words. A word that is too long stays whole.
func wrap(text string, width int) []string {
	var (
		lines []string
		line  string
	)
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// Fields writes a table of fields under a heading; nothing where there are none.
func (t *Text) Fields(heading string, fields []Field) {
	if len(fields) == 0 {
		return
	}
	t.Heading(heading)
	var rows [][]string
	for _, f := range fields {
		name := f.Name
		if f.Required && heading != "Result" && heading != "Fields" {
			name += " *"
		}
		rows = append(rows, []string{name, f.kind(), f.notes()})
	}
	t.Table(rows)
}

// Connector writes a connector: its settings, and its operations and events by name.
func (t *Text) Connector(c Connector) {
	t.line("%s: %s", c.Name, c.Title)
	t.Paragraph(c.Summary)
	t.Fields("Settings (* needed)", c.Settings)
	t.Heading("Operations")
	var rows [][]string
	for _, op := range c.Operations {
		rows = append(rows, []string{op.Name, string(op.Effect), op.Title})
	}
	t.Table(rows)
	if len(c.Events) > 0 {
		t.Heading("Events")
		rows = nil
		for _, event := range c.Events {
			rows = append(rows, []string{event.Name, event.Summary})
		}
		t.Table(rows)
	}
	if len(c.Records) > 0 {
		t.Heading("Records")
		rows = nil
		for _, record := range c.Records {
			rows = append(rows, []string{c.Name + "/" + record})
		}
		t.Table(rows)
	}
}

// Operation writes an operation whole.
func (t *Text) Operation(op Operation) {
	t.line("%s: %s", op.Name, op.Title)
	t.Paragraph(op.Summary)
	if words := effectWords(op); words != "" {
		t.line("")
		t.Paragraph(words)
	}
	t.Fields("Parameters (* needed)", op.Params)
	t.Fields("Result", op.Result)
}

// effectWords says what an operation does to the other system, "" when it does
// nothing to any.
func effectWords(op Operation) string {
	switch op.Effect {
	case "":
		return ""
	case connectors.Read:
		return "It reads: a dry run does it too."
	}
	return fmt.Sprintf("It writes (%s). When it is not known whether it happened: %s.", op.Effect, repeatWords[op.Repeat])
}

var repeatWords = map[connectors.Repeat]string{
	connectors.Idempotent:   "it is done again, which changes nothing more",
	connectors.NaturalKey:   "the link step's match finds the record before it would make a second one; a plain call holds the run for a person",
	connectors.ReadBack:     "the connector reads back whether it happened",
	connectors.AfterLooking: "the flow looks for it, once the other system cannot be at it any more",
	connectors.Unrepeatable: "the run is held for a person",
}

// Event writes an event whole.
func (t *Text) Event(e Event) {
	t.line("%s", e.Name)
	t.Paragraph(e.Summary)
	t.Fields("Fields", e.Payload)
}

// Record writes a type of records.
func (t *Text) Record(r Record) {
	t.line("%s", r.Name)
	t.Paragraph(r.Summary)
	t.Fields("Fields", r.Fields)
}

// Function writes a function whole.
func (t *Text) Function(f Function) {
	t.line("%s", f.Signature)
	t.Paragraph(f.Summary)
	if f.Example != "" {
		t.line("")
		t.line("  %s", f.Example)
		t.line("  = %s", f.Result)
	}
}
