package flow

import (
	"fmt"
	"maps"
	"slices"
)

// TypedInput brings what is given to the types of the flow's input, with
// defaults in place of what is absent. It does not change what is given.
func (f *Flow) TypedInput(given map[string]any) (map[string]any, error) {
	input := maps.Clone(given)
	if input == nil {
		input = map[string]any{}
	}
	for _, name := range f.Trigger.Input.PropertyNames() {
		property := f.Trigger.Input.Properties[name]
		if input[name] == nil {
			input[name] = property.Default
			continue
		}
		typed, err := property.Convert(input[name])
		if err != nil {
			return nil, fmt.Errorf("input %s of flow %s: %w", name, f.Name, err)
		}
		input[name] = typed
	}
	return input, nil
}

// CheckInput tells what is wrong with an input that a person gives: names that
// the flow does not know, and required ones that are missing.
func (f *Flow) CheckInput(given map[string]any) error {
	want := f.Trigger.Input
	if want == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := want.Property(name); !ok && !want.Open {
			return fmt.Errorf("the flow %s has no input %q; it has: %v", f.Name, name, want.PropertyNames())
		}
	}
	for _, name := range want.Required {
		if property, _ := want.Property(name); given[name] == nil && (property == nil || property.Default == nil) {
			return fmt.Errorf("the flow %s needs the input %q", f.Name, name)
		}
	}
	return nil
}
