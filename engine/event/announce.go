package event

import (
	"context"
	"fmt"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// The sources of events that nobody sends.
const (
	SourceFeed     = "feed"
	SourceSchedule = "schedule"
)

// wakeAfter is how long after a push its feed is polled: what pushes may do so
// before it has saved.
const wakeAfter = time.Second

// payloadOf is the payload of the event that a record makes, by the event's type.
func payloadOf(ctx context.Context, feed *flow.Feed, settings map[string]any, r *record) (map[string]any, error) {
	given := map[string]any{}
	fields, _ := r.value.(map[string]any)
	if feed.Payload != nil {
		var err error
		name := "record"
		if feed.Batch > 0 {
			name = "records"
		}
		if given, err = feed.Payload.EvalRecord(ctx, map[string]any{name: r.value, "settings": settings}); err != nil {
			return nil, err
		}
	}
	payload := map[string]any{}
	for _, name := range feed.PayloadType.PropertyNames() {
		field, ok := given[name]
		if !ok && feed.Payload == nil {
			field = fields[name]
		}
		typed, err := feed.PayloadType.Properties[name].OrNull().Convert(field)
		if err != nil {
			return nil, fmt.Errorf("the field %s of the event %s: %w", name, feed.Event, err)
		}
		payload[name] = typed
	}
	if feed.PayloadType.Open {
		for name, field := range given {
			if _, known := payload[name]; !known {
				payload[name] = field
			}
		}
	}
	return payload, nil
}

// feedArrival is the event of a record with the runs that it starts. A record
// that cannot be announced has a failed run in each flow that would listen, so
// that it does not vanish.
func (r *Router) feedArrival(ctx context.Context, instance string, feed *flow.Feed, settings map[string]any, of *record) (store.Arrival, error) {
	in := Incoming{Instance: instance, Source: SourceFeed, Name: feed.Event, Delivery: feed.Name, Whole: feed.Batch > 0}
	problem := of.problem
	if problem == nil {
		in.Payload, problem = payloadOf(ctx, feed, settings, of)
	}
	if problem == nil {
		return r.Arrival(ctx, in, settings)
	}
	in.Name, in.Note = "", problem.Error()
	shown, _ := value.Plain(of.value).(map[string]any)
	in.Payload = map[string]any{"id": shown["id"]}
	arrival, err := r.Arrival(ctx, in, settings)
	for _, f := range r.App().Listening(feed.Event) {
		arrival.Starts = append(arrival.Starts, store.Start{
			Flow: f.Name, Order: f.Order, Version: f.Version, Key: ownKey(), Problem: problem.Error(),
		})
	}
	return arrival, err
}

// stored tells the workers, and whoever listens to problems, of arrivals that are
// stored.
func (r *Router) stored(ctx context.Context, arrivals []store.Arrival, accepted []store.Accepted) {
	r.Announced(arrivals)
	for i := range accepted {
		r.tellFailedStarts(ctx, arrivals[i], accepted[i])
	}
}

// wake asks for polls of the feeds that an event says have something new. What is
// lost here is found when their time comes.
func (r *Router) wake(ctx context.Context, in Incoming, settings map[string]any) {
	if in.Source == SourceFeed || in.Name == "" {
		return
	}
	for _, feed := range r.App().Feeds {
		for _, w := range feed.Wake {
			if w.Event != in.Name {
				continue
			}
			wakes, err := any(true), error(nil)
			if w.When != nil {
				wakes, err = w.When.Eval(ctx, map[string]any{"event": in.Payload, "settings": settings})
			}
			if err == nil && wakes == true {
				err = r.Store.AskFeed(ctx, in.Instance, feed.Name, store.FeedRequest{After: wakeAfter})
			}
			if err != nil {
				r.log().Warn("a feed was not woken", "instance", in.Instance, "feed", feed.Name, "event", in.Name, "error", err)
			}
		}
	}
}
