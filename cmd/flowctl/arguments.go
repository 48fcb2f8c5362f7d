package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst puts the flags of a command line before its arguments, because the
// parser stops at the first argument, and people write the flow before --set.
// What stands behind "--" are arguments, whatever they look like.
func flagsFirst(commands []*cli.Command, args []string) []string {
	command, at := commandOf(commands, args)
	if command == nil {
		return args
	}
	flags, rest := slices.Clone(args[:at]), []string{}
	for i := at; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			rest = append(rest, arg)
			continue
		}
		flags = append(flags, arg)
		if takesNext(command, arg) {
			if i++; i == len(args) {
				// Its value is missing, and must not be found among the arguments.
				return flags
			}
			flags = append(flags, args[i])
		}
	}
	return append(flags, rest...)
}

// commandOf follows the names of commands and returns the last of them, and
// where its own words begin. args[0] is the program.
func commandOf(commands []*cli.Command, args []string) (*cli.Command, int) {
	var found *cli.Command
	at := 1
	for at < len(args) {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[at]) })
		if i < 0 {
			break
		}
		found, commands = commands[i], commands[i].Subcommands
		at++
	}
	return found, at
}

// takesNext tells whether a flag's value is the next word: it takes one and has
// none behind "=". A flag that is not known is left to the parser, which says so.
func takesNext(command *cli.Command, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return false
	}
	for _, flag := range command.Flags {
		valued, ok := flag.(cli.DocGenerationFlag)
		if ok && slices.Contains(flag.Names(), name) {
			return valued.TakesValue()
		}
	}
	return false
}

// eachCommand visits commands and those below them.
func eachCommand(commands []*cli.Command, visit func(*cli.Command)) {
	for _, command := range commands {
		visit(command)
		eachCommand(command.Subcommands, visit)
	}
}

// group is a command that only has others below it.
func group(name, usage, description string, commands ...*cli.Command) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, Description: description, Subcommands: commands, HideHelpCommand: true,
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return cli.ShowSubcommandHelp(c)
			}
			var names []string
			for _, command := range commands {
				names = append(names, command.Name)
			}
			return failure(exitUsage, "there is no command %q; there are: %s", name+" "+c.Args().First(), strings.Join(names, ", "))
		},
	}
}
