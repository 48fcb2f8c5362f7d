package settings

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// Save checks and writes settings given as typed values; nil removes one, so
// that its default holds again. Every value that is wrong is told, as an
// *InvalidError or *UnknownError each, and then nothing is written.
func (s *Settings) Save(ctx context.Context, instance string, values map[string]any) error {
	_, err := s.Change(ctx, instance, values)
	return err
}

// Change does what Save does, and returns the names of the settings whose stored
// values are others now. Only those are written and announced.
func (s *Settings) Change(ctx context.Context, instance string, values map[string]any) ([]string, error) {
	stored, err := s.Store.Settings(ctx, instance)
	if err != nil {
		return nil, err
	}
	rows, names, err := s.changes(instance, stored, values)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var announce []store.Arrival
	if s.Announce != nil {
		if announce, err = s.Announce(ctx, instance, names, s.valuesAfter(instance, stored, rows)); err != nil {
			return nil, fmt.Errorf("announcing the settings: %w", err)
		}
	}
	if _, err := s.Store.SaveSettings(ctx, instance, rows, announce...); err != nil {
		return nil, err
	}
	if s.Announced != nil && len(announce) > 0 {
		s.Announced(announce)
	}
	return names, nil
}

// changes are the rows to write, and their names in order.
func (s *Settings) changes(instance string, stored map[string][]byte, values map[string]any) (map[string][]byte, []string, error) {
	rows := map[string][]byte{}
	var names []string
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		declared, ok := s.App().Setting(name)
		if !ok {
			problems = append(problems, &UnknownError{name})
			continue
		}
		typed, err := declared.Check(values[name])
		if err != nil {
			problems = append(problems, invalid(declared, err))
			continue
		}
		before, was := stored[name]
		if !was && typed == nil || was && typed != nil && s.isSame(instance, declared, before, typed) {
			continue
		}
		row, err := s.encode(instance, declared, typed)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		rows[name] = row
		names = append(names, name)
	}
	return rows, names, errors.Join(problems...)
}

// isSame compares what is stored with a value. What cannot be read, because the
// key was changed, is not the same: it can be entered again.
func (s *Settings) isSame(instance string, declared flow.Setting, data []byte, typed any) bool {
	before, err := s.open(instance, declared, data)
	return err == nil && value.Equal(before, typed)
}

// encode is a value as it is stored; nil for nothing.
func (s *Settings) encode(instance string, declared flow.Setting, typed any) ([]byte, error) {
	if typed == nil {
		return nil, nil
	}
	data, err := value.Encode(typed)
	if err != nil {
		return nil, invalid(declared, err)
	}
	if declared.Type != "secret" {
		return data, nil
	}
	if s.Sealer == nil {
		return nil, fmt.Errorf("setting %s is a secret and there is no key to seal it with; set FLOWCTL_SECRET_KEY", declared.Name)
	}
	if data, err = s.Sealer.Seal(data, place(instance, declared.Name)); err != nil {
		return nil, fmt.Errorf("sealing setting %s: %w", declared.Name, err)
	}
	return data, nil
}

// valuesAfter are all values as they will be. A setting that cannot be read has
// none: the others can be saved all the same.
func (s *Settings) valuesAfter(instance string, stored, rows map[string][]byte) map[string]any {
	after := maps.Clone(stored)
	maps.Copy(after, rows)
	values := map[string]any{}
	for _, declared := range s.App().Settings() {
		v, err := s.valueOf(instance, declared, after[declared.Name])
		if err != nil {
			v = nil
		}
		values[declared.Name] = v
	}
	return values
}
