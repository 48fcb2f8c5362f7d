package flow_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/engine/expression"
)

// withoutCase are codes that no file of the corpus shows, and why.
var withoutCase = map[string]string{
	"file-too-large": "a file of a megabyte; TestLargeFilesAreRefused shows it",
	"bad-schema":     "about JSON files; resources_test shows it",
	"unused-schema":  "about JSON files; resources_test shows it",
}

// codeArgument is which argument of the reporting functions is the code.
var codeArgument = map[string]int{"report": 2, "warn": 2, "reportNode": 1, "warnNode": 1, "checkNamed": 2}

// Every code that the loader can report has a case in the corpus: a strange
// message is seen by whoever makes it.
func TestEveryCodeHasACase(t *testing.T) {
	t.Parallel()
	corpus := map[string]bool{}
	cases, err := filepath.Glob("testdata/diagnostics/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range cases {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if i := strings.LastIndex(line, " ["); i >= 0 && strings.HasSuffix(line, "]\n") {
				corpus[line[i+2:len(line)-2]] = true
			}
		}
	}
	if len(cases) < 60 {
		t.Errorf("the corpus has only %d files", len(cases))
	}
	codes := codesOf(t)
	// Of expressions, those that are found before anything runs.
	for _, code := range []string{
		expression.CodeSyntax, expression.CodeUnterminated, expression.CodeTooLarge, expression.CodeUnknownName,
		expression.CodeUnknownField, expression.CodeUnknownFunc, expression.CodeArguments, expression.CodeType, expression.CodeValue,
	} {
		codes[code] = "engine/expression"
	}
	for code, at := range codes {
		if _, waived := withoutCase[code]; !corpus[code] && !waived {
			t.Errorf("no case shows %s (%s)", code, at)
		}
	}
	for code := range withoutCase {
		if codes[code] == "" && code != "unused-schema" && code != "bad-schema" {
			t.Errorf("%s is waived and not reported anywhere", code)
		}
	}
}

// codesOf finds the codes in this package's sources.
func codesOf(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{}
	set := token.NewFileSet()
	for _, file := range files {
		// Test files have their own cases, where flowctl test is tested.
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "testfile") {
			continue
		}
		parsed, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			selector, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			i, reports := codeArgument[selector.Sel.Name]
			if !reports || i >= len(call.Args) {
				return true
			}
			if literal, ok := call.Args[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if code, err := strconv.Unquote(literal.Value); err == nil {
					codes[code] = set.Position(call.Pos()).String()
				}
			}
			return true
		})
	}
	if len(codes) < 30 {
		t.Fatalf("only %d codes were found in the sources", len(codes))
	}
	return codes
}
