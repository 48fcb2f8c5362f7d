package engine

import (
	"context"
	"fmt"

	"github.com/hibiken/asynq"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

// Retry makes ended or held runs waiting again, for a person who asked for it,
// and returns those that were reopened. With fresh they begin from the start;
// without, what is done is not done again.
func (e *Engine) Retry(ctx context.Context, fresh bool, runIDs ...int64) ([]int64, error) {
	reopened, err := e.store.Reopen(ctx, fresh, runIDs...)
	if err == nil && len(reopened) > 0 {
		e.doorbell()
	}
	return reopened, err
}

// InputType is what a person gives to start the flow: its input, or the payload
// of the event that it listens to.
func (e *Engine) InputType(f *flow.Flow) *connectors.Schema {
	switch {
	case f.Trigger.Input != nil:
		return f.Trigger.Input
	case f.Trigger.Event != nil:
		return f.Trigger.Event
	}
	return connectors.Object(nil)
}

// CheckFiles loads the flow files as they are now and returns what is wrong with
// them. The flows in use stay in use.
func (e *Engine) CheckFiles() (*flow.App, flow.Diagnostics, error) {
	return flow.Load(e.config.Flows, e.config.FlowsName)
}

// QueueServer tells how to connect to the queue's Redis, for a monitor of the
// queue; false before Start.
func (e *Engine) QueueServer() (asynq.RedisConnOpt, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.work == nil {
		return nil, false
	}
	return e.work.queue.RedisOption(), true
}

// Enabled tells whether events start the flow in this instance. It is nil where
// that depends on the event.
func (e *Engine) Enabled(ctx context.Context, instance string, f *flow.Flow) (*bool, error) {
	if f.Trigger.Enabled == nil {
		return nil, nil
	}
	for _, name := range f.Trigger.Enabled.Program.Names() {
		if name != "settings" {
			return nil, nil
		}
	}
	values, err := e.settings.Values(ctx, instance)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	out, err := f.Trigger.Enabled.Eval(ctx, map[string]any{"settings": values})
	if err != nil {
		return nil, err
	}
	on := out == true
	return &on, nil
}
