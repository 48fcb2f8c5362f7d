package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

// withoutInstance are commands that know no shop.
var withoutInstance = map[string]string{
	"validate": "looks at files alone",
	"test":     "its runs touch no shop",
	"sandbox":  "is a shop itself",
	"describe": "looks at specs alone",
	"docs":     "writes what describe knows",
	"version":  "tells of the program",

	"graph":         "looks at files alone",
	"new app":       "writes files alone",
	"new flow":      "writes files alone",
	"new test":      "writes files alone",
	"new connector": "writes files alone",

	"schema export": "writes the types that are built in",

	"users list":     "accounts see all shops",
	"users add":      "accounts see all shops",
	"users password": "accounts see all shops",
	"users role":     "accounts see all shops",
	"users token":    "accounts see all shops",
	"users remove":   "accounts see all shops",

	"instances list":   "is about all of them",
	"instances add":    "takes the name as its argument",
	"instances rename": "takes the name as its argument",
	"instances pause":  "takes the name as its argument",
	"instances resume": "takes the name as its argument",
	"instances remove": "takes the name as its argument",
}

// leaves visits the commands that do something, with their whole names.
func leaves(commands []*cli.Command, before string, visit func(name string, command *cli.Command)) {
	for _, command := range commands {
		name := strings.TrimSpace(before + " " + command.Name)
		if len(command.Subcommands) == 0 {
			visit(name, command)
		}
		leaves(command.Subcommands, name, visit)
	}
}

func TestEveryCommandHasAnExampleThatParses(t *testing.T) {
	t.Parallel()
	leaves(commands(), "", func(name string, command *cli.Command) {
		lines := strings.Split(command.Description, "\n")
		i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "Example: ") })
		if i < 0 || command.Usage == "" {
			t.Errorf("%s has no usage, or no example", name)
			return
		}
		example := lines[i]
		at := strings.Index(example, "flowctl "+name)
		if at < 0 {
			t.Errorf("the example of %s is of something else: %s", name, example)
			return
		}
		for word := range strings.FieldsSeq(example[at:]) {
			flag, isFlag := strings.CutPrefix(word, "--")
			if isFlag && !slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), flag) }) {
				t.Errorf("the example of %s has a flag that does not exist: %s", name, word)
			}
		}
	})
}

func TestEveryCommandTakesAnInstance(t *testing.T) {
	t.Parallel()
	leaves(commands(), "", func(name string, command *cli.Command) {
		has := slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return f.Names()[0] == "instance" })
		if _, waived := withoutInstance[name]; has == waived {
			t.Errorf("%s: --instance is there: %v", name, has)
		}
	})
}

func TestReadSince(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	for text, want := range map[string]string{
		"90m":                       "2026-03-10T09:30:00Z",
		"24h":                       "2026-03-09T11:00:00Z",
		"7d":                        "2026-03-03T11:00:00Z",
		"2026-01-31":                "2026-01-31T00:00:00Z",
		"2026-01-31T08:00:00+02:00": "2026-01-31T06:00:00Z",
	} {
		got, err := readSince(text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s is %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-1h", "-2d", "d", "999999d", "2026-13-01"} {
		if got, err := readSince(text, now); err == nil {
			t.Errorf("%s was read as %v", text, got)
		}
	}
}

func TestActsExit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		report actReport
		want   int
	}{
		"all done":            {actReport{Done: []int64{1, 2}}, exitDone},
		"none":                {actReport{}, exitDone},
		"all refused":         {actReport{Refused: []int64{1}}, exitFailed},
		"some refused":        {actReport{Done: []int64{1}, Refused: []int64{2}}, exitHeld},
		"worked":              {actReport{Done: []int64{1}, Runs: []runView{{State: "succeeded"}}}, exitDone},
		"held again":          {actReport{Done: []int64{1}, Runs: []runView{{State: "held"}}}, exitHeld},
		"failed again":        {actReport{Done: []int64{1}, Runs: []runView{{State: "failed"}}}, exitFailed},
		"one of two failed":   {actReport{Done: []int64{1, 2}, Runs: []runView{{State: "failed"}, {State: "succeeded"}}}, exitHeld},
		"failed and refused":  {actReport{Done: []int64{1}, Refused: []int64{2}, Runs: []runView{{State: "failed"}}}, exitFailed},
		"skipped is fine too": {actReport{Done: []int64{1}, Runs: []runView{{State: "skipped"}}}, exitDone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := exitDone
			if err := actsExit(test.report); err != nil {
				got = codeOf(err)
			}
			if got != test.want {
				t.Errorf("exit code %d, want %d", got, test.want)
			}
		})
	}
}
