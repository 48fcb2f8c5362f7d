package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/shopspring/decimal"
	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
)

func settingsCommand() *cli.Command {
	return group("settings", "see and change the settings of a shop",
		"Settings are declared in app.yaml and kept in the store; secrets are sealed and never shown.\n"+
			"FLOWCTL_<NAME> in the environment wins over what is stored.\n\n"+
			"Example: flowctl settings set shop_url https://mystore.com",
		settingsListCommand(), settingsShowCommand(), settingsSetCommand(), settingsUnsetCommand())
}

// Where a setting's value comes from.
const (
	fromEnvironment = "environment"
	fromStore       = "store"
	fromDefault     = "default"
	fromNowhere     = "unset"
)

// maxSettingBytes bounds a value read from the standard input.
const maxSettingBytes = 1 << 20

// settingView is a setting as it is printed.
type settingView struct {
	Name     string   `json:"name"`
	Tab      string   `json:"tab"`
	Title    string   `json:"title"`
	Type     string   `json:"type"`
	Value    any      `json:"value"` // null of secrets
	Source   string   `json:"source"`
	Variable string   `json:"variable"`
	Choices  []string `json:"choices,omitempty"`
	Help     string   `json:"help,omitempty"`
}

func settingsListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list all settings with their values",
		Description: "Of secrets it is only told whether they are set.\n\n" +
			"Example: flowctl settings list",
		Flags: append(engineFlags(), jsonFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return withEngine(c, func(e *engine.Engine) error {
				views, err := settingViews(c, e)
				if err != nil {
					return err
				}
				if c.Bool("json") {
					return printJSON(c.App.Writer, views)
				}
				return printSettings(c.App.Writer, views)
			})
		},
	}
}

func settingViews(c *cli.Context, e *engine.Engine) ([]settingView, error) {
	instance := c.String("instance")
	values, err := e.Settings().Values(c.Context, instance)
	if err != nil {
		return nil, &exitError{exitSetting, err}
	}
	stored, err := e.Store().Settings(c.Context, instance)
	if err != nil {
		return nil, err
	}
	var views []settingView
	for _, tab := range e.App().Tabs {
		for _, s := range tab.Settings {
			v := settingView{Name: s.Name, Tab: tab.Name, Title: s.Title, Type: s.Type, Value: shownSetting(s, values[s.Name]),
				Source: fromNowhere, Variable: variableOf(s), Choices: s.Choices, Help: s.Help}
			_, isStored := stored[s.Name]
			_, isGiven := given(c, e.App())[s.Name]
			switch {
			case isGiven:
				v.Source = fromEnvironment
			case isStored:
				v.Source = fromStore
			case s.Default != nil:
				v.Source = fromDefault
			}
			views = append(views, v)
		}
	}
	return views, nil
}

// variableOf is the environment variable that sets a setting.
func variableOf(s flow.Setting) string { return "FLOWCTL_" + strings.ToUpper(s.Name) }

// shownSetting is a value as JSON knows it; a secret is none of anybody's business.
func shownSetting(s flow.Setting, v any) any {
	if s.Type == "secret" {
		return nil
	}
	if d, ok := v.(decimal.Decimal); ok {
		return d.String()
	}
	return v
}

func printSettings(w io.Writer, views []settingView) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVALUE\tFROM\tTITLE")
	for _, v := range views {
		text := "-"
		switch shown := v.Value.(type) {
		case nil:
			if v.Type == "secret" && v.Source != fromNowhere {
				text = "(secret)"
			}
		case []any:
			parts := make([]string, len(shown))
			for i, part := range shown {
				parts[i] = fmt.Sprint(part)
			}
			text = strings.Join(parts, ",")
		case map[string]any:
			text = tableText(shown)
		default:
			text = fmt.Sprint(shown)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", v.Name, oneLine(text, 60), v.Source, v.Title)
	}
	return table.Flush()
}

func settingsSetCommand() *cli.Command {
	return &cli.Command{
		Name:      "set",
		Usage:     "set one setting",
		ArgsUsage: "NAME VALUE|-",
		Description: "- reads the value from the standard input, which is the only way to give a secret: what stands on the command\n" +
			"line is seen by others and kept by the shell. Lists are given by comma, tables as key=value by comma, both also as\n" +
			"JSON. The value is checked; what it may be is told by flowctl settings show NAME.\n\n" +
			"Example: flowctl settings set order_statuses processing,completed\n" +
			"         flowctl settings set payment_journals stripe=7,bacs=9\n" +
			"         flowctl settings set consumer_secret - <secret.txt",
		Flags: engineFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 {
				return failure(exitUsage, "settings set takes a name and a value")
			}
			return withEngine(c, func(e *engine.Engine) error { return setSetting(c, e) })
		},
	}
}

func setSetting(c *cli.Context, e *engine.Engine) error {
	declared, err := declaredSetting(e.App(), c.Args().First())
	if err != nil {
		return err
	}
	text := c.Args().Get(1)
	if text != "-" && declared.Type == "secret" {
		return failure(exitUsage, "%s is a secret: give it on the standard input, as in: flowctl settings set %s - <file", declared.Name, declared.Name)
	}
	if text == "-" {
		data, err := io.ReadAll(io.LimitReader(c.App.Reader, maxSettingBytes+1))
		if err != nil {
			return fmt.Errorf("reading the value: %w", err)
		}
		if len(data) > maxSettingBytes {
			return failure(exitUsage, "the value has more than %d bytes", maxSettingBytes)
		}
		text = strings.TrimRight(string(data), "\r\n")
	}
	typed, err := settings.Parse(declared, text)
	if err != nil {
		return &exitError{exitSetting, err}
	}
	if typed == nil {
		return failure(exitSetting, "setting %s: the value is empty; flowctl settings unset %s takes it away", declared.Name, declared.Name)
	}
	if err := e.Settings().Save(c.Context, c.String("instance"), map[string]any{declared.Name: typed}); err != nil {
		return asSettingError(err)
	}
	fmt.Fprintf(c.App.ErrWriter, "%s is set\n", declared.Name)
	warnOverridden(c, e.App(), declared)
	return nil
}

// warnOverridden tells that what was stored does not count for now.
func warnOverridden(c *cli.Context, app *flow.App, s flow.Setting) {
	if _, ok := given(c, app)[s.Name]; ok {
		fmt.Fprintf(c.App.ErrWriter, "but %s is set in the environment, and wins\n", variableOf(s))
	}
}

func declaredSetting(app *flow.App, name string) (flow.Setting, error) {
	declared, ok := app.Setting(name)
	if !ok {
		return flow.Setting{}, failure(exitUsage, "there is no setting %q; flowctl settings list shows them all", name)
	}
	return declared, nil
}

func settingsUnsetCommand() *cli.Command {
	return &cli.Command{
		Name:        "unset",
		Usage:       "take settings away, so that their defaults hold",
		ArgsUsage:   "NAME...",
		Description: "Example: flowctl settings unset warehouse",
		Flags:       engineFlags(),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return failure(exitUsage, "settings unset takes the names of settings")
			}
			return withEngine(c, func(e *engine.Engine) error {
				values := map[string]any{}
				var errs []error
				for _, name := range c.Args().Slice() {
					_, err := declaredSetting(e.App(), name)
					errs = append(errs, err)
					values[name] = nil
				}
				if err := errors.Join(errs...); err != nil {
					return &exitError{exitUsage, err}
				}
				if err := e.Settings().Save(c.Context, c.String("instance"), values); err != nil {
					return asStoreError(err)
				}
				for _, name := range c.Args().Slice() {
					declared, _ := e.App().Setting(name)
					fmt.Fprintf(c.App.ErrWriter, "%s is unset\n", name)
					warnOverridden(c, e.App(), declared)
				}
				return nil
			})
		},
	}
}
