package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // for zones of schedules, where the machine has none

	"github.com/robfig/cron/v3"

	"github.com/flowctl/flowctl/connectors"
)

// The first parts of the events that feeds and schedules make: feed.shop_orders,
// schedule.health. No connection may have them.
const (
	FeedName     = "feed"
	ScheduleName = "schedule"
)

// shortestEvery is the least time between two polls, or two slots of a schedule.
const shortestEvery = time.Second

// Feed is a call that is made again and again to find what changed in a system.
// Each changed record makes an event.
type Feed struct {
	At    Position
	Name  string
	Title string
	// Call reads the changes: {records or items, cursor, more}.
	Call *Call
	// Complete: each walk goes through all records there are, from the first. The
	// operation takes no since: it cannot tell what changed.
	Complete bool
	// Event made of each record: a connection's, or "feed.<name>".
	Event string
	// Payload of the event; nil takes the event's fields from the record by name.
	Payload *Value
	// PayloadType is the type of the event's payload.
	PayloadType *connectors.Schema
	// Key is what a record is known by; nil means its id.
	Key *Value
	// Batch, above 0, makes one event of up to so many records, which Payload sees
	// as ${records}.
	Batch int
	// Content, if set, is compared with what it was: only a change makes an event.
	Content *Value
	Every   *Value // text: a duration
	Enabled *Condition
	// StartAll: the first walk announces all records, not only what changes from
	// then on.
	StartAll bool
	// Deleted is the event made of records that a complete walk met before and
	// meets no more, with the payload {id: key}; "" for none.
	Deleted string
	// Wake are events on which the feed is polled a moment later.
	Wake []Wake

	list  string // the field of the result that holds the records
	nodes feedNodes
}

// Wake is an event that says that a feed has something new.
type Wake struct {
	At    Position
	Event string
	When  *Condition // nil for always

	node wakeNodes
}

// Schedule makes an event at set times.
type Schedule struct {
	At      Position
	Name    string
	Title   string
	Every   *Value // text: a duration; nil with Cron
	Cron    string
	Zone    *time.Location // of Cron
	Enabled *Condition

	cron  cron.Schedule
	nodes scheduleNodes
}

// EventName is the event that the schedule makes.
func (s *Schedule) EventName() string { return ScheduleName + "." + s.Name }

// Feed finds a feed by name.
func (a *App) Feed(name string) (*Feed, bool) {
	for _, f := range a.Feeds {
		if f.Name == name {
			return f, true
		}
	}
	return nil, false
}

// ListensTo tells whether an event starts the flow.
func (f *Flow) ListensTo(event string) bool { return slices.Contains(f.Trigger.Events, event) }

// FeedsOf lists the feeds that make one of the events.
func (a *App) FeedsOf(events ...string) []*Feed {
	var found []*Feed
	for _, f := range a.Feeds {
		for _, event := range events {
			if f.Event == event || f.Deleted == event {
				found = append(found, f)
				break
			}
		}
	}
	return found
}

// Records are the records of a result of the feed's call, the cursor behind
// them, and whether there is more at once.
func (f *Feed) Records(result any) (records []any, cursor string, more bool, err error) {
	page, ok := result.(map[string]any)
	if !ok {
		return nil, "", false, fmt.Errorf("%s answered %T, not {%s, cursor, more}", f.Call.Name, result, f.list)
	}
	list, ok := page[f.list]
	if records, isList := list.([]any); ok && isList {
		cursor, _ = page["cursor"].(string)
		more, _ = page["more"].(bool)
		return records, cursor, more, nil
	}
	return nil, "", false, fmt.Errorf("%s answered no list %q", f.Call.Name, f.list)
}

// Together cuts records into the lists of which a feed with batch makes its
// events; those of other feeds stay as they are.
func (f *Feed) Together(records []any) []any {
	if f.Batch == 0 {
		return records
	}
	var lists []any
	for list := range slices.Chunk(records, f.Batch) {
		lists = append(lists, list)
	}
	return lists
}

// Interval is how often the feed is polled, by the settings.
func (f *Feed) Interval(ctx context.Context, settings map[string]any) (time.Duration, error) {
	return interval(ctx, f.Every, settings)
}

// On tells whether the feed is polled, by the settings.
func (f *Feed) On(ctx context.Context, settings map[string]any) (bool, error) {
	return switchedOn(ctx, f.Enabled, settings)
}

// On tells whether the schedule makes events, by the settings.
func (s *Schedule) On(ctx context.Context, settings map[string]any) (bool, error) {
	return switchedOn(ctx, s.Enabled, settings)
}

// Slot is the last time at or before now that the schedule names, and the next
// one after it; zero where there is none.
func (s *Schedule) Slot(ctx context.Context, settings map[string]any, now time.Time) (last, next time.Time, err error) {
	if s.cron == nil {
		every, err := interval(ctx, s.Every, settings)
		if err != nil {
			return time.Time{}, time.Time{}, err
		}
		last = now.UTC().Truncate(every)
		return last, last.Add(every), nil
	}
	next = s.cron.Next(now.In(s.Zone))
	// The library looks ahead only: go back until a slot lies before now.
	for back := time.Minute; last.IsZero(); back = min(4*back, cronHorizon) {
		for at := s.cron.Next(now.In(s.Zone).Add(-back)); !at.IsZero() && !at.After(now); at = s.cron.Next(at) {
			last = at
		}
		if back == cronHorizon {
			break
		}
	}
	return utc(last), utc(next), nil
}

// cronHorizon bounds how far back a cron schedule's last slot is looked for: a
// 29 February is at most eight years away, across a year like 2100.
const cronHorizon = 8 * 366 * 24 * time.Hour

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

func interval(ctx context.Context, every *Value, settings map[string]any) (time.Duration, error) {
	out, err := every.Eval(ctx, map[string]any{"settings": settings})
	if err != nil {
		return 0, err
	}
	written, _ := out.(string)
	d, err := time.ParseDuration(strings.TrimSpace(written))
	if err != nil {
		return 0, &EvalError{At: every.At, Message: fmt.Sprintf("every: %q is no duration like 30s, 5m or 1h", written), Err: err}
	}
	return max(d, shortestEvery), nil
}

func switchedOn(ctx context.Context, enabled *Condition, settings map[string]any) (bool, error) {
	if enabled == nil {
		return true, nil
	}
	out, err := enabled.Eval(ctx, map[string]any{"settings": settings})
	return out == true, err
}
