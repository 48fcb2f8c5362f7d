package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
)

// settingDetail is all there is to know of one setting.
type settingDetail struct {
	settingView
	Record  string `json:"record,omitempty"`
	Format  string `json:"format,omitempty"`
	Min     *int64 `json:"min,omitempty"`
	Max     *int64 `json:"max,omitempty"`
	Default any    `json:"default,omitempty"`
	// Records are the records that may be chosen, as they were loaded last.
	Records []settings.Choice `json:"records,omitempty"`
	Columns []columnDetail    `json:"columns,omitempty"`
}

// columnDetail is a column of a setting of type table.
type columnDetail struct {
	Title   string            `json:"title"`
	Choices []string          `json:"choices,omitempty"`
	Record  string            `json:"record,omitempty"`
	Records []settings.Choice `json:"records,omitempty"`
}

func settingsShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show one setting, and what it may be",
		ArgsUsage: "NAME",
		Description: "Records that may be chosen are listed as they were when the settings were last saved in the panel.\n\n" +
			"Example: flowctl settings show payment_journals",
		Flags: append(engineFlags(), jsonFlag()),
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return failure(exitUsage, "settings show takes the name of a setting")
			}
			return withEngine(c, func(e *engine.Engine) error {
				detail, err := settingDetailOf(c, e, c.Args().First())
				if err != nil {
					return err
				}
				if c.Bool("json") {
					return printJSON(c.App.Writer, detail)
				}
				return printSetting(c.App.Writer, detail)
			})
		},
	}
}

func settingDetailOf(c *cli.Context, e *engine.Engine, name string) (settingDetail, error) {
	declared, err := declaredSetting(e.App(), name)
	if err != nil {
		return settingDetail{}, err
	}
	views, err := settingViews(c, e)
	if err != nil {
		return settingDetail{}, err
	}
	i := slices.IndexFunc(views, func(v settingView) bool { return v.Name == name })
	d := settingDetail{settingView: views[i], Record: declared.Record, Format: declared.Format, Min: declared.Min, Max: declared.Max,
		Default: shownSetting(declared, declared.Default)}
	choices := func(name string) []settings.Choice {
		var kept []settings.Choice
		if err == nil {
			kept, err = e.Settings().Choices(c.Context, c.String("instance"), name)
		}
		return kept
	}
	if declared.Record != "" {
		d.Records = choices(name)
	}
	if declared.Type == "table" {
		d.Columns = []columnDetail{columnOf(declared.Key, "Key"), columnOf(declared.Value, "Value")}
		for i, column := range []string{"key", "value"} {
			if d.Columns[i].Record != "" {
				d.Columns[i].Records = choices(name + "." + column)
			}
		}
	}
	return d, asStoreError(err)
}

func columnOf(c flow.Column, otherwise string) columnDetail {
	if c.Title == "" {
		c.Title = otherwise
	}
	return columnDetail{Title: c.Title, Choices: c.Choices, Record: c.Record}
}

func printSetting(w io.Writer, d settingDetail) error {
	fmt.Fprintf(w, "%s: %s\n", d.Name, d.Title)
	if d.Help != "" {
		fmt.Fprintln(w, d.Help)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(table, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("tab", "%s", d.Tab)
	row("type", "%s", typeWords(d))
	row("from", "%s", d.Source)
	row("variable", "%s", d.Variable)
	if err := table.Flush(); err != nil {
		return err
	}
	return printSettingValue(w, d)
}

func typeWords(d settingDetail) string {
	words := d.Type
	if d.Format != "" {
		words += ", as " + d.Format
	}
	if d.Min != nil {
		words += fmt.Sprintf(", at least %d", *d.Min)
	}
	if d.Max != nil {
		words += fmt.Sprintf(", at most %d", *d.Max)
	}
	if d.Record != "" {
		words += ", id of a " + d.Record
	}
	if len(d.Choices) > 0 {
		words += ": " + strings.Join(d.Choices, ", ")
	}
	return words
}

func printSettingValue(w io.Writer, d settingDetail) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	switch v := d.Value.(type) {
	case map[string]any:
		fmt.Fprintf(table, "\n%s\t%s\n", strings.ToUpper(d.Columns[0].Title), strings.ToUpper(d.Columns[1].Title))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(table, "%s\t%s\n", labelled(key, d.Columns[0].Records), labelled(fmt.Sprint(v[key]), d.Columns[1].Records))
		}
	case nil:
		if d.Type == "secret" && d.Source != fromNowhere {
			fmt.Fprintln(table, "\nvalue\t(secret)")
		} else {
			fmt.Fprintln(table, "\nvalue\t-")
		}
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			texts[i] = fmt.Sprint(item)
		}
		fmt.Fprintf(table, "\nvalue\t%s\n", strings.Join(texts, ","))
	default:
		fmt.Fprintf(table, "\nvalue\t%s\n", labelled(fmt.Sprint(v), d.Records))
	}
	records, choices := d.Records, []string(nil)
	if len(d.Columns) > 0 {
		records, choices = d.Columns[1].Records, d.Columns[1].Choices
	}
	for i, c := range records {
		if i == 0 {
			fmt.Fprintln(table, "\nmay be")
		}
		fmt.Fprintf(table, "%d\t%s\n", c.Value, c.Label)
	}
	if len(choices) > 0 {
		fmt.Fprintf(table, "\nmay be\t%s\n", strings.Join(choices, ", "))
	}
	return table.Flush()
}

// labelled is a value with the name of the record that it is the id of.
func labelled(text string, records []settings.Choice) string {
	for _, c := range records {
		if fmt.Sprint(c.Value) == text {
			return text + " (" + c.Label + ")"
		}
	}
	return text
}

// tableText writes a table's rows as settings set reads them.
func tableText(rows map[string]any) string {
	texts := make([]string, 0, len(rows))
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		texts = append(texts, fmt.Sprintf("%s=%v", key, rows[key]))
	}
	if len(texts) == 0 {
		return "-"
	}
	return strings.Join(texts, ",")
}
