package odoo

import (
	"context"
	"slices"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

const (
	// feedOverlap is how far a walk goes back by default: Odoo stamps a record
	// with the beginning of its transaction, which may be committed much later
	// (a request may take two minutes, limit_time_real).
	feedOverlap = 2 * time.Minute
	// settleMargin is added to the second of a record before it counts as over:
	// for the clocks of Odoo and of its database, and for a slow call that began
	// in the same second as a quick one on the same record. Both leave the same
	// write_date, so a record that was read between them is read once more.
	settleMargin = 20 * time.Second
	// feedPage is how many ids and times are read at once, feedLimit how many
	// records a call gives by default and at most.
	feedPage     = 1000
	feedLimit    = 200
	feedMaxLimit = 1000
)

func changedOperation(own recordTypes) connectors.Operation {
	result := func(record *connectors.Schema) *connectors.Schema {
		return connectors.Object(map[string]*connectors.Schema{
			"records": connectors.Array(record),
			"cursor":  connectors.String().Described("For the next call"),
			"more":    connectors.Boolean().Described("There is more at once: call again"),
		}, "records", "cursor", "more")
	}
	return connectors.Operation{
		Name: "changed", Title: "Changed records", Effect: connectors.Read,
		Summary: "Gives the records created or written since the last call, oldest first, archived ones too. Every change is given at least once; " +
			"one of the last seconds may be given twice. Deleted records are not seen: compare for those. Without a cursor it begins at since, or at the very first record.",
		Params: connectors.Object(with(contextParams(),
			"domain", domainParam(), "fields", fieldsParam(),
			"cursor", connectors.String().OrNull().Described("What the last call gave; none at first"),
			"since", connectors.DateTime().OrNull().Described("Where to begin without a cursor"),
			"overlap", connectors.Integer().Described("Seconds that each walk goes back, 120 by default"),
			"limit", connectors.Integer().Described("At most so many records, 200 by default, 1000 at most"),
		), "model"),
		Result: result(openRecord()),
		ResultFor: func(params map[string]any) *connectors.Schema {
			if list, ok := params["fields"].([]any); ok {
				params = map[string]any{"model": params["model"], "fields": append(slices.Clone(list), "write_date")}
			}
			if record := own.recordFor(params); record != nil {
				return result(record)
			}
			return nil
		},
	}
}

// feed is one call of changed.
type feed struct {
	c       *Connection
	params  params
	model   string
	domain  []any
	columns []column
	limit   int
	overlap time.Duration
	cursor  feedCursor
	records []any
}

func (c *Connection) changed(ctx context.Context, p params) (any, error) {
	f, err := c.newFeed(ctx, p)
	if err != nil {
		return nil, err
	}
	more, err := f.walk(ctx)
	if err != nil {
		return nil, err
	}
	if !more {
		f.cursor.rewind(f.overlap)
	}
	f.cursor.forget(f.overlap)
	text, err := f.cursor.text()
	if err != nil {
		return nil, err
	}
	return map[string]any{"records": f.records, "cursor": text, "more": more}, nil
}

func (c *Connection) newFeed(ctx context.Context, p params) (*feed, error) {
	f := &feed{c: c, params: p, records: []any{}}
	var err error
	if f.model, err = p.model(); err != nil {
		return nil, err
	}
	domain, err := p.list("domain")
	if err != nil {
		return nil, err
	}
	if f.domain, err = c.encodeDomain(ctx, f.model, domain); err != nil {
		return nil, err
	}
	if f.columns, err = c.feedColumns(ctx, p, f.model); err != nil {
		return nil, err
	}
	text, err := p.text("cursor")
	if err != nil {
		return nil, err
	}
	if f.cursor, err = readCursor(text); err != nil {
		return nil, err
	}
	if at, ok := p.values["since"].(time.Time); ok && text == "" {
		f.cursor.At = max(at.Unix(), 0)
	}
	limit, err := p.number("limit")
	if err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = feedLimit
	}
	f.limit = int(min(limit, feedMaxLimit))
	f.overlap = feedOverlap
	if p.given("overlap") {
		seconds, err := p.number("overlap")
		if err != nil {
			return nil, err
		}
		f.overlap = time.Duration(min(seconds, 86400)) * time.Second
	}
	return f, nil
}

// feedColumns are the fields asked for, and write_date, by which the feed goes.
func (c *Connection) feedColumns(ctx context.Context, p params, model string) ([]column, error) {
	list, err := p.list("fields")
	if err != nil {
		return nil, err
	}
	named := append(slices.Clone(list), "write_date")
	values := map[string]any{"model": model, "fields": named}
	columns, err := c.columns(ctx, params{operation: p.operation, values: values}, model)
	if err != nil {
		return nil, err
	}
	return slices.CompactFunc(columns, func(a, b column) bool { return a.remote == b.remote }), nil
}

// mark is a record and the second of its last change.
type mark struct{ id, second int64 }

// walk reads on from the cursor until there are enough records, or no more.
func (f *feed) walk(ctx context.Context) (more bool, err error) {
	for {
		marks, full, err := f.page(ctx)
		if err != nil {
			return false, err
		}
		done, err := f.take(ctx, marks)
		switch {
		case err != nil:
			return false, err
		case !done:
			return true, nil
		case len(marks) > 0 && full || f.cursor.After != 0:
			f.advance(marks, full)
		default:
			return false, nil
		}
		if len(f.records) >= f.limit {
			return true, nil
		}
	}
}

// page reads ids and times. Within one second that has more than a page, it
// reads by id.
func (f *feed) page(ctx context.Context) (marks []mark, full bool, err error) {
	domain, order := slices.Clone(f.domain), "write_date, id"
	if f.cursor.At > 0 {
		domain = append(domain, []any{"write_date", ">=", instant(f.cursor.At)})
	} else {
		domain = append(domain, []any{"write_date", "!=", false})
	}
	if f.cursor.After != 0 {
		domain = append(domain, []any{"write_date", "<", instant(f.cursor.At + 1)}, []any{"id", ">", max(f.cursor.After, 0)})
		order = "id"
	}
	kwargs, err := f.kwargs(map[string]any{"fields": []string{"write_date"}, "order": order, "limit": f.c.feedPage})
	if err != nil {
		return nil, false, err
	}
	tree, err := f.ask(ctx, invocation{model: f.model, method: "search_read", args: []argument{{"domain", domain}}, kwargs: kwargs})
	if err != nil {
		return nil, false, err
	}
	list, err := recordList(tree, []column{{"write_date", "write_date", field{Type: "datetime"}}})
	if err != nil {
		return nil, false, unreadable(f.model, "search_read", nil, err)
	}
	for _, item := range list {
		record := item.(map[string]any)
		at, ok := record["write_date"].(time.Time)
		if !ok {
			continue
		}
		marks = append(marks, mark{record["id"].(int64), at.Unix()})
	}
	return marks, len(list) == f.c.feedPage, nil
}

// take gives the records of a page that are not known. It is done unless the
// limit came first; then the next call reads the same page again and finds
// these known.
func (f *feed) take(ctx context.Context, marks []mark) (done bool, err error) {
	var fresh []mark
	done = true
	for _, m := range marks {
		if f.cursor.seen(m.second, m.id) {
			continue
		}
		if len(f.records)+len(fresh) >= f.limit {
			done = false
			break
		}
		fresh = append(fresh, m)
	}
	if len(fresh) == 0 {
		return done, nil
	}
	// Asked before the records are read: what was written after that counts as
	// not seen yet.
	now, known := f.c.serverTime()
	ids := make([]int64, len(fresh))
	for i, m := range fresh {
		ids[i] = m.id
	}
	kwargs, err := f.kwargs(map[string]any{"fields": remoteNames(f.columns)})
	if err != nil {
		return false, err
	}
	tree, err := f.ask(ctx, invocation{model: f.model, method: "read", ids: ids, kwargs: kwargs})
	if err != nil {
		return false, err
	}
	records, err := recordList(tree, f.columns)
	if err != nil {
		return false, unreadable(f.model, "read", nil, err)
	}
	for _, item := range records {
		record := item.(map[string]any)
		second := fresh[slices.Index(ids, record["id"].(int64))].second
		// It may have changed since the page was read: then it is given as it
		// is, and the walk meets it again further on.
		if at, ok := record["write_date"].(time.Time); ok {
			second = at.Unix()
		}
		f.cursor.given(second, record["id"].(int64), settled(second, now, known))
		f.records = append(f.records, record)
	}
	return done, nil
}

// settled tells whether a second is over on the server. Without a server's
// clock, this machine's must be far past it.
func settled(second int64, now time.Time, known bool) bool {
	margin := settleMargin
	if !known {
		margin = 10 * time.Minute
	}
	return now.Sub(time.Unix(second+1, 0)) >= margin
}

// advance goes on after a page was taken. The last second of a full page may
// have more records than were read, so the walk goes on at that second; when
// that is where it stands already, it goes on by id.
func (f *feed) advance(marks []mark, full bool) {
	if f.cursor.After != 0 && !full {
		f.cursor.At, f.cursor.After = f.cursor.At+1, 0
		return
	}
	first, last := marks[0], marks[len(marks)-1]
	switch {
	case f.cursor.After != 0:
		f.cursor.After = last.id
	case last.second > max(f.cursor.At, first.second) || f.cursor.At > 0 && last.second > f.cursor.At:
		f.cursor.At = last.second
	default:
		f.cursor.At, f.cursor.After = last.second, -1
	}
}

func (f *feed) kwargs(named map[string]any) (map[string]any, error) {
	named, err := f.c.kwargs(f.params, named)
	if err != nil {
		return nil, err
	}
	about, _ := named["context"].(map[string]any)
	if about == nil {
		about = map[string]any{}
	}
	if _, given := about["active_test"]; !given {
		about["active_test"] = false
	}
	named["context"] = about
	return named, nil
}

// ask passes the cache of master data by: a feed wants what is true now.
func (f *feed) ask(ctx context.Context, call invocation) (any, error) {
	raw, err := f.c.remote.execute(ctx, call)
	if err != nil {
		return nil, err
	}
	return parse(raw, call)
}

// serverTime is the time on the server, by its last answer.
func (c *Connection) serverTime() (time.Time, bool) {
	if told, ok := c.remote.(interface{ serverTime() (time.Time, bool) }); ok {
		return told.serverTime()
	}
	return time.Now(), false
}
