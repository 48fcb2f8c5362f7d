package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
	"pgregory.net/rapid"
)

func someCommands() []*cli.Command {
	return []*cli.Command{
		{Name: "run", Flags: []cli.Flag{&cli.StringSliceFlag{Name: "set"}, &cli.StringFlag{Name: "input", Aliases: []string{"i"}}, &cli.BoolFlag{Name: "json"}}},
		{Name: "runs", Subcommands: []*cli.Command{{Name: "show", Flags: []cli.Flag{&cli.BoolFlag{Name: "full"}}}}},
	}
}

func TestFlagsFirst(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"flowctl":                              "flowctl",
		"flowctl --version":                    "flowctl --version",
		"flowctl unknown x --y":                "flowctl unknown x --y",
		"flowctl run a --set id=1":             "flowctl run --set id=1 a",
		"flowctl run a --set=id=1 --json":      "flowctl run --set=id=1 --json a",
		"flowctl run --json a --set id=1":      "flowctl run --json --set id=1 a",
		"flowctl run a --json b":               "flowctl run --json a b",
		"flowctl run a --input -":              "flowctl run --input - a",
		"flowctl run a -i -":                   "flowctl run -i - a",
		"flowctl run a -":                      "flowctl run a -",
		"flowctl run a --nonsense b":           "flowctl run --nonsense a b",
		"flowctl run a --set":                  "flowctl run --set", // which the parser refuses
		"flowctl run --json -- a --set id=1":   "flowctl run --json -- a --set id=1",
		"flowctl runs show 12 --full":          "flowctl runs show --full 12",
		"flowctl runs show 12 --full -- --odd": "flowctl runs show --full 12 -- --odd",
	} {
		got := strings.Join(flagsFirst(someCommands(), strings.Fields(given)), " ")
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", given, got, want)
		}
	}
}

// Words are only moved: nothing is lost, and arguments keep their order.
func TestFlagsFirstOnlyMoves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c=d", "--set", "--set=x", "--json", "--input", "-i", "-", "--", "--odd"})).Draw(t, "words")
		given := append([]string{"flowctl", "run"}, words...)
		got := flagsFirst(someCommands(), slices.Clone(given))
		if len(got) < len(given) && slices.Contains([]string{"--set", "--input", "-i"}, given[len(given)-1]) {
			return // its value is missing
		}
		if again := flagsFirst(someCommands(), slices.Clone(got)); !slices.Equal(again, got) {
			t.Fatalf("not settled: %q, then %q", got, again)
		}
		slices.Sort(given)
		slices.Sort(got)
		if !slices.Equal(given, got) {
			t.Fatalf("%q became %q", given, got)
		}
	})
}
