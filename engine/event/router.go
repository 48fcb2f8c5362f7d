package event

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// Settings reads an instance's settings as typed values by name.
type Settings interface {
	Values(ctx context.Context, instance string) (map[string]any, error)
}

// Router finds the flows that an event starts, and stores event and runs.
type Router struct {
	App      func() *flow.App
	Settings Settings
	Store    store.Store
	// Doorbell, if set, is rung when runs may be ready.
	Doorbell func()
	// Measure, if set, is told of each event that was stored.
	Measure func(instance, source, event string)
	Log     *slog.Logger // nil means slog's default
}

// Incoming is something announced, not stored yet.
type Incoming struct {
	Instance string
	Source   string // "webhook", "feed", "schedule", "flow"
	Name     string // "<connection>.<event>", "" when it could not be named
	Delivery string
	// Whole: the payload tells all that there is to do, a list of records say, so
	// that no event may take another's place.
	Whole   bool
	Payload map[string]any
	Note    string
}

// Accept stores the event and the runs that it starts, and returns when they are
// durable.
func (r *Router) Accept(ctx context.Context, in Incoming) (store.Accepted, error) {
	var settings map[string]any
	if in.Name != "" { // else it starts nothing
		var err error
		if settings, err = r.Settings.Values(ctx, in.Instance); err != nil {
			return store.Accepted{}, fmt.Errorf("reading the settings: %w", err)
		}
	}
	arrival, err := r.Arrival(ctx, in, settings)
	if err != nil {
		return store.Accepted{}, err
	}
	accepted, err := r.store(ctx, arrival)
	if err == nil {
		r.wake(ctx, in, settings)
	}
	return accepted, err
}

// Arrival is the event with the runs that it starts by these settings, to be
// stored by the caller.
func (r *Router) Arrival(ctx context.Context, in Incoming, settings map[string]any) (store.Arrival, error) {
	payload, err := value.Encode(in.Payload)
	if err != nil {
		return store.Arrival{}, err
	}
	arrival := store.Arrival{Event: store.Event{
		Instance: in.Instance, Source: in.Source, Name: in.Name, Delivery: in.Delivery, Payload: payload, Note: in.Note,
	}}
	if in.Name != "" {
		arrival.Starts = r.starts(ctx, in, settings)
		if in.Whole {
			for i := range arrival.Starts {
				arrival.Starts[i].Input = payload // runs of other inputs do not fold
			}
		}
		if len(arrival.Starts) == 0 && in.Note == "" {
			arrival.Event.Note = "no flow listens to this event, or its switch is off"
		}
	}
	return arrival, nil
}

func (r *Router) store(ctx context.Context, arrival store.Arrival) (store.Accepted, error) {
	accepted, err := r.Store.Accept(ctx, arrival)
	if err != nil {
		return store.Accepted{}, err
	}
	r.stored(ctx, []store.Arrival{arrival}, accepted)
	return accepted[0], nil
}

func (r *Router) ring() {
	if r.Doorbell != nil {
		r.Doorbell()
	}
}

// starts are the runs that the event begins. A flow whose condition or key fails
// gets a failed run, so that the event does not vanish.
func (r *Router) starts(ctx context.Context, in Incoming, settings map[string]any) []store.Start {
	vars := map[string]any{
		"event": in.Payload, "settings": settings,
		"run": map[string]any{"instance": in.Instance, "attempt": int64(0), "id": int64(0), "flow": "", "at": time.Now().UTC()},
	}
	var starts []store.Start
	for _, f := range r.App().Listening(in.Name) {
		start := store.Start{Flow: f.Name, Order: f.Order, Version: f.Version}
		enabled, err := isEnabled(ctx, f, vars)
		if err == nil && !enabled {
			continue
		}
		if err == nil {
			start.Key, err = KeyOf(ctx, f, vars)
		}
		if err != nil {
			start.Key = ownKey()
			start.Problem = err.Error()
		}
		starts = append(starts, start)
	}
	return starts
}

func isEnabled(ctx context.Context, f *flow.Flow, vars map[string]any) (bool, error) {
	if f.Trigger.Enabled == nil {
		return true, nil
	}
	out, err := f.Trigger.Enabled.Eval(ctx, vars)
	return out == true, err
}

// KeyOf computes the key of a run of the flow. A run of a flow without a key has
// one of its own: it waits for no other.
func KeyOf(ctx context.Context, f *flow.Flow, vars map[string]any) (string, error) {
	if f.Trigger.Key == nil {
		return ownKey(), nil
	}
	out, err := f.Trigger.Key.Eval(ctx, vars)
	if err != nil {
		return "", err
	}
	key := link.Text(out)
	if key == "" || strings.HasSuffix(key, ":") {
		return "", fmt.Errorf("%s: the key %q is not complete", f.Trigger.Key.At, key)
	}
	if !store.Storable(key) {
		return "", fmt.Errorf("%s: the key has more than %d bytes, or is no plain text: %.40q…", f.Trigger.Key.At, store.MaxName, key)
	}
	return key, nil
}

func ownKey() string { return "run:" + rand.Text() }

// StartManually stores a run of one flow, started by a person: input becomes
// ${input}, or ${event} for a flow that listens to events. Of several events it
// is the first one's name that the run gets: the flow reads the record anew, and
// all its events mean the same to it.
func (r *Router) StartManually(ctx context.Context, f *flow.Flow, instance string, input map[string]any) (runID int64, err error) {
	if f.Trigger.Input == nil && len(f.Trigger.Events) == 0 {
		return 0, fmt.Errorf("the flow %s cannot be started: its trigger has no event, manual or called", f.Name)
	}
	settings, err := r.Settings.Values(ctx, instance)
	if err != nil {
		return 0, fmt.Errorf("reading the settings: %w", err)
	}
	if f.Trigger.Input != nil {
		if err := f.CheckInput(input); err != nil {
			return 0, err
		}
		if input, err = f.TypedInput(input); err != nil {
			return 0, err
		}
	}
	vars := map[string]any{"settings": settings, "run": map[string]any{"instance": instance, "attempt": int64(0), "id": int64(0), "flow": f.Name, "at": time.Now().UTC()}}
	encoded, err := value.Encode(input)
	if err != nil {
		return 0, err
	}
	arrival := store.Arrival{Event: store.Event{Instance: instance, Source: "manual", Payload: []byte("{}")}}
	start := store.Start{Flow: f.Name, Order: f.Order, Version: f.Version}
	if f.Trigger.Input != nil {
		vars["input"] = input
		start.Input = encoded
	} else {
		vars["event"] = input
		arrival.Event.Payload = encoded
		arrival.Event.Name = f.Trigger.Events[0]
	}
	if start.Key, err = KeyOf(ctx, f, vars); err != nil {
		return 0, err
	}
	arrival.Starts = []store.Start{start}
	accepted, err := r.store(ctx, arrival)
	if err != nil {
		return 0, err
	}
	return accepted.RunIDs[0], nil
}
