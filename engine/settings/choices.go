package settings

import (
	"context"
	"encoding/json"
	"fmt"
)

// Choice is a value that a setting may have, by the name that people know.
type Choice struct {
	Value int64  `json:"value"` // the id of the record
	Label string `json:"label"`
}

// Bounds on the choices of a setting.
const (
	maxChoices     = 10_000
	maxChoiceLabel = 500
)

// choicesName is the cursor that keeps the choices: like one, it is what is known
// of the other system.
func choicesName(name string) string { return "choices/" + name }

// SaveChoices keeps the choices of a setting with record, or of a column of a
// table ("journals.value"), in place of those kept before.
func (s *Settings) SaveChoices(ctx context.Context, instance, name string, choices []Choice) error {
	if _, ok := s.App().ChoicesOf(name); !ok {
		return fmt.Errorf("the setting %q takes no choices: neither it nor a column of it is declared with record", name)
	}
	if len(choices) > maxChoices {
		return fmt.Errorf("%d choices for %s; at most %d are kept", len(choices), name, maxChoices)
	}
	seen := map[int64]bool{}
	for i, c := range choices {
		switch {
		case c.Value <= 0:
			return fmt.Errorf("choice %d of %s: %d cannot be the id of a record", i+1, name, c.Value)
		case seen[c.Value]:
			return fmt.Errorf("choice %d of %s: %d is there twice", i+1, name, c.Value)
		case len(c.Label) > maxChoiceLabel:
			return fmt.Errorf("choice %d of %s: its label has %d bytes; at most %d are kept", i+1, name, len(c.Label), maxChoiceLabel)
		}
		seen[c.Value] = true
	}
	data, err := json.Marshal(choices)
	if err != nil {
		return fmt.Errorf("keeping the choices of %s: %w", name, err)
	}
	return s.Store.SetCursor(ctx, instance, choicesName(name), string(data))
}

// Choices are the choices kept; nil when none were.
func (s *Settings) Choices(ctx context.Context, instance, name string) ([]Choice, error) {
	text, err := s.Store.Cursor(ctx, instance, choicesName(name))
	if err != nil || text == "" {
		return nil, err
	}
	var choices []Choice
	if err := json.Unmarshal([]byte(text), &choices); err != nil {
		return nil, fmt.Errorf("reading the choices of %s: %w", name, err)
	}
	return choices, nil
}
