package event

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

const (
	// maxStored bounds the events in one commit: others wait for it.
	maxStored = 100
	// A walk that misses this many records, and this share of those known, is not
	// believed: an answer that lost its records looks just like that.
	goneMin   = 20
	goneShare = 2 // half
	// keptWalks is how many walks a feed remembers a record that no longer changes,
	// where each walk only meets what changed.
	keptWalks = 1000
)

// walk is one poll of a feed: as many pages of its walk as its turn allows.
type walk struct {
	poller   *Poller
	instance string
	feed     *flow.Feed
	state    store.FeedState
	lease    store.FeedLease
	log      *slog.Logger

	ended bool
	known int64
}

// whole walks to the end, if that comes soon enough.
func (w *walk) whole(ctx context.Context) error {
	began := time.Now()
	for more := true; more; {
		if time.Since(began) > turn {
			return nil
		}
		settings, err := w.poller.Settings.Values(ctx, w.instance)
		if err != nil {
			return fmt.Errorf("reading the settings: %w", err)
		}
		var records []any
		var cursor string
		records, cursor, more, err = w.poller.page(ctx, w.instance, w.feed, settings, w.state.Cursor, w.state.Since)
		if err != nil {
			return err
		}
		if w.feed.Complete && !more {
			cursor = "" // the next walk begins with the first record
		}
		if err := w.announce(ctx, settings, records, cursor); err != nil {
			return err
		}
		w.state.Cursor = cursor
	}
	gone := w.gone(ctx)
	w.ended = true
	if _, held := gone.(*goneError); gone != nil && !held {
		w.ended = false
	}
	return gone
}

// record is one record of a page, with what is to be known of it.
type record struct {
	key, fingerprint string
	value            any
	problem          error
}

// announce makes events of the records that are new or changed, and moves the
// cursor when all of them are stored.
func (w *walk) announce(ctx context.Context, settings map[string]any, values []any, cursor string) error {
	records, known, err := w.read(ctx, settings, values)
	if err != nil {
		return err
	}
	page := store.FeedPage{Seen: map[string]string{}, TTL: feedLease}
	for i := range records {
		r := &records[i]
		if w.remembers() && r.problem == nil {
			page.Seen[r.key] = r.fingerprint
		}
		if before, met := known[r.key]; r.problem == nil && !w.tells(met, before != r.fingerprint) {
			continue
		}
		arrival, err := w.poller.Router.feedArrival(ctx, w.instance, w.feed, settings, r)
		if err != nil {
			return err
		}
		page.Arrivals = append(page.Arrivals, arrival)
		if len(page.Arrivals) == maxStored {
			if err := w.save(ctx, page); err != nil {
				return err
			}
			page = store.FeedPage{Seen: map[string]string{}, TTL: feedLease}
		}
	}
	page.Cursor = &cursor
	return w.save(ctx, page)
}

// remembers tells whether the feed keeps what its records were.
func (w *walk) remembers() bool { return w.feed.Complete || w.feed.Content != nil }

// tells whether a record makes an event.
func (w *walk) tells(met, differs bool) bool {
	switch {
	case w.state.Sweep || !w.remembers():
		return true
	case w.feed.Complete && !w.state.Started && !w.feed.StartAll:
		return false // the first walk only learns what there is
	}
	return !met || differs
}

// read finds out the keys and fingerprints of a page's records; of one that is
// there twice, the last counts.
func (w *walk) read(ctx context.Context, settings map[string]any, values []any) ([]record, map[string]string, error) {
	var records []record
	place := map[string]int{}
	var keys []string
	for _, value := range values {
		r := readRecord(ctx, w.feed, settings, value)
		if i, twice := place[r.key]; twice && r.problem == nil && w.feed.Batch == 0 {
			records[i] = r
			continue
		}
		if r.problem == nil {
			place[r.key] = len(records)
			keys = append(keys, r.key)
		}
		records = append(records, r)
	}
	if !w.remembers() || len(keys) == 0 {
		return records, nil, nil
	}
	known, err := w.poller.Store.FeedRecords(ctx, w.instance, w.feed.Name, keys...)
	return records, known, err
}

func readRecord(ctx context.Context, feed *flow.Feed, settings map[string]any, value any) record {
	r := record{value: value}
	if feed.Batch > 0 {
		r.key = "batch" // of several records nothing is remembered
		return r
	}
	vars := map[string]any{"record": value, "settings": settings}
	var key any
	if feed.Key != nil {
		key, r.problem = feed.Key.Eval(ctx, vars)
	} else if fields, ok := value.(map[string]any); ok {
		key = fields["id"]
	}
	switch r.key = link.Text(key); {
	case r.problem != nil:
	case r.key == "":
		r.problem = fmt.Errorf("a record of the feed %s has no key", feed.Name)
	case !store.Storable(r.key):
		r.problem = fmt.Errorf("a record of the feed %s has a key that cannot be stored: %.40q…", feed.Name, r.key)
	}
	if feed.Content != nil && r.problem == nil {
		var content any
		if content, r.problem = feed.Content.Eval(ctx, vars); r.problem == nil {
			r.fingerprint = link.Fingerprints(map[string]any{"": content})[""]
		}
	}
	return r
}

func (w *walk) save(ctx context.Context, page store.FeedPage) error {
	accepted, err := w.poller.Store.SaveFeed(ctx, w.lease, page)
	if err != nil {
		return err
	}
	w.poller.Router.stored(ctx, page.Arrivals, accepted)
	return nil
}

// goneError is a walk that missed more than is believed.
type goneError struct{ missing, known int64 }

func (e *goneError) Error() string {
	return fmt.Sprintf("%d of %d known records were not in the answer; that is so much that none was announced as deleted. "+
		"If they are really gone, say so: flowctl feeds poll --accept-gone", e.missing, e.known)
}

// gone announces the records that a walk through all did not meet, and forgets
// them. A feed that walks what changed forgets what it has not met for long.
func (w *walk) gone(ctx context.Context) error {
	if !w.remembers() {
		return nil
	}
	before := w.state.Walk
	if !w.feed.Complete {
		before -= keptWalks
	}
	known, missing, err := w.poller.Store.FeedCounts(ctx, w.instance, w.feed.Name, before)
	if err != nil {
		return err
	}
	w.known = known
	if w.feed.Complete && !w.state.AcceptGone && missing > 0 && (missing == known || missing >= goneMin && missing*goneShare > known) {
		return &goneError{missing, known}
	}
	settings, err := w.poller.Settings.Values(ctx, w.instance)
	if err != nil {
		return fmt.Errorf("reading the settings: %w", err)
	}
	for after := ""; missing > 0; {
		keys, err := w.poller.Store.FeedMissing(ctx, w.instance, w.feed.Name, before, after, maxStored)
		if err != nil || len(keys) == 0 {
			return err
		}
		after = keys[len(keys)-1]
		page := store.FeedPage{Gone: keys, TTL: feedLease}
		if w.feed.Deleted != "" {
			for _, key := range keys {
				arrival, err := w.poller.Router.Arrival(ctx, w.deletion(key), settings)
				if err != nil {
					return err
				}
				page.Arrivals = append(page.Arrivals, arrival)
			}
		}
		if err := w.save(ctx, page); err != nil {
			return err
		}
		w.known -= int64(len(keys))
	}
	return nil
}

func (w *walk) deletion(key string) Incoming {
	payload := map[string]any{}
	var id any = key
	if event, ok := eventOf(w.poller.App(), w.feed.Deleted); ok {
		for _, name := range event.Payload.PropertyNames() {
			payload[name] = nil
		}
		if declared, ok := event.Payload.Property("id"); ok && declared.Type == "integer" {
			if n, err := strconv.ParseInt(key, 10, 64); err == nil {
				id = n
			}
		}
	}
	payload["id"] = id
	return Incoming{Instance: w.instance, Source: SourceFeed, Name: w.feed.Deleted, Delivery: w.feed.Name, Payload: payload}
}

// eventOf finds the declaration of a connection's event.
func eventOf(app *flow.App, name string) (connectors.Event, bool) {
	for _, connection := range app.Connections {
		for _, event := range connection.Spec.Events {
			if connection.Name+"."+event.Name == name {
				return event, true
			}
		}
	}
	return connectors.Event{}, false
}
