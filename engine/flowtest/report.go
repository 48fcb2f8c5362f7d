package flowtest

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/value"
)

// WriteText writes a line for each test file, and of each case that failed what
// differs and what the flow did. verbose names the cases that passed too.
func WriteText(w io.Writer, results []Result, verbose bool) error {
	var b strings.Builder
	for _, file := range byFile(results) {
		failed, took := 0, time.Duration(0)
		for _, r := range file {
			took += r.Elapsed
			if !r.Passed() {
				failed++
			}
		}
		mark := "ok  "
		if failed > 0 {
			mark = "FAIL"
		}
		fmt.Fprintf(&b, "%s  %s  %s", mark, file[0].Test.File, plural(len(file), "case"))
		if failed > 0 {
			fmt.Fprintf(&b, ", %d failed", failed)
		}
		fmt.Fprintf(&b, "  %s\n", took.Round(time.Millisecond))
		for _, r := range file {
			if !r.Passed() {
				writeFailed(&b, r)
			} else if verbose {
				fmt.Fprintf(&b, "  ok    %s  (%s)\n", r.Case.Name, r.Outcome.State)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeFailed(b *strings.Builder, r Result) {
	fmt.Fprintf(b, "  FAIL  %s\n", r.Case.Name)
	for _, f := range r.Failures {
		fmt.Fprintf(b, "    %s: %s\n", f.At, strings.ReplaceAll(f.What, "\n", "\n      "))
		if f.Want != "" || f.Got != "" {
			fmt.Fprintf(b, "      - want  %s\n      + got   %s\n", indented(f.Want), indented(cmp.Or(f.Got, "nothing")))
		}
	}
	fmt.Fprintf(b, "    the run: %s\n", strings.Join(nonEmpty(r.Outcome.State, r.Outcome.Code, r.Outcome.Reason), ": "))
	for _, s := range r.steps {
		fmt.Fprintf(b, "      %-24s %s\n", s.path, s.shown())
	}
	if len(r.Calls) > 0 {
		b.WriteString("    its calls:\n")
	}
	for _, c := range r.Calls {
		fmt.Fprintf(b, "      %s %s\n", c.Name, show(c.Params))
	}
}

// maxStepShown bounds what the list of steps shows of a value.
const maxStepShown = 120

func (s stepTrace) shown() string {
	switch {
	case s.skipped:
		return "skipped"
	case s.err != nil:
		return "ended: " + strings.ReplaceAll(s.err.Error(), "\n", " ")
	}
	text := []rune(show(s.value))
	if len(text) > maxStepShown {
		return string(text[:maxStepShown]) + "…"
	}
	return string(text)
}

func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n              ") }

func nonEmpty(texts ...string) []string {
	var out []string
	for _, text := range texts {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// byFile groups results by their test file, in their order.
func byFile(results []Result) [][]Result {
	var groups [][]Result
	for _, r := range results {
		if n := len(groups); n > 0 && groups[n-1][0].Test == r.Test {
			groups[n-1] = append(groups[n-1], r)
			continue
		}
		groups = append(groups, []Result{r})
	}
	return groups
}

// WriteCoverage writes how much of each flow was reached, and what was not.
func WriteCoverage(w io.Writer, coverage []FlowCoverage) error {
	var b strings.Builder
	for _, c := range coverage {
		fmt.Fprintf(&b, "%-32s steps %3d of %3d, ways %3d of %3d\n", c.Flow, c.Reached, c.Steps, c.Taken, c.Branches)
		for _, m := range c.Missed {
			fmt.Fprintf(&b, "  %s: step %s: never %s\n", m.At, m.Step, m.Branch)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Report is what --json prints.
type Report struct {
	Passed   int            `json:"passed"`
	Failed   int            `json:"failed"`
	Cases    []CaseReport   `json:"cases"`
	Coverage []FlowCoverage `json:"coverage,omitempty"`
}

// CaseReport is one case of a report.
type CaseReport struct {
	File     string        `json:"file"`
	Line     int           `json:"line"`
	Test     string        `json:"test"`
	Flow     string        `json:"flow"`
	Case     string        `json:"case"`
	Passed   bool          `json:"passed"`
	Outcome  string        `json:"outcome"`
	Code     string        `json:"code,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Seconds  float64       `json:"seconds"`
	Failures []Failure     `json:"failures,omitempty"`
	Calls    []CallReport  `json:"calls"`
	At       flow.Position `json:"-"`
}

// CallReport is a call that a case made.
type CallReport struct {
	Call string         `json:"call"`
	With map[string]any `json:"with"`
}

// NewReport sums results up.
func NewReport(results []Result, coverage []FlowCoverage) Report {
	report := Report{Cases: []CaseReport{}, Coverage: coverage}
	for _, r := range results {
		c := CaseReport{
			File: r.Test.File, Line: r.Case.At.Line, Test: r.Test.Name, Flow: r.Test.Flow.Name, Case: r.Case.Name, Passed: r.Passed(),
			Outcome: r.Outcome.State, Code: r.Outcome.Code, Reason: r.Outcome.Reason, Seconds: r.Elapsed.Seconds(), Failures: r.Failures,
			Calls: []CallReport{}, At: r.Case.At,
		}
		for _, call := range r.Calls {
			with, _ := value.Plain(call.Params).(map[string]any)
			c.Calls = append(c.Calls, CallReport{call.Name, with})
		}
		if c.Passed {
			report.Passed++
		} else {
			report.Failed++
		}
		report.Cases = append(report.Cases, c)
	}
	return report
}

// WriteJSON writes a report as JSON.
func WriteJSON(w io.Writer, report Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(report)
}

// The elements of a JUnit file, as CI servers read them.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		File     string      `xml:"file,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes results as JUnit XML.
func WriteJUnit(w io.Writer, results []Result) error {
	var out junitSuites
	for _, file := range byFile(results) {
		suite := junitSuite{Name: file[0].Test.Name, File: file[0].Test.File, Tests: len(file)}
		took := time.Duration(0)
		for _, r := range file {
			took += r.Elapsed
			c := junitCase{Name: r.Case.Name, Class: r.Test.Flow.Name, File: r.Test.File, Line: r.Case.At.Line, Time: seconds(r.Elapsed)}
			if !r.Passed() {
				suite.Failures++
				var b strings.Builder
				writeFailed(&b, r)
				c.Failure = &junitFailure{Message: r.Failures[0].What, Text: printable(b.String())}
			}
			suite.Cases = append(suite.Cases, c)
		}
		suite.Time = seconds(took)
		out.Suites = append(out.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// printable drops characters that XML cannot hold.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}
