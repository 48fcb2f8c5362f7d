package woocommerce

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The bounds of a walk: pages of ids that one call may read where very many
// records changed in one second, and how often it begins anew when they change
// meanwhile.
const (
	maxTiedPages   = 100
	maxTiedRetries = 5
)

// walk does one step of a walk over a list.
func (c *Connection) walk(ctx context.Context, op *operation, params map[string]any) (any, error) {
	params, err := op.complete(params)
	if err != nil {
		return nil, err
	}
	if err := op.checked(params); err != nil {
		return nil, err
	}
	w := &walker{c: c, op: op, params: params, size: int(intParam(params, "per_page", 100))}
	if w.size < 1 || w.size > 100 {
		return nil, badParams("%s: per_page is %d, and must be 1 to 100", op.Name, w.size)
	}
	text, _ := params["cursor"].(string)
	if op.walk == walkID {
		return w.byID(ctx, text)
	}
	cursor, err := readCursor(text)
	if err != nil {
		return nil, badParams("%s: %v", op.Name, err)
	}
	if text == "" {
		cursor.until, _ = params["since"].(time.Time)
		if !cursor.until.IsZero() {
			cursor.until = cursor.until.Truncate(time.Second).Add(-time.Second)
		}
	}
	return w.byChange(ctx, cursor)
}

func intParam(params map[string]any, name string, otherwise int64) int64 {
	if n, ok := params[name].(int64); ok {
		return n
	}
	return otherwise
}

// walker is one step of a walk.
type walker struct {
	c      *Connection
	op     *operation
	params map[string]any
	size   int
	header http.Header // of the last answer
}

// changeCursor is how far a walk by change has come.
type changeCursor struct {
	// until is the second to whose end all is read; zero at the very beginning.
	until time.Time
	// tied is the highest id read of the second after it, 0 for none.
	tied int64
	// began is when the walk began, by the shop's clock.
	began time.Time
}

// String writes the cursor: until, tied and began, "-" for a zero time.
func (c changeCursor) String() string {
	return strings.Join([]string{stampText(c.until), strconv.FormatInt(c.tied, 10), stampText(c.began)}, "/")
}

func stampText(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func readCursor(text string) (changeCursor, error) {
	var cursor changeCursor
	if text == "" {
		return cursor, nil
	}
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return cursor, fmt.Errorf("%q is no cursor of this walk", text)
	}
	var err error
	for i, into := range map[int]*time.Time{0: &cursor.until, 2: &cursor.began} {
		if parts[i] == "-" {
			continue
		}
		if *into, err = time.Parse(time.RFC3339, parts[i]); err != nil {
			return cursor, fmt.Errorf("%q is no cursor of this walk", text)
		}
	}
	if cursor.tied, err = strconv.ParseInt(parts[1], 10, 64); err != nil || cursor.tied < 0 {
		return cursor, fmt.Errorf("%q is no cursor of this walk", text)
	}
	return cursor, nil
}

// byChange reads the next page in the order of (modified, id). The shop compares
// whole seconds and strictly (woo/405), and orders by the second alone. So a page
// counts up to its last second but one, which is whole; and records that fill a
// page with one second are walked by their ids.
func (w *walker) byChange(ctx context.Context, cursor changeCursor) (any, error) {
	if cursor.tied > 0 {
		return w.tiedPage(ctx, cursor)
	}
	query := map[string]any{"orderby": "modified", "order": "asc", "per_page": int64(w.size)}
	if !cursor.until.IsZero() {
		query["modified_after"] = cursor.until
	}
	sent := time.Now()
	records, err := w.ask(ctx, query)
	if err != nil {
		return nil, err
	}
	if cursor.began.IsZero() {
		cursor.began = w.shopTime(sent)
	}
	sortByChange(records)
	if len(records) < w.size {
		return w.finished(cursor, records), nil
	}
	last := modifiedOf(records[len(records)-1])
	whole := slices.IndexFunc(records, func(r map[string]any) bool { return !modifiedOf(r).Before(last) })
	if whole == 0 {
		cursor.until = last.Add(-time.Second)
		return w.tiedPage(ctx, cursor)
	}
	cursor.until = last.Add(-time.Second)
	return page(records[:whole], cursor.String(), true), nil
}

// finished ends a walk. The next one begins so far before this one began that
// what the shop saved late is seen too; it sees a little twice.
func (w *walker) finished(cursor changeCursor, records []map[string]any) any {
	overlap := time.Duration(max(intParam(w.params, "overlap", 120), 0)) * time.Second
	next := changeCursor{until: cursor.began.Add(-overlap - time.Second)}
	return page(records, next.String(), false)
}

// tiedPage reads the next records of the one second after the cursor, by id.
func (w *walker) tiedPage(ctx context.Context, cursor changeCursor) (any, error) {
	second := cursor.until.Add(time.Second)
	ids, err := w.tiedIDs(ctx, second)
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(ids, func(id int64) bool { return id <= cursor.tied })
	if len(ids) == 0 {
		cursor.until, cursor.tied = second, 0
		return page(nil, cursor.String(), true), nil
	}
	ids = ids[:min(len(ids), w.size)]
	include := make([]any, len(ids))
	for i, id := range ids {
		include[i] = id
	}
	records, err := w.ask(ctx, map[string]any{"include": include, "per_page": int64(w.size)})
	if err != nil {
		return nil, err
	}
	sortByChange(records)
	cursor.tied = ids[len(ids)-1]
	return page(records, cursor.String(), true), nil
}

// tiedIDs lists the ids of all records of one second, sorted. A record that
// changes meanwhile leaves the second and shifts the pages: then it begins anew.
func (w *walker) tiedIDs(ctx context.Context, second time.Time) ([]int64, error) {
	for range maxTiedRetries {
		ids, total := map[int64]bool{}, int64(-1)
		steady := true
		for number := int64(1); steady && number <= maxTiedPages; number++ {
			records, err := w.ask(ctx, map[string]any{"_fields": []any{"id"}, "orderby": "id", "order": "asc", "per_page": int64(100), "page": number,
				"modified_after": second.Add(-time.Second), "modified_before": second.Add(time.Second)})
			if err != nil {
				return nil, err
			}
			for _, record := range records {
				if id, ok := record["id"].(int64); ok {
					ids[id] = true
				}
			}
			count, known := headerNumber(w.header, "X-WP-Total").(int64)
			steady = !known || total < 0 || count == total
			if known {
				total = count
			}
			if len(records) < 100 {
				break
			}
		}
		if steady && (total < 0 || int64(len(ids)) == total) {
			return slices.Sorted(maps.Keys(ids)), nil
		}
	}
	return nil, fmt.Errorf("%s: the records of %s change faster than they can be listed", w.op.Name, second.Format(time.RFC3339))
}

// ask reads one page of the list.
func (w *walker) ask(ctx context.Context, query map[string]any) ([]map[string]any, error) {
	r := &request{op: w.op, method: http.MethodGet, namespace: w.op.Namespace, path: w.op.Path, query: map[string][]string{}}
	for name, value := range w.params {
		switch {
		case name == "cursor" || name == "since" || name == "overlap" || name == "per_page":
		case w.op.Places[name] == inPath:
			text, err := pathValue(value, w.op.zero[name])
			if err != nil {
				return nil, badParams("%s: %s: %v", w.op.Name, name, err)
			}
			r.path = strings.Replace(r.path, "{"+name+"}", text, 1)
		case name == "_fields":
			list, _ := value.([]any)
			r.query.Set(name, queryValue(append([]any{"id", "date_modified_gmt"}, list...)))
		default:
			r.query.Set(name, queryValue(value))
		}
	}
	for name, value := range query {
		r.query.Set(name, queryValue(value))
	}
	if w.op.walk == walkModified {
		r.query.Set("dates_are_gmt", "true")
	}
	got, err := w.c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	w.header = got.header
	listed, err := w.op.pages.result(got)
	if err != nil {
		return nil, err
	}
	return items(listed), nil
}

// shopTime is the time in the shop: its clock and ours may differ.
func (w *walker) shopTime(otherwise time.Time) time.Time {
	if at, err := http.ParseTime(w.header.Get("Date")); err == nil {
		return at.UTC()
	}
	return otherwise.UTC().Truncate(time.Second)
}

func modifiedOf(record map[string]any) time.Time {
	at, _ := record["date_modified_gmt"].(time.Time)
	return at
}

func idOf(record map[string]any) int64 {
	id, _ := record["id"].(int64)
	return id
}

func sortByChange(records []map[string]any) {
	slices.SortStableFunc(records, func(a, b map[string]any) int {
		return cmp.Or(modifiedOf(a).Compare(modifiedOf(b)), cmp.Compare(idOf(a), idOf(b)))
	})
}

func page(records []map[string]any, cursor any, more bool) any {
	list := make([]any, len(records))
	for i, record := range records {
		list[i] = record
	}
	return map[string]any{"items": list, "cursor": cursor, "more": more}
}
