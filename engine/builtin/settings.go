package builtin

import (
	"context"
	"crypto/rand"
	"maps"

	"github.com/flowctl/flowctl/engine/settings"
)

// saveSettings saves settings that are no secrets: the parameters of a call stand
// in the journal. Secrets are made here, where they are wanted and missing.
func (c *connection) saveSettings(ctx context.Context, p params) (any, error) {
	given, _ := p["values"].(map[string]any)
	values := maps.Clone(given)
	if values == nil {
		values = map[string]any{}
	}
	for name, v := range values {
		if declared, ok := c.App().Setting(name); ok && declared.Type == "secret" && v != nil {
			return nil, badParams("setting %s is a secret, and what a flow saves is seen in its journal; let generate make it, or a person enter it", name)
		}
	}
	wanted, _ := p["generate"].([]any)
	if len(wanted) > 0 {
		now, err := c.Settings.Values(ctx, c.instance)
		if err != nil {
			return nil, err
		}
		for _, item := range wanted {
			name, _ := item.(string)
			declared, ok := c.App().Setting(name)
			if !ok || declared.Type != "secret" {
				return nil, badParams("there is no secret setting %q to generate", name)
			}
			if _, fixed := c.Settings.Overrides[name]; fixed && c.instance == c.Settings.OverrideInstance {
				// A stored one would not count, and saving it anew each time starts
				// whatever listens to saved settings again.
				continue
			}
			if now[name] == nil {
				values[name] = rand.Text()
			}
		}
	}
	changed, err := c.Settings.Change(ctx, c.instance, values)
	if err != nil {
		return nil, err
	}
	names := []any{}
	for _, name := range changed {
		names = append(names, name)
	}
	return map[string]any{"changed": names}, nil
}

func (c *connection) saveChoices(ctx context.Context, p params) (any, error) {
	given, _ := p["choices"].([]any)
	choices := make([]settings.Choice, 0, len(given))
	for i, item := range given {
		row, _ := item.(map[string]any)
		id, isID := row["value"].(int64)
		label, isText := row["label"].(string)
		if !isID || !isText {
			return nil, badParams("choice %d is not {value: id, label: text}", i+1)
		}
		choices = append(choices, settings.Choice{Value: id, Label: label})
	}
	if err := c.Settings.SaveChoices(ctx, c.instance, p.text("setting"), choices); err != nil {
		return nil, err
	}
	return map[string]any{}, nil
}

// emit announces an event of the app's own.
func (c *connection) emit(ctx context.Context, p params) (any, error) {
	payload, _ := p["payload"].(map[string]any)
	if payload == nil {
		payload = map[string]any{}
	}
	accepted, err := c.Router.Emit(ctx, c.instance, p.text("event"), payload)
	if err != nil {
		return nil, err
	}
	runs := []any{}
	for _, id := range accepted.RunIDs {
		runs = append(runs, id)
	}
	return map[string]any{"event_id": accepted.EventID, "runs": runs}, nil
}
