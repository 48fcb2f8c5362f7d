package panel

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
)

// settingView is a setting as a field of the form.
type settingView struct {
	flow.Setting
	Text    string
	On      bool
	Items   []string
	Rows    []rowView
	Options []option // of a choice, or of records
	Keys    []option // of a table's columns; none: free text
	Values  []option
	Problem string
	// Fixed is the variable of the environment that decides it.
	Fixed  string
	Stored bool
	Owner  bool
}

type rowView struct{ Key, Value string }

type option struct{ Value, Label string }

// Field is the name of the form's field.
func (f settingView) Field() string { return "f." + f.Name }

// ID is the id of the form's field.
func (f settingView) ID() string { return "f-" + f.Name }

// None tells that the system has no such record at all.
func (f settingView) None() bool { return f.Record != "" && f.Options != nil && len(f.Options) == 0 }

// Locked tells whether it cannot be changed here.
func (f settingView) Locked() bool { return f.Fixed != "" || !f.Owner }

// Input is the kind of text field that browsers know.
func (f settingView) Input() string {
	switch f.Format {
	case "url":
		return "url"
	case "email":
		return "email"
	}
	return "text"
}

// choices offers what the setting may be.
func (f *settingView) choices(records map[string][]option) {
	if f.Type == "table" {
		f.Keys, f.Values = columnOptions(f.Setting.Key, records[f.Name+".key"]), columnOptions(f.Setting.Value, records[f.Name+".value"])
		return
	}
	if f.Record != "" {
		f.Options = records[f.Name]
		return
	}
	for _, c := range f.Choices {
		f.Options = append(f.Options, option{c, choiceWords(c)})
	}
}

func columnOptions(c flow.Column, records []option) []option {
	if c.Record != "" {
		return records
	}
	var options []option
	for _, choice := range c.Choices {
		options = append(options, option{choice, choiceWords(choice)})
	}
	return options
}

func choiceWords(c string) string { return sentence(strings.ReplaceAll(c, "_", " ")) }

// show takes over a value. A secret's is none of the page's business.
func (f *settingView) show(v any) {
	switch v := v.(type) {
	case nil:
	case bool:
		f.On = v
	case []any:
		for _, item := range v {
			f.Items = append(f.Items, cellText(item))
		}
		f.Text = strings.Join(f.Items, ", ")
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			f.Rows = append(f.Rows, rowView{key, cellText(v[key])})
		}
	default:
		f.Text = cellText(v)
	}
	if f.Type == "secret" {
		f.On, f.Text = f.Text != "", ""
		return
	}
	f.keepChosen()
}

// keepChosen offers what is chosen even where nobody knows it by name.
func (f *settingView) keepChosen() {
	if f.Text != "" && f.Options != nil && f.Type != "list" {
		f.Options = withOption(f.Options, f.Text)
	}
	for _, row := range f.Rows {
		f.Keys, f.Values = withOption(f.Keys, row.Key), withOption(f.Values, row.Value)
	}
	if f.Type == "table" && !f.Locked() {
		f.Rows = append(f.Rows, rowView{})
	}
}

func withOption(options []option, value string) []option {
	if options == nil || value == "" || slices.ContainsFunc(options, func(o option) bool { return o.Value == value }) {
		return options
	}
	return append(slices.Clone(options), option{value, value + " (not among the choices)"})
}

func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case decimal.Decimal:
		return v.String()
	}
	return fmt.Sprint(v)
}

// resend shows what was sent and not saved.
func (f *settingView) resend(form url.Values) {
	switch f.Type {
	case "switch":
		f.On = form.Get(f.Field()) == "true"
	case "secret": // never sent back
	case "table":
		f.Rows = nil
		keys, values := form[f.Field()+".key"], form[f.Field()+".value"]
		for i := range min(len(keys), len(values)) {
			if keys[i] != "" || values[i] != "" {
				f.Rows = append(f.Rows, rowView{keys[i], values[i]})
			}
		}
		f.Rows = append(f.Rows, rowView{})
	case "list":
		if len(f.Choices) > 0 {
			f.Items = form[f.Field()]
		}
		f.Text = form.Get(f.Field())
	default:
		f.Text = strings.TrimSpace(form.Get(f.Field()))
	}
}

// maxRows bounds a table's rows in a form.
const maxRows = 2000

// readSetting reads a setting from the form. sent is false where the form does
// not say: a secret that was left empty stays.
func readSetting(s flow.Setting, form url.Values) (typed any, sent bool, err error) {
	field := "f." + s.Name
	switch s.Type {
	case "switch":
		if !form.Has(field + ".here") {
			return nil, false, nil // a box without a tick is not sent: this tells that it was there
		}
		return form.Get(field) == "true", true, nil
	case "secret":
		if form.Get(field+".drop") == "true" {
			return nil, true, nil
		}
		if form.Get(field) == "" {
			return nil, false, nil
		}
		typed, err = s.Check(form.Get(field))
		return typed, true, err
	case "table":
		if !form.Has(field + ".here") {
			return nil, false, nil
		}
		return readTable(s, form[field+".key"], form[field+".value"])
	case "list":
		if !form.Has(field + ".here") {
			return nil, false, nil
		}
		var items []any
		for _, text := range form[field] {
			for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
				items = append(items, strings.TrimSpace(item))
			}
		}
		if items == nil {
			items = []any{}
		}
		typed, err = s.Check(items)
		return typed, true, err
	}
	if !form.Has(field) {
		return nil, false, nil
	}
	text := form.Get(field)
	if strings.TrimSpace(text) == "" {
		return nil, true, nil
	}
	if s.Type == "integer" || s.Type == "decimal" {
		if _, err := decimal.NewFromString(strings.TrimSpace(text)); err != nil {
			return nil, true, fmt.Errorf("%q is no number", text)
		}
	}
	parsed, err := settings.Parse(s, text)
	if err != nil {
		return nil, true, plainProblem(err)
	}
	typed, err = s.Check(parsed)
	return typed, true, err
}

// plainProblem drops the setting's name from an error: the field has it.
func plainProblem(err error) error {
	for _, one := range flatten(err) {
		if wrong, ok := one.(*settings.InvalidError); ok {
			return wrong.Err
		}
	}
	return err
}

func readTable(s flow.Setting, keys, values []string) (typed any, sent bool, err error) {
	if len(keys) != len(values) || len(keys) > maxRows {
		return nil, true, fmt.Errorf("the table cannot be read")
	}
	rows := map[string]any{}
	for i, key := range keys {
		key, cell := strings.TrimSpace(key), strings.TrimSpace(values[i])
		switch _, twice := rows[key]; {
		case key == "" && cell == "":
			continue
		case key == "":
			return nil, true, fmt.Errorf("row %d has no %s", i+1, columnTitle(s.Key, "name"))
		case cell == "":
			return nil, true, fmt.Errorf("row %d has no %s", i+1, columnTitle(s.Value, "value"))
		case twice:
			return nil, true, fmt.Errorf("%s is there twice", key)
		}
		rows[key] = cell
		if s.Value.Record != "" {
			id, err := strconv.ParseInt(cell, 10, 64)
			if err != nil {
				return nil, true, fmt.Errorf("%q in row %d is no id", cell, i+1)
			}
			rows[key] = id
		}
	}
	typed, err = s.Check(rows)
	if typed == nil && err == nil {
		typed = map[string]any{}
	}
	return typed, true, err
}

func columnTitle(c flow.Column, otherwise string) string {
	if c.Title != "" {
		return c.Title
	}
	return otherwise
}
