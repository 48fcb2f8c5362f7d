package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/value"
)

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON"}
}

// jsonLines writes one JSON value a line.
func jsonLines(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}

// jsonArray writes a list whose end nobody waits for: --limit 0 lists more than
// fits into memory.
type jsonArray struct {
	w     io.Writer
	count int
}

func (a *jsonArray) add(v any) error {
	data, err := json.MarshalIndent(v, "  ", "  ")
	if err != nil {
		return err
	}
	before := ",\n  "
	if a.count == 0 {
		before = "[\n  "
	}
	a.count++
	_, err = fmt.Fprintf(a.w, "%s%s", before, data)
	return err
}

func (a *jsonArray) end() error {
	text := "\n]\n"
	if a.count == 0 {
		text = "[]\n"
	}
	_, err := io.WriteString(a.w, text)
	return err
}

// rawJSON is a stored value as JSON for people and foreign programs: amounts and
// instants as text. What cannot be read is left out.
func rawJSON(data []byte) json.RawMessage {
	if len(data) == 0 {
		return nil
	}
	v, err := value.Decode(data)
	if err != nil {
		return nil
	}
	plain, err := json.Marshal(value.Plain(v))
	if err != nil {
		return nil
	}
	return plain
}

// clock is how instants are shown: UTC, to the second.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// oneLine cuts a text for a table.
func oneLine(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}

// progress tells on a terminal how far something long is. Nobody else wants to
// read it.
type progress struct {
	w    io.Writer // nil where there is no terminal
	what string
	last time.Time
}

func newProgress(c *cli.Context, what string) *progress {
	f, ok := c.App.ErrWriter.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return &progress{what: what}
	}
	return &progress{w: f, what: what}
}

// at shows how many are done; total 0 means that nobody knows how many there are.
func (p *progress) at(done, total int) {
	if p.w == nil || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last = time.Now()
	if total == 0 {
		fmt.Fprintf(p.w, "\r%d %s ", done, p.what)
		return
	}
	const width = 30
	filled := width * done / total
	fmt.Fprintf(p.w, "\r[%s%s] %d of %d %s ", strings.Repeat("#", filled), strings.Repeat(".", width-filled), done, total, p.what)
}

// done takes the line away.
func (p *progress) done() {
	if p.w != nil && !p.last.IsZero() {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", 78))
	}
}

// count writes a number with its noun: "1 run", "12 runs".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
