package builtin

import (
	"context"
	"fmt"

	"github.com/flowctl/flowctl/engine/value"
)

// Bounds on what a flow keeps.
const (
	maxMemoryName  = 200
	maxMemoryBytes = 1 << 20
)

// memoryName is the cursor that keeps a flow's value.
func memoryName(name string) (string, error) {
	if name == "" || len(name) > maxMemoryName {
		return "", badParams("the name of what is remembered has between 1 and %d bytes, not %d", maxMemoryName, len(name))
	}
	return "memory/" + name, nil
}

func (c *connection) recall(ctx context.Context, name string) (any, error) {
	cursor, err := memoryName(name)
	if err != nil {
		return nil, err
	}
	text, err := c.Store.Cursor(ctx, c.instance, cursor)
	if err != nil {
		return nil, err
	}
	kept, err := value.Decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("reading what is remembered as %s: %w", name, err)
	}
	return map[string]any{"value": kept}, nil
}

func (c *connection) remember(ctx context.Context, name string, v any) (any, error) {
	cursor, err := memoryName(name)
	if err != nil {
		return nil, err
	}
	text := ""
	if v != nil {
		encoded, err := value.Encode(v)
		if err != nil {
			return nil, badParams("what is to be remembered as %s: %w", name, err)
		}
		if len(encoded) > maxMemoryBytes {
			return nil, badParams("what is to be remembered as %s has %d bytes; at most %d are kept", name, len(encoded), maxMemoryBytes)
		}
		text = string(encoded)
	}
	return map[string]any{}, c.Store.SetCursor(ctx, c.instance, cursor, text)
}
