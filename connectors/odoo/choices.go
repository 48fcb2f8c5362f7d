package odoo

import (
	"context"

	"github.com/flowctl/flowctl/connectors"
)

var _ connectors.Chooser = (*Connection)(nil)

// Choices lists a model's records by their display names, as Odoo's own lists
// order them.
func (c *Connection) Choices(ctx context.Context, record string, limit int) ([]connectors.Choice, error) {
	answer, err := c.Call(ctx, connectors.Call{Operation: "search_read", Params: map[string]any{
		"model": record, "domain": []any{}, "fields": []any{"display_name"}, "limit": int64(limit),
	}})
	if err != nil {
		return nil, err
	}
	found, _ := answer.(map[string]any)
	records, _ := found["records"].([]any)
	choices := make([]connectors.Choice, 0, len(records))
	for _, one := range records {
		fields, _ := one.(map[string]any)
		id, ok := fields["id"].(int64)
		label, _ := fields["display_name"].(string)
		if !ok || label == "" {
			continue
		}
		choices = append(choices, connectors.Choice{ID: id, Label: label})
	}
	return choices, nil
}
