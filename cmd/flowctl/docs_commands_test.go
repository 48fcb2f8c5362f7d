package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/urfave/cli/v2"
)

var (
	shellBlock  = regexp.MustCompile("(?s)```sh\n(.*?)```")
	commandLine = regexp.MustCompile(`^\s*(?:\$ )?((?:[A-Z_]+=\S+ )*)flowctl (.*)$`)
)

// documentedCommand is a command line of the docs.
type documentedCommand struct {
	file  string
	words []string // behind flowctl
}

// documentedCommands finds the command lines in the docs' shell blocks.
func documentedCommands(t *testing.T) []documentedCommand {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []documentedCommand
	for _, file := range append(documents(t), pages...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
				if m := commandLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
					found = append(found, documentedCommand{file, shellWords(m[2])})
				}
			}
		}
	}
	return found
}

// shellWords cuts a line into words as a shell does, up to a comment or a pipe.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	quote, open := rune(0), false
	for _, r := range line + " " {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
				continue
			}
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' || r == '\t':
			if word.Len() > 0 || open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		case word.Len() == 0 && !open && strings.ContainsRune("#|<>&;", r):
			return words
		default:
			word.WriteRune(r)
		}
	}
	return words
}

// Every command line in the docs is one that flowctl takes.
func TestCommandsInTheDocsExist(t *testing.T) {
	t.Parallel()
	found := documentedCommands(t)
	if len(found) < 10 {
		t.Errorf("only %d command lines were found in the docs", len(found))
	}
	for _, line := range found {
		command, at := commandOf(commands(), append([]string{"flowctl"}, line.words...))
		if command == nil || len(command.Subcommands) > 0 && at == len(line.words)+1 {
			t.Errorf("%s: there is no command flowctl %s", line.file, strings.Join(line.words, " "))
			continue
		}
		for _, word := range line.words[at-1:] {
			name, isFlag := strings.CutPrefix(word, "--")
			name, _, _ = strings.Cut(name, "=")
			if isFlag && !slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) }) {
				t.Errorf("%s: flowctl %s has no flag --%s", line.file, command.Name, name)
			}
		}
	}
}

// needNothing are the commands that work on files alone, so that the docs' lines
// of them can be run as they stand.
var needNothing = []string{"validate", "test", "graph", "describe", "new", "schema export"}

// What can be run of the docs' command lines does what they say: page by page, in
// a folder with the app that is built in.
func TestCommandsInTheDocsRun(t *testing.T) {
	t.Parallel()
	byPage := map[string][]string{}
	for _, line := range documentedCommands(t) {
		text := strings.Join(line.words, " ")
		runs := slices.ContainsFunc(needNothing, func(name string) bool { return text == name || strings.HasPrefix(text, name+" ") })
		if !runs || slices.Contains(line.words, "--watch") {
			continue
		}
		quoted := make([]string, len(line.words))
		for i, word := range line.words {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", "''") + "'"
		}
		page := strings.TrimSuffix(strings.ReplaceAll(strings.TrimPrefix(line.file, "../../"), "/", "_"), ".md")
		byPage[page] = append(byPage[page], "exec flowctl "+strings.Join(quoted, " "))
	}
	if len(byPage) == 0 {
		t.Fatal("no page has a command that can be run")
	}
	folder := t.TempDir()
	for page, lines := range byPage {
		script := strings.Join(lines, "\n") + "\n"
		if makesApp := "exec flowctl 'new' 'app'"; lines[0] != makesApp {
			script = makesApp + "\n" + script
		}
		if err := os.WriteFile(filepath.Join(folder, page+".txtar"), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{Dir: folder, RequireExplicitExec: true})
}
