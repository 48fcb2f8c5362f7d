package event

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// ownEvent is the whole name of an event that flowctl makes itself.
func ownEvent(name string) string { return flow.AppName + "." + name }

// SettingsSaved announces settings that changed. values are all settings as they
// will be.
func (r *Router) SettingsSaved(ctx context.Context, instance string, names []string, values map[string]any) ([]store.Arrival, error) {
	changed := make([]any, len(names))
	for i, name := range names {
		changed[i] = name
	}
	arrival, err := r.Arrival(ctx, Incoming{Instance: instance, Source: "flow", Name: ownEvent(flow.EventSettingsSaved), Payload: map[string]any{"names": changed}}, values)
	if err != nil {
		return nil, err
	}
	return []store.Arrival{arrival}, nil
}

// Problem announces a run that is held or has failed, unless its own flow listens
// to that: a notice that cannot be sent would make the next one. Where nobody
// listens there is nothing to store; the run itself tells of it.
func (r *Router) Problem(ctx context.Context, run store.Run, outcome store.Outcome) ([]store.Arrival, error) {
	if outcome.State != store.Held && outcome.State != store.Failed {
		return nil, nil
	}
	name := ownEvent(flow.EventRunProblem)
	listening := r.App().Listening(name)
	if len(listening) == 0 || slices.ContainsFunc(listening, func(f *flow.Flow) bool { return f.Name == run.Flow }) {
		return nil, nil
	}
	settings, err := r.Settings.Values(ctx, run.Instance)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	arrival, err := r.Arrival(ctx, Incoming{Instance: run.Instance, Source: "flow", Name: name, Payload: map[string]any{
		"run_id": run.ID, "flow": run.Flow, "key": run.Key, "state": string(outcome.State),
		"code": outcome.Code, "reason": outcome.Reason, "advice": outcome.Advice,
	}}, settings)
	if err != nil {
		return nil, err
	}
	return []store.Arrival{arrival}, nil
}

// Announced tells the workers of arrivals that were stored with something else,
// and counts them.
func (r *Router) Announced(arrivals []store.Arrival) {
	starts := 0
	for i := range arrivals {
		starts += len(arrivals[i].Starts)
		if r.Measure != nil {
			e := &arrivals[i].Event
			r.Measure(e.Instance, e.Source, e.Name)
		}
	}
	if starts > 0 {
		r.ring()
	}
}

// tellFailedStarts announces the runs that failed before they began, because
// their condition or key could not be computed. They are stored and shown all the
// same when this fails.
func (r *Router) tellFailedStarts(ctx context.Context, arrival store.Arrival, accepted store.Accepted) {
	for i, start := range arrival.Starts {
		if start.Problem == "" {
			continue
		}
		run := store.Run{ID: accepted.RunIDs[i], Instance: arrival.Event.Instance, Flow: start.Flow, Key: start.Key}
		told, err := r.Problem(ctx, run, store.Outcome{State: store.Failed, Reason: start.Problem})
		if err == nil && len(told) > 0 {
			_, err = r.store(ctx, told[0])
		}
		if err != nil {
			r.log().Error("a run that failed to start was not announced", "run", run.ID, "instance", run.Instance, "flow", run.Flow, "error", err)
		}
	}
}

func (r *Router) log() *slog.Logger {
	if r.Log == nil {
		return slog.Default()
	}
	return r.Log
}

// Emit accepts an event of the app's own, declared in app.yaml.
func (r *Router) Emit(ctx context.Context, instance, name string, payload map[string]any) (store.Accepted, error) {
	app := r.App()
	i := slices.IndexFunc(app.Events, func(e flow.Event) bool { return e.Name == name })
	if i < 0 {
		return store.Accepted{}, badParams("there is no event %q under events: in app.yaml", name)
	}
	declared := app.Events[i].Payload
	for field := range payload {
		if _, known := declared.Property(field); !known && !declared.Open {
			return store.Accepted{}, badParams("the event %s has no field %q", name, field)
		}
	}
	for _, field := range declared.Required {
		if payload[field] == nil {
			return store.Accepted{}, badParams("the event %s needs the field %q", name, field)
		}
	}
	typed, err := declared.Convert(payload)
	if err != nil {
		return store.Accepted{}, badParams("the payload of the event %s: %w", name, err)
	}
	record, _ := typed.(map[string]any)
	return r.Accept(ctx, Incoming{Instance: instance, Source: "flow", Name: ownEvent(name), Payload: record})
}

func badParams(format string, args ...any) error {
	return connectors.Errorf(connectors.Permanent, connectors.CodeBadParams, format, args...)
}
