package flow

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a diagnostic stops a flow from running.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Position is a place in a file, counted from 1. Columns count bytes.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String is file:line:column.
func (p Position) String() string {
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Diagnostic is one finding about a file.
type Diagnostic struct {
	Position
	// Length of the marked text in bytes; 0 marks one character.
	Length   int      `json:"length,omitempty"`
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // stable, listed in docs/diagnostics.md
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
}

// Diagnostics are findings about one or more files.
type Diagnostics []Diagnostic

// Failed tells whether any of them is an error.
func (d Diagnostics) Failed() bool {
	return slices.ContainsFunc(d, func(x Diagnostic) bool { return x.Severity == SeverityError })
}

// FailedIn tells whether any of them is an error of this file.
func (d Diagnostics) FailedIn(file string) bool {
	return slices.ContainsFunc(d, func(x Diagnostic) bool { return x.Severity == SeverityError && x.File == file })
}

// Error lists the errors, a line each.
func (d Diagnostics) Error() string {
	var lines []string
	for _, x := range d {
		if x.Severity == SeverityError {
			lines = append(lines, x.Position.String()+": "+x.Message)
		}
	}
	return strings.Join(lines, "\n")
}

// Sorted orders by file and place, and drops repetitions.
func (d Diagnostics) Sorted() Diagnostics {
	out := slices.Clone(d)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return slices.Compact(out)
}

// closest finds the candidate nearest to name, "" when none is near. It counts
// inserted, dropped, replaced and swapped letters; up to a third of the name may
// differ.
func closest(name string, candidates []string) string {
	best, bestDistance := "", len(name)/3+1
	for _, candidate := range candidates {
		if d := distance(name, candidate); d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = candidate, d
		}
	}
	return best
}

func distance(a, b string) int {
	// Three rows of the table are enough: a swap looks two rows back.
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// didYouMean is a hint, "" when nothing is near.
func didYouMean(name string, candidates []string) string {
	if near := closest(name, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}
