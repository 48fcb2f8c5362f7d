package event

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// Swept is what a sweep found.
type Swept struct {
	Records int     // that changed since
	Runs    []int64 // started, or joined while they waited
}

// Sweep goes through what changed since a moment, and starts one flow for each
// record, whatever its switch says. The feed's own walk stays where it is. A feed
// of a system that does not tell what changed goes through all records.
func (p *Poller) Sweep(ctx context.Context, instance string, feed *flow.Feed, f *flow.Flow, since time.Time) (Swept, error) {
	var swept Swept
	started := map[int64]bool{}
	cursor := ""
	for more := true; more; {
		settings, err := p.Settings.Values(ctx, instance)
		if err != nil {
			return swept, fmt.Errorf("reading the settings: %w", err)
		}
		var values []any
		if values, cursor, more, err = p.page(ctx, instance, feed, settings, cursor, since); err != nil {
			return swept, err
		}
		for chunk := range slices.Chunk(values, maxStored) {
			arrivals := make([]store.Arrival, 0, len(chunk))
			for _, value := range chunk {
				r := readRecord(ctx, feed, settings, value)
				arrival, err := p.Router.onlyFor(ctx, instance, feed, f, settings, &r)
				if err != nil {
					return swept, err
				}
				arrivals = append(arrivals, arrival)
			}
			accepted, err := p.Store.Accept(ctx, arrivals...)
			if err != nil {
				return swept, err
			}
			p.Router.stored(ctx, arrivals, accepted)
			swept.Records += len(accepted)
			for _, a := range accepted {
				for _, run := range a.RunIDs {
					if !started[run] {
						started[run] = true
						swept.Runs = append(swept.Runs, run)
					}
				}
			}
		}
	}
	return swept, nil
}

// onlyFor is the event of a record that starts one flow and no other.
func (r *Router) onlyFor(ctx context.Context, instance string, feed *flow.Feed, f *flow.Flow, settings map[string]any, of *record) (store.Arrival, error) {
	start := store.Start{Flow: f.Name, Order: f.Order, Version: f.Version}
	payload, problem := map[string]any(nil), of.problem
	if problem == nil {
		payload, problem = payloadOf(ctx, feed, settings, of)
	}
	if problem == nil {
		start.Key, problem = KeyOf(ctx, f, map[string]any{
			"event": payload, "settings": settings,
			"run": map[string]any{"instance": instance, "attempt": int64(0), "id": int64(0), "flow": f.Name, "at": time.Now().UTC()},
		})
	}
	if problem != nil {
		start.Key, start.Problem = ownKey(), problem.Error()
	}
	encoded, err := value.Encode(payload)
	if err != nil {
		return store.Arrival{}, err
	}
	if feed.Batch > 0 {
		start.Input = encoded // runs of other inputs do not fold
	}
	return store.Arrival{
		Event:  store.Event{Instance: instance, Source: SourceFeed, Name: feed.Event, Delivery: feed.Name, Payload: encoded},
		Starts: []store.Start{start},
	}, nil
}
