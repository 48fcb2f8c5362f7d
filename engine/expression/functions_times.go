package expression

import (
	"strings"
	"time"
	_ "time/tzdata" // zones are the same on every machine

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

const day = "2006-01-02"

var timeFunctions = []definition{
	{
		signature: "parse_time(value text) -> instant",
		summary:   `The instant that a text names: RFC 3339, or without a zone in UTC, or a day alone; nil of "".`,
		example:   `parse_time("2024-05-01T10:00:00+02:00") == parse_time("2024-05-01 08:00:00")`, gives: `true`,
		typ: func(*compiler, *call) *connectors.Schema { return orNull(typeInstant) },
		run: func(_ *evaluation, args []any) (any, error) { return parseTime(args[0].(string)) },
	},
	{
		signature: "date(value instant|text) -> date",
		summary:   "The day of an instant in UTC, as YYYY-MM-DD.",
		example:   `date(parse_time("2024-05-01T23:30:00Z"))`, gives: `"2024-05-01"`,
		run: func(_ *evaluation, args []any) (any, error) { return dayIn(args[0], time.UTC) },
	},
	{
		signature: "date_in(value instant|text, zone text) -> date",
		summary:   "The day of an instant in a time zone, as YYYY-MM-DD: Odoo's dates are days in the company's zone.",
		example:   `date_in(parse_time("2024-05-01T23:30:00Z"), "Europe/Paris")`, gives: `"2024-05-02"`,
		run: func(e *evaluation, args []any) (any, error) {
			zone, err := e.zone(args[1].(string))
			if err != nil {
				return nil, err
			}
			return dayIn(args[0], zone)
		},
	},
	{
		signature: "add_days(value instant|text, days int) -> any",
		summary:   "An instant moved by days of 24 hours, or a day YYYY-MM-DD moved by days; a negative number moves back.",
		example:   `add_days("2024-02-28", 2)`, gives: `"2024-03-01"`,
		typ: func(_ *compiler, call *call) *connectors.Schema {
			switch kindOf(call.typeOf(0)) {
			case kindInstant:
				return typeInstant
			case kindText:
				return typeDate
			}
			return typeAny
		},
		run: func(_ *evaluation, args []any) (any, error) {
			days, err := boundedDays(args[1].(int64))
			if err != nil {
				return nil, err
			}
			if t, ok := args[0].(time.Time); ok {
				return inRange(t.AddDate(0, 0, days))
			}
			t, err := time.Parse(day, args[0].(string))
			if err != nil {
				return nil, failf(CodeValue, "%s is no day", excerpt(args[0].(string))).hinted("a day is written YYYY-MM-DD; parse_time(…) reads instants")
			}
			moved, err := inRange(t.AddDate(0, 0, days))
			if err != nil {
				return nil, err
			}
			return moved.(time.Time).Format(day), nil
		},
	},
	{
		signature: "add_seconds(value instant, seconds number) -> instant",
		summary:   "An instant moved by seconds; a negative number moves back. The difference of two instants is in seconds, too.",
		example:   `add_seconds(parse_time("2024-05-01T00:00:00Z"), -90) == parse_time("2024-04-30T23:58:30Z")`, gives: `true`,
		run: func(_ *evaluation, args []any) (any, error) {
			d, _ := toDecimal(args[1])
			nanoseconds, ok := toInteger(d.Mul(decimal.New(1, 9)).Truncate(0))
			if !ok {
				return nil, failf(CodeValue, "an instant cannot be moved by %s seconds", d)
			}
			return inRange(args[0].(time.Time).Add(time.Duration(nanoseconds)))
		},
	},
}

var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", day}

// parseTime reads an instant in the forms that WooCommerce (…T…, UTC in *_gmt
// fields) and Odoo (space, UTC) write.
func parseTime(text string) (any, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return nil, failf(CodeValue, "%s is no instant", excerpt(text)).hinted("an instant is written like 2024-05-01T08:00:00Z")
}

// dayIn is the day of an instant in a zone. A text that is a day already stays
// that day, in whatever zone.
func dayIn(v any, zone *time.Location) (any, error) {
	text, ok := v.(string)
	if !ok {
		return v.(time.Time).In(zone).Format(day), nil
	}
	if _, err := time.Parse(day, text); err == nil {
		return text, nil
	}
	t, err := parseTime(text)
	if t == nil || err != nil {
		return nil, err
	}
	return t.(time.Time).In(zone).Format(day), nil
}

// zone loads a time zone once in an evaluation. "Local" would be the machine's.
func (e *evaluation) zone(name string) (*time.Location, error) {
	if zone := e.zones[name]; zone != nil {
		return zone, nil
	}
	if err := e.spend(1000); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, failf(CodeValue, "there is no time zone %s", excerpt(name)).hinted(`zones are named like "Europe/Paris"`)
	}
	if e.zones == nil {
		e.zones = make(map[string]*time.Location)
	}
	e.zones[name] = zone
	return zone, nil
}

// maxDays is more than there are from the year 1 to 9999.
const maxDays = 4_000_000

func boundedDays(n int64) (int, error) {
	if n > maxDays || n < -maxDays {
		return 0, failf(CodeValue, "%d days are too many", n)
	}
	return int(n), nil
}

// inRange refuses instants that no system can take and RFC 3339 cannot write.
func inRange(t time.Time) (any, error) {
	if y := t.Year(); y < 1 || y > 9999 {
		return nil, failf(CodeValue, "the year %d is beyond what can be written", y)
	}
	return t, nil
}
